//! How many rows there are of each name and session, and when they came.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::log::{Row, What};
use crate::state::time::Instant;

/// Bars of a [`Rate`].
const BARS: usize = 60;

/// Seconds that a bar may stand for.
const STEPS: &[i64] = &[
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
];

const SECOND: i64 = 1_000_000;

/// Counts of the rows of a feed, kept as rows come and go.
#[derive(Debug, Default)]
pub(crate) struct Facets {
    names: BTreeMap<Box<str>, u64>,
    sessions: BTreeMap<Arc<str>, u64>,
    seconds: BTreeMap<i64, u64>,
}

/// How many events came when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Events in each step, the latest last; empty without any event.
    pub(crate) bars: Vec<u64>,
    /// Seconds of a step.
    pub(crate) step: i64,
    /// Where the first bar begins.
    pub(crate) from: Instant,
}

impl Rate {
    /// The most in a step.
    pub(crate) fn most(&self) -> u64 {
        self.bars.iter().copied().max().unwrap_or_default()
    }
}

impl Facets {
    pub(super) fn add(&mut self, row: &Row) {
        let What::Event(event) = &row.what else {
            return;
        };
        match self.names.get_mut(&event.name) {
            Some(count) => *count += 1,
            None => _ = self.names.insert(event.name.clone(), 1),
        }
        *self.sessions.entry(Arc::clone(&row.session)).or_default() += 1;
        if let Some(at) = event.received {
            *self.seconds.entry(at.0.div_euclid(SECOND)).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, row: &Row) {
        let What::Event(event) = &row.what else {
            return;
        };
        less(&mut self.names, &event.name);
        less(&mut self.sessions, &row.session);
        if let Some(at) = event.received {
            less(&mut self.seconds, &at.0.div_euclid(SECOND));
        }
    }

    /// Whether no event is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// When the earliest event came, to the second.
    pub(super) fn earliest(&self) -> Option<Instant> {
        let (second, _) = self.seconds.first_key_value()?;
        Some(Instant(second * SECOND))
    }

    /// Names and their counts, the most frequent first.
    pub(crate) fn names(&self) -> Vec<(String, u64)> {
        sorted(self.names.iter().map(|(name, count)| (&**name, *count)))
    }

    /// Sessions and their counts, the most frequent first.
    pub(crate) fn sessions(&self) -> Vec<(String, u64)> {
        sorted(self.sessions.iter().map(|(name, count)| (&**name, *count)))
    }

    /// How many events came when, up to `end` or the latest event: all of them,
    /// or those of the latest sixty days.
    pub(crate) fn rate(&self, end: Option<Instant>) -> Rate {
        let (Some((first, _)), Some((last, _))) = (
            self.seconds.first_key_value(),
            self.seconds.last_key_value(),
        ) else {
            return Rate::default();
        };
        let end = end.map_or(*last, |end| end.0.div_euclid(SECOND).max(*last));
        let fits = |step: &&i64| end - first < **step * (BARS as i64 - 1);
        let step = STEPS.iter().find(fits).or(STEPS.last()).copied();
        let step = step.unwrap_or(1);
        // Bars stand still while time goes on: they begin at whole steps.
        let from = (end.div_euclid(step) - (BARS as i64 - 1)) * step;
        let mut bars = vec![0; BARS];
        for (second, count) in self.seconds.range(from..) {
            let index = (second - from) / step;
            if let Some(bar) = usize::try_from(index).ok().and_then(|at| bars.get_mut(at)) {
                *bar += count;
            }
        }
        Rate {
            bars,
            step,
            from: Instant(from * SECOND),
        }
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn sorted<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Vec<(String, u64)> {
    let mut counts: Vec<_> = counts
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    counts.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    counts
}
