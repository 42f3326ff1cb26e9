//! QMP Console: QMP sessions for browsers and scripts.
//!
//! QEMU, its guest agent and its storage daemon speak QMP over a socket that
//! serves one client at a time. This server holds those sockets and bridges
//! them to REST and WebSockets, which serve any number.
//!
//! ```text
//!              qmp-client          session               http
//!  QEMU ◄──► framing, ids ◄──► actor, log of events ◄──► REST        ◄──► scripts
//!            negotiation        state, schema       ◄──► WebSocket   ◄──► browsers
//!                                                        front end ───►
//! ```
//!
//! Order of dependence: [`journal`], [`manual`], [`session`], [`access`], [`http`], [`cli`]; each uses
//! only those before it. What goes over the wire is defined in the crate
//! `qmp-shared`, which the front end compiles too.

mod access;
mod cli;
mod error;
mod http;
mod journal;
mod manual;
mod session;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
