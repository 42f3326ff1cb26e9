//! How fast the bridge is, beside its floor.
//!
//! ```text
//!              ┌──────────────────────┐                   ┌──────────────────────┐
//!  one round = │ ours: the console's  │◄─── events of ────│ QEMU, or an endpoint │
//!              │ own binary           │──── commands to ─►│ that answers at once │
//!              │ floor: the same done │                   └──────────────────────┘
//!              │ without a console    │
//!              └──────────────────────┘
//! ```
//!
//! The console is the release binary, in a process of its own, with policy and
//! audit, and a journal on disk. What is done without a console is `qmp-client`,
//! or a bare bridge ([`proxy`]), on another monitor of the same QEMU
//! ([`execute`]), a bare `tokio-tungstenite` server ([`broadcast`]), and SQLite
//! alone ([`journal`]). Rounds are interleaved, so that whatever else the
//! machine does befalls both alike, and a ratio is the median of the rounds'
//! own ratios. Clients are as small as they can be, and the same for both.
//!
//! ```sh
//! cargo bench --package qmp-console --bench bridge -- [--json PATH] [--rounds N]
//!     [--subscribers N] [--rate EVENTS_PER_SECOND] [--seconds N] [--sessions N] [WORKLOAD]...
//! ```
//!
//! A workload is any part of the name of one. `--subscribers`, `--rate` and
//! `--seconds` are those of the fan-out. Nothing here is a test: figures are
//! reported beside what they should be, and never judged.

mod broadcast;
mod console;
mod deaf;
mod endpoint;
mod execute;
mod fan_out;
mod http;
mod idle;
mod journal;
mod process;
mod proxy;
mod receivers;
mod report;
mod websocket;

use std::error::Error;
use std::path::{Path, PathBuf};

use report::{Measured, Report};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Measures some workloads.
type Measure = fn(&Arguments, &Path) -> Result<Vec<Measured>>;

/// What is measured, in this order.
const WORKLOADS: [(&str, Measure); 7] = [
    ("rest-execute, ws-execute", execute::measure),
    ("fan-out-paced", fan_out::paced),
    ("fan-out-flood", fan_out::flood),
    ("idle-sessions", idle::measure),
    ("journal-paced", journal::paced),
    ("journal-flood", journal::flood),
    ("deaf-subscribers", deaf::measure),
];

struct Arguments {
    json: Option<PathBuf>,
    /// Instead of each workload's own number.
    rounds: Option<usize>,
    subscribers: usize,
    rate: usize,
    seconds: usize,
    sessions: usize,
    workloads: Vec<String>,
}

impl Arguments {
    fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut parsed = Self {
            json: None,
            rounds: None,
            subscribers: 1000,
            rate: 1000,
            seconds: 10,
            sessions: 1000,
            workloads: Vec::new(),
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or("no value");
            match argument.as_str() {
                // From cargo.
                "--bench" => {}
                "--json" => parsed.json = Some(value()?.into()),
                "--rounds" => parsed.rounds = Some(value()?.parse()?),
                "--subscribers" => parsed.subscribers = value()?.parse()?,
                "--rate" => parsed.rate = value()?.parse()?,
                "--seconds" => parsed.seconds = value()?.parse()?,
                "--sessions" => parsed.sessions = value()?.parse()?,
                option if option.starts_with('-') => return Err(format!("{option}?").into()),
                _ => parsed.workloads.push(argument),
            }
        }
        Ok(parsed)
    }

    fn wants(&self, name: &str) -> bool {
        self.workloads.is_empty() || self.workloads.iter().any(|part| name.contains(part))
    }

    /// How many rounds, unless told otherwise, of a workload that has so many.
    fn rounds(&self, usual: usize) -> usize {
        self.rounds.unwrap_or(usual)
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let serve: Option<fn(&Path) -> Result<()>> = match arguments.peek().map(String::as_str) {
        Some(broadcast::OPTION) => Some(broadcast::serve),
        Some(proxy::OPTION) => Some(proxy::serve),
        _ => None,
    };
    if let Some(serve) = serve {
        let socket = arguments.nth(1).ok_or("no socket")?;
        return serve(Path::new(&socket));
    }
    let arguments = Arguments::parse(arguments)?;
    process::allow_descriptors()?;
    let directory = tempfile::Builder::new().prefix("qmp-bench-").tempdir()?;
    let mut report = Report::new();
    for (name, measure) in WORKLOADS.iter().filter(|(name, _)| arguments.wants(name)) {
        eprintln!("{name}");
        report.add(measure(&arguments, directory.path())?);
    }
    print!("{report}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, report.to_json())?;
    }
    Ok(())
}
