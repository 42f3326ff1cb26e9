//! `cargo xtask test`: everything that must hold before a change lands.

use std::time::Instant;

use anyhow::Context;
use clap::ValueEnum;

use crate::npm;
use crate::process;
use crate::server;
use crate::setup;
use crate::web;
use crate::workspace::{Workspace, announce};

/// One kind of check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// rustfmt changes nothing
    Fmt,
    /// No lint, of the compiler's or clippy's
    Clippy,
    /// rustdoc without a warning
    Doc,
    /// The native tests and the examples in the docs
    Native,
    /// The front end as WebAssembly, and its size
    Web,
    /// The delivered binary in a real browser, against real QEMU
    Browser,
}

/// Runs these steps, or all of them when there are none, in the order in which
/// a mistake is found soonest. The first that fails ends it.
///
/// # Errors
///
/// When something cannot be installed, or a step fails.
pub(crate) fn run(workspace: &Workspace, only: &[Step]) -> anyhow::Result<()> {
    let all = Step::value_variants();
    let steps: Vec<Step> = all
        .iter()
        .copied()
        .filter(|step| only.is_empty() || only.contains(step))
        .collect();
    provide(workspace, &steps)?;
    let mut times = Vec::new();
    for step in steps {
        announce(&format!("Test: {}", step.name()));
        let start = Instant::now();
        step.run(workspace)
            .with_context(|| format!("the step {:?} failed", step.name()))?;
        times.push((step, start.elapsed()));
    }
    for (step, time) in times {
        println!("{:8} {:6.1} s", step.name(), time.as_secs_f64());
    }
    println!("All checks passed");
    Ok(())
}

/// Everything that the steps need is there before the first of them begins.
fn provide(workspace: &Workspace, steps: &[Step]) -> anyhow::Result<()> {
    let runs = |step| steps.contains(&step);
    if runs(Step::Web) || runs(Step::Browser) {
        setup::npm_is_there()?;
    }
    if runs(Step::Fmt) || runs(Step::Clippy) {
        setup::rust_components(workspace, &["rustfmt", "clippy"])?;
    }
    let mut needs = Vec::new();
    if runs(Step::Native) || runs(Step::Browser) {
        needs.extend_from_slice(setup::ENDPOINTS);
    }
    if runs(Step::Browser) {
        needs.extend_from_slice(setup::BROWSER);
    }
    setup::provide(workspace, &needs)
}

impl Step {
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self, workspace: &Workspace) -> anyhow::Result<()> {
        match self {
            Self::Fmt => cargo(workspace, "cargo fmt", &["fmt", "--all", "--check"]),
            Self::Clippy => cargo(
                workspace,
                "cargo clippy",
                &[
                    "clippy",
                    "--locked",
                    "--workspace",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ],
            ),
            Self::Doc => {
                let mut doc = workspace.cargo();
                doc.args(["doc", "--locked", "--workspace", "--no-deps"]);
                // The items of programs, which have no public ones.
                doc.arg("--document-private-items");
                doc.env("RUSTDOCFLAGS", "-D warnings");
                process::run("cargo doc", &mut doc, workspace.cancel())
            }
            Self::Native => native(workspace),
            Self::Web => web::build(workspace),
            Self::Browser => browser(workspace),
        }
    }
}

fn native(workspace: &Workspace) -> anyhow::Result<()> {
    if setup::find("cargo-nextest").is_none() {
        return cargo(
            workspace,
            "cargo test",
            &["test", "--locked", "--workspace"],
        );
    }
    cargo(
        workspace,
        "cargo nextest",
        &["nextest", "run", "--locked", "--workspace"],
    )?;
    // nextest does not run the examples in the docs.
    cargo(
        workspace,
        "cargo test --doc",
        &["test", "--locked", "--workspace", "--doc"],
    )
}

fn browser(workspace: &Workspace) -> anyhow::Result<()> {
    web::build(workspace)?;
    server::build(workspace)?;
    cargo(
        workspace,
        "the fake endpoint's build",
        &["build", "--locked", "--package", "qmp-fake"],
    )?;
    let programs = npm::install(workspace, "e2e")?.join(".bin");
    let tests = workspace.path("e2e");

    let mut types = workspace.command(programs.join("tsc"));
    types.arg("--noEmit").current_dir(&tests);
    process::run("tsc", &mut types, workspace.cancel())?;

    let chromium = setup::browser().context("chromium is missing")?;
    let mut playwright = workspace.command(programs.join("playwright"));
    playwright.arg("test").current_dir(&tests);
    playwright.env("CHROMIUM", chromium);
    process::run("playwright", &mut playwright, workspace.cancel())
}

fn cargo(workspace: &Workspace, name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(arguments);
    process::run(name, &mut cargo, workspace.cancel())
}
