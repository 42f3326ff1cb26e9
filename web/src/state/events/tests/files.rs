//! Files of events.

use super::*;

#[test]
fn a_file_holds_what_was_shown() {
    let mut log = log(&[("vm", 1, "A"), ("b", 2, "B")]);
    log.push(
        "vm",
        What::Gap {
            from: Seq(2),
            to: Seq(3),
        },
    );
    let text = write_ndjson(feed(Query::default(), &log).rows());
    let line = r#"{"session":"vm","seq":1,"received":"2026-01-01T00:00:00.000001Z","event":{"event":"A","data":{"n": 1}}}"#;
    assert_eq!(text.lines().next(), Some(line));
    let read = read_ndjson(&text).unwrap().log;
    assert_eq!(write_ndjson(feed(Query::default(), &read).rows()), text);
    // As REST exports it, and with blank lines.
    let rest = "{\"seq\":7,\"received\":\"2026-01-01T00:00:00Z\",\"event\":{\"event\":\"X\"}}\n\n";
    assert_eq!(
        names(&feed(Query::default(), &read_ndjson(rest).unwrap().log)),
        ["X"]
    );
    // As a monitor sends it.
    let bare =
        r#"{"timestamp": {"seconds": 2, "microseconds": 3}, "event": "Y", "data": {"n": 5}}"#;
    let log = read_ndjson(bare).unwrap().log;
    let shown = feed(Query::default(), &log);
    assert_eq!(names(&shown), ["Y"]);
    let What::Event(event) = &shown.row(0).unwrap().what else {
        panic!()
    };
    assert_eq!(
        (&*event.text, event.received),
        (bare, Some(Instant(2_000_003)))
    );
    let neither = read_ndjson(r#"{"seq":3,"event":5}"#)
        .unwrap_err()
        .to_string();
    assert!(
        neither.starts_with("line 1: `event` is neither"),
        "{neither}"
    );
    let broken = read_ndjson("\n{\"a").unwrap_err().to_string();
    assert!(!broken.contains("at line 1"), "{broken}");
    // What can be read of a capture that was cut off is.
    let cut_off = text.clone() + "{}\n" + &text[..text.len() / 2];
    let opened = read_ndjson(&cut_off).unwrap();
    let broken = opened.broken.unwrap();
    let first = broken.first.to_string();
    assert!(
        first.starts_with("line 4: missing field `event`"),
        "{first}"
    );
    assert_eq!(broken.count, 2);
    assert!(opened.log.has_events() && read_ndjson(&text).unwrap().broken.is_none());
}

#[test]
fn a_file_says_what_is_missing_in_it() {
    let mut log = log(&[("vm", 1, "A")]);
    let link = |running, cause: Option<&str>| {
        What::Link(LinkRow {
            running,
            at: Instant::parse(RECEIVED),
            cause: cause.map(str::to_owned),
        })
    };
    log.push("vm", link(false, Some("reset\u{202e}")));
    log.push("vm", link(true, None));
    let (from, to) = (Seq(2), Seq(3));
    log.push("vm", What::Gap { from, to });
    log.push("b", What::NotLoaded { from, to });
    log.push("", What::Renumbered);
    log.push("vm", event(4, "B"));
    let written = feed(Query::default(), &log);
    let text = write_ndjson(written.rows());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[1..6],
        [
            "{\"session\":\"vm\",\"link\":{\"time\":\"2026-01-01T00:00:00.000001Z\",\"running\":false,\"cause\":\"reset\u{202e}\"}}",
            r#"{"session":"vm","link":{"time":"2026-01-01T00:00:00.000001Z","running":true}}"#,
            r#"{"session":"vm","gap":{"from":2,"to":3}}"#,
            r#"{"session":"b","not_loaded":{"from":2,"to":3}}"#,
            r#"{"renumbered":true}"#,
        ]
    );
    let read = read_ndjson(&text).unwrap().log;
    let read = feed(Query::default(), &read);
    let whats = |feed: &Feed| format!("{:?}", feed.rows().map(|row| &row.what).collect::<Vec<_>>());
    assert_eq!(whats(&read), whats(&written));
    let broken = read_ndjson(r#"{"gap":{"from":1}}"#)
        .unwrap_err()
        .to_string();
    assert!(broken.starts_with("line 1: missing field `to`"), "{broken}");
    assert!(read_ndjson(r#"{"renumbered":false}"#).is_err());
    // What no script can hold is an event all the same.
    let half = r#"{"event":"HALF","data":{"half":"\ud800"}}"#;
    assert_eq!(
        feed(Query::default(), &read_ndjson(half).unwrap().log).len(),
        1
    );
}

#[test]
fn of_a_file_that_is_too_long_the_oldest_go() {
    let line = |seq| format!("{{\"seq\":{seq},\"event\":{{\"event\":\"A\"}}}}\n");
    let text: String = (0..MAX_ROWS + 7).map(line).collect();
    let log = read_ndjson(&text).unwrap().log;
    assert_eq!(log.dropped(), 7);
    assert_eq!(feed(Query::default(), &log).len(), MAX_ROWS);
}

#[test]
fn what_else_a_monitor_sends_is_passed_over() {
    let capture = concat!(
        "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n",
        "{\"return\": {}}\r\n{\"return\": null, \"id\": 7}\n",
        "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n",
        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n",
    );
    let read = read_ndjson(capture).unwrap();
    assert_eq!(names(&feed(Query::default(), &read.log)), ["STOP"]);
    assert_eq!(read.skipped, 4);
    assert!(read_ndjson(r#"{"execute": "stop"}"#).is_err());
    for text in ["[{\"event\": \"A\"}]", "[", "5", "no"] {
        let error = read_ndjson(text).unwrap_err().to_string();
        assert_eq!(error, "line 1: each line must be one JSON object");
    }
}
