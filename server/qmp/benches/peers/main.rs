//! How fast the client is, beside its floor and its peers.
//!
//! ```text
//!              ┌──────────────┐  each workload, in turn  ┌──────────────────────────┐
//!  one round = │ floor, tokio │─────────────────────────►│ QEMU, without a machine  │
//!              │ ours         │                          ├──────────────────────────┤
//!              │ qemu.qmp     │─────────────────────────►│ an endpoint that answers │
//!              │ qapi         │                          │ at once, in this process │
//!              └──────────────┘                          └──────────────────────────┘
//! ```
//!
//! The floor is a blocking socket and nothing else; no client can be faster.
//! A tokio socket and nothing else is what an asynchronous one can reach.
//! Everybody keeps the connections that they have from the beginning. Rounds
//! are interleaved, so that whatever else the machine does befalls all alike,
//! and a ratio is the median of the rounds' own ratios. Asynchronous clients
//! run on one thread.
//!
//! ```sh
//! cargo bench --package qmp-client --bench peers -- [--python PATH] [--json PATH] [WORKLOAD]...
//! ```
//!
//! `--python` is an interpreter that has `qemu.qmp`, which is left out without
//! one. A workload is any part of the name of one. `cargo xtask bench` provides
//! all of it. Nothing here is a test: figures are reported, and never judged.

mod bare;
mod floor;
mod instant;
mod ours;
mod process;
mod qapi;
mod report;
mod workload;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use instant::Instant;
use process::{Qemu, QemuQmp};
use report::{Measured, Memory, Report};
use workload::Workload;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Rounds that count. One more goes before them, to warm up.
const ROUNDS: usize = 11;

/// How many events an endpoint sends in one round.
const EVENTS: usize = 1_000_000;

/// A client that interpreters run does a tenth of each workload.
const INTERPRETED: usize = 10;

/// Somebody who can do the workloads.
trait Contender {
    /// Does a workload so many times; how long that took. `None` if it cannot.
    fn run(&mut self, workload: Workload, times: usize) -> Result<Option<Duration>>;
}

/// Where a contender connects to.
struct Sockets {
    qemu: PathBuf,
    instant: PathBuf,
}

#[derive(Default)]
struct Arguments {
    python: Option<PathBuf>,
    json: Option<PathBuf>,
    workloads: Vec<String>,
}

impl Arguments {
    fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut parsed = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().map(PathBuf::from).ok_or("no path");
            match argument.as_str() {
                // From cargo.
                "--bench" => {}
                "--python" => parsed.python = Some(value()?),
                "--json" => parsed.json = Some(value()?),
                option if option.starts_with('-') => return Err(format!("{option}?").into()),
                _ => parsed.workloads.push(argument),
            }
        }
        Ok(parsed)
    }

    fn wants(&self, workload: Workload) -> bool {
        let name = workload.name();
        self.workloads.is_empty() || self.workloads.iter().any(|part| name.contains(part))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let directory = tempfile::Builder::new().prefix("qmp-bench-").tempdir()?;
    let report = measure(&arguments, directory.path())?;
    print!("{report}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, report.to_json())?;
    }
    Ok(())
}

fn measure(arguments: &Arguments, directory: &Path) -> Result<Report> {
    let qemu = Qemu::start(directory, &report::NAMES)?;
    let instant = Instant::start(&directory.join("instant"), EVENTS)?;
    let patient = Instant::start(&directory.join("patient"), EVENTS / INTERPRETED)?;
    let sockets = |name: &str, instant: &Instant| Sockets {
        qemu: qemu.socket(name),
        instant: instant.path().to_owned(),
    };
    let mut floor = floor::Floor::connect(&sockets("floor", &instant))?;
    let mut bare = bare::Bare::connect(&sockets("tokio", &instant))?;
    let mut ours = ours::Ours::connect(&sockets("ours", &instant))?;
    let mut qapi = qapi::Qapi::connect(&sockets("qapi", &instant))?;
    let mut qemu_qmp = match &arguments.python {
        Some(python) => Some(QemuQmp::start(python, &sockets("qemu.qmp", &patient))?),
        None => None,
    };

    let mut report = Report::new(ROUNDS);
    for workload in Workload::ALL.into_iter().filter(|it| arguments.wants(*it)) {
        eprintln!("{}", workload.name());
        let times = workload.times();
        let mut measured = Measured::new(workload);
        let mut memory = Memory::now()?;
        for round in 0..=ROUNDS {
            let rates = [
                rate(&mut floor, workload, times)?,
                rate(&mut bare, workload, times)?,
                rate(&mut ours, workload, times)?,
                match &mut qemu_qmp {
                    Some(peer) => rate(peer, workload, times / INTERPRETED)?,
                    None => None,
                },
                rate(&mut qapi, workload, times)?,
            ];
            memory.look(times)?;
            if round > 0 {
                measured.add(rates);
            }
        }
        if workload == Workload::EventsInstant {
            report.memory = Some(memory);
        }
        report.workloads.push(measured);
    }
    Ok(report)
}

/// How often a second.
fn rate(contender: &mut dyn Contender, workload: Workload, times: usize) -> Result<Option<f64>> {
    let took = contender.run(workload, times)?;
    Ok(took.map(|took| times as f64 / took.as_secs_f64()))
}
