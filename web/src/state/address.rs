//! Addresses that fill in a command, and never send it:
//! `/commands/SESSION/COMMAND?arguments=JSON&oob=1`.

use qmp_shared::command::{Layout, message_text};
use qmp_shared::json;

use super::text::percent_encoded;

/// Longest address that is given out. Longer ones do not survive chats, mails
/// and proxies.
pub(crate) const MOST: usize = 8 << 10;

/// The address of a command's page.
pub(crate) fn command_path(session: &str, command: &str) -> String {
    let mut address = "/commands/".to_owned() + &percent_encoded(session);
    if !command.is_empty() {
        address.push('/');
        address.push_str(&percent_encoded(command));
    }
    address
}

/// What an address fills in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// The arguments, JSON as far as one can trust an address.
    pub(crate) arguments: Option<String>,
    /// Whether it is to be sent out of band.
    pub(crate) oob: bool,
}

impl Link {
    /// What the parameters of an address say; `None` when they say nothing.
    pub(crate) fn read(arguments: Option<String>, oob: Option<&str>) -> Option<Self> {
        let oob = oob.is_some_and(|oob| matches!(oob, "1" | "true" | ""));
        (arguments.is_some() || oob).then_some(Self { arguments, oob })
    }

    /// What follows the path; empty when there is nothing to say.
    pub(crate) fn query(&self) -> String {
        let mut query = String::new();
        if let Some(arguments) = &self.arguments {
            query.push_str("?arguments=");
            query.push_str(&percent_encoded(arguments));
        }
        if self.oob {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str("oob=1");
        }
        query
    }

    /// The message that it fills in; what is no JSON in it stays as it is, for
    /// the user to see.
    pub(super) fn message(&self, command: &str) -> String {
        let arguments = self.arguments.as_deref();
        let is_json = arguments.is_none_or(|text| json::check(text).is_ok());
        if is_json {
            return message_text(command, self.oob, arguments, Layout::Pretty);
        }
        let mut text = message_text(command, self.oob, None, Layout::Compact);
        text.pop();
        text + ",\"arguments\":" + arguments.unwrap_or_default() + "}"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_what_there_is_to_say() {
        assert_eq!(command_path("vm", "stop"), "/commands/vm/stop");
        assert_eq!(command_path("vm", ""), "/commands/vm");
        assert_eq!(command_path("a b", "x/y"), "/commands/a%20b/x%2Fy");
        let link = Link {
            arguments: Some(r#"{"a":"b c&d"}"#.into()),
            oob: true,
        };
        assert_eq!(
            link.query(),
            "?arguments=%7B%22a%22%3A%22b%20c%26d%22%7D&oob=1"
        );
        assert_eq!(Link::default().query(), "");
        let oob = Link::read(None, Some("1")).unwrap();
        assert_eq!(oob.query(), "?oob=1");
        assert_eq!(Link::read(None, Some("0")), None);
        assert_eq!(Link::read(None, None), None);
    }

    #[test]
    fn what_is_no_json_is_shown_all_the_same() {
        let link = Link {
            arguments: Some("{oops".into()),
            oob: false,
        };
        assert_eq!(
            link.message("stop"),
            r#"{"execute":"stop","arguments":{oops}"#
        );
    }
}
