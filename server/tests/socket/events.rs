//! Subscriptions: which events come, in what shape, and what is said of those
//! that cannot come any more.

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};

use crate::common::{Socket, TestServer, soon};

/// How many events a session keeps at most.
const KEPT: u64 = 50_000;

/// An endpoint where a command emits the event of its name.
async fn echo() -> Fake {
    let mut script = Script::default();
    for name in ["A", "B", "AB"] {
        script = script.on(name, [Action::event(name), Action::Return(json!({}))]);
    }
    Fake::start(script).await.unwrap()
}

async fn execute(socket: &mut Socket, session: &str, command: &str) -> Vec<Value> {
    let frame = json!({"type": "execute", "id": 0, "session": session, "execute": command});
    socket.send(&frame.to_string()).await;
    let frames = socket.until_reply().await;
    let mut frames: Vec<Value> = frames
        .iter()
        .map(|frame| serde_json::from_str(frame).unwrap())
        .collect();
    let reply = frames.pop().unwrap();
    assert!(reply.get("return").is_some(), "{reply}");
    frames
}

/// Subscribes and returns the frames that come of it at once.
async fn subscribe(socket: &mut Socket, members: &str) -> Vec<Value> {
    socket
        .send(&format!(r#"{{"type":"subscribe",{members}}}"#))
        .await;
    // Answered after all that the subscription replays.
    socket.send(r#"{"type":"ping","id":"replayed"}"#).await;
    soon(async {
        let mut frames = Vec::new();
        loop {
            let text = socket.receive().await.expect("the socket is open");
            let frame: Value = serde_json::from_str(&text).unwrap();
            match frame["type"].as_str().unwrap() {
                "hello" | "session" => {}
                "pong" => return frames,
                _ => frames.push(frame),
            }
        }
    })
    .await
}

/// What events say: session, number, name and whose they are.
fn told(frames: &[Value]) -> Vec<String> {
    frames
        .iter()
        .map(|frame| match frame["type"].as_str().unwrap() {
            "event" => format!(
                "{} {} {} {}",
                frame["session"].as_str().unwrap(),
                frame["seq"],
                frame["event"]["event"].as_str().unwrap(),
                frame["subs"]
            ),
            "subscribed" => format!("subscribed {}", frame["sub"]),
            "gap" => format!(
                "gap {} {} {}-{}",
                frame["sub"],
                frame["session"].as_str().unwrap(),
                frame["from"],
                frame["to"]
            ),
            _ => panic!("unexpected {frame}"),
        })
        .collect()
}

#[tokio::test]
async fn an_event_is_verbatim_with_its_number_and_the_time_of_its_arrival() {
    let events = [
        concat!(
            r#"{"timestamp": {"seconds": 1, "microseconds":2}, "event": "X", "data": "#,
            r#"{"z": 18446744073709551616, "a":  1.50, "A": [1e400, -0, "\ud800", "\u00e4"], "id": null}}"#
        ),
        "{\"event\":\"Y\",\r\n  \"extra\": {},\n\t\"timestamp\": {\"seconds\": -1, \"microseconds\": -1}}",
        r#"{"event":"Z","timestamp":{"seconds":1,"microseconds":2},"data":{"a":1,"a":2}}"#,
    ];
    let script = Script::default().on(
        "emit",
        [Action::send(events.concat()), Action::Return(json!({}))],
    );
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    socket.send(r#"{"type":"subscribe","sub":{"n": 1}}"#).await;
    socket
        .send(r#"{"type":"execute","id":0,"session":"vm","execute":"emit"}"#)
        .await;
    let frames = socket.until_reply().await;
    assert_eq!(frames.len(), 5, "{frames:?}");
    assert_eq!(frames[0], r#"{"type":"subscribed","sub":{"n": 1}}"#);
    for (index, event) in events.into_iter().enumerate() {
        let frame = &frames[index + 1];
        let seq = index + 1;
        let start = format!(
            r#"{{"type":"event","subs":[{{"n": 1}}],"session":"vm","seq":{seq},"received":""#
        );
        let received = frame
            .strip_prefix(&*start)
            .and_then(|rest| rest.strip_suffix(&format!(r#"","event":{event}}}"#)))
            .unwrap_or_else(|| panic!("not {start} ... {event}: {frame}"));
        let microseconds = "2026-01-01T00:00:00.000000Z";
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
        assert_eq!(shape(received), shape(microseconds));
    }
}

#[tokio::test]
async fn an_event_goes_once_to_all_subscriptions_that_accept_it() {
    let (one, two) = (echo().await, echo().await);
    let sessions = [("one", &one), ("two", &two)];
    let sessions = sessions.map(|(name, fake)| format!("{name}={}", fake.address()));
    let server = TestServer::start(&sessions).await;
    for name in ["one", "two"] {
        server.session_in(name, "running").await;
    }
    let mut socket = server.socket().await;
    for (members, sub) in [
        (r#""sub":"all""#, "all"),
        (r#""sub":"glob","names":["A*"]"#, "glob"),
        (
            r#""sub":"exact","names":["B","C"],"session":"two""#,
            "exact",
        ),
        (r#""sub":"none","names":["a"],"session":null"#, "none"),
    ] {
        let frames = subscribe(&mut socket, members).await;
        assert_eq!(told(&frames), [format!("subscribed \"{sub}\"")]);
    }
    for (session, command, expected) in [
        ("one", "A", r#"one 1 A ["all","glob"]"#),
        ("one", "AB", r#"one 2 AB ["all","glob"]"#),
        ("one", "B", r#"one 3 B ["all"]"#),
        ("two", "B", r#"two 1 B ["all","exact"]"#),
    ] {
        let frames = execute(&mut socket, session, command).await;
        assert_eq!(told(&frames), [expected]);
    }
    socket.send(r#"{"type":"unsubscribe","sub":"all"}"#).await;
    let frames = execute(&mut socket, "one", "A").await;
    assert_eq!(told(&frames), [r#"one 4 A ["glob"]"#]);
    let frames = execute(&mut socket, "one", "B").await;
    assert_eq!(told(&frames), [""; 0]);
    // The id may be used again, and what it meant before is forgotten.
    let frames = subscribe(&mut socket, r#""sub":"all","session":"two""#).await;
    assert_eq!(told(&frames), [r#"subscribed "all""#]);
    let frames = execute(&mut socket, "one", "B").await;
    assert_eq!(told(&frames), [""; 0]);
    let frames = execute(&mut socket, "two", "A").await;
    assert_eq!(told(&frames), [r#"two 2 A ["glob","all"]"#]);
}

#[tokio::test]
async fn a_subscription_replays_what_it_asks_for() {
    let (one, two) = (echo().await, echo().await);
    let sessions = [("one", &one), ("two", &two)];
    let sessions = sessions.map(|(name, fake)| format!("{name}={}", fake.address()));
    let server = TestServer::start(&sessions).await;
    for name in ["one", "two"] {
        server.session_in(name, "running").await;
    }
    let mut writer = server.socket().await;
    for (session, command) in [
        ("one", "A"),
        ("one", "B"),
        ("one", "A"),
        ("one", "AB"),
        ("two", "B"),
        ("two", "A"),
    ] {
        execute(&mut writer, session, command).await;
    }
    for (members, expected) in [
        (r#""session":"one""#, [].as_slice()),
        (r#""session":"one","limit":9"#, &[]),
        (
            r#""session":"one","after":0"#,
            &["one 1 A", "one 2 B", "one 3 A", "one 4 AB"],
        ),
        (r#""session":"one","after":2"#, &["one 3 A", "one 4 AB"]),
        (r#""session":"one","after":4"#, &[]),
        (
            r#""session":"one","after":0,"limit":2"#,
            &["one 3 A", "one 4 AB"],
        ),
        (r#""session":"one","after":0,"limit":0"#, &[]),
        (
            r#""session":"one","after":0,"limit":2,"names":["A"]"#,
            &["one 1 A", "one 3 A"],
        ),
        (
            r#""after":{"one":3,"two":0}"#,
            &["one 4 AB", "two 1 B", "two 2 A"],
        ),
        (
            r#""after":{"one":0,"two":0},"limit":1"#,
            &["one 4 AB", "two 2 A"],
        ),
        (r#""after":{"two":1}"#, &["two 2 A"]),
        (r#""after":{}"#, &[]),
        (r#""session":"two","after":{"one":0,"two":1}"#, &["two 2 A"]),
    ] {
        let mut socket = server.socket().await;
        let frames = subscribe(&mut socket, &format!(r#""sub":1,{members}"#)).await;
        let expected = expected.iter().map(|event| format!("{event} [1]"));
        let expected: Vec<_> = std::iter::once("subscribed 1".into())
            .chain(expected)
            .collect();
        assert_eq!(told(&frames), expected, "{members}");
    }
}

#[tokio::test]
async fn a_second_subscription_replays_for_itself_only() {
    let fake = echo().await;
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    subscribe(&mut socket, r#""sub":1"#).await;
    let frames = execute(&mut socket, "vm", "A").await;
    assert_eq!(told(&frames), ["vm 1 A [1]"]);
    let frames = subscribe(&mut socket, r#""sub":2,"session":"vm","after":0"#).await;
    assert_eq!(told(&frames), ["subscribed 2", "vm 1 A [2]"]);
    let frames = execute(&mut socket, "vm", "A").await;
    assert_eq!(told(&frames), ["vm 2 A [1,2]"]);
}

#[tokio::test]
async fn what_the_log_has_let_go_of_is_told() {
    let event = "FILLER".to_owned();
    let count = KEPT + 7;
    let script = Script::default().on(
        "flood",
        [
            Action::Flood { event, count },
            Action::event("LAST"),
            Action::Return(json!({})),
        ],
    );
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let flooded = server.execute("vm", r#"{"execute":"flood"}"#).await;
    assert_eq!(flooded.status, 200, "{}", flooded.text);
    let newest = count + 1;
    let gone = newest - KEPT;

    let mut socket = server.socket().await;
    socket.next("hello").await;
    let last = r#""names":["LAST"]"#;
    for (sub, replay, gap) in [
        (1, format!(r#"{last},"after":0"#), Some((1, gone))),
        (2, format!(r#"{last},"after":5"#), Some((6, gone))),
        (3, format!(r#"{last},"after":{gone}"#), None),
        // What is left out because of a limit is not lost.
        (4, r#""limit":1,"after":0"#.to_owned(), None),
    ] {
        let frame = format!(r#"{{"type":"subscribe","sub":{sub},"session":"vm",{replay}}}"#);
        socket.send(&frame).await;
        let count = 2 + usize::from(gap.is_some());
        let frames = soon(async {
            let mut frames = Vec::new();
            while frames.len() < count {
                let frame = socket.receive().await.expect("the socket is open");
                let frame: Value = serde_json::from_str(&frame).unwrap();
                if frame["type"] != "session" {
                    frames.push(frame);
                }
            }
            frames
        });
        let frames = frames.await;
        let gap = gap.map(|(from, to)| format!("gap {sub} vm {from}-{to}"));
        let expected = std::iter::once(format!("subscribed {sub}"))
            .chain(gap)
            .chain([format!("vm {newest} LAST [{sub}]")]);
        assert!(told(&frames).into_iter().eq(expected), "{frames:?}");
    }
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["events"], newest, "{vm}");
    assert_eq!(vm["counters"]["dropped"], gone, "{vm}");
}

#[tokio::test]
async fn a_flood_reaches_a_subscriber_without_a_hole() {
    const COUNT: u64 = 10_000;
    let event = "FLOOD".to_owned();
    let flood = Action::Flood {
        event,
        count: COUNT,
    };
    let script = Script::default().on("flood", [flood, Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    subscribe(&mut socket, r#""sub":1"#).await;
    let frames = execute(&mut socket, "vm", "flood").await;
    assert_eq!(frames.len() as u64, COUNT);
    for (n, frame) in frames.iter().enumerate() {
        assert_eq!(frame["seq"], n + 1, "{frame}");
        assert_eq!(frame["event"]["data"]["n"], n, "{frame}");
    }
}
