//! The ring of a log's recent entries, and what of it is on disk. Knows neither
//! readers nor the writer.

use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::model::Seq;

use super::{BLOCK, Entry};
use crate::journal::NOTHING;
use crate::journal::link::{LinkChange, LinkChanges};

/// Most entries that a ring keeps.
const MAX_ENTRIES: usize = 50_000;

/// Most bytes of event text that a ring keeps. One event alone may be larger;
/// it is kept until the next one arrives. What readers leave beside the events
/// comes to as much again, and a little for each ([`Entry::share`]).
const MAX_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Ring {
    pub(super) entries: VecDeque<Arc<Entry>>,
    pub(super) bytes: usize,
    /// The last number handed out; there is nothing beyond.
    pub(super) newest: Seq,
    /// The last number that may be handed out.
    pub(super) bound: Seq,
    /// The number before the first of this log.
    pub(super) start: Seq,
    /// The last number that is on disk, or that was never to be.
    pub(super) stored: Seq,
    /// The first and the last number that are on their way to the disk.
    pub(super) writing_from: Seq,
    pub(super) writing: Seq,
    /// The last number that retention has let go of.
    pub(super) trimmed: Seq,
    /// The bound that was to be reserved last, with success or not.
    pub(super) claimed: Option<Seq>,
    /// The session's number in the file, if there is one.
    pub(super) session: Option<i64>,
    pub(super) links: LinkChanges,
    /// Whether nothing more is to be reserved.
    pub(super) closed: bool,
    /// Whether the writer knows that there is something to write.
    pub(super) announced: bool,
    /// How many events there were.
    pub(super) appended: u64,
    /// How many can be read no more, though they should be.
    pub(super) dropped: u64,
    pub(super) max_entries: usize,
    pub(super) max_bytes: usize,
}

/// What the writer is to write of a log.
#[derive(Debug)]
pub(in crate::journal) struct Batch {
    /// The session's number; `None` when the file does not know it yet.
    pub(in crate::journal) session: Option<i64>,
    pub(in crate::journal) entries: Vec<Arc<Entry>>,
    pub(in crate::journal) links: Vec<LinkChange>,
    /// The bound to reserve, if it is time.
    pub(in crate::journal) reserve: Option<Seq>,
    /// The number before the first of the log.
    start: Seq,
    /// The bound of the attempt before.
    claimed: Option<Seq>,
    /// Whether there is more.
    pub(in crate::journal) more: bool,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug)]
pub(in crate::journal) struct Written {
    /// The session's number.
    pub(in crate::journal) session: i64,
    /// The last number that another log of the session may have handed out, so
    /// that this one should not have.
    pub(in crate::journal) taken: Seq,
    /// What is reserved now, if it was time.
    pub(in crate::journal) bound: Option<Seq>,
}

impl Batch {
    /// To be written to a session that the log knows.
    pub(in crate::journal) fn to_known(&self, session: i64) -> Written {
        Written {
            session,
            taken: NOTHING,
            bound: self.reserve,
        }
    }

    /// To be written to a session that was found only now, with the last number
    /// that may have been handed out in it.
    pub(in crate::journal) fn to_found(&self, session: i64, bound: Seq) -> Written {
        // One that this log has reserved is no other's, though it was not told so.
        let taken = match bound > self.start && self.claimed != Some(bound) {
            true => bound,
            false => NOTHING,
        };
        let above = |reserve: Seq| reserve.max(Seq(taken.0 + BLOCK));
        Written {
            session,
            taken,
            bound: self.reserve.map(above),
        }
    }
}

impl Ring {
    /// An empty one, of a log that goes on after `newest`.
    pub(super) fn new(newest: Seq, bound: Seq, session: Option<i64>, trimmed: Seq) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            newest,
            bound,
            start: newest,
            stored: newest,
            writing_from: NOTHING,
            writing: NOTHING,
            trimmed,
            claimed: None,
            session,
            links: LinkChanges::default(),
            closed: false,
            announced: false,
            appended: 0,
            dropped: 0,
            max_entries: MAX_ENTRIES,
            max_bytes: MAX_BYTES,
        }
    }

    /// The number of the first entry, or of the first there will be.
    pub(super) fn first(&self) -> Seq {
        self.entries
            .front()
            .map_or(Seq(self.newest.0 + 1), |entry| entry.seq)
    }

    pub(super) fn shrink(&mut self, has_file: bool) {
        while self.entries.len() > 1
            && (self.entries.len() > self.max_entries || self.bytes > self.max_bytes)
        {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.event.as_str().len();
                if oldest.seq > self.stored {
                    self.dropped += u64::from(oldest.seq > self.writing);
                    self.stored = oldest.seq;
                }
                if !has_file {
                    self.trimmed = oldest.seq;
                }
            }
        }
    }

    /// What is to be written next, at most `limit` entries.
    pub(super) fn batch(&mut self, limit: usize) -> Batch {
        let skip = self
            .entries
            .partition_point(|entry| entry.seq <= self.stored);
        let entries: Vec<_> = self
            .entries
            .iter()
            .skip(skip)
            .take(limit)
            .cloned()
            .collect();
        let more = skip + entries.len() < self.entries.len();
        self.announced = more;
        self.writing_from = entries.first().map_or(NOTHING, |first| first.seq);
        self.writing = entries.last().map_or(NOTHING, |last| last.seq);
        let left = self.bound.0.saturating_sub(self.newest.0);
        // Without a bound there was no disk, and now there may be one.
        let late = !self.closed && (left < BLOCK / 2 || self.bound == Seq(u64::MAX));
        let reserve = late.then(|| Seq(self.newest.0 + BLOCK));
        let claimed = std::mem::replace(&mut self.claimed, reserve);
        Batch {
            session: self.session,
            entries,
            links: self.links.unstored(),
            reserve,
            start: self.start,
            claimed,
            more,
        }
    }

    /// A batch is on disk.
    pub(super) fn written(&mut self, batch: &Batch, written: Written) {
        self.session = Some(written.session);
        self.writing = NOTHING;
        self.give_up(written.taken);
        if let Some(last) = batch.entries.last() {
            self.stored = self.stored.max(last.seq);
        }
        self.links.stored(&batch.links);
        if let Some(bound) = written.bound {
            self.bound = bound;
        }
    }

    /// A batch is not on disk.
    pub(super) fn unwritten(&mut self, batch: &Batch) {
        self.announced = true;
        self.writing = NOTHING;
        // What has left the ring meanwhile is nowhere.
        let first = self.first();
        let left = batch.entries.partition_point(|entry| entry.seq < first);
        self.dropped += left as u64;
    }

    /// The numbers up to here are those of other events.
    fn give_up(&mut self, taken: Seq) {
        if taken > self.stored {
            let count = self.entries.partition_point(|entry| entry.seq <= taken);
            self.dropped += count as u64;
            self.forget(count);
            self.stored = taken;
            self.newest = self.newest.max(taken);
        }
    }

    fn forget(&mut self, count: usize) {
        for entry in self.entries.drain(..count) {
            self.bytes -= entry.event.as_str().len();
        }
    }

    /// The retention has let go of what is up to here, and so does the ring: all
    /// readers find the same.
    pub(super) fn set_trimmed(&mut self, upto: Seq) {
        self.trimmed = self.trimmed.max(upto);
        self.stored = self.stored.max(upto);
        let count = self.entries.partition_point(|entry| entry.seq <= upto);
        self.forget(count);
    }
}
