//! What the tasks need from the machine, and getting what is missing.
//!
//! Nothing is installed, and no package list updated, unless something is
//! missing; and what is to be installed is said before.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::{self, Process};
use crate::workspace::{Workspace, announce};

/// Something that must be on the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// Programs of which one is enough. None: the package itself.
    looked_for: &'static [&'static str],
    /// The Debian or Ubuntu package that has it.
    package: &'static str,
}

const fn need(looked_for: &'static [&'static str], package: &'static str) -> Need {
    Need {
        looked_for,
        package,
    }
}

/// A guest, a storage daemon, an agent.
pub(crate) const ENDPOINTS: &[Need] = &[
    need(&["qemu-system-x86_64"], "qemu-system-x86"),
    need(&["qemu-storage-daemon"], "qemu-system-common"),
    need(&["qemu-ga"], "qemu-guest-agent"),
    need(&["qemu-img"], "qemu-utils"),
];

/// The browser of the browser tests, by the names that it goes by.
pub(crate) const BROWSER: &[Need] = &[need(CHROMIUM, "chromium")];

const CHROMIUM: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The interpreter of a peer in the benchmark.
pub(crate) const PYTHON: &[Need] = &[need(&["python3"], "python3")];

/// What Debian's interpreter lacks by itself to make environments.
pub(crate) const PYTHON_ENVIRONMENTS: &[Need] = &[need(&[], "python3-venv")];

/// The linker for that compiler. What the linker of Debian 12's package `lld`
/// makes cannot be split into parts: it names data that is not there.
pub(crate) const WASM_LINKER: &str = "wasm-ld-22";

/// A compiler with what wasm32 needs, for where rustup has no network. Looked for
/// by package: another package's `/usr/bin/rustc` would be too old.
pub(crate) const WASM_COMPILER: &[Need] = &[
    need(&[], "rustc-web"),
    need(&[], "cargo-web"),
    need(&[], "libstd-rust-web-dev"),
    need(&[], "rust-web-src"),
    need(&[WASM_LINKER], "lld-22"),
];

/// Whether all of it is there.
pub(crate) fn are_met(needs: &[Need]) -> bool {
    needs.iter().all(Need::is_met)
}

/// Makes sure that all of it is there.
///
/// # Errors
///
/// When something cannot be installed, or there is no apt to do it.
pub(crate) fn provide(workspace: &Workspace, needs: &[Need]) -> anyhow::Result<()> {
    let mut tried = BTreeSet::new();
    loop {
        let missing: Vec<&Need> = needs.iter().filter(|need| !need.is_met()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if let Some(still) = missing.iter().find(|need| tried.contains(need.package)) {
            bail!(
                "{} is not there even with the package {}",
                still.name(),
                still.package
            );
        }
        let packages: BTreeSet<&str> = missing.iter().map(|need| need.package).collect();
        install(workspace, &missing, &packages)?;
        // A package may have taken the place of another one, which was made for
        // another release; what went with that is missing now.
        tried.extend(packages);
    }
}

fn install(
    workspace: &Workspace,
    missing: &[&Need],
    packages: &BTreeSet<&str>,
) -> anyhow::Result<()> {
    let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
    let names = names.join(", ");
    let packages: Vec<&str> = packages.iter().copied().collect();
    let list = packages.join(" ");
    if find("apt-get").is_none() {
        bail!(
            "missing: {names}. There is no apt-get here; on Debian and Ubuntu the packages are {list}"
        );
    }
    announce(&format!("Missing: {names}"));
    announce(&format!("Installing by apt-get: {list}"));
    apt_get(workspace, &["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&packages);
    apt_get(workspace, &install)
}

/// Runs apt-get, with sudo where we are not root.
///
/// A signal waits for its end: a package manager that is cut off leaves
/// packages half configured.
pub(crate) fn apt_get(workspace: &Workspace, arguments: &[&str]) -> anyhow::Result<()> {
    workspace.cancel().check()?;
    let settings = "DEBIAN_FRONTEND=noninteractive";
    let mut process = if rustix::process::geteuid().is_root() {
        let mut command = process::command("env");
        command
            .args([settings, "apt-get", "--quiet"])
            .args(arguments);
        Process::start("apt-get", &mut command)?
    } else {
        find("sudo").context("neither root nor sudo: install the packages named above by hand")?;
        let mut command = process::command("sudo");
        command
            .args(["env", settings, "apt-get", "--quiet"])
            .args(arguments);
        Process::start_interactive("apt-get", &mut command)?
    };
    let status = process.wait_uninterrupted()?;
    workspace.cancel().check()?;
    if !status.success() {
        bail!("apt-get {} failed ({status})", arguments.join(" "));
    }
    Ok(())
}

/// npm is required of the user, as Rust and git are: there are many ways to
/// install it, and which one is theirs to choose.
pub(crate) fn npm_is_there() -> anyhow::Result<()> {
    let Some(_) = find("npm") else {
        bail!("npm is missing: install Node.js 20 or newer, with npm")
    };
    Ok(())
}

/// Makes sure that the toolchain has rustfmt and clippy.
pub(crate) fn rust_components(workspace: &Workspace, names: &[&str]) -> anyhow::Result<()> {
    const LIMIT: Duration = Duration::from_secs(30);
    for name in names {
        // A missing component's proxy exists, and fails.
        let program = if *name == "rustfmt" { "fmt" } else { name };
        let mut probe = workspace.cargo();
        probe.args([program, "--version"]);
        if process::succeeds(&mut probe, LIMIT, workspace.cancel()) {
            continue;
        }
        workspace.cancel().check()?;
        announce(&format!("Installing by rustup: {name}"));
        let mut rustup = workspace.command("rustup");
        rustup.args(["component", "add", name]);
        process::run("rustup component add", &mut rustup, workspace.cancel())?;
    }
    Ok(())
}

/// The browser that the browser tests drive; `CHROMIUM` chooses another.
pub(crate) fn browser() -> Option<PathBuf> {
    match env::var_os("CHROMIUM") {
        Some(chosen) => Some(chosen.into()),
        None => CHROMIUM.iter().find_map(|name| find(name)),
    }
}

/// A command for a program that may be where ordinary users do not look.
pub(crate) fn program(name: &str) -> anyhow::Result<Command> {
    let path = find(name).with_context(|| format!("{name} is missing"))?;
    Ok(process::command(path))
}

/// Finds a program on `PATH` and in the system's own directories, which are not
/// on every user's `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(system)
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

impl Need {
    fn name(&self) -> &'static str {
        self.looked_for.first().unwrap_or(&self.package)
    }

    fn is_met(&self) -> bool {
        if self.looked_for.is_empty() {
            return is_installed(self.package);
        }
        self.looked_for.iter().any(|name| find(name).is_some())
    }
}

fn is_installed(package: &str) -> bool {
    let mut query = process::command("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}\n", package]);
    process::output(&mut query).is_ok_and(|status| status.lines().any(|line| line == "installed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_programs_meets_a_need() {
        assert!(need(&["sh"], "dash").is_met());
        assert!(need(&["no-such-program", "sh"], "dash").is_met());
        assert!(!need(&["no-such-program"], "none").is_met());
    }

    #[test]
    fn a_directory_or_a_plain_file_is_not_a_program() {
        assert!(!is_executable(Path::new("/tmp")));
        assert!(!is_executable(Path::new("/proc/self/status")));
    }
}
