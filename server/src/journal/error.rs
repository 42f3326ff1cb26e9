//! Why the files of a journal cannot be used.

use thiserror::Error;

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// SQLite says so.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// It could not be opened.
    #[error("the journal {path} cannot be opened")]
    Open {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// Somebody else has it.
    #[error("another console has it open")]
    InUse,
    /// A later version of the console has written it.
    #[error("it is of version {found}, and this console knows up to {known}")]
    Newer {
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// What is in it is not what we write.
    #[error("it has an entry that is no event")]
    Damaged,
    /// The reading task has ended.
    #[error("the reader has stopped: {0}")]
    Stopped(String),
    /// It could not be made, or locked.
    #[error("it could not be locked")]
    Lock(#[source] std::io::Error),
    /// The records that are not in it yet cannot be read.
    #[error("the records beside it")]
    Pending(#[source] std::io::Error),
    /// The system gives no thread.
    #[error("there is no thread for it")]
    Thread(#[source] std::io::Error),
}

impl StoreError {
    /// Whether the disk is full, read-only or fails.
    pub(super) fn is_transient(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
        match self {
            Self::Sqlite(error) => error.sqlite_error_code().is_some_and(|code| {
                matches!(code, CannotOpen | DiskFull | ReadOnly | SystemIoFailure)
            }),
            Self::Lock(_) | Self::Pending(_) => true,
            Self::Open { source, .. } => source.is_transient(),
            _ => false,
        }
    }
}
