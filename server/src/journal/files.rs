//! The files of a journal, opened together: SQLite, and beside it the records
//! that are not in it yet.
//!
//! Where they cannot be opened for writing, as on a full disk, the console goes
//! on without them. What it hands out then must not be what they have used: it
//! begins at the time, in microseconds since the epoch, which no count reaches,
//! or above what can still be read of them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use qmp_shared::model::Seq;
use rusqlite::{Connection, OpenFlags};

use super::NOTHING;
use super::error::StoreError;
use super::pending::{self, Pending};
use super::records::Records;
use super::store::{Store, seq};

/// The open files.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) store: Store,
    /// Locked before the writer's queue.
    pub(super) pending: Mutex<Pending>,
    /// The journal's name.
    id: String,
}

impl Files {
    /// Opens the files at this path, or begins them under the name `fresh`.
    /// Returns the records and completions too that may not be in SQLite, and
    /// the number of the latest record there is.
    fn open(path: &Path, fresh: &str) -> Result<(Self, pending::Found, u64), StoreError> {
        let (store, id) = Store::open(path, fresh)?;
        let (pending, found) = Pending::open(path).map_err(StoreError::Pending)?;
        let last = found.records.iter().map(|(id, _)| *id);
        let last = last.chain([store.last_audit()?]).max().unwrap_or(0);
        let files = Self {
            store,
            pending: Mutex::new(pending),
            id,
        };
        Ok((files, found, last))
    }
}

/// Where the files are, open or not yet.
#[derive(Debug)]
pub(super) struct Disk {
    /// None for a journal in memory.
    path: Option<PathBuf>,
    /// Once they are open.
    files: OnceLock<Files>,
    /// Held by whoever opens them.
    opening: Mutex<()>,
    /// The journal's name until then.
    fresh: String,
    /// Without files numbers begin after this one.
    floor: Seq,
}

impl Disk {
    /// Opens the files, if there are to be any. Where that cannot be done for now
    /// it returns why, and `records` begins above all that they may have.
    ///
    /// # Errors
    ///
    /// When it never can.
    pub(super) fn open(
        path: Option<PathBuf>,
        fresh: String,
        records: &mut Records,
    ) -> Result<(Self, Option<StoreError>), StoreError> {
        let mut disk = Self {
            path,
            files: OnceLock::new(),
            opening: Mutex::default(),
            fresh,
            floor: NOTHING,
        };
        let Some(path) = &disk.path else {
            return Ok((disk, None));
        };
        let opened = disk.files_or_open(|found, last| records.take_over(found, last));
        let error = match opened {
            Ok(_) => return Ok((disk, None)),
            Err(error) if !error.is_transient() => return Err(error),
            Err(error) => error,
        };
        let now = clock();
        let mut record = now.0;
        let glimpse = Glimpse::of(path);
        disk.floor = now;
        if let Some(glimpse) = glimpse {
            disk.floor = disk.floor.max(glimpse.bound);
            record = record.max(glimpse.record);
            disk.fresh = glimpse.id;
        }
        *records = Records::from(record + 1);
        Ok((disk, Some(error)))
    }

    /// Whether there are files, now or later.
    pub(super) fn is_there(&self) -> bool {
        self.path.is_some()
    }

    /// The journal's name.
    pub(super) fn id(&self) -> &str {
        self.files().map_or(&self.fresh, |files| &files.id)
    }

    /// The files, if they are open.
    pub(super) fn files(&self) -> Option<&Files> {
        self.files.get()
    }

    /// A number that no log has handed out, of a time.
    pub(super) fn unused(&self) -> Seq {
        clock().max(self.floor)
    }

    /// The files. If they are not open they are opened, and what was found in
    /// them, with the number of the latest record, goes to `take_over` before
    /// anybody else has them.
    ///
    /// # Errors
    ///
    /// When they cannot be opened, or there are none.
    pub(super) fn files_or_open(
        &self,
        take_over: impl FnOnce(pending::Found, u64),
    ) -> Result<&Files, StoreError> {
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let Some(path) = &self.path else {
            return Err(StoreError::Stopped("there is no file".to_owned()));
        };
        let opened = Files::open(path, &self.fresh);
        let (files, found, last) = opened.map_err(|source| StoreError::Open {
            path: path.display().to_string(),
            source: Box::new(source),
        })?;
        take_over(found, last);
        Ok(self.files.get_or_init(|| files))
    }
}

/// What can be read of a file that cannot be opened for writing.
#[derive(Debug)]
struct Glimpse {
    /// The journal's name.
    id: String,
    /// The last number that any log may have handed out.
    bound: Seq,
    /// The number of the latest record.
    record: u64,
}

impl Glimpse {
    /// Looks into the file at this path; `None` if that cannot be done either.
    fn of(path: &Path) -> Option<Self> {
        // Where SQLite cannot put its files beside it, what is in them is not
        // seen, as if there were none.
        let text = path.to_str()?.replace('%', "%25");
        let text = text.replace('?', "%3f").replace('#', "%23");
        ["", "?immutable=1"].iter().find_map(|how| {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_URI;
            let file = Connection::open_with_flags(format!("file:{text}{how}"), flags).ok()?;
            let query = "SELECT id, (SELECT coalesce(max(bound), 0) FROM session),
                           (SELECT coalesce(max(id), 0) FROM audit) FROM journal";
            let glimpse = file.query_row(query, [], |row| {
                Ok(Self {
                    id: row.get(0)?,
                    bound: seq(row.get(1)?),
                    record: row.get::<_, i64>(2)?.unsigned_abs(),
                })
            });
            glimpse.ok()
        })
    }
}

/// Microseconds since the epoch, as a number to go on from.
fn clock() -> Seq {
    Seq(Timestamp::now().as_microsecond().unsigned_abs())
}
