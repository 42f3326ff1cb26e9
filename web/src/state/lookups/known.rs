//! What has been asked, and what came of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::query::{Answer, Query};

/// Most answers that are kept of a session; with more, all are forgotten.
const MOST: usize = 256;

/// How long an answer that may change is taken as it is, in milliseconds.
const FRESH: f64 = 2_000.0;

/// One connection of a session.
type Incarnation = (u64, String);

/// What is known of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// Asked for the first time.
    Asked,
    /// This was the answer; maybe it is being asked again.
    Answer(Arc<Answer>),
    /// There was none, for this reason.
    Failed(String),
}

/// The answers of all sessions, each for as long as its connection lasts.
#[derive(Debug, Default)]
pub(crate) struct Lookups(HashMap<String, (Incarnation, HashMap<Query, Entry>)>);

#[derive(Debug)]
struct Entry {
    known: Known,
    /// When it was asked last, in milliseconds.
    asked: f64,
    is_asked: bool,
}

impl Lookups {
    /// What is known of a session's question.
    pub(crate) fn known(&self, session: &str, query: &Query) -> Known {
        let entry = self.0.get(session).and_then(|(_, known)| known.get(query));
        entry.map(|entry| entry.known.clone()).unwrap_or_default()
    }

    /// Whether it has to be asked now; then it counts as asked. One that failed
    /// is asked again.
    pub(crate) fn begin(
        &mut self,
        session: &str,
        incarnation: &Incarnation,
        query: &Query,
        now: f64,
    ) -> bool {
        let (of, known) = self
            .0
            .entry(session.to_owned())
            .or_insert_with(|| (incarnation.clone(), HashMap::new()));
        if of != incarnation {
            *of = incarnation.clone();
            known.clear();
        }
        if let Some(entry) = known.get_mut(query) {
            let is_good = match entry.known {
                Known::Answer(_) => !query.changes() || now - entry.asked < FRESH,
                _ => false,
            };
            if entry.is_asked || is_good {
                return false;
            }
            entry.is_asked = true;
            entry.asked = now;
            if !matches!(entry.known, Known::Answer(_)) {
                entry.known = Known::Asked;
            }
            return true;
        }
        if known.len() >= MOST {
            known.clear();
        }
        let entry = Entry {
            known: Known::Asked,
            asked: now,
            is_asked: true,
        };
        known.insert(query.clone(), entry);
        true
    }

    /// The answer came, or the reason why there is none. One to a connection
    /// before is dropped.
    pub(crate) fn finish(
        &mut self,
        session: &str,
        incarnation: &Incarnation,
        query: &Query,
        answer: Result<Answer, String>,
    ) {
        let known = self.0.get_mut(session);
        let known = known.filter(|(of, _)| of == incarnation);
        if let Some(entry) = known.and_then(|(_, known)| known.get_mut(query)) {
            entry.is_asked = false;
            entry.known = match answer {
                Ok(answer) => Known::Answer(Arc::new(answer)),
                Err(why) => Known::Failed(why),
            };
        }
    }
}
