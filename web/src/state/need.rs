//! What a command needs by the console's policy, and what whoever is signed in
//! lacks. The policy itself is the console's alone.

use qmp_shared::rest::{Planned, Requirement, Role};
use serde_json::value::RawValue;

use super::editor::Editor;

/// A role that somebody does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    /// The least role.
    pub(crate) needed: Role,
    /// The role there is.
    pub(crate) role: Role,
    /// Why so much is needed, where the console said so.
    pub(crate) reason: Option<String>,
}

impl Lack {
    /// For people.
    pub(crate) fn words(&self) -> String {
        let (needed, role) = (self.needed.as_str(), self.role.as_str());
        let reason = self.reason.as_ref().map(|reason| ": ".to_owned() + reason);
        let reason = reason.unwrap_or_default();
        let words = ["This needs the role ", needed, &reason];
        let rest = [". Yours is ", role, ", so the console will not send it."];
        words.concat() + &rest.concat()
    }
}

/// The command that is entered as the console is asked about it, in JSON, and
/// whether all of it is there.
pub(crate) fn planned(editor: &Editor) -> (String, bool) {
    let request = editor.request();
    let is_whole = request.is_ok();
    let planned = match request {
        Ok(request) => Planned {
            execute: request.command,
            arguments: request.arguments,
        },
        Err(_) => {
            let entered = editor.entered().ok();
            let command = entered.as_ref().map(|entered| entered.command.clone());
            let arguments = entered.and_then(|entered| entered.arguments);
            Planned {
                execute: command.unwrap_or_else(|| editor.command().to_owned()),
                arguments: arguments.and_then(|text| RawValue::from_string(text).ok()),
            }
        }
    };
    let text = serde_json::to_string(&planned);
    (text.unwrap_or_default(), is_whole)
}

/// What the role lacks. Of a command of which something is missing, only what
/// it needs whatever its arguments are.
pub(crate) fn lack(requirement: &Requirement, role: Role, is_whole: bool) -> Option<Lack> {
    let (needed, reason) = match is_whole || requirement.least == requirement.role {
        true => (requirement.role, Some(requirement.reason.clone())),
        false => (requirement.least, None),
    };
    (role < needed).then_some(Lack {
        needed,
        role,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::editor::Mode;

    #[test]
    fn the_console_is_asked_about_what_is_entered() {
        let mut editor = Editor::new(None, "stop");
        let plain = (r#"{"execute":"stop"}"#.to_owned(), true);
        assert_eq!(planned(&editor), plain);
        editor.set_text(
            Mode::Json,
            r#"{"exec-oob":"x","arguments":{"a": 1}}"#.into(),
        );
        let other = r#"{"execute":"x","arguments":{"a": 1}}"#.to_owned();
        assert_eq!(planned(&editor), (other, true));
        editor.set_text(Mode::Json, "{".into());
        assert_eq!(planned(&editor), (plain.0, false));
    }

    #[test]
    fn who_lacks_what() {
        let requirement = |least, role| Requirement {
            role,
            reason: "it names a file".into(),
            least,
        };
        let by_arguments = requirement(Role::Operator, Role::Admin);
        let told = lack(&by_arguments, Role::Operator, true).unwrap();
        assert_eq!(
            told.words(),
            "This needs the role admin: it names a file. Yours is operator, so the console will not send it."
        );
        assert_eq!(lack(&by_arguments, Role::Operator, false), None);
        let told = lack(&by_arguments, Role::Viewer, false).unwrap();
        assert_eq!((told.needed, told.reason.as_ref()), (Role::Operator, None));
        assert!(
            told.words()
                .starts_with("This needs the role operator. Yours")
        );
        let always = requirement(Role::Operator, Role::Operator);
        assert!(lack(&always, Role::Viewer, false).unwrap().reason.is_some());
        assert_eq!(lack(&always, Role::Admin, true), None);
    }
}
