//! Programs that end with this one, and what the system knows of them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Result;

/// How long a program may take to listen.
const STARTUP: Duration = Duration::from_secs(60);

/// Ends its process when dropped.
pub(crate) struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let (Ok(()) | Err(_)) = self.0.kill();
        let (Ok(_) | Err(_)) = self.0.wait();
    }
}

impl Guard {
    /// Starts a program that says in a line on stdout where it listens.
    pub(crate) fn listening(command: &mut Command) -> Result<(Self, String)> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut guard = Self(command.spawn()?);
        let stdout = guard.0.stdout.take().ok_or("no pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        Ok((guard, line))
    }

    /// Processor time of all its threads that run, in nanoseconds.
    pub(crate) fn busy(&self) -> Result<f64> {
        let mut sum = 0.0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            // A thread may have ended meanwhile.
            let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let first = text.split(' ').next().unwrap_or_default();
            sum += first.parse::<f64>().unwrap_or_default();
        }
        Ok(sum)
    }

    /// Resident memory in KiB (proc(5), `VmRSS`).
    pub(crate) fn resident(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(number.ok_or("no VmRSS")?.parse()?)
    }
}

/// QEMU without a machine, and with some monitors.
pub(crate) struct Qemu {
    _guard: Guard,
    directory: PathBuf,
}

impl Qemu {
    pub(crate) fn start(directory: &Path, monitors: &[&str]) -> Result<Self> {
        let mut command = Command::new("qemu-system-x86_64");
        command.args(["-machine", "none", "-nodefaults", "-display", "none"]);
        for name in monitors {
            let path = socket(directory, name);
            command.arg("-qmp");
            command.arg(format!("unix:{},server=on,wait=off", path.display()));
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut guard = Guard(child.map_err(|error| format!("qemu-system-x86_64: {error}"))?);
        let deadline = Instant::now() + STARTUP;
        for name in monitors {
            while UnixStream::connect(socket(directory, name)).is_err() {
                if let Some(status) = guard.0.try_wait()? {
                    return Err(format!("QEMU has ended: {status}").into());
                }
                if Instant::now() > deadline {
                    return Err("QEMU does not listen".into());
                }
                sleep(Duration::from_millis(20));
            }
        }
        Ok(Self {
            _guard: guard,
            directory: directory.to_owned(),
        })
    }

    pub(crate) fn monitor(&self, name: &str) -> PathBuf {
        socket(&self.directory, name)
    }
}

fn socket(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.qmp"))
}

/// As many descriptors as may be, here and in what is started from here.
pub(crate) fn allow_descriptors() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum })?;
    Ok(())
}
