//! What an endpoint does on a socket, and what the program leaves behind.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use qmp_fake::{Action, Fake, Listen, Script};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("it takes too long")
}

fn path(fake: &Fake) -> &Path {
    Path::new(fake.address().strip_prefix("unix:").unwrap())
}

async fn connect(fake: &Fake) -> BufReader<UnixStream> {
    BufReader::new(UnixStream::connect(path(fake)).await.unwrap())
}

async fn line(stream: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    soon(stream.read_line(&mut line)).await.unwrap();
    line.trim_end().to_owned()
}

#[tokio::test]
async fn held_commands_go_on_when_released_or_when_another_command_comes() {
    let reply = |n: u8| Action::Return(json!(n));
    let script = Script::default()
        .greeting([])
        .on("a", [Action::hold_until("b"), reply(1)])
        .on("b", [reply(2)])
        .on("c", [Action::hold(), reply(3), Action::Close]);
    let fake = Fake::start(script).await.unwrap();
    let mut stream = connect(&fake).await;
    let commands = br#"{"execute":"c"}{"execute":"a"} {"execute":"b","id":{"x": 1.50}}"#;
    stream.write_all(commands).await.unwrap();
    assert_eq!(
        line(&mut stream).await,
        r#"{"id": {"x": 1.50}, "return": 2}"#
    );
    assert_eq!(line(&mut stream).await, r#"{"return": 1}"#);
    fake.release("c");
    assert_eq!(line(&mut stream).await, r#"{"return": 3}"#);
    assert_eq!(line(&mut stream).await, "", "closed");
    let names: Vec<_> = fake.received(3).await.unwrap();
    assert!(names.iter().map(|it| &*it.name).eq(["c", "a", "b"]));
}

#[tokio::test]
async fn a_release_may_come_before_the_command() {
    let script = Script::default()
        .greeting([])
        .on("a", [Action::hold(), Action::send("$id")]);
    let fake = Fake::start(script).await.unwrap();
    fake.release("a");
    let mut stream = connect(&fake).await;
    stream
        .write_all(br#"{"execute":"a","id":7}"#)
        .await
        .unwrap();
    assert_eq!(soon(stream.read_u8()).await.unwrap(), b'7');
}

#[tokio::test]
async fn the_second_client_is_served_when_the_first_has_left() {
    let fake = Fake::start(Script::default()).await.unwrap();
    let mut first = connect(&fake).await;
    assert!(line(&mut first).await.contains("QMP"));
    let mut second = connect(&fake).await;
    // The endpoint answers the first one, and has not greeted the second.
    first.write_all(b"{\"execute\":\"x\"}").await.unwrap();
    assert!(line(&mut first).await.contains("CommandNotFound"));
    let nothing = second.get_mut().try_read(&mut [0]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert!(line(&mut second).await.contains("QMP"));
}

#[tokio::test]
async fn stopping_closes_connections_and_removes_the_socket() {
    let script = Script {
        concurrent: true,
        ..Script::default()
    };
    let fake = Fake::start(script).await.unwrap();
    let socket = path(&fake).to_owned();
    let mut streams = [connect(&fake).await, connect(&fake).await];
    for stream in &mut streams {
        assert!(line(stream).await.contains("QMP"));
    }
    soon(fake.stop()).await;
    for stream in &mut streams {
        assert_eq!(line(stream).await, "");
    }
    assert!(!socket.exists());
    assert!(!socket.parent().unwrap().exists());
}

#[tokio::test]
async fn bytes_are_bytes_and_what_is_not_json_is_refused() {
    let script = Script::default().greeting([Action::Bytes(b"\xff\x00".into())]);
    let fake = Fake::start(script).await.unwrap();
    let mut stream = connect(&fake).await;
    assert_eq!(soon(stream.read_u16()).await.unwrap(), 0xFF00);
    stream.write_all(b"}").await.unwrap();
    assert!(line(&mut stream).await.contains("JSON parse error"));
}

#[tokio::test]
async fn the_program_prints_its_address_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script.json");
    std::fs::write(&script, r#"{"greeting": [{"send": "hello"}]}"#).unwrap();
    let socket = directory.path().join("s");
    let listen = Listen::Unix(socket.clone()).to_string();
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_qmp-fake"))
        .args(["--listen", &listen, "--script"])
        .arg(&script)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(program.stdout.take().unwrap()).lines();
    assert_eq!(soon(stdout.next_line()).await.unwrap().unwrap(), listen);
    let mut stream = UnixStream::connect(&socket).await.unwrap();
    let mut greeting = [0; 5];
    soon(stream.read_exact(&mut greeting)).await.unwrap();
    assert_eq!(&greeting, b"hello");
    let pid = program.id().unwrap().to_string();
    Command::new("kill").arg(pid).status().unwrap();
    assert!(soon(program.wait()).await.unwrap().success());
    assert!(!socket.exists());
}
