//! Addresses that fill in a command, and never send it:
//! `/commands/SESSION/COMMAND?arguments=JSON&oob=1`, with what it waits for as
//! `timeout=SECONDS&expect=NAMES&where=EXPRESSION&within=SECONDS`.

use qmp_shared::command::{Layout, message_text};
use qmp_shared::json;

use super::send::Options;
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
    /// What it waits for.
    pub(crate) options: Options,
}

impl Link {
    /// What the parameters of an address say, got by their names; `None` when
    /// they say nothing.
    pub(crate) fn read(parameter: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let names = parameter("expect");
        let text = |name| parameter(name).unwrap_or_default();
        let oob = parameter("oob");
        let link = Self {
            arguments: parameter("arguments"),
            oob: oob.is_some_and(|oob| matches!(&*oob, "1" | "true" | "")),
            options: Options {
                timeout: text("timeout"),
                expects: names.is_some(),
                names: names.unwrap_or_default(),
                expression: text("where"),
                within: text("within"),
            },
        };
        (link != Self::default()).then_some(link)
    }

    /// What follows the path; empty when there is nothing to say.
    pub(crate) fn query(&self) -> String {
        let said = |text: &'_ String| (!text.is_empty()).then(|| text.clone());
        let options = &self.options;
        let expects = options.expects;
        let expected = |text: &'_ String| said(text).filter(|_| expects);
        let parameters = [
            ("arguments", self.arguments.clone()),
            ("oob", self.oob.then(|| "1".to_owned())),
            ("timeout", said(&options.timeout)),
            ("expect", expects.then(|| options.names.clone())),
            ("where", expected(&options.expression)),
            ("within", expected(&options.within)),
        ];
        let mut query = String::new();
        for (name, value) in parameters {
            let Some(value) = value else { continue };
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            query.push_str(&percent_encoded(&value));
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
            options: Options::default(),
        };
        assert_eq!(
            link.query(),
            "?arguments=%7B%22a%22%3A%22b%20c%26d%22%7D&oob=1"
        );
        assert_eq!(Link::default().query(), "");
        let oob =
            |value: &'static str| Link::read(|name| (name == "oob").then(|| value.to_owned()));
        assert_eq!(oob("1").unwrap().query(), "?oob=1");
        assert_eq!(oob("0"), None);
        assert_eq!(Link::read(|_| None), None);
    }

    #[test]
    fn what_it_waits_for_goes_along() {
        let options = Options {
            timeout: "60".into(),
            expects: true,
            names: "JOB_*".into(),
            expression: "@.data.id == 'j'".into(),
            within: String::new(),
        };
        let link = Link {
            options,
            ..Link::default()
        };
        assert_eq!(
            link.query(),
            "?timeout=60&expect=JOB_%2A&where=%40.data.id%20%3D%3D%20%27j%27"
        );
        let read = Link::read(|name| match name {
            "timeout" => Some("60".to_owned()),
            "expect" => Some("JOB_*".to_owned()),
            "where" => Some("@.data.id == 'j'".to_owned()),
            _ => None,
        });
        assert_eq!(read, Some(link));
    }

    #[test]
    fn what_is_no_json_is_shown_all_the_same() {
        let link = Link {
            arguments: Some("{oops".into()),
            ..Link::default()
        };
        assert_eq!(
            link.message("stop"),
            r#"{"execute":"stop","arguments":{oops}"#
        );
    }
}
