//! `cargo xtask bench`: how fast the protocol library is, beside its floor and
//! its peers, and how fast the bridge is, beside its floor.
//!
//! The benchmarks themselves are `server/qmp/benches/peers` and
//! `server/benches/bridge`; here they get QEMU, an interpreter with `qemu.qmp`,
//! and a directory that is removed whatever happens.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;

use crate::fingerprint::{self, Fingerprint};
use crate::process;
use crate::setup;
use crate::workspace::{Workspace, announce};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// The protocol library: target/bench.json
    Library,
    /// The console, from a monitor to REST, WebSockets and disk: target/bench-bridge.json
    Bridge,
}

impl Subject {
    /// The package and its benchmark.
    fn benchmark(self) -> [&'static str; 2] {
        match self {
            Self::Library => ["qmp-client", "peers"],
            Self::Bridge => ["qmp-console", "bridge"],
        }
    }

    fn json(self) -> &'static str {
        match self {
            Self::Library => "bench.json",
            Self::Bridge => "bench-bridge.json",
        }
    }
}

/// The peer in Python, as pip knows it.
const PEER: &str = "qemu.qmp==0.0.6";

/// Measures these subjects, or all when there are none: prints a table of each,
/// and writes it as JSON. A benchmark gets some arguments more.
///
/// # Errors
///
/// When something cannot be installed or built, or a contender fails. Figures
/// are no error, whatever they are.
pub(crate) fn run(
    workspace: &Workspace,
    only: &[Subject],
    arguments: &[OsString],
) -> anyhow::Result<()> {
    setup::provide(workspace, setup::ENDPOINTS)?;
    let subjects = Subject::value_variants().iter().copied();
    for subject in subjects.filter(|subject| only.is_empty() || only.contains(subject)) {
        measure(workspace, subject, arguments)?;
    }
    Ok(())
}

fn measure(workspace: &Workspace, subject: Subject, arguments: &[OsString]) -> anyhow::Result<()> {
    let python = match subject {
        Subject::Library => Some(interpreter(workspace)?),
        Subject::Bridge => None,
    };
    let mut build = benchmark(workspace, subject);
    build.arg("--no-run");
    announce("Building the benchmark");
    process::run("the benchmark's build", &mut build, workspace.cancel())?;

    let mut builder = tempfile::Builder::new();
    builder.prefix("qmp-bench-");
    // Not `TMPDIR`: a unix socket's path has at most 107 bytes.
    let directory = builder
        .tempdir_in("/tmp")
        .context("the benchmark's directory")?;
    let json = workspace.target().join(subject.json());
    let mut run = benchmark(workspace, subject);
    run.env("TMPDIR", directory.path())
        .args(["--", "--json"])
        .arg(&json);
    if let Some(python) = python {
        run.arg("--python").arg(python);
    }
    run.args(arguments);
    announce("Measuring, which takes some minutes; keep the machine idle");
    process::run("the benchmark", &mut run, workspace.cancel())?;
    println!("{}", json.display());
    Ok(())
}

fn benchmark(workspace: &Workspace, subject: Subject) -> std::process::Command {
    let [package, name] = subject.benchmark();
    let mut cargo = workspace.cargo();
    cargo
        .args(["bench", "--quiet", "--locked"])
        .args(["--package", package, "--bench", name])
        .arg("--target-dir")
        .arg(workspace.target());
    cargo
}

/// An interpreter with the peer, in an environment of its own.
fn interpreter(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    const LIMIT: Duration = Duration::from_secs(30);
    let environment = workspace.target().join("bench-venv");
    let python = environment.join("bin/python");
    let stamp = environment.join(".xtask-peer");
    let wanted = Fingerprint::default().bytes(PEER.as_bytes()).finish();
    if fingerprint::is_current(&stamp, &wanted) {
        return Ok(python);
    }
    setup::provide(workspace, setup::PYTHON)?;
    let mut probe = setup::program("python3")?;
    probe.args(["-c", "import ensurepip, venv"]);
    if !process::succeeds(&mut probe, LIMIT, workspace.cancel()) {
        setup::provide(workspace, setup::PYTHON_ENVIRONMENTS)?;
    }
    let shown = environment.display();
    announce(&format!("Missing: {PEER} in {shown}, installing it by pip"));
    fs::create_dir_all(workspace.target()).context("the target directory")?;
    let mut make = setup::program("python3")?;
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    process::run("python3 -m venv", &mut make, workspace.cancel())?;
    let mut pip = process::command(&python);
    pip.args(["-m", "pip", "--disable-pip-version-check"])
        .args(["install", "--quiet", PEER]);
    process::run("pip install", &mut pip, workspace.cancel())?;
    fingerprint::write(&stamp, &wanted)?;
    Ok(python)
}
