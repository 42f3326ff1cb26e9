//! Events that the console had already. They come session by session, and are
//! shown in the order of time.

use std::collections::BTreeMap;

use super::log::What;
use crate::state::time::Instant;

/// Most rows that wait for the end of the replay.
const MOST: usize = 50_000;

/// Rows that wait for the end of the replay.
#[derive(Debug, Default)]
pub(crate) struct Replay(Vec<(String, What)>);

impl Replay {
    /// Takes the next row of a session.
    pub(crate) fn push(&mut self, session: &str, what: What) {
        self.0.push((session.to_owned(), what));
    }

    /// Whether no more rows should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    /// The rows by their time. Those of one session stay in their order, as a
    /// clock may have been put back; one without a time is with that before it.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = (String, What)> {
        let mut latest: BTreeMap<String, Option<Instant>> = BTreeMap::new();
        let timed = self.0.into_iter().map(|(session, what)| {
            let at = latest.entry(session.clone()).or_default();
            *at = (*at).max(what.time());
            (*at, session, what)
        });
        let mut rows: Vec<_> = timed.collect();
        rows.sort_by_key(|(at, ..)| *at);
        rows.into_iter().map(|(_, session, what)| (session, what))
    }
}
