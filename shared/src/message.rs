//! [`Message`]: one QMP message, classified once, kept verbatim.
//!
//! A message is a JSON object. Only its top level is looked at: the members
//! are found and the text stays as it was received, so that integers of any
//! length, the order of keys and even lone surrogates pass through untouched.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::json;

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
    text: String,
    members: Places,
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

/// Why bytes are not a message, with the bytes.
#[derive(Debug)]
pub struct MessageError {
    /// What is wrong with them.
    pub problem: MessageProblem,
    /// The bytes as they came.
    pub raw: Vec<u8>,
}

/// As its problem; the bytes are for programs.
impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for MessageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.problem)
    }
}

/// What is wrong with bytes that are not a message.
#[derive(Debug, Error)]
pub enum MessageProblem {
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
        let text = String::from_utf8(text.into()).map_err(|error| {
            let problem = MessageProblem::NotUtf8(error.utf8_error());
            let raw = error.into_bytes();
            MessageError { problem, raw }
        })?;
        let text = match text.trim_ascii() {
            trimmed if trimmed.len() == text.len() => text,
            trimmed => trimmed.to_owned(),
        };
        match read(&text) {
            Ok((members, kind)) => Ok(Self {
                text,
                members,
                kind,
            }),
            Err(problem) => {
                let raw = text.into_bytes();
                Err(MessageError { problem, raw })
            }
        }
    }

    /// The message that a value is as JSON.
    ///
    /// # Errors
    ///
    /// [`MessageError`] when that is not an object, or the value cannot be
    /// written as JSON.
    pub fn from_value(value: &impl Serialize) -> Result<Self, MessageError> {
        let text = serde_json::to_string(value).map_err(|error| MessageError {
            problem: MessageProblem::NotJson(error),
            raw: Vec::new(),
        })?;
        Self::parse(text)
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
        let mut members = Places::with_capacity(3);
        // What is written is known, and need not be read again.
        let mut write = |name: &'static str, value: &str| {
            text.push_str(if text.is_empty() { "{\"" } else { ",\"" });
            text.push_str(name);
            text.push_str("\":");
            members.push((Cow::Borrowed(name), text.len()..text.len() + value.len()));
            text.push_str(value);
        };
        let quoted = serde_json::Value::from(name).to_string();
        write(if oob { "exec-oob" } else { "execute" }, &quoted);
        for (member, payload) in [("arguments", arguments), ("id", id)] {
            if let Some(payload) = payload {
                write(member, payload.get());
            }
        }
        text.push('}');
        let kind = MessageKind::Command;
        Self {
            text,
            members,
            kind,
        }
    }

    /// What the message is.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// A top-level member, verbatim. Of duplicates the last one.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        serde_json::from_str(self.get_text(name)?).ok()
    }

    /// The text of a top-level member, verbatim. Of duplicates the last one.
    pub fn get_text(&self, name: &str) -> Option<&str> {
        let (_, range) = self.members.iter().rev().find(|(known, _)| known == name)?;
        self.text.get(range.clone())
    }

    /// A top-level member as a type of the caller's; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// When it is not of that type.
    pub fn get_as<'a, T: Deserialize<'a>>(
        &'a self,
        name: &str,
    ) -> Option<Result<T, serde_json::Error>> {
        Some(serde_json::from_str(self.get_text(name)?))
    }

    /// The names and values of all members, verbatim, in their order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.members.iter().filter_map(|(name, range)| {
            let value = serde_json::from_str(&self.as_str()[range.clone()]).ok()?;
            Some((name.as_ref(), value))
        })
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The same message with another value for a member, which is appended if
    /// it is not there; of duplicates for the last one. Everything else stays verbatim.
    #[must_use]
    pub fn with(&self, name: &str, value: &RawValue) -> Self {
        let mut members: Vec<(&str, &RawValue)> = self.members().collect();
        match members.iter_mut().rfind(|(known, _)| *known == name) {
            Some(member) => member.1 = value,
            None => members.push((name, value)),
        }
        Self::of_members(&members)
    }

    /// The same message without a member. Everything else stays verbatim.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let members = self.members().filter(|(known, _)| *known != name);
        Self::of_members(&members.collect::<Vec<_>>())
    }

    fn of_members(members: &[(&str, &RawValue)]) -> Self {
        let mut text = String::from("{");
        for (index, (name, value)) in members.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(*name).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        Self::parse(text).expect("an object of JSON values is a message")
    }

    /// The text without whitespace outside strings.
    pub fn compact(&self) -> Cow<'_, str> {
        json::compact(self.as_str())
    }

    /// The text with one member or item a line.
    pub fn pretty(&self) -> String {
        json::pretty(self.as_str())
    }

    /// The message's `id`, verbatim.
    pub fn id(&self) -> Option<&RawValue> {
        self.get("id")
    }

    /// The text, verbatim.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text, verbatim.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the text of one message.
fn read(text: &str) -> Result<(Places, MessageKind), MessageProblem> {
    if !text.starts_with('{') {
        // Not worth telling apart unless it is JSON at all.
        let _: &RawValue = serde_json::from_str(text).map_err(MessageProblem::NotJson)?;
        let found = text.chars().take(40).collect();
        return Err(MessageProblem::NotAnObject { found });
    }
    let members = members(text).map_err(MessageProblem::NotJson)?;
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
    Ok((members, kind))
}

/// The members of an object, with the place of each value in the text.
type Places = Vec<(Cow<'static, str>, Range<usize>)>;

/// Names that the specification has, which are not worth a copy each time.
const NAMES: &[&str] = &[
    "return",
    "id",
    "event",
    "timestamp",
    "data",
    "error",
    "execute",
    "arguments",
    "exec-oob",
    "QMP",
];

fn members(text: &str) -> Result<Places, serde_json::Error> {
    struct Members<'a>(&'a str);

    impl<'de> Visitor<'de> for Members<'de> {
        type Value = Places;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::with_capacity(4);
            while let Some(name) = map.next_key_seed(Name)? {
                let value = map.next_value::<&'de RawValue>()?.get();
                let start = value.as_ptr().addr() - self.0.as_ptr().addr();
                members.push((name, start..start + value.len()));
            }
            Ok(members)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Members(text))?;
    deserializer.end()?;
    Ok(members)
}

/// Reads the name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'static, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Cow<'static, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(match NAMES.iter().find(|known| **known == name) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(name.to_owned()),
        })
    }
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
    fn faults_are_told_apart_and_have_their_bytes() {
        let fault = |bytes: &[u8]| {
            let error = Message::parse(bytes).unwrap_err();
            assert_eq!(error.raw, bytes.trim_ascii());
            error.problem
        };
        assert!(matches!(
            fault(b"{\"a\":\"\xff\"}"),
            MessageProblem::NotUtf8(_)
        ));
        assert!(matches!(fault(b"{\"a\":inf} "), MessageProblem::NotJson(_)));
        assert!(matches!(fault(b"{} {}"), MessageProblem::NotJson(_)));
        assert!(matches!(fault(b"[1]"), MessageProblem::NotAnObject { .. }));
    }

    #[test]
    fn a_message_is_like_a_map_whose_values_stay_verbatim() {
        let message = Message::parse(r#"{"b": 18446744073709551616, "a" : [1.50 ,2], "id":"x"}"#);
        let message = message.unwrap();
        let names: Vec<&str> = message.members().map(|(name, _)| name).collect();
        assert_eq!((names, message.len()), (vec!["b", "a", "id"], 3));
        let items: Vec<f64> = message.get_as("a").unwrap().unwrap();
        assert_eq!(items, [1.5, 2.0]);
        assert!(message.get_as::<u8>("b").unwrap().is_err() && message.get_as::<u8>("c").is_none());
        let raw = RawValue::from_string("null".into()).unwrap();
        let other = message.with("id", &raw).with("new", &raw).without("b");
        assert_eq!(other.as_str(), r#"{"a":[1.50 ,2],"id":null,"new":null}"#);
        assert_eq!(other.compact(), r#"{"a":[1.50,2],"id":null,"new":null}"#);
        assert!(
            other
                .pretty()
                .starts_with("{\n    \"a\": [\n        1.50,\n")
        );
        assert!(message.without("a").without("b").without("id").is_empty());
        let value = serde_json::json!({"execute": "stop"});
        assert_eq!(
            Message::from_value(&value).unwrap().kind(),
            MessageKind::Command
        );
        assert!(Message::from_value(&7).is_err());
    }

    #[test]
    fn of_duplicates_the_one_that_is_read_is_written() {
        let message = Message::parse(r#"{"id":1,"id":2}"#).unwrap();
        let raw = RawValue::from_string("3".into()).unwrap();
        let other = message.with("id", &raw);
        assert_eq!(other.as_str(), r#"{"id":1,"id":3}"#);
        assert_eq!(other.id().unwrap().get(), "3");
        assert!(message.without("id").is_empty());
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
