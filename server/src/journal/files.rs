//! The files of a journal, opened together: SQLite, and beside it the records
//! that are not in it yet.
//!
//! Where they cannot be opened for writing, as on a full disk, the console goes
//! on without them. What it hands out then must not be what they have used: it
//! begins at the time, in microseconds since the epoch, which no count reaches,
//! or above what can still be read of them.

use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use qmp_shared::model::Seq;
use rusqlite::{Connection, OpenFlags};

use super::pending::{self, Pending};
use super::store::{Store, StoreError, seq};

/// The open files.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) store: Store,
    /// Locked before the writer's queue.
    pub(super) pending: Mutex<Pending>,
    /// The journal's name.
    pub(super) id: String,
}

impl Files {
    /// Opens the files at this path, or begins them under the name `fresh`.
    /// Returns the records and completions too that may not be in SQLite, and
    /// the number of the latest record there is.
    pub(super) fn open(
        path: &Path,
        fresh: &str,
    ) -> Result<(Self, pending::Found, u64), StoreError> {
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

/// What can be read of a file that cannot be opened for writing.
#[derive(Debug)]
pub(super) struct Glimpse {
    /// The journal's name.
    pub(super) id: String,
    /// The last number that any log may have handed out.
    pub(super) bound: Seq,
    /// The number of the latest record.
    pub(super) record: u64,
}

impl Glimpse {
    /// Looks into the file at this path; `None` if that cannot be done either.
    pub(super) fn of(path: &Path) -> Option<Self> {
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
pub(super) fn clock() -> Seq {
    Seq(Timestamp::now().as_microsecond().unsigned_abs())
}
