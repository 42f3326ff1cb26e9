use super::*;

fn event(name: &str) -> Event {
    let text = format!(r#"{{"event":"{name}","timestamp":{{"seconds":1,"microseconds":2}}}}"#);
    let message = qmp_shared::message::Message::parse(text.into_bytes()).unwrap();
    Event::from_message(message).unwrap()
}

fn log(max_entries: usize, max_bytes: usize) -> Arc<Log> {
    let log = crate::journal::Journal::in_memory().unwrap().log("vm");
    let mut ring = log.lock();
    ring.max_entries = max_entries;
    ring.max_bytes = max_bytes;
    drop(ring);
    log
}

fn append(log: &Arc<Log>, name: &str) {
    log.append(event(name), Timestamp::UNIX_EPOCH);
}

fn numbers(page: &Page) -> Vec<u64> {
    let number = |item: &Item| match item {
        Item::Entry(entry) => Some(entry.seq.0),
        Item::Gap(..) => None,
    };
    page.items.iter().filter_map(number).collect()
}

fn recent(log: &Log, after: u64, limit: usize) -> Page {
    log.recent(Seq(after), limit).unwrap()
}

#[test]
fn reads_on_from_a_cursor() {
    let log = log(10, usize::MAX);
    assert_eq!(log.newest(), Seq(0));
    assert!(recent(&log, 0, 10).items.is_empty());
    for name in ["A", "B", "C"] {
        append(&log, name);
    }
    assert_eq!(numbers(&recent(&log, 0, 10)), [1, 2, 3]);
    let page = recent(&log, 0, 2);
    assert_eq!(
        (numbers(&page), page.next, page.more),
        (vec![1, 2], Seq(2), true)
    );
    let page = recent(&log, 2, 10);
    assert_eq!(
        (numbers(&page), page.next, page.more),
        (vec![3], Seq(3), false)
    );
    assert!(numbers(&recent(&log, 3, 10)).is_empty());
}

#[test]
fn a_reader_is_told_what_it_missed() {
    let log = log(2, usize::MAX);
    for _ in 0..5 {
        append(&log, "A");
    }
    let page = recent(&log, 1, 10);
    assert!(
        matches!(page.items[0], Item::Gap(Seq(2), Seq(3))),
        "{page:?}"
    );
    assert_eq!(numbers(&page), [4, 5]);
    assert_eq!(recent(&log, 3, 10).items.len(), 2);
    assert_eq!((log.dropped(), log.trimmed()), (3, Seq(3)));
}

#[test]
fn bytes_are_bounded_and_the_newest_is_always_kept() {
    let log = log(usize::MAX, 1);
    append(&log, "A");
    assert_eq!(numbers(&recent(&log, 0, 10)), [1]);
    append(&log, "B");
    assert_eq!(numbers(&recent(&log, 0, 10)), [2]);
}

#[tokio::test]
async fn reads_backwards_and_by_time() {
    let log = log(10, usize::MAX);
    for second in [10, 20, 30] {
        let time = Timestamp::from_second(second).unwrap();
        log.append(event("A"), time);
    }
    let before = log.read_before(Seq(3), 1).await.unwrap();
    assert_eq!(
        before.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(),
        [2]
    );
    for (second, cursor) in [(0, 0), (10, 0), (11, 1), (30, 2), (31, 3)] {
        let time = Timestamp::from_second(second).unwrap();
        assert_eq!(
            log.before_time(time).await.unwrap(),
            Seq(cursor),
            "{second}"
        );
    }
}

#[test]
fn what_leaves_the_ring_while_it_is_written_is_dropped_if_that_fails() {
    for (fails, dropped) in [(false, 1), (true, 3)] {
        let log = log(2, usize::MAX);
        let append = || log.append(event("E"), Timestamp::now());
        append();
        append();
        let batch = log.batch(10);
        append();
        append();
        assert_eq!(log.dropped(), 0, "two are on their way");
        match fails {
            false => log.written(&batch, batch.to_known(1)),
            true => log.unwritten(&batch),
        }
        append();
        assert_eq!(log.dropped(), dropped);
    }
}

/// Somebody else holds the file, so that a batch stays on its way.
#[test]
fn what_leaves_the_ring_while_it_is_written_is_no_gap() {
    let directory = tempfile::tempdir().unwrap();
    let retention = crate::journal::Retention::default();
    let journal = crate::journal::Journal::open(directory.path(), retention).unwrap();
    let log = journal.log("vm");
    log.lock().max_entries = 2;
    // Not so old that the retention lets go of it.
    let append = |name| log.append(event(name), Timestamp::now());
    append("first");
    while log.lock().stored < Seq(1) {
        std::thread::yield_now();
    }
    let other = rusqlite::Connection::open(directory.path().join("journal.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    append("A");
    while log.lock().writing < Seq(2) {
        std::thread::yield_now();
    }
    for name in ["B", "C"] {
        append(name);
    }
    // One blocking thread: when it is through with ours, it is with the reader's.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(1).build().unwrap();
    let page = runtime.block_on(async {
        let mut read = std::pin::pin!(log.read(Seq(0), 10));
        assert!(futures_util::poll!(&mut read).is_pending());
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        let early = futures_util::poll!(&mut read);
        assert!(early.is_pending(), "{early:?}");
        other.execute_batch("COMMIT").unwrap();
        read.await.unwrap()
    });
    assert_eq!(numbers(&page)[..2], [1, 2], "{page:?}");
}

#[test]
fn a_log_that_has_ended_reserves_nothing() {
    let log = log(10, usize::MAX);
    append(&log, "A");
    let reserved = |batch: Batch| batch.to_known(1).bound;
    assert!(
        reserved(log.batch(10)).is_some(),
        "of a log without a bound"
    );
    log.close();
    // It may have been announced before.
    assert_eq!(reserved(log.batch(10)), None);
}

#[test]
fn what_the_retention_has_let_go_of_is_not_in_memory_either() {
    let log = log(10, usize::MAX);
    for name in ["A", "B", "C"] {
        append(&log, name);
    }
    let all = log.lock().bytes;
    log.set_trimmed(Seq(2));
    let page = recent(&log, 0, 10);
    assert!(
        matches!(page.items[0], Item::Gap(Seq(1), Seq(2))),
        "{page:?}"
    );
    assert_eq!(numbers(&page), [3]);
    let ring = log.lock();
    assert_eq!(
        (ring.bytes, ring.dropped, ring.trimmed),
        (all / 3, 0, Seq(2))
    );
}
