//! Which changes of an endpoint are told already. The log's marks and what the
//! console says of a session come on different ways, and either may be first;
//! a change has the same time in both.

use qmp_shared::rest::{LinkMark, SessionInfo, SessionState};

use crate::state::time::Instant;

/// Whether the endpoint is there.
pub(crate) fn is_running(info: &SessionInfo) -> bool {
    info.state == SessionState::Running
}

/// What the marks told that the console has not said of the session yet.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Of few sessions, for a moment: whether it is running, and since when.
    ahead: Vec<(String, bool, Instant)>,
}

impl Links {
    /// Whether what is said of a session is to be told; `was_running` as it was
    /// said before.
    pub(crate) fn is_news(&mut self, was_running: bool, now: &SessionInfo) -> bool {
        match self.take_ahead(&now.name) {
            None => is_running(now) != was_running,
            Some((told, at)) if Instant::parse(&now.since) < Some(at) => {
                self.ahead.push((now.name.clone(), told, at));
                false
            }
            Some((told, _)) => is_running(now) != told,
        }
    }

    /// The marks of a session were told, the latest of which is `last`: whether
    /// what was said of it meanwhile is to be told as well. `was_running` is how
    /// it was before all of that.
    pub(crate) fn settle(
        &mut self,
        was_running: bool,
        last: Option<&LinkMark>,
        now: &SessionInfo,
    ) -> bool {
        let Some(last) = last else {
            return is_running(now) != was_running;
        };
        match Instant::parse(&last.time) {
            Some(at) if Instant::parse(&now.since) < Some(at) => {
                self.ahead.push((now.name.clone(), last.running, at));
                false
            }
            _ => is_running(now) != last.running,
        }
    }

    /// What the marks told of a session and the console did not say yet.
    pub(super) fn take_ahead(&mut self, session: &str) -> Option<(bool, Instant)> {
        let at = self.ahead.iter().position(|(name, ..)| name == session)?;
        let (_, running, since) = self.ahead.swap_remove(at);
        Some((running, since))
    }
}
