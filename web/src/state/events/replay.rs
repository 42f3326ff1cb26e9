//! What the console had already. Events come session by session, by the socket,
//! which does not tell what became of the endpoints meanwhile: that is asked of
//! the log when the last event came. All of it is shown in the order of time.

use std::collections::BTreeMap;
use std::sync::Arc;

use qmp_shared::model::Seq;
use qmp_shared::rest::{LinkMark, SessionInfo};

use super::history::Wanted;
use super::links::{Links, is_running};
use super::log::{LinkRow, What};
use super::query::push_parameter;
use crate::state::time::Instant;

/// Most rows that wait for the end of the replay.
const MOST: usize = 50_000;

/// The query of the marks alone. No event has such a name and no name.
const MARKS_ONLY: &str = "?marks=true&limit=1&names=-&where=%21%40.event";

/// What was told of a session before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The last of its events; `None` without any.
    seen: Option<Seq>,
    /// Up to when it was told what became of its endpoint; `None` when its log
    /// is looked at for the first time.
    since: Option<Instant>,
    /// Whether it was running.
    pub(crate) running: bool,
}

/// Rows that wait for the end of the replay.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    known: BTreeMap<String, Known>,
    rows: BTreeMap<String, Vec<What>>,
    count: usize,
}

impl Known {
    /// What is known of a session when the console greets. `before` is what was
    /// said of it on the connection before, where the numbers are the same.
    pub(crate) fn new(
        now: &SessionInfo,
        before: Option<&SessionInfo>,
        seen: Option<Seq>,
        links: &mut Links,
    ) -> Self {
        let running = is_running(before.unwrap_or(now));
        let since = before.and_then(|before| Instant::parse(&before.since));
        let (running, since) = match links.take_ahead(&now.name) {
            Some((running, at)) if before.is_some() => (running, since.max(Some(at))),
            _ => (running, since),
        };
        Self {
            seen,
            since,
            running,
        }
    }

    /// The same of a log with other numbers.
    pub(crate) fn renumbered(&self) -> Self {
        Self {
            running: self.running,
            ..Self::default()
        }
    }
}

impl Replay {
    /// Begins, with what is known of each session.
    pub(crate) fn new(known: BTreeMap<String, Known>) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// Takes the next row of a session.
    pub(crate) fn push(&mut self, session: &str, what: What) {
        self.count += 1;
        match self.rows.get_mut(session) {
            Some(rows) => rows.push(what),
            None => _ = self.rows.insert(session.to_owned(), vec![what]),
        }
    }

    /// Whether no more rows should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= MOST
    }

    /// What was known of each session.
    pub(crate) fn known(&self) -> &BTreeMap<String, Known> {
        &self.known
    }

    /// The marks to ask for, when all events came.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        let wanted = self.known.iter().map(|(session, known)| {
            let first = || {
                self.rows
                    .get(session)
                    .and_then(|rows| numbers(rows.first()?))
            };
            let before_first = || first().map(|(first, _)| Seq(first.0.saturating_sub(1)));
            let mut parameters = MARKS_ONLY.to_owned();
            // A log without events has its marks at its end.
            if let Some(after) = known.seen.or_else(before_first) {
                push_parameter(&mut parameters, "after", &after.0.to_string());
            }
            Wanted {
                session: Arc::from(session.as_str()),
                parameters,
            }
        });
        wanted.collect()
    }

    /// Puts what became of a session's endpoint between its events, as far as
    /// it was not told before.
    pub(crate) fn add_links(&mut self, session: &str, links: &[LinkMark]) {
        let Some(known) = self.known.get(session) else {
            return;
        };
        let rows = self.rows.remove(session).unwrap_or_default();
        let first = rows.first().and_then(numbers).map(|(first, _)| first);
        let is_at_edge = |link: &LinkMark| first.is_none_or(|first| link.after < first);
        // How it was before the first event is no news.
        let is_old = |link: &&LinkMark| match known.since {
            Some(since) => Instant::parse(&link.time) <= Some(since),
            None => link.running && is_at_edge(link),
        };
        let mut links = links.iter().skip_while(is_old).peekable();
        let mut merged = Vec::with_capacity(rows.len() + links.size_hint().1.unwrap_or(0));
        for what in rows {
            let last = numbers(&what).map(|(_, last)| last);
            while let Some(link) = links.next_if(|link| Some(link.after) < last) {
                // Among events that are not here it has no place.
                let is_inside = matches!(what, What::NotLoaded { from, .. } if from <= link.after);
                if !is_inside {
                    merged.push(What::Link(LinkRow::new(link)));
                }
            }
            merged.push(what);
        }
        merged.extend(links.map(|link| What::Link(LinkRow::new(link))));
        self.rows.insert(session.to_owned(), merged);
    }

    /// The rows by their time. Those of one session stay in their order, as a
    /// clock may have been put back; one without a time is with that before it.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = (Arc<str>, What)> {
        let mut all = Vec::with_capacity(self.count);
        for (session, rows) in self.rows {
            let session: Arc<str> = session.into();
            let mut at = None;
            for what in rows {
                at = at.max(what.time());
                all.push((at, Arc::clone(&session), what));
            }
        }
        all.sort_by_key(|(at, ..)| *at);
        all.into_iter().map(|(_, session, what)| (session, what))
    }
}

/// The first and the last number that a row stands for.
fn numbers(what: &What) -> Option<(Seq, Seq)> {
    match what {
        What::Event(event) => Some((event.seq, event.seq)),
        What::Gap { from, to } | What::NotLoaded { from, to } => Some((*from, *to)),
        What::Link(_) | What::Renumbered | What::Command(_) => None,
    }
}
