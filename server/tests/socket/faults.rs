//! Frames that are refused: each says what is wrong with which, and the socket
//! goes on; only what is not JSON ends it.

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Socket, TestServer};

async fn server() -> TestServer {
    TestServer::start(&["vm=unix:/nowhere/vm.qmp".into()]).await
}

/// Whether the socket still answers.
async fn goes_on(socket: &mut Socket) {
    socket.send(r#"{"type":"ping","id":"still there"}"#).await;
    assert_eq!(socket.next("pong").await["id"], "still there");
}

/// The text of the error that the frame gets.
async fn refused(socket: &mut Socket, frame: &str) -> String {
    socket.send(frame).await;
    socket.next_text("error").await
}

#[tokio::test]
async fn a_frame_that_is_wrong_gets_an_error_that_names_it() {
    let server = server().await;
    let mut socket = server.socket().await;
    for (frame, names, mentions) in [
        ("[]", "", "must be a JSON object"),
        (r#"["ping",{"id":1}]"#, "", "must be a JSON object"),
        ("12", "", "must be a JSON object"),
        ("null", "", "must be a JSON object"),
        ("{}", "", "no `type`"),
        (r#"{"id":1}"#, r#""id":1,"#, "no `type`"),
        (r#"{"type":7,"id":1}"#, r#""id":1,"#, "`type`"),
        (r#"{"type":"PING","id":1}"#, r#""id":1,"#, "\"PING\""),
        (r#"{"type":"hello","id":1}"#, r#""id":1,"#, "\"hello\""),
        (
            r#"{"type":"ping","id":{"a":  1},"x":2}"#,
            r#""id":{"a":  1},"#,
            "`x`",
        ),
        (r#"{"type":"ping"}"#, "", "`id`"),
        (r#"{"type":"ping","sub":null}"#, r#""sub":null,"#, "`sub`"),
        (
            r#"{"type":"ping","id":1,"id":2}"#,
            r#""id":2,"#,
            "duplicate key \"id\"",
        ),
        (
            r#"{"type":"execute","id":18446744073709551616,"session":"vm","execute":"x","arguments":{"a":[{"b":1,"b":2}]}}"#,
            r#""id":18446744073709551616,"#,
            "duplicate key \"b\" in arguments.a[0]",
        ),
        (
            r#"{"type":"execute","id":1,"session":"vm","execute":"x","arguments":{"a":"\ud800"}}"#,
            r#""id":1,"#,
            "surrogate",
        ),
        (
            r#"{"type":"execute","id":1,"execute":"x"}"#,
            r#""id":1,"#,
            "`session`",
        ),
        (
            r#"{"type":"execute","session":"vm","execute":"x"}"#,
            "",
            "`id`",
        ),
        (
            r#"{"type":"execute","id":1,"session":"vm","execute":5}"#,
            r#""id":1,"#,
            "`execute`",
        ),
        (
            r#"{"type":"execute","id":1,"session":"vm","execute":"x","timeout":"5"}"#,
            r#""id":1,"#,
            "`timeout`",
        ),
        (
            r#"{"type":"execute","id":1,"session":"vm","execute":"x","sub":3}"#,
            r#""sub":3,"id":1,"#,
            "`sub`",
        ),
        (r#"{"type":"subscribe"}"#, "", "`sub`"),
        (
            r#"{"type":"subscribe","sub":1,"names":"A"}"#,
            r#""sub":1,"#,
            "`names`",
        ),
        (
            r#"{"type":"subscribe","sub":1,"names":["A",""]}"#,
            r#""sub":1,"#,
            "name 2",
        ),
        (
            r#"{"type":"subscribe","sub":1,"after":-1}"#,
            r#""sub":1,"#,
            "`after`",
        ),
        (
            r#"{"type":"subscribe","sub":1,"limit":1.5}"#,
            r#""sub":1,"#,
            "`limit`",
        ),
        (
            r#"{"type":"subscribe","sub":1,"nmaes":["A"]}"#,
            r#""sub":1,"#,
            "`nmaes`",
        ),
        (
            r#"{"type":"unsubscribe","sub":[1]}"#,
            r#""sub":[1],"#,
            "[1] is not subscribed",
        ),
    ] {
        let error = refused(&mut socket, frame).await;
        let start = format!(r#"{{"type":"error",{names}"problem":{{"type":"/problems/"#);
        assert!(error.starts_with(&start), "{frame}: {error}");
        let error: Value = serde_json::from_str(&error).unwrap();
        let problem = &error["problem"];
        assert_eq!(problem["type"], "/problems/invalid-request", "{frame}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(mentions), "{frame}: {detail}");
    }
    goes_on(&mut socket).await;
}

#[tokio::test]
async fn a_subscription_that_cannot_be_is_refused_and_the_others_stand() {
    let script = Script::default().on("go", [Action::event("GO"), Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    server.execute("vm", r#"{"execute":"go"}"#).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    socket.send(r#"{"type":"subscribe","sub":1}"#).await;
    for (frame, slug, mentions) in [
        (
            r#"{"type":"subscribe","sub":1}"#,
            "state-error",
            "`sub` 1 is in use",
        ),
        (
            r#"{"type":"subscribe","sub":2,"session":"nobody"}"#,
            "not-found",
            "\"nobody\"",
        ),
        (
            r#"{"type":"subscribe","sub":2,"after":0}"#,
            "invalid-request",
            "no `session` is named",
        ),
        (
            r#"{"type":"subscribe","sub":2,"session":"vm","after":2}"#,
            "invalid-request",
            "`after` is 2, beyond the newest number 1 of \"vm\"",
        ),
        (
            r#"{"type":"subscribe","sub":2,"after":{"vm":18446744073709551615}}"#,
            "invalid-request",
            "beyond the newest number 1",
        ),
    ] {
        let error = refused(&mut socket, frame).await;
        let error: Value = serde_json::from_str(&error).unwrap();
        let problem = &error["problem"];
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{frame}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(mentions), "{frame}: {detail}");
    }
    let go = r#"{"type":"execute","id":0,"session":"vm","execute":"go"}"#;
    socket.send(go).await;
    let frames = socket.until_reply().await;
    assert_eq!(frames.len(), 2, "{frames:?}");
    let event = r#"{"type":"event","subs":[1],"session":"vm","seq":2,"#;
    assert!(frames[0].starts_with(event), "{frames:?}");
}

#[tokio::test]
async fn the_subscriptions_of_a_socket_are_bounded() {
    const MOST: usize = 64;
    let server = server().await;
    let mut socket = server.socket().await;
    for sub in 0..=MOST {
        let frame = json!({"type": "subscribe", "sub": sub});
        socket.send(&frame.to_string()).await;
    }
    let error = socket.next("error").await;
    assert_eq!(error["sub"], MOST, "{error}");
    assert_eq!(
        error["problem"]["type"], "/problems/rate-limited",
        "{error}"
    );
    goes_on(&mut socket).await;
}

#[tokio::test]
async fn nesting_is_bounded_and_harms_nobody() {
    let fake = Fake::start(Script::default().on("*", [Action::Return(json!({}))]));
    let fake = fake.await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    let frame = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        let execute = r#""type":"execute","id":7,"session":"vm","execute":"deep""#;
        format!(r#"{{{execute},"arguments":{{"a":{open}{close}}}}}"#)
    };
    // The command and its arguments are two levels, of 1,024.
    for levels in [1_023, 1_100, 100_000] {
        let error = refused(&mut socket, &frame(levels)).await;
        let error: Value = serde_json::from_str(&error).unwrap();
        assert_eq!(error["id"], 7, "{error}");
        let detail = error["problem"]["detail"].as_str().unwrap();
        assert!(detail.contains("nesting deeper"), "{detail}");
    }
    socket.send(&frame(1_022)).await;
    assert_eq!(
        socket.until_reply().await,
        [r#"{"type":"reply","id":7,"return":{}}"#]
    );
    let received = fake.received(3).await.unwrap();
    assert_eq!(received.len(), 3, "the others were not sent");
    // An id is given back, however deep.
    let id = format!("{}{}", "[".repeat(128), "]".repeat(128));
    socket
        .send(&format!(r#"{{"type":"ping","id":{id}}}"#))
        .await;
    let pong = socket.receive().await.unwrap();
    assert_eq!(pong, format!(r#"{{"type":"pong","id":{id}}}"#));
}

#[tokio::test]
async fn what_is_not_json_text_closes() {
    let server = server().await;
    for (message, mentions) in [
        (Message::text(""), "ends too early"),
        (Message::text("hello"), "unexpected"),
        (Message::text(r#"{"type":"ping","id":1"#), "ends too early"),
        (Message::text(r#"{"type":"ping","id":1}{}"#), "follows"),
        (Message::text(r#"{"type":"ping","id":01}"#), "column"),
        (Message::text("{'type':'ping','id':1}"), "column 2"),
        (Message::binary(r#"{"type":"ping","id":1}"#), "not binary"),
    ] {
        let mut socket = server.socket().await;
        socket.next("hello").await;
        socket.send_message(message.clone()).await;
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 4400, "{message:?}: {reason}");
        assert!(reason.contains(mentions), "{message:?}: {reason}");
    }
}
