//! Events as lines of JSON, to be kept and read again without a console.
//!
//! A line is what REST exports, `{"seq","received","event"}`, and the session
//! besides, as several may be in one file. A line as a monitor sends it is read
//! too.

use std::sync::Arc;

use qmp_shared::model::Seq;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::log::{EventRow, Log, Row, What};
use crate::state::time::Instant;

/// Why a file is not one of events.
#[derive(Debug, Error)]
#[error("line {line}: {fault}")]
pub(crate) struct NdjsonError {
    /// Which line, from 1.
    line: usize,
    fault: String,
}

#[derive(Serialize)]
struct Written<'a> {
    session: &'a str,
    seq: Seq,
    received: String,
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    session: String,
    #[serde(default)]
    seq: Seq,
    #[serde(default)]
    received: String,
    event: Box<RawValue>,
}

/// An event as a monitor sends it.
#[derive(Deserialize)]
struct Bare {
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Timestamp {
    seconds: i64,
    microseconds: i64,
}

/// The events among the rows, one on each line.
pub(crate) fn write_ndjson<'a>(rows: impl Iterator<Item = &'a Arc<Row>>) -> String {
    let mut text = String::new();
    for row in rows {
        let What::Event(event) = &row.what else {
            continue;
        };
        let Ok(raw) = serde_json::from_str(&event.text) else {
            continue;
        };
        let written = Written {
            session: &row.session,
            seq: event.seq,
            received: event.received.map(|at| at.rfc3339()).unwrap_or_default(),
            event: raw,
        };
        if let Ok(line) = serde_json::to_string(&written) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The events of a file.
///
/// # Errors
///
/// [`NdjsonError`] for the first line that is none.
pub(crate) fn read_ndjson(text: &str) -> Result<Log, NdjsonError> {
    let mut log = Log::default();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let (session, event) = read_line(line).map_err(|fault| NdjsonError {
            line: index + 1,
            fault,
        })?;
        log.push(&session, What::Event(event));
    }
    Ok(log)
}

/// The event of a line, and its session, if that is told.
fn read_line(line: &str) -> Result<(String, EventRow), String> {
    // The line is the file's, and the only one that serde knows of.
    let fault =
        |error: serde_json::Error| error.to_string().replace(" at line 1 column", " at column");
    let read: Read = serde_json::from_str(line).map_err(fault)?;
    match read.event.get().as_bytes().first() {
        Some(b'{') => {
            let event = EventRow::new(read.seq, &read.received, read.event);
            Ok((read.session, event))
        }
        Some(b'"') => {
            let Bare { timestamp } = serde_json::from_str(line).map_err(fault)?;
            let whole = serde_json::from_str(line).map_err(fault)?;
            let mut event = EventRow::new(read.seq, "", whole);
            // There is no other time.
            event.received = timestamp.map(
                |Timestamp {
                     seconds,
                     microseconds,
                 }| {
                    Instant(
                        seconds
                            .saturating_mul(1_000_000)
                            .saturating_add(microseconds),
                    )
                },
            );
            Ok((read.session, event))
        }
        _ => Err("`event` is neither an event nor the name of one".to_owned()),
    }
}
