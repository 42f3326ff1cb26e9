//! A server that does nothing but send each event of an endpoint to whoever is
//! connected: what `tokio-tungstenite` and the runtime cost.
//!
//! In a process of its own, as the console is, with the same runtime. A frame is
//! the console's, to the byte, and is made once; each socket has a cursor in a
//! log of them, and sends what is there at once, up to as many as the console
//! does.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::SinkExt;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::Result;
use crate::process::Guard;
use crate::receivers::PREFIX;

/// Tells this program to be that server, of the endpoint that follows.
pub(crate) const OPTION: &str = "--broadcast";

/// Most frames that are sent at once.
const BATCH: usize = 256;

/// Most frames that are kept.
const KEPT: usize = 50_000;

/// A running one.
pub(crate) struct Broadcast {
    pub(crate) process: Guard,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
}

impl Broadcast {
    pub(crate) fn start(endpoint: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let command = command.arg(OPTION).arg(endpoint);
        let (process, line) = Guard::listening(command)?;
        let host = line.trim_end().to_owned();
        Ok(Self { process, host })
    }
}

struct Shared {
    log: Mutex<Log>,
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct Log {
    frames: VecDeque<Utf8Bytes>,
    newest: u64,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, event: &str) {
        let received = Timestamp::now();
        let mut log = self.log();
        log.newest += 1;
        let newest = log.newest;
        let frame = format!("{PREFIX}{newest},\"received\":\"{received:.6}\",\"event\":{event}}}");
        log.frames.push_back(frame.into());
        if log.frames.len() > KEPT {
            log.frames.pop_front();
        }
        drop(log);
        self.newest.send_replace(newest);
    }

    /// The frames after a number.
    fn after(&self, seen: u64) -> Vec<Utf8Bytes> {
        let log = self.log();
        let first = log.newest + 1 - log.frames.len() as u64;
        let skip = usize::try_from((seen + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        log.frames.iter().skip(skip).take(BATCH).cloned().collect()
    }
}

/// Serves until it is killed.
pub(crate) fn serve(endpoint: &Path) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(endpoint))
}

async fn run(endpoint: &Path) -> Result<()> {
    let shared = Arc::new(Shared {
        log: Mutex::default(),
        newest: watch::Sender::new(0),
    });
    let endpoint = UnixStream::connect(endpoint).await?;
    let mut endpoint = BufReader::with_capacity(64 << 10, endpoint);
    // The greeting: it is there, and we are the one that is sent to.
    endpoint.read_line(&mut String::new()).await?;
    let reading = Arc::clone(&shared);
    tokio::spawn(async move {
        let mut lines = endpoint.lines();
        while let Ok(Some(line)) = lines.next_line().await {
            reading.append(&line);
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?)?;
    stdout.flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A receiver that has left is no error.
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { drop(send(stream, &shared).await) });
    }
}

async fn send(stream: TcpStream, shared: &Shared) -> Result<()> {
    // Before the answer, after which events may come.
    let mut newest = shared.newest.subscribe();
    let mut seen = *newest.borrow_and_update();
    let mut socket = accept_async(stream).await?;
    loop {
        newest.changed().await?;
        loop {
            let frames = shared.after(seen);
            if frames.is_empty() {
                break;
            }
            seen += frames.len() as u64;
            for frame in frames {
                socket.feed(Message::Text(frame)).await?;
            }
            socket.flush().await?;
        }
    }
}
