//! Which addresses there are: the API's, the front end's, and no others.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::common::{Reply, TOKEN, TestServer, soon};

/// A console at the root of its site, and one under a part of it.
async fn both() -> [TestServer; 2] {
    let arguments = ["--listen", "127.0.0.1:0", "--ephemeral"];
    let root = TestServer::serve(&arguments).await;
    let under = [&arguments[..], &["--base-path", "/qmp"]].concat();
    [root, TestServer::serve(&under).await]
}

#[tokio::test]
async fn a_part_that_is_not_there_is_absent() {
    for server in both().await {
        for path in [
            "/api",
            "/api/",
            "/api/v1/",
            "/api/v1/nothing",
            "/api/v2/sessions",
            "/metrics",
            "/metrics/",
            "/problems/not-found",
            "/healthz/",
            "/healthz/x",
            "/readyz/x",
        ] {
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                let reply = server.ask(TOKEN, method, path, "").await;
                assert_eq!(reply.status, 404, "{method} {path}");
                let kind = reply.header("content-type");
                assert_eq!(kind, "application/problem+json", "{method} {path}");
            }
            let reply = server.get(path).await;
            reply.is_problem(404, "not-found", &["address"]);
        }
    }
}

#[tokio::test]
async fn the_page_is_what_a_browser_gets_and_nothing_else() {
    for server in both().await {
        for path in ["/", "/index.html", "/events", "/commands/vm/stop", "/none"] {
            for method in ["GET", "HEAD"] {
                let reply = server.ask(TOKEN, method, path, "").await;
                assert_eq!(reply.status, 200, "{method} {path}");
                let kind = reply.header("content-type");
                assert!(kind.starts_with("text/html"), "{method} {path}: {kind}");
                assert_eq!(reply.text.is_empty(), method == "HEAD", "{method} {path}");
            }
            for method in ["POST", "PUT", "DELETE"] {
                let reply = server.ask(TOKEN, method, path, "").await;
                reply.is_problem(405, "method-not-allowed", &["method"]);
                assert_eq!(reply.header("allow"), "GET,HEAD", "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn another_method_is_refused_with_a_reason_everywhere() {
    for server in both().await {
        for path in ["/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/ws"] {
            for method in ["POST", "DELETE"] {
                let reply = server.ask(TOKEN, method, path, "").await;
                reply.is_problem(405, "method-not-allowed", &["method"]);
            }
        }
    }
}

/// The answer to a request of which only the headers are sent.
async fn answer(server: &TestServer, headers: &str) -> String {
    let mut stream = soon(TcpStream::connect(&server.host)).await.unwrap();
    let host = &server.host;
    let request = format!("{headers}Host: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    let mut answer = Vec::new();
    soon(async {
        while !answer.ends_with(b"}") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
        }
    })
    .await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_long_is_not_waited_for() {
    let server = TestServer::start(&[]).await;
    for path in ["sessions", "tokens", "login", "sessions/vm/execute"] {
        let headers = format!("POST /api/v1/{path} HTTP/1.1\r\nContent-Length: 4194305\r\n");
        let answer = answer(&server, &headers).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
        assert!(answer.contains("/problems/too-large"), "{path}: {answer}");
    }
    let most = format!(r#"{{"token":"{}"}}"#, "x".repeat((4 << 20) - 12));
    let request = server.http.post(server.url("/api/v1/login"));
    let reply = Reply::of(request.body(most)).await;
    reply.is_problem(401, "unauthorized", &[]);
}
