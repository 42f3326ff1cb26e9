//! The reader task.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use qmp_shared::message::{Message, MessageKind};
use qmp_shared::model::Event;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::Connection;
use crate::client::Inner;
use crate::error::DisconnectCause;
use crate::framing::Framer;
use crate::stream;

/// How long the reader goes on after a write has failed: a reply that the
/// server sent before it hung up is still delivered.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The reader task: messages in, until there are no more.
pub(super) struct Reader {
    connection: Connection,
    /// The client; when nobody holds it any more, it has hung up.
    inner: Weak<Inner>,
    /// What the listeners call this connection.
    number: u64,
    framer: Framer,
}

impl Reader {
    pub(super) fn new(connection: Connection, inner: &Arc<Inner>, framer: Framer) -> Self {
        Self {
            connection,
            inner: Arc::downgrade(inner),
            number: inner.listeners.begin(),
            framer,
        }
    }

    /// Ends with the connection.
    pub(super) async fn run(
        mut self,
        reader: stream::Reader,
        write_failed: oneshot::Receiver<io::Error>,
    ) {
        let connection = self.connection.clone();
        let cause = tokio::select! {
            biased;
            // Whoever ended it has said why.
            _ = connection.closed() => return,
            cause = self.read(reader) => cause,
            cause = last_words(write_failed) => cause,
        };
        debug!(name = self.connection.options().name, %cause, "the connection is over");
        self.end(cause);
    }

    fn end(&self, cause: DisconnectCause) {
        if let Some(inner) = self.inner.upgrade() {
            inner.current.disconnecting(&self.connection);
            self.connection.end(cause);
            inner.listeners.end(self.number);
        } else {
            self.connection.end(cause);
        }
    }

    async fn read(&mut self, mut reader: stream::Reader) -> DisconnectCause {
        loop {
            if let Err(cause) = self.receive_all() {
                return cause;
            }
            match reader.read(self.framer.buffer()).await {
                Ok(0) => {
                    return match self.framer.unfinished() {
                        0 => DisconnectCause::Eof,
                        received => DisconnectCause::EofInMessage { received },
                    };
                }
                Ok(_) => {}
                Err(error) => return error.into(),
            }
        }
    }

    fn receive_all(&mut self) -> Result<(), DisconnectCause> {
        while let Some(value) = self.framer.next_value()? {
            self.receive(Message::parse(value)?)?;
        }
        Ok(())
    }

    fn receive(&self, message: Message) -> Result<(), DisconnectCause> {
        let name = &self.connection.options().name;
        let message = self.connection.options().inbound(message);
        let kind = message.kind();
        debug!(name, bytes = message.as_str().len(), ?kind, "received");
        match kind {
            MessageKind::Event => match (Event::from_message(message), self.inner.upgrade()) {
                (Ok(event), Some(inner)) => inner.event(event),
                (Ok(_), None) => {}
                (Err(error), _) => warn!(name, %error, "dropped an event"),
            },
            MessageKind::Greeting => warn!(name, "ignored a second greeting"),
            MessageKind::Return
            | MessageKind::Error
            | MessageKind::Command
            | MessageKind::Other => self.connection.reply(&message)?,
        }
        Ok(())
    }
}

/// Without a reader there is no connection: should `on_event` panic, or the
/// runtime shut down, those who wait are told.
impl Drop for Reader {
    fn drop(&mut self) {
        self.end(DisconnectCause::Local);
    }
}

/// Why a write failed, once the reader had its time after that.
async fn last_words(write_failed: oneshot::Receiver<io::Error>) -> DisconnectCause {
    match write_failed.await {
        Ok(error) => {
            sleep(LAST_WORDS).await;
            error.into()
        }
        // The writer has ended in peace.
        Err(_) => std::future::pending().await,
    }
}
