//! `journal`: how many events reach the disk.

use std::path::Path;

use std::time::Instant;

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::console::Console;
use crate::endpoint::{EVENT, Endpoint};
use crate::report::Measured;
use crate::{Arguments, Result};

/// The goal, and how fast events come that are paced.
const RATE: usize = 50_000;

/// How many paced events there are in a round.
const PACED: usize = 5 * RATE;

/// How many there are of those that are not.
const FLOOD: usize = 20 * RATE;

/// How many events the floor writes.
const ALONE: usize = 5 * RATE;

/// How many the floor writes in a transaction.
const BATCH: usize = 8192;

/// What the console has of events on disk, without its other tables.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE event (
        session INTEGER NOT NULL, seq INTEGER NOT NULL, received INTEGER NOT NULL,
        event TEXT NOT NULL, PRIMARY KEY (session, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX event_received ON event (received);";

/// Events at the rate of the goal: all of them should be stored.
pub(crate) fn paced(arguments: &Arguments, directory: &Path) -> Result<Vec<Measured>> {
    measure("journal-paced", PACED, Some(RATE), arguments, directory)
}

/// Events as fast as they are read, more than can be stored.
pub(crate) fn flood(arguments: &Arguments, directory: &Path) -> Result<Vec<Measured>> {
    measure("journal-flood", FLOOD, None, arguments, directory)
}

fn measure(
    name: &'static str,
    events: usize,
    rate: Option<usize>,
    arguments: &Arguments,
    directory: &Path,
) -> Result<Vec<Measured>> {
    let mut stored = Measured::new(name, "events/s stored");
    let mut dropped = Measured::new(name, "events dropped");
    let mut busy = Measured::new(name, "CPU ns/event");
    match rate {
        Some(_) => dropped = dropped.goal("0"),
        None => stored = stored.beside("SQLite alone").goal(">= 50,000"),
    }
    for round in 0..arguments.rounds(10) {
        let endpoint = Endpoint::start(&directory.join(format!("{name}-{round}.qmp")))?;
        let console = Console::on(directory, endpoint.path())?;
        let before = console.process.busy()?;
        let start = Instant::now();
        endpoint.flood(events, rate)?;
        let all = events as u64;
        let vm = console.session_when(|vm| {
            counter(vm, "events") == Some(all) && counter(vm, "unstored") == Some(0)
        })?;
        let took = start.elapsed().as_secs_f64();
        let lost = counter(&vm, "dropped").unwrap_or_default();
        busy.add((console.process.busy()? - before) / events as f64, None);
        let rows = rows(&console.state().join("journal.sqlite3"))?;
        if rows + lost != all {
            return Err(format!("{rows} rows and {lost} dropped are not {all} events").into());
        }
        drop(console);
        let floor = match rate {
            Some(_) => None,
            None => Some(alone(&directory.join("alone.sqlite3"))?),
        };
        stored.add(rows as f64 / took, floor);
        dropped.add(lost as f64, None);
    }
    Ok(vec![stored, dropped, busy])
}

fn counter(session: &Value, name: &str) -> Option<u64> {
    session["counters"][name].as_u64()
}

fn rows(path: &Path) -> Result<u64> {
    let count = "SELECT count(*) FROM event";
    let rows: i64 = Connection::open(path)?.query_row(count, [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}

/// Events that SQLite alone stores in a second, on one thread.
fn alone(path: &Path) -> Result<f64> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(SCHEMA)?;
    let event = EVENT.trim_end();
    let start = Instant::now();
    for first in (0..ALONE).step_by(BATCH) {
        let transaction = connection.transaction()?;
        for seq in first..ALONE.min(first + BATCH) {
            transaction
                .prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?)")?
                .execute(params![1, seq as i64, (seq / 20) as i64, event])?;
        }
        transaction.commit()?;
    }
    let took = start.elapsed();
    drop(connection);
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", path.display());
        // SQLite has removed the others itself.
        let (Ok(()) | Err(_)) = std::fs::remove_file(path);
    }
    Ok(ALONE as f64 / took.as_secs_f64())
}
