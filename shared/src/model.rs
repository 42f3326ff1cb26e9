//! The few structures that the QMP specification itself defines, checked as
//! they arrive, and the small types that the whole console shares.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::message::{Message, MessageKind};

/// The kinds of endpoint, which differ in how a connection begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EndpointKind {
    /// QEMU or its storage daemon: greeting and negotiation.
    #[default]
    Qmp,
    /// The guest agent: neither; synchronised by `guest-sync-delimited`.
    Qga,
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qmp => "qmp",
            Self::Qga => "qga",
        })
    }
}

/// The number of an entry in a session's log: strictly increasing, from 1. As
/// a cursor, 0 stands before everything.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message that is not the model it should be. Names the member.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// A member that the specification requires is not there.
    #[error("{model} has no member `{member}`")]
    Missing {
        /// What it should have been.
        model: &'static str,
        /// The member's path.
        member: &'static str,
    },
    /// A member has another type than the specification says.
    #[error("{model}: member `{member}` is not {expected}")]
    Mistyped {
        /// What it should have been.
        model: &'static str,
        /// The member's path.
        member: &'static str,
        /// The type that it should have.
        expected: &'static str,
    },
}

/// The members of an object, each verbatim. Presence is apart from `null`.
type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn member<'de, T: Deserialize<'de>>(
    model: &'static str,
    member: &'static str,
    expected: &'static str,
    text: Option<&'de str>,
) -> Result<T, ModelError> {
    let text = text.ok_or(ModelError::Missing { model, member })?;
    serde_json::from_str(text).map_err(|_| ModelError::Mistyped {
        model,
        member,
        expected,
    })
}

fn object<'a>(
    model: &'static str,
    path: &'static str,
    text: Option<&'a str>,
) -> Result<Members<'a>, ModelError> {
    member(model, path, "an object", text)
}

/// The text of a member, verbatim.
fn text<'a>(members: &Members<'a>, name: &str) -> Option<&'a str> {
    members.get(name).map(|raw| raw.get())
}

/// The greeting (QMP specification, "Server Greeting").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Greeting {
    /// The server's version.
    pub version: Version,
    /// What the server can do, `oob` for example. Open: unknown ones are kept.
    pub capabilities: Vec<String>,
}

/// Version of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    /// The release.
    pub qemu: Release,
    /// What the distributor calls it; may be empty.
    pub package: String,
}

/// A release number of QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Release {
    /// Major.
    pub major: u64,
    /// Minor.
    pub minor: u64,
    /// Micro.
    pub micro: u64,
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.micro)
    }
}

impl Greeting {
    /// Reads a greeting. Extra members are fine.
    ///
    /// # Errors
    ///
    /// [`ModelError`] names the member that is missing or mistyped.
    pub fn from_message(message: &Message) -> Result<Self, ModelError> {
        const MODEL: &str = "greeting";
        let body = object(MODEL, "QMP", message.get_text("QMP"))?;
        let version = object(MODEL, "QMP.version", text(&body, "version"))?;
        let qemu = object(MODEL, "QMP.version.qemu", text(&version, "qemu"))?;
        let integer = |path, name| member(MODEL, path, "an integer", text(&qemu, name));
        let package = text(&version, "package");
        let version = Version {
            qemu: Release {
                major: integer("QMP.version.qemu.major", "major")?,
                minor: integer("QMP.version.qemu.minor", "minor")?,
                micro: integer("QMP.version.qemu.micro", "micro")?,
            },
            package: member(MODEL, "QMP.version.package", "a string", package)?,
        };
        let capabilities = text(&body, "capabilities");
        let capabilities: Vec<&RawValue> =
            member(MODEL, "QMP.capabilities", "an array", capabilities)?;
        // The specification allows capabilities of any type; those that are
        // not names are kept as their text.
        let capabilities = capabilities
            .into_iter()
            .map(|raw| serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned()))
            .collect();
        Ok(Self {
            version,
            capabilities,
        })
    }
}

/// An event (QMP specification, "Asynchronous events"). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Event(Arc<EventInner>);

#[derive(Debug)]
struct EventInner {
    name: String,
    timestamp: Timestamp,
    message: Message,
}

/// When QEMU says that an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp {
    /// Seconds since the epoch; -1 when the host cannot tell.
    pub seconds: i64,
    /// Microseconds within the second; -1 when the host cannot tell.
    pub microseconds: i64,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    ///
    /// [`ModelError`] names the member that is missing or mistyped.
    pub fn from_message(message: Message) -> Result<Self, ModelError> {
        const MODEL: &str = "event";
        let name = member(MODEL, "event", "a string", message.get_text("event"))?;
        let timestamp = Timestamp::from_text(message.get_text("timestamp"))?;
        Ok(Self(Arc::new(EventInner {
            name,
            timestamp,
            message,
        })))
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// When it happened, by the endpoint's clock.
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp
    }

    /// The whole object, verbatim.
    pub fn to_raw(&self) -> Box<RawValue> {
        RawValue::from_string(self.as_str().to_owned()).expect("a message is JSON")
    }

    /// The whole object's text, verbatim.
    pub fn as_str(&self) -> &str {
        self.0.message.as_str()
    }

    /// The event's `data`, verbatim.
    pub fn data(&self) -> Option<&RawValue> {
        self.0.message.get("data")
    }
}

impl Timestamp {
    fn from_text(timestamp: Option<&str>) -> Result<Self, ModelError> {
        const MODEL: &str = "event";
        // All but a few are right, and read at once.
        let is_object = timestamp.filter(|text| text.starts_with('{'));
        if let Some(Ok(timestamp)) = is_object.map(serde_json::from_str) {
            return Ok(timestamp);
        }
        let timestamp = object(MODEL, "timestamp", timestamp)?;
        let integer = |path, name| member(MODEL, path, "an integer", text(&timestamp, name));
        Ok(Self {
            seconds: integer("timestamp.seconds", "seconds")?,
            microseconds: integer("timestamp.microseconds", "microseconds")?,
        })
    }
}

/// The endpoint's answer to a command that failed (QMP specification, "Error").
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Error)]
#[error("{desc}")]
pub struct CommandError {
    /// The error class, verbatim. Open: not only the classes that are known.
    pub class: String,
    /// The error text, verbatim.
    pub desc: String,
}

impl CommandError {
    /// Reads the `error` of a reply.
    ///
    /// # Errors
    ///
    /// [`ModelError`] names the member that is missing or mistyped.
    pub fn from_message(message: &Message) -> Result<Self, ModelError> {
        const MODEL: &str = "error reply";
        debug_assert_eq!(message.kind(), MessageKind::Error);
        let error = object(MODEL, "error", message.get_text("error"))?;
        let string = |path, name| member(MODEL, path, "a string", text(&error, name));
        Ok(Self {
            class: string("error.class", "class")?,
            desc: string("error.desc", "desc")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::parse(text).unwrap()
    }

    #[test]
    fn a_greeting_may_have_more_members_and_any_capability() {
        let text = r#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7, "x": 1},
            "package": "", "y": null}, "capabilities": ["oob", {"z": 1.50}], "w": []}, "v": 0}"#;
        let greeting = Greeting::from_message(&message(text)).unwrap();
        assert_eq!(greeting.version.qemu.to_string(), "7.2.22");
        assert_eq!(greeting.capabilities, ["oob", r#"{"z": 1.50}"#]);
    }

    #[test]
    fn a_greeting_that_is_none_says_which_member() {
        let version = r#""version":{"qemu":{"major":7,"minor":2,"micro":0},"package":""}"#;
        for (body, error) in [
            ("null", "greeting: member `QMP` is not an object"),
            ("{}", "greeting has no member `QMP.version`"),
            (
                r#"{"version":{"package":""}}"#,
                "greeting has no member `QMP.version.qemu`",
            ),
            (
                r#"{"version":{"qemu":{"major":7,"minor":null,"micro":0}}}"#,
                "greeting: member `QMP.version.qemu.minor` is not an integer",
            ),
            (
                r#"{"version":{"qemu":{"major":7,"minor":2}}}"#,
                "greeting has no member `QMP.version.qemu.micro`",
            ),
            (
                r#"{"version":{"qemu":{"major":7,"minor":2,"micro":0},"package":1}}"#,
                "greeting: member `QMP.version.package` is not a string",
            ),
            (
                &format!("{{{version}}}"),
                "greeting has no member `QMP.capabilities`",
            ),
            (
                &format!("{{{version},\"capabilities\":\"oob\"}}"),
                "greeting: member `QMP.capabilities` is not an array",
            ),
        ] {
            let found = Greeting::from_message(&message(&format!("{{\"QMP\":{body}}}")));
            assert_eq!(found.unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn an_event_has_a_signed_time_and_maybe_data() {
        let text = r#"{"event":"X","data":null,"timestamp":{"seconds":-1,"microseconds":-1}}"#;
        let event = Event::from_message(message(text)).unwrap();
        assert_eq!(
            (event.timestamp().seconds, event.data().unwrap().get()),
            (-1, "null")
        );
        for (text, error) in [
            (r#"{"event":1}"#, "event: member `event` is not a string"),
            (r#"{"event":"X"}"#, "event has no member `timestamp`"),
            (
                r#"{"event":"X","timestamp":{"seconds":1}}"#,
                "event has no member `timestamp.microseconds`",
            ),
        ] {
            let found = Event::from_message(message(text)).unwrap_err();
            assert_eq!(found.to_string(), error);
        }
    }

    #[test]
    fn an_error_keeps_any_class() {
        let text = r#"{"error":{"class":"Brand\u0041New","desc":"d","data":1}}"#;
        let error = CommandError::from_message(&message(text)).unwrap();
        assert_eq!((&*error.class, &*error.desc), ("BrandANew", "d"));
        for (text, member) in [
            (r#"{"error":{"class":"C"}}"#, "has no member `error.desc`"),
            (
                r#"{"error":{"class":1,"desc":""}}"#,
                "`error.class` is not a string",
            ),
            (r#"{"error":null}"#, "`error` is not an object"),
        ] {
            let error = CommandError::from_message(&message(text)).unwrap_err();
            assert!(error.to_string().contains(member), "{error}");
        }
    }
}
