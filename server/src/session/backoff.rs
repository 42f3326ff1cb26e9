//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// First delay.
const FIRST: Duration = Duration::from_millis(250);

/// Longest delay: what an operator who restarts a VM is willing to watch.
const LONGEST: Duration = Duration::from_secs(5);

/// Doubles from a quarter of a second to five seconds. Pure: randomness comes
/// from the caller.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay after one more failure, spread by a quarter in either
    /// direction so that many sessions do not knock at the same moment.
    /// `random` is anything from 0 to 1.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let delay = FIRST.saturating_mul(1 << self.failures.min(8)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        delay.mul_f64(0.75 + 0.5 * random.clamp(0.0, 1.0))
    }

    /// Starts over after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// From 0 to 1. Spreads retries, nothing more: should the system have no
/// randomness to give, they are not spread.
pub(crate) fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest_and_starts_over() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..7).map(|_| backoff.next(0.5).as_millis()).collect();
        assert_eq!(delays, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        backoff.reset();
        assert_eq!(backoff.next(0.5).as_millis(), 250);
    }

    #[test]
    fn jitter_is_a_quarter() {
        assert_eq!(Backoff::default().next(0.0).as_micros(), 187_500);
        assert_eq!(Backoff::default().next(1.0).as_micros(), 312_500);
    }
}
