//! Records of commands on their way to SQLite, safe from the end of the process.
//!
//! A record is here before its command is sent, and how that ended before anybody
//! is told: appending either is one write to the system, where a transaction
//! would be many. What a killed console leaves in the files is put into SQLite
//! when the journal is opened again.
//!
//! There are two files. While the writer puts what is in the one into SQLite,
//! new records go to the other, so that each can be emptied as a whole.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use super::audit::AuditEntry;

/// The two files.
#[derive(Debug)]
pub(super) struct Pending {
    /// Where records are appended.
    current: File,
    current_is_empty: bool,
    /// What the writer is at, or nothing.
    other: File,
    other_is_empty: bool,
    line: Vec<u8>,
    /// Whether the last line was not taken.
    failing: bool,
}

/// What is in the files, with the numbers of the records.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) records: Vec<(u64, AuditEntry)>,
    /// How commands ended, and after how long. Their records may be in SQLite.
    pub(super) completions: Vec<(u64, (String, Duration))>,
}

/// A line of a file: a record, or a completion, and its number.
#[derive(Debug, Serialize, Deserialize)]
struct Line<E> {
    id: u64,
    #[serde(flatten)]
    entry: E,
}

/// How a command ended. A record is no completion: it has more members, and
/// these may be null.
#[derive(Debug, Serialize, Deserialize)]
struct Completion<'a> {
    result: Cow<'a, str>,
    duration: f64,
}

impl Found {
    fn take(&mut self, line: &[u8]) -> serde_json::Result<()> {
        if let Ok(Line { id, entry }) = serde_json::from_slice(line) {
            self.records.push((id, entry));
            return Ok(());
        }
        let Line::<Completion<'_>> { id, entry } = serde_json::from_slice(line)?;
        let duration = Duration::try_from_secs_f64(entry.duration).unwrap_or_default();
        let completion = (entry.result.into_owned(), duration);
        self.completions.push((id, completion));
        Ok(())
    }
}

impl Pending {
    /// Opens the files of a journal, or makes them. Returns what is in them,
    /// which stays there until the second [`clear_other`](Self::clear_other).
    ///
    /// # Errors
    ///
    /// When a file cannot be made or read.
    pub(super) fn open(journal: &Path) -> io::Result<(Self, Found)> {
        let mut found = Found::default();
        let mut open = |extension| {
            let path = journal.with_extension(extension);
            let mut options = File::options();
            let file = options.read(true).append(true).create(true).mode(0o600);
            let file = file.open(&path)?;
            for line in BufReader::new(&file).split(b'\n') {
                let line = line?;
                // The disk was full in the middle of it.
                if !line.is_empty()
                    && let Err(error) = found.take(&line)
                {
                    warn!(path = %path.display(), %error, "a record of a command is not whole");
                }
            }
            Ok::<_, io::Error>(file)
        };
        let current = open("audit-1")?;
        let other = open("audit-2")?;
        let pending = Self {
            current,
            current_is_empty: false,
            other,
            other_is_empty: false,
            line: Vec::new(),
            failing: false,
        };
        Ok((pending, found))
    }

    /// Appends a record. When this returns, the end of the process loses it no
    /// more; that of the machine may. When the system does not take it, that is
    /// logged, once: the record still waits for SQLite.
    pub(super) fn append(&mut self, id: u64, entry: &AuditEntry) {
        self.append_line(&Line { id, entry });
    }

    /// Appends how a command ended, as [`append`](Self::append) does its record.
    pub(super) fn complete(&mut self, id: u64, result: &str, duration: Duration) {
        let entry = Completion {
            result: result.into(),
            duration: duration.as_secs_f64(),
        };
        self.append_line(&Line { id, entry });
    }

    fn append_line(&mut self, line: &impl Serialize) {
        self.line.clear();
        if self.failing {
            // Half a line may be there.
            self.line.push(b'\n');
        }
        self.current_is_empty = false;
        let appended = serde_json::to_writer(&mut self.line, line)
            .map_err(io::Error::from)
            .and_then(|()| {
                self.line.push(b'\n');
                self.current.write_all(&self.line)
            });
        let failed_before = std::mem::replace(&mut self.failing, appended.is_err());
        if let Err(error) = appended
            && !failed_before
        {
            error!(%error, "records of commands may be lost if the console is killed");
        }
    }

    /// What is appended from now on goes to the other file, if that is empty and
    /// this one is not.
    pub(super) fn turn(&mut self) {
        if self.other_is_empty && !self.current_is_empty {
            std::mem::swap(&mut self.current, &mut self.other);
            self.other_is_empty = false;
            self.current_is_empty = true;
        }
    }

    /// All that was there at the last [`turn`](Self::turn) is in SQLite.
    ///
    /// # Errors
    ///
    /// When the file cannot be emptied; its records are then put into SQLite
    /// once more, which changes nothing.
    pub(super) fn clear_other(&mut self) -> io::Result<()> {
        if !self.other_is_empty {
            self.other.set_len(0)?;
            self.other_is_empty = true;
        }
        Ok(())
    }
}
