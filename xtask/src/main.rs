//! The project's own tasks: `cargo xtask build | demo | test | bench | fuzz`.
//!
//! ```text
//! setup      what is missing is installed: apt, rustup, npm
//! toolchain  which compiler can make wasm32
//! web        qmp-web -> wasm-bindgen -> wasm-opt -> target/web/dist
//! budget     what the first page loads, compressed
//! server     target/release/qmp-console with the front end inside
//! demo       a guest, a storage daemon, an agent, and the console on them
//! test       everything that must hold before a change lands
//! bench      how fast the protocol library and the bridge are, beside floor and peers
//! fuzz       what reads hostile input, on input that is made up
//! ```
//!
//! Whatever is started, is started through [`process`], and so ends with us. The
//! console's protocol is none of this program's business, except for a probe
//! that a demo endpoint is up.

mod bench;
mod budget;
mod cancel;
mod demo;
mod fingerprint;
mod fuzz;
mod npm;
mod process;
mod server;
mod setup;
mod test;
mod toolchain;
mod web;
mod workspace;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use cancel::{Cancel, Cancelled};
use workspace::Workspace;

/// Tasks of the QMP Console workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build target/release/qmp-console, with the front end inside
    Build {
        /// Only the front end, as a debug build of the server loads it
        #[arg(long)]
        web: bool,
    },
    /// Serve the console on a demo guest, a storage daemon and a guest agent
    Demo {
        /// Where the console listens
        #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
    },
    /// Run every check: format, lints, docs, tests, size budget, browser tests
    Test {
        /// Only these steps
        #[arg(long, value_name = "STEP", value_delimiter = ',')]
        only: Vec<test::Step>,
    },
    /// Measure the protocol library and the bridge beside their floors and peers
    Bench {
        /// Only these
        #[arg(long, value_name = "SUBJECT", value_delimiter = ',')]
        only: Vec<bench::Subject>,
        /// For the benchmarks: workloads, and options of theirs
        #[arg(last = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
    /// Try what reads hostile input on input that is made up
    Fuzz {
        /// How long each target runs
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
        /// Only these targets
        #[arg(long, value_name = "TARGET", value_delimiter = ',')]
        only: Vec<fuzz::Target>,
    },
}

/// Exit codes: 0 done, or a demo that was asked to stop; 1 failed; 2 usage;
/// 128 and the signal's number when interrupted.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = run(&arguments.task);
    process::end_orphans();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Cancelled>() {
            Some(cancelled) => {
                eprintln!("{cancelled}");
                ExitCode::from(cancelled.exit_code())
            }
            None => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(task: &Task) -> anyhow::Result<()> {
    let cancel = Cancel::on_signals()?;
    process::adopt_orphans()?;
    let workspace = Workspace::locate(cancel)?;
    match task {
        Task::Build { web: only_web } => {
            setup::npm_is_there()?;
            web::build(&workspace)?;
            if *only_web {
                return Ok(());
            }
            server::build(&workspace)?;
            println!("{}", workspace.server_binary().display());
            Ok(())
        }
        Task::Demo { listen } => demo::run(&workspace, *listen),
        Task::Test { only } => test::run(&workspace, only),
        Task::Bench { only, arguments } => bench::run(&workspace, only, arguments),
        Task::Fuzz { seconds, only } => fuzz::run(&workspace, *seconds, only),
    }
}
