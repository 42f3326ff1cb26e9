//! The subscriptions of one socket: which events it gets, and in what frames.
//!
//! No socket in here, and no waiting but for the disk, where old events are.
//! Each subscription is a set of cursors, one for each session that it follows;
//! [`Subscriptions::next_frames`] moves them forward together, so that an event
//! which several subscriptions accept goes out once, naming them all.

use std::collections::BTreeMap;

use axum::extract::ws::Utf8Bytes;
use qmp_shared::filter::EventFilter;
use qmp_shared::model::Seq;
use qmp_shared::rest::{Problem, ProblemKind};
use qmp_shared::wire::{After, Bookmark, ClientId, Event, Gap, ServerFrame, Subscribe};

use super::super::events::filter;
use super::super::problem::of_store;
use crate::journal::{Entry, Item, Page, StoreError};
use crate::session::{Roster, Session};

/// Most subscriptions on one socket.
const MAX_SUBSCRIPTIONS: usize = 64;

/// Most entries that are read from one session before the others' turn.
const BATCH: usize = 256;

/// Most entries that are looked at in one step backwards.
const STEP: usize = 1000;

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
    /// By session. One that is not in here was added later, and is followed
    /// from then on.
    cursors: BTreeMap<String, Cursor>,
}

/// How far a subscription is in a session's log.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// The last number that was looked at.
    seen: Seq,
    /// The last number that the client can know of.
    told: Seq,
}

impl Subscription {
    fn follows(&self, session: &str) -> bool {
        self.session.as_deref().is_none_or(|only| only == session)
    }

    fn seen(&self, session: &str) -> Seq {
        self.cursors
            .get(session)
            .map_or(Seq(0), |cursor| cursor.seen)
    }

    /// Makes a cursor for a session that was added later.
    fn meet(&mut self, session: &Session) {
        let name = session.name();
        if self.follows(name) && !self.cursors.contains_key(name) {
            let start = session.log().start();
            self.on(name).cursor.advance(start, true);
        }
    }

    /// Itself, on one session.
    fn on(&mut self, session: &str) -> Follower<'_> {
        Follower {
            sub: &self.sub,
            filter: &self.filter,
            cursor: self.cursors.entry(session.to_owned()).or_default(),
            accepted: false,
        }
    }
}

/// A subscription on a session, while a page of its log is looked at.
struct Follower<'a> {
    sub: &'a ClientId,
    filter: &'a EventFilter,
    cursor: &'a mut Cursor,
    /// Whether it accepts the event that is looked at.
    accepted: bool,
}

impl Cursor {
    fn advance(&mut self, to: Seq, told: bool) {
        self.seen = to;
        if told {
            self.told = to;
        }
    }
}

impl Subscriptions {
    /// Adds a subscription to sessions of the roster. Those that are `followed`
    /// still, though they were removed, have their cursors too, or would be met
    /// later as if they were new.
    ///
    /// # Errors
    ///
    /// The problem with it: its id is in use, its session is unknown, its
    /// expression is none, its `after` lies in the future, or there are too
    /// many already.
    pub(super) async fn add(
        &mut self,
        roster: &Roster,
        followed: &Roster,
        frame: Subscribe,
    ) -> Result<(), Problem> {
        if self.list.iter().any(|known| known.sub == frame.sub) {
            let detail = format!("`sub` {} is in use", frame.sub);
            return Err(Problem::new(ProblemKind::StateError, detail));
        }
        if self.list.len() >= MAX_SUBSCRIPTIONS {
            return Err(Problem::new(
                ProblemKind::RateLimited,
                format!("a socket has at most {MAX_SUBSCRIPTIONS} subscriptions"),
            ));
        }
        if let Some(name) = &frame.session
            && !roster.contains_key(name)
        {
            let detail = format!("there is no session named {name:?}");
            return Err(Problem::new(ProblemKind::NotFound, detail).session(name));
        }
        let mut subscription = Subscription {
            sub: frame.sub,
            session: frame.session,
            filter: filter(frame.names, frame.expression.as_deref())?,
            cursors: BTreeMap::new(),
        };
        let removed = followed
            .iter()
            .filter(|(name, _)| !roster.contains_key(*name));
        for (name, session) in roster.iter().chain(removed) {
            if subscription.follows(name) {
                let start = start(session, frame.after.as_ref(), &subscription)?;
                let start = match (start, frame.limit) {
                    (Some(after), Some(limit)) => {
                        let tail = tail(session, after, limit, &subscription.filter);
                        tail.await.map_err(of_store)?
                    }
                    (Some(after), None) => after,
                    (None, _) => session.log().newest(),
                };
                subscription.on(name).cursor.advance(start, true);
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
    ///
    /// # Errors
    ///
    /// When events cannot be read from disk; the cursors are where they were.
    pub(super) async fn next_frames(
        &mut self,
        roster: &Roster,
    ) -> Result<(Vec<Utf8Bytes>, bool), StoreError> {
        let mut frames = Vec::new();
        let mut more = false;
        for (name, session) in roster {
            for subscription in &mut self.list {
                subscription.meet(session);
            }
            let followers = self.list.iter().filter(|sub| sub.follows(name));
            let Some(cursor) = followers.map(|sub| sub.seen(name)).min() else {
                continue;
            };
            let page = match session.log().recent(cursor, BATCH) {
                Some(page) => page,
                None => session.log().read(cursor, BATCH).await?,
            };
            more |= page.more;
            self.take(session, &page, &mut frames);
        }
        Ok((frames, more))
    }

    /// Tells the subscriptions how far they have looked since the client could
    /// know of it last.
    pub(super) fn bookmarks(&mut self) -> Vec<ServerFrame> {
        let mut frames = Vec::new();
        for Subscription { sub, cursors, .. } in &mut self.list {
            for (session, cursor) in cursors {
                if cursor.seen > cursor.told {
                    cursor.told = cursor.seen;
                    frames.push(ServerFrame::Bookmark(Bookmark {
                        sub: sub.clone(),
                        session: session.clone(),
                        seq: cursor.seen,
                    }));
                }
            }
        }
        frames
    }

    /// The frames of a page of a session's log.
    fn take(&mut self, session: &Session, page: &Page, frames: &mut Vec<Utf8Bytes>) {
        if page.items.is_empty() {
            return;
        }
        let name = session.name();
        let followers = self.list.iter_mut().filter(|sub| sub.follows(name));
        let mut followers: Vec<_> = followers.map(|sub| sub.on(name)).collect();
        let mut key = String::new();
        frames.reserve(page.items.len());
        for item in &page.items {
            match item {
                Item::Gap(_, to) => skip(name, *to, &mut followers, frames),
                Item::Entry(entry) => {
                    frames.extend(event(session, entry, &mut followers, &mut key));
                }
            }
        }
    }
}

/// Numbers up to this one are lost.
fn skip(name: &str, to: Seq, followers: &mut [Follower<'_>], frames: &mut Vec<Utf8Bytes>) {
    for Follower { sub, cursor, .. } in followers {
        let from = Seq(cursor.seen.0 + 1);
        if from <= to {
            frames.push(text(&ServerFrame::Gap(Gap {
                sub: sub.clone(),
                session: name.to_owned(),
                from,
                to,
            })));
            cursor.advance(to, true);
        }
    }
}

/// The frame of an event, if any subscription accepts it. Most who follow a
/// session follow it alike, so that the first who writes a frame writes it for
/// all; the key says for which subscriptions it is.
fn event(
    session: &Session,
    entry: &Entry,
    followers: &mut [Follower<'_>],
    key: &mut String,
) -> Option<Utf8Bytes> {
    key.clear();
    for follower in followers.iter_mut() {
        let new = follower.cursor.seen < entry.seq;
        follower.accepted = new && session.matches(follower.filter, &entry.event);
        if new {
            follower.cursor.advance(entry.seq, follower.accepted);
        }
        if follower.accepted {
            key.push_str(follower.sub.get());
            key.push(',');
        }
    }
    if key.is_empty() {
        return None;
    }
    if let Some(text) = entry.shared::<Utf8Bytes>(key) {
        return Some(text.clone());
    }
    let accepting = followers.iter().filter(|follower| follower.accepted);
    let text = text(&ServerFrame::Event(Event {
        subs: accepting.map(|follower| follower.sub.clone()).collect(),
        session: session.name().to_owned(),
        seq: entry.seq,
        received: entry.received_text(),
        event: entry.event.to_raw(),
    }));
    entry.share(key, text.len(), || text.clone());
    Some(text)
}

/// A frame as it is sent.
pub(super) fn text(frame: &ServerFrame) -> Utf8Bytes {
    serde_json::to_string(frame)
        .expect("a frame is JSON")
        .into()
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

/// The cursor that leaves at most `limit` accepted entries after it, the newest
/// ones, and none at or before `after`.
async fn tail(
    session: &Session,
    after: Seq,
    limit: usize,
    filter: &EventFilter,
) -> Result<Seq, StoreError> {
    let newest = session.log().newest();
    let mut first = Seq(newest.0 + 1);
    let mut left = limit;
    while first.0 > after.0 + 1 {
        let entries = session.log().read_before(first, STEP).await?;
        if entries.is_empty() {
            break;
        }
        for entry in entries.iter().rev() {
            if entry.seq <= after {
                return Ok(after);
            }
            if session.matches(filter, &entry.event) {
                if left == 0 {
                    return Ok(entry.seq);
                }
                left -= 1;
            }
            first = entry.seq;
        }
    }
    Ok(after)
}
