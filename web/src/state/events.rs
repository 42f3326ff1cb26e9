//! The events that this tab has seen, and what the events page shows of them.
//!
//! [`Log`] is the bounded memory of the tab; [`Feed`] is one page's view of
//! it: filtered, pausable. Both only ever look at new rows, so a flood of
//! events costs what is new and never a pass over everything.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::filter::EventFilter;
use qmp_shared::model::Seq;
use qmp_shared::wire;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::{counted, grouped, visible};
use super::time::Instant;
use super::tree::one_line;

/// Most rows that a tab keeps. When full, the oldest goes and is counted.
pub(crate) const MAX_ROWS: usize = 20_000;

/// Most bytes of event text that a tab keeps, for endpoints that send large
/// events. When full, the oldest rows go and are counted.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// Longest one-line summary, in bytes.
const SUMMARY: usize = 400;

/// One row of the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Unique in this tab, rising by one.
    pub(crate) number: u64,
    /// The session it belongs to; empty for all of them.
    pub(crate) session: Arc<str>,
    /// What happened.
    pub(crate) what: What,
}

/// What a row tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// An event.
    Event(EventRow),
    /// Events that were lost on the way here.
    Gap {
        /// The first that is missing.
        from: Seq,
        /// The last that is missing.
        to: Seq,
    },
    /// The console lost its numbering: what is above counts anew.
    Renumbered,
}

/// An event, as the table shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventRow {
    /// Its number in the session's log.
    pub(crate) seq: Seq,
    /// Its name, with nothing hidden in it.
    pub(crate) name: String,
    /// When the console received it.
    pub(crate) received: Option<Instant>,
    /// Its `data` on one line, cut off when long.
    pub(crate) summary: String,
    /// The whole object, verbatim.
    pub(crate) text: Arc<str>,
}

/// The bounded memory of this tab.
#[derive(Debug, Default)]
pub(crate) struct Log {
    rows: VecDeque<Arc<Row>>,
    bytes: usize,
    next: u64,
    dropped: u64,
}

impl Log {
    /// Appends an event.
    pub(crate) fn push_event(&mut self, frame: wire::Event) {
        let text: Arc<str> = Box::<str>::from(frame.event).into();
        let (name, summary) = outline(&text);
        let row = EventRow {
            seq: frame.seq,
            name,
            received: Instant::parse(&frame.received),
            summary,
            text,
        };
        self.push(frame.session.into(), What::Event(row));
    }

    /// Appends any row; what no longer fits goes at the other end.
    pub(crate) fn push(&mut self, session: Arc<str>, what: What) {
        self.bytes += weight(&what);
        let number = self.next;
        self.next += 1;
        self.rows.push_back(Arc::new(Row {
            number,
            session,
            what,
        }));
        while self.rows.len() > MAX_ROWS || (self.bytes > MAX_BYTES && self.rows.len() > 1) {
            if let Some(oldest) = self.rows.pop_front() {
                self.bytes -= weight(&oldest.what);
                self.dropped += 1;
            }
        }
    }

    /// Forgets all rows, by the user's wish: they do not count as dropped.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.bytes = 0;
        self.dropped = 0;
    }

    /// Rows that had to go to make room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Number of the first row still there.
    fn first(&self) -> u64 {
        self.next - self.rows.len() as u64
    }

    /// The rows numbered `from` and later, oldest first.
    fn since(&self, from: u64) -> impl Iterator<Item = &Arc<Row>> {
        let skip = from.saturating_sub(self.first());
        self.rows.range((skip as usize).min(self.rows.len())..)
    }
}

/// Which rows a feed shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Only this session; all when `None`.
    pub(crate) session: Option<String>,
    /// Only events that pass.
    pub(crate) filter: EventFilter,
}

impl Query {
    /// Whether the row is shown. A gap is shown whatever the names are: the
    /// missing events might have passed.
    fn accepts(&self, row: &Row) -> bool {
        let wanted = self.session.as_deref();
        if wanted.is_some_and(|wanted| !row.session.is_empty() && *row.session != *wanted) {
            return false;
        }
        match &row.what {
            What::Event(event) => self.filter.matches_name(&event.name),
            What::Gap { .. } | What::Renumbered => true,
        }
    }
}

/// Most missing numbers that are called events. After a crash the console does
/// not know which numbers it had handed out, and leaves out whole blocks.
const COUNTABLE: u64 = 10_000;

/// A gap in words. How many of its numbers were events nobody knows.
pub(crate) fn gap_words(from: Seq, to: Seq) -> String {
    let missing = to.0.saturating_sub(from.0).saturating_add(1);
    let mut text = match missing {
        ..=COUNTABLE => "Up to ".to_owned() + &counted(missing, "event") + " missing",
        _ => "Events may be missing: up to ".to_owned() + &grouped(missing) + " numbers",
    };
    text.push_str(", seq ");
    text.push_str(&from.0.to_string());
    if missing > 1 {
        text.push_str(" to ");
        text.push_str(&to.0.to_string());
    }
    text
}

/// One page's view of the log.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    query: Query,
    rows: VecDeque<Arc<Row>>,
    /// Number of the next row of the log to look at.
    next: u64,
    /// While paused, rows from here on are counted but not shown.
    paused_at: Option<u64>,
    waiting: usize,
}

impl Feed {
    /// Shows other rows of the log; keeps being paused.
    pub(crate) fn set_query(&mut self, query: Query, log: &Log) {
        self.query = query;
        self.rows.clear();
        self.waiting = 0;
        self.next = 0;
        self.refresh(log);
    }

    /// Looks at what is new in the log; answers how many rows were added at
    /// the top.
    pub(crate) fn refresh(&mut self, log: &Log) -> usize {
        let mut added = 0;
        for row in log.since(self.next) {
            if !self.query.accepts(row) {
                continue;
            }
            if self.paused_at.is_some_and(|at| row.number >= at) {
                self.waiting += 1;
            } else {
                self.rows.push_back(Arc::clone(row));
                added += 1;
            }
        }
        self.next = log.next;
        // A paused page keeps what is on it; it cannot grow meanwhile.
        if self.paused_at.is_none() {
            while self
                .rows
                .front()
                .is_some_and(|row| row.number < log.first())
            {
                self.rows.pop_front();
            }
        }
        added
    }

    /// Stops showing what comes from now on.
    pub(crate) fn pause(&mut self) {
        self.paused_at.get_or_insert(self.next);
    }

    /// Shows everything again.
    pub(crate) fn resume(&mut self, log: &Log) {
        if let Some(at) = self.paused_at.take() {
            self.waiting = 0;
            self.next = at;
            self.refresh(log);
        }
    }

    /// Forgets what is shown and what waits; call after [`Log::clear`].
    pub(crate) fn clear(&mut self, log: &Log) {
        self.rows.clear();
        self.waiting = 0;
        self.next = log.next;
        if let Some(at) = &mut self.paused_at {
            *at = log.next;
        }
    }

    /// Whether no event is filtered out.
    pub(crate) fn shows_all(&self) -> bool {
        self.query == Query::default()
    }

    /// Whether it is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// How many rows came while paused.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many rows are shown.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row at this position, 0 being the newest.
    pub(crate) fn newest(&self, position: usize) -> Option<&Arc<Row>> {
        let index = self.rows.len().checked_sub(position + 1)?;
        self.rows.get(index)
    }

    /// Where the row with this number is, 0 being the newest.
    pub(crate) fn position(&self, number: u64) -> Option<usize> {
        let index = self
            .rows
            .binary_search_by_key(&number, |row| row.number)
            .ok()?;
        Some(self.rows.len() - 1 - index)
    }
}

/// The name and the one-line data of an event.
fn outline(text: &str) -> (String, String) {
    #[derive(Deserialize)]
    struct Outline<'a> {
        #[serde(borrow)]
        event: Cow<'a, str>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    match serde_json::from_str::<Outline<'_>>(text) {
        Ok(Outline { event, data }) => {
            let summary = data.map(|data| one_line(data.get(), SUMMARY));
            (visible(&event).into_owned(), summary.unwrap_or_default())
        }
        // The server classified it as an event, yet Rust cannot hold its name.
        Err(_) => (String::from("?"), one_line(text, SUMMARY)),
    }
}

fn weight(what: &What) -> usize {
    match what {
        What::Event(event) => event.text.len() + event.summary.len() + event.name.len(),
        What::Gap { .. } | What::Renumbered => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(session: &str, seq: u64, name: &str) -> wire::Event {
        let text = format!(r#"{{"event":"{name}","data":{{"n": {seq}}}}}"#);
        serde_json::from_str(&format!(
            r#"{{"subs":[1],"session":"{session}","seq":{seq},
                "received":"2026-01-01T00:00:00.000001Z","event":{text}}}"#
        ))
        .unwrap()
    }

    fn log(rows: &[(&str, u64, &str)]) -> Log {
        let mut log = Log::default();
        for (session, seq, name) in rows {
            log.push_event(event(session, *seq, name));
        }
        log
    }

    fn names(feed: &Feed) -> Vec<String> {
        let name = |position| match &feed.newest(position).unwrap().what {
            What::Event(event) => event.name.clone(),
            What::Gap { from, to } => format!("gap {from}-{to}"),
            What::Renumbered => "renumbered".into(),
        };
        (0..feed.len()).map(name).collect()
    }

    fn query(session: Option<&str>, filter: &str) -> Query {
        Query {
            session: session.map(Into::into),
            filter: filter.parse().unwrap(),
        }
    }

    #[test]
    fn newest_first_and_verbatim() {
        let log = log(&[("vm", 1, "STOP"), ("vm", 2, "RESUME")]);
        let mut feed = Feed::default();
        assert_eq!(feed.refresh(&log), 2);
        assert_eq!(names(&feed), ["RESUME", "STOP"]);
        let What::Event(event) = &feed.newest(1).unwrap().what else {
            panic!()
        };
        assert_eq!(&*event.text, r#"{"event":"STOP","data":{"n": 1}}"#);
        assert_eq!(event.summary, r#"{"n": 1}"#);
        assert_eq!(event.received.unwrap().0 % 10, 1);
    }

    #[test]
    fn filters_by_session_and_name_but_never_hides_a_gap() {
        let mut log = log(&[("vm", 1, "STOP"), ("qsd", 1, "STOP"), ("vm", 2, "RESUME")]);
        log.push(
            "vm".into(),
            What::Gap {
                from: Seq(3),
                to: Seq(9),
            },
        );
        let mut feed = Feed::default();
        assert!(feed.shows_all());
        feed.set_query(query(Some("vm"), "STOP"), &log);
        assert!(!feed.shows_all());
        assert_eq!(names(&feed), ["gap 3-9", "STOP"]);
        feed.set_query(query(None, "RE*"), &log);
        assert_eq!(names(&feed), ["gap 3-9", "RESUME"]);
        feed.set_query(query(Some("qsd"), ""), &log);
        assert_eq!(names(&feed), ["STOP"]);
    }

    #[test]
    fn a_gap_says_at_most_how_many_are_missing() {
        for (from, to, words) in [
            (7, 7, "Up to 1 event missing, seq 7"),
            (3, 9, "Up to 7 events missing, seq 3 to 9"),
            (
                12,
                1_048_587,
                "Events may be missing: up to 1,048,576 numbers, seq 12 to 1048587",
            ),
            // Not what a sound console sends.
            (9, 3, "Up to 1 event missing, seq 9"),
        ] {
            assert_eq!(gap_words(Seq(from), Seq(to)), words);
        }
        assert!(gap_words(Seq(0), Seq(u64::MAX)).contains("18,446,744,073,709,551,615"));
    }

    #[test]
    fn pause_counts_what_passes_the_filter() {
        let mut log = log(&[("vm", 1, "A")]);
        let mut feed = Feed::default();
        feed.set_query(query(None, "A,B"), &log);
        feed.pause();
        for (seq, name) in [(2, "B"), (3, "C"), (4, "A")] {
            log.push_event(event("vm", seq, name));
        }
        assert_eq!(feed.refresh(&log), 0);
        assert_eq!((feed.waiting(), feed.len()), (2, 1));
        feed.set_query(query(None, ""), &log);
        assert_eq!((feed.waiting(), feed.len()), (3, 1));
        feed.resume(&log);
        assert_eq!((feed.waiting(), feed.len()), (0, 4));
        assert!(!feed.is_paused());
    }

    #[test]
    fn clear_forgets_also_while_paused() {
        let mut log = log(&[("vm", 1, "A")]);
        let mut feed = Feed::default();
        feed.refresh(&log);
        feed.pause();
        log.push_event(event("vm", 2, "B"));
        feed.refresh(&log);
        log.clear();
        feed.clear(&log);
        assert_eq!((feed.waiting(), feed.len()), (0, 0));
        log.push_event(event("vm", 3, "C"));
        feed.refresh(&log);
        assert_eq!((feed.waiting(), feed.len()), (1, 0));
        feed.resume(&log);
        assert_eq!(names(&feed), ["C"]);
    }

    #[test]
    fn the_oldest_go_and_are_counted() {
        let mut log = Log::default();
        let mut feed = Feed::default();
        for seq in 0..MAX_ROWS as u64 + 5 {
            log.push_event(event("vm", seq, "A"));
            feed.refresh(&log);
        }
        assert_eq!(log.dropped(), 5);
        assert_eq!(feed.len(), MAX_ROWS);
        assert_eq!(feed.newest(MAX_ROWS - 1).unwrap().number, 5);
        assert_eq!(feed.position(5), Some(MAX_ROWS - 1));
        assert_eq!(feed.position(4), None);
    }

    #[test]
    fn a_paused_page_that_was_overtaken_catches_up() {
        let mut log = log(&[("vm", 0, "OLD")]);
        let mut feed = Feed::default();
        feed.refresh(&log);
        feed.pause();
        for seq in 1..=MAX_ROWS as u64 + 1 {
            log.push_event(event("vm", seq, "A"));
        }
        feed.refresh(&log);
        assert_eq!(names(&feed), ["OLD"]);
        feed.resume(&log);
        assert_eq!(feed.len(), MAX_ROWS);
        assert!(!names(&feed).contains(&"OLD".to_owned()));
    }

    #[test]
    fn large_events_are_bounded_by_bytes() {
        let mut log = Log::default();
        let big = "x".repeat(MAX_BYTES / 2);
        for seq in 0..4 {
            log.push_event(event("vm", seq, &big));
        }
        assert!(log.rows.len() < 3);
        assert_eq!(log.dropped() + log.rows.len() as u64, 4);
    }

    #[test]
    fn an_event_whose_name_rust_cannot_hold_is_still_shown() {
        let mut log = Log::default();
        let mut frame = event("vm", 1, "A");
        frame.event = RawValue::from_string(r#"{"event":"\ud800"}"#.into()).unwrap();
        log.push_event(frame);
        let mut feed = Feed::default();
        feed.refresh(&log);
        assert_eq!(names(&feed), ["?"]);
    }
}
