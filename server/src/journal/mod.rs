//! What is kept: the events of each session, and the audit.
//!
//! ```text
//!  reader task ─ append ─► Log: ring of recent entries ─┐
//!                                                       │ writer thread, in batches
//!  access ─ record ─► pending records ──────────────────┴──────────► SQLite (WAL)
//!                                                                       │
//!  cursors ◄─ recent: ring ◄─ older: reader connections ────────────────┘
//! ```
//!
//! A [`Log`] takes events at once and never waits for the disk; the one writer
//! thread follows it as a cursor, as every other reader does. While the disk is
//! full or gone, from the beginning or later, the console goes on from memory and
//! says so ([`Journal::fault`]); what waits for the disk is counted, and what the
//! ring lets go of meanwhile.
//!
//! Sequence numbers are handed out from a block whose upper bound is in SQLite
//! before the first of them is used; after a crash a log continues above it.
//! Nothing in here knows sessions' connections, filters or transports.

mod audit;
mod entry;
mod error;
mod files;
mod link;
mod log;
mod pending;
mod records;
mod store;
mod trim;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use qmp_shared::model::Seq;
use thiserror::Error;

pub(crate) use audit::{AuditEntry, AuditPage, Decision};
pub(crate) use entry::Entry;
pub(crate) use error::StoreError;
pub(crate) use log::{Item, Log, Page};
use writer::Writer;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Older entries go.
    pub(crate) age: Duration,
    /// The oldest entries go when there are more bytes on disk.
    pub(crate) size: u64,
}

impl Default for Retention {
    /// 30 days, 1 GiB.
    fn default() -> Self {
        Self {
            age: Duration::from_secs(30 * 24 * 60 * 60),
            size: 1 << 30,
        }
    }
}

/// Where events and the audit are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    writer: Arc<Writer>,
}

/// Why there is no journal.
#[derive(Debug, Error)]
pub(crate) enum JournalError {
    /// The system gives no randomness for a name.
    #[error("the system gives no random numbers")]
    NoRandomness(#[source] getrandom::Error),
    /// The file is not ours, or there is no thread for it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Journal {
    /// Opens the journal in a directory, which exists, or begins one. While the
    /// disk does not let that be done it goes on from memory, which is a
    /// [`fault`](Self::fault), and tries again.
    ///
    /// # Errors
    ///
    /// [`JournalError`].
    pub(crate) fn open(directory: &Path, retention: Retention) -> Result<Self, JournalError> {
        let path = directory.join("journal.sqlite3");
        let writer = Writer::start(Some(path), random_id()?, retention)?;
        Ok(Self { writer })
    }

    /// A journal in memory only: older entries are gone when they leave the
    /// rings, and nothing outlives the process.
    ///
    /// # Errors
    ///
    /// [`JournalError`].
    pub(crate) fn in_memory() -> Result<Self, JournalError> {
        let writer = Writer::start(None, random_id()?, Retention::default())?;
        Ok(Self { writer })
    }

    /// Names the numbers of all logs: another name means other numbers. Where it
    /// cannot be read from the disk it is another one until it can.
    pub(crate) fn id(&self) -> &str {
        self.writer.id()
    }

    /// The log of the session of this name. Blocks on the disk, once.
    pub(crate) fn log(&self, session: &str) -> Arc<Log> {
        Log::open(session, &self.writer)
    }

    /// A session is no more, and nothing is appended to its log: another one of
    /// its name goes on after it. Blocks on the disk, once.
    pub(crate) fn end(&self, session: &str, log: &Arc<Log>) {
        self.writer.detach(session, log);
    }

    /// How much is kept from now on.
    pub(crate) fn retain(&self, retention: Retention) {
        self.writer.retain(retention);
    }

    /// Why nothing can be written to disk now, if that is so.
    pub(crate) fn fault(&self) -> Option<String> {
        self.writer.fault()
    }

    /// Records a command, before anything is sent. Returns its number. The end of
    /// the process loses it no more, if there is a disk.
    pub(crate) fn record(&self, entry: AuditEntry) -> u64 {
        self.writer.record(entry)
    }

    /// Completes a record: how the command ended, and after how long.
    pub(crate) fn complete(&self, id: u64, result: &str, duration: Duration) {
        self.writer.complete(id, result, duration);
    }

    /// Records after this number, in order.
    ///
    /// # Errors
    ///
    /// When they cannot be read from disk.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn audit(&self, after: u64, limit: usize) -> Result<AuditPage, StoreError> {
        let writer = Arc::clone(&self.writer);
        run_blocking(move || writer.audit(after, limit)).await
    }

    /// Writes what is not written yet, and ends the writer. What comes later
    /// stays in memory.
    pub(crate) fn close(&self) {
        self.writer.stop();
    }
}

/// Reads from disk, away from the tasks.
async fn run_blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read,
        Err(error) => Err(StoreError::Stopped(error.to_string())),
    }
}

fn random_id() -> Result<String, JournalError> {
    let number = getrandom::u64().map_err(JournalError::NoRandomness)?;
    Ok(format!("{number:016x}"))
}

/// A number that nobody has used: 0 comes before the first.
const NOTHING: Seq = Seq(0);
