//! `qmp-console token`, and what a running console makes of it.

use std::fs;

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};

use crate::common::TestServer;
use crate::{is_failure, is_success, run, run_as};

/// A console that keeps its state in this directory.
async fn server(fake: &Fake, data: &str) -> TestServer {
    let session = format!("vm={}", fake.address());
    let listen = ["--listen", "127.0.0.1:0", "--data-dir", data];
    let arguments = [&listen[..], &["--session", &session]].concat();
    let server = TestServer::serve(&arguments).await;
    server
        .session_when("vm", |vm| vm["status"] == "running")
        .await;
    server
}

/// The words of the lines after the first.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().skip(1);
    lines
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[tokio::test]
async fn a_token_counts_at_once_and_no_longer_once_it_is_revoked() {
    let script = Script::default().on("stop", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let server = server(&fake, data).await;
    let target = server.url("/vm");
    let token = async |arguments: &[&str]| {
        run(&[&["token"], arguments, &["--data-dir", data]].concat()).await
    };
    let make = async |arguments: &[&str]| {
        let made = token(&[&["new"], arguments].concat()).await;
        assert_eq!((made.code, &*made.stderr), (0, ""), "{made:?}");
        assert_eq!(made.stdout.lines().count(), 1, "{made:?}");
        made.stdout.trim_end().to_owned()
    };
    let viewer = make(&["--name", "looks"]).await;
    let operator = ["--name", "runs", "--role", "operator", "--expires", "30d"];
    let operator = make(&operator).await;

    let ran = run_as(&viewer, &["execute", &target, "query-status"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run_as(&viewer, &["execute", &target, "stop"]).await;
    is_failure(&ran, 3, "Forbidden");
    assert!(ran.stderr.contains("needs the role operator"), "{ran:?}");
    is_success(
        &run_as(&operator, &["execute", &target, "stop"]).await,
        "{}\n",
    );

    let list = token(&["list"]).await;
    assert_eq!(list.code, 0, "{list:?}");
    assert!(!list.stdout.contains(&viewer) && !list.stdout.contains(&operator));
    let table = rows(&list.stdout);
    assert_eq!(table.len(), 2, "{table:?}");
    assert_eq!(table[0][..2], ["looks", "viewer"], "{table:?}");
    assert_eq!(table[0][3], "never", "{table:?}");
    assert_eq!(table[1][..2], ["runs", "operator"], "{table:?}");
    assert!(table[1][3] > table[1][2], "{table:?}");

    is_success(&token(&["revoke", "--name", "looks"]).await, "");
    let ran = run_as(&viewer, &["execute", &target, "query-status"]).await;
    is_failure(&ran, 3, "Not signed in");
    assert_eq!(rows(&token(&["list"]).await.stdout).len(), 1);

    // A day later than it ends.
    let file = directory.path().join("tokens.json");
    let mut tokens: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    tokens["runs"]["expires"] = "2026-01-01T00:00:00Z".into();
    fs::write(&file, tokens.to_string()).unwrap();
    let ran = run_as(&operator, &["execute", &target, "stop"]).await;
    is_failure(&ran, 3, "Not signed in");
    assert!(token(&["list"]).await.stdout.ends_with("(over)\n"));
    // Its name is free again.
    make(&["--name", "runs"]).await;
}

#[tokio::test]
async fn mistakes_are_told_apart_from_failures() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("state");
    let data = data.to_str().unwrap();
    let token = async |arguments: &[&str]| {
        run(&[&["token"], arguments, &["--data-dir", data]].concat()).await
    };
    let empty = token(&["list"]).await;
    assert_eq!((empty.code, rows(&empty.stdout).len()), (0, 0), "{empty:?}");
    assert_eq!(token(&["new", "--name", "ci"]).await.code, 0);
    for (arguments, mentions) in [
        (&["new", "--name", "ci"][..], "\"ci\" already"),
        (&["new", "--name", "a b"], "\"a b\""),
        (&["new", "--name", "admin"], "started with"),
        (&["new"], "--name"),
        (&["new", "--name", "x", "--role", "root"], "\"root\""),
        (&["new", "--name", "x", "--expires", "soon"], "\"soon\""),
        (&["new", "--name", "x", "--expires", "0d"], "\"0d\""),
        (&["revoke", "--name", "x"], "no token named \"x\""),
    ] {
        is_failure(&token(arguments).await, 2, mentions);
    }
    fs::write(directory.path().join("state/tokens.json"), "{").unwrap();
    is_failure(&token(&["list"]).await, 3, "tokens.json");
    is_failure(&token(&["new", "--name", "x"]).await, 3, "tokens.json");
}
