//! What happened while the connection to the console was gone.

use std::collections::BTreeMap;

use qmp_shared::rest::{SessionInfo, SessionState};

use super::sessions::Sessions;
use super::text::{counted, visible};
use super::time::Instant;

/// Shorter absences are not worth a word, in microseconds.
const WORTH_A_NOTICE: i64 = 5_000_000;

/// Most sessions that are named.
const NAMED: usize = 4;

/// The sessions as they were when the page heard of them last.
#[derive(Clone, Debug)]
pub(crate) struct Away {
    since: Instant,
    before: BTreeMap<String, Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    events: u64,
    connections: u64,
    word: String,
}

impl Away {
    /// The page stops hearing of these sessions; the last word came at `since`.
    pub(crate) fn from(sessions: &Sessions, since: Instant) -> Self {
        let seen = |info: &SessionInfo| Seen {
            events: info.counters.events,
            connections: info.counters.connections,
            word: word(info),
        };
        let before = sessions
            .iter()
            .map(|(name, info)| (name.clone(), seen(info)));
        Self {
            since,
            before: before.collect(),
        }
    }

    /// What is different now; `None` when that is nothing, or when it was not
    /// for long.
    pub(crate) fn until(self, sessions: &Sessions, now: Instant) -> Option<Missed> {
        if now.0 - self.since.0 < WORTH_A_NOTICE {
            return None;
        }
        let mut missed = Missed::default();
        for (name, info) in sessions {
            let now = info.counters.events;
            let shown = visible(name).into_owned();
            let Some(seen) = self.before.get(name) else {
                missed.events += now;
                missed.changes.push(shown + " is new");
                continue;
            };
            // A console that started anew counts anew.
            missed.events += now.checked_sub(seen.events).unwrap_or(now);
            // One that connects only now has no news yet.
            let word = word(info);
            if word != seen.word && info.state != SessionState::Connecting {
                missed
                    .changes
                    .push(shown + ": " + &seen.word + " → " + &word);
            } else if info.state == SessionState::Running
                && info.counters.connections > seen.connections
            {
                missed
                    .changes
                    .push(shown + " lost and regained its endpoint");
            }
        }
        let gone = self
            .before
            .keys()
            .filter(|name| !sessions.contains_key(*name));
        missed
            .changes
            .extend(gone.map(|name| visible(name).into_owned() + " was removed"));
        (missed != Missed::default()).then_some(missed)
    }
}

/// How a session is, in a word: its VM's run state where it has one.
fn word(info: &SessionInfo) -> String {
    match (&info.status, info.state) {
        (Some(status), SessionState::Running) => visible(status).into_owned(),
        (_, state) => state.as_str().to_owned(),
    }
}

/// What happened meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    events: u64,
    /// One for each session that is not as it was.
    changes: Vec<String>,
}

impl Missed {
    /// In a sentence.
    pub(crate) fn words(&self) -> String {
        let mut text = String::from("Back. While away: ");
        if self.events > 0 || self.changes.is_empty() {
            text.push_str(&counted(self.events, "event"));
        }
        for (index, change) in self.changes.iter().take(NAMED).enumerate() {
            if index > 0 || self.events > 0 {
                text.push_str(", ");
            }
            text.push_str(change);
        }
        if let Some(more @ 1..) = self.changes.len().checked_sub(NAMED) {
            text.push_str(" and ");
            text.push_str(&counted(more as u64, "more session"));
        }
        text.push('.');
        text
    }

    /// Whether there are events to look at.
    pub(crate) fn has_events(&self) -> bool {
        self.events > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(list: &[(&str, &str, Option<&str>, u64)]) -> Sessions {
        let session = |&(name, state, status, events): &(&str, &str, Option<&str>, u64)| {
            let info: SessionInfo = serde_json::from_value(serde_json::json!({
                "name": name, "kind": "qmp", "address": "unix:/x", "state": state,
                "status": status, "since": "2026-01-01T00:00:00Z",
                "counters": {"connections": 1, "commands": 0, "events": events, "dropped": 0},
            }))
            .unwrap();
            (name.to_owned(), info)
        };
        list.iter().map(session).collect()
    }

    fn missed(before: &Sessions, after: &Sessions) -> Option<String> {
        let away = Away::from(before, Instant::from_millis(0.0));
        let missed = away.until(after, Instant::from_millis(60_000.0));
        missed.map(|missed| missed.words())
    }

    #[test]
    fn counts_events_and_names_what_changed() {
        let before = sessions(&[("vm", "running", Some("running"), 3)]);
        let after = sessions(&[("vm", "running", Some("shutdown"), 15)]);
        assert_eq!(
            missed(&before, &after).unwrap(),
            "Back. While away: 12 events, vm: running → shutdown."
        );
        let after = sessions(&[("vm", "retrying", None, 3)]);
        assert_eq!(
            missed(&before, &after).unwrap(),
            "Back. While away: vm: running → retrying."
        );
        let after = sessions(&[("vm", "running", Some("running"), 4)]);
        assert_eq!(
            missed(&before, &after).unwrap(),
            "Back. While away: 1 event."
        );
    }

    #[test]
    fn an_endpoint_that_died_and_came_back_is_no_silence() {
        let before = sessions(&[("vm", "running", Some("running"), 3)]);
        let mut after = before.clone();
        after.get_mut("vm").unwrap().counters.connections = 2;
        assert_eq!(
            missed(&before, &after).unwrap(),
            "Back. While away: vm lost and regained its endpoint."
        );
        let mut down = after.clone();
        down.get_mut("vm").unwrap().state = SessionState::Connecting;
        assert_eq!(missed(&before, &down), None);
        // What it is by now says more.
        after.get_mut("vm").unwrap().status = Some("prelaunch".into());
        let words = missed(&before, &after).unwrap();
        assert_eq!(words, "Back. While away: vm: running → prelaunch.");
    }

    #[test]
    fn nothing_new_or_a_short_while_is_no_news() {
        let before = sessions(&[("vm", "running", Some("running"), 3)]);
        assert_eq!(missed(&before, &before), None);
        let after = sessions(&[("vm", "running", Some("running"), 4)]);
        let away = Away::from(&before, Instant::from_millis(0.0));
        assert_eq!(away.until(&after, Instant::from_millis(4_000.0)), None);
    }

    #[test]
    fn a_console_that_started_anew_counts_anew_and_connects_first() {
        let before = sessions(&[("vm", "running", Some("running"), 30)]);
        let after = sessions(&[("vm", "connecting", None, 0)]);
        assert_eq!(missed(&before, &after), None);
        let after = sessions(&[("vm", "running", Some("running"), 2)]);
        assert_eq!(
            missed(&before, &after).unwrap(),
            "Back. While away: 2 events."
        );
    }

    #[test]
    fn sessions_come_and_go_and_only_some_are_named() {
        let before = sessions(&[("old\u{202e}", "running", None, 0)]);
        let after = sessions(&[("new", "running", None, 0)]);
        assert_eq!(
            missed(&before, &after).unwrap(),
            "Back. While away: new is new, old\\u202e was removed."
        );
        let names = ["a", "b", "c", "d", "e", "f"];
        let before = sessions(&names.map(|name| (name, "running", None, 0)));
        let after = sessions(&names.map(|name| (name, "retrying", None, 0)));
        let words = missed(&before, &after).unwrap();
        assert!(
            words.ends_with("d: running → retrying and 2 more sessions."),
            "{words}"
        );
    }
}
