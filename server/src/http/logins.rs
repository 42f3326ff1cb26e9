//! How many wrong tokens may be tried.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens in a [`PERIOD`], of everybody together: a console has few
/// users, and whoever guesses has many addresses.
const MOST: u32 = 20;

const PERIOD: Duration = Duration::from_secs(60);

/// Counts failed logins.
#[derive(Debug, Default)]
pub(crate) struct Logins(Mutex<Option<(Instant, u32)>>);

impl Logins {
    /// Whether one more may try.
    pub(super) fn admit(&self) -> bool {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.is_some_and(|(since, _)| since.elapsed() >= PERIOD) {
            *failures = None;
        }
        failures.is_none_or(|(_, count)| count < MOST)
    }

    /// One more was wrong.
    pub(super) fn failed(&self) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, count) = failures.get_or_insert_with(|| (Instant::now(), 0));
        *count += 1;
    }
}
