//! One endpoint of the demo: a process with a QMP socket.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::cancel::Cancel;
use crate::process::{self, Process};
use crate::setup;

/// How long a part may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How a part is started, and the part while it runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Part {
    /// The session's name in the console.
    session: &'static str,
    /// Where the part listens.
    socket: PathBuf,
    /// What follows the socket in the session's address.
    options: &'static str,
    log: PathBuf,
    program: &'static str,
    command: Box<dyn Recipe>,
    process: Option<Process>,
}

/// Adds arguments and the like; called for each start anew.
pub(super) trait Recipe: std::fmt::Debug {
    /// Completes the command, which so far has a program only.
    fn complete(&self, command: &mut Command, socket: &Path);
}

impl Part {
    /// A part that is not started yet; its files are `SESSION.*` in `directory`.
    pub(super) fn new(
        session: &'static str,
        program: &'static str,
        directory: &Path,
        options: &'static str,
        recipe: impl Recipe + 'static,
    ) -> Self {
        Self {
            session,
            socket: directory.join(format!("{session}.sock")),
            options,
            log: directory.join(format!("{session}.log")),
            program,
            command: Box::new(recipe),
            process: None,
        }
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &'static str {
        self.program
    }

    /// For `qmp-console serve --session`.
    pub(super) fn argument(&self) -> String {
        // A comma in a path is doubled; there is none in ours.
        let socket = self.socket.display();
        format!("{}=unix:{socket}{}", self.session, self.options)
    }

    /// Starts it, whether for the first time or again.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let mut command = setup::program(self.program)?;
        self.command.complete(&mut command, &self.socket);
        let process = Process::start_logged(self.program, &mut command, self.log.clone())?;
        self.process = Some(process);
        Ok(())
    }

    /// Waits until it listens. Looks without connecting: a monitor serves one
    /// client, and that is the console.
    pub(super) fn wait_until_listening(&mut self, cancel: &Cancel) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        let listening = cancel.wait_for(Some(deadline), || {
            if let Some(process) = &mut self.process {
                process.must_run()?;
            }
            let table = fs::read_to_string("/proc/net/unix").context("/proc/net/unix")?;
            Ok(has_listener(&table, &self.socket).then_some(()))
        })?;
        if listening.is_none() {
            let tail = self.process.as_ref().map(Process::log_tail);
            bail!(
                "{} does not listen after {} s{}",
                self.program,
                START_LIMIT.as_secs(),
                tail.unwrap_or_default()
            );
        }
        Ok(())
    }

    /// Whether it has ended without an error.
    ///
    /// # Errors
    ///
    /// When it has ended with one.
    pub(super) fn has_quit(&mut self) -> anyhow::Result<bool> {
        let Some(process) = &mut self.process else {
            return Ok(false);
        };
        match process.exited()? {
            Some(status) if status.success() => Ok(true),
            _ => process.must_run().map(|()| false),
        }
    }
}

/// Whether somebody listens on a path, by the text of `/proc/net/unix`.
fn has_listener(table: &str, path: &Path) -> bool {
    /// The kernel's mark of a socket that accepts connections.
    const ACCEPTS: u32 = 0x10000;
    table.lines().any(|line| {
        // Num RefCount Protocol Flags Type St Inode Path
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(7).map(OsStr::new) == Some(path.as_os_str())
            && u32::from_str_radix(fields[3], 16).is_ok_and(|flags| flags & ACCEPTS != 0)
    })
}

/// Makes an empty qcow2 image.
pub(super) fn create_image(path: &Path, size: &str) -> anyhow::Result<()> {
    let mut command = setup::program("qemu-img")?;
    command.args(["create", "-q", "-f", "qcow2"]);
    process::output(command.arg(path).arg(size)).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_listener_is_seen_and_a_mere_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sock");
        let sees = || has_listener(&fs::read_to_string("/proc/net/unix").unwrap(), &path);
        assert!(!sees());
        let listener = UnixListener::bind(&path).unwrap();
        assert!(sees());
        let client = UnixStream::connect(&path).unwrap();
        let (server, _) = listener.accept().unwrap();
        drop(listener);
        // An accepted connection has its listener's path.
        assert!(!sees() && path.exists());
        drop((client, server));
    }
}
