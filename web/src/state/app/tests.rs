use super::*;
use crate::state::events::{Feed, History, Query, Row};
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
    assert!(app.wanted_marks().is_none());
    assert!(!apply(&mut app, r#"{"type":"pong","id":1}"#).any());
    let (replay, wanted) = app.wanted_marks().unwrap();
    assert_eq!(wanted.len(), 1);
    // Where no log answers, the events are shown all the same.
    assert!(app.receive_links(replay, "vm", None).events);
    assert!(app.wanted_marks().is_none());
    assert!(!app.receive_links(replay, "vm", None).any());
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
fn a_session_that_is_loaded_in_part_does_not_stand_among_others() {
    let mut app = App::default();
    greet(
        &mut app,
        &["busy", "quiet"].map(|name| session(name, "running", 0)),
    );
    let mut event = |session: &str, seq: u64, second: u64| {
        let text = format!(
            r#"{{"type":"event","subs":[1],"session":"{session}","seq":{seq},
            "received":"2026-01-01T00:00:{second:02}Z","event":{{"event":"E"}}}}"#
        );
        apply(&mut app, &text);
    };
    for at in 0..HISTORY as u64 {
        event("busy", 501 + at, 20 + at / 100);
    }
    for (seq, second) in [(1, 5), (2, 19), (3, 25)] {
        event("quiet", seq, second);
    }
    apply(&mut app, r#"{"type":"pong","id":1}"#);
    let (replay, _) = app.wanted_marks().unwrap();
    app.receive_links(replay, "busy", None);
    // It stood between two events of the other.
    let lost = r#"[{"after":2,"time":"2026-01-01T00:00:10Z","running":false},
        {"after":2,"time":"2026-01-01T00:00:24Z","running":true}]"#;
    app.receive_links(replay, "quiet", Some(serde_json::from_str(lost).unwrap()));

    let shown = |session: Option<&str>| {
        let query = Query {
            session: session.map(Into::into),
            ..Query::default()
        };
        let mut feed = Feed::default();
        feed.set_query(query.clone(), &app.log);
        while feed.scan(&app.log, 300) {}
        let names = app.sessions.keys().map(String::as_str);
        let names = names.filter(|name| query.has_session(name));
        let history = History::before(names, &app.log, query.floor(&app.log));
        let wanted = history.wanted(&query).into_iter();
        let before = wanted.map(|wanted| wanted.parameters.replace("?marks=true&limit=500", ""));
        (feed.len(), before.collect::<Vec<_>>())
    };
    assert_eq!(
        shown(None),
        (HISTORY + 2, vec!["&before=501".into(), "&before=3".into()])
    );
    assert_eq!(shown(Some("quiet")), (5, vec!["&before=1".into()]));
    assert_eq!(shown(Some("busy")), (HISTORY, vec!["&before=501".into()]));

    // A page that was open before shows the same, and what comes.
    let mut feed = Feed::default();
    feed.set_query(Query::default(), &Log::default());
    assert_eq!(feed.refresh(&app.log), HISTORY + 2);
    event_at(&mut app, 1501, 40);
    assert_eq!(feed.refresh(&app.log), 1);

    // Where the numbers begin again, those of before mean nothing.
    let begin = |app: &App, feed: &Feed| {
        let history = History::before(["quiet"], &app.log, feed.floor());
        history.wanted(&Query::default())[0].parameters.clone()
    };
    assert_eq!(begin(&app, &feed), "?marks=true&limit=500&before=3");
    app.log.renumber();
    assert_eq!(begin(&app, &feed), "?marks=true&limit=500");
}

#[test]
fn what_comes_after_the_log_was_cleared_is_all_there() {
    let mut app = App::default();
    assert!(app.is_catching_up());
    greet(&mut app, &[session("vm", "running", 0)]);
    event_at(&mut app, 1, 0);
    mark(&mut app, &[]);
    app.log.clear();
    app.disconnected(0.0);
    greet(
        &mut app,
        &["other", "vm"].map(|name| session(name, "running", 0)),
    );
    for seq in 2..2_000 {
        event_at(&mut app, seq, 10);
    }
    apply(&mut app, r#"{"type":"pong","id":1}"#);
    let (replay, _) = app.wanted_marks().unwrap();
    assert!(app.is_catching_up());
    app.give_up_links(replay);
    assert!(app.log.has_events() && !app.is_catching_up());
    assert_eq!(Query::default().floor(&app.log), 0);
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
    let problem = r#"{"type":"/problems/invalid-request","status":400,"title":"t","detail":"d"}"#;
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

/// A session's state, as a hello or a session frame has it.
fn session(name: &str, state: &str, second: u32) -> String {
    let since = format!("2026-01-01T00:00:{second:02}Z");
    SESSION
        .replace("\"vm\"", &format!("\"{name}\""))
        .replace("\"running\"", &format!("\"{state}\""))
        .replace("2026-01-01T00:00:00Z", &since)
}

fn greet(app: &mut App, sessions: &[String]) {
    let sessions = sessions.join(",");
    let hello = format!(
        r#"{{"type":"hello","version":"1","journal":"j","role":"admin","sessions":[{sessions}]}}"#
    );
    apply(app, &hello);
    app.next_frame();
    apply(app, r#"{"type":"subscribed","sub":1}"#);
}

fn say(app: &mut App, session: &str) -> bool {
    apply(app, &format!(r#"{{"type":"session","session":{session}}}"#)).events
}

fn event_at(app: &mut App, seq: u64, second: u32) {
    let frame = format!(
        r#"{{"type":"event","subs":[1],"session":"vm","seq":{seq},
        "received":"2026-01-01T00:00:{second:02}Z","event":{{"event":"E{seq}"}}}}"#
    );
    apply(app, &frame);
}

/// Ends the replay; answers what was asked of the log, whose answer is these
/// marks: after which event, whether running, when.
fn mark(app: &mut App, links: &[(u64, bool, u32)]) -> Vec<String> {
    apply(app, r#"{"type":"pong","id":1}"#);
    let (replay, wanted) = app.wanted_marks().unwrap();
    let asked = wanted.into_iter().map(|wanted| wanted.parameters).collect();
    app.receive_links(replay, "vm", Some(marks(links)));
    asked
}

fn marks(links: &[(u64, bool, u32)]) -> Vec<LinkMark> {
    let link = |(after, running, second): &(u64, bool, u32)| {
        format!(r#"{{"after":{after},"time":"2026-01-01T00:00:{second:02}Z","running":{running}}}"#)
    };
    let links = links.iter().map(link);
    links
        .map(|link| serde_json::from_str(&link).unwrap())
        .collect()
}

/// What is told, oldest first.
fn told(app: &App) -> String {
    let mut feed = Feed::default();
    feed.set_query(Query::default(), &app.log);
    feed.scan(&app.log, usize::MAX);
    let word = |row: &std::sync::Arc<Row>| match &row.what {
        What::Event(event) => event.name.to_string(),
        What::Link(link) if link.running => "up".to_owned(),
        What::Link(_) => "down".to_owned(),
        What::NotLoaded { .. } => "not loaded".to_owned(),
        What::Gap { .. } => "gap".to_owned(),
        What::Renumbered => "renumbered".to_owned(),
        What::Command(_) => "command".to_owned(),
    };
    feed.rows().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_became_of_the_endpoint_is_between_the_replayed_events() {
    let mut app = App::default();
    greet(&mut app, &[session("vm", "running", 40)]);
    event_at(&mut app, 7, 10);
    event_at(&mut app, 8, 20);
    let gap = r#"{"type":"gap","sub":1,"session":"vm","from":9,"to":90}"#;
    apply(&mut app, gap);
    event_at(&mut app, 91, 50);
    // How it was before the first event is no news.
    let asked = mark(
        &mut app,
        &[
            (6, true, 5),
            (7, false, 15),
            (7, true, 16),
            (8, false, 30),
            (90, true, 40),
        ],
    );
    assert_eq!(
        asked,
        ["?marks=true&limit=1&names=-&where=%21%40.event&after=6"]
    );
    assert_eq!(told(&app), "E7 down up E8 down gap up E91");
    // From then on the session itself says it.
    assert!(say(&mut app, &session("vm", "retrying", 55)));
    assert!(!say(&mut app, &session("vm", "connecting", 56)));
    assert!(say(&mut app, &session("vm", "running", 57)));
    assert!(told(&app).ends_with("E91 down up"));
}

#[test]
fn a_session_without_events_tells_what_became_of_it() {
    let mut app = App::default();
    greet(&mut app, &[session("vm", "running", 40)]);
    let asked = mark(&mut app, &[(0, true, 5), (0, false, 15), (0, true, 40)]);
    assert_eq!(asked, ["?marks=true&limit=1&names=-&where=%21%40.event"]);
    assert_eq!(told(&app), "down up");
    // Where it came up first, that is how it is.
    let mut app = App::default();
    greet(&mut app, &[session("vm", "running", 5)]);
    mark(&mut app, &[(0, true, 5)]);
    assert_eq!(told(&app), "");
}

#[test]
fn a_mark_and_what_the_session_says_are_told_once_whichever_is_first() {
    // The log is ahead of the socket by two changes.
    let mut app = App::default();
    greet(&mut app, &[session("vm", "running", 5)]);
    event_at(&mut app, 1, 6);
    mark(&mut app, &[(0, true, 5), (1, false, 10), (1, true, 11)]);
    assert_eq!(told(&app), "E1 down up");
    assert!(!say(&mut app, &session("vm", "retrying", 10)));
    assert!(!say(&mut app, &session("vm", "running", 11)));
    assert!(say(&mut app, &session("vm", "retrying", 12)));
    assert_eq!(told(&app), "E1 down up down");

    // The socket is ahead of the log, while that is asked.
    let mut app = App::default();
    greet(&mut app, &[session("vm", "running", 5)]);
    event_at(&mut app, 1, 6);
    apply(&mut app, r#"{"type":"pong","id":1}"#);
    let (replay, _) = app.wanted_marks().unwrap();
    assert!(!say(&mut app, &session("vm", "retrying", 10)));
    let answer = marks(&[(0, true, 5)]);
    assert!(app.receive_links(replay, "vm", Some(answer)).events);
    assert_eq!(told(&app), "E1 down");

    // Another one lost and regained before the log has answered.
    let mut app = App::default();
    greet(&mut app, &[session("vm", "retrying", 5)]);
    event_at(&mut app, 1, 1);
    mark(&mut app, &[(0, true, 0), (1, false, 4), (1, true, 9)]);
    assert!(!say(&mut app, &session("vm", "connecting", 8)));
    assert!(!say(&mut app, &session("vm", "running", 9)));
    assert_eq!(told(&app), "E1 down up");
}

#[test]
fn what_happened_while_the_connection_was_gone_is_in_its_place() {
    let mut app = App::default();
    greet(&mut app, &[session("vm", "running", 5)]);
    event_at(&mut app, 1, 6);
    mark(&mut app, &[(0, true, 5)]);
    assert!(say(&mut app, &session("vm", "retrying", 7)));
    app.disconnected(0.0);
    greet(&mut app, &[session("vm", "running", 30)]);
    event_at(&mut app, 2, 20);
    event_at(&mut app, 3, 31);
    let links = [(1, false, 7), (1, true, 10), (2, false, 25), (2, true, 30)];
    let asked = mark(&mut app, &links);
    assert!(asked[0].ends_with("&after=1"), "{asked:?}");
    assert_eq!(told(&app), "E1 down up E2 down up E3");
    // The log does not answer: how it is now is told.
    app.disconnected(0.0);
    greet(&mut app, &[session("vm", "retrying", 40)]);
    event_at(&mut app, 4, 35);
    app.disconnected(0.0);
    assert!(told(&app).ends_with("E3 E4 down"));
    // A late answer of another connection is nothing.
    let late = app.receive_links(2, "vm", Some(marks(&links)));
    assert!(!late.any());
}

#[test]
fn every_log_is_waited_for_but_not_for_ever() {
    let mut app = App::default();
    let sessions = ["b", "vm"].map(|name| session(name, "running", 5));
    greet(&mut app, &sessions);
    event_at(&mut app, 1, 6);
    apply(&mut app, r#"{"type":"pong","id":1}"#);
    let (replay, wanted) = app.wanted_marks().unwrap();
    assert_eq!(wanted.len(), 2);
    let answer = marks(&[(1, false, 8), (1, true, 9)]);
    assert!(!app.receive_links(replay, "vm", Some(answer)).any());
    event_at(&mut app, 2, 10);
    assert_eq!(told(&app), "");
    assert!(app.give_up_links(replay).events);
    assert_eq!(told(&app), "E1 down up E2");
    assert!(!app.receive_links(replay, "b", None).any());
    assert!(!app.give_up_links(replay).any());
}

#[test]
fn among_events_that_were_not_loaded_a_mark_has_no_place() {
    let mut app = App::default();
    greet(&mut app, &[session("vm", "running", 5)]);
    event_at(&mut app, 1, 6);
    mark(&mut app, &[(0, true, 5)]);
    app.disconnected(0.0);
    greet(&mut app, &[session("vm", "running", 30)]);
    event_at(&mut app, 10, 31);
    let links = [
        (1, false, 7),
        (1, true, 8),
        (4, false, 20),
        (4, true, 21),
        (9, false, 29),
        (9, true, 30),
    ];
    mark(&mut app, &links);
    assert_eq!(told(&app), "E1 down up not loaded down up E10");
}
