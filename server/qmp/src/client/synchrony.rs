//! Whether a guest agent keeps up with what it is sent.
//!
//! An agent executes one command after another, and one whose guest hangs or
//! is not up executes none. Once it has not answered in time, it must answer a
//! synchronisation before it is sent more: what it does not get, it cannot
//! execute hours later, when nobody expects it any more.
//!
//! Plain state that is waited for; whoever uses it sends the messages.

use tokio::sync::watch;

/// Whether an agent keeps up. There is at most one synchronisation at a time.
#[derive(Debug)]
pub(super) struct Synchrony(watch::Sender<Phase>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It answers, for all that is known.
    Kept,
    /// It did not answer in time.
    Lost,
    /// It was sent a synchronisation, and has not answered yet.
    Asked,
}

impl Synchrony {
    /// After the synchronisation that a connection begins with.
    pub(super) fn kept() -> Self {
        Self(watch::Sender::new(Phase::Kept))
    }

    /// A command was not answered in time. A synchronisation that is under way
    /// comes after that command, and is as good as a new one.
    pub(super) fn lose(&self) {
        self.change(Phase::Kept, Phase::Lost);
    }

    /// Whether the caller must send a synchronisation.
    pub(super) fn ask(&self) -> bool {
        self.change(Phase::Lost, Phase::Asked)
    }

    /// The synchronisation was answered.
    pub(super) fn regain(&self) {
        self.change(Phase::Asked, Phase::Kept);
    }

    /// Waits until the agent keeps up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn regained(&self) {
        let mut phase = self.0.subscribe();
        // The sender lives in `self`.
        let (Ok(_) | Err(_)) = phase.wait_for(|phase| *phase == Phase::Kept).await;
    }

    fn change(&self, from: Phase, to: Phase) -> bool {
        self.0.send_if_modified(|phase| {
            let changes = *phase == from;
            if changes {
                *phase = to;
            }
            changes
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn one_asks_and_all_wait() {
        let synchrony = Synchrony::kept();
        assert!(!synchrony.ask());
        assert!(synchrony.regained().now_or_never().is_some());
        synchrony.lose();
        assert!(synchrony.ask());
        synchrony.lose();
        assert!(!synchrony.ask());
        assert!(synchrony.regained().now_or_never().is_none());
        synchrony.regain();
        assert!(synchrony.regained().now_or_never().is_some());
    }
}
