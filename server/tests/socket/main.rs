//! The console WebSocket, as a browser or a script meets it.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

mod commands;
#[path = "../common/mod.rs"]
mod common;
mod events;
mod faults;
mod sessions;
