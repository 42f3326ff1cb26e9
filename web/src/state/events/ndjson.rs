//! Events as lines of JSON, to be kept and read again without a console.
//!
//! A line is what REST exports, `{"seq","received","event"}`, and the session
//! besides, as several may be in one file. A line as a monitor sends it is read
//! too; what else a monitor sends is passed over.
//!
//! What stands between the events is a line of its own, where it stood, and has
//! no `event`, so that whoever looks for events passes over it:
//! `{"session","gap":{"from","to"}}` for lost events,
//! `{"session","not_loaded":{"from","to"}}` for those that the console had and
//! the tab did not ask for, `{"session","link":{"time","running","cause"}}` for
//! the endpoint lost or regained, and `{"renumbered":true}` where the console
//! began to count anew.

use std::sync::Arc;

use qmp_shared::model::Seq;
use qmp_shared::rest::Gap;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::log::{EventRow, LinkRow, Log, Row, What};
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
    event: Option<Box<RawValue>>,
    // Not flattened, as whatever else an event has would be looked into then.
    gap: Option<Gap>,
    not_loaded: Option<Gap>,
    link: Option<LinkLine>,
    renumbered: Option<bool>,
    // What else a monitor sends; of that nothing is needed.
    #[serde(default, rename = "QMP", deserialize_with = "is_there")]
    greeting: bool,
    #[serde(default, rename = "return", deserialize_with = "is_there")]
    returned: bool,
    #[serde(default, deserialize_with = "is_there")]
    error: bool,
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A file that was opened.
#[derive(Debug)]
pub(crate) struct File {
    /// Its name.
    pub(crate) name: String,
    /// What was read of it.
    pub(crate) content: Opened,
}

/// What was read of a file.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The events, and what stands between them.
    pub(crate) log: Log,
    /// Lines with a monitor's greeting, or what it replied: they are left out.
    pub(crate) skipped: u64,
    /// Lines that could not be read, as of a capture that was cut off: they are
    /// left out.
    pub(crate) broken: Option<Broken>,
}

/// Lines that could not be read.
#[derive(Debug)]
pub(crate) struct Broken {
    /// How many.
    pub(crate) count: u64,
    /// Why the first of them was not.
    pub(crate) first: NdjsonError,
}

/// A line that is no event. One of the parts is there.
#[derive(Default, Serialize)]
struct Mark<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    session: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Gap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_loaded: Option<Gap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<LinkLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renumbered: Option<bool>,
}

/// The endpoint was lost or regained, as REST tells it.
#[derive(Serialize, Deserialize)]
struct LinkLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    running: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
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

/// The events among the rows, and what stands between them, one on each line.
/// The user's own commands are left out.
pub(crate) fn write_ndjson<'a>(rows: impl Iterator<Item = &'a Arc<Row>>) -> String {
    let mut text = String::new();
    for row in rows {
        let session = &*row.session;
        let line = match &row.what {
            What::Event(event) => write_event(session, event),
            what => Mark::of(session, what).and_then(|mark| serde_json::to_string(&mark).ok()),
        };
        if let Some(line) = line {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn write_event(session: &str, event: &EventRow) -> Option<String> {
    let written = Written {
        session,
        seq: event.seq,
        received: event.received.map(Instant::rfc3339).unwrap_or_default(),
        event: serde_json::from_str(&event.text).ok()?,
    };
    serde_json::to_string(&written).ok()
}

impl<'a> Mark<'a> {
    /// The mark of a row; `None` for one that is no mark.
    fn of(session: &'a str, what: &What) -> Option<Self> {
        let numbers = |from: &Seq, to: &Seq| {
            Some(Gap {
                from: *from,
                to: *to,
            })
        };
        let mut mark = Self {
            session,
            ..Self::default()
        };
        match what {
            What::Event(_) | What::Command(_) => return None,
            What::Gap { from, to } => mark.gap = numbers(from, to),
            What::NotLoaded { from, to } => mark.not_loaded = numbers(from, to),
            What::Renumbered => mark.renumbered = Some(true),
            What::Link(link) => {
                mark.link = Some(LinkLine {
                    time: link.at.map(Instant::rfc3339),
                    running: link.running,
                    cause: link.cause.clone(),
                });
            }
        }
        Some(mark)
    }
}

impl Read {
    /// What it tells where it is no event; `None` for nothing.
    fn mark(self) -> Option<What> {
        if let Some(Gap { from, to }) = self.gap {
            return Some(What::Gap { from, to });
        }
        if let Some(Gap { from, to }) = self.not_loaded {
            return Some(What::NotLoaded { from, to });
        }
        if let Some(link) = self.link {
            return Some(What::Link(LinkRow {
                running: link.running,
                at: link.time.as_deref().and_then(Instant::parse),
                cause: link.cause,
            }));
        }
        self.renumbered
            .filter(|is_so| *is_so)
            .map(|_| What::Renumbered)
    }
}

/// The events of a file, and what stands between them.
///
/// # Errors
///
/// [`NdjsonError`] for the first line that is neither, where no line is.
pub(crate) fn read_ndjson(text: &str) -> Result<Opened, NdjsonError> {
    let mut log = Log::default();
    let (mut told, mut skipped) = (false, 0);
    let mut broken: Option<Broken> = None;
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match read_line(line) {
            Ok(Some((session, what))) => {
                told = true;
                log.push(&session, what);
            }
            Ok(None) => skipped += 1,
            Err(fault) => {
                let line = index + 1;
                let first = NdjsonError { line, fault };
                broken.get_or_insert(Broken { count: 0, first }).count += 1;
            }
        }
    }
    match broken {
        Some(broken) if !told && skipped == 0 => Err(broken.first),
        broken => Ok(Opened {
            log,
            skipped,
            broken,
        }),
    }
}

/// What a line tells, and of which session, if that is told; `None` for what a
/// monitor sends besides events.
fn read_line(line: &str) -> Result<Option<(String, What)>, String> {
    if !line.trim_start().starts_with('{') {
        return Err("each line must be one JSON object".to_owned());
    }
    // The line is the file's, and the only one that serde knows of.
    let fault =
        |error: serde_json::Error| error.to_string().replace(" at line 1 column", " at column");
    let mut read: Read = serde_json::from_str(line).map_err(fault)?;
    let Some(event) = read.event.take() else {
        let session = std::mem::take(&mut read.session);
        let is_skipped = read.greeting || read.returned || read.error;
        let what = read.mark();
        if what.is_none() && is_skipped {
            return Ok(None);
        }
        let what = what.ok_or_else(|| "missing field `event`".to_owned())?;
        return Ok(Some((session, what)));
    };
    match event.get().as_bytes().first() {
        Some(b'{') => {
            let event = EventRow::new(read.seq, &read.received, event);
            Ok(Some((read.session, What::Event(event))))
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
            Ok(Some((read.session, What::Event(event))))
        }
        _ => Err("`event` is neither an event nor the name of one".to_owned()),
    }
}
