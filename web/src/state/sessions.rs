//! What the pages say about a session.

use std::collections::BTreeMap;

use qmp_shared::model::EndpointKind;
use qmp_shared::rest::{SessionInfo, SessionState};

use super::text::visible;

/// All sessions, by name.
pub(crate) type Sessions = BTreeMap<String, SessionInfo>;

/// The colour that goes with a state; the words are always there as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// Wants attention.
    Warn,
    /// Gone.
    Bad,
    /// At rest.
    Idle,
}

impl Tone {
    /// The class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "badge good",
            Self::Busy => "badge busy",
            Self::Warn => "badge warn",
            Self::Bad => "badge bad",
            Self::Idle => "badge idle",
        }
    }
}

/// The tone of a connection's state.
pub(crate) fn state_tone(state: SessionState) -> Tone {
    match state {
        SessionState::Running => Tone::Good,
        SessionState::Connecting => Tone::Busy,
        SessionState::Waiting => Tone::Warn,
        SessionState::Retrying => Tone::Bad,
        SessionState::Disconnected => Tone::Idle,
    }
}

/// The tone of a VM's run state, as QEMU names it.
pub(crate) fn status_tone(status: &str) -> Tone {
    match status {
        "running" => Tone::Good,
        "inmigrate" | "finish-migrate" | "restore-vm" | "save-vm" | "colo" => Tone::Busy,
        "guest-panicked" | "internal-error" | "io-error" | "watchdog" => Tone::Bad,
        "shutdown" | "postmigrate" => Tone::Warn,
        _ => Tone::Idle,
    }
}

/// What is at the other end: `QEMU 7.2.22 (Debian ...)`.
pub(crate) fn endpoint(info: &SessionInfo) -> String {
    if info.kind == EndpointKind::Qga {
        return "QEMU guest agent".to_owned();
    }
    let Some(greeting) = &info.greeting else {
        return String::new();
    };
    let version = &greeting.version;
    let mut text = String::from("QEMU ");
    text.push_str(&version.qemu.to_string());
    if !version.package.is_empty() {
        text.push_str(" (");
        text.push_str(&visible(&version.package));
        text.push(')');
    }
    text
}

/// What to do about a session that is not running; `None` when there is nothing
/// to do.
pub(crate) fn advice(info: &SessionInfo) -> Option<&'static str> {
    let cause = info.cause.as_deref().unwrap_or_default();
    let has = |words: &str| cause.contains(words);
    Some(match info.state {
        SessionState::Running | SessionState::Connecting => return None,
        SessionState::Disconnected => "Connect it to use it again.",
        SessionState::Waiting => "It goes on when the other client hangs up.",
        SessionState::Retrying if has("No such file") || has("refused") => {
            "Start QEMU with this address, or correct it. The console keeps trying."
        }
        SessionState::Retrying if has("ermission denied") => {
            "Let the console’s user open this socket. The console keeps trying."
        }
        SessionState::Retrying => "The console keeps trying.",
    })
}

/// Why no command can be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Down {
    /// There is no such session, and why that may be.
    Gone(String),
    /// It is there, but it is not running.
    NotRunning(String),
}

impl Down {
    /// The sentence for it.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Gone(words) | Self::NotRunning(words) => words,
        }
    }
}

/// Why no command can be sent to the session of that name now; `None` when it
/// can, and while no session is chosen among several. `was_there`: whether there
/// was one of that name when this page was opened, or since.
pub(crate) fn unavailable(sessions: &Sessions, name: &str, was_there: bool) -> Option<Down> {
    if name.is_empty() {
        let words = "The console has no sessions yet.";
        return sessions.is_empty().then(|| Down::Gone(words.to_owned()));
    }
    let Some(info) = sessions.get(name) else {
        let (before, after) = if was_there {
            ("The session “", "” was removed from the console.")
        } else {
            ("There is no session named “", "”.")
        };
        return Some(Down::Gone(before.to_owned() + &visible(name) + after));
    };
    if info.state == SessionState::Running {
        return None;
    }
    let mut text = "The session is ".to_owned() + info.state.as_str();
    match &info.cause {
        Some(cause) => {
            text.push_str(": ");
            text.push_str(&visible(cause));
        }
        None => text.push('.'),
    }
    Some(Down::NotRunning(text))
}

/// The session to show when the address names none: the first running one,
/// else the first.
pub(crate) fn pick(sessions: &Sessions) -> Option<&str> {
    let running = sessions
        .values()
        .find(|info| info.state == SessionState::Running);
    running
        .or(sessions.values().next())
        .map(|info| info.name.as_str())
}

/// What identifies one connection's schema: it changes when the session came
/// to be running anew, maybe with another QEMU at the other end.
pub(crate) fn incarnation(info: &SessionInfo) -> Option<(u64, String)> {
    (info.state == SessionState::Running).then(|| (info.counters.connections, endpoint(info)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str, state: &str, rest: &str) -> SessionInfo {
        serde_json::from_str(&format!(
            r#"{{"name":"{name}","kind":"qmp","address":"unix:/x","state":"{state}",
                "since":"2026-01-01T00:00:00Z",
                "counters":{{"connections":1,"commands":0,"events":0,"dropped":0}}{rest}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn says_why_nothing_can_be_sent() {
        let words = |state: &str, rest: &str| {
            let sessions = Sessions::from([("vm".to_owned(), session("vm", state, rest))]);
            unavailable(&sessions, "vm", false).map(|down| down.words().to_owned())
        };
        assert_eq!(words("running", ""), None);
        assert_eq!(
            words("waiting", r#","cause":"in use by another client""#).unwrap(),
            "The session is waiting: in use by another client"
        );
        assert_eq!(
            words("disconnected", "").unwrap(),
            "The session is disconnected."
        );
    }

    #[test]
    fn a_session_that_was_removed_is_told_from_one_that_never_was() {
        let none = Sessions::new();
        let Some(Down::Gone(words)) = unavailable(&none, "n\u{202e}o", false) else {
            panic!()
        };
        assert_eq!(words, "There is no session named “n\\u202eo”.");
        let Some(Down::Gone(words)) = unavailable(&none, "vm", true) else {
            panic!()
        };
        assert_eq!(words, "The session “vm” was removed from the console.");
        assert!(matches!(unavailable(&none, "", false), Some(Down::Gone(_))));
        let some = Sessions::from([("vm".to_owned(), session("vm", "running", ""))]);
        assert_eq!(unavailable(&some, "", false), None);
    }

    #[test]
    fn picks_the_first_running_one() {
        let mut sessions = Sessions::new();
        assert_eq!(pick(&sessions), None);
        sessions.insert("a".into(), session("a", "retrying", ""));
        assert_eq!(pick(&sessions), Some("a"));
        sessions.insert("b".into(), session("b", "running", ""));
        assert_eq!(pick(&sessions), Some("b"));
    }

    #[test]
    fn a_new_connection_is_a_new_incarnation() {
        let mut info = session("vm", "running", "");
        let first = incarnation(&info);
        info.counters.commands += 1;
        assert_eq!(incarnation(&info), first);
        info.counters.connections += 1;
        assert_ne!(incarnation(&info), first);
        info.state = SessionState::Retrying;
        assert_eq!(incarnation(&info), None);
    }

    #[test]
    fn says_what_to_do() {
        let advice_of = |state, rest| advice(&session("vm", state, rest));
        assert_eq!(advice_of("running", ""), None);
        let gone = r#","cause":"connect: No such file or directory (os error 2)""#;
        assert!(
            advice_of("retrying", gone)
                .unwrap()
                .starts_with("Start QEMU")
        );
        let locked = r#","cause":"Permission denied""#;
        assert!(advice_of("retrying", locked).unwrap().contains("user"));
        assert_eq!(advice_of("retrying", ""), Some("The console keeps trying."));
        assert!(advice_of("disconnected", "").is_some());
    }
}
