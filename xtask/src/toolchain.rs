//! Which compiler can make wasm32.
//!
//! The toolchain that runs us, if it has the target or rustup can fetch it; else
//! the distribution's compiler for web programs, which comes with the standard
//! library's source and builds that too.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::process;
use crate::setup;
use crate::workspace::{Workspace, announce};

/// The compilation target of the front end.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// How long rustup may try. Without a network it fails at once, or hangs.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// A compiler that can make wasm32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The one that runs us.
    Active,
    /// `/usr/bin/rustc` of the package `rustc-web`.
    Distribution,
}

impl Toolchain {
    /// Finds one, and installs one where there is none.
    pub(crate) fn choose(workspace: &Workspace) -> anyhow::Result<Self> {
        if active_has_target(workspace)? {
            return Ok(Self::Active);
        }
        // Where rustup could not fetch the target once, it is not asked again at
        // every start.
        let memory = workspace.path("target/web/no-rustup-target");
        let known = memory.exists() && setup::are_met(setup::WASM_COMPILER);
        if !known {
            if rustup_adds_target(workspace)? {
                return Ok(Self::Active);
            }
            setup::provide(workspace, setup::WASM_COMPILER).with_context(|| {
                format!("neither rustup nor the distribution has a compiler for {TARGET}")
            })?;
            remember(&memory)?;
        }
        Ok(Self::Distribution)
    }

    /// The build of the front end, less its arguments that do not depend on the
    /// compiler.
    pub(crate) fn cargo_build(self, workspace: &Workspace) -> Command {
        match self {
            Self::Active => {
                let mut cargo = workspace.cargo();
                cargo.arg("build");
                cargo
            }
            Self::Distribution => {
                let mut cargo = workspace.command("/usr/bin/cargo");
                cargo
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env(
                        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
                        setup::WASM_LINKER,
                    )
                    .args(["build", "-Zbuild-std=std,panic_abort"]);
                cargo
            }
        }
    }

    /// For the table of what is done.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "the active toolchain",
            Self::Distribution => "/usr/bin/rustc",
        }
    }
}

fn active_has_target(workspace: &Workspace) -> anyhow::Result<bool> {
    let mut rustc = workspace.command(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
    let sysroot = process::output(rustc.args(["--print", "sysroot"]))?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    Ok(libraries.join("lib").is_dir())
}

fn rustup_adds_target(workspace: &Workspace) -> anyhow::Result<bool> {
    if setup::find("rustup").is_none() {
        return Ok(false);
    }
    announce(&format!("Installing by rustup: {TARGET}"));
    let mut rustup = workspace.command("rustup");
    rustup.args(["target", "add", TARGET]);
    let done = process::succeeds(&mut rustup, RUSTUP_LIMIT, workspace.cancel());
    workspace.cancel().check()?;
    if !done {
        eprintln!("rustup cannot; the distribution's compiler does it");
    }
    // Success alone is not trusted: rustup may serve another toolchain than the
    // one that runs us.
    Ok(done && active_has_target(workspace)?)
}

fn remember(memory: &Path) -> anyhow::Result<()> {
    if let Some(directory) = memory.parent() {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    fs::write(memory, "").with_context(|| memory.display().to_string())
}
