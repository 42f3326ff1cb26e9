//! How long to wait before the next attempt to reach the console.

/// Delay before the second attempt, in milliseconds.
const FIRST: f64 = 250.0;

/// Longest delay, in milliseconds.
const LONGEST: f64 = 10_000.0;

/// Exponential backoff with jitter, so that many open pages do not come back
/// to a restarted console in the same instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay before the next attempt, in milliseconds; `random` is from 0
    /// to 1. Doubles with each failure, and is spread over its upper half.
    pub(crate) fn next(&mut self, random: f64) -> u32 {
        let ceiling = (FIRST * 2_f64.powi(self.failures.min(16) as i32)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        (ceiling * (0.5 + 0.5 * random.clamp(0.0, 1.0))) as u32
    }

    /// How many attempts failed in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// The connection stands: the next failure starts from the beginning.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest_and_starts_again() {
        let mut backoff = Backoff::default();
        let delays: Vec<u32> = (0..8).map(|_| backoff.next(1.0)).collect();
        assert_eq!(delays, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        assert_eq!(backoff.failures(), 8);
        backoff.reset();
        assert_eq!(backoff.failures(), 0);
        assert_eq!(backoff.next(1.0), 250);
    }

    #[test]
    fn jitter_stays_in_the_upper_half() {
        assert_eq!(Backoff::default().next(0.0), 125);
        assert_eq!(Backoff::default().next(7.0), 250);
    }
}
