//! State of the connection between this page and the console.

use super::sessions::Tone;

/// Failures in a row from which on the page says so. The first one is often
/// over before anybody could read about it.
const WORTH_A_NOTICE: u32 = 2;

/// The connection to the console.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Link {
    /// Opening the socket, or waiting for the first frame on it.
    Connecting {
        /// Attempts that failed since it stood last.
        failures: u32,
    },
    /// Frames flow.
    Connected,
    /// Lost; another attempt follows.
    Retrying {
        /// Attempts that failed since it stood last.
        failures: u32,
        /// When, in milliseconds of the page's clock.
        at: f64,
    },
}

impl Default for Link {
    fn default() -> Self {
        Self::Connecting { failures: 0 }
    }
}

impl Link {
    /// Whether it has been gone for long enough to say so.
    pub(crate) fn is_down(self) -> bool {
        match self {
            Self::Connected => false,
            Self::Connecting { failures } | Self::Retrying { failures, .. } => {
                failures >= WORTH_A_NOTICE
            }
        }
    }

    /// The state in a word or two, and its colour.
    pub(crate) fn badge(self) -> (Tone, &'static str) {
        match self {
            Self::Connected => (Tone::Good, "Connected"),
            _ if self.is_down() => (Tone::Bad, "Not connected"),
            _ => (Tone::Busy, "Connecting"),
        }
    }

    /// When the next attempt follows; `now` in milliseconds of the page's
    /// clock.
    pub(crate) fn outlook(self, now: f64) -> String {
        match self {
            Self::Connected => String::new(),
            Self::Connecting { .. } => "Connecting again…".to_owned(),
            Self::Retrying { at, .. } => {
                let seconds = ((at - now) / 1000.0).ceil().max(1.0) as u64;
                "Connecting again in ".to_owned() + &seconds.to_string() + " s."
            }
        }
    }

    /// What a screen reader says when the state becomes this; the same for
    /// every attempt, so that it is said once.
    pub(crate) fn announcement(self) -> &'static str {
        match self {
            Self::Connected => "Connected to the console",
            _ if self.is_down() => "No connection to the console, connecting again",
            _ => "",
        }
    }
}

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Not asked yet, or the console did not answer.
    #[default]
    Unknown,
    /// Nobody.
    SignedOut,
    /// Somebody.
    SignedIn,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_down_to_the_next_attempt() {
        let link = Link::Retrying {
            failures: 2,
            at: 5_000.0,
        };
        assert_eq!(link.outlook(2_100.0), "Connecting again in 3 s.");
        assert_eq!(link.outlook(9_000.0), "Connecting again in 1 s.");
        let link = Link::Connecting { failures: 2 };
        assert_eq!(link.outlook(0.0), "Connecting again…");
    }

    #[test]
    fn a_short_loss_is_no_news_and_a_long_one_is_said_once() {
        let short = Link::Retrying {
            failures: 1,
            at: 0.0,
        };
        assert_eq!(Link::default().badge(), (Tone::Busy, "Connecting"));
        assert_eq!(short.badge(), (Tone::Busy, "Connecting"));
        assert!(!short.is_down() && short.announcement().is_empty());
        let long = Link::Retrying {
            failures: 2,
            at: 0.0,
        };
        let again = Link::Connecting { failures: 2 };
        assert!(long.is_down() && again.is_down());
        assert_eq!(long.badge(), again.badge());
        assert_eq!(long.announcement(), again.announcement());
        assert!(!Link::Connected.is_down());
        assert_eq!(Link::Connected.badge(), (Tone::Good, "Connected"));
    }
}
