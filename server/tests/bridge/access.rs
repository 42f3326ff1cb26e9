//! Roles, tokens, the policy and the audit.

use super::common::{TOKEN, TestServer};
use super::*;

/// A console that keeps tokens, on this endpoint.
async fn keeping(fake: &Fake) -> (tempfile::TempDir, TestServer) {
    let directory = tempfile::tempdir().unwrap();
    let session = format!("vm={}", fake.address());
    let server = TestServer::keeping(directory.path(), &[session]).await;
    server.session_in("vm", "running").await;
    (directory, server)
}

const EXECUTE: &str = "/api/v1/sessions/vm/execute";

#[tokio::test]
async fn each_role_may_do_what_it_may_and_no_more() {
    let fake = emitter().await;
    let (_directory, server) = keeping(&fake).await;
    let viewer = server.token("v", "viewer").await;
    let operator = server.token("o", "operator").await;
    let new = format!(r#"{{"name":"x","address":"{}"}}"#, fake.address());
    for (method, path, body, least) in [
        ("GET", "/api/v1/sessions", "", 0),
        ("GET", "/api/v1/sessions/vm", "", 0),
        ("GET", "/api/v1/sessions/vm/events", "", 0),
        ("POST", EXECUTE, r#"{"execute":"query-status"}"#, 0),
        ("POST", "/api/v1/sessions/vm/connect", "", 1),
        ("POST", EXECUTE, r#"{"execute":"stop"}"#, 1),
        ("POST", EXECUTE, r#"{"execute":"qom-set"}"#, 2),
        ("POST", EXECUTE, r#"{"execute":"unheard-of"}"#, 2),
        ("GET", "/api/v1/tokens", "", 2),
        ("GET", "/api/v1/audit", "", 2),
        ("POST", "/api/v1/tokens", r#"{"name":"t"}"#, 2),
        ("DELETE", "/api/v1/tokens/t", "", 2),
        ("POST", "/api/v1/sessions", &new, 2),
        ("DELETE", "/api/v1/sessions/x", "", 2),
    ] {
        for (role, token) in [&*viewer, &operator, TOKEN].into_iter().enumerate() {
            let reply = server.ask(token, method, path, body).await;
            let what = format!("{method} {path} {body} as {role}: {}", reply.text);
            match role >= least {
                true => assert_ne!(reply.status, 403, "{what}"),
                false => {
                    let problem = reply.is_problem(403, "forbidden", &["role"]);
                    assert_eq!(problem.get("session").is_some(), path == EXECUTE, "{what}");
                }
            }
        }
    }
    // Arguments count, and what is in a transaction or a line.
    for body in [
        r#"{"execute":"human-monitor-command","arguments":{"command-line":"  migrate exec:x"}}"#,
        r#"{"execute":"transaction","arguments":{"actions":[{"type":"blockdev-snapshot-sync",
            "data":{"device":"d","snapshot-file":"/etc/x"}}]}}"#,
        r#"{"execute":"guest-exec","arguments":{"path":"sh"}}"#,
    ] {
        let reply = server.ask(&operator, "POST", EXECUTE, body).await;
        reply.is_problem(403, "forbidden", &["admin"]);
    }
    let received = fake.received(1).await.unwrap();
    let sent = |name: &str| {
        received
            .iter()
            .filter(|command| command.name == name)
            .count()
    };
    assert_eq!(
        (sent("stop"), sent("transaction"), sent("guest-exec")),
        (2, 0, 0)
    );
}

#[tokio::test]
async fn what_a_command_would_need_is_told_and_nothing_is_sent() {
    const REQUIREMENT: &str = "/api/v1/requirement";
    let fake = emitter().await;
    let (_directory, server) = keeping(&fake).await;
    let viewer = server.token("v", "viewer").await;
    for (body, role, least) in [
        (r#"{"execute":"query-status"}"#, "viewer", "viewer"),
        (
            r#"{"execute":"stop","arguments":{}}"#,
            "operator",
            "operator",
        ),
        (r#"{"execute":"unheard-of"}"#, "admin", "admin"),
        (
            r#"{"execute":"human-monitor-command","arguments":{"command-line":"info status"}}"#,
            "viewer",
            "viewer",
        ),
        (
            r#"{"execute":"human-monitor-command","arguments":{"command-line":"migrate exec:x"}}"#,
            "admin",
            "viewer",
        ),
    ] {
        let reply = server.ask(&viewer, "POST", REQUIREMENT, body).await;
        let said = reply.json();
        assert_eq!(
            (&said["role"], &said["least"]),
            (&json!(role), &json!(least)),
            "{body}"
        );
        assert!(!said["reason"].as_str().unwrap().is_empty(), "{body}");
        // It is what the console then decides.
        let refused = server.ask(&viewer, "POST", EXECUTE, body).await.status == 403;
        assert_eq!(refused, role != "viewer", "{body}");
    }
    for body in [
        r#"{"execute":""}"#,
        r#"{"execute":"x","arguments":null}"#,
        r#"{"execute":"x","colour":1}"#,
    ] {
        let reply = server.ask(&viewer, "POST", REQUIREMENT, body).await;
        reply.is_problem(400, "invalid-request", &[]);
    }
    let reply = server.ask("", "POST", REQUIREMENT, "{}").await;
    assert_eq!(reply.status, 401);
    let audit = server.get("/api/v1/audit").await.json();
    assert_eq!(audit["entries"].as_array().unwrap().len(), 5, "{audit}");
}

#[tokio::test]
async fn a_token_is_shown_once_and_what_it_opened_ends_with_it() {
    let fake = emitter().await;
    let (_directory, server) = keeping(&fake).await;
    let secret = server.token("ci", "operator").await;
    let list = server.get("/api/v1/tokens").await;
    assert!(!list.text.contains(&secret));
    assert_eq!(list.json()["tokens"][0]["name"], "ci");
    let taken = server
        .ask(TOKEN, "POST", "/api/v1/tokens", r#"{"name":"ci"}"#)
        .await;
    taken.is_problem(409, "state-error", &["ci"]);

    let mut quiet = server.socket_as(&secret).await;
    let hello = quiet.next("hello").await;
    assert_eq!(hello["role"], "operator");
    let revoked = server.ask(TOKEN, "DELETE", "/api/v1/tokens/ci", "").await;
    assert_eq!(revoked.status, 204);
    let reply = server.ask(&secret, "GET", "/api/v1/sessions", "").await;
    reply.is_problem(401, "unauthorized", &["not valid"]);
    let (code, _) = quiet.closed().await;
    assert_eq!(code, 4401);
    let gone = server.ask(TOKEN, "DELETE", "/api/v1/tokens/ci", "").await;
    gone.is_problem(404, "not-found", &["ci"]);
    for body in [
        r#"{"name":"a b"}"#,
        r#"{"name":"x","expires":-1}"#,
        r#"{"name":"x","role":"root"}"#,
    ] {
        let reply = server.ask(TOKEN, "POST", "/api/v1/tokens", body).await;
        reply.is_problem(400, "invalid-request", &[]);
    }
}

#[tokio::test]
async fn a_token_that_ends_closes_its_sockets() {
    let fake = emitter().await;
    let (_directory, server) = keeping(&fake).await;
    let made = server
        .ask(
            TOKEN,
            "POST",
            "/api/v1/tokens",
            r#"{"name":"brief","expires":1}"#,
        )
        .await;
    let secret = made.json()["token"].as_str().unwrap().to_owned();
    let mut socket = server.socket_as(&secret).await;
    assert_eq!(socket.closed().await.0, 4401);
    let reply = server.ask(&secret, "GET", "/api/v1/sessions", "").await;
    reply.is_problem(401, "unauthorized", &[]);
}

#[tokio::test]
async fn every_command_is_on_record_without_its_secrets() {
    let fake = emitter().await;
    let (directory, mut server) = keeping(&fake).await;
    let viewer = server.token("v", "viewer").await;
    let secret =
        r#"{"execute":"set_password","arguments":{"protocol":"vnc","password":"hunter2"}}"#;
    server.ask(TOKEN, "POST", EXECUTE, secret).await;
    server.ask(&viewer, "POST", EXECUTE, secret).await;
    emit(&server, [1]).await;
    let mut socket = server.socket().await;
    socket
        .send(r#"{"type":"execute","id":1,"session":"vm","execute":"emit2"}"#)
        .await;
    socket.next("reply").await;

    let audit = server.get("/api/v1/audit").await;
    assert!(!audit.text.contains("hunter2"), "{}", audit.text);
    let audit = audit.json();
    let entries = audit["entries"].as_array().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap().to_owned();
            let [token, command, decision, result] =
                ["token", "command", "decision", "result"].map(text);
            assert!(text("peer").starts_with("127.0.0.1:"), "{it}");
            assert!(it["duration"].is_f64() && it["session"] == "vm", "{it}");
            (token, command, decision, result)
        })
        .collect();
    let expected = [
        ("admin", "set_password", "allowed", "execute-error"),
        ("v", "set_password", "refused", "forbidden"),
        ("admin", "emit1", "allowed", "return"),
        ("admin", "emit2", "allowed", "return"),
    ];
    let expected = expected.map(|(a, b, c, d)| (a.into(), b.into(), c.into(), d.into()));
    assert_eq!(told, expected);
    assert_eq!(entries[0]["arguments"]["protocol"], "vnc");
    let first = server.get("/api/v1/audit?limit=1").await.json();
    assert_eq!(first["entries"].as_array().unwrap().len(), 1);
    let rest = format!("/api/v1/audit?after={}", first["next"]);
    assert_eq!(server.get(&rest).await.json()["entries"][0]["token"], "v");

    // It is durable, whatever happens; how a command ended is, a little later.
    let path = directory.path().join("journal.sqlite3");
    let open = || -> i64 {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let query = "SELECT count(*) FROM audit WHERE result IS NULL";
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    };
    super::common::soon(async {
        while open() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.kill().await;
    let server = TestServer::keeping(directory.path(), &[]).await;
    assert_eq!(server.get("/api/v1/audit").await.json(), audit);
}

/// No file can be written at all.
#[tokio::test]
async fn a_token_is_revoked_on_a_full_disk() {
    let fake = emitter().await;
    let (directory, server) = keeping(&fake).await;
    let (revoked, other) = (
        server.token("a", "viewer").await,
        server.token("b", "viewer").await,
    );
    let mut socket = server.socket_as(&revoked).await;
    server.limit(Some(0));
    let path = "/api/v1/tokens/a";
    let reply = server.ask(TOKEN, "DELETE", path, "").await;
    let told = ["lets nobody in any more", "starts again", "tokens.json"];
    reply.is_problem(500, "internal-error", &told);
    assert_eq!(socket.closed().await.0, 4401);
    let status = async |token: &str| {
        server
            .ask(token, "GET", "/api/v1/sessions", "")
            .await
            .status
    };
    assert_eq!((status(&revoked).await, status(&other).await), (401, 200));
    assert!(!server.get("/api/v1/tokens").await.text.contains(r#""a""#));
    let made = server
        .ask(TOKEN, "POST", "/api/v1/tokens", r#"{"name":"c"}"#)
        .await;
    made.is_problem(500, "internal-error", &[]);
    let mut names = std::fs::read_dir(directory.path()).unwrap();
    let left = names.find(|it| {
        it.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|it| it == "new")
    });
    assert!(left.is_none(), "{left:?}");
    // Once more, with room.
    server.limit(None);
    assert_eq!(server.ask(TOKEN, "DELETE", path, "").await.status, 204);
    let text = std::fs::read_to_string(directory.path().join("tokens.json")).unwrap();
    assert!(
        text.contains(r#""b""#) && !text.contains(r#""a""#),
        "{text}"
    );
    server
        .ask(TOKEN, "DELETE", path, "")
        .await
        .is_problem(404, "not-found", &[]);
}

/// A record does not wait for its transaction to be safe from a kill.
#[tokio::test]
async fn a_killed_console_has_every_command_on_record_once() {
    let fake = emitter().await;
    let (directory, mut server) = keeping(&fake).await;
    let mut expected = Vec::new();
    for round in 1..=3 {
        // Without an event, which would be written at once, and the record too.
        let command = format!("query-{round}");
        let body = format!(r#"{{"execute":"{command}"}}"#);
        server.execute("vm", &body).await;
        server.kill().await;
        expected.push((round, command));
        let session = format!("vm={}", fake.address());
        server = TestServer::keeping(directory.path(), &[session]).await;
        server.session_in("vm", "running").await;
        let audit = server.get("/api/v1/audit").await.json();
        let entries = audit["entries"].as_array().unwrap();
        let told: Vec<_> = entries
            .iter()
            .map(|it| {
                assert_eq!(it["decision"], "allowed");
                assert_eq!(it["result"], "execute-error", "{it}");
                assert!(it["duration"].is_f64(), "{it}");
                let command = it["command"].as_str().unwrap().to_owned();
                (it["id"].as_u64().unwrap(), command)
            })
            .collect();
        assert_eq!(told, expected);
    }
}
