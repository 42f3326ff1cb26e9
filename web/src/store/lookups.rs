//! Questions to endpoints whose answers complete what is typed.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Store, api, browser};
use crate::state::lookups::{Known, Query};
use crate::state::sessions::incarnation;

impl Store {
    /// Asks the session's endpoint, unless the answer is here or on its way, or
    /// whoever is signed in would be refused. The command is in no history.
    pub(crate) fn look_up(self, session: &str, query: Query) {
        if untrack(|| !self.may_ask(&query)) {
            return;
        }
        let running = self.peek(|app| app.sessions.get(session).and_then(incarnation));
        let Some(incarnation) = running else {
            return;
        };
        let now = browser::now();
        let is_new = self.lookups.try_maybe_update(|lookups| {
            let is_new = lookups.begin(session, &incarnation, &query, now);
            (is_new, is_new)
        });
        if is_new != Some(true) {
            return;
        }
        let session = session.to_owned();
        spawn_local(async move {
            let (command, arguments) = query.request();
            let answer = match api::execute(&session, command, &arguments).await {
                Ok(value) => query.read(value.get()).map_err(|error| error.to_string()),
                Err(problem) => Err(problem.detail),
            };
            self.lookups.try_update(|lookups| {
                lookups.finish(&session, &incarnation, &query, answer);
            });
        });
    }

    /// What is known of a session's question, and again when that changes.
    pub(crate) fn looked_up(self, session: &str, query: &Query) -> Known {
        self.lookups.with(|lookups| lookups.known(session, query))
    }

    /// Whether who is signed in may ask that.
    pub(crate) fn may_ask(self, query: &Query) -> bool {
        self.role().is_some_and(|role| role >= query.role())
    }
}
