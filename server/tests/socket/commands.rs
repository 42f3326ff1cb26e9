//! Commands: whose reply it is, in what order they come, and how many.

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};

use crate::common::TestServer;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_reply_carries_the_clients_own_id_and_the_return_value_verbatim() {
    let value = r#"{"z": 18446744073709551616, "a":  [1.50, -0, 1e400], "A": "\ud800"}"#;
    let text = format!(r#"{{"return": {value}, "id": $id}}"#);
    let script = Script::default().on("query-name", [Action::send(text)]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    for id in [
        "1",
        "1.0",
        "\"a\"",
        "\"\\u0061\"",
        "null",
        "false",
        "[]",
        "340282366920938463463374607431768211456",
        r#"{"b": 1.50,  "a": [null, {}]}"#,
    ] {
        let frame = r#""type": "execute", "session": "vm", "execute": "query-name""#;
        socket.send(&format!(r#"{{"id": {id}, {frame}}}"#)).await;
        assert_eq!(
            socket.until_reply().await,
            [format!(r#"{{"type":"reply","id":{id},"return":{value}}}"#)]
        );
    }
}

#[tokio::test]
async fn arguments_arrive_verbatim_in_band_and_out_of_band() {
    let script = Script::default().on("*", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    let arguments = r#"{"n":  18446744073709551616, "b": 1.50, "a": {"ä\u00e4": [ ]}}"#;
    let before = fake.received(2).await.unwrap().len();
    for (index, way) in ["execute", "exec-oob"].into_iter().enumerate() {
        let frame = format!(
            r#"{{"type":"execute","id":0,"session":"vm","{way}":"x-\"y","arguments":{arguments}}}"#
        );
        socket.send(&frame).await;
        assert_eq!(
            socket.until_reply().await,
            [r#"{"type":"reply","id":0,"return":{}}"#]
        );
        let received = fake.received(before + index + 1).await.unwrap();
        let text = received.last().unwrap().text.get();
        let start = format!(r#"{{"{way}":"x-\"y","arguments":{arguments},"id":"#);
        assert!(text.starts_with(&start), "{text}");
    }
}

#[tokio::test]
async fn replies_come_when_they_come_and_a_slow_command_blocks_nothing() {
    let held = |n: u8| [Action::hold(), Action::Return(json!(n))];
    let script = Script::default()
        .on("a", held(1))
        .on("b", held(2))
        .on("c", held(3))
        .on("fast", [Action::event("FAST"), Action::Return(json!(4))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    for name in ["a", "b", "c"] {
        let frame = json!({"type": "execute", "id": name, "session": "vm", "execute": name});
        socket.send(&frame.to_string()).await;
    }
    fake.received(5).await.unwrap();
    socket.send(r#"{"type":"ping","id":{"p": 1}}"#).await;
    assert_eq!(
        socket.next_text("pong").await,
        r#"{"type":"pong","id":{"p": 1}}"#
    );
    socket.send(r#"{"type":"subscribe","sub":1}"#).await;
    socket
        .send(r#"{"type":"execute","id":"fast","session":"vm","execute":"fast"}"#)
        .await;
    let frames = socket.until_reply().await;
    let kinds: Vec<_> = frames.iter().map(|it| parsed(it)["type"].clone()).collect();
    assert_eq!(kinds, ["subscribed", "event", "reply"]);
    assert_eq!(frames[2], r#"{"type":"reply","id":"fast","return":4}"#);
    for (name, value) in [("c", 3), ("a", 1), ("b", 2)] {
        fake.release(name);
        assert_eq!(
            socket.until_reply().await,
            [format!(
                r#"{{"type":"reply","id":"{name}","return":{value}}}"#
            )]
        );
    }
}

#[tokio::test]
async fn commands_are_sent_in_the_order_of_their_frames() {
    const COMMANDS: usize = 250;
    // Without out-of-band execution, so that all of them have a place.
    let greeting = r#"{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}, "capabilities": []}}"#;
    let script = Script::default()
        .greeting([Action::send(greeting)])
        .on("*", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    let names: Vec<_> = (0..COMMANDS).map(|id| format!("do-{id}")).collect();
    let frames = names.iter().map(|name| {
        json!({"type": "execute", "id": name, "session": "vm", "execute": name}).to_string()
    });
    socket.send_all(frames).await;
    for _ in 0..COMMANDS {
        let reply = socket.next("reply").await;
        assert!(reply.get("return").is_some(), "{reply}");
    }
    let received = fake.received(2 + COMMANDS).await.unwrap();
    let received: Vec<_> = received[2..].iter().map(|it| &it.name).collect();
    assert!(received.iter().copied().eq(&names), "{received:?}");
}

#[tokio::test]
async fn an_event_that_a_command_caused_comes_before_its_reply() {
    const COMMANDS: u64 = 100;
    let text = concat!(
        r#"{"event": "DONE", "timestamp": {"seconds": 1, "microseconds": 2}, "data": {"of": $id}}"#,
        r#"{"return": $id, "id": $id}"#
    );
    let script = Script::default().on("do", [Action::send(text)]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket.send(r#"{"type":"subscribe","sub":1}"#).await;
    for id in 0..COMMANDS {
        let frame = json!({"type": "execute", "id": id, "session": "vm", "execute": "do"});
        socket.send(&frame.to_string()).await;
    }
    let mut caused = Vec::new();
    for _ in 0..COMMANDS {
        for frame in socket.until_reply().await {
            let frame = parsed(&frame);
            match frame["type"].as_str().unwrap() {
                "event" => caused.push(frame["event"]["data"]["of"].clone()),
                "reply" => assert!(caused.contains(&frame["return"]), "{frame}"),
                _ => {}
            }
        }
    }
    assert_eq!(caused.len() as u64, COMMANDS);
}

#[tokio::test]
async fn an_id_is_in_use_until_its_reply() {
    let script = Script::default().on("slow", [Action::hold(), Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    let execute = r#"{"type":"execute","id":{"a": 1},"session":"vm","execute":"slow"}"#;
    socket.send(execute).await;
    fake.received(3).await.unwrap();
    socket.send(execute).await;
    let error = socket.next("error").await;
    assert_eq!(error["id"], json!({"a": 1}), "{error}");
    assert_eq!(error["problem"]["type"], "/problems/state-error", "{error}");
    assert_eq!(
        error["problem"]["detail"],
        r#"`id` {"a": 1} is in use by a command that has no reply yet"#
    );
    fake.release("slow");
    let reply = r#"{"type":"reply","id":{"a": 1},"return":{}}"#;
    assert_eq!(socket.until_reply().await, [reply]);
    fake.release("slow");
    socket.send(execute).await;
    assert_eq!(socket.until_reply().await, [reply]);
    assert_eq!(fake.received(4).await.unwrap().len(), 4, "one was not sent");
}

#[tokio::test]
async fn a_reply_says_what_went_wrong() {
    let script = Script::default()
        .on("fail", [Action::error("DeviceNotFound", "no \"<b>\"")])
        .on("hang", [Action::Silence])
        .on("quit", [Action::Close]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    let mut problem = async |members: &str| {
        socket
            .send(&format!(r#"{{"type":"execute","id":7,{members}}}"#))
            .await;
        let reply = socket.next("reply").await;
        assert_eq!(reply["id"], 7, "{reply}");
        assert!(reply.get("return").is_none(), "{reply}");
        reply["problem"].clone()
    };
    assert_eq!(
        problem(r#""session":"vm","execute":"fail""#).await,
        json!({
            "type": "/problems/execute-error", "status": 422, "title": "The command failed",
            "detail": "no \"<b>\"", "class": "DeviceNotFound", "desc": "no \"<b>\"", "session": "vm",
        })
    );
    for (members, slug, outcome, mentions) in [
        (
            r#""session":"nobody","execute":"x""#,
            "not-found",
            Value::Null,
            "\"nobody\"",
        ),
        (
            r#""session":"vm""#,
            "invalid-request",
            Value::Null,
            "`execute` or `exec-oob`",
        ),
        (
            r#""session":"vm","execute":"x","exec-oob":"x""#,
            "invalid-request",
            Value::Null,
            "both",
        ),
        (
            r#""session":"vm","execute":"x","timeout":-1"#,
            "invalid-request",
            Value::Null,
            "`timeout` is -1",
        ),
        (
            r#""session":"vm","execute":"x","arguments":null"#,
            "invalid-request",
            Value::Null,
            "not a JSON object",
        ),
        (
            r#""session":"vm","execute":"hang","timeout":0"#,
            "timeout",
            json!("unknown"),
            "no reply within 0 s",
        ),
        (
            r#""session":"vm","execute":"quit""#,
            "execute-interrupted",
            json!("unknown"),
            "closed the connection",
        ),
    ] {
        let problem = problem(members).await;
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert_eq!(problem["outcome"], outcome, "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(mentions), "{problem}");
    }
}

#[tokio::test]
async fn the_bytes_in_flight_are_bounded() {
    /// Four of them, and what is around them, are over 16 MiB.
    const BYTES: usize = (4 << 20) - 100;
    let script = Script::default()
        .on("first", [Action::Return(json!({}))])
        .on("slow", [Action::hold(), Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    let arguments = json!({"a": "x".repeat(BYTES - 100)});
    let slow = |id: usize| json!({"type": "execute", "id": id, "session": "vm", "execute": "slow", "arguments": arguments});
    for id in 0..4 {
        socket.send(&slow(id).to_string()).await;
    }
    fake.received(2 + 4).await.unwrap();
    let small =
        |id: usize| json!({"type": "execute", "id": id, "session": "vm", "execute": "first"});
    socket.send(&slow(4).to_string()).await;
    let error = socket.next("error").await;
    assert_eq!(error["id"], 4, "{error}");
    assert_eq!(
        error["problem"]["type"], "/problems/rate-limited",
        "{error}"
    );
    // A small one fits beside them.
    socket.send(&small(5).to_string()).await;
    assert_eq!(socket.next("reply").await["id"], 5);
    // Replies make room for as many more.
    fake.release("slow");
    assert_eq!(socket.next("reply").await["id"], 0);
    fake.release("slow");
    assert_eq!(socket.next("reply").await["id"], 1);
    socket.send(&slow(6).to_string()).await;
    fake.received(2 + 4 + 2).await.unwrap();
}

#[tokio::test]
async fn the_commands_in_flight_are_bounded() {
    const MOST: usize = 256;
    /// How many of them the monitor takes at a time.
    const PLACES: usize = 7;
    let script = Script::default().on("slow", [Action::hold(), Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    for id in 0..=MOST {
        let frame = json!({"type": "execute", "id": id, "session": "vm", "execute": "slow"});
        socket.send(&frame.to_string()).await;
    }
    let error = socket.next("error").await;
    assert_eq!(error["id"], MOST, "{error}");
    assert_eq!(
        error["problem"]["type"], "/problems/rate-limited",
        "{error}"
    );
    // One reply makes room for one more.
    fake.received(2 + PLACES).await.unwrap();
    fake.release("slow");
    assert_eq!(socket.next("reply").await["id"], 0);
    let again = r#"{"type":"execute","id":"again","session":"nobody","execute":"x"}"#;
    socket.send(again).await;
    assert_eq!(socket.next("reply").await["id"], "again");
}
