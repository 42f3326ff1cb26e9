//! What the console socket does beyond plain events and commands.

use super::common::{self, TestServer, soon};
use super::*;

#[tokio::test]
async fn a_filtered_subscriber_is_told_how_far_it_is() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket
        .send(r#"{"type":"subscribe","sub":"s","session":"vm","names":["E*"],"where":"@.data.n > 2"}"#)
        .await;
    socket.next("subscribed").await;
    emit(&server, 1..=5).await;
    let event = socket.next("event").await;
    assert_eq!((&event["seq"], &event["subs"]), (&json!(4), &json!(["s"])));
    let bookmark = socket.next_text("bookmark").await;
    assert_eq!(
        bookmark,
        r#"{"type":"bookmark","sub":"s","session":"vm","seq":5}"#
    );
    socket
        .send(r#"{"type":"subscribe","sub":2,"where":"@.a == "}"#)
        .await;
    let error = socket.next("error").await;
    assert!(error["problem"]["column"].is_u64(), "{error}");
    assert_eq!(error["sub"], 2);
}

#[tokio::test]
async fn a_cancelled_command_is_answered_at_once_and_its_late_reply_goes_nowhere() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket
        .send(r#"{"type":"execute","id":1,"session":"vm","execute":"slow"}"#)
        .await;
    let connected = 3;
    fake.received(connected).await.unwrap();
    socket.send(r#"{"type":"cancel","id":1}"#).await;
    let reply = socket.next("reply").await;
    assert_eq!(reply["id"], 1);
    assert_eq!(reply["problem"]["type"], "/problems/cancelled");
    assert_eq!(reply["problem"]["outcome"], "unknown");
    socket.send(r#"{"type":"cancel","id":1}"#).await;
    assert_eq!(socket.next("error").await["id"], 1);
    // The id is free again.
    socket
        .send(r#"{"type":"execute","id":1,"session":"vm","execute":"emit1"}"#)
        .await;
    fake.release("slow");
    let reply = socket.next("reply").await;
    assert_eq!((&reply["id"], &reply["return"]), (&json!(1), &json!({})));
    let audit = server.get("/api/v1/audit").await.json();
    assert_eq!(audit["entries"][0]["result"], "cancelled");
}

#[tokio::test]
async fn a_command_waits_for_its_event() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket
        .send(r#"{"type":"execute","id":1,"session":"vm","execute":"emit4","expect":{"names":["EVEN"]}}"#)
        .await;
    let reply = socket.next("reply").await;
    assert_eq!(reply["expected"]["data"]["n"], 4);
    socket
        .send(r#"{"type":"execute","id":2,"session":"vm","execute":"emit4","expect":{"names":["ODD"],"timeout":0.01}}"#)
        .await;
    let problem = socket.next("reply").await["problem"].clone();
    assert_eq!(
        (&problem["outcome"], &problem["return"]),
        (&json!("done"), &json!({}))
    );
}

#[tokio::test]
async fn the_policy_is_asked_for_every_frame() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let session = format!("vm={}", fake.address());
    let server = TestServer::keeping(directory.path(), &[session]).await;
    server.session_in("vm", "running").await;
    let viewer = server.token("v", "viewer").await;
    let mut socket = server.socket_as(&viewer).await;
    for (command, allowed) in [("query-status", true), ("stop", false), ("emit1", false)] {
        let frame = format!(r#"{{"type":"execute","id":1,"session":"vm","execute":"{command}"}}"#);
        socket.send(&frame).await;
        let reply = socket.next("reply").await;
        assert_eq!(reply.get("return").is_some(), allowed, "{reply}");
        if !allowed {
            assert_eq!(reply["problem"]["type"], "/problems/forbidden");
        }
    }
}

#[tokio::test]
async fn those_who_read_nothing_do_not_hold_up_the_others() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        let mut socket = server.socket().await;
        socket.send(r#"{"type":"subscribe","sub":1}"#).await;
        idle.push(socket);
    }
    let mut socket = server.socket().await;
    socket.send(r#"{"type":"subscribe","sub":1}"#).await;
    socket.next("subscribed").await;
    emit(&server, 1..=20).await;
    soon(async {
        for n in 1..=20 {
            assert_eq!(socket.next("event").await["event"]["data"]["n"], n);
        }
    })
    .await;
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_and_the_socket_goes_on() {
    use tokio_tungstenite::tungstenite::Message;
    let server = TestServer::start(&[]).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    let long = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(4 << 20));
    socket.send_message(Message::text(long)).await;
    let error = socket.next("error").await;
    assert_eq!(error["problem"]["type"], "/problems/too-large");
    socket.send(r#"{"type":"ping","id":1}"#).await;
    assert_eq!(socket.next("pong").await["id"], 1);
}

#[tokio::test]
async fn an_id_that_is_too_long_is_refused_and_the_socket_goes_on() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    let id = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    for members in [
        r#""subscribe","sub":$"#,
        r#""unsubscribe","sub":$"#,
        r#""execute","session":"vm","execute":"emit1","id":$"#,
        r#""cancel","id":$"#,
        r#""ping","id":$"#,
    ] {
        let frame = format!(r#"{{"type":{members}}}"#).replace('$', &id(257));
        socket.send(&frame).await;
        let error = socket.next("error").await;
        assert_eq!(error["problem"]["type"], "/problems/invalid-request");
        let detail = error["problem"]["detail"].as_str().unwrap();
        assert!(detail.contains("257 bytes"), "{detail}");
        // It is not given back, or the answer would have no bound either.
        assert!(error.get("sub").or(error.get("id")).is_none(), "{error}");
    }
    let most = id(256);
    let frame = format!(r#"{{"type":"subscribe","sub":{most}}}"#);
    socket.send(&frame).await;
    assert_eq!(socket.next("subscribed").await["sub"].to_string(), most);
    emit(&server, [1]).await;
    assert_eq!(socket.next("event").await["subs"][0].to_string(), most);
    let audit = server.get("/api/v1/audit").await.json();
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_sub_in_use_is_a_matter_of_state_as_an_id_is() {
    let server = TestServer::start(&[]).await;
    let mut socket = server.socket().await;
    for expected in ["subscribed", "error"] {
        socket.send(r#"{"type":"subscribe","sub":7}"#).await;
        let frame = socket.next(expected).await;
        assert_eq!(frame["sub"], 7);
        if expected == "error" {
            assert_eq!(frame["problem"]["type"], "/problems/state-error");
            assert_eq!(frame["problem"]["status"], 409);
        }
    }
}

/// A session is there for a socket as soon as it is there for REST, however
/// much the socket has still to be told.
#[tokio::test]
async fn a_session_that_was_added_can_be_subscribed_to_at_once() {
    let flood = Action::Flood {
        event: "FLOOD".to_owned(),
        count: 45_000,
    };
    let script = Script::default().on("flood", [flood, Action::Return(json!({}))]);
    let (fake, other) = (Fake::start(script).await.unwrap(), emitter().await);
    let server = TestServer::on(&fake).await;
    server.execute("vm", r#"{"execute":"flood"}"#).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    let subscribe = r#"{"type":"subscribe","sub":1,"session":"vm","after":0}"#;
    socket.send(subscribe).await;
    socket.next("subscribed").await;
    // It reads nothing from here on, and is in the middle of what was before.
    let new = format!(r#"{{"name":"new","address":"{}"}}"#, other.address());
    let added = server.ask(common::TOKEN, "POST", "/api/v1/sessions", &new);
    assert_eq!(added.await.status, 201);
    socket
        .send(r#"{"type":"subscribe","sub":2,"session":"new"}"#)
        .await;
    socket.send(r#"{"type":"subscribe","sub":3}"#).await;
    // And one that was removed is not there any more.
    let removed = server.ask(common::TOKEN, "DELETE", "/api/v1/sessions/vm", "");
    assert_eq!(removed.await.status, 204);
    socket
        .send(r#"{"type":"subscribe","sub":4,"session":"vm"}"#)
        .await;
    let mut events = 0;
    soon(async {
        loop {
            let text = socket.receive().await.unwrap();
            if text.starts_with(r#"{"type":"event""#) {
                assert!(text.contains(r#""subs":[1],"#), "{text}");
                events += 1;
                continue;
            }
            let frame: Value = serde_json::from_str(&text).unwrap();
            match frame["type"].as_str().unwrap() {
                "error" => {
                    assert_eq!(frame["sub"], 4, "{frame}");
                    assert_eq!(frame["problem"]["type"], "/problems/not-found");
                }
                "removed" => break,
                _ => {}
            }
        }
    })
    .await;
    assert_eq!(events, 45_000, "all that was before the removal");
    server.session_in("new", "running").await;
    let emitted = server.execute("new", r#"{"execute":"emit1"}"#).await;
    assert_eq!(emitted.status, 200, "{}", emitted.text);
    let event = socket.next("event").await;
    assert_eq!(
        (&event["session"], &event["subs"]),
        (&json!("new"), &json!([2, 3]))
    );
}
