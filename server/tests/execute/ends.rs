//! The end of a console: soon, and in peace, whoever still waits.

use qmp_fake::{Action, Fake, Script};
use rustix::process::{Pid, Signal, kill_process};

use crate::common::{TOKEN, TestServer, soon};

fn signal(server: &TestServer, signal: Signal) {
    let pid = i32::try_from(server.pid()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn sigterm_ends_a_console_that_is_in_use() {
    let script = Script::default().on("slow", [Action::hold()]);
    let fake = Fake::start(script).await.unwrap();
    let mut server = TestServer::on(&fake).await;
    let mut idle = server.socket().await;
    let mut busy = server.socket().await;
    busy.send(r#"{"type":"execute","id":1,"session":"vm","execute":"slow"}"#)
        .await;
    let url = server.url("/api/v1/sessions/vm/execute");
    let request = server.http.post(url).bearer_auth(TOKEN);
    let pending = request.body(r#"{"execute":"slow"}"#).send();
    let pending = tokio::spawn(pending);
    fake.received(4).await.unwrap();

    signal(&server, Signal::TERM);
    for socket in [&mut idle, &mut busy] {
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 1001, "{reason}");
        assert!(reason.contains("stopping"), "{reason}");
    }
    assert_eq!(server.ended().await, Some(0));
    let answer = soon(pending).await.unwrap().unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    let problem: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(problem["type"], "/problems/execute-interrupted");
    assert_eq!(problem["outcome"], "unknown");
}

#[tokio::test]
async fn sigint_ends_a_console_that_is_not_in_use() {
    let fake = Fake::start(Script::default()).await.unwrap();
    let sessions = [
        format!("vm={}", fake.address()),
        "gone=unix:/nowhere/vm.qmp".to_owned(),
    ];
    let mut server = TestServer::start(&sessions).await;
    server.session_in("vm", "running").await;
    server.session_in("gone", "retrying").await;
    signal(&server, Signal::INT);
    assert_eq!(server.ended().await, Some(0));
}
