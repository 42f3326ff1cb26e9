//! How many wrong tokens may be tried, and which logins have ended.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens in a [`PERIOD`], of everybody together: a console has few
/// users, and whoever guesses has many addresses.
const MOST: u32 = 20;

const PERIOD: Duration = Duration::from_secs(60);

/// Most ended logins that are remembered; then the oldest are forgotten. Their
/// cookies were cleared, so that only a copy of one could come back.
const REMEMBERED: usize = 100_000;

/// Failed logins, and logins that have ended.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    failures: Mutex<Option<(Instant, u32)>>,
    ended: Mutex<Ended>,
}

#[derive(Debug, Default)]
struct Ended {
    known: HashSet<String>,
    oldest_first: VecDeque<String>,
}

impl Logins {
    /// A login has ended: what it has opened is closed, and its cookie counts
    /// no more.
    pub(super) fn end(&self, login: String) {
        let mut ended = lock(&self.ended);
        if ended.known.insert(login.clone()) {
            ended.oldest_first.push_back(login);
        }
        if ended.oldest_first.len() > REMEMBERED
            && let Some(oldest) = ended.oldest_first.pop_front()
        {
            ended.known.remove(&oldest);
        }
    }

    /// Whether a login has ended.
    pub(super) fn has_ended(&self, login: &str) -> bool {
        lock(&self.ended).known.contains(login)
    }

    /// Whether one more may try.
    pub(super) fn admit(&self) -> bool {
        let mut failures = lock(&self.failures);
        if failures.is_some_and(|(since, _)| since.elapsed() >= PERIOD) {
            *failures = None;
        }
        failures.is_none_or(|(_, count)| count < MOST)
    }

    /// One more was wrong.
    pub(super) fn failed(&self) {
        let mut failures = lock(&self.failures);
        let (_, count) = failures.get_or_insert_with(|| (Instant::now(), 0));
        *count += 1;
    }
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
