//! What the console had already. Events come session by session, by the socket,
//! which does not tell what became of the endpoints meanwhile: that is asked of
//! the log when the last event came. All of it is shown in the order of time.

use std::collections::BTreeSet;
use std::sync::Arc;

use qmp_shared::model::Seq;
use qmp_shared::rest::{LinkMark, SessionInfo};

use super::history::Wanted;
use super::links::{Links, is_running};
use super::log::{LinkRow, What};
use super::query::push_parameter;
use crate::state::sessions::Sessions;
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
    running: bool,
}

/// Rows that wait for the end of the replay.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// In the order of their names.
    sessions: Vec<Session>,
    /// How many rows there are.
    count: usize,
    /// How many logs were asked, and did not answer yet.
    waiting: usize,
}

#[derive(Debug)]
struct Session {
    name: Arc<str>,
    /// `None` when it came during the replay.
    known: Option<Known>,
    rows: Vec<What>,
    /// What its log has of its endpoint, when that has answered.
    links: Vec<LinkMark>,
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
}

impl Replay {
    /// Begins, with what is known of each session.
    pub(crate) fn new(known: impl Iterator<Item = (Arc<str>, Known)>) -> Self {
        let session = |(name, known)| Session {
            name,
            known: Some(known),
            rows: Vec::new(),
            links: Vec::new(),
        };
        let mut sessions: Vec<_> = known.map(session).collect();
        sessions.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self {
            sessions,
            ..Self::default()
        }
    }

    /// The logs have other numbers, and what was known of them is of no use.
    pub(crate) fn renumber(&mut self) {
        for known in self.sessions.iter_mut().filter_map(|it| it.known.as_mut()) {
            (known.seen, known.since) = (None, None);
        }
    }

    /// Whether what became of this session's endpoint will be told by its log.
    pub(crate) fn knows(&self, session: &str) -> bool {
        self.find(session)
            .is_ok_and(|at| self.sessions[at].known.is_some())
    }

    /// Whether no log is to be asked.
    pub(crate) fn knows_none(&self) -> bool {
        self.sessions.iter().all(|session| session.known.is_none())
    }

    fn find(&self, session: &str) -> Result<usize, usize> {
        self.sessions.binary_search_by(|it| (*it.name).cmp(session))
    }

    /// Takes the next row of a session.
    pub(crate) fn push(&mut self, session: &str, what: What) {
        self.count += 1;
        match self.find(session) {
            Ok(at) => self.sessions[at].rows.push(what),
            Err(at) => {
                let new = Session {
                    name: session.into(),
                    known: None,
                    rows: vec![what],
                    links: Vec::new(),
                };
                self.sessions.insert(at, new);
            }
        }
    }

    /// Whether no more rows should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= MOST
    }

    /// The marks to ask for, when all events came.
    pub(crate) fn ask(&mut self) -> Vec<Wanted> {
        let wanted = self.sessions.iter().filter_map(|session| {
            let first = session.first();
            let before_first = first.map(|first| Seq(first.0.saturating_sub(1)));
            let mut parameters = MARKS_ONLY.to_owned();
            // A log without events has its marks at its end.
            if let Some(after) = session.known.as_ref()?.seen.or(before_first) {
                push_parameter(&mut parameters, "after", &after.0.to_string());
            }
            Some(Wanted {
                session: Arc::clone(&session.name),
                parameters,
            })
        });
        let wanted: Vec<_> = wanted.collect();
        self.waiting = wanted.len();
        wanted
    }

    /// The log of a session answered, or did not. Answers whether it was the
    /// last one.
    pub(crate) fn receive(&mut self, session: &str, links: Option<Vec<LinkMark>>) -> bool {
        if let (Ok(at), Some(links)) = (self.find(session), links) {
            self.sessions[at].links = links;
        }
        self.waiting = self.waiting.saturating_sub(1);
        self.waiting == 0
    }

    /// What became of the endpoints according to what was said of the sessions
    /// meanwhile, as far as no log has told it.
    pub(crate) fn settle(&self, links: &mut Links, now: &Sessions) -> Vec<(Arc<str>, What)> {
        let news = self.sessions.iter().filter_map(|session| {
            let (known, now) = (session.known.as_ref()?, now.get(&*session.name)?);
            let is_news = links.settle(known.running, session.links.last(), now);
            is_news.then(|| {
                let row = LinkRow::of_session(now);
                (Arc::clone(&session.name), What::Link(row))
            })
        });
        news.collect()
    }

    /// The sessions that no event was seen of before, and of which now this many
    /// came, the most that were asked for.
    pub(crate) fn cut_off(&self, most: usize) -> BTreeSet<Arc<str>> {
        let events = |rows: &[What]| {
            let is_event = |what: &&What| matches!(what, What::Event(_));
            rows.iter().filter(is_event).count()
        };
        let is_new = |it: &&Session| it.known.as_ref().is_none_or(|known| known.seen.is_none());
        let new = self.sessions.iter().filter(is_new);
        let cut_off = new.filter(|it| events(&it.rows) >= most);
        cut_off.map(|it| Arc::clone(&it.name)).collect()
    }

    /// The rows by their time. Those of one session stay in their order, as a
    /// clock may have been put back; one without a time is with that before it.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = (Arc<str>, What)> {
        let mut all = Vec::with_capacity(self.count);
        for session in self.sessions {
            let name = Arc::clone(&session.name);
            let mut at = None;
            for what in session.into_rows() {
                at = at.max(what.time());
                all.push((at, Arc::clone(&name), what));
            }
        }
        all.sort_by_key(|(at, ..)| *at);
        all.into_iter().map(|(_, session, what)| (session, what))
    }
}

impl Session {
    /// The first number that it tells something of.
    fn first(&self) -> Option<Seq> {
        self.rows.first()?.numbers().map(|(first, _)| first)
    }

    /// Its rows, and what became of its endpoint between them, as far as it was
    /// not told before.
    fn into_rows(self) -> Vec<What> {
        let first = self.first();
        let since = self.known.and_then(|known| known.since);
        let is_at_edge = |link: &LinkMark| first.is_none_or(|first| link.after < first);
        // How it was before the first event is no news.
        let is_old = |link: &LinkMark| match since {
            Some(since) => Instant::parse(&link.time) <= Some(since),
            None => link.running && is_at_edge(link),
        };
        let is_new = |link: &LinkMark| !is_old(link);
        let start = self.links.iter().position(is_new);
        let mut links = &self.links[start.unwrap_or(self.links.len())..];
        let mut merged = Vec::with_capacity(self.rows.len() + links.len());
        for what in self.rows {
            let last = what.numbers().map(|(_, last)| last);
            while let Some((link, rest)) = links.split_first()
                && Some(link.after) < last
            {
                links = rest;
                // Among events that are not here it has no place.
                let is_inside = matches!(what, What::NotLoaded { from, .. } if from <= link.after);
                if !is_inside {
                    merged.push(What::Link(LinkRow::new(link)));
                }
            }
            merged.push(what);
        }
        merged.extend(links.iter().map(|link| What::Link(LinkRow::new(link))));
        merged
    }
}
