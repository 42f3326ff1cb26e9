//! How many wrong tokens may be tried.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens in a [`PERIOD`], of everybody together: a console has few
/// users, and whoever guesses has many addresses.
const MOST: u32 = 20;

const PERIOD: Duration = Duration::from_secs(60);

/// Failed logins.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<Option<(Instant, u32)>>);

impl Attempts {
    /// Whether one more may try.
    pub(super) fn admit(&self) -> bool {
        let mut failures = self.failures();
        if failures.is_some_and(|(since, _)| since.elapsed() >= PERIOD) {
            *failures = None;
        }
        failures.is_none_or(|(_, count)| count < MOST)
    }

    /// One more was wrong.
    pub(super) fn failed(&self) {
        let mut failures = self.failures();
        let (_, count) = failures.get_or_insert_with(|| (Instant::now(), 0));
        *count += 1;
    }

    fn failures(&self) -> MutexGuard<'_, Option<(Instant, u32)>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
