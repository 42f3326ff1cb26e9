//! While the disk takes nothing the console goes on from memory, says so, and
//! goes back to the disk when it can.

use std::fs;
use std::path::Path;

use super::common::TestServer;
use super::journal::{keeping, stored_in};
use super::*;

/// The disk is full, to this process: no file may grow past what is allowed.
#[tokio::test]
async fn with_a_full_disk_the_console_goes_on_from_memory_and_says_so() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let mut server = keeping(directory.path(), &fake).await;
    emit(&server, [1]).await;
    stored_in(directory.path(), |count| count == 1).await;
    server.limit(Some(0));
    emit(&server, 2..=4).await;
    let ready = server.ready(503).await;
    assert!(ready.contains("journal cannot be written"), "{ready}");
    assert_eq!(server.get("/healthz").await.status, 200);
    let page = server.get("/api/v1/sessions/vm/events").await.json();
    assert_eq!(numbers(&page), [1, 2, 3, 4]);
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["unstored"], 3, "{vm}");
    let audit = server.get("/api/v1/audit").await.json();
    assert_eq!(audit["entries"].as_array().unwrap().len(), 4);

    // With room again, nothing is missing.
    server.limit(None);
    stored_in(directory.path(), |count| count == 4).await;
    server.ready(200).await;
    server.kill().await;
    let server = keeping(directory.path(), &fake).await;
    let page = server.get("/api/v1/sessions/vm/events").await.json();
    assert_eq!(numbers(&page), [1, 2, 3, 4]);
    let again = server.get("/api/v1/audit").await.json();
    assert_eq!(again["entries"].as_array().unwrap().len(), 4);
}

/// Somebody else has the file for a while, and events come meanwhile.
#[tokio::test]
async fn after_a_failed_write_everything_is_written_once() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let server = keeping(directory.path(), &fake).await;
    let other = rusqlite::Connection::open(directory.path().join("journal.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    emit(&server, 1..=3).await;
    server.ready(503).await;
    emit(&server, 4..=6).await;
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    server.ready(200).await;
    emit(&server, 7..=8).await;
    stored_in(directory.path(), |count| count == 8).await;
    assert_eq!(server.get("/readyz").await.status, 200);
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["dropped"], 0, "{vm}");
}

/// Where its files are to be there is something else.
#[tokio::test]
async fn a_journal_that_cannot_be_opened_is_opened_as_soon_as_it_can() {
    let fake = emitter().await;
    // The file can be read all the same, or cannot.
    for readable in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let mut server = keeping(directory.path(), &fake).await;
        let journal = name_of(&server).await;
        emit(&server, 1..=3).await;
        stop(&mut server).await;
        let aside = Aside::put(directory.path(), readable);

        let mut server = keeping(directory.path(), &fake).await;
        let ready = server.ready(503).await;
        assert!(ready.contains("journal.sqlite3"), "{ready}");
        assert_eq!(name_of(&server).await == journal, readable);
        emit(&server, 4..=5).await;
        let vm = server.get("/api/v1/sessions/vm").await.json();
        assert_eq!(vm["counters"]["unstored"], 2, "{vm}");
        let page = "/api/v1/sessions/vm/events";
        let before = server.get(page).await.json();
        assert_eq!(numbers(&before), [4, 5]);

        aside.back();
        server.ready(200).await;
        stored_in(directory.path(), |count| count == 5).await;
        assert_eq!(name_of(&server).await, journal);
        let all = server.get(page).await.json();
        assert_eq!(numbers(&all), [1, 2, 3, 4, 5]);
        // With the numbers that they had.
        let events = |page: &Value| page["events"].as_array().unwrap().clone();
        assert_eq!(events(&all)[3..], events(&before));
        assert_eq!(
            commands(&server).await,
            ["emit1", "emit2", "emit3", "emit4", "emit5"]
        );
        let vm = server.get("/api/v1/sessions/vm").await.json();
        assert_eq!(vm["counters"]["unstored"], 0, "{vm}");
        assert_eq!(vm["counters"]["dropped"], 0, "{vm}");
        emit(&server, [6]).await;
        stop(&mut server).await;
        let server = keeping(directory.path(), &fake).await;
        let all = server.get(page).await.json();
        assert_eq!(numbers(&all), [1, 2, 3, 4, 5, 6]);
    }
}

/// The clock was set back: the numbers of a time are those that the file had.
#[tokio::test]
async fn a_number_that_the_file_may_have_used_is_given_up() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let mut server = keeping(directory.path(), &fake).await;
    emit(&server, 1..=2).await;
    stop(&mut server).await;
    let ahead = jiff::Timestamp::now().as_microsecond() + 1_000_000_000_000;
    let file = rusqlite::Connection::open(directory.path().join("journal.sqlite3")).unwrap();
    file.execute("UPDATE session SET bound = ?", [ahead])
        .unwrap();
    file.execute("UPDATE audit SET id = ? WHERE id = 2", [ahead])
        .unwrap();
    drop(file);
    let aside = Aside::put(directory.path(), false);

    let server = keeping(directory.path(), &fake).await;
    server.ready(503).await;
    emit(&server, 3..=4).await;
    aside.back();
    server.ready(200).await;
    emit(&server, [5]).await;
    stored_in(directory.path(), |count| count == 3).await;
    let page = server.get("/api/v1/sessions/vm/events").await.json();
    assert_eq!(numbers(&page), [1, 2, 5]);
    let last = page["events"][2]["seq"].as_i64().unwrap();
    assert!(last > ahead, "{last}");
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["dropped"], 2, "{vm}");
    // Commands are not given up: their records get other numbers.
    let all = ["emit1", "emit2", "emit3", "emit4", "emit5"];
    assert_eq!(commands(&server).await, all);
}

#[tokio::test]
async fn a_console_can_be_started_on_a_full_disk() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let session = format!("vm={}", fake.address());
    let path = directory.path().to_str().unwrap();
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        path,
        "--session",
        &session,
    ];
    let server = TestServer::on_a_full_disk(&arguments).await;
    server.session_in("vm", "running").await;
    let journal = name_of(&server).await;
    emit(&server, 1..=3).await;
    server.ready(503).await;
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["unstored"], 3, "{vm}");
    server.limit(None);
    server.ready(200).await;
    stored_in(directory.path(), |count| count == 3).await;
    assert_eq!(name_of(&server).await, journal);
}

/// The files of a journal, out of the console's reach.
struct Aside<'a> {
    directory: &'a Path,
    names: &'static [&'static str],
}

impl<'a> Aside<'a> {
    /// Puts something in the place of the lock, which leaves the rest to be
    /// read, or of the file itself.
    fn put(directory: &'a Path, readable: bool) -> Self {
        let names: &[_] = match readable {
            true => &["journal.lock"],
            false => &[
                "journal.sqlite3",
                "journal.sqlite3-wal",
                "journal.sqlite3-shm",
            ],
        };
        for name in names {
            let path = directory.join(name);
            if path.exists() {
                fs::rename(&path, path.with_added_extension("aside")).unwrap();
            }
        }
        fs::create_dir(directory.join(names[0])).unwrap();
        Self { directory, names }
    }

    fn back(self) {
        for name in self.names.iter().rev() {
            let path = self.directory.join(name);
            if path.is_dir() {
                fs::remove_dir(&path).unwrap();
            }
            let aside = path.with_added_extension("aside");
            if aside.exists() {
                fs::rename(aside, path).unwrap();
            }
        }
    }
}

/// The journal's name.
async fn name_of(server: &TestServer) -> Value {
    server.socket().await.next("hello").await["journal"].clone()
}

/// The commands on record, in order, each of them complete.
async fn commands(server: &TestServer) -> Vec<String> {
    let audit = server.get("/api/v1/audit").await.json();
    let entries = audit["entries"].as_array().unwrap().iter();
    let command = |it: &Value| {
        assert_eq!(it["result"], "return", "{it}");
        it["command"].as_str().unwrap().to_owned()
    };
    entries.map(command).collect()
}

async fn stop(server: &mut TestServer) {
    let pid = rustix::process::Pid::from_raw(server.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(server.ended().await, Some(0));
}

/// Its log is on a disk that is full.
#[tokio::test]
async fn a_log_that_takes_nothing_ends_nobody() {
    let fake = emitter().await;
    let full = std::fs::File::options().write(true).open("/dev/full");
    let session = format!("vm={}", fake.address());
    let arguments = ["--listen", "127.0.0.1:0", "--ephemeral", "--log", "debug"];
    let arguments = [&arguments[..], &["--session", &session]].concat();
    let server = TestServer::logging_to(full.unwrap().into(), &arguments).await;
    server.session_in("vm", "running").await;
    emit(&server, [1]).await;
}
