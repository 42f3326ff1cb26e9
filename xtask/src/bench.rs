//! `cargo xtask bench`: how fast the protocol library is, beside its floor and
//! its peers.
//!
//! The benchmark itself is `server/qmp/benches/peers`; here it gets QEMU, an
//! interpreter with `qemu.qmp`, and a directory that is removed whatever
//! happens.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::fingerprint::{self, Fingerprint};
use crate::process;
use crate::setup;
use crate::workspace::{Workspace, announce};

/// The peer in Python, as pip knows it.
const PEER: &str = "qemu.qmp==0.0.6";

/// Measures, prints the table, and writes it to `target/bench.json`.
///
/// # Errors
///
/// When something cannot be installed or built, or a contender fails. Figures
/// are no error, whatever they are.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    setup::provide(workspace, setup::ENDPOINTS)?;
    let python = interpreter(workspace)?;
    let mut build = benchmark(workspace);
    build.arg("--no-run");
    announce("Building the benchmark");
    process::run("the benchmark's build", &mut build, workspace.cancel())?;

    let mut builder = tempfile::Builder::new();
    builder.prefix("qmp-bench-");
    // Not `TMPDIR`: a unix socket's path has at most 107 bytes.
    let directory = builder
        .tempdir_in("/tmp")
        .context("the benchmark's directory")?;
    let json = workspace.target().join("bench.json");
    let mut run = benchmark(workspace);
    run.env("TMPDIR", directory.path())
        .arg("--")
        .arg("--python")
        .arg(python)
        .arg("--json")
        .arg(&json);
    announce("Measuring, which takes some minutes; keep the machine idle");
    process::run("the benchmark", &mut run, workspace.cancel())?;
    println!("{}", json.display());
    Ok(())
}

fn benchmark(workspace: &Workspace) -> std::process::Command {
    let mut cargo = workspace.cargo();
    cargo
        .args(["bench", "--quiet", "--locked"])
        .args(["--package", "qmp-client", "--bench", "peers"])
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
