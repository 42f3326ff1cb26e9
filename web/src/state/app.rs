//! The whole state of a signed-in page, reduced frame by frame.

use std::collections::{BTreeMap, BTreeSet};

use qmp_shared::model::Seq;
use qmp_shared::rest::{Problem, ProblemKind, SessionInfo, SessionState};
use qmp_shared::wire::{After, ClientFrame, ClientId, Ping, ServerFrame, Subscribe, Unsubscribe};
use serde_json::value::RawValue;

use super::awaited::Fate;
use super::events::{Commands, EventRow, LinkRow, Log, Replay, What};
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
    /// While events are replayed, those that came.
    replay: Option<Replay>,
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
                let before = std::mem::replace(&mut self.sessions, sessions);
                changes.events = self.end_replay() | self.note_links(&before);
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
                self.removed.remove(&frame.session.name);
                let (name, info) = (frame.session.name.clone(), frame.session);
                let before = self.sessions.insert(name.clone(), info);
                changes.events =
                    self.note_links(&before.map(|info| (name, info)).into_iter().collect());
            }
            ServerFrame::Removed(removed) => {
                changes.sessions = true;
                self.sessions.remove(&removed.name);
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
                let awaited = exchange_of(&gap.sub).and_then(|id| self.exchanges.awaited(id));
                if let Some(awaited) = awaited {
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
                    let awaited = exchange_of(&sub).and_then(|id| self.exchanges.awaited(id));
                    if let Some(awaited) = awaited {
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
                    }
                }
                (None, None) => {}
            },
            ServerFrame::Subscribed(subscribed) if !is_everything(&subscribed.sub) => (),
            ServerFrame::Subscribed(_) => {
                changes.events = self.refused.take().is_some();
                self.replay = Some(Replay::default());
                self.next_step = NextStep::Ping;
            }
            ServerFrame::Pong(pong) => {
                changes.events = number(&pong.id) == Some(REPLAYED) && self.end_replay();
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

    fn subscribe(&self) -> ClientFrame {
        let is_replay = self.cursors.is_empty();
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
            limit: Some(if is_replay { HISTORY } else { RESUMED }),
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

    /// Puts what was replayed into the log; answers whether there was any.
    fn end_replay(&mut self) -> bool {
        let mut any = false;
        for (session, what) in self.replay.take().into_iter().flat_map(Replay::into_rows) {
            self.log.push(&session, what);
            any = true;
        }
        any
    }

    /// The numbers that we know are not the console's.
    fn renumber(&mut self) {
        self.cursors.clear();
        self.log.renumber();
    }

    /// Notes which sessions lost or regained their endpoint, compared with what
    /// was known of them; answers whether one did.
    fn note_links(&mut self, before: &Sessions) -> bool {
        let is_running = |info: &SessionInfo| info.state == SessionState::Running;
        let mut any = false;
        for (name, before) in before {
            if let Some(now) = self.sessions.get(name)
                && is_running(before) != is_running(now)
            {
                self.log.push(name, What::Link(LinkRow::of_session(now)));
                any = true;
            }
        }
        any
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
mod tests {
    use super::*;
    use crate::state::events::{Feed, Query};
    use crate::state::exchanges::{Key, Progress, Purpose, Sent};

    fn apply(app: &mut App, text: &str) -> Changes {
        app.apply(ServerFrame::decode(text).unwrap().unwrap(), 100.0)
    }

    fn hello(app: &mut App, journal: &str) -> Changes {
        let session = SESSION;
        apply(
            app,
            &format!(
                r#"{{"type":"hello","version":"1","journal":"{journal}","role":"admin","sessions":[{session}]}}"#
            ),
        )
    }

    const SESSION: &str = r#"{"name":"vm","kind":"qmp","address":"unix:/x","state":"running",
        "since":"2026-01-01T00:00:00Z",
        "counters":{"connections":1,"commands":0,"events":0,"dropped":0}}"#;

    fn event(app: &mut App, seq: u64) -> Changes {
        apply(
            app,
            &format!(
                r#"{{"type":"event","subs":[1],"session":"vm","seq":{seq},"received":"","event":{{"event":"A"}}}}"#
            ),
        )
    }

    fn rows(app: &App) -> usize {
        let mut feed = Feed::default();
        feed.set_query(Query::default(), &app.log);
        feed.scan(&app.log, usize::MAX);
        feed.len()
    }

    fn subscription(app: &mut App) -> String {
        serde_json::to_string(&app.next_frame().unwrap()).unwrap()
    }

    #[test]
    fn subscribes_from_the_start_then_goes_on_where_it_left_off() {
        let mut app = App::default();
        assert!(hello(&mut app, "j").sessions);
        assert_eq!(
            subscription(&mut app),
            r#"{"type":"subscribe","sub":1,"after":{"vm":0},"limit":1000}"#
        );
        event(&mut app, 7);
        hello(&mut app, "j");
        assert_eq!(
            subscription(&mut app),
            r#"{"type":"subscribe","sub":1,"after":{"vm":7},"limit":20000}"#
        );
        // Once for each hello.
        assert!(app.next_frame().is_none());
        event(&mut app, 8);
        assert!(app.next_frame().is_none());
    }

    #[test]
    fn a_session_without_events_misses_none_while_the_connection_is_gone() {
        let mut app = App::default();
        hello(&mut app, "j");
        let other = SESSION.replace("\"vm\"", "\"b\"");
        apply(
            &mut app,
            &format!(r#"{{"type":"session","session":{other}}}"#),
        );
        event(&mut app, 7);
        app.next_step = NextStep::Subscribe;
        assert!(subscription(&mut app).contains(r#""after":{"b":0,"vm":7}"#));
    }

    #[test]
    fn a_console_with_fewer_numbers_is_asked_anew() {
        let refusal = r#"{"type":"error","sub":1,"problem":{"type":"/problems/invalid-request",
            "status":400,"title":"t","detail":"`after` is 7, beyond the newest number 2"}}"#;
        let mut app = App::default();
        hello(&mut app, "j");
        event(&mut app, 7);
        hello(&mut app, "j");
        app.next_frame();
        assert!(apply(&mut app, refusal).events);
        assert!(app.refused.is_none());
        assert!(subscription(&mut app).contains(r#""after":{"vm":0}"#));
        assert_eq!(rows(&app), 2);
        // No second time: that would go on for ever.
        apply(&mut app, refusal);
        assert!(app.refused.is_some() && app.next_frame().is_none());
    }

    #[test]
    fn what_was_not_replayed_is_told() {
        let mut app = App::default();
        hello(&mut app, "j");
        event(&mut app, 900);
        assert_eq!(rows(&app), 1);
        event(&mut app, 30_000);
        assert_eq!(rows(&app), 3);
        event(&mut app, 30_001);
        assert_eq!(rows(&app), 4);
    }

    #[test]
    fn what_is_replayed_is_in_the_order_of_time() {
        let event = |session: &str, seq: u64, second: u64| {
            format!(
                r#"{{"type":"event","subs":[1],"session":"{session}","seq":{seq},
                "received":"2026-01-01T00:00:{second:02}Z","event":{{"event":"{session}{seq}"}}}}"#
            )
        };
        let names = |app: &App| {
            let mut feed = Feed::default();
            feed.set_query(Query::default(), &app.log);
            feed.scan(&app.log, usize::MAX);
            let rows = (0..feed.len()).filter_map(|at| feed.row(at));
            let name = |row: &std::sync::Arc<crate::state::events::Row>| match &row.what {
                What::Event(event) => event.name.to_string(),
                other => format!("{other:?}"),
            };
            rows.map(name).collect::<Vec<_>>()
        };
        let mut app = App::default();
        hello(&mut app, "j");
        app.next_frame();
        apply(&mut app, r#"{"type":"subscribed","sub":1}"#);
        let ping = app.next_frame().unwrap();
        let ping = serde_json::to_string(&ping).unwrap();
        assert_eq!(ping, r#"{"type":"ping","id":1}"#);
        // The clock of the console was put back between a2 and a3.
        for (session, seq, second) in [("a", 1, 10), ("a", 2, 30), ("a", 3, 25), ("b", 1, 20)] {
            assert!(!apply(&mut app, &event(session, seq, second)).any());
        }
        // Another ping is no end.
        assert!(!apply(&mut app, r#"{"type":"pong","id":0}"#).any());
        assert!(apply(&mut app, r#"{"type":"pong","id":1}"#).events);
        assert_eq!(names(&app), ["a1", "b1", "a2", "a3"]);
        assert!(apply(&mut app, &event("b", 2, 5)).events);
        assert_eq!(names(&app), ["a1", "b1", "a2", "a3", "b2"]);
        // What a lost connection leaves is not lost.
        hello(&mut app, "j");
        apply(&mut app, r#"{"type":"subscribed","sub":1}"#);
        assert!(!apply(&mut app, &event("a", 4, 40)).any());
        assert!(app.disconnected(0.0).events);
        assert_eq!(names(&app).len(), 6);
    }

    #[test]
    fn another_journal_means_other_numbers() {
        let mut app = App::default();
        hello(&mut app, "j");
        event(&mut app, 7);
        assert!(hello(&mut app, "k").events);
        assert!(subscription(&mut app).contains(r#""after":{"vm":0}"#));
        assert!(event(&mut app, 1).events);
        assert_eq!(rows(&app), 3);
    }

    #[test]
    fn an_event_is_shown_once() {
        let mut app = App::default();
        hello(&mut app, "j");
        assert!(event(&mut app, 1).events);
        assert!(!event(&mut app, 1).any());
        assert_eq!(rows(&app), 1);
    }

    #[test]
    fn a_gap_is_a_row_but_not_before_the_first_event() {
        let gap = r#"{"type":"gap","sub":1,"session":"vm","from":2,"to":9}"#;
        let mut app = App::default();
        hello(&mut app, "j");
        assert!(!apply(&mut app, gap).any());
        event(&mut app, 10);
        let later = r#"{"type":"gap","sub":1,"session":"vm","from":11,"to":19}"#;
        assert!(apply(&mut app, later).events);
        assert_eq!(rows(&app), 2);
        hello(&mut app, "j");
        assert!(subscription(&mut app).contains(r#"{"vm":19}"#));
    }

    #[test]
    fn replies_and_refusals_find_their_command() {
        let mut app = App::default();
        let key = Key {
            session: "vm".into(),
            command: "x".into(),
            purpose: Purpose::User,
        };
        let id = app
            .exchanges
            .begin(key.clone(), Sent::default(), 90.0)
            .unwrap();
        let frame = format!(r#"{{"type":"reply","id":{id},"return":{{ "a":1.50 }}}}"#);
        assert!(apply(&mut app, &frame).exchanges);
        let Progress::Finished {
            elapsed,
            result: Ok(text),
        } = &app.exchanges.latest(&key).unwrap().progress
        else {
            panic!()
        };
        assert_eq!((*elapsed, &**text), (10.0, r#"{ "a":1.50 }"#));

        let id = app
            .exchanges
            .begin(key.clone(), Sent::default(), 90.0)
            .unwrap();
        let problem =
            r#"{"type":"/problems/invalid-request","status":400,"title":"t","detail":"d"}"#;
        apply(
            &mut app,
            &format!(r#"{{"type":"error","id":{id},"problem":{problem}}}"#),
        );
        let progress = &app.exchanges.latest(&key).unwrap().progress;
        assert!(matches!(
            progress,
            Progress::Finished { result: Err(_), .. }
        ));
        apply(
            &mut app,
            &format!(r#"{{"type":"error","sub":1,"problem":{problem}}}"#),
        );
        assert_eq!(app.refused.as_ref().unwrap().detail, "d");
        apply(&mut app, r#"{"type":"subscribed","sub":1}"#);
        assert!(app.refused.is_none());
    }

    fn expecting(app: &mut App, now: f64) -> (Key, u64) {
        let key = Key {
            session: "vm".into(),
            command: "x".into(),
            purpose: Purpose::User,
        };
        let expect = r#"{"names":["STOP"],"timeout":2}"#;
        let mut sent = Sent::default();
        sent.waits.expect = serde_json::from_str(expect).unwrap();
        let at = Instant::from_millis(0.0);
        let id = app.begin(key.clone(), sent, now, at).unwrap();
        (key, id)
    }

    fn fate(app: &App, key: &Key) -> Fate {
        let exchange = app.exchanges.latest(key).unwrap();
        exchange.awaited.clone().unwrap().fate
    }

    fn unwatched(app: &mut App) -> String {
        serde_json::to_string(&app.unwatch()).unwrap()
    }

    fn reply(app: &mut App, id: u64) {
        apply(
            app,
            &format!(r#"{{"type":"reply","id":{id},"return":{{}}}}"#),
        );
    }

    #[test]
    fn an_event_is_awaited_by_a_subscription_of_its_own() {
        let mut app = App::default();
        hello(&mut app, "j");
        let (key, id) = expecting(&mut app, 0.0);
        assert_eq!(id, 1);
        let watch = app.watch(id, "vm").unwrap();
        assert_eq!(
            serde_json::to_string(&watch).unwrap(),
            r#"{"type":"subscribe","sub":2,"session":"vm","names":["STOP"]}"#
        );
        assert!(!apply(&mut app, r#"{"type":"subscribed","sub":2}"#).any());
        // Neither its bookmarks nor its gaps are those of the log.
        apply(
            &mut app,
            r#"{"type":"bookmark","sub":2,"session":"vm","seq":50}"#,
        );
        event(&mut app, 7);
        reply(&mut app, id);
        assert_eq!(fate(&app, &key), Fate::Waiting);
        let both = r#"{"type":"event","subs":[1,2],"session":"vm","seq":8,"received":"",
            "event":{"event": "STOP"}}"#;
        let changes = apply(&mut app, both);
        assert!(changes.events && changes.exchanges);
        assert_eq!(fate(&app, &key), Fate::Came(r#"{"event": "STOP"}"#.into()));
        assert_eq!(unwatched(&mut app), r#"[{"type":"unsubscribe","sub":2}]"#);
        assert_eq!(rows(&app), 2);
        // One that is on its way still is nobody's.
        let late = both.replace("[1,2]", "[2]").replace("8", "9");
        assert!(!apply(&mut app, &late).any());
        assert_eq!((rows(&app), app.unwatch().len()), (2, 0));
    }

    #[test]
    fn an_event_is_awaited_no_longer() {
        // Too late, after a gap.
        let mut app = App::default();
        hello(&mut app, "j");
        let (key, id) = expecting(&mut app, 50.0);
        assert_eq!(app.deadline(), None);
        reply(&mut app, id);
        assert_eq!(app.deadline(), Some(2_100.0));
        apply(
            &mut app,
            r#"{"type":"gap","sub":2,"session":"vm","from":2,"to":9}"#,
        );
        assert!(!app.expire(2_099.0) && app.expire(2_100.0));
        assert_eq!((fate(&app, &key), app.deadline()), (Fate::Late, None));
        let why = app.exchanges.latest(&key).unwrap().awaited.clone().unwrap();
        assert!(why.why_not().unwrap().contains("lost meanwhile"));
        assert_eq!(unwatched(&mut app), r#"[{"type":"unsubscribe","sub":2}]"#);
        // Given up.
        let (_, id) = expecting(&mut app, 0.0);
        app.give_up(id);
        assert_eq!((fate(&app, &key), app.unwatch().len()), (Fate::GivenUp, 1));
        // The command failed.
        let (_, id) = expecting(&mut app, 0.0);
        let problem = Problem::new(ProblemKind::ExecuteError, "no");
        app.finish(id, Err(problem), 1.0);
        assert_eq!((fate(&app, &key), app.unwatch().len()), (Fate::Failed, 1));
        // There are too many subscriptions.
        let (_, id) = expecting(&mut app, 0.0);
        let refusal = format!(
            r#"{{"type":"error","sub":{},"problem":{{"type":"/problems/rate-limited",
            "status":429,"title":"t","detail":"64"}}}}"#,
            EVERYTHING + id
        );
        assert!(apply(&mut app, &refusal).exchanges && app.refused.is_none());
        assert!(matches!(fate(&app, &key), Fate::Refused(_)) && app.unwatch().is_empty());
        // The connection is gone.
        let (_, id) = expecting(&mut app, 0.0);
        reply(&mut app, id);
        app.disconnected(1.0);
        assert_eq!(
            (fate(&app, &key), app.unwatch().len()),
            (Fate::Disconnected, 0)
        );
    }

    #[test]
    fn sessions_come_and_change() {
        let mut app = App::default();
        let frame = format!(r#"{{"type":"session","session":{SESSION}}}"#);
        assert!(apply(&mut app, &frame).sessions);
        apply(&mut app, &frame.replace("running", "retrying"));
        assert_eq!(app.sessions["vm"].state.as_str(), "retrying");
        assert_eq!(app.sessions.len(), 1);
    }

    #[test]
    fn a_session_that_was_removed_is_remembered_until_it_comes_back() {
        let mut app = App::default();
        hello(&mut app, "j");
        assert!(!app.was_removed("vm"));
        assert!(apply(&mut app, r#"{"type":"removed","name":"vm"}"#).sessions);
        assert!(app.sessions.is_empty() && app.was_removed("vm"));
        let frame = format!(r#"{{"type":"session","session":{SESSION}}}"#);
        apply(&mut app, &frame);
        assert!(!app.was_removed("vm"));
        // Removed while nobody was connected.
        let empty = r#"{"type":"hello","version":"1","journal":"j","role":"admin","sessions":[]}"#;
        apply(&mut app, empty);
        assert!(app.was_removed("vm"));
        for n in 0..2 * REMEMBERED {
            apply(&mut app, &format!(r#"{{"type":"removed","name":"{n}"}}"#));
        }
        assert_eq!(app.removed.len(), REMEMBERED);
    }
}
