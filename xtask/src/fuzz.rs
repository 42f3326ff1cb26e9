//! `cargo xtask fuzz`: what reads hostile input, on all the input that libFuzzer
//! comes up with.
//!
//! The targets are the package `server/qmp/fuzz`. What is generated stays below
//! `target/fuzz`, and is where the next run goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::{self, Process};
use crate::setup;
use crate::workspace::{Workspace, announce};

const PACKAGE: &str = "server/qmp/fuzz";

/// The targets, as in the package's manifest.
const TARGETS: &[&str] = &["framing", "message", "schema", "filter"];

/// Above this, a target counts as one that takes too much memory, in MiB.
const MEMORY: u32 = 2048;

/// Runs each target, or the named ones, for so many seconds.
///
/// # Errors
///
/// When something cannot be installed or built, there is no such target, or one
/// finds something; the file with that input is named.
pub(crate) fn run(workspace: &Workspace, seconds: u32, only: &[String]) -> anyhow::Result<()> {
    if let Some(unknown) = only.iter().find(|name| !TARGETS.contains(&name.as_str())) {
        bail!("there is no target {unknown}, only {}", TARGETS.join(", "));
    }
    let cargo_fuzz = provide(workspace)?;
    let mut found = Vec::new();
    for target in TARGETS {
        if !only.is_empty() && !only.iter().any(|name| name == target) {
            continue;
        }
        announce(&format!("Fuzzing {target} for {seconds} s"));
        let work = workspace.target().join("fuzz").join(target);
        if !fuzz(workspace, &cargo_fuzz, target, &work, seconds)? {
            found.push(format!("{target}: {}", work.join("artifacts").display()));
        }
    }
    if !found.is_empty() {
        bail!(
            "found something; the inputs are in\n  {}",
            found.join("\n  ")
        );
    }
    println!("Nothing found");
    Ok(())
}

/// Whether nothing was found.
fn fuzz(
    workspace: &Workspace,
    cargo_fuzz: &Path,
    target: &str,
    work: &Path,
    seconds: u32,
) -> anyhow::Result<bool> {
    let (corpus, artifacts) = (work.join("corpus"), work.join("artifacts"));
    for directory in [&corpus, &artifacts] {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    let package = workspace.path(PACKAGE);
    // The first directory is where new inputs go.
    let mut command = cargo_fuzz_command(workspace, cargo_fuzz);
    command
        .args(["fuzz", "run", "--fuzz-dir"])
        .arg(&package)
        .arg("--target-dir")
        .arg(workspace.target().join("fuzz/build"))
        .arg(target)
        .args([&corpus, &package.join("seeds").join(target)])
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-print_final_stats=1", "-verbosity=0"]);
    let dictionary = package.join("dictionaries").join(format!("{target}.txt"));
    command.arg(format!("-dict={}", dictionary.display()));
    let status = Process::start("cargo fuzz", &mut command)?.wait(workspace.cancel())?;
    Ok(status.success())
}

/// The instrumentation is not in stable Rust, whose compiler has it all the same.
fn cargo_fuzz_command(workspace: &Workspace, cargo_fuzz: &Path) -> Command {
    let mut command = workspace.command(cargo_fuzz);
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// cargo-fuzz: the user's own, or one below `target`.
fn provide(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if let Some(found) = setup::find("cargo-fuzz") {
        return Ok(found);
    }
    let root = workspace.target().join("tools");
    let own = root.join("bin/cargo-fuzz");
    if !own.is_file() {
        let shown = root.display();
        announce(&format!(
            "Missing: cargo-fuzz, installing it by cargo into {shown}"
        ));
        let mut install = workspace.cargo();
        install.args(["install", "--locked", "--quiet", "cargo-fuzz", "--root"]);
        install.arg(&root);
        process::run("cargo install cargo-fuzz", &mut install, workspace.cancel())?;
    }
    Ok(own)
}
