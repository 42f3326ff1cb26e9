//! The command line.
//!
//! Exit codes: 0 success, 1 the endpoint's error reply, 2 usage, 3 everything
//! else: connection, protocol fault, timeout, and what a console refuses: the
//! token, the role, a session that it does not have or that is not running. A
//! command that was sent and has no reply is told as one of unknown outcome.

mod address;
mod config;
mod console;
mod events;
mod execute;
mod logging;
mod reload;
mod serve;
mod state_dir;
mod target;
mod token;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use qmp_shared::model::CommandError;

/// The variable that holds a console's token: for `serve` the one that it is
/// started with, for its clients the one that they show.
const TOKEN_VARIABLE: &str = "QMP_CONSOLE_TOKEN";

/// For `--help`.
const EXIT_CODES: &str = "\
Exit codes: 0 success; 1 the endpoint's error reply; 2 a mistake in the call; 3 connection, protocol fault or timeout, \
and what a console refuses: the token, the role, a session that it does not have or that is not running.";

/// A web console for QMP: QEMU, its guest agent and its storage daemon.
#[derive(Debug, Parser)]
#[command(name = "qmp-console", version, after_long_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the console
    Serve(Box<serve::Args>),
    /// Execute one command on an endpoint, directly or through a console
    Execute(execute::Args),
    /// Print the events of an endpoint, directly or through a console
    Events(events::Args),
    /// Make, list and revoke the tokens of a console on this machine
    Token(token::Args),
}

/// Runs the command that was asked for. `clap` itself exits with 2 on a usage
/// error.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(args) => serve::run(*args),
        Command::Execute(args) => execute::run(args),
        Command::Events(args) => events::run(args),
        Command::Token(args) => token::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("{error:#}"));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Says something on standard error. Where that takes nothing there is nobody
/// to be told.
fn tell(text: &str) {
    let (Ok(()) | Err(_)) = writeln!(std::io::stderr(), "qmp-console: {text}");
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<ErrorReply>() {
        1
    } else if error.is::<Usage>() {
        2
    } else {
        3
    }
}

/// The endpoint's own error, verbatim.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .0.class, .0.desc)]
struct ErrorReply(CommandError);

/// A mistake in how the program was called.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);
