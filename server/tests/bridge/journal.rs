//! The log outlives the console: nothing twice, nothing missing, and where
//! there is a gap it is told.

use std::path::Path;

use super::common::{Socket, TOKEN, TestServer, soon};
use super::*;

pub(super) async fn keeping(directory: &Path, fake: &Fake) -> TestServer {
    let session = format!("vm={}", fake.address());
    let server = TestServer::keeping(directory, &[session]).await;
    server.session_in("vm", "running").await;
    server
}

/// What a subscription after this number gets, up to the event `last`: the
/// numbers of events, and gaps.
async fn resumed(socket: &mut Socket, after: u64, last: u64) -> (Vec<u64>, Vec<(u64, u64)>) {
    let frame = format!(r#"{{"type":"subscribe","sub":1,"session":"vm","after":{after}}}"#);
    socket.send(&frame).await;
    soon(async {
        let (mut events, mut gaps, mut seen) = (Vec::new(), Vec::new(), after);
        loop {
            let frame: Value = serde_json::from_str(&socket.receive().await.unwrap()).unwrap();
            match frame["type"].as_str().unwrap() {
                "event" => {
                    let seq = frame["seq"].as_u64().unwrap();
                    assert_eq!(seq, seen + 1, "neither twice nor missing");
                    seen = seq;
                    events.push(frame["event"]["data"]["n"].as_u64().unwrap());
                    if events.last() == Some(&last) {
                        return (events, gaps);
                    }
                }
                "gap" => {
                    let at = |name: &str| frame[name].as_u64().unwrap();
                    assert_eq!(at("from"), seen + 1);
                    seen = at("to");
                    gaps.push((at("from"), seen));
                }
                _ => {}
            }
        }
    })
    .await
}

#[tokio::test]
async fn numbers_go_on_after_a_restart() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let mut server = keeping(directory.path(), &fake).await;
    let journal = server.socket().await.next("hello").await["journal"].clone();
    emit(&server, 1..=3).await;
    let pid = rustix::process::Pid::from_raw(server.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(server.ended().await, Some(0));

    let server = keeping(directory.path(), &fake).await;
    let mut socket = server.socket().await;
    assert_eq!(socket.next("hello").await["journal"], journal);
    emit(&server, 4..=5).await;
    assert_eq!(resumed(&mut socket, 1, 5).await, (vec![2, 3, 4, 5], vec![]));
    let page = server.get("/api/v1/sessions/vm/events").await.json();
    assert_eq!(numbers(&page), [1, 2, 3, 4, 5]);
    assert_eq!(page["next"], 5);
}

#[tokio::test]
async fn after_a_crash_no_number_is_used_twice_and_the_gap_is_told() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let mut server = keeping(directory.path(), &fake).await;
    emit(&server, 1..=3).await;
    stored_in(directory.path(), |count| count == 3).await;
    server.kill().await;

    let server = keeping(directory.path(), &fake).await;
    emit(&server, 4..=5).await;
    let mut socket = server.socket().await;
    let (events, gaps) = resumed(&mut socket, 1, 5).await;
    assert_eq!(events, [2, 3, 4, 5]);
    let [(from, to)] = gaps[..] else {
        panic!("{gaps:?}");
    };
    assert_eq!(from, 4);
    assert!(to > 4);
    let page = server
        .get("/api/v1/sessions/vm/events?limit=2")
        .await
        .json();
    assert_eq!(numbers(&page), [4, 5]);
    assert_eq!(page["next"], to + 2);

    // Pages tell it where it is asked for, from either end.
    assert!(page["marks"].is_null());
    let lost = json!([{ "from": 4, "to": to }]);
    for range in ["", "&after=2", "&before=100000000&limit=3"] {
        let page = format!("/api/v1/sessions/vm/events?marks=true{range}");
        let page = server.get(&page).await.json();
        assert_eq!(page["marks"]["gaps"], lost, "{range}: {page}");
    }
    let inside = format!("/api/v1/sessions/vm/events?marks=true&after=5&before={to}");
    let inside = server.get(&inside).await.json();
    let expected = json!([{ "from": 6, "to": to - 1 }]);
    assert_eq!(inside["marks"]["gaps"], expected, "{inside}");
}

/// The links that a page tells of: after which event, whether running, why not.
fn links(page: &Value) -> Vec<(u64, bool, Option<String>)> {
    let links = page["marks"]["links"].as_array().unwrap();
    let mut last = String::new();
    let told = links.iter().map(|link| {
        let time = link["time"].as_str().unwrap().to_owned();
        assert!(time > std::mem::replace(&mut last, time.clone()), "{page}");
        let cause = link["cause"].as_str().map(str::to_owned);
        let running = link["running"].as_bool().unwrap();
        (link["after"].as_u64().unwrap(), running, cause)
    });
    told.collect()
}

#[tokio::test]
async fn losing_and_regaining_the_endpoint_is_in_the_log() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let mut server = keeping(directory.path(), &fake).await;
    emit(&server, 1..=2).await;
    let reply = server.execute("vm", r#"{"execute":"leave"}"#).await;
    reply.is_problem(502, "execute-interrupted", &[]);
    let again = |vm: &Value| vm["state"] == "running" && vm["counters"]["connections"] == 2;
    let vm = server.session_when("vm", again).await;
    emit(&server, [3]).await;
    let page = "/api/v1/sessions/vm/events?marks=true";
    let marked = server.get(page).await.json();
    // By its time a change is known again.
    assert_eq!(marked["marks"]["links"][2]["time"], vm["since"]);
    let told = links(&marked);
    let lost = told[1].2.clone().expect("a cause");
    let mut expected = vec![(0, true, None), (2, false, Some(lost)), (2, true, None)];
    assert_eq!(told, expected);
    // Only those at the events that were asked for.
    let later = links(&server.get(&format!("{page}&after=2&limit=1")).await.json());
    assert_eq!(later, expected[1..]);
    let none = links(&server.get(&format!("{page}&after=3")).await.json());
    assert_eq!(none, []);

    // They outlive the console, and its end is one.
    let pid = rustix::process::Pid::from_raw(server.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(server.ended().await, Some(0));
    let mut server = keeping(directory.path(), &fake).await;
    expected.push((3, false, Some("the session was ended".to_owned())));
    expected.push((3, true, None));
    assert_eq!(links(&server.get(page).await.json()), expected);

    // Killed, it had no time to say so; what was there is there.
    emit(&server, [4]).await;
    stored_in(directory.path(), |count| count == 4).await;
    server.kill().await;
    let server = keeping(directory.path(), &fake).await;
    let told = links(&server.get(page).await.json());
    assert_eq!(told[..5], expected[..]);
    assert!(told.len() == 6 && told[5].0 > 4 && told[5].1, "{told:?}");

    // With the session they are not gone: one of its name goes on.
    let refused = server.get(&format!("{page}&wait=1&after=4")).await;
    assert_eq!(refused.status, 200, "{}", refused.text);
    for accept in ["text/event-stream", "application/x-ndjson"] {
        let request = reqwest::Client::new()
            .get(server.url(page))
            .bearer_auth(TOKEN);
        let reply = super::common::Reply::of(request.header("accept", accept)).await;
        reply.is_problem(400, "invalid-request", &["marks"]);
    }
}

#[tokio::test]
async fn a_slow_reader_finds_on_disk_what_the_ring_has_let_go_of() {
    const COUNT: u64 = 120_000;
    let flood = Action::Flood {
        event: "E".to_owned(),
        count: COUNT,
    };
    let script = Script::default().on("flood", [flood, Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let server = keeping(directory.path(), &fake).await;
    let reply = server
        .execute("vm", r#"{"execute":"flood","timeout":60}"#)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["events"], COUNT);
    let dropped = vm["counters"]["dropped"].as_u64().unwrap();

    // What is there and what is told to be missing is all there was.
    let mut socket = server.socket().await;
    let (events, gaps) = resumed(&mut socket, 0, COUNT - 1).await;
    let missing: u64 = gaps.iter().map(|(from, to)| to - from + 1).sum();
    assert_eq!(events.len() as u64 + missing, COUNT);
    assert_eq!(missing, dropped);
    assert!(
        events.len() > 50_000,
        "more than the ring holds: {}",
        events.len()
    );
}

#[tokio::test]
async fn two_consoles_do_not_share_a_journal() {
    let directory = tempfile::tempdir().unwrap();
    let server = TestServer::keeping(directory.path(), &[]).await;
    let path = directory.path().to_str().unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_qmp-console"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", path])
        .env("QMP_CONSOLE_TOKEN", TOKEN)
        .output();
    let output = soon(output).await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another console"), "{said}");
    assert_eq!(server.get("/readyz").await.text, "ok");
}

#[tokio::test]
async fn what_is_too_old_is_gone_and_said_so() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.toml");
    std::fs::write(&config, "[retention]\nage = \"1s\"\n").unwrap();
    let session = format!("vm={}", fake.address());
    let server = TestServer::serve(&[
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        directory.path().to_str().unwrap(),
        "--config",
        config.to_str().unwrap(),
        "--session",
        &session,
    ])
    .await;
    server.session_in("vm", "running").await;
    emit(&server, 1..=3).await;
    stored_in(directory.path(), |count| count == 3).await;
    // The retention is looked after at each SIGHUP.
    let pid = rustix::process::Pid::from_raw(server.pid().cast_signed()).unwrap();
    stored_in(directory.path(), |count| {
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        count == 0
    })
    .await;
    soon(async {
        loop {
            let reply = server.get("/api/v1/sessions/vm/events?after=1").await;
            if reply.status == 410 {
                reply.is_problem(410, "gone", &["`after` is 1", "before 4"]);
                return;
            }
        }
    })
    .await;
    // Whoever looks finds the same.
    for range in ["", "?since=2020-01-01T00:00:00Z", "?before=4"] {
        let path = format!("/api/v1/sessions/vm/events{range}");
        let page = server.get(&path).await.json();
        assert_eq!(numbers(&page), [0; 0], "{range}: {page}");
    }
    let mut socket = server.socket().await;
    emit(&server, [4]).await;
    assert_eq!(resumed(&mut socket, 0, 4).await, (vec![4], vec![(1, 3)]));
}

/// Waits until this is true of the number of events on disk.
pub(super) async fn stored_in(directory: &Path, until: impl Fn(i64) -> bool) {
    let path = directory.join("journal.sqlite3");
    soon(async {
        loop {
            let connection = rusqlite::Connection::open(&path).unwrap();
            let stored: i64 = connection
                .query_row("SELECT count(*) FROM event", [], |row| row.get(0))
                .unwrap();
            if until(stored) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Killed at whatever moment: what somebody has seen is what is there, or is
/// told to be missing; no number is another event's.
#[tokio::test]
async fn killed_in_a_flood_it_says_nothing_else_afterwards() {
    let flood = Action::Flood {
        event: "E".to_owned(),
        count: 20_000,
    };
    let script = Script::default().on("flood", [flood, Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut seen: Vec<(u64, u64)> = Vec::new();
    for until in [1, 500, 7000] {
        let mut server = keeping(directory.path(), &fake).await;
        let mut socket = server.socket().await;
        let last = seen.last().map_or(0, |(seq, _)| *seq);
        let frame = format!(r#"{{"type":"subscribe","sub":1,"session":"vm","after":{last}}}"#);
        socket.send(&frame).await;
        socket
            .send(r#"{"type":"execute","id":1,"session":"vm","execute":"flood"}"#)
            .await;
        let before = seen.len();
        while seen.len() < before + until {
            let event = socket.next("event").await;
            let seq = event["seq"].as_u64().unwrap();
            let n = event["event"]["data"]["n"].as_u64().unwrap();
            assert!(seen.last().is_none_or(|(last, _)| seq > *last), "{seq}");
            seen.push((seq, n));
        }
        server.kill().await;
    }
    let server = keeping(directory.path(), &fake).await;
    let url = server.url("/api/v1/sessions/vm/events");
    let request = server.http.get(url).bearer_auth(TOKEN);
    let all = request.header("accept", "application/x-ndjson");
    let all = super::common::Reply::of(all).await.text;
    let mut kept = std::collections::BTreeMap::new();
    for line in all.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let seq = event["seq"].as_u64().unwrap();
        let n = event["event"]["data"]["n"].as_u64().unwrap();
        assert_eq!(kept.insert(seq, n), None, "{seq} twice");
    }
    let lost = seen.iter().filter(|(seq, n)| match kept.get(seq) {
        Some(kept) => {
            assert_eq!(kept, n, "{seq} is another event");
            false
        }
        None => true,
    });
    let lost = lost.count();
    assert!(
        kept.len() > 5000 && lost < seen.len(),
        "{} kept, {lost} lost",
        kept.len()
    );
    let mut socket = server.socket().await;
    socket
        .send(r#"{"type":"subscribe","sub":1,"session":"vm","after":0}"#)
        .await;
    let newest = server.get("/api/v1/sessions/vm/events").await.json()["next"].clone();
    let newest = newest.as_u64().unwrap();
    // Events and gaps cover every number once.
    soon(async {
        let mut covered = 0;
        while covered < newest {
            let frame: Value = serde_json::from_str(&socket.receive().await.unwrap()).unwrap();
            let at = |name: &str| frame[name].as_u64().unwrap();
            match frame["type"].as_str().unwrap() {
                "event" => {
                    assert_eq!(at("seq"), covered + 1);
                    assert_eq!(
                        kept.remove(&at("seq")),
                        frame["event"]["data"]["n"].as_u64()
                    );
                    covered += 1;
                }
                "gap" => {
                    assert_eq!(at("from"), covered + 1);
                    covered = at("to");
                }
                _ => {}
            }
        }
    })
    .await;
    assert!(kept.is_empty());
}
