//! The writer task.

use std::io;

use qmp_shared::message::Message;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{Connection, Outbound};
use crate::client::DRAIN_TIMEOUT;
use crate::error::DisconnectCause;
use crate::stream;

/// How many bytes one write has at most, unless one message has more.
const BATCH: usize = 64 << 10;

/// The writer task: writes what callers have queued.
pub(super) struct Writer {
    connection: Connection,
    /// Told why a write has failed.
    failed: Option<oneshot::Sender<io::Error>>,
}

/// Nothing is written without a writer: should a hook panic, or the runtime
/// shut down, those who wait are told.
impl Drop for Writer {
    fn drop(&mut self) {
        self.connection.end(DisconnectCause::Local);
    }
}

impl Writer {
    pub(super) fn new(connection: Connection, failed: oneshot::Sender<io::Error>) -> Self {
        Self {
            connection,
            failed: Some(failed),
        }
    }

    /// Ends with the connection.
    pub(super) async fn run(mut self) {
        let connection = self.connection.clone();
        let name = &connection.options().name;
        let written = self.write_all().await;
        let socket = connection.0.socket.lock().await.take();
        match (written, socket) {
            (Ok(()), None) => {}
            (Ok(()), Some(mut socket)) => match timeout(DRAIN_TIMEOUT, socket.shutdown()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(name, %error, "closing the write side"),
                Err(_) => debug!(name, "the peer took no bytes"),
            },
            (Err(error), _) => {
                debug!(name, %error, "a write failed");
                if let Some(failed) = self.failed.take() {
                    // A reader that is gone already has said why.
                    drop(failed.send(error));
                }
                connection.closed().await;
            }
        }
    }

    /// Writes until this side has hung up.
    async fn write_all(&self) -> io::Result<()> {
        let state = &self.connection.0;
        loop {
            // Held before the queue is looked at, so that nothing overtakes
            // what is in it.
            let mut socket = state.socket.lock().await;
            let Some(next) = self.next() else {
                drop(socket);
                tokio::select! {
                    // What was queued before the hang-up is written first.
                    biased;
                    () = state.outbound.notified() => continue,
                    () = state.hung_up.cancelled() => return Ok(()),
                }
            };
            let socket = socket.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            tokio::select! {
                biased;
                written = self.write(socket, next) => written?,
                // Half a message is of no use to anybody, but a peer that
                // takes no bytes must not keep us for ever.
                () = drained(&state.hung_up) => return Ok(()),
            }
        }
    }

    fn next(&self) -> Option<Outbound> {
        self.connection.table().outbound.pop_front()
    }

    async fn write(&self, socket: &mut stream::Writer, next: Outbound) -> io::Result<()> {
        let name = &self.connection.options().name;
        let mut bytes = match next {
            Outbound::Descriptor(descriptor) => {
                debug!(name, ?descriptor, "passed a descriptor");
                return socket.pass(&descriptor).await;
            }
            Outbound::Rest(bytes) => bytes,
            Outbound::Message(message) => self.bytes(message),
        };
        // All that waits goes with one write.
        while bytes.len() < BATCH
            && let Some(message) = self.next_message()
        {
            bytes.extend(self.bytes(message));
        }
        socket.write_all(&bytes).await
    }

    /// What is sent of a message.
    fn bytes(&self, message: Message) -> Vec<u8> {
        let text = self.connection.options().outbound(message).into_text();
        debug!(
            name = self.connection.options().name,
            bytes = text.len(),
            "sent"
        );
        text.into_bytes()
    }

    /// What is next in the queue, if that is a message.
    fn next_message(&self) -> Option<Message> {
        let outbound = &mut self.connection.table().outbound;
        let next = outbound.pop_front_if(|next| matches!(next, Outbound::Message(_)))?;
        match next {
            Outbound::Message(message) => Some(message),
            _ => None,
        }
    }
}

async fn drained(hung_up: &CancellationToken) {
    hung_up.cancelled().await;
    sleep(DRAIN_TIMEOUT).await;
}
