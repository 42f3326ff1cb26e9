//! Who is let in, and what every answer says to a browser.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

mod common;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Reply, Socket, TOKEN, TestServer};

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async fn server() -> TestServer {
    TestServer::start(&["vm=unix:/nowhere/vm.qmp".into()]).await
}

async fn login(server: &TestServer) -> String {
    let request = server
        .http
        .post(server.url("/api/v1/login"))
        .body(format!(r#"{{"token":"{TOKEN}"}}"#));
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, 204, "{}", reply.text);
    let cookie = reply.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "no {attribute} in {cookie}");
    }
    assert!(!cookie.contains(TOKEN), "the token is in clear: {cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_but_health_and_login_works_without_a_token() {
    let server = server().await;
    for path in ["/healthz", "/readyz", "/api/v1/login", "/"] {
        let reply = Reply::of(server.http.get(server.url(path))).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    for path in [
        "/api/v1/sessions",
        "/api/v1/sessions/vm",
        "/api/v1/sessions/vm/schema",
    ] {
        let reply = Reply::of(server.http.get(server.url(path))).await;
        reply.is_problem(401, "unauthorized", &["token"]);
        let request = server
            .http
            .get(server.url(path))
            .bearer_auth("not-the-token-at-all");
        Reply::of(request)
            .await
            .is_problem(401, "unauthorized", &["not valid"]);
    }
    let execute = server.url("/api/v1/sessions/vm/execute");
    let request = server.http.post(execute).body(r#"{"execute":"stop"}"#);
    Reply::of(request)
        .await
        .is_problem(401, "unauthorized", &["token"]);
}

#[tokio::test]
async fn login_logout() {
    let server = server().await;
    let status = async |cookie: &str| {
        let request = server
            .http
            .get(server.url("/api/v1/login"))
            .header("cookie", cookie);
        Reply::of(request).await.text
    };
    assert_eq!(status("").await, r#"{"role":null}"#);
    let cookie = login(&server).await;
    assert_eq!(status(&cookie).await, r#"{"role":"admin","name":"admin"}"#);
    let old = format!(
        "other=1; {}=c29tZXRoaW5n",
        cookie.split('=').next().unwrap()
    );
    assert_eq!(status(&old).await, r#"{"role":null}"#);
    let request = server
        .http
        .get(server.url("/api/v1/sessions"))
        .header("cookie", format!("a=b; {cookie}"));
    assert_eq!(Reply::of(request).await.status, 200);

    let wrong = server
        .http
        .post(server.url("/api/v1/login"))
        .body(r#"{"token":"wrong-wrong-wrong-wrong"}"#);
    let wrong = Reply::of(wrong).await;
    wrong.is_problem(401, "unauthorized", &["not valid"]);
    assert_eq!(wrong.header("set-cookie"), "");

    let request = server
        .http
        .delete(server.url("/api/v1/login"))
        .header("cookie", &cookie);
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, 204);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn a_foreign_page_can_neither_log_in_nor_execute() {
    let server = server().await;
    let cookie = login(&server).await;
    let execute = server.url("/api/v1/sessions/vm/execute");
    let own = format!("http://{}", server.host);
    let port = server.host.split(':').nth(1).unwrap();
    let sibling = format!("http://localhost:{port}");
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        &sibling,
    ] {
        let request = server
            .http
            .post(&execute)
            .header("cookie", &cookie)
            .header("origin", origin)
            .body(r#"{"execute":"stop"}"#);
        Reply::of(request)
            .await
            .is_problem(403, "forbidden", &[origin]);
        let request = server
            .http
            .post(server.url("/api/v1/login"))
            .header("origin", origin)
            .body(format!(r#"{{"token":"{TOKEN}"}}"#));
        Reply::of(request)
            .await
            .is_problem(403, "forbidden", &[origin]);
    }
    let request = server
        .http
        .post(&execute)
        .header("cookie", &cookie)
        .header("origin", &own)
        .body(r#"{"execute":"stop"}"#);
    Reply::of(request)
        .await
        .is_problem(409, "state-error", &["vm"]);
}

#[tokio::test]
async fn the_socket_checks_token_and_origin_before_the_upgrade() {
    let server = server().await;
    let cookie = login(&server).await;
    let own = format!("http://{}", server.host);

    let mut request = server.socket_request();
    request.headers_mut().remove("authorization");
    assert_eq!(Socket::connect(request).await.err().unwrap().0, 401);

    for origin in ["http://evil.example", "null"] {
        let mut request = server.socket_request();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        let (status, body) = Socket::connect(request).await.err().unwrap();
        assert_eq!(status, 403, "{body}");
    }

    let mut request = server.socket_request();
    let headers = request.headers_mut();
    headers.remove("authorization");
    headers.insert("cookie", cookie.parse().unwrap());
    headers.insert("origin", own.parse().unwrap());
    let mut socket = Socket::connect(request).await.ok().unwrap();
    assert_eq!(socket.next("hello").await["role"], "admin");

    let bearer = |token: &str| {
        let mut request = server.socket_request();
        let headers = request.headers_mut();
        headers.remove("authorization");
        let offer = format!("qmp-console.v1, bearer.{}", URL_SAFE_NO_PAD.encode(token));
        headers.insert("sec-websocket-protocol", offer.parse().unwrap());
        request
    };
    let socket = Socket::connect(bearer(TOKEN)).await.ok().unwrap();
    assert_eq!(socket.protocol.as_deref(), Some("qmp-console.v1"));
    let (status, _) = Socket::connect(bearer("not-the-token-at-all"))
        .await
        .err()
        .unwrap();
    assert_eq!(status, 401);

    let mut request = server.socket_request();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "qmp".parse().unwrap());
    let (status, body) = Socket::connect(request).await.err().unwrap();
    assert_eq!(status, 400);
    assert!(body.contains("qmp-console.v1"), "{body}");
}

#[tokio::test]
async fn a_rebound_name_is_refused() {
    let server = server().await;
    for path in ["/", "/healthz", "/api/v1/sessions", "/api/v1/ws"] {
        let request = server
            .http
            .get(server.url(path))
            .bearer_auth(TOKEN)
            .header("host", "evil.example:8090");
        let reply = Reply::of(request).await;
        reply.is_problem(421, "misdirected-request", &["evil.example:8090"]);
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let server = server().await;
    for (path, status) in [
        ("/", 200),
        ("/commands/vm/query-status", 200),
        ("/healthz", 200),
        ("/api/v1/sessions", 200),
        ("/api/v1/nothing", 404),
        ("/api/v1/sessions/nobody", 404),
        ("/api/v1/sessions/vm/execute", 405),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.header("content-security-policy"), CSP, "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
    }
}
