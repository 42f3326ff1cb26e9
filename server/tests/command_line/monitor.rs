//! Directly on a monitor.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::common::soon;
use crate::{Ran, is_failure, program, run};

/// Runs `execute` on an endpoint that does this.
async fn execute(script: Script, arguments: &[&str]) -> Ran {
    let fake = Fake::start(script).await.unwrap();
    let mut all = vec!["execute", fake.address()];
    all.extend(arguments);
    run(&all).await
}

#[tokio::test]
async fn the_return_value_is_printed_as_received() {
    let value = r#"{"b": 18446744073709551616, "a":1.50,"c":[ ]}"#;
    let reply = Action::send(format!("{{\"return\": {value}, \"id\": $id}}"));
    let ran = execute(Script::default().on("x", [reply.clone()]), &["x"]).await;
    assert_eq!((ran.code, &*ran.stdout), (0, &*format!("{value}\n")));
    assert_eq!(ran.stderr, "");
    let ran = execute(Script::default().on("x", [reply]), &["x", "--pretty"]).await;
    let pretty = "{\n    \"b\": 18446744073709551616,\n    \"a\": 1.50,\n    \"c\": []\n}\n";
    assert_eq!((ran.code, &*ran.stdout), (0, pretty));
}

#[tokio::test]
async fn arguments_arrive_as_they_were_meant() {
    let script = Script::default().on("x", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let given = r#"{"z": 18446744073709551616, "a": 1.50}"#;
    let all = [
        "execute",
        fake.address(),
        "x",
        "--oob",
        "--arguments",
        given,
    ];
    let ran = run(&all).await;
    assert_eq!((ran.code, &*ran.stdout), (0, "{}\n"), "{ran:?}");
    let ran = run(&["execute", fake.address(), "x", "a.b=1", "a.c=two", "d=null"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let received = soon(fake.received(5)).await.unwrap();
    let texts: Vec<&str> = received.iter().map(|message| message.text.get()).collect();
    let has = |part: &str| texts.iter().any(|text| text.contains(part));
    assert!(
        has(&format!(r#"{{"exec-oob":"x","arguments":{given}"#)),
        "{texts:?}"
    );
    assert!(
        has(r#""arguments":{"a":{"b":1,"c":"two"},"d":null}"#),
        "{texts:?}"
    );
}

#[tokio::test]
async fn the_exit_code_says_what_kind_of_failure() {
    let refused = Script::default().on("x", [Action::error("DeviceNotFound", "no such thing")]);
    is_failure(
        &execute(refused, &["x"]).await,
        1,
        "DeviceNotFound: no such thing",
    );

    for (arguments, mentions) in [
        (&["execute", "nowhere", "x"][..], "\"nowhere\""),
        (&["execute", "/tmp/x", "x", "word"], "KEY=VALUE"),
        (
            &["execute", "/tmp/x", "x", "--arguments", "[1]"],
            "not a JSON object",
        ),
        (
            &["execute", "/tmp/x", "x", "--arguments", r#"{"a":1,"a":1}"#],
            "duplicate key",
        ),
        (&["execute", "/tmp/x", "x", "--timeout", "-1"], "seconds"),
        (&["execute", "/tmp/x", "x", "--insecure"], "--insecure"),
        (&["events", "/tmp/x", "--ca", "/tmp/ca.pem"], "--ca"),
        (&["execute", "/tmp/x"], "COMMAND"),
        (&["events", "/tmp/x", "--after", "1"], "--after"),
        (&["events", "/tmp/x", "--where", "@..a"], "column 2"),
        (&["events", "/tmp/x", "--names", "A,,B"], "name 2"),
    ] {
        is_failure(&run(arguments).await, 2, mentions);
    }

    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("no.sock");
    let ran = run(&["execute", nowhere.to_str().unwrap(), "x"]).await;
    is_failure(&ran, 3, "No such file or directory");
    let silent = Script::default().on("x", [Action::Silence]);
    let ran = execute(silent, &["x", "--timeout", "3"]).await;
    is_failure(&ran, 3, "whether the command was executed is unknown");
    let gone = Script::default().on("x", [Action::Close]);
    is_failure(
        &execute(gone, &["x"]).await,
        3,
        "is unknown: the server closed the connection",
    );
    let other = Script::default().greeting([Action::send("SSH-2.0-OpenSSH\r\n"), Action::Close]);
    is_failure(&execute(other, &["x"]).await, 3, "not JSON");
}

#[tokio::test]
async fn events_are_lines_until_the_connection_ends() {
    let event = |name: &str, data: &str| {
        let time = r#""timestamp": {"seconds": 1, "microseconds": 2}"#;
        Action::send(format!(
            "{{\"event\": \"{name}\",\n \"data\": {data}, {time}}}\r\n"
        ))
    };
    let script = Script::default().on(
        "qmp_capabilities",
        [
            Action::Return(json!({})),
            event("JOB_A", r#"{"id": "a", "n": 18446744073709551616}"#),
            event("JOB_B", r#"{"id": "b"}"#),
            event("STOP", r#"{"id": "a"}"#),
            Action::Close,
        ],
    );
    let fake = Fake::start(script).await.unwrap();
    let filter = [
        "--names",
        "JOB_*",
        "--where",
        "@.data.id == 'a'",
        "--follow",
    ];
    let mut all = vec!["events", fake.address()];
    all.extend(filter);
    let ran = run(&all).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("the server closed the connection"),
        "{ran:?}"
    );
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 1, "{ran:?}");
    let verbatim = r#""event":{"event":"JOB_A","data":{"id":"a","n":18446744073709551616},"timestamp":{"seconds":1,"microseconds":2}}}"#;
    assert!(lines[0].ends_with(verbatim), "{}", lines[0]);
    let line: Value = serde_json::from_str(lines[0]).unwrap();
    let received = line["received"].as_str().unwrap();
    assert!(
        received.len() == 27 && received.ends_with('Z'),
        "{received}"
    );
    assert!(line.get("seq").is_none());
}

#[tokio::test]
async fn the_exit_code_does_not_need_anybody_to_read_why() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = program(&["execute", "h:44x", "a"]);
    let command = command.stderr(full.unwrap());
    assert_eq!(soon(command.status()).await.unwrap().code(), Some(2));
}

/// Somebody else has the monitor.
#[tokio::test]
async fn the_timeout_covers_connecting_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("qmp");
    let _busy = UnixListener::bind(&path).unwrap();
    let address = path.to_str().unwrap();
    for listen in ["", "x,listen=on"] {
        let address = format!("{address}{listen}");
        let ran = run(&["execute", &address, "x", "--timeout", "0.2"]).await;
        is_failure(&ran, 3, "0.2 s");
        assert!(ran.stderr.contains("was not sent"), "{ran:?}");
    }
}

/// A real QEMU types the words by its own schema.
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
    let address = format!("unix:{}", path.display());
    let execute = async |words: &[&str]| {
        let mut all = vec!["execute", &address];
        all.extend(words);
        run(&all).await
    };
    let add = ["driver=null-co", "node-name=n12", "size=1M", "read-only=on"];
    let ran = execute(&[&["blockdev-add"], &add[..]].concat()).await;
    assert_eq!((ran.code, &*ran.stdout), (0, "{}\n"), "{ran:?}");
    let ran = execute(&["query-named-block-nodes", "flat=yes"]).await;
    let nodes: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(nodes[0]["node-name"], "n12", "{nodes}");
    assert_eq!(nodes[0]["image"]["virtual-size"], 1 << 20, "{nodes}");
    assert_eq!(nodes[0]["ro"], true, "{nodes}");
    is_failure(
        &execute(&["balloon", "value=lots"]).await,
        2,
        "value: not an integer",
    );
    // A name that looks like a number stays a string, and QEMU refuses it.
    is_failure(
        &execute(&["blockdev-del", "node-name=12"]).await,
        1,
        "node-name='12'",
    );
    is_failure(
        &execute(&["make-coffee", "sugar=2"]).await,
        1,
        "CommandNotFound",
    );
    let ran = execute(&["quit"]).await;
    assert_eq!((ran.code, &*ran.stdout), (0, "{}\n"), "{ran:?}");
}
