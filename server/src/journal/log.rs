//! The append-only log of a session's events.
//!
//! One writer, the session's reader task, appends; any number of readers keep
//! a cursor (the sequence number that they have seen last) and read on from
//! there whenever they like. A slow reader has no queue that could overflow:
//! it reads older entries, from the ring, or from disk where the ring has let
//! go of them; and where they are on neither it is told ([`Item::Gap`]).
//! Between the events it has when the endpoint was lost and regained. The log
//! knows no transport and no filter.

mod ring;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use qmp_shared::model::{Event, Seq};
use tokio::sync::Notify;

use super::entry::Entry;
use super::error::StoreError;
use super::link::LinkChange;
use super::store::Known;
use super::writer::Writer;
use super::{NOTHING, run_blocking};
use ring::Ring;
pub(super) use ring::{Batch, Written};

/// How many numbers are reserved at a time. After a crash so many may be
/// missing at most.
const BLOCK: u64 = 1 << 20;

/// What a reader finds.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// The first and the last of some numbers whose events are lost.
    Gap(Seq, Seq),
    /// An event.
    Entry(Arc<Entry>),
}

/// What a reader finds after its cursor, or before it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// In order.
    pub(crate) items: Vec<Item>,
    /// The last number that was looked at: the cursor to go on from.
    pub(crate) next: Seq,
    /// Whether there is more right away.
    pub(crate) more: bool,
}

/// The log of one session. When its ring is full the oldest entries leave it;
/// those that are not on disk then are counted.
#[derive(Debug)]
pub(crate) struct Log {
    writer: Arc<Writer>,
    ring: Mutex<Ring>,
    /// A batch is on disk, or is not.
    settled: Notify,
}

impl Log {
    /// The log of a session. With a file its numbers go on where it knows that
    /// they have ended.
    pub(super) fn open(name: &str, writer: &Arc<Writer>) -> Arc<Self> {
        let known = writer.session(name, BLOCK);
        let (newest, bound, session, trimmed) = match known {
            // Without a file only this process knows of an earlier one.
            None => {
                let last = writer.last(name);
                (last, Seq(u64::MAX), None, last)
            }
            Some(Ok(Known { id, bound, trimmed })) => {
                (bound, Seq(bound.0 + BLOCK), Some(id), trimmed)
            }
            // Numbers of a time instead, until the disk is there.
            Some(Err(())) => {
                let last = writer.unused().max(writer.last(name));
                (last, Seq(u64::MAX), None, NOTHING)
            }
        };
        let log = Arc::new(Self {
            writer: Arc::clone(writer),
            settled: Notify::new(),
            ring: Mutex::new(Ring::new(newest, bound, session, trimmed)),
        });
        writer.attach(name, &log);
        log
    }

    /// Appends an event and returns its number. Never blocks on a reader, nor
    /// on the disk.
    pub(crate) fn append(self: &Arc<Self>, event: Event, received: Timestamp) -> Seq {
        let mut ring = self.lock();
        if ring.newest >= ring.bound {
            // Nothing could be reserved for long: numbers of a time, which
            // nobody else hands out, until the disk is there.
            ring.newest = ring.newest.max(self.writer.unused());
            ring.bound = Seq(u64::MAX);
        }
        let seq = Seq(ring.newest.0 + 1);
        ring.newest = seq;
        ring.appended += 1;
        ring.bytes += event.as_str().len();
        ring.entries
            .push_back(Arc::new(Entry::new(seq, received, event)));
        ring.shrink(self.writer.is_kept());
        self.announce(ring);
        seq
    }

    /// The endpoint was regained, or lost, and why. Returns the time that it is
    /// known by.
    pub(crate) fn append_link(self: &Arc<Self>, running: bool, cause: Option<String>) -> Timestamp {
        let mut ring = self.lock();
        let after = ring.newest;
        let time = ring.links.push(LinkChange {
            after,
            time: Timestamp::now(),
            running,
            cause,
        });
        self.announce(ring);
        time
    }

    fn announce(self: &Arc<Self>, mut ring: MutexGuard<'_, Ring>) {
        let announce = !std::mem::replace(&mut ring.announced, true);
        drop(ring);
        if announce {
            self.writer.announce(Arc::clone(self));
        }
    }

    /// When the endpoint was lost and regained, after events from one number to
    /// another.
    ///
    /// # Errors
    ///
    /// When it cannot be read from disk.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn links(&self, from: Seq, to: Seq) -> Result<Vec<LinkChange>, StoreError> {
        let session = self.session();
        let writer = Arc::clone(&self.writer);
        let stored = run_blocking(move || match (session, writer.store()) {
            (Some(session), Some(store)) => store.links(session, from, to),
            _ => Ok(Vec::new()),
        });
        let stored = stored.await?;
        Ok(self.lock().links.join(from, to, stored))
    }

    /// At most `limit` entries after the cursor, if the ring has them, or
    /// nobody has.
    pub(crate) fn recent(&self, after: Seq, limit: usize) -> Option<Page> {
        let ring = self.lock();
        let first = ring.first();
        let on_disk = ring.session.is_some() && ring.stored > after && first.0 > after.0 + 1;
        if on_disk {
            return None;
        }
        let skip = ring.entries.partition_point(|entry| entry.seq <= after);
        let entries = ring.entries.iter().skip(skip).take(limit).cloned();
        Some(page(after, entries, ring.newest, limit))
    }

    /// At most `limit` entries after the cursor.
    ///
    /// # Errors
    ///
    /// When they cannot be read from disk.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn read(&self, after: Seq, limit: usize) -> Result<Page, StoreError> {
        if let Some(page) = self.recent(after, limit) {
            return Ok(page);
        }
        let (session, first, newest) = loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            settled.as_mut().enable();
            {
                let ring = self.lock();
                // What has left the ring while it is being written is no gap.
                if ring.writing <= after || ring.first() <= ring.writing_from {
                    break (ring.session, ring.first(), ring.newest);
                }
            }
            settled.await;
        };
        let upto = Seq(first.0 - 1);
        let writer = Arc::clone(&self.writer);
        let entries = run_blocking(move || match (session, writer.store()) {
            (Some(session), Some(store)) => store.entries_after(session, after, upto, limit),
            _ => Ok(Vec::new()),
        });
        let entries = entries.await?;
        // What is not on disk up to the ring is nowhere.
        let end = if entries.len() < limit { upto } else { newest };
        let full = entries.len() >= limit;
        let mut page = page(after, entries.into_iter(), end, limit);
        page.more = full || page.next < newest;
        Ok(page)
    }

    /// At most `limit` entries before a number, the latest of them, in order.
    ///
    /// # Errors
    ///
    /// When they cannot be read from disk.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn read_before(
        &self,
        before: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Entry>>, StoreError> {
        let (mut entries, session, first) = {
            let ring = self.lock();
            let end = ring.entries.partition_point(|entry| entry.seq < before);
            let skip = end.saturating_sub(limit);
            let entries: Vec<_> = ring.entries.range(skip..end).cloned().collect();
            (entries, ring.session, ring.first())
        };
        let missing = limit - entries.len();
        let Some(session) = session.filter(|_| missing > 0) else {
            return Ok(entries);
        };
        let before = before.min(first);
        let writer = Arc::clone(&self.writer);
        let older = run_blocking(move || match writer.store() {
            Some(store) => store.entries_before(session, before, missing),
            None => Ok(Vec::new()),
        });
        let mut older = older.await?;
        older.append(&mut entries);
        Ok(older)
    }

    /// The cursor before the first entry that was received at this time or
    /// later.
    ///
    /// # Errors
    ///
    /// When it cannot be read from disk.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn before_time(&self, time: Timestamp) -> Result<Seq, StoreError> {
        let session = {
            let ring = self.lock();
            let newest = ring.entries.back();
            if newest.is_some_and(|newest| newest.received < time) {
                return Ok(ring.newest);
            }
            ring.session
        };
        let writer = Arc::clone(&self.writer);
        let stored = run_blocking(move || match (session, writer.store()) {
            (Some(session), Some(store)) => store.first_since(session, time),
            _ => Ok(None),
        });
        let stored = stored.await?;
        let ring = self.lock();
        let mut recent = ring.entries.iter();
        let recent = recent
            .find(|entry| entry.received >= time)
            .map(|entry| entry.seq);
        let first = [stored, recent].into_iter().flatten().min();
        Ok(first.map_or(ring.newest, |first| Seq(first.0 - 1)))
    }

    /// The number before the first that was handed out since the session was
    /// added.
    pub(crate) fn start(&self) -> Seq {
        self.lock().start
    }

    /// The newest number; 0 when there never was an event.
    pub(crate) fn newest(&self) -> Seq {
        self.lock().newest
    }

    /// The last number of which the retention has left nothing.
    pub(crate) fn trimmed(&self) -> Seq {
        self.lock().trimmed
    }

    /// How many events there were since the console started.
    pub(crate) fn appended(&self) -> u64 {
        self.lock().appended
    }

    /// How many can be read no more, though no retention has let go of them.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// How many events there are in memory that are to be on disk, and are not.
    pub(crate) fn unstored(&self) -> u64 {
        let ring = self.lock();
        if !self.writer.is_kept() {
            return 0;
        }
        let stored = ring
            .entries
            .partition_point(|entry| entry.seq <= ring.stored);
        (ring.entries.len() - stored) as u64
    }

    /// What is to be written next, at most `limit` entries.
    pub(super) fn batch(&self, limit: usize) -> Batch {
        self.lock().batch(limit)
    }

    /// A batch is on disk.
    pub(super) fn written(&self, batch: &Batch, written: Written) {
        self.lock().written(batch, written);
        self.settled.notify_waiters();
    }

    /// A batch is not on disk, and is to be tried again.
    pub(super) fn unwritten(&self, batch: &Batch) {
        self.lock().unwritten(batch);
        self.settled.notify_waiters();
    }

    /// The retention has let go of what is up to here.
    pub(super) fn set_trimmed(&self, upto: Seq) {
        self.lock().set_trimmed(upto);
    }

    /// The last number that is reserved; the newest one, where none is.
    pub(super) fn reserved(&self) -> Seq {
        let ring = self.lock();
        match ring.bound {
            Seq(u64::MAX) => ring.newest,
            bound => bound.max(ring.newest),
        }
    }

    /// Nothing more is to be reserved: what comes now has numbers of a time.
    /// Returns the newest one.
    pub(super) fn close(&self) -> Seq {
        let mut ring = self.lock();
        ring.bound = ring.newest;
        ring.closed = true;
        ring.newest
    }

    /// The session's number in the file.
    pub(super) fn session(&self) -> Option<i64> {
        self.lock().session
    }

    /// No method panics while it holds the lock, so that a poisoned one still
    /// guards a whole ring.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page of these entries, with what is missing between them and, unless
/// there are as many as asked for, up to `end`.
fn page(after: Seq, entries: impl Iterator<Item = Arc<Entry>>, end: Seq, limit: usize) -> Page {
    let mut items = Vec::with_capacity(entries.size_hint().0);
    let mut next = after;
    let mut count = 0;
    for entry in entries {
        if entry.seq.0 > next.0 + 1 {
            items.push(Item::Gap(Seq(next.0 + 1), Seq(entry.seq.0 - 1)));
        }
        next = entry.seq;
        count += 1;
        items.push(Item::Entry(entry));
    }
    if count < limit && next < end {
        items.push(Item::Gap(Seq(next.0 + 1), end));
        next = end;
    }
    Page {
        items,
        next,
        more: next < end,
    }
}

#[cfg(test)]
mod tests;
