//! One page's view of the log.

use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::filter::Verdict;

use super::facets::Facets;
use super::log::{Log, MAX_ROWS, Row, What};
use super::query::Query;
use crate::state::time::Instant;

/// Most rows that a page shows, of the tab and of the console's log.
const MAX_SHOWN: usize = 2 * MAX_ROWS;

/// What a page shows of a [`Log`], and of what is older than that.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    query: Query,
    rows: VecDeque<Arc<Row>>,
    /// Number of the next row of the log to look at.
    next: u64,
    /// Rows of the log below this one were not looked at yet.
    back: u64,
    /// Rows of the log below this one are told by the console's log.
    floor: u64,
    /// While paused, rows from here on are counted but not shown.
    paused_at: Option<u64>,
    waiting: usize,
    unevaluable: u64,
    facets: Facets,
    /// Whether there are rows of the console's own log.
    has_older: bool,
    /// Whether older rows had to go to make room.
    let_go: bool,
}

impl Feed {
    /// Shows other rows of the log; keeps being paused. What is in the log is
    /// shown by [`Self::scan`], the newest first.
    pub(crate) fn set_query(&mut self, query: Query, log: &Log) {
        self.rows.clear();
        self.facets = Facets::default();
        self.waiting = 0;
        self.unevaluable = 0;
        self.has_older = false;
        self.let_go = false;
        self.next = log.next();
        self.back = match query.until {
            None => log.next(),
            // The console's log has all of it, in the order of time.
            Some(_) => log.first(),
        };
        self.floor = query.floor(log);
        self.query = query;
    }

    /// Looks at this many older rows of the log; answers whether there are more.
    pub(crate) fn scan(&mut self, log: &Log, most: usize) -> bool {
        for _ in 0..most {
            if self.back <= log.first() {
                return false;
            }
            self.back -= 1;
            if let Some(row) = log.row(self.back)
                && self.passes(row)
            {
                if self.is_held(row) {
                    self.waiting += counts(row);
                } else {
                    self.facets.add(row);
                    self.rows.push_front(Arc::clone(row));
                }
            }
        }
        self.back > log.first()
    }

    /// Looks at what is new in the log; answers how many rows were added.
    pub(crate) fn refresh(&mut self, log: &Log) -> usize {
        let mut added = 0;
        self.floor = self.floor.max(self.query.floor(log));
        if self.query.until.is_none() {
            for row in log.since(self.next) {
                if !self.passes(row) {
                    continue;
                }
                if self.is_held(row) {
                    self.waiting += counts(row);
                } else {
                    self.facets.add(row);
                    self.rows.push_back(Arc::clone(row));
                    added += 1;
                }
            }
        }
        self.next = log.next();
        // A paused page keeps what is on it; it cannot grow meanwhile. With older
        // rows before them, those that the tab lets go of stay too.
        if self.paused_at.is_none() && !self.has_older {
            while self
                .rows
                .front()
                .is_some_and(|row| row.number < log.first())
            {
                self.drop_oldest();
            }
        }
        while self.rows.len() > MAX_SHOWN {
            self.drop_oldest();
            self.let_go = true;
        }
        added
    }

    /// Puts rows before all others, the newest of them first; answers how many
    /// there was room for.
    pub(crate) fn put_before(&mut self, rows: Vec<(Arc<str>, What)>, log: &Log) -> usize {
        let count = rows.len();
        let room = MAX_SHOWN.saturating_sub(self.rows.len());
        self.let_go |= count > room;
        for (session, what) in rows.into_iter().take(room) {
            let lowest = self.rows.front().map_or(u64::MAX, |row| row.number);
            let number = lowest.min(log.first()).min(self.back) - 1;
            let row = Arc::new(Row {
                number,
                session,
                what,
            });
            self.facets.add(&row);
            self.rows.push_front(row);
            self.has_older = true;
        }
        count.min(room)
    }

    fn passes(&mut self, row: &Row) -> bool {
        // No log of the console has the commands of this tab.
        if row.number < self.floor && !matches!(row.what, What::Command(_)) {
            return false;
        }
        let verdict = self.query.judge(row);
        self.unevaluable += u64::from(verdict == Verdict::Unevaluable);
        verdict == Verdict::Accepted
    }

    /// Whether the row came while the page is paused.
    fn is_held(&self, row: &Row) -> bool {
        self.paused_at.is_some_and(|at| row.number >= at)
    }

    fn drop_oldest(&mut self) {
        if let Some(row) = self.rows.pop_front() {
            self.facets.remove(&row);
        }
    }

    /// Stops showing what comes from now on.
    pub(crate) fn pause(&mut self) {
        self.paused_at.get_or_insert(self.next);
    }

    /// Shows everything again.
    pub(crate) fn resume(&mut self, log: &Log) {
        if let Some(at) = self.paused_at.take() {
            self.waiting = 0;
            self.next = at.max(log.first());
            self.back = self.back.min(self.next);
            self.refresh(log);
        }
    }

    /// Forgets what is shown and what waits; call after [`Log::clear`].
    pub(crate) fn clear(&mut self, log: &Log) {
        let query = std::mem::take(&mut self.query);
        self.set_query(query, log);
        if let Some(at) = &mut self.paused_at {
            *at = log.next();
        }
    }

    /// From which row of the log on it shows what passes; what was before is told
    /// by the console's log.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// Which rows it shows.
    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// Whether it is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// How many rows came while paused.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Events that the expression could not look into: they are not shown.
    pub(crate) fn unevaluable(&self) -> u64 {
        self.unevaluable
    }

    /// Whether older rows had to go to make room.
    pub(crate) fn has_let_go(&self) -> bool {
        self.let_go
    }

    /// Counts of what it shows.
    pub(crate) fn facets(&self) -> &Facets {
        &self.facets
    }

    /// Whether there is any event among the rows.
    pub(crate) fn has_events(&self) -> bool {
        !self.facets.is_empty()
    }

    /// When the earliest event happened, or the oldest row that knows its time.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        let oldest = self.rows.iter().find_map(|row| row.what.time());
        self.facets.earliest().into_iter().chain(oldest).min()
    }

    /// How many rows are shown.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All rows, oldest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.iter()
    }

    /// The row at this position, 0 being the oldest.
    pub(crate) fn row(&self, position: usize) -> Option<&Arc<Row>> {
        self.rows.get(position)
    }

    /// Where the row with this number is, 0 being the oldest.
    pub(crate) fn position(&self, number: u64) -> Option<usize> {
        self.rows
            .binary_search_by_key(&number, |row| row.number)
            .ok()
    }
}

/// What is told about events counts; the user's own commands do not.
fn counts(row: &Row) -> usize {
    usize::from(!matches!(row.what, What::Command(_)))
}
