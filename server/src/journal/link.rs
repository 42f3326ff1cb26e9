//! Losing and regaining the endpoint, as entries of a log.
//!
//! They have no sequence number: those are the events'. Each has its place after
//! one, and a time that no other of its log has.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use qmp_shared::model::Seq;

/// Most changes of a log in memory. When there are more, the oldest go, whether
/// they are on disk or not.
const MOST: usize = 1000;

/// The endpoint was lost or regained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkChange {
    /// The last event before it.
    pub(crate) after: Seq,
    /// When.
    pub(crate) time: Timestamp,
    /// Whether it was regained.
    pub(crate) running: bool,
    /// Why it was lost.
    pub(crate) cause: Option<String>,
}

/// The latest changes of a log.
#[derive(Debug, Default)]
pub(super) struct LinkChanges {
    all: VecDeque<LinkChange>,
    /// The time of the latest one on disk.
    stored: Option<Timestamp>,
}

impl LinkChanges {
    /// Adds one, at a later microsecond than all before; returns its time.
    pub(super) fn push(&mut self, mut change: LinkChange) -> Timestamp {
        let last = self.all.back().map(|last| last.time.as_microsecond() + 1);
        let time = change.time.as_microsecond();
        let time = last.map_or(time, |last| last.max(time));
        change.time = Timestamp::from_microsecond(time).unwrap_or(change.time);
        let time = change.time;
        self.all.push_back(change);
        if self.all.len() > MOST {
            self.all.pop_front();
        }
        time
    }

    /// Those that are not on disk.
    pub(super) fn unstored(&self) -> Vec<LinkChange> {
        let stored = self.all.partition_point(|it| Some(it.time) <= self.stored);
        self.all.range(stored..).cloned().collect()
    }

    /// These are on disk.
    pub(super) fn stored(&mut self, changes: &[LinkChange]) {
        self.stored = changes.last().map(|last| last.time).or(self.stored);
    }

    /// Those at these places, together with what the disk knows of them.
    pub(super) fn join(&self, from: Seq, to: Seq, disk: Vec<LinkChange>) -> Vec<LinkChange> {
        let here = self.all.iter().filter(|it| (from..=to).contains(&it.after));
        let all = disk.into_iter().chain(here.cloned());
        let all: BTreeMap<_, _> = all.map(|it| ((it.after, it.time), it)).collect();
        all.into_values().collect()
    }
}
