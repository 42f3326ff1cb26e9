//! Sessions added, removed, connected and disconnected by hand: who may, when,
//! and where a refusal belongs.

use qmp_shared::rest::{Problem, ProblemKind, Role, SessionState};

use super::text::visible;

/// What somebody may be offered to do with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// Connect, or try again at once.
    pub(crate) connect: bool,
    /// Hang up, or give up trying.
    pub(crate) disconnect: bool,
    /// Remove it from the console.
    pub(crate) remove: bool,
}

/// What is offered to this role for a session in this state.
pub(crate) fn offers(role: Option<Role>, state: SessionState) -> Offers {
    let steers = role >= Some(Role::Operator);
    let is_idle = state == SessionState::Disconnected;
    Offers {
        connect: steers && (is_idle || state == SessionState::Retrying),
        disconnect: steers && !is_idle,
        remove: may_change(role),
    }
}

/// Whether this role adds and removes sessions.
pub(crate) fn may_change(role: Option<Role>) -> bool {
    role >= Some(Role::Admin)
}

/// Why a session was not added, and beside which field that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddFaults {
    /// The name is wrong or taken.
    pub(crate) name: Option<String>,
    /// The address is wrong.
    pub(crate) address: Option<String>,
    /// Neither is.
    pub(crate) form: Option<String>,
}

/// Whether both fields have something in them; what is wrong with it is the
/// console's to say.
pub(crate) fn missing(name: &str, address: &str) -> Option<AddFaults> {
    let required = |text: &str, what: &str| text.is_empty().then(|| what.to_owned());
    let faults = AddFaults {
        name: required(name, "A session needs a name."),
        address: required(address, "A session needs an address."),
        form: None,
    };
    (faults != AddFaults::default()).then_some(faults)
}

/// Sorts the console's answer to an addition to its field.
pub(crate) fn add_faults(problem: &Problem) -> AddFaults {
    let detail = problem.detail.as_str();
    let mut faults = AddFaults::default();
    let (slot, text) = if let Some(text) = detail.strip_prefix("`address`: ") {
        (&mut faults.address, text)
    } else if let Some(text) = detail.strip_prefix("`name`: ") {
        (&mut faults.name, text)
    } else if detail.starts_with("session name ")
        || (problem.kind == ProblemKind::StateError && detail.contains("session named"))
    {
        (&mut faults.name, detail)
    } else {
        (&mut faults.form, detail)
    };
    *slot = Some(visible(text).into_owned());
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_is_offered_nothing() {
        for state in [SessionState::Running, SessionState::Disconnected] {
            assert_eq!(offers(Some(Role::Viewer), state), Offers::default());
            assert_eq!(offers(None, state), Offers::default());
        }
    }

    #[test]
    fn offers_fit_the_state_and_only_an_admin_removes() {
        let steers = |state| {
            let Offers {
                connect,
                disconnect,
                remove,
            } = offers(Some(Role::Operator), state);
            assert!(!remove);
            (connect, disconnect)
        };
        assert_eq!(steers(SessionState::Disconnected), (true, false));
        assert_eq!(steers(SessionState::Running), (false, true));
        assert_eq!(steers(SessionState::Waiting), (false, true));
        assert_eq!(steers(SessionState::Connecting), (false, true));
        assert_eq!(steers(SessionState::Retrying), (true, true));
        assert!(offers(Some(Role::Admin), SessionState::Running).remove);
        assert!(may_change(Some(Role::Admin)) && !may_change(Some(Role::Operator)));
    }

    #[test]
    fn a_refusal_is_said_beside_its_field() {
        let faults = |kind, detail: &str| add_faults(&Problem::new(kind, detail));
        let bad = ProblemKind::InvalidRequest;
        let text = "port \"44x\" is not a number from 1 to 65535";
        let found = faults(bad, &("`address`: ".to_owned() + text));
        assert_eq!(found.address.as_deref(), Some(text));
        assert_eq!(found.name, None);
        let text = "session name \"a b\" is not 1 to 64 of the characters A-Z a-z 0-9 . _ -";
        assert_eq!(faults(bad, text).name.as_deref(), Some(text));
        let text = "there is a session named \"vm\" already";
        assert_eq!(
            faults(ProblemKind::StateError, text).name.as_deref(),
            Some(text)
        );
        let text = "the console is stopping";
        assert_eq!(
            faults(ProblemKind::StateError, text).form.as_deref(),
            Some(text)
        );
    }

    #[test]
    fn empty_fields_are_not_sent() {
        assert_eq!(missing("vm", "unix:/x"), None);
        let faults = missing("", "").unwrap();
        assert!(faults.name.is_some() && faults.address.is_some());
        assert!(missing("vm", "").unwrap().name.is_none());
    }
}
