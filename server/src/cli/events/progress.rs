//! How far the output is in a session's log: what makes that no event is
//! printed twice and none is left out, whatever becomes of connections.
//!
//! Numbers only; no sockets, no output.

use qmp_shared::model::Seq;

/// How far the output is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Which run of numbers these are; `None` before the first connection.
    journal: Option<String>,
    /// Up to here everything was printed, or told to be missing, or is not
    /// wanted. `None` before the start is known.
    seen: Option<Seq>,
}

impl Progress {
    /// At the start: after this number, where one was given.
    pub(super) fn new(after: Option<Seq>) -> Self {
        Self {
            journal: None,
            seen: after,
        }
    }

    /// Whether there was a connection already.
    pub(super) fn has_begun(&self) -> bool {
        self.journal.is_some()
    }

    /// Takes note of the journal of a new connection. Returns whether it is
    /// another one than before: then its numbers are others too, and all of its
    /// events are new.
    pub(super) fn enter(&mut self, journal: &str) -> bool {
        let another = self
            .journal
            .as_deref()
            .is_some_and(|known| known != journal);
        if another {
            self.seen = Some(Seq(0));
        }
        self.journal = Some(journal.to_owned());
        another
    }

    /// Where to go on; `None` while that is not known.
    pub(super) fn seen(&self) -> Option<Seq> {
        self.seen
    }

    /// Everything up to here is done. Returns whether it is further than before.
    pub(super) fn advance(&mut self, to: Seq) -> bool {
        let further = self.seen.is_none_or(|seen| seen < to);
        if further {
            self.seen = Some(to);
        }
        further
    }

    /// Everything from and to these numbers is missing. Returns what of that was
    /// not known yet.
    pub(super) fn skip(&mut self, from: Seq, to: Seq) -> Option<(Seq, Seq)> {
        let first = self.seen.map_or(from, |seen| from.max(Seq(seen.0 + 1)));
        self.advance(to).then_some((first, to))
    }

    /// Whether everything up to here is done.
    pub(super) fn has_reached(&self, end: Seq) -> bool {
        self.seen.is_some_and(|seen| seen >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_event_is_new_twice() {
        let mut progress = Progress::new(None);
        assert!(!progress.has_begun() && !progress.enter("a"));
        assert_eq!(progress.seen(), None);
        assert!(progress.advance(Seq(4)) && progress.advance(Seq(6)));
        assert!(!progress.enter("a") && progress.has_begun());
        assert_eq!(progress.seen(), Some(Seq(6)));
        assert!(!progress.advance(Seq(5)) && !progress.advance(Seq(6)));
        assert!(progress.has_reached(Seq(6)) && !progress.has_reached(Seq(7)));
    }

    #[test]
    fn a_gap_is_told_once() {
        let mut progress = Progress::new(Some(Seq(3)));
        assert_eq!(progress.skip(Seq(4), Seq(6)), Some((Seq(4), Seq(6))));
        assert_eq!(progress.skip(Seq(4), Seq(6)), None);
        assert_eq!(progress.skip(Seq(4), Seq(9)), Some((Seq(7), Seq(9))));
    }

    #[test]
    fn another_journal_begins_at_its_beginning() {
        let mut progress = Progress::new(Some(Seq(7)));
        // The first one is the one that `--after` is of.
        assert!(!progress.enter("a"));
        assert_eq!(progress.seen(), Some(Seq(7)));
        assert!(progress.enter("b"));
        assert_eq!(progress.seen(), Some(Seq(0)));
        assert!(progress.advance(Seq(1)));
    }
}
