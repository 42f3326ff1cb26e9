//! What a socket shows of the sessions: all at first, then each change.

use std::collections::BTreeSet;

use qmp_fake::{Action, Fake, Listen, Script};
use serde_json::{Value, json};

use crate::common::{Socket, TOKEN, TestServer, soon};

/// The next frame about a session for which this is true.
async fn change(socket: &mut Socket, when: impl Fn(&Value) -> bool) -> Value {
    soon(async {
        loop {
            let frame = socket.next("session").await;
            if when(&frame["session"]) {
                return frame["session"].clone();
            }
        }
    })
    .await
}

#[tokio::test]
async fn the_first_frame_says_what_there_is() {
    let fake = Fake::start(Script::default()).await.unwrap();
    let vm = format!("vm={}", fake.address());
    let sessions = ["z=unix:/nowhere/z.qmp", &vm, "a=tcp:127.0.0.1:1"];
    let server = TestServer::start(&sessions.map(str::to_owned)).await;
    let running = |vm: &Value| vm["status"] == "running";
    server.session_when("vm", running).await;
    let mut socket = server.socket().await;
    assert_eq!(socket.protocol.as_deref(), Some("qmp-console.v1"));
    let text = socket.receive().await.unwrap();
    assert!(text.starts_with(r#"{"type":"hello","version":"#), "{text}");
    let hello: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(hello["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(hello["role"], "admin");
    let names = hello["sessions"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|session| &session["name"]).collect();
    assert_eq!(names, ["a", "vm", "z"]);
    let vm = &hello["sessions"][1];
    assert_eq!(*vm, server.get("/api/v1/sessions/vm").await.json());
    let again = server.socket().await.next("hello").await;
    assert_eq!(again["journal"], hello["journal"], "one run, one journal");
    assert!(hello["journal"].as_str().is_some_and(|it| !it.is_empty()));
}

#[tokio::test]
async fn an_endpoint_that_goes_and_comes_back_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let listen = Listen::Unix(directory.path().join("vm.qmp"));
    let fake = Fake::listen(&listen, Script::default()).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    let before = socket.next("hello").await["sessions"][0].clone();
    fake.stop().await;
    let gone = change(&mut socket, |vm| vm["state"] == "retrying").await;
    let cause = gone["cause"].as_str().unwrap();
    assert!(cause.contains("the server closed the connection"), "{gone}");
    assert!(gone.get("status").is_none(), "{gone}");
    assert!(gone.get("greeting").is_none(), "{gone}");
    assert_ne!(gone["since"], before["since"]);
    let missing = change(&mut socket, |vm| vm["cause"] != gone["cause"]).await;
    let cause = missing["cause"].as_str().unwrap();
    assert!(cause.contains("cannot connect to unix:/"), "{missing}");
    assert_eq!(missing["since"], gone["since"], "still the same state");

    let fake = Fake::listen(&listen, Script::default()).await.unwrap();
    let back = change(&mut socket, |vm| vm["status"] == "running").await;
    assert_eq!(back["state"], "running");
    assert_eq!(back["greeting"], before["greeting"]);
    assert!(back.get("cause").is_none(), "{back}");
    assert_eq!(back["counters"]["connections"], 2, "{back}");
    drop(fake);
}

#[tokio::test]
async fn numbers_go_on_after_a_reconnect() {
    let script = Script::default()
        .on("go", [Action::event("GO"), Action::Return(json!({}))])
        .on("quit", [Action::event("GO"), Action::Close]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket.send(r#"{"type":"subscribe","sub":1}"#).await;
    for (index, command) in ["go", "quit", "go"].into_iter().enumerate() {
        let frame = json!({"type": "execute", "id": index, "session": "vm", "execute": command});
        socket.send(&frame.to_string()).await;
        assert_eq!(socket.next("event").await["seq"], index + 1);
        if command == "quit" {
            change(&mut socket, |vm| vm["counters"]["connections"] == 2).await;
        }
    }
}

#[tokio::test]
async fn the_run_state_is_asked_for_when_an_event_may_have_changed_it() {
    let status = r#"{"return": {"status": "status-$id"}, "id": $id}"#;
    let script = Script::default()
        .on("query-status", [Action::send(status)])
        .on("stop", [Action::event("STOP"), Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::start(&[format!("vm={}", fake.address())]).await;
    let first = |vm: &Value| vm["status"] == "status-1";
    server.session_when("vm", first).await;
    let mut socket = server.socket().await;
    socket.send(r#"{"type":"subscribe","sub":1}"#).await;
    socket.next("subscribed").await;
    let stop = r#"{"type":"execute","id":0,"session":"vm","execute":"stop"}"#;
    socket.send(stop).await;
    let follow = async {
        let mut stopped = false;
        loop {
            let frame: Value = serde_json::from_str(&socket.receive().await.unwrap()).unwrap();
            stopped |= frame["event"]["event"] == "STOP";
            if frame["session"]["status"] == "status-3" {
                return stopped;
            }
        }
    };
    assert!(soon(follow).await, "the event comes before what it caused");
}

#[tokio::test]
async fn each_session_that_is_added_is_shown() {
    let server = TestServer::start(&[]).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    let names = (0..60).map(|n| format!("s{n}"));
    let names: BTreeSet<String> = names.collect();
    for name in &names {
        // Nobody is there: what there is to say of it is said at once.
        let body = format!(r#"{{"name":"{name}","address":"unix:/nowhere/{name}"}}"#);
        let added = server.ask(TOKEN, "POST", "/api/v1/sessions", &body).await;
        assert_eq!(added.status, 201);
    }
    let mut missing = names;
    soon(async {
        while !missing.is_empty() {
            let frame = socket.next("session").await;
            missing.remove(frame["session"]["name"].as_str().unwrap());
        }
    })
    .await;
}
