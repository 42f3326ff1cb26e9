//! How many wrong tokens may be tried.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use qmp_shared::rest::{Problem, ProblemKind};

use super::problem::Refusal;

/// Wrong tokens in a [`PERIOD`], of everybody together: a console has few
/// users, and whoever guesses has many addresses.
const MOST: u32 = 20;

const PERIOD: Duration = Duration::from_secs(60);

/// Wrong tokens: of logins, of headers and of subprotocols.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<Option<(Instant, u32)>>);

impl Attempts {
    /// One more was wrong. Who has the right one never gets here, and is let in
    /// however many others guess.
    pub(super) fn wrong(&self) -> Refusal {
        let mut failures = self.failures();
        if failures.is_some_and(|(since, _)| since.elapsed() >= PERIOD) {
            *failures = None;
        }
        let (_, count) = failures.get_or_insert_with(|| (Instant::now(), 0));
        let (kind, detail) = if *count < MOST {
            *count += 1;
            (ProblemKind::Unauthorized, "the token is not valid")
        } else {
            let detail = "too many wrong tokens were tried; wait a minute";
            (ProblemKind::RateLimited, detail)
        };
        Refusal(Problem::new(kind, detail))
    }

    fn failures(&self) -> MutexGuard<'_, Option<(Instant, u32)>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
