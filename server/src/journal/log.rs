//! The append-only log of a session's events.
//!
//! One writer, the session's reader task, appends; any number of readers keep
//! a cursor (the sequence number that they have seen last) and read on from
//! there whenever they like. A slow reader has no queue that could overflow:
//! it reads older entries, and where the bounded ring has already let go of
//! some it is told which ([`Page::gap`]). The log knows no transport and no
//! filter.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qmp_shared::model::{Event, Seq};

/// Most entries that a log keeps.
const MAX_ENTRIES: usize = 50_000;

/// Most bytes of event text that a log keeps, in bytes. One event alone may
/// be larger; it is kept until the next one arrives.
const MAX_BYTES: usize = 16 << 20;

/// One event in the log.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its number: strictly increasing, never used twice.
    pub(crate) seq: Seq,
    /// When it was received, RFC 3339 in UTC with microseconds.
    pub(crate) received: String,
    /// The event.
    pub(crate) event: Event,
}

/// A bounded log of events. When it is full the oldest entries leave it, and
/// are counted.
#[derive(Debug)]
pub(crate) struct Log {
    ring: Mutex<Ring>,
}

#[derive(Debug)]
struct Ring {
    entries: VecDeque<Arc<Entry>>,
    newest: Seq,
    bytes: usize,
    dropped: u64,
    max_entries: usize,
    max_bytes: usize,
}

/// What a reader finds after its cursor.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The first and last number after the cursor that the log has let go of.
    pub(crate) gap: Option<(Seq, Seq)>,
    /// What follows the cursor and the gap, in order.
    pub(crate) entries: Vec<Arc<Entry>>,
}

impl Default for Log {
    fn default() -> Self {
        Self::bounded(MAX_ENTRIES, MAX_BYTES)
    }
}

impl Log {
    fn bounded(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            ring: Mutex::new(Ring {
                entries: VecDeque::new(),
                newest: Seq(0),
                bytes: 0,
                dropped: 0,
                max_entries,
                max_bytes,
            }),
        }
    }

    /// Appends an event and returns its number. Never blocks on a reader.
    pub(crate) fn append(&self, event: Event, received: String) -> Seq {
        let mut ring = self.lock();
        let seq = Seq(ring.newest.0 + 1);
        ring.newest = seq;
        ring.bytes += event.as_str().len();
        ring.entries.push_back(Arc::new(Entry {
            seq,
            received,
            event,
        }));
        while ring.entries.len() > 1
            && (ring.entries.len() > ring.max_entries || ring.bytes > ring.max_bytes)
        {
            if let Some(oldest) = ring.entries.pop_front() {
                ring.bytes -= oldest.event.as_str().len();
                ring.dropped += 1;
            }
        }
        seq
    }

    /// At most `limit` entries after the cursor.
    pub(crate) fn read(&self, after: Seq, limit: usize) -> Page {
        let ring = self.lock();
        let first = ring.newest.0 - ring.entries.len() as u64 + 1;
        let missing = after.0 + 1 < first;
        let skip = (after.0 + 1).saturating_sub(first) as usize;
        Page {
            gap: missing.then(|| (Seq(after.0 + 1), Seq(first - 1))),
            entries: ring
                .entries
                .iter()
                .skip(skip)
                .take(limit)
                .cloned()
                .collect(),
        }
    }

    /// The cursor that leaves at most `limit` of the entries that `accepts`
    /// after it, the newest ones, and none at or before `after`.
    pub(crate) fn tail(&self, after: Seq, limit: usize, accepts: impl Fn(&Event) -> bool) -> Seq {
        let ring = self.lock();
        let newer = ring
            .entries
            .iter()
            .rev()
            .take_while(|entry| entry.seq > after);
        let mut accepted = newer.filter(|entry| accepts(&entry.event));
        accepted.nth(limit).map_or(after, |entry| entry.seq)
    }

    /// The newest number; 0 when nothing was ever appended.
    pub(crate) fn newest(&self) -> Seq {
        self.lock().newest
    }

    /// How many entries have left the log.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// No method panics while it holds the lock, so that a poisoned one still
    /// guards a whole ring.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Event {
        let text = format!(r#"{{"event":"{name}","timestamp":{{"seconds":1,"microseconds":2}}}}"#);
        let message = qmp_shared::message::Message::parse(text.into_bytes()).unwrap();
        Event::from_message(message).unwrap()
    }

    fn numbers(page: &Page) -> Vec<u64> {
        page.entries.iter().map(|entry| entry.seq.0).collect()
    }

    #[test]
    fn reads_on_from_a_cursor() {
        let log = Log::default();
        assert_eq!(log.newest(), Seq(0));
        assert!(log.read(Seq(0), 10).entries.is_empty());
        for name in ["A", "B", "C"] {
            log.append(event(name), String::new());
        }
        assert_eq!(numbers(&log.read(Seq(0), 10)), [1, 2, 3]);
        assert_eq!(numbers(&log.read(Seq(0), 2)), [1, 2]);
        assert_eq!(numbers(&log.read(Seq(2), 10)), [3]);
        assert!(numbers(&log.read(Seq(3), 10)).is_empty());
    }

    #[test]
    fn a_reader_is_told_what_it_missed() {
        let log = Log::bounded(2, usize::MAX);
        for _ in 0..5 {
            log.append(event("A"), String::new());
        }
        let page = log.read(Seq(1), 10);
        assert_eq!(page.gap, Some((Seq(2), Seq(3))));
        assert_eq!(numbers(&page), [4, 5]);
        assert_eq!(log.read(Seq(3), 10).gap, None);
        assert_eq!(log.dropped(), 3);
    }

    #[test]
    fn bytes_are_bounded_and_the_newest_is_always_kept() {
        let log = Log::bounded(usize::MAX, 1);
        log.append(event("A"), String::new());
        assert_eq!(numbers(&log.read(Seq(0), 10)), [1]);
        log.append(event("B"), String::new());
        assert_eq!(numbers(&log.read(Seq(0), 10)), [2]);
    }

    #[test]
    fn the_tail_counts_accepted_entries_only() {
        let log = Log::default();
        for name in ["A", "B", "A", "B", "A"] {
            log.append(event(name), String::new());
        }
        let only_a = |event: &Event| event.name() == "A";
        assert_eq!(log.tail(Seq(0), 2, only_a), Seq(1));
        assert_eq!(log.tail(Seq(0), 9, only_a), Seq(0));
        assert_eq!(log.tail(Seq(4), 9, only_a), Seq(4));
        assert_eq!(log.tail(Seq(0), 0, only_a), Seq(5));
    }
}
