//! The SQLite file: its schema, what is written to it and read from it.
//!
//! Plain functions on connections; which thread they run on is for others to
//! say. There is one writing connection, and a few reading ones.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use qmp_shared::message::Message;
use qmp_shared::model::{Event, Seq};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::audit::{AuditEntry, AuditPage, Decision};
use super::entry::Entry;
use super::error::StoreError;
use super::link::LinkChange;

/// The steps from one version of the schema to the next. The file's
/// `user_version` counts those that were taken.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE journal (id TEXT NOT NULL) STRICT;
    CREATE TABLE session (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        -- The last number that may have been handed out.
        bound INTEGER NOT NULL DEFAULT 0,
        -- The last number that retention has let go of.
        trimmed INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE event (
        session INTEGER NOT NULL REFERENCES session (id),
        seq INTEGER NOT NULL,
        -- Microseconds since the epoch.
        received INTEGER NOT NULL,
        event TEXT NOT NULL,
        PRIMARY KEY (session, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX event_received ON event (received);
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        token TEXT NOT NULL,
        peer TEXT NOT NULL,
        session TEXT NOT NULL,
        command TEXT NOT NULL,
        arguments TEXT,
        decision TEXT NOT NULL,
        result TEXT,
        -- Seconds.
        duration REAL
    ) STRICT;
    CREATE INDEX audit_time ON audit (time);
",
    "
    CREATE TABLE link (
        session INTEGER NOT NULL REFERENCES session (id),
        -- The event before it.
        after INTEGER NOT NULL,
        time INTEGER NOT NULL,
        running INTEGER NOT NULL,
        cause TEXT,
        PRIMARY KEY (session, after, time)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX link_time ON link (time);
",
];

/// How long somebody else may hold the file: a backup, for example.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Most reading connections that are kept.
const READERS: usize = 4;

/// Most changes of a link that are read at once: the latest.
const MOST_LINKS: usize = 1000;

/// The file.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    /// Held by one console at a time.
    _lock: std::fs::File,
}

/// A session as the file knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) id: i64,
    /// The last number that may have been handed out.
    pub(super) bound: Seq,
    /// The last number that retention has let go of.
    pub(super) trimmed: Seq,
}

impl Store {
    /// Opens the file and brings its schema up to date. Returns the journal's
    /// name too: the one it has, else `fresh`.
    pub(super) fn open(path: &Path, fresh: &str) -> Result<(Self, String), StoreError> {
        let lock = lock(path)?;
        let mut connection = writable(path)?;
        migrate(&mut connection)?;
        let known: Option<String> = connection
            .query_row("SELECT id FROM journal", [], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                connection.execute("INSERT INTO journal (id) VALUES (?)", [fresh])?;
                fresh.to_owned()
            }
        };
        let store = Self {
            path: path.to_owned(),
            readers: Mutex::default(),
            _lock: lock,
        };
        Ok((store, id))
    }

    /// A connection that may write.
    pub(super) fn writable(&self) -> Result<Connection, StoreError> {
        writable(&self.path)
    }

    /// Reads with a connection that is not in use.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let readers = || self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags)?;
                connection.busy_timeout(BUSY_TIMEOUT)?;
                connection
            }
        };
        let result = read(&connection);
        let mut readers = readers();
        if result.is_ok() && readers.len() < READERS {
            readers.push(connection);
        }
        result
    }

    /// At most `limit` entries after one number and up to another, in order.
    pub(super) fn entries_after(
        &self,
        session: i64,
        after: Seq,
        upto: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Entry>>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT seq, received, event FROM event
                 WHERE session = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            )?;
            entries(
                &mut query,
                params![session, number(after), number(upto), limit as i64],
            )
        })
    }

    /// At most `limit` entries before a number, the latest ones, in order.
    pub(super) fn entries_before(
        &self,
        session: i64,
        before: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Entry>>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT seq, received, event FROM event
                 WHERE session = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            )?;
            let parameters = params![session, number(before), limit as i64];
            let mut entries = entries(&mut query, parameters)?;
            entries.reverse();
            Ok(entries)
        })
    }

    /// The number of the first entry that was received at this time or later.
    pub(super) fn first_since(
        &self,
        session: i64,
        time: Timestamp,
    ) -> Result<Option<Seq>, StoreError> {
        self.read(|connection| {
            // By the index of times, which is small beside the events.
            let mut query = connection.prepare_cached(
                "SELECT min(seq) FROM event INDEXED BY event_received
                 WHERE session = ? AND received >= ?",
            )?;
            let found: Option<i64> =
                query.query_row(params![session, time.as_microsecond()], |row| row.get(0))?;
            Ok(found.map(seq))
        })
    }

    /// The latest changes of the link after events from one number to another,
    /// in order.
    pub(super) fn links(
        &self,
        session: i64,
        from: Seq,
        to: Seq,
    ) -> Result<Vec<LinkChange>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT after, time, running, cause FROM link
                 WHERE session = ? AND after BETWEEN ? AND ? ORDER BY after DESC, time DESC LIMIT ?",
            )?;
            let parameters = params![session, number(from), number(to), MOST_LINKS as i64];
            let rows = query.query_map(parameters, |row| {
                Ok(LinkChange {
                    after: seq(row.get(0)?),
                    time: Timestamp::from_microsecond(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH),
                    running: row.get(2)?,
                    cause: row.get(3)?,
                })
            })?;
            let mut links = rows.collect::<Result<Vec<_>, _>>()?;
            links.reverse();
            Ok(links)
        })
    }

    /// Records after a number, in order.
    pub(super) fn audit(&self, after: u64, limit: usize) -> Result<AuditPage, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, time, token, peer, session, command, arguments, decision, result,
                        duration
                 FROM audit WHERE id > ? ORDER BY id LIMIT ?",
            )?;
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let rows = query.query_map(params![after, limit as i64], |row| {
                let time: i64 = row.get(1)?;
                let decision: String = row.get(7)?;
                let entry = AuditEntry {
                    time: Timestamp::from_microsecond(time).unwrap_or(Timestamp::UNIX_EPOCH),
                    token: row.get(2)?,
                    peer: row.get(3)?,
                    session: row.get(4)?,
                    command: row.get(5)?,
                    arguments: row.get(6)?,
                    decision: Decision::of(&decision),
                    result: row.get(8)?,
                    duration: row.get(9)?,
                };
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), entry))
            })?;
            let entries = rows.collect::<Result<Vec<_>, _>>()?;
            let next = entries.last().map_or(after.unsigned_abs(), |(id, _)| *id);
            Ok(AuditPage { entries, next })
        })
    }

    /// The number of the latest record.
    pub(super) fn last_audit(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let last: Option<i64> =
                connection.query_row("SELECT max(id) FROM audit", [], |row| row.get(0))?;
            Ok(last.unwrap_or(0).unsigned_abs())
        })
    }
}

/// The session of this name, which is added if there is none.
pub(super) fn session(connection: &Connection, name: &str) -> Result<Known, StoreError> {
    connection.execute("INSERT OR IGNORE INTO session (name) VALUES (?)", [name])?;
    let mut query =
        connection.prepare_cached("SELECT id, bound, trimmed FROM session WHERE name = ?")?;
    Ok(query.query_row([name], |row| {
        Ok(Known {
            id: row.get(0)?,
            bound: seq(row.get(1)?),
            trimmed: seq(row.get(2)?),
        })
    })?)
}

/// Whether what is committed from now on is there even if the machine loses its
/// power. Slower.
pub(super) fn set_durable(connection: &Connection, durable: bool) -> Result<(), StoreError> {
    let level = if durable { "FULL" } else { "NORMAL" };
    Ok(connection.pragma_update(None, "synchronous", level)?)
}

/// Raises the last number that may be handed out.
pub(super) fn raise_bound(
    connection: &Connection,
    session: i64,
    bound: Seq,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE session SET bound = max(bound, ?) WHERE id = ?")?
        .execute(params![number(bound), session])?;
    Ok(())
}

/// The log has ended: the next one continues right after this number, and after
/// whatever is there.
pub(super) fn release(
    connection: &Connection,
    session: i64,
    newest: Seq,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE session SET bound = max(?1,
                 (SELECT coalesce(max(seq), 0) FROM event WHERE session = ?2))
             WHERE id = ?2",
        )?
        .execute(params![number(newest), session])?;
    Ok(())
}

/// Adds entries. To be called within a transaction.
pub(super) fn insert(
    connection: &Connection,
    session: i64,
    entries: &[Arc<Entry>],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO event (session, seq, received, event) VALUES (?, ?, ?, ?)",
    )?;
    for entry in entries {
        let received = entry.received.as_microsecond();
        insert.execute(params![
            session,
            number(entry.seq),
            received,
            entry.event.as_str()
        ])?;
    }
    Ok(())
}

/// Adds changes of the link. To be called within a transaction.
pub(super) fn insert_links(
    connection: &Connection,
    session: i64,
    links: &[LinkChange],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO link (session, after, time, running, cause) VALUES (?, ?, ?, ?, ?)",
    )?;
    for link in links {
        let time = link.time.as_microsecond();
        insert.execute(params![
            session,
            number(link.after),
            time,
            link.running,
            link.cause
        ])?;
    }
    Ok(())
}

/// Adds a record.
pub(super) fn insert_audit(
    connection: &Connection,
    id: u64,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO audit (id, time, token, peer, session, command, arguments, decision, result,
                            duration)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    insert.execute(params![
        id.cast_signed(),
        entry.time.as_microsecond(),
        entry.token,
        entry.peer,
        entry.session,
        entry.command,
        entry.arguments,
        entry.decision.as_str(),
        entry.result,
        entry.duration,
    ])?;
    Ok(())
}

/// Completes a record.
pub(super) fn complete_audit(
    connection: &Connection,
    id: u64,
    result: &str,
    duration: Duration,
) -> Result<(), StoreError> {
    let mut update =
        connection.prepare_cached("UPDATE audit SET result = ?, duration = ? WHERE id = ?")?;
    update.execute(params![result, duration.as_secs_f64(), id.cast_signed()])?;
    Ok(())
}

fn lock(path: &Path) -> Result<std::fs::File, StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = path.with_extension("lock");
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600);
    let file = file.open(path).map_err(StoreError::Lock)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(std::fs::TryLockError::Error(error)) => Err(StoreError::Lock(error)),
    }
}

fn writable(path: &Path) -> Result<Connection, StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    // For its owner only, and so are the files that SQLite puts beside it.
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create(true).truncate(false).mode(0o600);
    made.open(path).map_err(StoreError::Lock)?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Nothing is synchronised for each batch: what a killed process has
    // committed is there, and a machine without power loses at most the latest.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = usize::try_from(version).unwrap_or(usize::MAX);
    let known = MIGRATIONS.len();
    let Some(missing) = MIGRATIONS.get(found..) else {
        return Err(StoreError::Newer { found, known });
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known as i64)?;
    transaction.commit()?;
    Ok(())
}

fn entries(
    query: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let mut rows = query.query(parameters)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(2)?;
        let event = Message::parse(text).map_err(|_| StoreError::Damaged)?;
        let received: i64 = row.get(1)?;
        entries.push(Arc::new(Entry::new(
            seq(row.get(0)?),
            Timestamp::from_microsecond(received).unwrap_or(Timestamp::UNIX_EPOCH),
            Event::from_message(event).map_err(|_| StoreError::Damaged)?,
        )));
    }
    Ok(entries)
}

/// SQLite's integers are signed; ours never come near the end.
fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// A number as it is in the file.
pub(super) fn seq(number: i64) -> Seq {
    Seq(number.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_earlier_version_is_brought_up_to_date() {
        for version in 1..MIGRATIONS.len() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("journal.sqlite3");
            let connection = Connection::open(&path).unwrap();
            for step in &MIGRATIONS[..version] {
                connection.execute_batch(step).unwrap();
            }
            let version = version as i64;
            connection
                .pragma_update(None, "user_version", version)
                .unwrap();
            let text = r#"{"event":"E","timestamp":{"seconds":1,"microseconds":2}}"#;
            connection
                .execute_batch(&format!(
                    "INSERT INTO journal VALUES ('old');
                     INSERT INTO session (id, name, bound) VALUES (1, 'vm', 7);
                     INSERT INTO event VALUES (1, 7, 5, '{text}');"
                ))
                .unwrap();
            drop(connection);

            let (store, id) = Store::open(&path, "new").unwrap();
            assert_eq!(id, "old");
            let writable = store.writable().unwrap();
            assert_eq!(session(&writable, "vm").unwrap().bound, Seq(7));
            let entries = store.entries_after(1, Seq(0), Seq(7), 10).unwrap();
            assert_eq!(entries[0].event.as_str(), text);
            let link = LinkChange {
                after: Seq(7),
                time: Timestamp::UNIX_EPOCH,
                running: false,
                cause: Some("gone".to_owned()),
            };
            insert_links(&writable, 1, std::slice::from_ref(&link)).unwrap();
            assert_eq!(store.links(1, Seq(7), Seq(7)).unwrap(), [link]);
        }
    }

    #[test]
    fn a_file_of_a_later_version_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.sqlite3");
        let later = MIGRATIONS.len() as i64 + 1;
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "user_version", later)
            .unwrap();
        drop(connection);
        let refused = Store::open(&path, "new").unwrap_err();
        assert!(matches!(refused, StoreError::Newer { .. }), "{refused}");
    }
}
