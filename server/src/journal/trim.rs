//! What the retention lets go of.

use jiff::Timestamp;
use qmp_shared::model::Seq;
use rusqlite::{Connection, params};

use super::store::{StoreError, seq};

/// Most entries that one step of the retention removes.
const TRIM_STEP: usize = 20_000;

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
    if is_large {
        connection
            .prepare_cached(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT ?)
                   AND id < (SELECT max(id) FROM audit)",
            )?
            .execute([TRIM_STEP as i64 / 10])?;
        connection
            .prepare_cached(
                "DELETE FROM link WHERE (session, after, time) IN
                   (SELECT session, after, time FROM link ORDER BY time LIMIT ?)",
            )?
            .execute([TRIM_STEP as i64 / 10])?;
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
    let removed: Vec<(i64, i64)> = {
        let mut select = transaction.prepare_cached(
            "SELECT session, max(seq) FROM
               (SELECT session, seq FROM event WHERE received < ? ORDER BY received LIMIT ?)
             GROUP BY session",
        )?;
        let rows = select.query_map(params![before, TRIM_STEP as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    for (session, upto) in &removed {
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
    transaction.commit()?;
    Ok(!removed.is_empty())
}

/// The last numbers that retention has let go of, by session.
pub(super) fn trimmed(connection: &Connection) -> Result<Vec<(i64, Seq)>, StoreError> {
    let mut query = connection.prepare_cached("SELECT id, trimmed FROM session")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, seq(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn used_bytes(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name| -> Result<u64, StoreError> {
        let value: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(value.unsigned_abs())
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages * pragma("page_size")?)
}
