//! The whole state of a signed-in page, reduced frame by frame.

use std::collections::{BTreeMap, BTreeSet};

use qmp_shared::model::Seq;
use qmp_shared::rest::{LinkMark, Problem, ProblemKind, SessionInfo};
use qmp_shared::wire::{After, ClientFrame, ClientId, Ping, ServerFrame, Subscribe, Unsubscribe};
use serde_json::value::RawValue;

use super::awaited::{Awaited, Fate};
use super::events::{
    Commands, EventRow, Known, LinkRow, Links, Log, Replay, Wanted, What, is_running,
};
use super::exchanges::{Answer, Exchange, Exchanges, Key, Sent};
use super::sessions::Sessions;
use super::time::Instant;

/// Id of the subscription to every event of every session. Those that wait for
/// an event of one command have the numbers after it.
const EVERYTHING: u64 = 1;

/// Id of the ping that is answered when the replay is over.
const REPLAYED: u64 = 1;

/// Most events of each session that are replayed when the page is opened.
const HISTORY: usize = 1_000;

/// Most events of each session that are replayed after the connection was lost.
const RESUMED: usize = 20_000;

/// Most names that are remembered of sessions that were removed.
const REMEMBERED: usize = 1_000;

/// Everything that the console told this page.
#[derive(Debug, Default)]
pub(crate) struct App {
    /// The console's version; empty before the first hello.
    pub(crate) version: String,
    /// All sessions.
    pub(crate) sessions: Sessions,
    /// The events seen.
    pub(crate) log: Log,
    /// Commands and replies.
    pub(crate) exchanges: Exchanges,
    /// The commands among the rows of the log.
    pub(crate) commands: Commands,
    /// Why the console refused our subscription.
    pub(crate) refused: Option<Problem>,
    journal: Option<String>,
    cursors: BTreeMap<String, Seq>,
    /// The replay that begins when the console has subscribed this tab.
    coming: Option<Replay>,
    /// While events are replayed, those that came.
    replay: Option<Replay>,
    /// Most events of each session that were asked for.
    limit: usize,
    /// How many replays there were.
    replays: u64,
    /// Whether all events of the replay came, and the marks were not asked for.
    is_replayed: bool,
    links: Links,
    /// Names of sessions that were here and are not any more.
    removed: BTreeSet<String>,
    /// The exchanges whose subscription is to be ended.
    unwatched: Vec<u64>,
    next_step: NextStep,
}

/// What the page asks the console for next, without its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum NextStep {
    /// Nothing.
    #[default]
    None,
    /// The events, on a new connection or with other numbers.
    Subscribe,
    /// To be told when the replay is over.
    Ping,
}

/// Which parts a frame changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The sessions, or the console's version.
    pub(crate) sessions: bool,
    /// The log of events.
    pub(crate) events: bool,
    /// The exchanges.
    pub(crate) exchanges: bool,
}

impl Changes {
    /// What either of them changed.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            sessions: self.sessions || other.sessions,
            events: self.events || other.events,
            exchanges: self.exchanges || other.exchanges,
        }
    }

    /// Whether anything changed.
    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }
}

impl App {
    /// Reduces one frame; `now` in milliseconds of the page's clock.
    pub(crate) fn apply(&mut self, frame: ServerFrame, now: f64) -> Changes {
        let mut changes = Changes::default();
        match frame {
            ServerFrame::Hello(hello) => {
                changes.sessions = true;
                self.version = hello.version;
                let sessions = hello.sessions.into_iter();
                let sessions = sessions.map(|info| (info.name.clone(), info)).collect();
                changes.events = self.end_replay();
                let before = std::mem::replace(&mut self.sessions, sessions);
                self.prepare_replay(&before);
                before.into_keys().for_each(|name| self.remember(name));
                if self
                    .journal
                    .as_ref()
                    .is_some_and(|journal| *journal != hello.journal)
                {
                    changes.events = true;
                    self.renumber();
                }
                self.journal = Some(hello.journal);
                self.next_step = NextStep::Subscribe;
            }
            ServerFrame::Session(frame) => {
                changes.sessions = true;
                if !is_running(&frame.session) {
                    self.exchanges.may_miss(&frame.session.name);
                }
                self.removed.remove(&frame.session.name);
                let name = frame.session.name.clone();
                let before = self.sessions.insert(name.clone(), frame.session);
                changes.events = before.is_some_and(|before| self.note_link(&before));
            }
            ServerFrame::Removed(removed) => {
                changes.sessions = true;
                self.sessions.remove(&removed.name);
                self.log.forget_floors();
                self.remember(removed.name);
            }
            ServerFrame::Bookmark(bookmark) => {
                if is_everything(&bookmark.sub) {
                    self.cursors.insert(bookmark.session, bookmark.seq);
                }
            }
            ServerFrame::Event(event) => {
                for id in event.subs.iter().filter_map(exchange_of) {
                    let came = Fate::Came(event.event.get().into());
                    changes.exchanges |= self.settle(id, came);
                }
                let is_new = event.subs.iter().any(is_everything);
                let cursor = self.cursors.get(&event.session).copied();
                if is_new && cursor.is_none_or(|cursor| event.seq > cursor) {
                    // Older ones than this tab could hold were not asked for.
                    if let Some(Seq(last)) = cursor
                        && event.seq.0 - last > 1
                    {
                        let what = What::NotLoaded {
                            from: Seq(last + 1),
                            to: Seq(event.seq.0 - 1),
                        };
                        changes.events |= self.tell(&event.session, what);
                    }
                    self.cursors.insert(event.session.clone(), event.seq);
                    let row = EventRow::new(event.seq, &event.received, event.event);
                    changes.events |= self.tell(&event.session, What::Event(row));
                }
            }
            ServerFrame::Gap(gap) if !is_everything(&gap.sub) => {
                if let Some(awaited) = self.awaited_by(&gap.sub) {
                    awaited.has_gap = true;
                }
            }
            ServerFrame::Gap(gap) => {
                // What is missing before the first event of a session was
                // never going to be shown here.
                if self.cursors.contains_key(&gap.session) {
                    let what = What::Gap {
                        from: gap.from,
                        to: gap.to,
                    };
                    changes.events |= self.tell(&gap.session, what);
                }
                self.cursors.insert(gap.session, gap.to);
            }
            ServerFrame::Reply(reply) => {
                changes.exchanges = true;
                if let Some(id) = number(&reply.id) {
                    changes.events = self.finish(id, reply.into_result(), now);
                }
            }
            ServerFrame::Error(error) => match (error.id.as_ref().and_then(number), error.sub) {
                (Some(id), _) => {
                    changes.exchanges = true;
                    changes.events = self.finish(id, Err(error.problem), now);
                }
                (None, Some(sub)) if !is_everything(&sub) => {
                    if let Some(awaited) = self.awaited_by(&sub) {
                        changes.exchanges = true;
                        awaited.fate = Fate::Refused(error.problem.into());
                    }
                }
                (None, Some(_)) => {
                    changes.events = true;
                    if error.problem.kind == ProblemKind::InvalidRequest && !self.cursors.is_empty()
                    {
                        // The console has fewer numbers than we saw, as after
                        // its data were put back from a copy.
                        self.renumber();
                        self.next_step = NextStep::Subscribe;
                    } else {
                        self.refused = Some(error.problem);
                        self.end_replay();
                    }
                }
                (None, None) => {}
            },
            ServerFrame::Subscribed(subscribed) if !is_everything(&subscribed.sub) => (),
            ServerFrame::Subscribed(_) => {
                changes.events = self.refused.take().is_some();
                self.replay = Some(self.coming.take().unwrap_or_default());
                self.replays += 1;
                self.next_step = NextStep::Ping;
            }
            ServerFrame::Pong(pong) => {
                if number(&pong.id) == Some(REPLAYED) {
                    let is_unknown = self.replay.as_ref().is_some_and(Replay::knows_none);
                    self.is_replayed = !is_unknown;
                    changes.events = is_unknown && self.end_replay();
                }
            }
        }
        changes
    }

    /// The connection is gone.
    pub(crate) fn disconnected(&mut self, now: f64) -> Changes {
        let mut changes = Changes {
            exchanges: true,
            events: self.end_replay(),
            ..Changes::default()
        };
        let waiting: Vec<_> = self.exchanges.waiting().map(|it| it.id).collect();
        for id in waiting {
            self.settle(id, Fate::Disconnected);
        }
        // The subscriptions went with the connection.
        self.unwatched.clear();
        for (id, answer) in self.exchanges.interrupt(now) {
            changes.events |= self.note_answer(id, &answer);
        }
        changes
    }

    /// Begins an exchange and answers its id, as [`Exchanges::begin`]; `at` is
    /// the time of day.
    pub(crate) fn begin(&mut self, key: Key, sent: Sent, now: f64, at: Instant) -> Option<u64> {
        let id = self.exchanges.begin(key.clone(), sent.clone(), now)?;
        if let Some(row) = self.commands.sent(id, &key, &sent, at) {
            self.log.push(&key.session, What::Command(row));
        }
        Some(id)
    }

    /// The answer to an exchange came; answers whether the log tells it.
    pub(crate) fn finish(
        &mut self,
        id: u64,
        result: Result<Box<RawValue>, Problem>,
        now: f64,
    ) -> bool {
        if result.is_err() {
            self.settle(id, Fate::Failed);
        }
        let answer = self.exchanges.finish(id, result, now);
        answer.is_some_and(|answer| self.note_answer(id, &answer))
    }

    /// The subscription that waits for the event of an exchange, if it does; to
    /// be sent before the command is, so that nothing is missed.
    pub(crate) fn watch(&mut self, id: u64, session: &str) -> Option<ClientFrame> {
        let expect = self.exchanges.awaited(id)?.expect.clone();
        Some(ClientFrame::Subscribe(Subscribe {
            sub: ClientId::from(EVERYTHING + id),
            session: Some(session.to_owned()),
            names: expect.names,
            expression: expect.expression,
            after: None,
            limit: None,
        }))
    }

    /// The user waits no longer for the event of an exchange.
    pub(crate) fn give_up(&mut self, id: u64) {
        self.settle(id, Fate::GivenUp);
    }

    /// When the next event that is awaited is late, in milliseconds of the
    /// page's clock.
    pub(crate) fn deadline(&self) -> Option<f64> {
        let deadlines = self.exchanges.waiting().filter_map(Exchange::deadline);
        deadlines.min_by(f64::total_cmp)
    }

    /// Waits no longer for the events that are late; answers whether any was.
    pub(crate) fn expire(&mut self, now: f64) -> bool {
        let is_late = |exchange: &&Exchange| exchange.deadline().is_some_and(|at| at <= now);
        let late: Vec<_> = self
            .exchanges
            .waiting()
            .filter(is_late)
            .map(|it| it.id)
            .collect();
        late.iter()
            .fold(false, |any, id| any | self.settle(*id, Fate::Late))
    }

    /// The event that a subscription waits for, if it still does.
    fn awaited_by(&mut self, sub: &ClientId) -> Option<&mut Awaited> {
        self.exchanges.awaited(exchange_of(sub)?)
    }

    /// What became of an event that is awaited; answers whether it still was.
    fn settle(&mut self, id: u64, fate: Fate) -> bool {
        let Some(awaited) = self.exchanges.awaited(id) else {
            return false;
        };
        awaited.fate = fate;
        self.unwatched.push(id);
        true
    }

    /// The frames that end the subscriptions of events that are not awaited any
    /// more.
    pub(crate) fn unwatch(&mut self) -> Vec<ClientFrame> {
        let ids = std::mem::take(&mut self.unwatched).into_iter();
        let frame = |id| {
            ClientFrame::Unsubscribe(Unsubscribe {
                sub: ClientId::from(EVERYTHING + id),
            })
        };
        ids.map(frame).collect()
    }

    fn note_answer(&mut self, id: u64, answer: &Answer) -> bool {
        let told = self.commands.answered(id, answer);
        told.is_some_and(|(session, row)| {
            self.log.push(&session, What::Command(row));
            true
        })
    }

    /// Whether what the console had already is still to come: it would come twice
    /// if its log was asked for it as well.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.journal.is_none() || self.coming.is_some() || self.replay.is_some()
    }

    /// Whether there was a session of that name, which was removed.
    pub(crate) fn was_removed(&self, name: &str) -> bool {
        self.removed.contains(name)
    }

    /// What to send after a frame was reduced, if anything: after each hello it
    /// is the subscription to every event of every session. The first time the
    /// latest ones are replayed, later it goes on where it left off. The console
    /// answers the ping after that when it has sent what it had.
    pub(crate) fn next_frame(&mut self) -> Option<ClientFrame> {
        match std::mem::take(&mut self.next_step) {
            NextStep::None => None,
            NextStep::Subscribe => Some(self.subscribe()),
            NextStep::Ping => Some(ClientFrame::Ping(Ping {
                id: ClientId::from(REPLAYED),
            })),
        }
    }

    fn subscribe(&mut self) -> ClientFrame {
        self.limit = match self.cursors.is_empty() {
            true => HISTORY,
            false => RESUMED,
        };
        // A session that had no event yet may have some by now.
        let cursor = |name: &String| self.cursors.get(name).copied().unwrap_or(Seq(0));
        let after = self
            .sessions
            .keys()
            .map(|name| (name.clone(), cursor(name)))
            .collect();
        ClientFrame::Subscribe(Subscribe {
            sub: ClientId::from(EVERYTHING),
            session: None,
            names: Default::default(),
            expression: None,
            after: Some(After::Each(after)),
            limit: Some(self.limit),
        })
    }

    /// Puts a row into the log, or to those that wait for the end of the replay;
    /// answers whether the log changed.
    fn tell(&mut self, session: &str, what: What) -> bool {
        let Some(replay) = &mut self.replay else {
            self.log.push(session, what);
            return true;
        };
        replay.push(session, what);
        replay.is_full() && self.end_replay()
    }

    /// The marks to ask the sessions' logs for, once after the events of each
    /// replay; and which replay it is.
    pub(crate) fn wanted_marks(&mut self) -> Option<(u64, Vec<Wanted>)> {
        let is_replayed = std::mem::take(&mut self.is_replayed);
        let replay = self.replay.as_mut().filter(|_| is_replayed)?;
        Some((self.replays, replay.ask()))
    }

    /// The log of a session answered with what became of its endpoint, or did
    /// not. With the last answer the replay is over.
    pub(crate) fn receive_links(
        &mut self,
        replay: u64,
        session: &str,
        links: Option<Vec<LinkMark>>,
    ) -> Changes {
        let current = self.replay.as_mut().filter(|_| replay == self.replays);
        let is_over = current.is_some_and(|current| current.receive(session, links));
        Changes {
            events: is_over && self.end_replay(),
            ..Changes::default()
        }
    }

    /// Does not wait any longer for the logs.
    pub(crate) fn give_up_links(&mut self, replay: u64) -> Changes {
        Changes {
            events: replay == self.replays && self.end_replay(),
            ..Changes::default()
        }
    }

    /// Puts what was replayed into the log, and what became of the endpoints in
    /// its places; answers whether there was any. Where a log did not tell it,
    /// what was said of the session has to do.
    fn end_replay(&mut self) -> bool {
        let Some(replay) = self.replay.take().or_else(|| self.coming.take()) else {
            return false;
        };
        let news = replay.settle(&mut self.links, &self.sessions);
        // Later, a row among the others says what was not loaded.
        let mut cut_off = match self.log.has_events() {
            true => BTreeSet::new(),
            false => replay.cut_off(self.limit),
        };
        let mut any = false;
        for (session, what) in replay.into_rows().chain(news) {
            if cut_off.remove(&session) {
                self.log.set_floor(&session);
            }
            self.log.push(&session, what);
            any = true;
        }
        any
    }

    /// The numbers that we know are not the console's.
    fn renumber(&mut self) {
        self.cursors.clear();
        self.log.renumber();
        if let Some(coming) = &mut self.coming {
            coming.renumber();
        }
    }

    /// Notes how the sessions were known, `before` on another connection.
    fn prepare_replay(&mut self, before: &Sessions) {
        let known = self.sessions.iter().map(|(name, now)| {
            let seen = self.cursors.get(name).copied();
            let known = Known::new(now, before.get(name), seen, &mut self.links);
            (name.as_str().into(), known)
        });
        self.coming = Some(Replay::new(known));
    }

    /// Tells when a session lost or regained its endpoint, compared with what
    /// was said of it before; answers whether it did. While events are replayed
    /// it has to wait for its place among them.
    fn note_link(&mut self, before: &SessionInfo) -> bool {
        let name = &before.name;
        let replay = self.replay.as_ref().or(self.coming.as_ref());
        let waits = replay.is_some_and(|replay| replay.knows(name));
        let Some(now) = self.sessions.get(name).filter(|_| !waits) else {
            return false;
        };
        let is_news = self.links.is_news(is_running(before), now);
        if is_news {
            self.log.push(name, What::Link(LinkRow::of_session(now)));
        }
        is_news
    }

    /// Keeps in mind that there was a session of that name, unless there is.
    fn remember(&mut self, name: String) {
        if self.sessions.contains_key(&name) {
            return;
        }
        if self.removed.len() >= REMEMBERED {
            self.removed.pop_first();
        }
        self.removed.insert(name);
    }
}

/// Whether it is the subscription to every event.
fn is_everything(sub: &ClientId) -> bool {
    number(sub) == Some(EVERYTHING)
}

/// The exchange that a subscription waits for an event of.
fn exchange_of(sub: &ClientId) -> Option<u64> {
    number(sub)?.checked_sub(EVERYTHING).filter(|id| *id > 0)
}

fn number(id: &ClientId) -> Option<u64> {
    id.get().parse().ok()
}

#[cfg(test)]
mod tests;
