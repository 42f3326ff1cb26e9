//! What the retention lets go of.

use jiff::Timestamp;
use qmp_shared::model::Seq;
use rusqlite::{Connection, params};

use super::error::StoreError;
use super::store::seq;

/// Most entries that one step of the retention removes.
const TRIM_STEP: usize = 20_000;

/// What share of the size the record of commands has for itself, as a divisor.
/// A guest can make as many events as it likes; they push out no record.
const AUDIT_SHARE: u64 = 4;

/// Removes some of what is older than `oldest`, or too much for `size` bytes.
/// Whether there is more to remove.
pub(super) fn trim(
    connection: &mut Connection,
    oldest: Timestamp,
    size: u64,
) -> Result<bool, StoreError> {
    let is_old = connection
        .prepare_cached("SELECT min(received) FROM event")?
        .query_row([], |row| row.get::<_, Option<i64>>(0))?
        .is_some_and(|first| first < oldest.as_microsecond());
    let is_large = used_bytes(connection)? > size;
    connection
        // But the last, whose number the next one follows.
        .prepare_cached("DELETE FROM audit WHERE time < ? AND id < (SELECT max(id) FROM audit)")?
        .execute([oldest.as_microsecond()])?;
    connection
        .prepare_cached("DELETE FROM link WHERE time < ?")?
        .execute([oldest.as_microsecond()])?;
    // Either it has more than its share, or the events have.
    if is_large && audit_bytes(connection)? > size / AUDIT_SHARE {
        let removed = connection
            .prepare_cached(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT ?)
                   AND id < (SELECT max(id) FROM audit)",
            )?
            .execute([TRIM_STEP as i64 / 10])?;
        if removed > 0 {
            return Ok(true);
        }
    }
    if !is_old && !is_large {
        return Ok(false);
    }
    // Too much: whatever is oldest. Too old: that alone.
    let before = if is_large {
        i64::MAX
    } else {
        oldest.as_microsecond()
    };
    let transaction = connection.transaction()?;
    let removed: Vec<(i64, i64, i64)> = {
        let mut select = transaction.prepare_cached(
            "SELECT session, max(seq), max(received) FROM
               (SELECT session, seq, received FROM event WHERE received < ? ORDER BY received LIMIT ?)
             GROUP BY session",
        )?;
        let rows = select.query_map(params![before, TRIM_STEP as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    for (session, upto, _) in &removed {
        // Whole, up to there: a clock that was set back leaves no holes.
        transaction
            .prepare_cached("DELETE FROM event WHERE session = ? AND seq <= ?")?
            .execute([session, upto])?;
        transaction
            .prepare_cached("DELETE FROM link WHERE session = ? AND after < ?")?
            .execute([session, upto])?;
        transaction
            .prepare_cached("UPDATE session SET trimmed = max(trimmed, ?) WHERE id = ?")?
            .execute([upto, session])?;
    }
    let mut more = !removed.is_empty();
    if is_large {
        // What is as old as the events that went, and more only where there are
        // no events.
        let latest = removed.iter().map(|(.., received)| *received).max();
        let links = transaction
            .prepare_cached(
                "DELETE FROM link WHERE (session, after, time) IN
                   (SELECT session, after, time FROM link WHERE time < ? ORDER BY time LIMIT ?)",
            )?
            .execute([latest.unwrap_or(i64::MAX), TRIM_STEP as i64 / 10])?;
        more |= links > 0;
    }
    transaction.commit()?;
    Ok(more)
}

/// The last numbers that retention has let go of, by session.
pub(super) fn trimmed(connection: &Connection) -> Result<Vec<(i64, Seq)>, StoreError> {
    let mut query = connection.prepare_cached("SELECT id, trimmed FROM session")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, seq(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The bytes of the record of commands.
fn audit_bytes(connection: &Connection) -> Result<u64, StoreError> {
    let query = "SELECT coalesce(sum(pgsize), 0) FROM dbstat
                 WHERE name IN ('audit', 'audit_time') AND aggregate = TRUE";
    let bytes: i64 = connection
        .prepare_cached(query)?
        .query_row([], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

fn used_bytes(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name| -> Result<u64, StoreError> {
        let value: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(value.unsigned_abs())
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages * pragma("page_size")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::store::Store;

    /// A file with so many records and events, of a session of number 1.
    fn file(records: u64, events: u64) -> (tempfile::TempDir, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.sqlite3");
        let (store, _) = Store::open(&path, "new").unwrap();
        let connection = store.writable().unwrap();
        let text = "x".repeat(200);
        connection
            .execute_batch(&format!(
                "BEGIN;
                 INSERT INTO session (id, name, bound) VALUES (1, 'vm', {events});
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {records})
                 INSERT INTO audit (id, time, token, peer, session, command, arguments, decision)
                 SELECT i, i, 't', 'p', 'vm', 'c', '{text}', 'allowed' FROM n;
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {events})
                 INSERT INTO event SELECT 1, i, i, '{text}' FROM n;
                 INSERT INTO link VALUES (1, {events}, {events}, 0, 'gone');
                 COMMIT;"
            ))
            .unwrap();
        (directory, connection)
    }

    fn count(connection: &Connection, table: &str) -> u64 {
        let query = format!("SELECT count(*) FROM {table}");
        let count: i64 = connection.query_row(&query, [], |row| row.get(0)).unwrap();
        count.unsigned_abs()
    }

    /// What is left of records, events and changes of the link.
    fn left(records: u64, events: u64, size: u64) -> (u64, u64, u64) {
        let (_directory, mut connection) = file(records, events);
        while trim(&mut connection, Timestamp::UNIX_EPOCH, size).unwrap() {}
        let count = |table| count(&connection, table);
        (count("audit"), count("event"), count("link"))
    }

    #[test]
    fn events_do_not_push_out_the_record_of_commands() {
        let (records, events, links) = left(100, 60_000, 4 << 20);
        assert_eq!((records, links), (100, 1), "as young as any event");
        assert!(events < 20_000, "{events}");
    }

    #[test]
    fn the_record_of_commands_has_a_quarter_and_pushes_out_no_events() {
        let (records, events, links) = left(60_000, 100, 4 << 20);
        assert_eq!((events, links), (100, 1));
        assert!((2000..20_000).contains(&records), "{records}");
    }

    #[test]
    fn nothing_is_too_small_to_end() {
        let (records, events, links) = left(10, 10, 1);
        assert_eq!((records, events, links), (1, 0, 0), "but the last number");
    }
}
