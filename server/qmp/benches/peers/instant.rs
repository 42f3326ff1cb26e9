//! An endpoint that answers at once, so that what is measured is the client.
//!
//! A thread for each connection reads, cuts commands by their braces and echoes
//! their ids; all that one read brought is answered by one write. `cont` is
//! followed by a burst of events, made beforehand.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use memchr::memmem;

const GREETING: &[u8] =
    b"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}, \
\"package\": \"\"}, \"capabilities\": []}}\r\n";

const STATUS: &[u8] = b"{\"status\": \"running\", \"singlestep\": false, \"running\": true}";

/// The events of a burst, in turn, as QEMU writes them.
const PAIR: &str = "{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 123456}, \
\"event\": \"DEVICE_TRAY_MOVED\", \"data\": {\"device\": \"cd0\", \"id\": \"/machine/cd0\", \"tray-open\": true}}\r\n\
{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 123457}, \
\"event\": \"JOB_STATUS_CHANGE\", \"data\": {\"status\": \"running\", \"id\": \"job0\"}}\r\n";

/// The name of every second event; the last one of a burst has it.
pub(crate) const WANTED: &str = "JOB_STATUS_CHANGE";

/// How many pairs are written at once.
const PAIRS: usize = 500;

/// A listening endpoint. Its threads last as long as the process.
pub(crate) struct Instant {
    path: PathBuf,
}

impl Instant {
    /// Listens at a path. A burst has so many events.
    pub(crate) fn start(path: &Path, events: usize) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        let pairs: Arc<[u8]> = PAIR.repeat(PAIRS).into_bytes().into();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = Connection {
                    stream,
                    pairs: Arc::clone(&pairs),
                    writes: events / (2 * PAIRS),
                };
                // A client that has left is no error.
                thread::spawn(move || drop(connection.serve()));
            }
        });
        let path = path.to_owned();
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

struct Connection {
    stream: UnixStream,
    pairs: Arc<[u8]>,
    /// How often all pairs are written for a burst.
    writes: usize,
}

impl Connection {
    fn serve(mut self) -> io::Result<()> {
        self.stream.write_all(GREETING)?;
        let mut input = vec![0; 64 << 10];
        let mut replies = Vec::with_capacity(64 << 10);
        let mut unfinished = 0;
        loop {
            let received = self.stream.read(&mut input[unfinished..])?;
            if received == 0 {
                return Ok(());
            }
            let filled = unfinished + received;
            let mut from = 0;
            let mut burst = false;
            while let Some(length) = command(&input[from..filled]) {
                let command = &input[from..from + length];
                burst |= memmem::find(command, b"\"cont\"").is_some();
                answer(command, &mut replies);
                from += length;
            }
            input.copy_within(from..filled, 0);
            unfinished = filled - from;
            self.stream.write_all(&replies)?;
            replies.clear();
            if burst {
                for _ in 0..self.writes {
                    self.stream.write_all(&self.pairs)?;
                }
            }
        }
    }
}

/// How long the first command is, if it is all there. No string in it may have
/// braces.
fn command(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for at in memchr::memchr2_iter(b'{', b'}', bytes) {
        match bytes[at] {
            b'{' => depth += 1,
            _ if depth == 1 => return Some(at + 1),
            _ => depth -= 1,
        }
    }
    None
}

fn answer(command: &[u8], replies: &mut Vec<u8>) {
    replies.extend_from_slice(b"{\"return\": ");
    match memmem::find(command, b"query-status") {
        Some(_) => replies.extend_from_slice(STATUS),
        None => replies.extend_from_slice(b"{}"),
    }
    if let Some(at) = memmem::find(command, b"\"id\":") {
        let id = &command[at + 5..];
        let end = memchr::memchr2(b',', b'}', id).unwrap_or(id.len());
        replies.extend_from_slice(b", \"id\": ");
        replies.extend_from_slice(&id[..end]);
    }
    replies.extend_from_slice(b"}\r\n");
}
