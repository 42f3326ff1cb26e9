//! Child processes that end when we do.
//!
//! Every child leads a process group of its own, and is ended as a group: asked
//! first, killed after a while. What left its group (a browser does) becomes our
//! child when its parent dies, and is ended by [`end_orphans`]. No child gets
//! the console's token unless it is the console.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::cancel::{self, Cancel};

/// The variable that holds the console's token.
pub(crate) const TOKEN_VARIABLE: &str = "QMP_CONSOLE_TOKEN";

/// How long a child may take to end when asked to.
const GRACE: Duration = Duration::from_secs(5);

/// A command whose standard input is empty and that knows no token.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env_remove(TOKEN_VARIABLE);
    // `cargo run` puts its own compiler's libraries there; another compiler
    // must not find them.
    command.env_remove("LD_LIBRARY_PATH");
    command
}

/// A running child and all that it started. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    /// `None` for a child that shares our group, and so our terminal.
    group: Option<Pid>,
    log: Option<PathBuf>,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a command in a process group of its own. `name` is for messages.
    pub(crate) fn start(name: impl Into<String>, command: &mut Command) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt;
        Self::spawn(name.into(), command.process_group(0), true)
    }

    /// Starts a command that may ask its user something on the terminal.
    pub(crate) fn start_interactive(
        name: impl Into<String>,
        command: &mut Command,
    ) -> anyhow::Result<Self> {
        Self::spawn(name.into(), command.stdin(Stdio::inherit()), false)
    }

    /// Starts a command whose output goes to a file, which is kept where it is
    /// and quoted by [`Self::log_tail`].
    pub(crate) fn start_logged(
        name: impl Into<String>,
        command: &mut Command,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let file = fs::File::create(&log).with_context(|| log.display().to_string())?;
        let both = file.try_clone().context("a log file's second handle")?;
        let mut process = Self::start(name, command.stdout(file).stderr(both))?;
        process.log = Some(log);
        Ok(process)
    }

    fn spawn(name: String, command: &mut Command, leads: bool) -> anyhow::Result<Self> {
        let program = command.get_program().to_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", program.display()))?;
        let group = leads.then(|| Pid::from_child(&child));
        Ok(Self {
            name,
            child,
            group,
            log: None,
            ended: None,
        })
    }

    /// How it ended, if it has. What it left in its group is killed by then.
    pub(crate) fn exited(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let pid = Pid::from_child(&self.child);
        // Leaves it unreaped, so that its group's number cannot be another's.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let seen = retry(|| rustix::process::waitid(WaitId::Pid(pid), look));
        if seen
            .with_context(|| format!("waiting for {}", self.name))?
            .is_none()
        {
            return Ok(None);
        }
        self.signal_group(Signal::KILL);
        let status = self.child.wait();
        self.ended = Some(status.with_context(|| format!("waiting for {}", self.name))?);
        Ok(self.ended)
    }

    /// # Errors
    ///
    /// When it has ended, which it should not have; with the end of its log.
    pub(crate) fn must_run(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.exited()? {
            bail!("{} has ended ({status}){}", self.name, self.log_tail());
        }
        Ok(())
    }

    /// Waits for its end, as long as it takes.
    pub(crate) fn wait(&mut self, cancel: &Cancel) -> anyhow::Result<ExitStatus> {
        let status = cancel.wait_for(None, || self.exited())?;
        status.with_context(|| format!("{} has not ended", self.name))
    }

    /// Waits for its end, whatever we are asked meanwhile.
    pub(crate) fn wait_uninterrupted(&mut self) -> anyhow::Result<ExitStatus> {
        loop {
            match self.exited()? {
                Some(status) => return Ok(status),
                None => cancel::tick(),
            }
        }
    }

    /// Waits for its end, which must be a success.
    pub(crate) fn succeed(mut self, cancel: &Cancel) -> anyhow::Result<()> {
        let status = self.wait(cancel)?;
        if !status.success() {
            bail!("{} failed ({status})", self.name);
        }
        Ok(())
    }

    /// The last lines of its log, for an error's text.
    pub(crate) fn log_tail(&self) -> String {
        const LINES: usize = 15;
        let Some(log) = &self.log else {
            return String::new();
        };
        let text = match fs::read(log) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => return format!("\n  (its log cannot be read: {error})"),
        };
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        if last.is_empty() {
            return "\n  (it said nothing)".into();
        }
        last.iter().map(|line| format!("\n  | {line}")).collect()
    }

    /// Ends it and its group; returns when they are gone.
    pub(crate) fn end(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.signal_group(Signal::TERM);
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            match self.exited() {
                Ok(Some(_)) => return,
                Ok(None) => cancel::tick(),
                Err(error) => {
                    eprintln!("warning: {error:#}");
                    break;
                }
            }
        }
        self.signal_group(Signal::KILL);
        match self.child.wait() {
            Ok(status) => self.ended = Some(status),
            Err(error) => eprintln!("warning: {} cannot be ended: {error}", self.name),
        }
    }

    fn signal_group(&self, signal: Signal) {
        let sent = match self.group {
            Some(group) => rustix::process::kill_process_group(group, signal),
            None => rustix::process::kill_process(Pid::from_child(&self.child), signal),
        };
        match sent {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => eprintln!("warning: {} cannot be signalled: {error}", self.name),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a command to its successful end; its output is ours.
pub(crate) fn run(name: &str, command: &mut Command, cancel: &Cancel) -> anyhow::Result<()> {
    Process::start(name, command)?.succeed(cancel)
}

/// Runs a command quietly; whether it succeeded. One that takes longer than
/// `limit` is ended, and did not.
pub(crate) fn succeeds(command: &mut Command, limit: Duration, cancel: &Cancel) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut process) = Process::start("a probe", command) else {
        return false;
    };
    let ended = cancel.wait_for(Some(Instant::now() + limit), || process.exited());
    matches!(ended, Ok(Some(status)) if status.success())
}

/// What a short command prints; it must succeed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| shown.clone())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{shown} failed ({}): {}", output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| shown)
}

/// From now on, processes whose parents died become our children.
pub(crate) fn adopt_orphans() -> anyhow::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .context("cannot become the parent of orphaned processes")
}

/// Kills what is left of all that our children started.
///
/// Called last, when every [`Process`] is gone: who is our child now, is so only
/// by [adoption](adopt_orphans).
pub(crate) fn end_orphans() {
    let deadline = Instant::now() + GRACE;
    // Killing one may make its children ours, hence until none is left.
    while Instant::now() < deadline {
        for pid in children() {
            // A failure means that it ended by itself.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        let reap = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match retry(|| rustix::process::waitid(WaitId::All, reap)) {
            Ok(Some(_)) => {}
            Ok(None) => cancel::tick(),
            Err(Errno::CHILD) => return,
            Err(error) => return eprintln!("warning: orphaned processes: {error}"),
        }
    }
    eprintln!("warning: there are processes that cannot be ended");
}

/// Our children, from `/proc`.
fn children() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| parent(&stat) == Some(own))
    })
    .filter_map(Pid::from_raw)
    .collect()
}

/// The parent in a line of `/proc/PID/stat`: `PID (NAME) STATE PARENT ...`.
fn parent(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
