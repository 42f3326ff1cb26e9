//! `cargo xtask fuzz`: what reads hostile input, on all the input that libFuzzer
//! comes up with.
//!
//! The targets are the package `server/qmp/fuzz`, with the inputs that they
//! begin with and the words that these are made of. cargo-fuzz builds them; they
//! run without it, as it would write into the package. What is generated stays
//! below `target/fuzz`, and is where the next run goes on.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::process::{self, Process};
use crate::setup;
use crate::workspace::{Workspace, announce};

const PACKAGE: &str = "server/qmp/fuzz";

/// Above this, a target takes too much memory, in MiB.
const MEMORY: u32 = 2048;

/// Above this, an input takes too long, in seconds.
const TIMEOUT: u32 = 20;

/// A binary of the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Values out of a stream of bytes
    Framing,
    /// Messages, and JSON as text
    Message,
    /// Schemas and their forms
    Schema,
    /// Event filters and their expressions
    Filter,
}

/// How a target's run has ended.
struct Run {
    target: Target,
    status: ExitStatus,
    log: PathBuf,
    said: Said,
}

/// What a target says of its run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    executions: Option<u64>,
    /// The file with the input that it failed on.
    reproducer: Option<String>,
}

/// Runs these targets, or all of them when there are none, each for so many
/// seconds or until it finds something.
///
/// # Errors
///
/// When something cannot be installed or built, or a target finds something:
/// then with the files that hold the inputs.
pub(crate) fn run(workspace: &Workspace, seconds: u32, only: &[Target]) -> anyhow::Result<()> {
    let binaries = build(workspace)?;
    let mut runs = Vec::new();
    for target in Target::value_variants() {
        if only.is_empty() || only.contains(target) {
            announce(&format!("Fuzzing {} for {seconds} s", target.name()));
            runs.push(fuzz(workspace, &binaries, *target, seconds)?);
        }
    }
    println!("{:8} {:>12} exit", "target", "executions");
    for run in &runs {
        let executions = run.said.executions;
        let executions = executions.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let code = run.status.code();
        let exit = code.map_or_else(|| run.status.to_string(), |code| code.to_string());
        println!("{:8} {executions:>12} {exit}", run.target.name());
    }
    let failed = runs.iter().filter(|run| !run.status.success());
    let findings: Vec<String> = failed.map(|run| run.finding(&binaries)).collect();
    if !findings.is_empty() {
        bail!("fuzzing found something{}", findings.concat());
    }
    Ok(())
}

/// Builds all targets; returns the directory that they are in.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let cargo_fuzz = provide(workspace)?;
    let host = host(workspace)?;
    let directory = workspace.path("target/fuzz/build");
    announce("Building the fuzz targets");
    let mut build = workspace.command(cargo_fuzz);
    // The instrumentation is there in a stable compiler too, but not stable. The
    // sanitizers would look for faults that code without `unsafe` has not.
    build
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["fuzz", "build", "--sanitizer", "none", "--target", &host])
        .arg("--fuzz-dir")
        .arg(workspace.path(PACKAGE))
        .arg("--target-dir")
        .arg(&directory);
    process::run("the fuzz targets' build", &mut build, workspace.cancel())?;
    Ok(directory.join(host).join("release"))
}

/// cargo-fuzz: the user's own, or one below `target`.
fn provide(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if env::var_os("CXX").is_none() && setup::find("c++").is_none() {
        bail!(
            "libFuzzer is C++, and there is no compiler for it: on Debian and Ubuntu the package is g++"
        );
    }
    if let Some(found) = setup::find("cargo-fuzz") {
        return Ok(found);
    }
    let root = workspace.path("target/tools");
    let own = root.join("bin/cargo-fuzz");
    if !own.is_file() {
        announce("Missing: cargo-fuzz");
        announce("Installing by cargo, into target/tools: cargo-fuzz");
        let mut install = workspace.cargo();
        install.args(["install", "cargo-fuzz", "--locked", "--root"]);
        install.arg(&root);
        process::run("cargo install", &mut install, workspace.cancel())?;
    }
    Ok(own)
}

/// What the compiler calls this machine.
fn host(workspace: &Workspace) -> anyhow::Result<String> {
    let mut rustc = workspace.command(env::var_os("RUSTC").unwrap_or("rustc".into()));
    let version = process::output(rustc.arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}

fn fuzz(
    workspace: &Workspace,
    binaries: &Path,
    target: Target,
    seconds: u32,
) -> anyhow::Result<Run> {
    let name = target.name();
    let work = workspace.path("target/fuzz").join(&name);
    let (corpus, artifacts) = (work.join("corpus"), work.join("artifacts"));
    for directory in [&corpus, &artifacts] {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    let package = workspace.path(PACKAGE);
    let words = package.join(format!("dictionaries/{name}.txt"));
    let mut command = workspace.command(binaries.join(&name));
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-timeout={TIMEOUT}"))
        .arg(format!("-dict={}", words.display()))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        // New inputs go into the first one.
        .args([corpus, package.join("seeds").join(&name)]);
    let log = work.join("log.txt");
    let mut process = Process::start_logged(name, &mut command, log.clone())?;
    let status = process.wait(workspace.cancel())?;
    // It quotes input, which need not be text.
    let text = fs::read(&log).with_context(|| log.display().to_string())?;
    let said = Said::read(&String::from_utf8_lossy(&text));
    Ok(Run {
        target,
        status,
        log,
        said,
    })
}

impl Target {
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl Run {
    /// What to do with what it found.
    fn finding(&self, binaries: &Path) -> String {
        let name = self.target.name();
        let log = self.log.display();
        match &self.said.reproducer {
            Some(input) => {
                let binary = binaries.join(&name);
                format!("\n  {name}: {} {input}\n  its log: {log}", binary.display())
            }
            None => format!("\n  {name}: no input was written; its log: {log}"),
        }
    }
}

impl Said {
    fn read(log: &str) -> Self {
        let after = |what: &str| {
            let found = log.lines().rev().find_map(|line| line.split_once(what));
            found.map(|(_, after)| after.trim())
        };
        Self {
            executions: after("stat::number_of_executed_units:").and_then(|n| n.parse().ok()),
            reproducer: after("Test unit written to ").map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_executions_and_reproducer() {
        let log = "#8\tDONE\nDone 8 runs in 2 second(s)\nstat::number_of_executed_units: 8\n\
                   stat::peak_rss_mb:              34\n";
        let executions = Some(8);
        let reproducer = None;
        let expected = Said {
            executions,
            reproducer,
        };
        assert_eq!(Said::read(log), expected);
        let log = "panicked\nartifact_prefix='a/'; Test unit written to a/crash-1f\nBase64: Cg==\n";
        let reproducer = Some("a/crash-1f".to_owned());
        let executions = None;
        let expected = Said {
            executions,
            reproducer,
        };
        assert_eq!(Said::read(log), expected);
    }
}
