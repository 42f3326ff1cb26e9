//! [`Message`]: one QMP message, classified once, kept verbatim.
//!
//! A message is a JSON object. Only its top level is looked at: the members
//! are found and the text stays as it was received, so that integers of any
//! length, the order of keys and even lone surrogates pass through untouched.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

/// One QMP message.
///
/// ```
/// use qmp_shared::message::{Message, MessageKind};
///
/// let message = Message::parse(r#"{"return": {"n": 18446744073709551616}, "id": 7}"#)?;
/// assert_eq!(message.kind(), MessageKind::Return);
/// assert_eq!(message.get("return").unwrap().get(), r#"{"n": 18446744073709551616}"#);
/// # Ok::<(), qmp_shared::message::MessageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Message {
    raw: Box<RawValue>,
    members: Vec<(String, Range<usize>)>,
    kind: MessageKind,
}

/// What a message is, by its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// `event`, whatever else there is.
    Event,
    /// `QMP`.
    Greeting,
    /// `error`.
    Error,
    /// `return`.
    Return,
    /// `execute` or `exec-oob`.
    Command,
    /// None of these.
    Other,
}

/// Why bytes are not a message.
#[derive(Debug, Error)]
pub enum MessageError {
    /// Not UTF-8.
    #[error("the message is not UTF-8")]
    NotUtf8(#[source] std::str::Utf8Error),
    /// Not JSON.
    #[error("the message is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but not an object.
    #[error("the message is not a JSON object but {found}")]
    NotAnObject {
        /// The beginning of what it is.
        found: String,
    },
}

impl Message {
    /// Reads one message. Whitespace around it is dropped.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn parse(text: impl Into<Vec<u8>>) -> Result<Self, MessageError> {
        let text = String::from_utf8(text.into())
            .map_err(|error| MessageError::NotUtf8(error.utf8_error()))?;
        let text = match text.trim_ascii() {
            trimmed if trimmed.len() == text.len() => text,
            trimmed => trimmed.to_owned(),
        };
        if !text.starts_with('{') {
            // Not worth telling apart unless it is JSON at all.
            let _: &RawValue = serde_json::from_str(&text).map_err(MessageError::NotJson)?;
            let found = text.chars().take(40).collect();
            return Err(MessageError::NotAnObject { found });
        }
        let members = members(&text).map_err(MessageError::NotJson)?;
        let raw = RawValue::from_string(text).map_err(MessageError::NotJson)?;
        let has = |name: &str| members.iter().any(|(known, _)| known == name);
        let kind = if has("event") {
            MessageKind::Event
        } else if has("QMP") {
            MessageKind::Greeting
        } else if has("error") {
            MessageKind::Error
        } else if has("return") {
            MessageKind::Return
        } else if has("execute") || has("exec-oob") {
            MessageKind::Command
        } else {
            MessageKind::Other
        };
        Ok(Self { raw, members, kind })
    }

    /// A command: `execute`, or `exec-oob` when `oob`. Payloads are written as
    /// they are.
    pub fn command(
        name: &str,
        arguments: Option<&RawValue>,
        id: Option<&RawValue>,
        oob: bool,
    ) -> Self {
        let mut text = String::with_capacity(64 + arguments.map_or(0, |raw| raw.get().len()));
        text.push_str(if oob {
            "{\"exec-oob\":"
        } else {
            "{\"execute\":"
        });
        text.push_str(&serde_json::Value::from(name).to_string());
        for (member, payload) in [("arguments", arguments), ("id", id)] {
            if let Some(payload) = payload {
                text.push_str(",\"");
                text.push_str(member);
                text.push_str("\":");
                text.push_str(payload.get());
            }
        }
        text.push('}');
        Self::parse(text).expect("an object of JSON values is a message")
    }

    /// What the message is.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// A top-level member, verbatim. Of duplicates the last one.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        let (_, range) = self.members.iter().rev().find(|(known, _)| known == name)?;
        serde_json::from_str(&self.as_str()[range.clone()]).ok()
    }

    /// The message's `id`, verbatim.
    pub fn id(&self) -> Option<&RawValue> {
        self.get("id")
    }

    /// The text, verbatim.
    pub fn as_str(&self) -> &str {
        self.raw.get()
    }

    /// The text, verbatim.
    pub fn into_raw(self) -> Box<RawValue> {
        self.raw
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The members of an object, with the place of each value in the text.
fn members(text: &str) -> Result<Vec<(String, Range<usize>)>, serde_json::Error> {
    struct Members<'a>(&'a str);

    impl<'de> Visitor<'de> for Members<'de> {
        type Value = Vec<(String, Range<usize>)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::with_capacity(4);
            while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                let value = map.next_value::<&'de RawValue>()?.get();
                let start = value.as_ptr().addr() - self.0.as_ptr().addr();
                members.push((name.into_owned(), start..start + value.len()));
            }
            Ok(members)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Members(text))?;
    deserializer.end()?;
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (text, kind) in [
            (r#"{"QMP":{}}"#, MessageKind::Greeting),
            (r#"{"return":{},"event":"X"}"#, MessageKind::Event),
            (r#"{"error":{},"id":1}"#, MessageKind::Error),
            (r#"{"return":null}"#, MessageKind::Return),
            (r#"{"exec-oob":"x"}"#, MessageKind::Command),
            ("{}", MessageKind::Other),
        ] {
            assert_eq!(Message::parse(text).unwrap().kind(), kind, "{text}");
        }
    }

    #[test]
    fn payloads_are_verbatim() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        for payload in [
            "18446744073709551616",
            "1.50",
            r#"{"b" : 1, "a":2 }"#,
            r#""\ud800""#,
            "null",
            &deep,
        ] {
            let text = format!("{{\"return\": {payload} ,\"id\":\"\\u0041\"}}");
            let message = Message::parse(format!("\r\n{text}\r\n")).unwrap();
            assert_eq!(message.get("return").unwrap().get(), payload.trim());
            assert_eq!(message.id().unwrap().get(), "\"\\u0041\"");
            assert_eq!(message.as_str(), text);
        }
    }

    #[test]
    fn faults_are_told_apart() {
        assert!(matches!(
            Message::parse(b"{\"a\":\"\xff\"}"),
            Err(MessageError::NotUtf8(_))
        ));
        assert!(matches!(
            Message::parse("{\"a\":inf}"),
            Err(MessageError::NotJson(_))
        ));
        assert!(matches!(
            Message::parse("{} {}"),
            Err(MessageError::NotJson(_))
        ));
        assert!(matches!(
            Message::parse("[1]"),
            Err(MessageError::NotAnObject { .. })
        ));
    }

    #[test]
    fn commands_are_written_compactly() {
        let raw = |text: &str| RawValue::from_string(text.into()).unwrap();
        let command = Message::command("a\"b", Some(&raw("{\"x\": 1}")), Some(&raw("7")), true);
        assert_eq!(
            command.as_str(),
            r#"{"exec-oob":"a\"b","arguments":{"x": 1},"id":7}"#
        );
    }
}
