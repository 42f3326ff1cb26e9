//! What the server, the front end and the tests agree on: QMP messages and
//! models, the schema and its forms, event filters, and the frames and bodies
//! of the console's own API. No I/O, no clock, no async runtime: every module
//! compiles to native and to wasm32.

pub mod command;
pub mod filter;
pub mod json;
pub mod manual;
pub mod message;
pub mod model;
mod problem;
pub mod rest;
pub mod schema;
pub mod verbatim;
pub mod wire;
