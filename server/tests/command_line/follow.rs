//! `events --follow` through whatever becomes of the console.

use std::fmt::Write;

use qmp_fake::{Action, Fake, Script};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::common::{Reply, TOKEN, TestServer, soon};
use crate::program;

/// A running `events --follow`.
struct Follower {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Follower {
    fn start(target: &str, arguments: &[&str]) -> Self {
        Self::start_as(TOKEN, target, arguments)
    }

    fn start_as(token: &str, target: &str, arguments: &[&str]) -> Self {
        let mut command = program(&["events", target, "--follow"]);
        command.args(arguments).env("QMP_CONSOLE_TOKEN", token);
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// The names and numbers of the next events.
    async fn events(&mut self, count: usize) -> Vec<(String, u64)> {
        let mut events = Vec::new();
        while events.len() < count {
            let line = soon(self.stdout.next_line()).await.unwrap();
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let name = line["event"]["event"].as_str().unwrap().to_owned();
            events.push((name, line["seq"].as_u64().unwrap()));
        }
        events
    }

    /// Reads standard error up to a line with this in it; returns all that.
    async fn told(&mut self, part: &str) -> String {
        let mut told = String::new();
        loop {
            let line = soon(self.stderr.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("no {part:?} in {told:?}"));
            writeln!(told, "{line}").unwrap();
            if line.contains(part) {
                return told;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    async fn ended(&mut self) -> Option<i32> {
        soon(self.child.wait()).await.unwrap().code()
    }
}

/// An endpoint where a command emits two events, one of its name and `NOISE`.
async fn echo() -> Fake {
    let mut script = Script::default();
    for name in ["BEFORE", "BETWEEN", "AFTER"] {
        let actions = [
            Action::event(name),
            Action::event("NOISE"),
            Action::Return(json!({})),
        ];
        script = script.on(name, actions);
    }
    Fake::start(script).await.unwrap()
}

async fn emit(server: &TestServer, name: &str) {
    let command = json!({"execute": name}).to_string();
    assert_eq!(server.execute("vm", &command).await.status, 200);
}

async fn running(arguments: &[&str]) -> TestServer {
    let server = TestServer::serve(arguments).await;
    server
        .session_when("vm", |vm| vm["status"] == "running")
        .await;
    server
}

/// `--follow` across the death of a console and its return, with this journal.
async fn across_a_crash(journal: &[&str]) -> (Vec<(String, u64)>, String) {
    let fake = echo().await;
    let session = format!("vm={}", fake.address());
    let arguments = |listen| [&["--listen", listen, "--session", &session], journal].concat();
    let mut server = running(&arguments("127.0.0.1:0")).await;
    let address = server.host.clone();
    let target = server.url("/vm");
    let mut follower = Follower::start(&target, &["--after", "0", "--names", "B*,A*"]);
    emit(&server, "BEFORE").await;
    emit(&server, "BEFORE").await;
    let mut events = follower.events(2).await;
    // It sleeps until the console is back and has an event more.
    follower.signal(Signal::STOP);
    server.kill().await;
    let server = running(&arguments(&address)).await;
    emit(&server, "BETWEEN").await;
    follower.signal(Signal::CONT);
    let told = follower.told("connected again").await;
    emit(&server, "AFTER").await;
    events.extend(follower.events(2).await);
    // All of it has been read: there is nothing else.
    drop(server);
    let told = told + &follower.told("connecting again").await;
    follower.child.start_kill().unwrap();
    assert_eq!(soon(follower.stdout.next_line()).await.unwrap(), None);
    (events, told)
}

#[tokio::test]
async fn a_crash_of_the_console_loses_nothing_and_repeats_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let (events, told) = across_a_crash(&["--data-dir", data]).await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["BEFORE", "BEFORE", "BETWEEN", "AFTER"]);
    assert!(
        events.is_sorted_by(|(_, one), (_, next)| one < next),
        "{events:?}"
    );
    assert!(!told.contains("journal"), "{told}");
    // What the console may have had and not kept, since it had no time to.
    assert_eq!(told.matches("missed ").count(), 1, "{told}");
}

#[tokio::test]
async fn another_journal_is_told_and_read_from_its_beginning() {
    let (events, told) = across_a_crash(&["--ephemeral"]).await;
    let of = |name: &str, seq| (name.to_owned(), seq);
    let expected = [
        of("BEFORE", 1),
        of("BEFORE", 3),
        of("BETWEEN", 1),
        of("AFTER", 3),
    ];
    assert_eq!(events, expected);
    assert!(told.contains("another journal"), "{told}");
}

#[tokio::test]
async fn without_a_start_it_follows_from_now_on() {
    let fake = echo().await;
    let server = TestServer::on(&fake).await;
    emit(&server, "BEFORE").await;
    let filter = ["--names", "BEFORE,AFTER"];
    let mut follower = Follower::start(&server.url("/vm"), &filter);
    // Nothing tells when it listens but that it prints what comes.
    let first = soon(async {
        loop {
            emit(&server, "AFTER").await;
            tokio::select! {
                biased;
                events = follower.events(1) => return events,
                () = std::future::ready(()) => {}
            }
        }
    });
    let first = first.await;
    assert_eq!(first[0].0, "AFTER", "{first:?}");
}

#[tokio::test]
async fn a_removed_session_and_a_revoked_token_end_it() {
    let fake = echo().await;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let session = format!("vm={}", fake.address());
    let listen = ["--listen", "127.0.0.1:0", "--data-dir", data];
    let server = running(&[&listen[..], &["--session", &session]].concat()).await;
    emit(&server, "BEFORE").await;
    let new = crate::run(&["token", "new", "--name", "x", "--data-dir", data]).await;
    let token = new.stdout.trim_end();
    let target = server.url("/vm");
    let mut revoked = Follower::start_as(token, &target, &["--after", "0"]);
    let mut removed = Follower::start(&target, &["--after", "0"]);
    assert_eq!(revoked.events(2).await, removed.events(2).await);

    let revoke = ["token", "revoke", "--name", "x", "--data-dir", data];
    crate::is_success(&crate::run(&revoke).await, "");
    revoked.told("the token has expired or was revoked").await;
    assert_eq!(revoked.ended().await, Some(3));

    let delete = server.http.delete(server.url("/api/v1/sessions/vm"));
    assert_eq!(Reply::of(delete.bearer_auth(TOKEN)).await.status, 204);
    removed.told("the session \"vm\" was removed").await;
    assert_eq!(removed.ended().await, Some(3));
}
