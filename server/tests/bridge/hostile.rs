//! What others were bitten by, tried on this console.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener};

use super::common::{Reply, TOKEN, TestServer, soon};
use super::*;

/// A login by cookie: its pair, for the `Cookie` header.
async fn login(server: &TestServer, token: &str) -> String {
    let request = server.http.post(server.url("/api/v1/login"));
    let reply = Reply::of(request.body(format!(r#"{{"token":"{token}"}}"#))).await;
    assert_eq!(reply.status, 204, "{}", reply.text);
    let cookie = reply.header("set-cookie");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_console_that_others_can_reach_does_not_start_open() {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_qmp-console"))
        .args(["serve", "--listen", "0.0.0.0:0", "--ephemeral"])
        .env("QMP_CONSOLE_TOKEN", TOKEN)
        .output();
    let output = soon(output).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("--tls-cert") && said.contains("--insecure"),
        "{said}"
    );
}

#[tokio::test]
async fn a_token_in_an_address_is_none() {
    let server = TestServer::start(&[]).await;
    for path in ["/api/v1/sessions", "/api/v1/ws"] {
        let request = server
            .http
            .get(server.url(&format!("{path}?token={TOKEN}")));
        Reply::of(request)
            .await
            .is_problem(401, "unauthorized", &[]);
    }
}

#[tokio::test]
async fn a_logout_ends_what_the_login_has_opened_and_no_other() {
    let server = TestServer::start(&[]).await;
    let (mine, other) = (login(&server, TOKEN).await, login(&server, TOKEN).await);
    assert_ne!(mine, other);
    let open = async |cookie: &str| {
        let mut request = server.socket_request();
        let headers = request.headers_mut();
        headers.remove("authorization");
        headers.insert("cookie", cookie.parse().unwrap());
        headers.insert("origin", format!("http://{}", server.host).parse().unwrap());
        common::Socket::connect(request).await
    };
    let mut ends = open(&mine).await.unwrap();
    let mut stays = open(&other).await.unwrap();
    let request = server.http.delete(server.url("/api/v1/login"));
    let reply = Reply::of(request.header("cookie", &mine)).await;
    assert_eq!(reply.status, 204);
    assert_eq!(ends.closed().await.0, 4401);
    // A copy of the cookie is of no use either.
    let request = server.http.get(server.url("/api/v1/sessions"));
    let reply = Reply::of(request.header("cookie", &mine)).await;
    reply.is_problem(401, "unauthorized", &[]);
    assert_eq!(open(&mine).await.err().unwrap().0, 401);
    // Nor is what it is made of: the token is not in it, in whatever form.
    let (name, secret) = mine.split_once('=').unwrap();
    for part in secret.split('.') {
        let bearer = String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
        for token in [part.to_owned(), bearer.unwrap_or_default()] {
            let reply = server.ask(&token, "GET", "/api/v1/sessions", "").await;
            reply.is_problem(401, "unauthorized", &[]);
        }
        let request = server.http.get(server.url("/api/v1/sessions"));
        let forged = format!("{name}={part}.0123456789abcdef");
        let reply = Reply::of(request.header("cookie", forged)).await;
        reply.is_problem(401, "unauthorized", &[]);
    }
    stays.send(r#"{"type":"ping","id":1}"#).await;
    stays.next("pong").await;
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let server = TestServer::start(&[]).await;
    let attempt = async |token: &str| {
        let request = server.http.post(server.url("/api/v1/login"));
        Reply::of(request.body(format!(r#"{{"token":"{token}"}}"#))).await
    };
    for _ in 0..20 {
        attempt("wrong-wrong-wrong")
            .await
            .is_problem(401, "unauthorized", &[]);
    }
    attempt("wrong-wrong-wrong")
        .await
        .is_problem(429, "rate-limited", &["wait"]);
    // Whoever has a token needs no login.
    assert_eq!(server.get("/api/v1/sessions").await.status, 200);
}

#[tokio::test]
async fn the_socket_is_not_compressed() {
    let server = TestServer::start(&[]).await;
    let mut stream = TcpStream::connect(&server.host).await.unwrap();
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
        server.host
    );
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    let mut answer = String::new();
    soon(async {
        while !answer.contains("\r\n\r\n") {
            let mut bytes = [0; 1024];
            let length = stream.read(&mut bytes).await.unwrap();
            answer += &String::from_utf8_lossy(&bytes[..length]);
        }
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(!answer.to_lowercase().contains("extensions"), "{answer}");
}

#[tokio::test]
async fn headers_that_do_not_come_are_not_waited_for() {
    let server = TestServer::start(&[]).await;
    let mut slow = TcpStream::connect(&server.host).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: lo").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(15), slow.read_to_end(&mut rest));
    // Hung up on, with an answer or without.
    assert!(ended.await.is_ok());
    let rest = String::from_utf8_lossy(&rest);
    assert!(
        rest.is_empty() || rest.starts_with("HTTP/1.1 408"),
        "{rest}"
    );
}

#[tokio::test]
async fn a_thousand_connections_that_say_nothing_harm_nobody() {
    let server = TestServer::start(&[]).await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(soon(TcpStream::connect(&server.host)).await.unwrap());
    }
    assert_eq!(server.get("/api/v1/sessions").await.status, 200);
}

/// An endpoint that greets, and after that answers with more than anybody can
/// hold.
#[tokio::test]
async fn an_endless_reply_ends_its_session_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let endpoint = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let greeting = br#"{"QMP": {"capabilities": [],
            "version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}}}"#;
        stream.write_all(greeting).await.unwrap();
        let mut bytes = [0; 1024];
        assert!(stream.read(&mut bytes).await.unwrap() > 0);
        stream
            .write_all(b"{\"return\": {}, \"id\": 0}")
            .await
            .unwrap();
        stream.write_all(b"{\"return\": \"").await.unwrap();
        let chunk = vec![b'x'; 1 << 20];
        let mut sent = 0;
        while stream.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
        sent
    });
    let fake = emitter().await;
    let server = TestServer::start(&[
        format!("bad=unix:{}", path.display()),
        format!("vm={}", fake.address()),
    ])
    .await;
    server.session_in("vm", "running").await;
    let bad = server
        .session_when("bad", |session| {
            session["cause"]
                .as_str()
                .is_some_and(|cause| cause.contains("limit"))
        })
        .await;
    assert_eq!(bad["state"], "retrying", "{bad}");
    let sent = soon(endpoint).await.unwrap();
    assert!(
        sent < 80 << 20,
        "it was hung up on at the limit of 64 MiB: {sent}"
    );
    emit(&server, [1]).await;
}

/// One request may be of one host only, whoever reads it.
#[tokio::test]
async fn a_request_with_two_hosts_is_refused() {
    let server = TestServer::start(&[]).await;
    let host = &server.host;
    let own = format!("Host: {host}\r\n");
    let evil = "Host: evil.example\r\n";
    for (target, hosts, status) in [
        ("/healthz".to_owned(), own.clone(), "200"),
        (format!("http://{host}/healthz"), own.clone(), "200"),
        ("/healthz".to_owned(), format!("{own}{evil}"), "400"),
        ("/healthz".to_owned(), format!("{evil}{own}"), "400"),
        ("/healthz".to_owned(), format!("{own}{own}"), "400"),
        ("http://evil.example/healthz".to_owned(), own.clone(), "400"),
        (format!("http://{host}/healthz"), evil.to_owned(), "400"),
        (
            "http://evil.example/healthz".to_owned(),
            evil.to_owned(),
            "421",
        ),
    ] {
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.unwrap();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{request}{answer}");
    }
}

#[tokio::test]
async fn who_guesses_by_header_is_slowed_down_too() {
    let server = TestServer::start(&[]).await;
    let ask = async |token: &str| server.ask(token, "GET", "/api/v1/sessions", "").await;
    for _ in 0..20 {
        ask("wrong-wrong-wrong")
            .await
            .is_problem(401, "unauthorized", &[]);
    }
    ask("wrong-wrong-wrong")
        .await
        .is_problem(429, "rate-limited", &["wait"]);
    assert_eq!(ask(TOKEN).await.status, 200);
    let request = server.http.post(server.url("/api/v1/login"));
    let login = Reply::of(request.body(r#"{"token":"wrong-wrong-wrong"}"#)).await;
    login.is_problem(429, "rate-limited", &["wait"]);
}
