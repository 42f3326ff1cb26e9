//! The subscriptions of one socket: which events it gets, and in what frames.
//!
//! Pure but for reading the sessions' logs: no socket, no waiting. Each
//! subscription is a set of cursors, one for each session that it follows;
//! [`Subscriptions::next_frames`] moves them forward together, so that an
//! event which several subscriptions accept goes out once, naming them all.

use std::collections::BTreeMap;

use qmp_shared::filter::EventFilter;
use qmp_shared::model::Seq;
use qmp_shared::rest::{Problem, ProblemKind};
use qmp_shared::wire::{After, ClientId, Event, Gap, ServerFrame, Subscribe};

use crate::session::{Session, Sessions};

/// Most subscriptions on one socket.
const MAX_SUBSCRIPTIONS: usize = 64;

/// Most entries that are read from one session before the others' turn.
const BATCH: usize = 256;

/// The subscriptions of one socket.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    list: Vec<Subscription>,
}

#[derive(Debug)]
struct Subscription {
    sub: ClientId,
    session: Option<String>,
    filter: EventFilter,
    /// The last number seen, by session. A session that is not in here was
    /// added later and is followed from its beginning.
    cursors: BTreeMap<String, Seq>,
}

impl Subscription {
    fn follows(&self, session: &str) -> bool {
        self.session.as_deref().is_none_or(|only| only == session)
    }

    fn cursor(&self, session: &str) -> Seq {
        self.cursors.get(session).copied().unwrap_or(Seq(0))
    }

    fn advance(&mut self, session: &str, to: Seq) {
        match self.cursors.get_mut(session) {
            Some(cursor) => *cursor = to,
            None => {
                self.cursors.insert(session.to_owned(), to);
            }
        }
    }
}

impl Subscriptions {
    /// Adds a subscription.
    ///
    /// # Errors
    ///
    /// The problem with it: its id is in use, its session is unknown, its
    /// `after` lies in the future, or there are too many already.
    pub(super) fn add(&mut self, sessions: &Sessions, frame: Subscribe) -> Result<(), Problem> {
        let invalid = |detail: String| Problem::new(ProblemKind::InvalidRequest, detail);
        if self.list.iter().any(|known| known.sub == frame.sub) {
            return Err(invalid(format!("`sub` {} is in use", frame.sub)));
        }
        if self.list.len() >= MAX_SUBSCRIPTIONS {
            return Err(Problem::new(
                ProblemKind::RateLimited,
                format!("a socket has at most {MAX_SUBSCRIPTIONS} subscriptions"),
            ));
        }
        if let Some(name) = &frame.session
            && sessions.get(name).is_none()
        {
            let detail = format!("there is no session named {name:?}");
            return Err(Problem::new(ProblemKind::NotFound, detail).session(name));
        }
        let mut subscription = Subscription {
            sub: frame.sub,
            session: frame.session,
            filter: frame.names,
            cursors: BTreeMap::new(),
        };
        for session in sessions.iter() {
            if subscription.follows(session.name()) {
                let start = start(session, frame.after.as_ref(), &subscription)?;
                let start = match (start, frame.limit) {
                    (Some(after), Some(limit)) => session.log().tail(after, limit, |event| {
                        subscription.filter.matches_name(event.name())
                    }),
                    (Some(after), None) => after,
                    (None, _) => session.log().newest(),
                };
                subscription.advance(session.name(), start);
            }
        }
        self.list.push(subscription);
        Ok(())
    }

    /// Ends a subscription.
    ///
    /// # Errors
    ///
    /// The problem when there is none of that id.
    pub(super) fn remove(&mut self, sub: &ClientId) -> Result<(), Problem> {
        let Some(index) = self.list.iter().position(|known| known.sub == *sub) else {
            let detail = format!("`sub` {sub} is not subscribed");
            return Err(Problem::new(ProblemKind::InvalidRequest, detail));
        };
        self.list.remove(index);
        Ok(())
    }

    /// The next frames for the socket, and whether there may be more right
    /// away. Moves the cursors past what it returns.
    pub(super) fn next_frames(&mut self, sessions: &Sessions) -> (Vec<ServerFrame>, bool) {
        let mut frames = Vec::new();
        let mut more = false;
        for session in sessions.iter() {
            more |= self.read_session(session, &mut frames);
        }
        (frames, more)
    }

    /// Reads one batch of a session's log; whether it was a full one.
    fn read_session(&mut self, session: &Session, frames: &mut Vec<ServerFrame>) -> bool {
        let name = session.name();
        let followers = self.list.iter().filter(|sub| sub.follows(name));
        let Some(cursor) = followers.map(|sub| sub.cursor(name)).min() else {
            return false;
        };
        let page = session.log().read(cursor, BATCH);
        if let Some((_, to)) = page.gap {
            for sub in self.list.iter_mut().filter(|sub| sub.follows(name)) {
                let from = Seq(sub.cursor(name).0 + 1);
                if from <= to {
                    frames.push(ServerFrame::Gap(Gap {
                        sub: sub.sub.clone(),
                        session: name.to_owned(),
                        from,
                        to,
                    }));
                    sub.advance(name, to);
                }
            }
        }
        for entry in &page.entries {
            let mut subs = Vec::new();
            for sub in self.list.iter_mut().filter(|sub| sub.follows(name)) {
                if sub.cursor(name) < entry.seq {
                    sub.advance(name, entry.seq);
                    if sub.filter.matches_name(entry.event.name()) {
                        subs.push(sub.sub.clone());
                    }
                }
            }
            if !subs.is_empty() {
                frames.push(ServerFrame::Event(Event {
                    subs,
                    session: name.to_owned(),
                    seq: entry.seq,
                    received: entry.received.clone(),
                    event: entry.event.to_raw(),
                }));
            }
        }
        page.entries.len() == BATCH
    }
}

/// Where the subscription asks to start in this session; `None` for "from now
/// on".
fn start(
    session: &Session,
    after: Option<&After>,
    subscription: &Subscription,
) -> Result<Option<Seq>, Problem> {
    let name = session.name();
    let after = match after {
        None => return Ok(None),
        Some(After::One(after)) if subscription.session.is_some() => *after,
        Some(After::One(_)) => {
            return Err(Problem::new(
                ProblemKind::InvalidRequest,
                "`after` is a number, but no `session` is named; for all sessions it maps \
                 session names to numbers",
            ));
        }
        Some(After::Each(map)) => match map.get(name) {
            Some(after) => *after,
            None => return Ok(None),
        },
    };
    let newest = session.log().newest();
    if after > newest {
        let (after, newest) = (after.0, newest.0);
        let detail = format!("`after` is {after}, beyond the newest number {newest} of {name:?}");
        return Err(Problem::new(ProblemKind::InvalidRequest, detail).session(name));
    }
    Ok(Some(after))
}
