//! [`Options`]: how a session is established and kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qmp_shared::message::Message;
use qmp_shared::model::{EndpointKind, Event};

/// What is called with every event, in order of arrival.
///
/// It runs in the reader task, before any reply that arrived later is
/// delivered; so it must be cheap, and must not block. It must not hold the
/// client either, which would then never be dropped.
pub type OnEvent = Arc<dyn Fn(Event) + Send + Sync>;

/// Sees every message of one direction, and may put another in its place. As
/// [`OnEvent`], it must be cheap.
pub type Hook = Arc<dyn Fn(Message) -> Message + Send + Sync>;

/// How a session is established and kept.
#[derive(Clone)]
pub struct Options {
    /// Names the client in every log line and error.
    pub name: String,
    /// What kind of endpoint it is. Of a guest agent, the next three do not
    /// count.
    pub kind: EndpointKind,
    /// Whether the server greets. Without a greeting there is no negotiation.
    pub await_greeting: bool,
    /// Whether to negotiate, without which a server executes nothing else.
    pub negotiate: bool,
    /// The capabilities to enable where the server offers them; `oob`, for
    /// out-of-band execution, unless said otherwise.
    pub capabilities: Vec<String>,
    /// Longest message that is accepted, in bytes; 64 MiB by default.
    pub message_limit: usize,
    /// How long opening the socket may take: 5 s by default, for ever when
    /// `None`.
    pub connect_timeout: Option<Duration>,
    /// How long to wait for the greeting, or for an agent's first answer: 5 s
    /// by default, for ever when `None`.
    pub greeting_timeout: Option<Duration>,
    /// Called with every event.
    pub on_event: Option<OnEvent>,
    /// Sees every message that is received, before anybody else.
    pub on_inbound: Option<Hook>,
    /// Sees every message that is sent, right before. Replies are matched by
    /// the `id` of the message that it gets.
    pub on_outbound: Option<Hook>,
}

impl Options {
    /// The default options for a connection of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// What is sent in place of a message.
    pub(super) fn outbound(&self, message: Message) -> Message {
        match &self.on_outbound {
            Some(hook) => hook(message),
            None => message,
        }
    }

    /// What is received in place of a message.
    pub(super) fn inbound(&self, message: Message) -> Message {
        match &self.on_inbound {
            Some(hook) => hook(message),
            None => message,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "qmp".to_owned(),
            kind: EndpointKind::Qmp,
            await_greeting: true,
            negotiate: true,
            capabilities: vec!["oob".to_owned()],
            message_limit: 64 << 20,
            connect_timeout: Some(Duration::from_secs(5)),
            greeting_timeout: Some(Duration::from_secs(5)),
            on_event: None,
            on_inbound: None,
            on_outbound: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
