//! The command line.
//!
//! Exit codes: 0 success, 2 usage, 3 connection or start-up failure.

mod address;
mod serve;
mod state_dir;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A web console for QMP: QEMU, its guest agent and its storage daemon.
#[derive(Debug, Parser)]
#[command(name = "qmp-console", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the console
    Serve(serve::Args),
}

/// Runs the command that was asked for. `clap` itself exits with 2 on a usage
/// error.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(args) => serve::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("qmp-console: {error:#}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 3 })
        }
    }
}

/// A mistake in how the program was called.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);
