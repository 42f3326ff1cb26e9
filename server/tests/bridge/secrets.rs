//! What the log never says, whatever it is asked to say.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::common::{Reply, Socket, TOKEN, TestServer};
use super::*;

#[tokio::test]
async fn secrets_are_not_in_the_log_at_its_most_talkative() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    for level in [
        "trace",
        "tungstenite=trace,hyper=trace,tower_http=trace,trace",
    ] {
        let stderr = std::fs::File::create(&log).unwrap();
        let session = format!("vm={}", fake.address());
        let arguments = ["--listen", "127.0.0.1:0", "--log", level];
        let state = directory.path().to_str().unwrap();
        let arguments = [
            &arguments[..],
            &["--session", &session, "--data-dir", state],
        ]
        .concat();
        let mut server = TestServer::logging_to(stderr.into(), &arguments).await;
        server.session_in("vm", "running").await;

        let name = if level == "trace" { "one" } else { "two" };
        let token = server.token(name, "admin").await;
        let command = r#""execute":"set_password","arguments":{"password":"hunter-22"}"#;
        server.execute("vm", &format!("{{{command}}}")).await;
        let request = server.http.post(server.url("/api/v1/login"));
        let login = Reply::of(request.body(format!(r#"{{"token":"{token}"}}"#))).await;
        let cookie = login.header("set-cookie").split(';').next().unwrap();
        let (_, login) = cookie.split_once('=').unwrap();
        let address = server.url(&format!("/api/v1/sessions?token={token}"));
        Reply::of(server.http.get(address).header("cookie", cookie)).await;
        let mut request = server.socket_request();
        let headers = request.headers_mut();
        headers.remove("authorization");
        let encoded = URL_SAFE_NO_PAD.encode(&token);
        let offer = format!("qmp-console.v1, bearer.{encoded}");
        headers.insert("sec-websocket-protocol", offer.parse().unwrap());
        let mut socket = Socket::connect(request).await.unwrap();
        let frame = format!(r#"{{"type":"execute","id":1,"session":"vm",{command}}}"#);
        socket.send(&frame).await;
        socket.next("reply").await;
        server.kill().await;

        let said = std::fs::read_to_string(&log).unwrap();
        assert!(said.contains("DEBUG"), "{said}");
        for secret in ["hunter-22", TOKEN, &token, &encoded, login] {
            assert!(!said.contains(secret), "{secret} is in the log: {said}");
        }
    }
}
