//! What an endpoint does, as data: in Rust, or in JSON for the program.
//!
//! ```json
//! {
//!   "greeting": [{"event": {"name": "POWERDOWN"}}, "greet"],
//!   "rules": {
//!     "query-name": [{"return": {"name": "vm"}}],
//!     "stop":       [{"event": {"name": "STOP"}}, {"return": {}}],
//!     "query-kvm":  [{"hold": {"until": "query-uuid"}}, {"return": {}}],
//!     "query-fdsets": ["silence"],
//!     "quit":       [{"send": "{\"return\": {}, \"id\": $id}"}, "close"],
//!     "*":          [{"error": {"class": "GenericError", "desc": "not today"}}]
//!   },
//!   "concurrent": false,
//!   "backlog": 1
//! }
//! ```
//!
//! Everything is optional. A command does what the rule of its name says; else
//! what the [built-in rule](builtin) of its name says; else what the rule `*`
//! says; else it is not found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What an endpoint does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Script {
    /// What is done when a client connects; greets unless told otherwise.
    pub greeting: Vec<Action>,
    /// What is done when a command is received, by its name. `*` is for
    /// commands of any other name.
    pub rules: BTreeMap<String, Vec<Action>>,
    /// Serves all clients at once. Otherwise one at a time, as QEMU does: the
    /// next one is connected, and hears nothing until the first has left.
    pub concurrent: bool,
    /// How many connections may wait, as listen(2) counts them; 1 as in QEMU.
    pub backlog: u32,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            greeting: vec![Action::Greet],
            rules: BTreeMap::new(),
            concurrent: false,
            backlog: 1,
        }
    }
}

impl Script {
    /// With these actions when a client connects.
    pub fn greeting(mut self, actions: impl IntoIterator<Item = Action>) -> Self {
        self.greeting = actions.into_iter().collect();
        self
    }

    /// With these actions for a command; `*` is for any other.
    pub fn on(
        mut self,
        command: impl Into<String>,
        actions: impl IntoIterator<Item = Action>,
    ) -> Self {
        let actions = actions.into_iter().collect();
        self.rules.insert(command.into(), actions);
        self
    }

    /// What is done for a command of this name.
    pub fn rule(&self, name: &str) -> Vec<Action> {
        let own = || self.rules.get(name).cloned();
        let any = || self.rules.get("*").cloned();
        own()
            .or_else(|| builtin(name))
            .or_else(any)
            .unwrap_or_else(|| {
                let desc = format!("The command {name} has not been found");
                vec![Action::error("CommandNotFound", desc)]
            })
    }
}

/// One thing that an endpoint does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Sends a greeting like QEMU's, which offers `oob`.
    Greet,
    /// Sends text as it is, but for `$id`, which becomes the command's `id`
    /// verbatim, or `null`.
    Send(String),
    /// Sends bytes as they are. In JSON each character is one byte, so that
    /// `\u00ff` is 0xFF.
    Bytes(#[serde(with = "latin1")] Vec<u8>),
    /// Replies with a return value.
    Return(Value),
    /// Replies with an error.
    Error {
        /// The error's class.
        class: String,
        /// The error's text.
        desc: String,
    },
    /// Replies to `guest-sync-delimited` as the guest agent does.
    Sync,
    /// Emits an event, with the time of now.
    Event {
        /// The event's name.
        name: String,
        /// Its `data`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// Emits many events, whose `data` is `{"n": 0}` and so on. Reads nothing
    /// until the client has taken them.
    Flood {
        /// The events' name.
        event: String,
        /// How many.
        count: u64,
    },
    /// Holds the actions after this one, but not other commands.
    Hold {
        /// Until a command of this name was received, and its own actions are
        /// done. In any case until [`Fake::release`](crate::Fake::release).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// Does nothing, for a rule that says so.
    Silence,
    /// Closes the connection. What comes after this is not done.
    Close,
}

impl Action {
    /// [`Action::Send`].
    pub fn send(text: impl Into<String>) -> Self {
        Self::Send(text.into())
    }

    /// [`Action::Error`].
    pub fn error(class: impl Into<String>, desc: impl Into<String>) -> Self {
        let (class, desc) = (class.into(), desc.into());
        Self::Error { class, desc }
    }

    /// [`Action::Event`] without `data`.
    pub fn event(name: impl Into<String>) -> Self {
        let name = name.into();
        Self::Event { name, data: None }
    }

    /// [`Action::Hold`] until it is released.
    pub fn hold() -> Self {
        Self::Hold { until: None }
    }

    /// [`Action::Hold`] until another command was received.
    pub fn hold_until(command: impl Into<String>) -> Self {
        let until = Some(command.into());
        Self::Hold { until }
    }
}

/// The rules that every script has unless it has its own: what a client needs
/// to begin, and `query-version` and `query-status`.
pub fn builtin(name: &str) -> Option<Vec<Action>> {
    let action = match name {
        "qmp_capabilities" => Action::Return(json!({})),
        "guest-sync-delimited" => Action::Sync,
        "query-version" => Action::Return(version()),
        "query-status" => Action::Return(json!({"running": true, "status": "running"})),
        _ => return None,
    };
    Some(vec![action])
}

/// What [`Action::Greet`] and `query-version` say.
pub(crate) fn version() -> Value {
    json!({"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": "qmp-fake"})
}

/// Bytes as text with one character for each.
mod latin1 {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(
            &bytes
                .iter()
                .map(|&byte| char::from(byte))
                .collect::<String>(),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        text.chars()
            .map(|c| u8::try_from(c).map_err(|_| D::Error::custom(format!("{c:?} is not a byte"))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_as_documented() {
        let script = r#"{
            "greeting": ["greet", {"bytes": "a\u00ff\r\n"}],
            "rules": {
                "a": [{"send": "$id"}, {"return": null}, {"error": {"class": "C", "desc": "d"}}],
                "b": [{"event": {"name": "E", "data": 1}}, {"event": {"name": "E"}}, "sync"],
                "c": [{"flood": {"event": "E", "count": 2}}, {"hold": {}}, {"hold": {"until": "a"}}],
                "*": ["silence", "close"]
            },
            "concurrent": true,
            "backlog": 5
        }"#;
        let script: Script = serde_json::from_str(script).unwrap();
        let event = |data| Action::Event {
            name: "E".into(),
            data,
        };
        let flood = Action::Flood {
            event: "E".into(),
            count: 2,
        };
        let expected = Script {
            concurrent: true,
            backlog: 5,
            ..Script::default()
        }
        .greeting([Action::Greet, Action::Bytes(b"a\xff\r\n".into())])
        .on(
            "a",
            [
                Action::send("$id"),
                Action::Return(Value::Null),
                Action::error("C", "d"),
            ],
        )
        .on("b", [event(Some(json!(1))), event(None), Action::Sync])
        .on("c", [flood, Action::hold(), Action::hold_until("a")])
        .on("*", [Action::Silence, Action::Close]);
        assert_eq!(script, expected);
        let text = serde_json::to_string(&script).unwrap();
        assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script);
    }

    #[test]
    fn mistakes_are_named() {
        for (script, named) in [
            (r#"{"rule": {}}"#, "`rule`"),
            (r#"{"greeting": ["great"]}"#, "`great`"),
            (r#"{"greeting": [{"bytes": "ā"}]}"#, "'ā'"),
        ] {
            let error = serde_json::from_str::<Script>(script).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn an_own_rule_is_before_a_built_in_one_and_that_before_the_default() {
        let script = Script::default().on("*", [Action::Silence]);
        assert_eq!(script.rule("query-name"), [Action::Silence]);
        assert_ne!(script.rule("qmp_capabilities"), [Action::Silence]);
        let script = script.on("qmp_capabilities", [Action::Close]);
        assert_eq!(script.rule("qmp_capabilities"), [Action::Close]);
    }
}
