//! Older events than the tab has, from the console's log, page by page.
//!
//! Each session has its own log; they are put in one order by time, as far as
//! all of them are known.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use qmp_shared::model::Seq;
use qmp_shared::rest::{EventPage, LinkMark};

use super::log::{EventRow, LinkRow, Log, What};
use super::query::{Query, push_parameter};
use crate::state::time::Instant;

/// Events of a page.
pub(crate) const PAGE: usize = 500;

/// Older events than some of each session.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Only what happened until then.
    until: Option<Instant>,
    sources: BTreeMap<Arc<str>, Source>,
}

/// What is older of one session.
#[derive(Debug, Default)]
struct Source {
    /// Events before this number; the newest there are when `None`.
    before: Option<Seq>,
    /// Whether there is nothing before that.
    is_exhausted: bool,
    /// What was received and not taken yet, oldest first.
    rows: VecDeque<(Instant, What)>,
    /// The marks of the page before: one at the edge is in both.
    links: Vec<LinkMark>,
    /// From when on the marks behind the last event were told already.
    told: Option<Instant>,
}

/// A page to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Of this session.
    pub(crate) session: Arc<str>,
    /// With this query string.
    pub(crate) parameters: String,
}

impl History {
    /// What is before the rows of the tab's log from `floor` on, of these sessions.
    pub(crate) fn before<'a>(
        sessions: impl IntoIterator<Item = &'a str>,
        log: &Log,
        floor: u64,
    ) -> Self {
        let source = |session| {
            let source = Source {
                before: log.start(session, floor),
                told: log.told_at_start(session, floor),
                ..Source::default()
            };
            (Arc::from(session), source)
        };
        Self {
            until: None,
            sources: sessions.into_iter().map(source).collect(),
        }
    }

    /// What happened until then, of these sessions.
    pub(crate) fn until<'a>(sessions: impl IntoIterator<Item = &'a str>, until: Instant) -> Self {
        let sessions = sessions.into_iter();
        Self {
            until: Some(until),
            sources: sessions
                .map(|session| (Arc::from(session), Source::default()))
                .collect(),
        }
    }

    /// The pages without which nothing more can be told.
    pub(crate) fn wanted(&self, query: &Query) -> Vec<Wanted> {
        let waits = |source: &Source| !source.is_exhausted && source.rows.is_empty();
        let sources = self.sources.iter().filter(|(_, source)| waits(source));
        let wanted = sources.map(|(session, source)| {
            let mut parameters = query.parameters(PAGE);
            match (source.before, self.until) {
                (Some(before), _) => {
                    push_parameter(&mut parameters, "before", &before.0.to_string());
                }
                (None, Some(until)) => {
                    push_parameter(&mut parameters, "until", &until.rfc3339());
                }
                (None, None) => {}
            }
            Wanted {
                session: Arc::clone(session),
                parameters,
            }
        });
        wanted.collect()
    }

    /// A page that was asked for.
    pub(crate) fn receive(&mut self, session: &str, page: EventPage) {
        if let Some(source) = self.sources.get_mut(session) {
            source.receive(page, self.until);
        }
    }

    /// A session has no more, as it was removed.
    pub(crate) fn give_up(&mut self, session: &str) {
        self.sources.remove(session);
    }

    /// What is known, newest first: up to where another page is needed.
    pub(crate) fn take(&mut self) -> Vec<(Arc<str>, What)> {
        let mut taken = Vec::new();
        loop {
            let sources = self.sources.values();
            if sources
                .clone()
                .any(|source| source.rows.is_empty() && !source.is_exhausted)
            {
                return taken;
            }
            let sources = self.sources.iter_mut();
            let newest = sources.max_by_key(|(_, source)| source.rows.back().map(|(at, _)| *at));
            let Some((session, source)) = newest else {
                return taken;
            };
            let Some((_, what)) = source.rows.pop_back() else {
                return taken;
            };
            taken.push((Arc::clone(session), what));
        }
    }

    /// Whether there is nothing more.
    pub(crate) fn is_exhausted(&self) -> bool {
        let mut sources = self.sources.values();
        sources.all(|source| source.is_exhausted && source.rows.is_empty())
    }
}

impl Source {
    fn receive(&mut self, page: EventPage, until: Option<Instant>) {
        self.is_exhausted = page.events.len() < PAGE;
        let mut marks = page.marks.unwrap_or_default();
        if let Some(told) = self.told.take() {
            leave_out_told(&mut marks.links, page.next, told);
        }
        if let Some(first) = page.events.first() {
            self.before = Some(first.seq);
        }
        let links = marks.links.into_iter();
        let links: Vec<_> = links.filter(|link| !self.links.contains(link)).collect();
        let mut rows: Vec<(Seq, What)> = Vec::new();
        for event in page.events {
            let row = EventRow::new(event.seq, &event.received, event.event);
            rows.push((row.seq, What::Event(row)));
        }
        for gap in marks.gaps {
            let (from, to) = (gap.from, gap.to);
            rows.push((to, What::Gap { from, to }));
        }
        for link in &links {
            // The numbers of a page end with its time, but not its marks.
            let row = LinkRow::new(link);
            if until.is_none() || row.at <= until {
                rows.push((link.after, What::Link(row)));
            }
        }
        // Stable: what became of the endpoint stands behind the event before it.
        rows.sort_by_key(|(seq, _)| *seq);
        self.links = links;
        // What has no time happened no later than what follows.
        let mut at = self.rows.front().map_or(Instant(i64::MAX), |(at, _)| *at);
        let mut timed: Vec<_> = Vec::with_capacity(rows.len());
        for (_, what) in rows.into_iter().rev() {
            at = what.time().unwrap_or(at).min(at);
            timed.push((at, what));
        }
        for row in timed {
            self.rows.push_front(row);
        }
    }
}

/// Leaves out the marks behind the last number that were told already: the one
/// that was the latest at that time, and those after it.
fn leave_out_told(links: &mut Vec<LinkMark>, last: Seq, told: Instant) {
    let behind = links.partition_point(|link| link.after < last);
    let later = |link: &LinkMark| Instant::parse(&link.time) > Some(told);
    let until = links[behind..].partition_point(|link| !later(link));
    links.truncate(behind + until.saturating_sub(1));
}
