//! Events as lines of JSON, to be kept and read again without a console.
//!
//! A line is what REST exports, `{"seq","received","event"}`, and the session
//! besides, as several may be in one file.

use std::sync::Arc;

use qmp_shared::model::Seq;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::log::{EventRow, Log, Row, What};

/// Why a file is not one of events.
#[derive(Debug, Error)]
#[error("line {line}: {source}")]
pub(crate) struct NdjsonError {
    /// Which line, from 1.
    line: usize,
    source: serde_json::Error,
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
        let read: Read = serde_json::from_str(line).map_err(|source| NdjsonError {
            line: index + 1,
            source,
        })?;
        let event = EventRow::new(read.seq, &read.received, read.event);
        log.push(&read.session, What::Event(event));
    }
    Ok(log)
}
