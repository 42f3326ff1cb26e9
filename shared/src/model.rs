//! The few structures that the QMP specification itself defines, checked as
//! they arrive, and the small types that the whole console shares.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::message::{Message, MessageKind};

/// The kinds of endpoint, which differ in how a connection begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

fn member<'de, T: Deserialize<'de>>(
    model: &'static str,
    member: &'static str,
    expected: &'static str,
    raw: Option<&'de RawValue>,
) -> Result<T, ModelError> {
    let raw = raw.ok_or(ModelError::Missing { model, member })?;
    serde_json::from_str(raw.get()).map_err(|_| ModelError::Mistyped {
        model,
        member,
        expected,
    })
}

/// The greeting (QMP specification, "Server Greeting").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// The server's version.
    pub version: Version,
    /// What the server can do, `oob` for example. Open: unknown ones are kept.
    pub capabilities: Vec<String>,
}

/// Version of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The release.
    pub qemu: Release,
    /// What the distributor calls it; may be empty.
    pub package: String,
}

/// A release number of QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            version: Option<&'a RawValue>,
            #[serde(borrow)]
            capabilities: Option<&'a RawValue>,
        }
        let body: Body<'_> = member(MODEL, "QMP", "an object", message.get("QMP"))?;
        let version = member(
            MODEL,
            "QMP.version",
            "{\"qemu\": {\"major\", \"minor\", \"micro\"}, \"package\"}",
            body.version,
        )?;
        let capabilities: Vec<&RawValue> =
            member(MODEL, "QMP.capabilities", "an array", body.capabilities)?;
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
    raw: Box<RawValue>,
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
        let name = member(MODEL, "event", "a string", message.get("event"))?;
        let timestamp = member(
            MODEL,
            "timestamp",
            "{\"seconds\", \"microseconds\"}",
            message.get("timestamp"),
        )?;
        let raw = message.into_raw();
        Ok(Self(Arc::new(EventInner {
            name,
            timestamp,
            raw,
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
    pub fn raw(&self) -> &RawValue {
        &self.0.raw
    }

    /// The whole object's text, verbatim.
    pub fn as_str(&self) -> &str {
        self.0.raw.get()
    }

    /// The event's `data`, verbatim.
    pub fn data(&self) -> Option<&RawValue> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        let data: Result<Data<'_>, _> = serde_json::from_str(self.as_str());
        data.ok().and_then(|event| event.data)
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
        member(
            MODEL,
            "error",
            "{\"class\", \"desc\"}",
            message.get("error"),
        )
    }
}
