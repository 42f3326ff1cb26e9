//! Programs that end with this one: QEMU, and the interpreter of a peer.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::workload::Workload;
use crate::{Contender, Result, Sockets};

/// How long QEMU may take to listen.
const STARTUP: Duration = Duration::from_secs(30);

/// Ends its process when dropped.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let (Ok(()) | Err(_)) = self.0.kill();
        let (Ok(_) | Err(_)) = self.0.wait();
    }
}

/// QEMU without a machine, and with a monitor for each contender.
pub(crate) struct Qemu {
    _guard: Guard,
    directory: PathBuf,
}

impl Qemu {
    pub(crate) fn start(directory: &Path, contenders: &[&str]) -> Result<Self> {
        let directory = directory.to_owned();
        let mut command = Command::new("qemu-system-x86_64");
        command.args(["-machine", "none", "-nodefaults", "-display", "none"]);
        for name in contenders {
            let path = socket(&directory, name);
            let monitor = format!("unix:{},server=on,wait=off", path.display());
            command.args(["-qmp", &monitor]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn();
        let mut guard = Guard(child.map_err(|error| format!("qemu-system-x86_64: {error}"))?);
        let deadline = Instant::now() + STARTUP;
        for name in contenders {
            while UnixStream::connect(socket(&directory, name)).is_err() {
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
            directory,
        })
    }

    /// The monitor of a contender.
    pub(crate) fn socket(&self, contender: &str) -> PathBuf {
        socket(&self.directory, contender)
    }
}

fn socket(directory: &Path, contender: &str) -> PathBuf {
    directory.join(format!("{contender}.qmp"))
}

/// The Python library `qemu.qmp`, in an interpreter that does what it is told by
/// lines, and measures by itself how long that took.
pub(crate) struct QemuQmp {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _guard: Guard,
}

impl QemuQmp {
    pub(crate) fn start(python: &Path, sockets: &Sockets) -> Result<Self> {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/benches/peers/qemu_qmp_peer.py"
        );
        let mut command = Command::new(python);
        command
            .args([script.as_ref(), &*sockets.qemu, &*sockets.instant])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let child = command.spawn();
        let mut guard = Guard(child.map_err(|error| format!("{}: {error}", python.display()))?);
        let (input, output) = (guard.0.stdin.take(), guard.0.stdout.take());
        Ok(Self {
            input: input.ok_or("no pipe")?,
            output: BufReader::new(output.ok_or("no pipe")?),
            _guard: guard,
        })
    }
}

impl Contender for QemuQmp {
    fn run(&mut self, workload: Workload, times: usize) -> Result<Option<Duration>> {
        writeln!(self.input, "{} {times}", workload.name())?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let answer: serde_json::Value =
            serde_json::from_str(&line).map_err(|_| "the interpreter has failed")?;
        let seconds = answer["seconds"].as_f64().ok_or("no seconds")?;
        Ok(Some(Duration::try_from_secs_f64(seconds)?))
    }
}
