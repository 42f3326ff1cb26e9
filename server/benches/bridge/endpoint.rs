//! An endpoint that answers at once and sends events when told to, so that what
//! is measured is the console.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

const GREETING: &[u8] =
    b"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}, \
\"package\": \"\"}, \"capabilities\": []}}\r\n";

const STATUS: &str = "{\"status\": \"running\", \"singlestep\": false, \"running\": true}";

/// An event as QEMU writes it.
pub(crate) const EVENT: &str = "{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 123456}, \
\"event\": \"DEVICE_TRAY_MOVED\", \"data\": {\"device\": \"cd0\", \"id\": \"/machine/cd0\", \"tray-open\": true}}\r\n";

/// How many events are written at once where they are not paced.
const CHUNK: usize = 1000;

/// How often those are written that are due.
const PACE: Duration = Duration::from_millis(1);

/// A listening endpoint. Its threads last as long as their connections.
pub(crate) struct Endpoint {
    path: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The connection that was made last, to write to.
    latest: Mutex<Option<UnixStream>>,
    /// How many commands but `qmp_capabilities` were answered.
    answered: AtomicUsize,
}

impl Shared {
    /// Held while something is written, so that it is written whole.
    fn latest(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint {
    pub(crate) fn start(path: &Path) -> Result<Self> {
        let listener = UnixListener::bind(path)?;
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                let shared = Arc::clone(&accepting);
                let thread = thread::Builder::new().stack_size(64 << 10);
                // A console that has left is no error.
                drop(thread.spawn(move || drop(serve(stream, &shared))));
            }
        });
        let path = path.to_owned();
        Ok(Self { path, shared })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many commands were answered since the last time.
    pub(crate) fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Sends events on the latest connection: so many in a second, or as fast
    /// as they are read.
    pub(crate) fn flood(&self, events: usize, per_second: Option<usize>) -> Result<()> {
        let chunk = EVENT.repeat(CHUNK);
        let start = Instant::now();
        let mut sent = 0;
        while sent < events {
            let due = match per_second {
                Some(rate) => (start.elapsed().as_secs_f64() * rate as f64) as usize,
                None => events,
            };
            let now = due.min(events).saturating_sub(sent).min(CHUNK);
            if let Some(stream) = &mut *self.shared.latest() {
                stream.write_all(&chunk.as_bytes()[..now * EVENT.len()])?;
            }
            sent += now;
            if per_second.is_some() && now < CHUNK {
                thread::sleep(PACE);
            }
        }
        Ok(())
    }
}

fn serve(mut stream: UnixStream, shared: &Shared) -> io::Result<()> {
    stream.write_all(GREETING)?;
    *shared.latest() = Some(stream.try_clone()?);
    let mut input = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let received = stream.read(&mut buffer)?;
        if received == 0 {
            return Ok(());
        }
        input.extend_from_slice(&buffer[..received]);
        while let Some(length) = command(&input) {
            let command = String::from_utf8_lossy(&input[..length]);
            let counts = usize::from(!command.contains("qmp_capabilities"));
            let answer = answer(&command);
            let _whole = shared.latest();
            stream.write_all(answer.as_bytes())?;
            shared.answered.fetch_add(counts, Ordering::Relaxed);
            input.drain(..length);
        }
    }
}

/// How long the first command is, if it is all there. No string in it may have
/// braces.
fn command(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at + 1),
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn answer(command: &str) -> String {
    let value = match command.contains("\"query-status\"") {
        true => STATUS,
        false => "{}",
    };
    let id = command.split_once("\"id\":").map_or("", |(_, rest)| rest);
    let id = id.split([',', '}']).next().unwrap_or_default();
    match id {
        "" => format!("{{\"return\": {value}}}\r\n"),
        id => format!("{{\"return\": {value}, \"id\": {id}}}\r\n"),
    }
}
