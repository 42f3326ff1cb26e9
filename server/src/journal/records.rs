//! Records of commands that are not in SQLite yet, and their numbers. Knows
//! neither files nor threads.

use std::collections::BTreeMap;
use std::time::Duration;

use super::audit::AuditEntry;
use super::pending::Found;

/// Most records that wait for the disk, or are kept without one.
pub(super) const MAX_RECORDS: usize = 20_000;

/// How commands ended, and after how long, by the numbers of their records.
pub(super) type Completions = BTreeMap<u64, (String, Duration)>;

#[derive(Debug)]
pub(super) struct Records {
    /// The first number that was handed out, or will be.
    first: u64,
    next: u64,
    /// The numbers up to the first of these are others now: by so much more.
    moved: Option<(u64, u64)>,
    /// Records that are not on disk yet.
    waiting: BTreeMap<u64, AuditEntry>,
    /// Completions of records that are on disk, or are just being written.
    completions: Completions,
}

impl Records {
    /// None yet; this is the first one's number.
    pub(super) fn from(first: u64) -> Self {
        Self {
            first,
            next: first,
            moved: None,
            waiting: BTreeMap::new(),
            completions: BTreeMap::new(),
        }
    }

    /// There are files now: with these records and completions that may not be
    /// in SQLite, and `last` as the latest number.
    pub(super) fn take_over(&mut self, found: Found, last: u64) {
        if self.next > self.first && last >= self.first {
            // They have used the numbers that were handed out here.
            let upto = self.next - 1;
            let by = last.max(upto) - self.first + 1;
            self.moved = Some((upto, by));
            let waiting = std::mem::take(&mut self.waiting).into_iter();
            self.waiting = waiting.map(|(id, entry)| (id + by, entry)).collect();
            let completions = std::mem::take(&mut self.completions).into_iter();
            self.completions = completions.map(|(id, it)| (id + by, it)).collect();
            self.next += by;
        }
        self.next = self.next.max(last + 1);
        self.waiting.extend(found.records);
        self.completions.extend(found.completions);
    }

    /// The number of the next record, and whether there are too many that wait.
    pub(super) fn number(&mut self) -> (u64, bool) {
        self.next += 1;
        (self.next - 1, self.waiting.len() >= MAX_RECORDS)
    }

    /// Adds a record. Returns the number of one that had to give way.
    pub(super) fn insert(&mut self, id: u64, entry: AuditEntry) -> Option<u64> {
        self.waiting.insert(self.current(id), entry);
        match self.waiting.len() > MAX_RECORDS {
            true => self.waiting.pop_first().map(|(lost, _)| lost),
            false => None,
        }
    }

    /// The number that a record has now, and whether too many completions wait.
    pub(super) fn completing(&self, id: u64) -> (u64, bool) {
        (self.current(id), self.completions.len() >= MAX_RECORDS)
    }

    /// Completes a record. If there is a disk, it may be just being written to
    /// it, or be there.
    pub(super) fn complete(&mut self, id: u64, result: &str, duration: Duration, disk: bool) {
        let id = self.current(id);
        if let Some(entry) = self.waiting.get_mut(&id) {
            set(entry, result.to_owned(), duration);
        }
        if disk {
            self.completions.insert(id, (result.to_owned(), duration));
            if self.completions.len() > MAX_RECORDS {
                self.completions.pop_first();
            }
        }
    }

    /// What is to be written.
    pub(super) fn unwritten(&self) -> (BTreeMap<u64, AuditEntry>, Completions) {
        (self.waiting.clone(), self.completions.clone())
    }

    /// These are on disk. One that was completed meanwhile stays a completion.
    pub(super) fn written(
        &mut self,
        records: &BTreeMap<u64, AuditEntry>,
        completions: &Completions,
    ) {
        for id in records.keys() {
            self.waiting.remove(id);
        }
        for id in completions.keys() {
            self.completions.remove(id);
        }
    }

    /// The records after a number, and all completions.
    pub(super) fn after(&self, after: u64) -> (BTreeMap<u64, AuditEntry>, Completions) {
        let later = self.waiting.iter().filter(|(id, _)| **id > after);
        let later = later.map(|(id, entry)| (*id, entry.clone())).collect();
        (later, self.completions.clone())
    }

    fn current(&self, id: u64) -> u64 {
        match self.moved {
            Some((upto, by)) if id <= upto => id + by,
            _ => id,
        }
    }
}

/// The first records, of those on disk and those that are not yet.
pub(super) fn join(
    stored: Vec<(u64, AuditEntry)>,
    waiting: BTreeMap<u64, AuditEntry>,
    completions: Completions,
    limit: usize,
) -> Vec<(u64, AuditEntry)> {
    let mut entries: BTreeMap<_, _> = stored.into_iter().collect();
    // What is on disk may be complete, and that of an earlier run here is not.
    for (id, entry) in waiting {
        entries.entry(id).or_insert(entry);
    }
    for (id, (result, duration)) in completions {
        if let Some(entry) = entries.get_mut(&id) {
            set(entry, result, duration);
        }
    }
    entries.into_iter().take(limit).collect()
}

/// Completes a record.
fn set(entry: &mut AuditEntry, result: String, duration: Duration) {
    entry.result = Some(result);
    entry.duration = Some(duration.as_secs_f64());
}
