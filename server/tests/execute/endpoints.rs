//! Sessions whose endpoint is not simply there: how each is shown, and what a
//! command on it is answered.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use qmp_fake::{Action, Fake, Listen, Script};
use serde_json::{Value, json};

use crate::common::TestServer;

/// A command is not sent, and the answer names state and cause.
async fn not_running(server: &TestServer, session: &Value) {
    let [name, state, cause] =
        ["name", "state", "cause"].map(|member| session[member].as_str().unwrap());
    let reply = server.execute(name, r#"{"execute":"stop"}"#).await;
    let state = format!("session {name:?} is {state}, not running");
    let problem = reply.is_problem(409, "state-error", &[&state, cause]);
    assert_eq!(problem["session"], name, "{problem}");
    assert!(problem.get("outcome").is_none(), "{problem}");
    let reply = server.get(&format!("/api/v1/sessions/{name}/schema")).await;
    reply.is_problem(409, "state-error", &[&state, cause]);
}

#[tokio::test]
async fn sessions_are_listed_by_name_in_the_shape_of_the_contract() {
    let fake = Fake::start(Script::default()).await.unwrap();
    let address = fake.address();
    let sessions = [
        "vm-2=unix:/nowhere/vm.qmp".to_owned(),
        format!("vm={address}"),
        "0=/nowhere/with,,comma,kind=qga".to_owned(),
    ];
    let server = TestServer::start(&sessions).await;
    server.session_in("vm-2", "retrying").await;
    server.session_in("0", "retrying").await;
    let told = |vm: &Value| vm["status"] == "running";
    server.session_when("vm", told).await;
    let reply = server.get("/api/v1/sessions").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "application/json");
    let mut list = reply.json();
    for session in list["sessions"].as_array_mut().unwrap() {
        let name = session["name"].as_str().unwrap();
        let one = server.get(&format!("/api/v1/sessions/{name}")).await;
        assert_eq!(one.json(), *session, "the same alone");
        let since = session["since"].take();
        let since = since.as_str().unwrap();
        let shape = since.replace(|c: char| c.is_ascii_digit(), "0");
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z");
    }
    let counters = |n| {
        json!({"connections": n, "commands": 0, "events": 0, "dropped": 0,
            "unstored": 0, "unevaluable": 0})
    };
    let missing = "No such file or directory (os error 2)";
    assert_eq!(
        list,
        json!({"sessions": [
            {
                "name": "0", "kind": "qga", "address": "unix:/nowhere/with,,comma,kind=qga",
                "state": "retrying", "since": null, "counters": counters(0),
                "cause": format!("cannot connect to unix:/nowhere/with,,comma,kind=qga: {missing}"),
            },
            {
                "name": "vm", "kind": "qmp", "address": address,
                "state": "running", "status": "running", "since": null, "counters": counters(1),
                "greeting": {
                    "version": {
                        "qemu": {"major": 7, "minor": 2, "micro": 0}, "package": "qmp-fake",
                    },
                    "capabilities": ["oob"],
                },
            },
            {
                "name": "vm-2", "kind": "qmp", "address": "unix:/nowhere/vm.qmp",
                "state": "retrying", "since": null, "counters": counters(0),
                "cause": format!("cannot connect to unix:/nowhere/vm.qmp: {missing}"),
            },
        ]})
    );
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.qmp");
    let server = TestServer::start(&[format!("vm=unix:{}", path.display())]).await;
    let vm = server.session_in("vm", "retrying").await;
    let cause = vm["cause"].as_str().unwrap();
    assert!(cause.contains("No such file"), "{cause}");
    not_running(&server, &vm).await;
    // A socket that nobody listens on any more.
    drop(UnixListener::bind(&path).unwrap());
    let refused = |vm: &Value| {
        let cause = vm["cause"].as_str();
        cause.is_some_and(|cause| cause.contains("Connection refused"))
    };
    let vm = server.session_when("vm", refused).await;
    not_running(&server, &vm).await;
    std::fs::remove_file(&path).unwrap();
    let listen = Listen::Unix(path);
    let _fake = Fake::listen(&listen, Script::default()).await.unwrap();
    server.session_in("vm", "running").await;
    let reply = server.execute("vm", r#"{"execute":"query-status"}"#).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test]
async fn what_is_not_qmp_is_told_with_its_words() {
    let greeting = |text: &str| Script::default().greeting([Action::send(text)]);
    let refusal = Action::error("GenericError", "not today");
    let cases = [
        (greeting("HTTP/1.1 400 Bad Request\r\n\r\n"), "is not QMP"),
        (greeting("\"hello\" "), "\"hello\""),
        (
            greeting(r#"{"hello": "world"}"#),
            r#"instead of a greeting it sent {"hello": "world"}"#,
        ),
        (greeting(r#"{"QMP": {"version": 7}}"#), "`QMP.version`"),
        (
            greeting(r#"{"return": {}}"#),
            r#"instead of a greeting it sent {"return": {}}"#,
        ),
        (
            Script::default().greeting([Action::Close]),
            "the server closed the connection",
        ),
        (
            Script::default().on("qmp_capabilities", [refusal]),
            "the server refused the negotiation: not today",
        ),
        (
            Script::default().on("qmp_capabilities", [Action::Close]),
            "ended before it was established",
        ),
    ];
    let (mut fakes, mut sessions) = (Vec::new(), Vec::new());
    for (index, (script, _)) in cases.iter().enumerate() {
        let fake = Fake::start(script.clone()).await.unwrap();
        sessions.push(format!("s{index}={}", fake.address()));
        fakes.push(fake);
    }
    let server = TestServer::start(&sessions).await;
    for (index, (_, mentions)) in cases.iter().enumerate() {
        let session = server.session_in(&format!("s{index}"), "retrying").await;
        let cause = session["cause"].as_str().unwrap();
        assert!(cause.contains(mentions), "{cause}");
        assert!(session.get("greeting").is_none(), "{session}");
        not_running(&server, &session).await;
    }
}

#[tokio::test]
async fn a_busy_monitor_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.qmp");
    let listener = UnixListener::bind(&path).unwrap();
    let server = TestServer::start(&[format!("vm=unix:{}", path.display())]).await;
    let connecting = server.session_in("vm", "connecting").await;
    assert!(connecting.get("cause").is_none(), "{connecting}");
    let waiting = server.session_in("vm", "waiting").await;
    let cause = waiting["cause"].as_str().unwrap();
    assert!(cause.contains("in use by another client"), "{cause}");
    let since = |session: &Value| -> jiff::Timestamp {
        session["since"].as_str().unwrap().parse().unwrap()
    };
    let after = since(&waiting).duration_since(since(&connecting));
    assert!(
        after.unsigned_abs() >= Duration::from_millis(4_990),
        "{after}"
    );
    not_running(&server, &waiting).await;

    // One connection, and still that one.
    listener.set_nonblocking(true).unwrap();
    let (stream, _) = listener.accept().unwrap();
    let alone = || listener.accept().unwrap_err().kind();
    assert_eq!(alone(), std::io::ErrorKind::WouldBlock);
    stream.set_nonblocking(true).unwrap();
    let mut stream = tokio::net::UnixStream::from_std(stream).unwrap();
    assert_eq!(
        stream.try_read(&mut [0]).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "neither closed nor written to"
    );

    // Now it is our turn.
    let (fake, mut endpoint) = Fake::in_memory(Script::default());
    let relay =
        tokio::spawn(
            async move { tokio::io::copy_bidirectional(&mut stream, &mut endpoint).await },
        );
    let running = server.session_in("vm", "running").await;
    assert!(running.get("cause").is_none(), "{running}");
    assert_eq!(running["counters"]["connections"], 1, "{running}");
    let reply = server.execute("vm", r#"{"execute":"query-version"}"#).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(alone(), std::io::ErrorKind::WouldBlock);
    let received = fake.received(3).await.unwrap();
    assert_eq!(received[0].name, "qmp_capabilities");
    drop(fake);
    relay.abort();
}

#[tokio::test]
async fn a_guest_agent_is_driven_without_greeting_and_schema() {
    let script = Script::default()
        .greeting([])
        .on("slow", [Action::hold(), Action::Return(json!({}))])
        .on("guest-ping", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::start(&[format!("ga={},kind=qga", fake.address())]).await;
    let ga = server.session_in("ga", "running").await;
    assert_eq!(ga["kind"], "qga");
    assert!(
        ga.get("greeting").is_none() && ga.get("status").is_none(),
        "{ga}"
    );
    let reply = server
        .execute("ga", r#"{"execute":"guest-ping","id":1}"#)
        .await;
    assert_eq!(reply.text, r#"{"return":{},"id":1}"#);
    let reply = server.get("/api/v1/sessions/ga/schema").await;
    assert!(reply.text.starts_with(r#"{"schema":null,"docs":{"#));
    let docs = &reply.json()["docs"];
    assert!(docs["commands"]["guest-exec"]["members"]["path"]["text"].is_array());

    // An agent that did not answer must say that it is there, before it is
    // sent more.
    let slow = r#"{"execute":"slow","timeout":0}"#;
    let reply = server.execute("ga", slow).await;
    reply.is_problem(504, "timeout", &["unknown"]);
    let reply = server.execute("ga", r#"{"execute":"guest-ping"}"#).await;
    assert_eq!(reply.text, r#"{"return":{}}"#);
    let received = fake.received(5).await.unwrap();
    let names: Vec<_> = received.iter().map(|it| &*it.name).collect();
    assert_eq!(
        names,
        [
            "guest-sync-delimited",
            "guest-ping",
            "slow",
            "guest-sync-delimited",
            "guest-ping"
        ]
    );
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_waited_for() {
    let script = Script::default()
        .greeting([])
        .on("guest-sync-delimited", [Action::hold(), Action::Sync]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::start(&[format!("ga={},kind=qga", fake.address())]).await;
    let waiting = server.session_in("ga", "waiting").await;
    let cause = waiting["cause"].as_str().unwrap();
    assert!(cause.contains("the agent does not answer"), "{cause}");
    fake.release("guest-sync-delimited");
    server.session_in("ga", "running").await;
    assert_eq!(fake.received(1).await.unwrap().len(), 1, "asked once");
}
