//! What can go wrong.
//!
//! What a client returns has its [name](Named). The hierarchy of the reference manual, as types: a failed connect is a
//! [`ConnectError`], a failed command an [`ExecuteError`], a call at the wrong
//! time a [`StateError`], and why a connection ended a [`DisconnectCause`],
//! shared by everybody who was waiting when it did.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use qmp_shared::json;
use qmp_shared::message::{Message, MessageError};
use qmp_shared::model::{CommandError, EndpointKind, ModelError};
use thiserror::Error;

use crate::client::Runstate;
use crate::framing::FramingError;

/// An error of a client, with the client's [name](crate::client::Options::name):
/// a program that has several can tell whose it was.
///
/// Its text is the error's, after the name; its source is the error's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<E> {
    /// The client's name.
    pub name: String,
    /// What went wrong.
    pub error: E,
}

impl<E> std::ops::Deref for Named<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.error
    }
}

impl<E: fmt::Display> fmt::Display for Named<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.error)
    }
}

impl<E: std::error::Error> std::error::Error for Named<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// A call at the wrong time: nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the client is {actual}, and must be {required} for this")]
pub struct StateError {
    /// The client's state.
    pub actual: Runstate,
    /// The state that the call needs.
    pub required: Runstate,
}

/// Why no connection was established. The client is idle again.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The client was not idle.
    #[error(transparent)]
    State(#[from] StateError),
    /// The socket could not be opened.
    #[error("cannot connect to {address}")]
    Open {
        /// Where to.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The endpoint did not connect in time.
    #[error("nobody connected to {address} within {}", seconds(*.after))]
    AcceptTimeout {
        /// Where we listened.
        address: String,
        /// How long was waited.
        after: Duration,
    },
    /// Opening the socket took too long.
    #[error("cannot connect to {address} within {}", seconds(*.after))]
    OpenTimeout {
        /// Where to.
        address: String,
        /// How long was waited.
        after: Duration,
    },
    /// The socket's queue of connections stayed full: others wait already.
    #[error(
        "{address} takes no more connections: the monitor is in use by another client, and more \
         wait for it"
    )]
    BacklogFull {
        /// Where to.
        address: String,
    },
    /// Connected, but no greeting came.
    #[error("{}", no_greeting(*.kind, *.after))]
    GreetingTimeout {
        /// What kind of endpoint it should be.
        kind: EndpointKind,
        /// How long was waited.
        after: Duration,
    },
    /// What came is no greeting.
    #[error("the server does not greet as QMP does")]
    Greeting(#[source] GreetingError),
    /// The server refused the negotiation, in its own words.
    #[error("the server refused the negotiation: {0}")]
    Negotiation(CommandError),
    /// The reply to the negotiation is malformed.
    #[error("the server's reply to the negotiation is malformed")]
    BadNegotiation(#[source] BadReply),
    /// The server greeted, and did not answer the negotiation.
    #[error("no reply to the negotiation within {}: the server is busy or hangs", seconds(*.after))]
    NegotiationTimeout {
        /// How long was waited.
        after: Duration,
    },
    /// The connection ended before the session was established.
    #[error("the connection ended before it was established")]
    Disconnected(#[source] DisconnectCause),
}

/// Why the first message is no greeting.
#[derive(Debug, Error)]
pub enum GreetingError {
    /// It is another message.
    #[error("instead of a greeting it sent {0}")]
    Other(String),
    /// A member is missing or mistyped.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Why a connection ended.
#[derive(Debug, Error)]
pub enum DisconnectCause {
    /// This side hung up.
    #[error("disconnected")]
    Local,
    /// The server hung up between messages.
    #[error("the server closed the connection")]
    Eof,
    /// The server hung up inside a message.
    #[error("the server closed the connection within a message, after {received} bytes of it")]
    EofInMessage {
        /// How many bytes of the message had come.
        received: usize,
    },
    /// The socket failed.
    #[error("the connection failed")]
    Io(#[source] Arc<io::Error>),
    /// The bytes cannot be cut into messages.
    #[error("the server broke the protocol")]
    Framing(#[from] FramingError),
    /// Bytes that are not a message.
    #[error("the server sent something that is not QMP")]
    Message(#[from] MessageError),
    /// The server could not parse something, and does not say what.
    #[error("the server could not parse its input: {0}")]
    ServerParse(CommandError),
}

impl From<io::Error> for DisconnectCause {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a unix socket says when the peer died with unread input.
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Eof,
            _ => Self::Io(Arc::new(error)),
        }
    }
}

/// Why a command has no return value.
#[derive(Debug, Error)]
pub enum ExecuteError {
    /// Not sent: there is no running session.
    #[error(transparent)]
    State(#[from] StateError),
    /// Not sent: the arguments are not what a command can have.
    #[error("the arguments cannot be sent")]
    Invalid(#[source] json::Fault),
    /// Not sent: it takes a descriptor, and this connection passes none.
    #[error(transparent)]
    Descriptor(#[from] NoDescriptors),
    /// Not sent: earlier commands took too long.
    #[error("not sent within {}", seconds(*.after))]
    Busy {
        /// What it waited for.
        #[source]
        backlog: Backlog,
        /// How long was waited.
        after: Duration,
    },
    /// The server's error reply.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The command was executed, and returned something that is not of the type
    /// that the caller wants.
    #[error("the command was executed, but what it returned is not what was expected: {value}")]
    Unexpected {
        /// The beginning of the return value.
        value: String,
        /// Why it is not of that type.
        #[source]
        source: serde_json::Error,
    },
    /// A reply that is neither a return nor an error. Whether the command was
    /// executed is unknown; the session goes on.
    #[error("the server's reply is malformed; whether the command was executed is unknown")]
    BadReply(#[source] BadReply),
    /// No reply in time. Whether the command was executed is unknown.
    #[error("no reply within {}; whether the command was executed is unknown", seconds(*.after))]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The connection ended. Whether the command was executed is unknown.
    #[error("interrupted; whether the command was executed is unknown")]
    Interrupted {
        /// Why it ended, the same for everybody.
        #[source]
        cause: Arc<DisconnectCause>,
    },
}

impl ExecuteError {
    /// Whether the command may have been executed, or not.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            // A reply that nobody understands says nothing either.
            Self::Timeout { .. } | Self::Interrupted { .. } | Self::BadReply(_) => true,
            // It was refused, not sent, or done.
            Self::Refused(_)
            | Self::State(_)
            | Self::Invalid(_)
            | Self::Unexpected { .. }
            | Self::Descriptor(_)
            | Self::Busy { .. } => false,
        }
    }
}

/// A command that the server refused or failed to execute, in its own words.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct Refused {
    /// The error's class and text.
    pub error: CommandError,
    /// The command, as it was sent.
    pub sent: Message,
    /// The reply, as it was received.
    pub received: Message,
}

/// Descriptors pass over unix sockets only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a descriptor can be passed over a unix socket only")]
pub struct NoDescriptors;

/// Why a descriptor was not passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SendFdError {
    /// There is no running session.
    #[error(transparent)]
    State(#[from] StateError),
    /// The connection is of another kind.
    #[error(transparent)]
    Descriptor(#[from] NoDescriptors),
}

/// What a command waits for before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Backlog {
    /// As many commands as there may be have no reply yet.
    #[error("{0} earlier commands have no reply yet")]
    Full(usize),
    /// Another command with a descriptor has no reply yet.
    #[error("an earlier command with a descriptor has no reply yet")]
    Descriptor,
    /// A guest agent did not answer an earlier command in time, and does not
    /// answer `guest-sync-delimited` either.
    #[error("the agent has not answered since an earlier command timed out")]
    Unsynchronised,
}

/// What is wrong with a reply.
#[derive(Debug, Error)]
pub enum BadReply {
    /// Neither `return` nor `error`.
    #[error("it has neither `return` nor `error`: {0}")]
    NoResult(String),
    /// An `error` that is none.
    #[error(transparent)]
    Error(#[from] ModelError),
}

/// Why a client that is over is over: the first cause.
pub type DisconnectResult = Result<(), Named<Arc<DisconnectCause>>>;

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn no_greeting(kind: EndpointKind, after: Duration) -> String {
    let after = seconds(after);
    match kind {
        EndpointKind::Qmp => {
            format!("no greeting within {after}: the monitor may be in use by another client")
        }
        EndpointKind::Qga => format!(
            "no answer from the agent within {after}: it may not be running in the guest, or be \
             in use by another client"
        ),
    }
}
