//! How a command can end other than with a return value, and what is then
//! known of it.

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};

use crate::common::{Reply, TOKEN, TestServer};

/// Where commands in band are full, on a monitor with out-of-band execution.
const PLACES: usize = 7;

#[tokio::test]
async fn an_error_of_the_endpoint_is_passed_on_verbatim() {
    let desc = "Device \"<b>\u{e4}\u{202e}\n' not found";
    let script = Script::default()
        .on("fail", [Action::error("DeviceNotFound", desc)])
        .on("new", [Action::error("ClassOfTheFuture", "")]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let reply = server.execute("vm", r#"{"execute":"fail","id":1}"#).await;
    let mut problem = reply.is_problem(422, "execute-error", &[]);
    let id = problem.as_object_mut().unwrap().remove("request_id");
    assert_eq!(id.unwrap(), reply.header("x-request-id"));
    assert_eq!(
        problem,
        json!({
            "type": "/problems/execute-error", "status": 422, "title": "The command failed",
            "detail": desc, "class": "DeviceNotFound", "desc": desc, "session": "vm",
        })
    );
    let reply = server.execute("vm", r#"{"execute":"new"}"#).await;
    let problem = reply.is_problem(422, "execute-error", &[]);
    assert_eq!(problem["class"], "ClassOfTheFuture");
    assert_eq!(problem["desc"], "");
    // Not one of ours: the endpoint says that there is no such command.
    let reply = server.execute("vm", r#"{"execute":"none"}"#).await;
    let problem = reply.is_problem(422, "execute-error", &["none has not been found"]);
    assert_eq!(problem["class"], "CommandNotFound");
}

#[tokio::test]
async fn a_late_reply_goes_to_nobody() {
    let reply = r#"{"return": {"to": $id}, "id": $id}"#;
    let script = Script::default().on("slow", [Action::hold(), Action::send(reply)]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let reply = server
        .execute("vm", r#"{"execute":"slow","timeout":0}"#)
        .await;
    let problem = reply.is_problem(504, "timeout", &["no reply within 0 s", "unknown"]);
    assert_eq!(problem["outcome"], "unknown", "{problem}");
    assert_eq!(problem["session"], "vm", "{problem}");

    let next = server.execute("vm", r#"{"execute":"slow"}"#);
    let release = async {
        let received = fake.received(4).await.unwrap();
        fake.release("slow");
        fake.release("slow");
        let sent: Value = serde_json::from_str(received[3].text.get()).unwrap();
        sent["id"].clone()
    };
    let (reply, id) = tokio::join!(next, release);
    assert_eq!(reply.json()["return"], json!({"to": id}), "{}", reply.text);
}

#[tokio::test]
async fn a_reply_to_nobody_harms_nobody() {
    let replies = concat!(
        r#"{"return": 1, "id": 999999}{"return": 2, "id": "$id"}{"return": 3}"#,
        r#"{"error": {"class": "GenericError", "desc": "x"}, "id": null}"#,
        r#"{"QMP": {}}{"return": 4, "id": $id}{"return": 5, "id": $id}"#
    );
    let script = Script::default()
        .on("get", [Action::send(replies)])
        .on("next", [Action::Return(json!(6))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let reply = server.execute("vm", r#"{"execute":"get"}"#).await;
    assert_eq!(reply.text, r#"{"return":4}"#);
    let reply = server.execute("vm", r#"{"execute":"next"}"#).await;
    assert_eq!(reply.text, r#"{"return":6}"#);
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["connections"], 1, "{vm}");
}

#[tokio::test]
async fn a_malformed_reply_is_a_fault_and_the_session_goes_on() {
    let script = Script::default()
        .on("neither", [Action::send(r#"{"result": 1, "id": $id}"#)])
        .on("text", [Action::send(r#"{"error": "no", "id": $id}"#)])
        .on(
            "half",
            [Action::send(r#"{"error": {"class": "X"}, "id": $id}"#)],
        );
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    for (command, mentions) in [
        ("neither", "neither `return` nor `error`: {\"result\""),
        ("text", "`error`"),
        ("half", "`error.desc`"),
    ] {
        let body = format!(r#"{{"execute":"{command}"}}"#);
        let reply = server.execute("vm", &body).await;
        let problem = reply.is_problem(502, "protocol-error", &["malformed", mentions]);
        assert_eq!(problem["outcome"], "unknown", "{problem}");
    }
    let reply = server.execute("vm", r#"{"execute":"query-status"}"#).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["connections"], 1, "{vm}");
}

#[tokio::test]
async fn a_lost_connection_leaves_the_outcome_unknown() {
    let ends = [
        (
            "close",
            vec![Action::Close],
            "the server closed the connection",
        ),
        (
            "half",
            vec![Action::send(r#"{"return": "#), Action::Close],
            "within a message, after 11 bytes",
        ),
        (
            "not-json",
            vec![Action::send("{\"return\": nil}")],
            "the message is not JSON",
        ),
        (
            "not-text",
            vec![Action::Bytes(b"{\"return\": \"\xff\"}".to_vec())],
            "the message is not UTF-8",
        ),
        (
            "array",
            vec![Action::send("[1]")],
            "not a JSON object but [1]",
        ),
        (
            "parse",
            vec![Action::send(
                r#"{"error": {"class": "GenericError", "desc": "JSON parse error"}}"#,
            )],
            "the server could not parse its input: JSON parse error",
        ),
    ];
    let mut script = Script::default();
    for (command, actions, _) in &ends {
        script = script.on(*command, actions.clone());
    }
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    for (index, (command, _, cause)) in ends.iter().enumerate() {
        let connected =
            |vm: &Value| vm["counters"]["connections"] == index + 1 && vm["state"] == "running";
        server.session_when("vm", connected).await;
        let body = format!(r#"{{"execute":"{command}"}}"#);
        let reply = server.execute("vm", &body).await;
        let mentions = ["interrupted", "unknown", cause];
        let problem = reply.is_problem(502, "execute-interrupted", &mentions);
        assert_eq!(problem["outcome"], "unknown", "{problem}");
    }
}

#[tokio::test]
async fn everybody_who_waits_is_told_of_the_end() {
    let script = Script::default()
        .on("slow", [Action::hold()])
        .on("quit", [Action::Close]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let slow = || server.execute("vm", r#"{"execute":"slow"}"#);
    let quit = async {
        fake.received(4).await.unwrap();
        server.execute("vm", r#"{"execute":"quit"}"#).await
    };
    let (one, two, three) = tokio::join!(slow(), slow(), quit);
    for reply in [one, two, three] {
        let problem = reply.is_problem(502, "execute-interrupted", &["closed the connection"]);
        assert_eq!(problem["outcome"], "unknown", "{problem}");
    }
}

#[tokio::test]
async fn a_full_monitor_takes_no_more_in_band_but_out_of_band() {
    let script = Script::default()
        .on("slow", [Action::hold(), Action::Return(json!({}))])
        .on("fast", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let url = server.url("/api/v1/sessions/vm/execute");
    let slow: Vec<_> = (0..PLACES)
        .map(|_| {
            let request = server.http.post(&url).bearer_auth(TOKEN);
            tokio::spawn(Reply::of(request.body(r#"{"execute":"slow"}"#)))
        })
        .collect();
    fake.received(2 + PLACES).await.unwrap();
    let one_more = r#"{"execute":"fast","timeout":0}"#;
    let reply = server.execute("vm", one_more).await;
    let mentions = ["not sent", "7 earlier commands have no reply yet"];
    let problem = reply.is_problem(429, "rate-limited", &mentions);
    assert!(problem.get("outcome").is_none(), "{problem}");
    let reply = server.execute("vm", r#"{"exec-oob":"fast"}"#).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    for _ in 0..PLACES {
        fake.release("slow");
    }
    for reply in slow {
        assert_eq!(reply.await.unwrap().status, 200);
    }
    let received = fake.received(0).await.unwrap();
    assert_eq!(received.len(), 2 + PLACES + 1, "one was not sent");
}
