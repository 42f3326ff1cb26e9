//! What the front end knows and how it changes: plain types without signals,
//! sockets, timers or a document, so that all of it is tested natively.
//!
//! Data flow: the store decodes a frame → [`App::apply`] → [`Changes`] says
//! which part is new → the store notifies the signals of that part → the
//! views read it again. Times come in as arguments; nothing here has a clock.

pub(crate) mod address;
pub(crate) mod app;
pub(crate) mod awaited;
pub(crate) mod backoff;
pub(crate) mod blame;
pub(crate) mod commands;
pub(crate) mod completion;
pub(crate) mod copy_as;
pub(crate) mod danger;
pub(crate) mod diff;
pub(crate) mod editor;
pub(crate) mod events;
pub(crate) mod exchanges;
pub(crate) mod find;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod lines;
pub(crate) mod link;
pub(crate) mod login;
pub(crate) mod lookups;
pub(crate) mod manage;
pub(crate) mod manual;
pub(crate) mod missed;
pub(crate) mod need;
mod nodes;
pub(crate) mod outline;
pub(crate) mod pages;
pub(crate) mod palette;
pub(crate) mod plot;
pub(crate) mod search;
pub(crate) mod secrets;
pub(crate) mod send;
pub(crate) mod sessions;
pub(crate) mod text;
pub(crate) mod theme;
pub(crate) mod time;
pub(crate) mod transaction;
pub(crate) mod tree;
pub(crate) mod window;

pub(crate) use app::{App, Changes};
