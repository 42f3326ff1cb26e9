//! What was opened with a token ends with it, also where somebody waits.

use super::common::{Reply, TOKEN, TestServer, soon};
use super::*;

/// An event that no expression can look into, which is counted.
const UNEVALUABLE: &str =
    r#"{"event":"ODD","data":"\ud800","timestamp":{"seconds":1,"microseconds":2}}"#;

async fn revoke(server: &TestServer) {
    let path = "/api/v1/tokens/brief";
    let revoked = server.ask(TOKEN, "DELETE", path, "").await;
    assert_eq!(revoked.status, 204, "{}", revoked.text);
}

async fn console() -> (Fake, tempfile::TempDir, TestServer) {
    let script = Script::default().on(
        "odd",
        [Action::send(UNEVALUABLE), Action::Return(json!({"n": 1}))],
    );
    let fake = Fake::start(script).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let session = format!("vm={}", fake.address());
    let server = TestServer::keeping(directory.path(), &[session]).await;
    let told = |vm: &Value| vm["status"] == "running";
    server.session_when("vm", told).await;
    (fake, directory, server)
}

/// Until somebody has looked at an event in vain.
async fn looked_at(server: &TestServer) {
    soon(async {
        loop {
            let vm = server.get("/api/v1/sessions/vm").await.json();
            if vm["counters"]["unevaluable"].as_u64().unwrap() > 0 {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_long_poll_ends_with_its_token() {
    let (_fake, _directory, server) = console().await;
    server.execute("vm", r#"{"execute":"odd"}"#).await;
    let token = server.token("brief", "viewer").await;
    let path = "/api/v1/sessions/vm/events?after=0&where=%40.data&wait=60";
    let poll = server.ask(&token, "GET", path, "");
    let (reply, ()) = tokio::join!(poll, async {
        looked_at(&server).await;
        revoke(&server).await;
    });
    reply.is_problem(401, "unauthorized", &["revoked"]);
}

#[tokio::test]
async fn a_long_poll_ends_with_its_login() {
    let (_fake, _directory, server) = console().await;
    server.execute("vm", r#"{"execute":"odd"}"#).await;
    let request = server.http.post(server.url("/api/v1/login"));
    let login = Reply::of(request.body(format!(r#"{{"token":"{TOKEN}"}}"#))).await;
    let cookie = login.header("set-cookie").split(';').next().unwrap();
    let path = "/api/v1/sessions/vm/events?after=0&where=%40.data&wait=60";
    let poll = server.http.get(server.url(path)).header("cookie", cookie);
    let (reply, ()) = tokio::join!(Reply::of(poll), async {
        looked_at(&server).await;
        let request = server.http.delete(server.url("/api/v1/login"));
        let logout = Reply::of(request.header("cookie", cookie)).await;
        assert_eq!(logout.status, 204);
    });
    reply.is_problem(401, "unauthorized", &["login"]);
}

#[tokio::test]
async fn a_command_that_waits_for_its_event_ends_with_its_token() {
    let (_fake, _directory, server) = console().await;
    let token = server.token("brief", "admin").await;
    let body = r#"{"execute":"odd","expect":{"where":"@.data"}}"#;
    let execute = server.ask(&token, "POST", "/api/v1/sessions/vm/execute", body);
    let (reply, ()) = tokio::join!(execute, async {
        looked_at(&server).await;
        revoke(&server).await;
    });
    let problem = reply.is_problem(401, "unauthorized", &["revoked"]);
    // It was executed all the same.
    assert_eq!(
        (&problem["outcome"], &problem["return"], &problem["session"]),
        (&json!("done"), &json!({"n": 1}), &json!("vm"))
    );
}
