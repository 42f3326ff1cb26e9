//! The beginning of a session: greeting and negotiation, or synchronisation
//! with a guest agent. Runs in the caller's future; no task exists yet.

use std::time::Duration;

use qmp_shared::message::{Message, MessageKind};
use qmp_shared::model::{CommandError, EndpointKind, Event, Greeting};
use serde_json::value::RawValue;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::Inner;
use crate::error::{BadReply, ConnectError, DisconnectCause, GreetingError};
use crate::framing::Framer;
use crate::stream::Stream;

/// What a session starts with.
pub(super) struct Established {
    pub(super) stream: Stream,
    /// May hold bytes that came after the handshake.
    pub(super) framer: Framer,
    pub(super) greeting: Option<Greeting>,
    pub(super) oob: bool,
}

/// The id of the negotiation; commands have other ones.
const NEGOTIATION_ID: &str = "0";

/// How long a server that has greeted may take to negotiate. Its main loop
/// may be busy, but the monitor is ours by then, so that trying again does not
/// lock out anybody.
const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn establish(inner: &Inner, stream: Stream) -> Result<Established, ConnectError> {
    let options = &inner.options;
    let framer = Framer::new(options.message_limit);
    let mut handshake = Handshake {
        inner,
        stream,
        framer: match options.kind {
            EndpointKind::Qmp => framer,
            EndpointKind::Qga => framer.with_sentinel(),
        },
    };
    let begin = async {
        match options.kind {
            EndpointKind::Qmp if options.await_greeting => handshake.greeting().await.map(Some),
            EndpointKind::Qmp => Ok(None),
            EndpointKind::Qga => handshake.synchronise().await.map(|()| None),
        }
    };
    let greeting = match options.greeting_timeout {
        Some(after) => timeout(after, begin).await.unwrap_or_else(|_| {
            let kind = options.kind;
            Err(ConnectError::GreetingTimeout { kind, after })
        })?,
        None => begin.await?,
    };
    let enabled = match &greeting {
        Some(greeting) if options.negotiate => {
            let offered = |name: &&String| greeting.capabilities.contains(name);
            let enabled: Vec<String> = options
                .capabilities
                .iter()
                .filter(offered)
                .cloned()
                .collect();
            let after = NEGOTIATION_TIMEOUT;
            timeout(after, handshake.negotiate(&enabled))
                .await
                .unwrap_or(Err(ConnectError::NegotiationTimeout { after }))?;
            enabled
        }
        _ => Vec::new(),
    };
    let oob = enabled.iter().any(|name| name == "oob");
    let Handshake { stream, framer, .. } = handshake;
    Ok(Established {
        stream,
        framer,
        greeting,
        oob,
    })
}

struct Handshake<'a> {
    inner: &'a Inner,
    stream: Stream,
    framer: Framer,
}

impl Handshake<'_> {
    async fn greeting(&mut self) -> Result<Greeting, ConnectError> {
        let message = self.message().await?;
        if message.kind() != MessageKind::Greeting {
            let other = GreetingError::Other(excerpt(message.as_str()));
            return Err(ConnectError::Greeting(other));
        }
        Greeting::from_message(&message).map_err(|error| ConnectError::Greeting(error.into()))
    }

    async fn negotiate(&mut self, enable: &[String]) -> Result<(), ConnectError> {
        let raw = |text: String| RawValue::from_string(text).expect("what is written is JSON");
        let arguments =
            (!enable.is_empty()).then(|| raw(serde_json::json!({ "enable": enable }).to_string()));
        let id = raw(NEGOTIATION_ID.to_owned());
        let command = Message::command("qmp_capabilities", arguments.as_deref(), Some(&id), false);
        let command = self.inner.options.outbound(command);
        self.write(command.as_str().as_bytes()).await?;
        loop {
            let message = self.message().await?;
            let id = message.id().map(|id| id.get());
            let ours = id == Some(NEGOTIATION_ID);
            match message.kind() {
                MessageKind::Return if ours => return Ok(()),
                // Without an id, the server could not parse what we sent.
                MessageKind::Error if ours || id.is_none() => {
                    return Err(match CommandError::from_message(&message) {
                        Ok(error) => ConnectError::Negotiation(error),
                        Err(error) => ConnectError::BadNegotiation(error.into()),
                    });
                }
                _ if ours => {
                    let reply = BadReply::NoResult(excerpt(message.as_str()));
                    return Err(ConnectError::BadNegotiation(reply));
                }
                kind => {
                    let name = &self.inner.options.name;
                    warn!(name, ?kind, "ignored a message while negotiating");
                }
            }
        }
    }

    /// `guest-sync-delimited`: the byte 0xFF makes the agent forget a command
    /// that somebody left unfinished; the 0xFF that it sends before its reply
    /// ends whatever somebody else had asked for.
    async fn synchronise(&mut self) -> Result<(), ConnectError> {
        let number = u64::from(std::process::id()) << 20 | u64::from(nanoseconds() >> 12);
        let command =
            format!("{{\"execute\":\"guest-sync-delimited\",\"arguments\":{{\"id\":{number}}}}}\n");
        let mut bytes = vec![0xFF];
        bytes.extend_from_slice(command.as_bytes());
        self.write(&bytes).await?;
        let expected = number.to_string();
        let mut fresh = false;
        loop {
            self.read().await?;
            // What is before the last sentinel is stale, half a value too.
            fresh |= self.framer.skip_to_sentinel();
            if !fresh {
                self.framer.clear();
                continue;
            }
            let Some(message) = self.next_message()? else {
                continue;
            };
            if message.get("return").map(|value| value.get()) == Some(&*expected) {
                return Ok(());
            }
            // The reply to somebody else's synchronisation.
            fresh = false;
            self.framer.clear();
        }
    }

    /// The next message that is not an event. An event is routed, not
    /// mispaired: servers have been seen to send some this early.
    async fn message(&mut self) -> Result<Message, ConnectError> {
        loop {
            let Some(message) = self.next_message()? else {
                self.read().await?;
                continue;
            };
            if message.kind() != MessageKind::Event {
                return Ok(message);
            }
            match Event::from_message(message) {
                Ok(event) => self.inner.event(event),
                Err(error) => warn!(name = self.inner.options.name, %error, "dropped an event"),
            }
        }
    }

    /// The next message, if it has arrived.
    fn next_message(&mut self) -> Result<Option<Message>, ConnectError> {
        let value = self.framer.next_value().map_err(DisconnectCause::from);
        let Some(value) = value.map_err(ConnectError::Disconnected)? else {
            return Ok(None);
        };
        let message = Message::parse(value).map_err(DisconnectCause::from);
        let message = message.map_err(ConnectError::Disconnected)?;
        let message = self.inner.options.inbound(message);
        let (name, bytes) = (&self.inner.options.name, message.as_str().len());
        debug!(name, bytes, kind = ?message.kind(), "received");
        Ok(Some(message))
    }

    async fn read(&mut self) -> Result<(), ConnectError> {
        let read = self.stream.reader.read(self.framer.buffer()).await;
        let cause = match read {
            Ok(0) => match self.framer.unfinished() {
                0 => DisconnectCause::Eof,
                received => DisconnectCause::EofInMessage { received },
            },
            Ok(_) => return Ok(()),
            Err(error) => error.into(),
        };
        Err(ConnectError::Disconnected(cause))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectError> {
        let name = &self.inner.options.name;
        debug!(name, bytes = bytes.len(), "sent");
        let written = self.stream.writer.write_all(bytes).await;
        written.map_err(|error| ConnectError::Disconnected(error.into()))
    }
}

/// The beginning of a text, for an error.
pub(super) fn excerpt(text: &str) -> String {
    const MOST: usize = 80;
    let mut excerpt: String = text.chars().take(MOST).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}

/// Makes two synchronisations of one process differ.
fn nanoseconds() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.subsec_nanos())
}
