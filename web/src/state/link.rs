//! State of the connection between this page and the console.

/// The connection to the console.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Link {
    /// Opening the socket, or waiting for the first frame on it.
    #[default]
    Connecting,
    /// Frames flow.
    Connected,
    /// Lost; another attempt follows.
    Retrying {
        /// When, in milliseconds of the page's clock.
        at: f64,
    },
}

impl Link {
    /// The state in words; `now` in milliseconds of the page's clock.
    pub(crate) fn words(self, now: f64) -> String {
        match self {
            Self::Connecting => "Connecting".to_owned(),
            Self::Connected => "Connected".to_owned(),
            Self::Retrying { at } => {
                let seconds = ((at - now) / 1000.0).ceil().max(1.0) as u64;
                "Retrying in ".to_owned() + &seconds.to_string() + " s"
            }
        }
    }

    /// What a screen reader says when the state becomes this.
    pub(crate) fn announcement(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting to the console",
            Self::Connected => "Connected to the console",
            Self::Retrying { .. } => "Connection to the console lost, retrying",
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
        let link = Link::Retrying { at: 5_000.0 };
        assert_eq!(link.words(2_100.0), "Retrying in 3 s");
        assert_eq!(link.words(9_000.0), "Retrying in 1 s");
        assert_eq!(Link::Connected.words(0.0), "Connected");
    }
}
