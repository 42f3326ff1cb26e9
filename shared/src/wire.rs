//! The frames of the console WebSocket (subprotocol [`SUBPROTOCOL`]), both
//! directions: JSON text frames that carry a `type`.
//!
//! A [`ClientFrame`] goes from browser to server, a [`ServerFrame`] from
//! server to browser. Payloads (`arguments`, `return`, `event`, every `id`)
//! are kept verbatim as [`RawValue`]. Since a `RawValue` cannot be read inside
//! an internally tagged enum, frames are decoded in two steps: the members
//! first, then the struct that `type` names.

use std::collections::BTreeMap;

use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::filter::EventFilter;
use crate::json;
use crate::model::Seq;
use crate::rest::{Expect, Problem, ProblemKind, Role, SessionInfo, is_all};
use crate::verbatim::{Verbatim, present};

/// The WebSocket subprotocol of these frames.
pub const SUBPROTOCOL: &str = "qmp-console.v1";

/// Close code for text that is not JSON.
pub const CLOSE_NOT_JSON: u16 = 4400;

/// Close code for a token that has expired or was revoked, and for a login that
/// has ended.
pub const CLOSE_UNAUTHORIZED: u16 = 4401;

/// The reason beside [`CLOSE_UNAUTHORIZED`] when it is the login that has ended.
pub const LOGIN_ENDED: &str = "the login has ended";

/// An id that the client chose: any JSON value of at most [`MAX_ID_BYTES`],
/// given back verbatim.
pub type ClientId = Verbatim;

/// Longest id of a client, `sub` or `id`, in bytes of JSON. It is kept for as
/// long as a subscription or a command lasts, and repeated in each event.
pub const MAX_ID_BYTES: usize = 256;

/// From the client to the server.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientFrame {
    /// Asks for events.
    Subscribe(Subscribe),
    /// Ends a subscription.
    Unsubscribe(Unsubscribe),
    /// Executes a command.
    Execute(Execute),
    /// Waits no more for a reply.
    Cancel(Cancel),
    /// Asks for a [`ServerFrame::Pong`].
    Ping(Ping),
}

/// Asks for the events of one session, or of all.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// The subscription's id, chosen by the client, unused on this socket.
    pub sub: ClientId,
    /// The session; all sessions when absent, those added later included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Event names with `*` globs; all events when empty.
    #[serde(default, skip_serializing_if = "is_all")]
    pub names: EventFilter,
    /// An expression on the event, evaluated after the names.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Where to start; from now on when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
    /// Bounds what is replayed, newest kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Where a subscription starts: after these sequence numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum After {
    /// In the one session of the subscription.
    One(Seq),
    /// By session.
    Each(BTreeMap<String, Seq>),
}

/// Ends a subscription.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribe {
    /// The subscription's id.
    pub sub: ClientId,
}

/// Executes a command; answered by a [`ServerFrame::Reply`] of the same id.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execute {
    /// Chosen by the client, not in use on this socket.
    pub id: ClientId,
    /// The session to execute it on.
    pub session: String,
    /// The command, in band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execute: Option<String>,
    /// The command, out of band.
    #[serde(default, rename = "exec-oob", skip_serializing_if = "Option::is_none")]
    pub exec_oob: Option<String>,
    /// Its arguments, verbatim.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub arguments: Option<Box<RawValue>>,
    /// Seconds to wait for the reply, 0 to 3600; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// Waits for an event too, which comes with the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
}

/// Waits no more for a reply: it is answered at once, by a
/// [`ServerFrame::Reply`] whose problem is `cancelled`. The command is not
/// taken back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The execute's id.
    pub id: ClientId,
}

/// Asks for a [`ServerFrame::Pong`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// Given back in the pong.
    pub id: ClientId,
}

/// From the server to the client.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerFrame {
    /// The first frame.
    Hello(Hello),
    /// A session was added or changed.
    Session(Session),
    /// A session was removed.
    Removed(Removed),
    /// A subscription stands.
    Subscribed(Subscribed),
    /// An event.
    Event(Event),
    /// Events that this subscription cannot get any more.
    Gap(Gap),
    /// How far a subscription has looked.
    Bookmark(Bookmark),
    /// The answer to an execute.
    Reply(Reply),
    /// A frame was refused.
    Error(Error),
    /// The answer to a ping.
    Pong(Pong),
}

/// The first frame of a socket.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The console's version.
    pub version: String,
    /// Names the run of sequence numbers: another value means other numbers.
    pub journal: String,
    /// What this socket may do.
    pub role: Role,
    /// All sessions, sorted by name.
    pub sessions: Vec<SessionInfo>,
}

/// A session was added or changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Session {
    /// As it is now.
    pub session: SessionInfo,
}

/// A session was removed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Removed {
    /// Its name.
    pub name: String,
}

/// A subscription stands; its events follow.
#[derive(Debug, Serialize, Deserialize)]
pub struct Subscribed {
    /// The subscription's id.
    pub sub: ClientId,
}

/// An event.
#[derive(Debug, Serialize, Deserialize)]
pub struct Event {
    /// The subscriptions that accept it, at least one.
    pub subs: Vec<ClientId>,
    /// The session it comes from.
    pub session: String,
    /// Its number in the session's log.
    pub seq: Seq,
    /// When the console received it.
    pub received: String,
    /// The endpoint's object, verbatim.
    pub event: Box<RawValue>,
}

/// Events that this subscription cannot get any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Gap {
    /// The subscription's id.
    pub sub: ClientId,
    /// The session.
    pub session: String,
    /// First number that is missing.
    pub from: Seq,
    /// Last number that is missing.
    pub to: Seq,
}

/// How far a subscription has looked: from there it can go on later, though its
/// filter has let no event pass for long.
#[derive(Debug, Serialize, Deserialize)]
pub struct Bookmark {
    /// The subscription's id.
    pub sub: ClientId,
    /// The session.
    pub session: String,
    /// The last number that was looked at.
    pub seq: Seq,
}

/// The answer to an execute: `return` or `problem`, never both.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reply {
    /// The execute's id.
    pub id: ClientId,
    /// The return value, verbatim.
    #[serde(
        default,
        rename = "return",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<Box<RawValue>>,
    /// The event that was waited for, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Box<RawValue>>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

impl Reply {
    /// The reply for how a command ended: its return value and, where one was
    /// waited for, the event.
    pub fn new(id: ClientId, result: Result<Returned, Problem>) -> Self {
        let (value, expected, problem) = match result {
            Ok(Returned { value, expected }) => (Some(value), expected, None),
            Err(problem) => (None, None, Some(problem)),
        };
        Self {
            id,
            value,
            expected,
            problem,
        }
    }

    /// How the command ended. A reply with neither member counts as an
    /// internal error of the console.
    pub fn into_result(self) -> Result<Box<RawValue>, Problem> {
        match (self.problem, self.value) {
            (Some(problem), _) => Err(problem),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(Problem::new(
                ProblemKind::InternalError,
                "the console sent a reply with neither `return` nor `problem`",
            )),
        }
    }
}

/// How a command ended well.
#[derive(Debug)]
pub struct Returned {
    /// The return value, verbatim.
    pub value: Box<RawValue>,
    /// The event that was waited for, verbatim.
    pub expected: Option<Box<RawValue>>,
}

/// The answer to a ping.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pong {
    /// The ping's id.
    pub id: ClientId,
}

/// A frame was refused; names the `sub` or `id` where it could be told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Error {
    /// The subscription concerned.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub sub: Option<ClientId>,
    /// The request concerned.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<ClientId>,
    /// What was wrong.
    pub problem: Problem,
}

/// Why a text is not a frame.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The text is not JSON at all.
    #[error("the frame is not JSON: {0}")]
    NotJson(json::Fault),
    /// JSON, but not a frame that may be sent.
    #[error("{detail}")]
    Malformed {
        /// What is wrong, and where.
        detail: String,
        /// The frame's `sub`, where there is one.
        sub: Option<ClientId>,
        /// The frame's `id`, where there is one.
        id: Option<ClientId>,
    },
}

impl ClientFrame {
    /// Decodes a frame that a client sent. Strict: a member that this version
    /// does not know, and JSON that an endpoint would refuse without saying
    /// whose it was, are faults.
    ///
    /// # Errors
    ///
    /// [`FrameError`], with the frame's `sub` and `id` where they can be told.
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        let members = Members::read(text)?;
        if let Err(fault) = json::check(text) {
            return Err(members.malformed(fault.to_string()));
        }
        members.check_ids()?;
        match members.kind()? {
            "subscribe" => members.decode().map(Self::Subscribe),
            "unsubscribe" => members.decode().map(Self::Unsubscribe),
            "execute" => members.decode().map(Self::Execute),
            "cancel" => members.decode().map(Self::Cancel),
            "ping" => members.decode().map(Self::Ping),
            other => Err(members.malformed(format!("frame type {other:?} is not known"))),
        }
    }
}

impl ServerFrame {
    /// Decodes a frame that the server sent. Lenient, so that an older client
    /// can talk to a newer server: unknown members are ignored, an unknown
    /// type is `None`.
    ///
    /// # Errors
    ///
    /// [`FrameError`] when the text is not JSON or members are missing.
    pub fn decode(text: &str) -> Result<Option<Self>, FrameError> {
        let mut members = Members::read(text)?;
        let frame = match members.kind()? {
            "hello" => Self::Hello(members.decode()?),
            "session" => Self::Session(members.decode()?),
            "subscribed" => Self::Subscribed(members.decode()?),
            "event" => Self::Event(members.decode()?),
            "gap" => Self::Gap(members.decode()?),
            "bookmark" => Self::Bookmark(members.decode()?),
            "removed" => Self::Removed(members.decode()?),
            "reply" => Self::Reply(members.reply()?),
            "error" => Self::Error(members.decode()?),
            "pong" => Self::Pong(members.decode()?),
            _ => return Ok(None),
        };
        Ok(Some(frame))
    }
}

/// The members of a frame, before it is known which frame it is.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    fn read(text: &'a str) -> Result<Self, FrameError> {
        match serde_json::from_str(text) {
            Ok(members) => Ok(Self(members)),
            Err(error) => match json::check(text) {
                Err(fault) if fault.is_syntax() => Err(FrameError::NotJson(fault)),
                Err(fault) => Err(Self(BTreeMap::new()).malformed(fault.to_string())),
                Ok(()) if error.is_data() => {
                    Err(Self(BTreeMap::new()).malformed("a frame must be a JSON object".to_owned()))
                }
                Ok(()) => Err(Self(BTreeMap::new()).malformed(error.to_string())),
            },
        }
    }

    /// The frame's type.
    fn kind(&self) -> Result<&'a str, FrameError> {
        let Some(kind) = self.0.get("type") else {
            return Err(self.malformed("the frame has no `type`".to_owned()));
        };
        // No frame's type needs an escape, so that borrowing loses nothing.
        serde_json::from_str(kind.get()).map_err(|_| {
            self.malformed(format!("the frame's `type` is not a known string: {kind}"))
        })
    }

    fn decode<T: Deserialize<'a>>(&self) -> Result<T, FrameError> {
        let members = self.0.iter().filter(|(name, _)| *name != "type");
        let deserializer = MapDeserializer::new(members.map(|(name, raw)| (name.as_str(), *raw)));
        serde_path_to_error::deserialize(deserializer).map_err(
            |error: serde_path_to_error::Error<serde_json::Error>| {
                let path = error.path().to_string();
                let text = error.into_inner().to_string();
                // The position within the one value says less than its path.
                let text = text.split(" at line ").next().unwrap_or_default();
                match path.as_str() {
                    "." => self.malformed(text.to_owned()),
                    path => self.malformed(format!("`{path}`: {text}")),
                }
            },
        )
    }

    /// A reply, whose value may have megabytes: they are not read once more.
    fn reply(&mut self) -> Result<Reply, FrameError> {
        let value = self.0.remove("return");
        let reply = self.decode::<Reply>()?;
        Ok(Reply {
            value: value.map(ToOwned::to_owned),
            ..reply
        })
    }

    /// Refuses an id that is too long.
    fn check_ids(&self) -> Result<(), FrameError> {
        for name in ["sub", "id"] {
            let length = self.0.get(name).map_or(0, |id| id.get().len());
            if length > MAX_ID_BYTES {
                let detail = format!("`{name}` has {length} bytes, more than {MAX_ID_BYTES}");
                return Err(self.malformed(detail));
            }
        }
        Ok(())
    }

    /// One that is too long is not named: it would be given back.
    fn malformed(&self, detail: String) -> FrameError {
        let id = |name| {
            let id = self.0.get(name).filter(|id| id.get().len() <= MAX_ID_BYTES);
            id.map(|&raw| ClientId::from(raw.to_owned()))
        };
        FrameError::Malformed {
            detail,
            sub: id("sub"),
            id: id("id"),
        }
    }
}
