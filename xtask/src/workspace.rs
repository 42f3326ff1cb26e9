//! Where things are, and the compiler that runs us.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::cancel::Cancel;
use crate::process;

/// The checkout, and what every task needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    cancel: Cancel,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(crate) fn locate(cancel: Cancel) -> anyhow::Result<Self> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = own.parent().context("xtask has no parent directory")?;
        let root = root.to_owned();
        anyhow::ensure!(
            root.join("Cargo.toml").is_file(),
            "{} is not there any more: cargo xtask was built elsewhere",
            root.display()
        );
        Ok(Self { root, cancel })
    }

    /// Whether we were asked to stop.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// A path in the checkout.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// What was built and what was fetched.
    pub(crate) fn target(&self) -> PathBuf {
        self.path("target")
    }

    /// The front end as the server embeds it.
    pub(crate) fn front_end(&self) -> PathBuf {
        self.path("target/web/dist")
    }

    /// The one binary.
    pub(crate) fn server_binary(&self) -> PathBuf {
        self.path("target/release/qmp-console")
    }

    /// A command in the workspace's root.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = process::command(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that runs us, in the workspace's root.
    pub(crate) fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
    }
}

/// Prints what is about to be done.
pub(crate) fn announce(what: &str) {
    use std::io::IsTerminal;
    if std::io::stderr().is_terminal() {
        eprintln!("\x1b[1m==> {what}\x1b[0m");
    } else {
        eprintln!("==> {what}");
    }
}
