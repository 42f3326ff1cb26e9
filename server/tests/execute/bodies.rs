//! Requests that are wrong: each answer says how, and nothing is sent.

use qmp_fake::{Action, Fake, Script};
use serde_json::json;

use crate::common::{Reply, TOKEN, TestServer};

/// Largest body, in bytes.
const LARGEST: usize = 4 << 20;

/// A console on an endpoint to which anything is fine.
async fn anything() -> (Fake, TestServer) {
    let script = Script::default().on("*", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    (fake, server)
}

/// The console has sent this to the endpoint, and nothing else.
async fn only_sent(fake: &Fake, server: &TestServer) {
    let before = fake.received(2).await.unwrap().len();
    let last = server.execute("vm", r#"{"execute":"last"}"#).await;
    assert_eq!(last.status, 200, "{}", last.text);
    let received = fake.received(before + 1).await.unwrap();
    let names: Vec<_> = received.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["qmp_capabilities", "query-status", "last"]);
}

#[tokio::test]
async fn a_body_that_is_wrong_is_refused_with_what_is_wrong() {
    let (fake, server) = anything().await;
    for (body, mentions) in [
        ("", "ends too early"),
        ("   ", "ends too early"),
        ("hello", "column 1"),
        (r#"{"execute":"x""#, "ends too early"),
        (r#"{"execute":"x"}{}"#, "follows the JSON value"),
        (r#"{'execute':'x'}"#, "column 2"),
        (r#"{"execute":"x",}"#, "column 16"),
        (r#"{"execute":"x","arguments":{"n":01}}"#, "column 33"),
        ("null", "JSON object"),
        ("7", "JSON object"),
        (r#""x""#, "JSON object"),
        ("[]", "JSON object"),
        (r#"["x",null,{},null,1]"#, "JSON object"),
        ("{}", "`execute` or `exec-oob` must name a command"),
        (r#"{"execute":null}"#, "`execute` or `exec-oob`"),
        (r#"{"execute":"x","exec-oob":"x"}"#, "both"),
        (r#"{"execute":7}"#, "expected a string"),
        (r#"{"execute":"x","cpu-index":1}"#, "`cpu-index`"),
        (r#"{"execute":"x","timeout":"5"}"#, "expected f64"),
        (r#"{"execute":"x","timeout":-0.5}"#, "`timeout` is -0.5"),
        (r#"{"execute":"x","timeout":3600.5}"#, "`timeout` is 3600.5"),
        (r#"{"execute":"x","timeout":1e999}"#, "out of range"),
        (r#"{"execute":"x","arguments":null}"#, "the arguments"),
        (r#"{"execute":"x","arguments":[]}"#, "the arguments"),
        (r#"{"execute":"x","arguments":"{}"}"#, "not a JSON object"),
    ] {
        let reply = server.execute("vm", body).await;
        reply.is_problem(400, "invalid-request", &[mentions]);
    }
    only_sent(&fake, &server).await;
}

#[tokio::test]
async fn what_the_endpoint_would_refuse_without_an_id_is_not_sent() {
    let (fake, server) = anything().await;
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"execute":"x","arguments":{{"a":{open}{close}}}}}"#)
    };
    for (body, mentions) in [
        (
            r#"{"execute":"x","execute":"x"}"#.to_owned(),
            "duplicate key \"execute\"",
        ),
        (
            r#"{"execute":"x","arguments":{"a":{"b":[{"c":1,"\u0063":2}]}}}"#.to_owned(),
            "duplicate key \"c\" in arguments.a.b[0]",
        ),
        (
            r#"{"execute":"x","id":{"a":1,"a":1}}"#.to_owned(),
            "duplicate key \"a\" in id",
        ),
        (
            r#"{"execute":"x","arguments":{"a":"\ud800"}}"#.to_owned(),
            "surrogate",
        ),
        (
            r#"{"execute":"x","arguments":{"\udc00\ud800":1}}"#.to_owned(),
            "surrogate",
        ),
        (r#"{"execute":"\ud83d"}"#.to_owned(), "surrogate"),
        (
            r#"{"execute":"x","arguments":{"a":"\ufffe"}}"#.to_owned(),
            "U+FFFE",
        ),
        (r#"{"execute":"\uffff"}"#.to_owned(), "U+FFFF"),
        (nested(1_023), "nesting deeper"),
        (nested(1_100), "nesting deeper"),
        (nested(1_000_000), "nesting deeper"),
    ] {
        let reply = server.execute("vm", &body).await;
        reply.is_problem(400, "invalid-request", &[mentions, "column"]);
    }
    only_sent(&fake, &server).await;
    // What it takes is sent.
    let reply = server.execute("vm", &nested(1_022)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = r#"{"execute":"x","arguments":{"a":"\ud83d\ude00"}}"#;
    assert_eq!(server.execute("vm", body).await.status, 200);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let (fake, server) = anything().await;
    let url = server.url("/api/v1/sessions/vm/execute");
    let request = server.http.post(url).bearer_auth(TOKEN);
    let reply = Reply::of(request.body(b"{\"execute\":\"\xff\"}".to_vec())).await;
    reply.is_problem(400, "invalid-request", &["not UTF-8"]);
    only_sent(&fake, &server).await;
}

#[tokio::test]
async fn a_body_is_json_whatever_its_type_says() {
    let (_fake, server) = anything().await;
    for content_type in ["application/x-www-form-urlencoded", "text/plain", ""] {
        let url = server.url("/api/v1/sessions/vm/execute");
        let request = server.http.post(url).bearer_auth(TOKEN);
        let request = request.header("content-type", content_type);
        let reply = Reply::of(request.body(r#"{"execute":"x"}"#)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

#[tokio::test]
async fn the_length_of_a_body_is_bounded() {
    let (fake, server) = anything().await;
    let body = |bytes: usize| {
        let empty = r#"{"execute":"x","id":""}"#;
        let id = "a".repeat(bytes - empty.len());
        format!(r#"{{"execute":"x","id":"{id}"}}"#)
    };
    let reply = server.execute("vm", &body(LARGEST + 1)).await;
    reply.is_problem(413, "too-large", &["4194304 bytes"]);
    only_sent(&fake, &server).await;
    let reply = server.execute("vm", &body(LARGEST)).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_session_that_is_not_there_is_not_found() {
    let (_fake, server) = anything().await;
    let execute = r#"{"execute":"x"}"#;
    for name in ["nobody", "VM", "vm%20", "a%2Fb", "%C3%A4"] {
        let reply = server.execute(name, execute).await;
        reply.is_problem(404, "not-found", &["no session named"]);
        for path in [name.to_owned(), format!("{name}/schema")] {
            let reply = server.get(&format!("/api/v1/sessions/{path}")).await;
            reply.is_problem(404, "not-found", &["no session named"]);
        }
    }
    // Bytes that are no text are no name.
    let reply = server.execute("%FF", execute).await;
    reply.is_problem(404, "not-found", &["no such address"]);
    for path in ["%FF", "%FF/schema"] {
        let reply = server.get(&format!("/api/v1/sessions/{path}")).await;
        reply.is_problem(404, "not-found", &["no such address"]);
    }
}
