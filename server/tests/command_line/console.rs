//! Through a console: one command, and the events that it has.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::common::{TestServer, soon};
use crate::{Ran, is_failure, is_success, program, ran, run, run_as};

/// Waits until the endpoint has received a command of this name.
async fn received(fake: &Fake, name: &str) {
    let mut count = 1;
    loop {
        let received = fake.received(count).await.unwrap();
        if received.iter().any(|command| command.name == name) {
            return;
        }
        count = received.len() + 1;
    }
}

/// Runs `execute` on the session `vm`.
async fn execute(server: &TestServer, arguments: &[&str]) -> Ran {
    let mut all = vec!["execute"];
    let target = server.url("/vm");
    all.push(&target);
    all.extend(arguments);
    run(&all).await
}

#[tokio::test]
async fn the_return_value_is_printed_as_received() {
    let value = r#"{"b": 18446744073709551616, "a":1.50,"c":[ ]}"#;
    let reply = Action::send(format!("{{\"return\": {value}, \"id\": $id}}"));
    let fake = Fake::start(Script::default().on("x", [reply])).await;
    let fake = fake.unwrap();
    let server = TestServer::on(&fake).await;
    is_success(&execute(&server, &["x"]).await, &format!("{value}\n"));
    let pretty = "{\n    \"b\": 18446744073709551616,\n    \"a\": 1.50,\n    \"c\": []\n}\n";
    is_success(&execute(&server, &["x", "--pretty"]).await, pretty);
    let given = r#"{"z": 18446744073709551616, "a": 1.50}"#;
    let ran = execute(&server, &["x", "--oob", "--arguments", given]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let sent = fake.received(1).await.unwrap();
    let sent = sent.last().unwrap().text.get();
    let verbatim = format!(r#"{{"exec-oob":"x","arguments":{given}"#);
    assert!(sent.starts_with(&verbatim), "{sent}");
    // No schema to type by.
    let ran = execute(&server, &["x", "a.b=1", "a.c=two"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let sent = fake.received(1).await.unwrap();
    let sent = sent.last().unwrap().text.get();
    let nested = r#""arguments":{"a":{"b":1,"c":"two"}}"#;
    assert!(sent.contains(nested), "{sent}");
}

#[tokio::test]
async fn the_exit_code_says_what_kind_of_failure() {
    let script = Script::default()
        .on("no", [Action::error("DeviceNotFound", "no such thing")])
        .on("silent", [Action::Silence]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let refused = execute(&server, &["no"]).await;
    is_failure(&refused, 1, "DeviceNotFound: no such thing");
    let silent = execute(&server, &["silent", "--timeout", "3"]).await;
    is_failure(&silent, 3, "is unknown");

    let (vm, nope) = (server.url("/vm"), server.url("/nope"));
    let ran = run(&["execute", &nope, "x"]).await;
    is_failure(&ran, 3, "no session named \"nope\"");
    let ran = run(&["execute", &nope, "x", "a=1"]).await;
    is_failure(&ran, 3, "no session named \"nope\"");
    let ran = run(&["events", &nope, "--follow"]).await;
    is_failure(&ran, 3, "no session named \"nope\"");
    let ran = run_as("not-the-token-at-all", &["execute", &vm, "x"]).await;
    is_failure(&ran, 3, "Not signed in");
    let ran = run_as("not-the-token-at-all", &["events", &vm]).await;
    is_failure(&ran, 3, "Not signed in");
    let ran = ran_without_token(&["execute", &vm, "x"]).await;
    is_failure(&ran, 2, "QMP_CONSOLE_TOKEN");

    for (arguments, mentions) in [
        (&["execute", "http://h.example:1/vm", "x"][..], "--insecure"),
        (&["execute", &vm, "x", "--ca", "/tmp/ca.pem"], "https://"),
        (&["events", &vm, "--after", "7"], "beyond the newest"),
        (&["events", &vm, "--where", "@..a"], "column 2"),
        (&["events", &vm, "--after", "x"], "--after"),
    ] {
        is_failure(&run(arguments).await, 2, mentions);
    }
    let pasted = server.url("/#token=the-secret");
    let ran = run(&["execute", &pasted, "x"]).await;
    is_failure(&ran, 2, "QMP_CONSOLE_TOKEN");
    assert!(!ran.stderr.contains("the-secret"), "{ran:?}");

    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let nobody = format!("http://{nobody}/vm");
    is_failure(&run(&["execute", &nobody, "x"]).await, 3, "refused");
    is_failure(&run(&["events", &nobody, "--follow"]).await, 3, "refused");
}

async fn ran_without_token(arguments: &[&str]) -> Ran {
    ran(program(arguments).env_remove("QMP_CONSOLE_TOKEN")).await
}

#[tokio::test]
async fn the_session_has_to_run() {
    let server = TestServer::start(&["vm=unix:/nowhere/vm.qmp".into()]).await;
    server.session_in("vm", "retrying").await;
    let ran = execute(&server, &["query-status"]).await;
    is_failure(&ran, 3, "Wrong state");
}

#[tokio::test]
async fn a_console_that_dies_leaves_the_outcome_unknown() {
    let script = Script::default().on("slow", [Action::hold()]);
    let fake = Fake::start(script).await.unwrap();
    let mut server = TestServer::on(&fake).await;
    let target = server.url("/vm");
    let mut command = program(&["execute", &target, "slow"]);
    let running = tokio::spawn(async move { ran(&mut command).await });
    received(&fake, "slow").await;
    server.kill().await;
    let ran = soon(running).await.unwrap();
    is_failure(&ran, 3, "whether the command was executed is unknown");
}

/// A real QEMU types the words by its own schema, which the console has.
#[tokio::test]
async fn words_are_typed_by_the_schema_of_a_real_qemu() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("qmp");
    let socket = OwnedFd::from(UnixListener::bind(&path).unwrap());
    let _qemu = Command::new("qemu-system-x86_64")
        .args(["-machine", "none", "-nodefaults", "-display", "none"])
        .args(["-chardev", "socket,id=m,fd=0,server=on,wait=off"])
        .args(["-mon", "chardev=m,mode=control"])
        .stdin(Stdio::from(socket))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let server = TestServer::start(&[format!("vm=unix:{}", path.display())]).await;
    server.session_in("vm", "running").await;
    let add = ["driver=null-co", "node-name=n12", "size=1M", "read-only=on"];
    let ran = execute(&server, &[&["blockdev-add"], &add[..]].concat()).await;
    is_success(&ran, "{}\n");
    let ran = execute(&server, &["query-named-block-nodes", "flat=yes"]).await;
    let nodes: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(nodes[0]["image"]["virtual-size"], 1 << 20, "{nodes}");
    let ran = execute(&server, &["balloon", "value=lots"]).await;
    is_failure(&ran, 2, "value: not an integer");
    let ran = execute(&server, &["blockdev-del", "node-name=12"]).await;
    is_failure(&ran, 1, "node-name='12'");
}

/// An endpoint where `x` emits these events, and a console on it that has them.
async fn with_events(events: &[(&str, &str)]) -> (Fake, TestServer) {
    let mut actions: Vec<_> = events
        .iter()
        .map(|(name, data)| {
            let time = r#""timestamp": {"seconds": 1, "microseconds": 2}"#;
            Action::send(format!(
                "{{\"event\": \"{name}\",\n \"data\": {data}, {time}}}\r\n"
            ))
        })
        .collect();
    actions.push(Action::Return(json!({})));
    let fake = Fake::start(Script::default().on("x", actions)).await;
    let fake = fake.unwrap();
    let server = TestServer::on(&fake).await;
    assert_eq!(server.execute("vm", r#"{"execute":"x"}"#).await.status, 200);
    (fake, server)
}

/// The numbers of the lines.
fn numbers(ran: &Ran) -> Vec<u64> {
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines = ran.stdout.lines();
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["seq"].as_u64().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn events_that_there_are_are_lines() {
    let (_fake, server) = with_events(&[
        ("JOB_A", r#"{"id": "a", "n": 18446744073709551616}"#),
        ("JOB_B", r#"{"id": "b"}"#),
        ("STOP", r#"{"id": "a"}"#),
    ])
    .await;
    let target = server.url("/vm");
    let events = async |arguments: &[&str]| {
        let mut all = vec!["events", &target];
        all.extend(arguments);
        run(&all).await
    };
    let ran = events(&[]).await;
    assert_eq!(numbers(&ran), [1, 2, 3]);
    assert_eq!(ran.stderr, "");
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.starts_with(r#"{"seq":1,"received":"20"#), "{first}");
    let verbatim = r#""event":{"event":"JOB_A","data":{"id":"a","n":18446744073709551616},"timestamp":{"seconds":1,"microseconds":2}}}"#;
    assert!(first.ends_with(verbatim), "{first}");
    assert_eq!(numbers(&events(&["--after", "1"]).await), [2, 3]);
    is_success(&events(&["--after", "3"]).await, "");
    // Neither of the last two is wanted: it ends all the same.
    assert_eq!(numbers(&events(&["--names", "*_A"]).await), [1]);
    let filter = ["--names", "JOB_*,STOP", "--where", "@.data.id == 'a'"];
    assert_eq!(numbers(&events(&filter).await), [1, 3]);
}

#[tokio::test]
async fn a_reader_that_leaves_is_no_failure() {
    let script = Script::default().on(
        "x",
        [
            Action::Flood {
                event: "E".into(),
                count: 5000,
            },
            Action::Return(json!({})),
        ],
    );
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    assert_eq!(server.execute("vm", r#"{"execute":"x"}"#).await.status, 200);
    // The last one of all: nothing is printed after it by which it could be
    // noticed that nobody reads.
    for follow in ["--after 0", "--after 4999 --follow"] {
        let script = format!(
            "set -o pipefail; \"$0\" events {} {follow} | head -n 1",
            server.url("/vm")
        );
        let mut command = Command::new("bash");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_qmp-console")])
            .env("QMP_CONSOLE_TOKEN", crate::common::TOKEN)
            .kill_on_drop(true);
        let ran = ran(&mut command).await;
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{follow}: {ran:?}");
        assert_eq!(ran.stdout.lines().count(), 1, "{follow}: {ran:?}");
    }
}

/// Something listens there that answers nothing.
#[tokio::test]
async fn the_timeout_covers_connecting_to_a_console() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}/vm", listener.local_addr().unwrap());
    for words in [&[][..], &["a=1"]] {
        let all = [&["execute", &target, "x", "--timeout", "0.2"], words].concat();
        let ran = run(&all).await;
        is_failure(&ran, 3, "0.2 s");
        assert!(ran.stderr.contains("was not sent"), "{ran:?}");
    }
}
