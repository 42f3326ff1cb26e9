//! What is the same for every request: its id, its role, what it accepts.

use super::common::{Reply, TOKEN, TestServer};
use super::*;

#[tokio::test]
async fn every_request_has_an_id_which_its_problem_names() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let stderr = std::fs::File::create(&log).unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--ephemeral", "--log", "debug"];
    let mut server = TestServer::logging_to(stderr.into(), &arguments).await;
    let mut ids = Vec::new();
    for (path, status) in [
        ("/", 200),
        ("/healthz", 200),
        ("/metrics", 404),
        ("/api/v1/sessions", 200),
        ("/api/v1/sessions/none", 404),
        ("/api/v1/sessions/none/execute", 405),
        ("/api/v1/audit?limit=0", 400),
    ] {
        // The caller's own is not taken over: it would be put into the log.
        let request = server.http.get(server.url(path)).bearer_auth(TOKEN);
        let reply = Reply::of(request.header("x-request-id", "mine")).await;
        assert_eq!(reply.status, status, "{path}");
        let id = reply.header("x-request-id").to_owned();
        assert!(!id.is_empty() && id != "mine", "{path}: {id:?}");
        if status >= 400 {
            assert_eq!(reply.json()["request_id"], *id, "{path}: {}", reply.text);
        }
        ids.push(id);
    }
    let request = server.http.get(server.url("/")).header("host", "evil");
    let reply = Reply::of(request).await;
    let problem = reply.is_problem(421, "misdirected-request", &[]);
    assert_eq!(problem["request_id"], reply.header("x-request-id"));
    ids.push(reply.header("x-request-id").to_owned());
    server.kill().await;
    let said = std::fs::read_to_string(&log).unwrap();
    for id in &ids {
        assert!(said.contains(&**id), "{id} is not in the log: {said}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[tokio::test]
async fn a_problem_on_the_socket_is_told_by_its_own_ids() {
    let server = TestServer::start(&[]).await;
    let mut socket = server.socket().await;
    socket
        .send(r#"{"type":"execute","id":1,"session":"none","execute":"stop"}"#)
        .await;
    let reply = socket.next("reply").await;
    assert!(reply["problem"].get("request_id").is_none(), "{reply}");
}

#[tokio::test]
async fn the_role_is_judged_before_the_body() {
    let directory = tempfile::tempdir().unwrap();
    let server = TestServer::keeping(directory.path(), &[]).await;
    let viewer = server.token("v", "viewer").await;
    for path in ["/api/v1/tokens", "/api/v1/sessions"] {
        for body in ["", "{}", "{"] {
            let reply = server.ask(&viewer, "POST", path, body).await;
            reply.is_problem(403, "forbidden", &["admin", "viewer"]);
            let reply = server.ask(TOKEN, "POST", path, body).await;
            reply.is_problem(400, "invalid-request", &[]);
        }
    }
    let reply = server
        .ask(&viewer, "GET", "/api/v1/audit?limit=x", "")
        .await;
    reply.is_problem(403, "forbidden", &["admin"]);
}

#[tokio::test]
async fn an_answer_is_of_the_kind_that_is_accepted_most() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    emit(&server, [1]).await;
    const JSON: &str = "application/json";
    const LINES: &str = "application/x-ndjson";
    const STREAM: &str = "text/event-stream";
    for (accept, kind) in [
        ("*/*", JSON),
        ("text/html", JSON),
        ("Application/X-NDJSON", LINES),
        ("TEXT/EVENT-STREAM; q=1.0", STREAM),
        ("application/x-ndjson-like", JSON),
        ("text/event-stream;q=0", JSON),
        ("application/x-ndjson;q=0, */*", JSON),
        ("application/json;q=0.5, application/x-ndjson;q=0.4", JSON),
        ("application/json;q=0.4, application/x-ndjson;q=0.5", LINES),
        ("application/x-ndjson, */*", LINES),
        ("application/x-ndjson, application/*;q=0.9", LINES),
        ("text/*, application/json;q=0.1", STREAM),
        ("a/b;c=\", text/event-stream\"", JSON),
    ] {
        let path = server.url("/api/v1/sessions/vm/events");
        let request = server.http.get(path).bearer_auth(TOKEN);
        let response = request.header("accept", accept).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], *kind, "{accept}");
    }
}
