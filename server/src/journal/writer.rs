//! The writer thread: follows the logs and writes batches.
//!
//! Logs announce themselves when they have something; each is in the queue at
//! most once. A batch that cannot be written stays where it is, in the ring of
//! its log, and is tried again every second; so is the opening of files that
//! cannot be opened. Records of the audit are [pending](super::pending) until
//! they are in SQLite; without a file, the latest ones are kept in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use qmp_shared::model::Seq;
use rusqlite::Connection;
use tracing::{error, info};

use super::audit::{AuditEntry, AuditPage};
use super::entry::Entry;
use super::error::StoreError;
use super::files::{Disk, Files};
use super::log::{Batch, Log, Written};
use super::records::{Completions, Records, join};
use super::store::{self, Known, Store};
use super::{NOTHING, Retention, trim};
use crate::error::chain;

/// Most entries of one log in a transaction.
const BATCH: usize = 8192;

/// How long records of commands, and their completions, wait for company. An
/// event is written at once.
const GATHER: Duration = Duration::from_millis(20);

/// How long after a failure the next attempt is made.
const RETRY: Duration = Duration::from_secs(1);

/// How often the retention is looked after.
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// The handle on the writer thread.
#[derive(Debug)]
pub(super) struct Writer {
    disk: Disk,
    /// Held by whoever writes: a file of pending records is emptied by the one who
    /// has written them.
    writing: Mutex<()>,
    /// The one that writes. Gone after a failure, to be opened again.
    connection: Mutex<Option<Connection>>,
    queue: Mutex<Queue>,
    wake: Condvar,
    fault: Mutex<Option<String>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Queue {
    /// Logs that have something to write. Each may be in here twice.
    announced: Vec<Arc<Log>>,
    /// All logs there are, by the session's name.
    logs: Vec<(String, Weak<Log>)>,
    /// The last numbers of sessions that were removed.
    last: BTreeMap<String, Seq>,
    records: Records,
    /// When records and completions have waited enough.
    gathered: Option<Instant>,
    retention: Retention,
    /// Whether the retention is to be looked after at once.
    trim: bool,
    stop: bool,
}

impl Writer {
    /// Opens the files, if there are to be any, and starts the thread. A journal
    /// that is begun is called `fresh`.
    pub(super) fn start(
        path: Option<PathBuf>,
        fresh: String,
        retention: Retention,
    ) -> Result<Arc<Self>, StoreError> {
        let mut records = Records::from(1);
        let (disk, fault) = Disk::open(path, fresh, &mut records)?;
        let writer = Arc::new(Self {
            disk,
            writing: Mutex::default(),
            connection: Mutex::new(None),
            queue: Mutex::new(Queue {
                announced: Vec::new(),
                logs: Vec::new(),
                last: BTreeMap::new(),
                records,
                gathered: Some(Instant::now()),
                retention,
                trim: true,
                stop: false,
            }),
            wake: Condvar::new(),
            fault: Mutex::default(),
            thread: Mutex::default(),
        });
        if let Some(error) = fault {
            let (Ok(()) | Err(())) = writer.noted(Err(error));
        }
        if writer.is_kept() {
            let run = Arc::clone(&writer);
            let thread = std::thread::Builder::new().name("journal".to_owned());
            let thread = thread.spawn(move || run.run());
            *lock(&writer.thread) = Some(thread.map_err(StoreError::Thread)?);
        }
        Ok(writer)
    }

    /// Whether there are files, now or later.
    pub(super) fn is_kept(&self) -> bool {
        self.disk.is_there()
    }

    /// The journal's name.
    pub(super) fn id(&self) -> &str {
        self.disk.id()
    }

    /// The file, if it is open.
    pub(super) fn store(&self) -> Option<&Store> {
        self.disk.files().map(|files| &files.store)
    }

    /// A number that no log has handed out.
    pub(super) fn unused(&self) -> Seq {
        self.disk.unused()
    }

    /// The files, which are opened if they are not.
    fn files(&self) -> Result<&Files, StoreError> {
        // Whoever finds the files has a number after those in them.
        self.disk
            .files_or_open(|found, last| self.queue().records.take_over(found, last))
    }

    /// What the file knows of a session, after a block was reserved for it;
    /// `None` without a file.
    pub(super) fn session(&self, name: &str, block: u64) -> Option<Result<Known, ()>> {
        if !self.is_kept() {
            return None;
        }
        let known = self.with_connection(|connection| {
            let known = store::session(connection, name)?;
            store::set_durable(connection, true)?;
            store::raise_bound(connection, known.id, Seq(known.bound.0 + block))?;
            Ok(known)
        });
        Some(self.noted(known))
    }

    pub(super) fn attach(&self, name: &str, log: &Arc<Log>) {
        let mut queue = self.queue();
        // The latest of a name is the one that goes on.
        queue
            .logs
            .retain(|(known, log)| log.strong_count() > 0 && known != name);
        queue.logs.push((name.to_owned(), Arc::downgrade(log)));
    }

    /// The last number of the session of this name, if it was here and is not any
    /// more.
    pub(super) fn last(&self, name: &str) -> Seq {
        self.queue().last.get(name).copied().unwrap_or(NOTHING)
    }

    /// A log has ended: the next one of its name continues right after it. Writes
    /// what is not written yet.
    pub(super) fn detach(&self, name: &str, log: &Arc<Log>) {
        let written = match self.is_kept() {
            true => self.write(vec![Arc::clone(log)]),
            false => Ok(()),
        };
        // What is not on disk is lost with the log, and so are its numbers.
        let mut last = log.reserved();
        if self.noted(written).is_ok() {
            let newest = log.close();
            let session = log.session();
            let released = session.map_or(Ok(()), |session| {
                self.with_connection(|connection| store::release(connection, session, newest))
            });
            if self.noted(released).is_ok() {
                last = newest;
            }
        }
        let mut queue = self.queue();
        queue.last.insert(name.to_owned(), last);
        queue.logs.retain(|(_, known)| {
            known.strong_count() > 0 && !std::ptr::eq(known.as_ptr(), Arc::as_ptr(log))
        });
    }

    pub(super) fn announce(&self, log: Arc<Log>) {
        if self.is_kept() {
            self.queue().announced.push(log);
            self.wake.notify_one();
        }
    }

    pub(super) fn retain(&self, retention: Retention) {
        let mut queue = self.queue();
        queue.retention = retention;
        queue.trim = true;
        self.wake.notify_one();
    }

    pub(super) fn fault(&self) -> Option<String> {
        lock(&self.fault).clone()
    }

    pub(super) fn record(&self, entry: AuditEntry) -> u64 {
        // Held until it is in the queue too: what is in a file when the files
        // turn is in the next transaction.
        let mut pending = self.disk.files().map(|files| lock(&files.pending));
        let (id, many) = self.queue().records.number();
        // When the disk has taken none for long, the files grow no more.
        if let Some(pending) = &mut pending
            && !many
        {
            pending.append(id, &entry);
        }
        let mut queue = self.queue();
        let lost = queue.records.insert(id, entry);
        drop(pending);
        if let Some(lost) = lost
            && self.is_kept()
        {
            error!(
                id = lost,
                "a record of a command was given up: the disk takes none"
            );
        }
        self.gather(queue);
        id
    }

    /// Has the thread write what waits, soon.
    fn gather(&self, mut queue: MutexGuard<'_, Queue>) {
        if queue.gathered.is_none() {
            queue.gathered = Some(Instant::now() + GATHER);
            drop(queue);
            self.wake.notify_one();
        }
    }

    pub(super) fn complete(&self, id: u64, result: &str, duration: Duration) {
        // As a record is.
        let mut pending = self.disk.files().map(|files| lock(&files.pending));
        let (id, many) = self.queue().records.completing(id);
        if let Some(pending) = &mut pending
            && !many
        {
            pending.complete(id, result, duration);
        }
        let mut queue = self.queue();
        queue.records.complete(id, result, duration, self.is_kept());
        drop(pending);
        if self.is_kept() {
            self.gather(queue);
        }
    }

    /// Records after a number: those on disk, and those that are not yet.
    pub(super) fn audit(&self, after: u64, limit: usize) -> Result<AuditPage, StoreError> {
        // Before the disk: what gets there meanwhile is then found twice, not never.
        let (records, completions) = self.queue().records.after(after);
        let stored = match self.store() {
            Some(store) => store.audit(after, limit)?.entries,
            None => Vec::new(),
        };
        let entries = join(stored, records, completions, limit);
        let next = entries.last().map_or(after, |(id, _)| *id);
        Ok(AuditPage { entries, next })
    }

    /// Writes what there is, and ends the thread.
    pub(super) fn stop(&self) {
        self.queue().stop = true;
        self.wake.notify_one();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            error!("the journal's thread panicked");
        }
    }

    fn run(&self) {
        let mut trimmed = Instant::now();
        loop {
            let (announced, stop, trim) = self.wait(trimmed + TRIM_EVERY);
            let written = self.write(announced);
            let trim = trim || trimmed.elapsed() >= TRIM_EVERY;
            let written = match written {
                Ok(()) if trim && !stop => {
                    trimmed = Instant::now();
                    self.trim()
                }
                written => written,
            };
            let failed = self.noted(written).is_err();
            if stop {
                if !failed {
                    let released = self.release();
                    // A fault was logged; the numbers of a block are left out.
                    let (Ok(()) | Err(())) = self.noted(released);
                }
                return;
            }
            if failed {
                let queue = self.queue();
                let waiting = self
                    .wake
                    .wait_timeout_while(queue, RETRY, |queue| !queue.stop);
                drop(waiting);
            }
        }
    }

    /// Waits until there is something to do.
    fn wait(&self, until: Instant) -> (Vec<Arc<Log>>, bool, bool) {
        let mut queue = self.queue();
        loop {
            let now = Instant::now();
            let next = queue.gathered.map_or(until, |gathered| gathered.min(until));
            let late = next.saturating_duration_since(now);
            if !queue.announced.is_empty() || queue.stop || queue.trim || now >= next {
                queue.gathered = None;
                let announced = std::mem::take(&mut queue.announced);
                let trim = std::mem::take(&mut queue.trim);
                return (announced, queue.stop, trim);
            }
            queue = match self.wake.wait_timeout(queue, late) {
                Ok((queue, _)) => queue,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Writes one transaction after the other, until there is no more. What could
    /// not be written is announced again.
    fn write(&self, mut logs: Vec<Arc<Log>>) -> Result<(), StoreError> {
        let _writing = lock(&self.writing);
        // First, so that what is found beside SQLite is written too.
        let files = match self.files() {
            Ok(files) => files,
            Err(error) => {
                self.postpone(logs);
                return Err(error);
            }
        };
        loop {
            logs.sort_unstable_by_key(Arc::as_ptr);
            logs.dedup_by(|a, b| Arc::ptr_eq(a, b));
            let batches: Vec<(Arc<Log>, Batch)> = logs
                .drain(..)
                .map(|log| (Arc::clone(&log), log.batch(BATCH)))
                .collect();
            lock(&files.pending).turn();
            let (records, completions) = self.queue().records.unwritten();
            let written = match self.transaction(&batches, &records, &completions) {
                Ok(written) => written,
                Err(error) => {
                    for (log, batch) in &batches {
                        log.unwritten(batch);
                    }
                    self.postpone(batches.into_iter().map(|(log, _)| log));
                    return Err(error);
                }
            };
            self.queue().records.written(&records, &completions);
            if let Err(error) = lock(&files.pending).clear_other() {
                // Nothing is lost: it grows, and the records are known.
                error!(%error, "the pending records of commands could not be emptied");
            }
            for ((log, batch), written) in batches.into_iter().zip(written) {
                if let Some(written) = written {
                    log.written(&batch, written);
                    if batch.more {
                        logs.push(log);
                    }
                }
            }
            if logs.is_empty() {
                return Ok(());
            }
        }
    }

    /// Another attempt is to be made.
    fn postpone(&self, logs: impl IntoIterator<Item = Arc<Log>>) {
        let mut queue = self.queue();
        queue.announced.extend(logs);
        queue.gathered = Some(Instant::now());
    }

    /// Writes all of it, or nothing. Returns what became of each log; `None` of
    /// one whose name is not known.
    fn transaction(
        &self,
        batches: &[(Arc<Log>, Batch)],
        records: &BTreeMap<u64, AuditEntry>,
        completions: &Completions,
    ) -> Result<Vec<Option<Written>>, StoreError> {
        let names = self.names(batches);
        let reserves = batches.iter().any(|(_, batch)| batch.reserve.is_some());
        self.with_connection(|connection| {
            // Numbers must not be forgotten, even if the machine loses its power.
            store::set_durable(connection, reserves)?;
            let transaction = connection.transaction()?;
            let mut all = Vec::new();
            for ((_, batch), name) in batches.iter().zip(names) {
                let written = match (batch.session, name) {
                    (Some(session), _) => batch.to_known(session),
                    (None, Some(name)) => {
                        let known = store::session(&transaction, &name)?;
                        batch.to_found(known.id, known.bound)
                    }
                    (None, None) => {
                        all.push(None);
                        continue;
                    }
                };
                let session = written.session;
                if let Some(bound) = written.bound {
                    store::raise_bound(&transaction, session, bound)?;
                }
                let taken = |entry: &Arc<Entry>| entry.seq <= written.taken;
                let free = batch.entries.partition_point(taken);
                store::insert(&transaction, session, &batch.entries[free..])?;
                store::insert_links(&transaction, session, &batch.links)?;
                all.push(Some(written));
            }
            for (id, entry) in records {
                store::insert_audit(&transaction, *id, entry)?;
            }
            for (id, (result, duration)) in completions {
                store::complete_audit(&transaction, *id, result, *duration)?;
            }
            transaction.commit()?;
            Ok(all)
        })
    }

    /// The names of the logs that the file does not know yet.
    fn names(&self, batches: &[(Arc<Log>, Batch)]) -> Vec<Option<String>> {
        let queue = self.queue();
        let name = |log: &Arc<Log>| {
            let mut logs = queue.logs.iter();
            let known = logs.find(|(_, known)| std::ptr::eq(known.as_ptr(), Arc::as_ptr(log)));
            known.map(|(name, _)| name.clone())
        };
        let unknown = batches.iter().map(|(log, batch)| match batch.session {
            Some(_) => None,
            None => name(log),
        });
        unknown.collect()
    }

    fn trim(&self) -> Result<(), StoreError> {
        let retention = self.queue().retention;
        let now = Timestamp::now().as_microsecond();
        let age = i64::try_from(retention.age.as_micros()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_microsecond(now.saturating_sub(age));
        let oldest = oldest.unwrap_or(Timestamp::MIN);
        let more =
            self.with_connection(|connection| trim::trim(connection, oldest, retention.size))?;
        let trimmed = self.with_connection(|connection| trim::trimmed(connection))?;
        let mut queue = self.queue();
        for (_, log) in &queue.logs {
            let Some(log) = log.upgrade() else { continue };
            let of =
                |(session, upto): &(i64, _)| (Some(*session) == log.session()).then_some(*upto);
            if let Some(upto) = trimmed.iter().find_map(of).filter(|upto| *upto > NOTHING) {
                log.set_trimmed(upto);
            }
        }
        // In steps, so that events are written in between.
        queue.trim |= more;
        Ok(())
    }

    /// The logs go on right after what is there when they are opened again.
    fn release(&self) -> Result<(), StoreError> {
        let logs: Vec<_> = {
            let queue = self.queue();
            queue
                .logs
                .iter()
                .filter_map(|(_, log)| log.upgrade())
                .collect()
        };
        self.with_connection(|connection| {
            for log in &logs {
                if let Some(session) = log.session() {
                    store::release(connection, session, log.close())?;
                }
            }
            Ok(())
        })
    }

    fn with_connection<T>(
        &self,
        act: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let files = self.files()?;
        let mut held = lock(&self.connection);
        let mut connection = match held.take() {
            Some(connection) => connection,
            None => files.store.writable()?,
        };
        let result = act(&mut connection);
        if result.is_ok() {
            *held = Some(connection);
        }
        result
    }

    /// Keeps the fault, or its end, in mind, and logs it once.
    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, ()> {
        let mut fault = lock(&self.fault);
        match result {
            Ok(value) => {
                if fault.take().is_some() {
                    info!("the journal is written again");
                }
                Ok(value)
            }
            Err(error) => {
                let text = chain(&error);
                if fault.as_ref() != Some(&text) {
                    error!(
                        error = text,
                        "the journal cannot be written; going on from memory"
                    );
                }
                *fault = Some(text);
                Err(())
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
