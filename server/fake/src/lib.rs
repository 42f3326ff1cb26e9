//! A fake QMP endpoint that does what its script says, for what a real QEMU
//! cannot be made to do: greet wrongly, answer late, break off half-way.
//!
//! ```text
//!  Script ──► Fake ──► listener ──► endpoint, one for each connection
//!                │                       │
//!                │◄──── received ────────┤
//!                └───── release ────────►│
//! ```
//!
//! [`script`] says what the endpoint does, [`Fake`] runs it on a unix socket, a
//! TCP port, or in memory, and `qmp-fake` is the same as a program. Nothing in
//! here knows a client: the client is tested against this, and must not be
//! tested against itself.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use qmp_fake::{Action, Fake, Script};
//! use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//!
//! let script = Script::default().on("query-name", [Action::error("GenericError", "no name")]);
//! let (fake, stream) = Fake::in_memory(script);
//! let mut stream = BufReader::new(stream);
//! let mut line = String::new();
//! stream.read_line(&mut line).await?;
//! assert!(line.starts_with("{\"QMP\":"));
//!
//! stream.write_all(br#"{"execute": "query-name", "id": 1.50}"#).await?;
//! line.clear();
//! stream.read_line(&mut line).await?;
//! assert_eq!(
//!     line,
//!     "{\"id\": 1.50, \"error\": {\"class\": \"GenericError\", \"desc\": \"no name\"}}\r\n"
//! );
//! assert_eq!(fake.received(1).await?[0].name, "query-name");
//! # Ok(())
//! # }
//! ```

mod endpoint;
mod listener;
pub mod script;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use endpoint::{Desk, serve};
use listener::{Bound, SocketFile};
pub use listener::{Listen, ListenError};
pub use script::{Action, Script};

/// How long [`Fake::received`] waits.
const DEADLINE: Duration = Duration::from_secs(10);

/// What each side of an in-memory connection holds of the other's bytes.
const IN_MEMORY: usize = 64 << 10;

/// A command that the endpoint has received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The command's name; empty where the input names none.
    pub name: String,
    /// What was received, verbatim.
    pub text: Box<RawValue>,
}

/// A running endpoint. Dropping it removes its socket and has its connections
/// closed; [`stop`](Self::stop) also waits for that.
#[must_use = "the endpoint stops when this is dropped"]
pub struct Fake {
    address: String,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
    /// Before the directory that it is in.
    _file: Option<SocketFile>,
    _directory: Option<TempDir>,
}

impl Fake {
    /// Runs a script on a unix socket in a directory of its own.
    ///
    /// # Errors
    ///
    /// The socket cannot be made.
    pub async fn start(script: Script) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("qmp-fake-").tempdir()?;
        let listen = Listen::Unix(directory.path().join("qmp.sock"));
        let mut fake = Self::listen(&listen, script).await?;
        fake._directory = Some(directory);
        Ok(fake)
    }

    /// Runs a script where it is told to. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The socket cannot be made, or is there already.
    pub async fn listen(listen: &Listen, script: Script) -> io::Result<Self> {
        let Bound {
            listener,
            address,
            file,
        } = listener::bind(listen, script.backlog).await?;
        let desk = Arc::new(Desk::default());
        let task = tokio::spawn(listener.run(script, Arc::clone(&desk)));
        Ok(Self {
            address,
            desk,
            task,
            _file: file,
            _directory: None,
        })
    }

    /// Runs a script on one connection without a socket, so that a test may
    /// stop the clock. Must be called within a runtime.
    pub fn in_memory(script: Script) -> (Self, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(IN_MEMORY);
        let desk = Arc::new(Desk::default());
        let task = tokio::spawn(serve(ours, Arc::new(script), Arc::clone(&desk)));
        let fake = Self {
            address: "in memory".to_owned(),
            desk,
            task,
            _file: None,
            _directory: None,
        };
        (fake, theirs)
    }

    /// Where it listens: `unix:PATH` or `tcp:HOST:PORT`; `in memory` where it
    /// does not.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The commands of all connections, in the order received, once there are
    /// this many; at least so many were then received, and maybe more. The
    /// first 65,536 are kept.
    ///
    /// # Errors
    ///
    /// After ten seconds. The error says which ones there are.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn received(&self, at_least: usize) -> io::Result<Vec<Received>> {
        let mut received = self.desk.received.subscribe();
        let enough = received.wait_for(|received| received.len() >= at_least);
        if let Ok(Ok(received)) = timeout(DEADLINE, enough).await {
            return Ok(received.clone());
        }
        let received = received.borrow();
        let names: Vec<_> = received.iter().map(|it| it.name.as_str()).collect();
        let error = format!("waited for {at_least} commands, received {names:?}");
        Err(io::Error::new(io::ErrorKind::TimedOut, error))
    }

    /// Lets one command of this name go on that [`Action::Hold`] holds, or is
    /// going to.
    pub fn release(&self, name: &str) {
        self.desk.release(name);
    }

    /// Stops, as dropping does, and waits until all connections are closed.
    pub async fn stop(mut self) {
        self.task.abort();
        // Cancelled, as it was told to be.
        let (Ok(()) | Err(_)) = (&mut self.task).await;
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
