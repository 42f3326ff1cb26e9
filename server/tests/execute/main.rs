//! REST: executing commands, and what is told of sessions and schemas.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

mod bodies;
#[path = "../common/mod.rs"]
mod common;
mod endpoints;
mod ends;
mod outcomes;
mod replies;
mod schema;
