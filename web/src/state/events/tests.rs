use std::sync::Arc;

use qmp_shared::model::Seq;
use qmp_shared::rest::EventPage;
use serde_json::value::RawValue;

use super::log::{MAX_BYTES, MAX_ROWS};
use super::*;
use crate::state::time::Instant;

mod files;
mod typed;

const RECEIVED: &str = "2026-01-01T00:00:00.000001Z";

fn event(seq: u64, name: &str) -> What {
    event_of(
        seq,
        RECEIVED,
        &format!(r#"{{"event":"{name}","data":{{"n": {seq}}}}}"#),
    )
}

fn event_of(seq: u64, received: &str, text: &str) -> What {
    let text = RawValue::from_string(text.to_owned()).unwrap();
    What::Event(EventRow::new(Seq(seq), received, text))
}

/// All of the log that passes.
fn feed(query: Query, log: &Log) -> Feed {
    let mut feed = Feed::default();
    show(&mut feed, query, log);
    feed
}

fn show(feed: &mut Feed, query: Query, log: &Log) {
    feed.set_query(query, log);
    while feed.scan(log, 3) {}
}

fn log(rows: &[(&str, u64, &str)]) -> Log {
    let mut log = Log::default();
    for (session, seq, name) in rows {
        log.push(session, event(*seq, name));
    }
    log
}

fn names(feed: &Feed) -> Vec<String> {
    let name = |row: &Arc<Row>| match &row.what {
        What::Event(event) => event.name.to_string(),
        What::NotLoaded { from, to } => format!("not loaded {} to {}", from.0, to.0),
        What::Gap { from, to } => format!("gap {from}-{to}"),
        What::Link(link) => format!(
            "{} {}",
            if link.running { "up" } else { "down" },
            row.session
        ),
        What::Renumbered => "renumbered".into(),
        What::Command(command) => format!("{} {}", command.name, command.word()),
    };
    let mut names: Vec<_> = feed.rows().map(name).collect();
    names.reverse();
    names
}

fn query(session: Option<&str>, filter: &str) -> Query {
    Query {
        session: session.map(Into::into),
        except: Vec::new(),
        filter: filter.parse().unwrap(),
        until: None,
        commands: false,
    }
}

#[test]
fn newest_first_and_verbatim() {
    let log = log(&[("vm", 1, "STOP"), ("vm", 2, "RESUME")]);
    let feed = feed(Query::default(), &log);
    assert_eq!(names(&feed), ["RESUME", "STOP"]);
    let What::Event(event) = &feed.row(0).unwrap().what else {
        panic!()
    };
    assert_eq!(&*event.text, r#"{"event":"STOP","data":{"n": 1}}"#);
    assert_eq!(event.summary(), r#"{"n": 1}"#);
    assert_eq!(event.received.unwrap().0 % 10, 1);
}

#[test]
fn filters_by_session_and_name_but_never_hides_a_gap() {
    let mut log = log(&[("vm", 1, "STOP"), ("qsd", 1, "STOP"), ("vm", 2, "RESUME")]);
    log.push(
        "vm",
        What::Gap {
            from: Seq(3),
            to: Seq(9),
        },
    );
    let mut feed = feed(Query::default(), &log);
    assert!(feed.query().is_everything());
    show(&mut feed, query(Some("vm"), "STOP"), &log);
    assert!(!feed.query().is_everything());
    assert_eq!(names(&feed), ["gap 3-9", "STOP"]);
    show(&mut feed, query(None, "RE*"), &log);
    assert_eq!(names(&feed), ["gap 3-9", "RESUME"]);
    show(&mut feed, query(Some("qsd"), ""), &log);
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
    let mut feed = feed(query(None, "A,B"), &log);
    feed.pause();
    for (seq, name) in [(2, "B"), (3, "C"), (4, "A")] {
        log.push("vm", event(seq, name));
    }
    assert_eq!(feed.refresh(&log), 0);
    assert_eq!((feed.waiting(), feed.len()), (2, 1));
    show(&mut feed, query(None, ""), &log);
    assert_eq!((feed.waiting(), feed.len()), (3, 1));
    feed.resume(&log);
    assert_eq!((feed.waiting(), feed.len()), (0, 4));
    assert!(!feed.is_paused());
}

#[test]
fn clear_forgets_also_while_paused() {
    let mut log = log(&[("vm", 1, "A")]);
    let mut feed = feed(Query::default(), &log);
    feed.pause();
    log.push("vm", event(2, "B"));
    feed.refresh(&log);
    log.clear();
    feed.clear(&log);
    assert_eq!((feed.waiting(), feed.len()), (0, 0));
    log.push("vm", event(3, "C"));
    feed.refresh(&log);
    assert_eq!((feed.waiting(), feed.len()), (1, 0));
    feed.resume(&log);
    assert_eq!(names(&feed), ["C"]);
}

#[test]
fn the_oldest_go_and_are_counted() {
    let mut log = Log::default();
    let mut feed = feed(Query::default(), &log);
    for seq in 0..MAX_ROWS as u64 + 5 {
        log.push("vm", event(seq, "A"));
        feed.refresh(&log);
    }
    assert_eq!(log.dropped(), 5);
    assert_eq!(feed.len(), MAX_ROWS);
    let oldest = feed.row(0).unwrap().number;
    assert_eq!(feed.position(oldest), Some(0));
    assert_eq!(feed.position(oldest - 1), None);
    assert_eq!(log.start("vm", 0), Some(Seq(5)));
}

#[test]
fn a_paused_page_that_was_overtaken_catches_up() {
    let mut log = log(&[("vm", 0, "OLD")]);
    let mut feed = feed(Query::default(), &log);
    feed.pause();
    for seq in 1..=MAX_ROWS as u64 + 1 {
        log.push("vm", event(seq, "A"));
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
        log.push("vm", event(seq, &big));
    }
    let kept = feed(Query::default(), &log).len() as u64;
    assert!(kept < 3);
    assert_eq!(log.dropped() + kept, 4);
}

#[test]
fn an_event_whose_name_rust_cannot_hold_is_still_shown() {
    let mut log = Log::default();
    log.push("vm", event_of(1, RECEIVED, r#"{"event":"\ud800"}"#));
    assert_eq!(names(&feed(Query::default(), &log)), ["?"]);
}

#[test]
fn an_expression_filters_and_what_it_cannot_look_into_is_counted() {
    let mut log = log(&[("vm", 1, "A"), ("vm", 2, "A"), ("vm", 3, "B")]);
    log.push(
        "vm",
        event_of(4, RECEIVED, r#"{"event":"A","data":{"n":"\ud800"}}"#),
    );
    let text = FilterText {
        names: "A".into(),
        expression: "@.data.n > 1".into(),
        ..FilterText::default()
    };
    let mut feed = feed(text.query().unwrap(), &log);
    assert_eq!((feed.len(), feed.unevaluable()), (1, 1));
    log.push("vm", event(5, "A"));
    assert_eq!(feed.refresh(&log), 1);
}

#[test]
fn rows_are_looked_at_once_however_they_come() {
    let mut log = log(&[("vm", 1, "A"), ("vm", 2, "B"), ("vm", 3, "C")]);
    let mut feed = Feed::default();
    feed.set_query(Query::default(), &log);
    assert!(feed.scan(&log, 1));
    log.push("vm", event(4, "D"));
    feed.refresh(&log);
    feed.pause();
    log.push("vm", event(5, "E"));
    feed.refresh(&log);
    feed.resume(&log);
    assert!(!feed.scan(&log, 10));
    assert_eq!(names(&feed), ["E", "D", "C", "B", "A"]);
}

#[test]
fn a_query_while_paused_and_resumed_before_all_is_looked_at() {
    let mut log = log(&[("vm", 1, "A")]);
    let mut feed = feed(Query::default(), &log);
    feed.pause();
    log.push("vm", event(2, "B"));
    feed.refresh(&log);
    feed.set_query(query(None, "*"), &log);
    feed.resume(&log);
    while feed.scan(&log, 1) {}
    assert_eq!(names(&feed), ["B", "A"]);
}

#[test]
fn counts_follow_what_is_shown() {
    let mut log = log(&[("vm", 1, "A"), ("qsd", 1, "A"), ("vm", 2, "B")]);
    let mut feed = feed(Query::default(), &log);
    let facets = feed.facets();
    assert_eq!(facets.names(), [("A".into(), 2), ("B".into(), 1)]);
    assert_eq!(facets.sessions(), [("vm".into(), 2), ("qsd".into(), 1)]);
    assert_eq!(facets.rate(None).most(), 3);
    show(&mut feed, query(None, "B"), &log);
    assert_eq!(feed.facets().names(), [("B".into(), 1)]);
    log.clear();
    feed.clear(&log);
    assert_eq!(feed.facets().names(), []);
    assert_eq!(feed.facets().rate(None), Rate::default());
}

#[test]
fn a_rate_has_all_that_fits() {
    let mut log = Log::default();
    for (seq, second) in [(1, 10), (2, 10), (3, 50)] {
        let received = format!("2026-01-01T00:00:{second}Z");
        log.push("vm", event_of(seq, &received, r#"{"event":"A"}"#));
    }
    let feed = feed(Query::default(), &log);
    let rate = feed.facets().rate(None);
    assert_eq!(
        (rate.step, rate.bars.iter().sum::<u64>(), rate.most()),
        (1, 3, 2)
    );
    assert_eq!(rate.bars.last(), Some(&1));
    // An hour later the same events are further to the left.
    let later = Instant::parse("2026-01-01T01:00:00Z");
    let rate = feed.facets().rate(later);
    assert_eq!(
        (rate.step, rate.bars.iter().sum::<u64>(), rate.bars.last()),
        (120, 3, Some(&0))
    );
}

fn page(events: &[(u64, &str)], marks: &str) -> EventPage {
    let events: Vec<_> = events
        .iter()
        .map(|(seq, time)| format!(r#"{{"seq":{seq},"received":"2026-01-01T00:00:{time}Z","event":{{"event":"E{seq}"}}}}"#))
        .collect();
    let text = format!(
        r#"{{"events":[{}],"next":0,"marks":{marks}}}"#,
        events.join(",")
    );
    serde_json::from_str(&text).unwrap()
}

const NO_MARKS: &str = r#"{"gaps":[],"links":[]}"#;

#[test]
fn history_goes_on_before_the_tabs_own_events_in_the_order_of_time() {
    let mut log = Log::default();
    log.push("a", event(100, "LIVE"));
    let mut feed = feed(Query::default(), &log);
    let mut history = History::before(["a", "b"], &log, 0);
    let wanted = history.wanted(feed.query());
    assert_eq!(wanted[0].parameters, "?marks=true&limit=500&before=100");
    assert_eq!(wanted[1].parameters, "?marks=true&limit=500");
    let marks = r#"{"gaps":[{"from":3,"to":8}],"links":[{"after":9,"time":"2026-01-01T00:00:07Z","running":false}]}"#;
    history.receive("a", page(&[(2, "01"), (9, "05"), (10, "09")], marks));
    // Nothing is told before the other session has answered.
    assert!(history.take().is_empty());
    assert_eq!(history.wanted(feed.query()).len(), 1);
    history.receive("b", page(&[(1, "03"), (2, "08")], NO_MARKS));
    let rows = history.take();
    assert!(history.is_exhausted() && history.wanted(feed.query()).is_empty());
    assert_eq!(feed.put_before(rows, &log), 7);
    let expected = ["LIVE", "E10", "E2", "down a", "E9", "gap 3-8", "E1", "E2"];
    assert_eq!(names(&feed), expected);
    let numbers: Vec<_> = feed.rows().map(|row| feed.position(row.number)).collect();
    assert_eq!(numbers, (0..8).map(Some).collect::<Vec<_>>());
    // What the tab lets go of stays now.
    log.clear();
    feed.refresh(&log);
    assert_eq!(feed.len(), 8);
}

#[test]
fn full_pages_are_followed_by_others_and_marks_at_their_edge_are_told_once() {
    let mut history = History::before(["a"], &log(&[("a", 1000, "LIVE")]), 0);
    let link =
        r#"{"gaps":[],"links":[{"after":499,"time":"2026-01-01T00:00:07Z","running":true}]}"#;
    let events: Vec<_> = (500..1000).map(|seq| (seq, "10")).collect();
    history.receive("a", page(&events, link));
    assert_eq!(history.take().len(), 501);
    assert!(!history.is_exhausted());
    let wanted = history.wanted(&Query::default());
    assert_eq!(wanted[0].parameters, "?marks=true&limit=500&before=500");
    history.receive("a", page(&[(499, "05")], link));
    assert_eq!(history.take().len(), 1);
    assert!(history.is_exhausted());
    // A session that is gone holds up nobody.
    let mut history = History::before(["a"], &Log::default(), 0);
    history.give_up("a");
    assert!(history.is_exhausted());
}

#[test]
fn marks_that_the_tab_told_are_not_told_again_by_the_log() {
    let told = |running, second| {
        What::Link(LinkRow {
            running,
            at: Instant::parse(&format!("2026-01-01T00:00:{second:02}Z")),
            cause: None,
        })
    };
    let link = |after, running, second| {
        format!(r#"{{"after":{after},"time":"2026-01-01T00:00:{second:02}Z","running":{running}}}"#)
    };
    let links = [
        link(3, true, 1),
        link(5, true, 2),
        link(5, false, 10),
        link(5, true, 20),
    ];
    let marks = format!(r#"{{"gaps":[],"links":[{}]}}"#, links.join(","));
    let mut older = page(&[(4, "01"), (5, "05")], &marks);
    older.next = Seq(5);
    let mut log = log(&[("vm", 5, "OLD")]);
    // As the session says it, a little later than the log.
    log.push("vm", told(false, 12));
    log.push("vm", told(true, 20));
    log.push("vm", event(6, "NEW"));
    log.drop_oldest();
    let mut feed = feed(Query::default(), &log);
    let mut history = History::before(["vm"], &log, 0);
    history.receive("vm", older);
    feed.put_before(history.take(), &log);
    assert_eq!(
        names(&feed),
        ["NEW", "up vm", "down vm", "up vm", "E5", "E4", "up vm"]
    );
    // A gap that the tab lets go of is in the log.
    log.push(
        "vm",
        What::Gap {
            from: Seq(7),
            to: Seq(9),
        },
    );
    for _ in 0..4 {
        log.drop_oldest();
    }
    assert_eq!(log.start("vm", 0), Some(Seq(10)));
}

#[test]
fn a_time_to_look_back_from_leaves_out_what_is_live() {
    let log = log(&[("vm", 1, "A")]);
    let text = FilterText {
        until: "2026-01-01T00:00:00.000000Z".into(),
        expression: "@.data.n > 1".into(),
        names: "A,B*".into(),
        ..FilterText::default()
    };
    let query = text.query().unwrap();
    let mut feed = feed(query.clone(), &log);
    assert_eq!((feed.len(), feed.refresh(&log)), (0, 0));
    let mut history = History::until(["vm"], query.until.unwrap());
    let wanted = history.wanted(&query);
    assert_eq!(
        wanted[0].parameters,
        "?marks=true&limit=500&names=A%2CB%2A&where=%40.data.n%20%3E%201&until=2026-01-01T00%3A00%3A00.000000Z"
    );
    let later = r#"{"gaps":[],"links":[{"after":0,"time":"2026-01-01T00:00:07Z","running":true}]}"#;
    history.receive("vm", page(&[], later));
    assert!(history.take().is_empty() && history.is_exhausted());
    let address = text.address();
    assert!(
        address.starts_with("/events?names=A%2CB%2A&where=") && address.contains("&until=2026-")
    );
}

#[test]
fn filters_in_words_and_with_another_condition() {
    let mut text = FilterText::default();
    assert!(text.is_empty() && text.words().is_empty());
    text = text.and("@.data.a == 1").and("@.data.b");
    assert_eq!(text.expression, "@.data.a == 1 && @.data.b");
    text.expression = "@.x || @.y".into();
    let both = text.and("@.z");
    assert_eq!(both.expression, "(@.x || @.y) && @.z");
    assert_eq!(both.and("@.a").expression, "(@.x || @.y) && @.z && @.a");
    text.session = "vm".into();
    text.names = "STOP".into();
    assert_eq!(text.words(), "session vm · STOP · @.x || @.y");
    text.expression = "@.x ==".into();
    assert_eq!(text.parse_expression().unwrap_err().column(), Some(7));
    assert!(text.query().is_none());
}

#[test]
fn what_is_not_right_leaves_what_applied_before() {
    let log = log(&[("f", 1, "TICK"), ("vm", 1, "STOP"), ("vm", 2, "TICK")]);
    let mut text = FilterText {
        session: "vm".into(),
        names: "STOP".into(),
        ..FilterText::default()
    };
    let before = FilterText {
        names: "TICK".into(),
        expression: " @.data.n > 1".into(),
        ..FilterText::default()
    };
    let applied = text.applied(&before);
    assert_eq!((&applied, text.not_applied(&applied)), (&text, Vec::new()));
    text.expression = "@.data.n =".into();
    let applied = text.applied(&FilterText::default());
    assert_eq!(names(&feed(applied.query().unwrap(), &log)), ["STOP"]);
    let words = text.not_applied(&applied);
    assert_eq!(words, ["“Where” is not valid: not applied."]);
    (text.names, text.until) = ("\"".repeat(300), "soon".into());
    let applied = text.applied(&before);
    let query = applied.query().unwrap();
    assert_eq!((query.session.as_deref(), query.until), (Some("vm"), None));
    assert_eq!(names(&feed(query, &log)), ["TICK"]);
    assert_eq!(
        text.not_applied(&applied),
        [
            "“Filter by name” is not valid: TICK still applies.",
            "“Where” is not valid: @.data.n > 1 still applies.",
            "“Until” is not valid: not applied.",
        ]
    );
}

#[test]
fn sessions_are_left_out_and_taken_in_again() {
    let mut log = log(&[("a", 1, "A"), ("b", 1, "B"), ("c", 1, "C")]);
    log.push("", What::Renumbered);
    let text = FilterText::default();
    let text = text.without_session("a").unwrap();
    let both = text.without_session("c").unwrap();
    assert_eq!(both.address(), "/events?except=a%2Cc");
    assert_eq!(both.words(), "without session a,c");
    let query = both.query().unwrap();
    assert!(!query.is_everything());
    assert_eq!(names(&feed(query, &log)), ["renumbered", "B"]);
    let again = both.with_session("a");
    assert_eq!(again.left_out().collect::<Vec<_>>(), ["c"]);
    assert_eq!(
        names(&feed(again.query().unwrap(), &log)),
        ["renumbered", "B", "A"]
    );
    assert_eq!(both.only_session("c").address(), "/events?session=c");
    // What a file may have for a session, and what is left out already.
    for name in ["", "x,y", "a"] {
        assert_eq!(text.without_session(name), None);
    }
    assert_eq!(text.only_session("b").without_session("a"), None);
    let kept = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<FilterText>(&kept).unwrap(), both);
}

#[test]
fn what_is_no_time_is_said() {
    let until = |until: &str| FilterText {
        until: until.into(),
        ..FilterText::default()
    };
    assert_eq!(until("").parse_until(), Ok(None));
    assert_eq!(
        until("soon\u{202e}").parse_until().unwrap_err(),
        "“soon\\u202e” is no time such as 2026-01-31T14:03:59Z"
    );
    assert!(until(&"x".repeat(1000)).parse_until().unwrap_err().len() < 150);
    assert!(until("soon").query().is_none() && until(RECEIVED).query().is_some());
}

#[test]
fn a_cleared_log_says_so_and_the_earliest_event_is_known() {
    let mut log = log(&[("vm", 1, "A")]);
    let shown = feed(Query::default(), &log);
    assert_eq!(shown.earliest(), Instant::parse("2026-01-01T00:00:00Z"));
    assert!(log.has_events() && !log.was_cleared());
    log.clear();
    assert!(!log.has_events() && log.was_cleared());
    assert_eq!(feed(Query::default(), &log).earliest(), None);
}
