//! The commands beside `serve`, as a script sees them: standard output,
//! standard error and exit code.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

#[path = "../common/mod.rs"]
mod common;
mod console;
mod follow;
mod monitor;
mod tls;
mod token;

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use common::TOKEN;

/// Longer than the program itself waits for a reply: what it then says of that
/// tells more than a test that gives up.
const LONG: Duration = Duration::from_secs(60);

/// What a run of the program left.
#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The program, with the token of the consoles of these tests.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qmp-console"));
    command
        .args(arguments)
        .env("QMP_CONSOLE_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs it to its end.
async fn ran(command: &mut Command) -> Ran {
    let output = timeout(LONG, command.output()).await;
    let output = output
        .unwrap_or_else(|_| panic!("takes too long: {command:?}"))
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn run(arguments: &[&str]) -> Ran {
    ran(&mut program(arguments)).await
}

/// Runs it with another token.
async fn run_as(token: &str, arguments: &[&str]) -> Ran {
    ran(program(arguments).env("QMP_CONSOLE_TOKEN", token)).await
}

#[track_caller]
fn is_success(ran: &Ran, stdout: &str) {
    assert_eq!((ran.code, &*ran.stdout), (0, stdout), "{ran:?}");
    assert_eq!(ran.stderr, "");
}

#[track_caller]
fn is_failure(ran: &Ran, code: i32, mentions: &str) {
    assert_eq!((ran.code, &*ran.stdout), (code, ""), "{ran:?}");
    assert!(ran.stderr.contains(mentions), "{mentions}: {ran:?}");
}
