//! A running connection: the reader task, the writer task, and the table of
//! pending commands between them and the callers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use qmp_shared::message::{Message, MessageKind};
use qmp_shared::model::{CommandError, Event, Greeting};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::handshake::{Established, excerpt};
use super::{DRAIN_TIMEOUT, Inner, Runstate, Waiter};
use crate::error::{BadReply, DisconnectCause, ExecuteError};
use crate::framing::Framer;
use crate::pending::{CommandId, Pending};
use crate::stream::Stream;

/// Most in-band commands outstanding on a monitor with out-of-band execution.
/// QEMU's queue holds 8, and a full queue blocks out-of-band commands too.
const WITH_OOB: usize = 7;

/// Most in-band commands outstanding elsewhere.
const WITHOUT_OOB: usize = 1024;

/// How long the reader goes on after a write has failed: a reply that the
/// server sent before it hung up is still delivered.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A handle on a running connection.
#[derive(Clone, Debug)]
pub(super) struct Connection(Arc<State>);

#[derive(Debug)]
struct State {
    greeting: Option<Greeting>,
    oob: bool,
    /// Places in the server's queue, given in order of arrival. Closed when
    /// the connection is over.
    permits: Arc<Semaphore>,
    capacity: usize,
    table: Mutex<Table>,
    /// Tells the writer that there is something to write.
    outbound: Notify,
    /// Cancelled when this side hangs up.
    hung_up: CancellationToken,
    cause: watch::Sender<Option<Arc<DisconnectCause>>>,
}

#[derive(Debug, Default)]
struct Table {
    pending: Pending<Waiter>,
    /// Messages to write. Bounded by the permits, but for out-of-band
    /// commands, whose callers each wait for one reply.
    outbound: VecDeque<Message>,
    over: Option<Arc<DisconnectCause>>,
}

impl Connection {
    /// Starts the reader and the writer.
    pub(super) fn start(inner: &Arc<Inner>, established: Established) -> Self {
        let Established {
            stream,
            framer,
            greeting,
            oob,
        } = established;
        let Stream { reader, writer } = stream;
        let capacity = if oob { WITH_OOB } else { WITHOUT_OOB };
        let connection = Self(Arc::new(State {
            greeting,
            oob,
            permits: Arc::new(Semaphore::new(capacity)),
            capacity,
            table: Mutex::default(),
            outbound: Notify::new(),
            hung_up: CancellationToken::new(),
            cause: watch::Sender::new(None),
        }));
        let write_failed = CancellationToken::new();
        let write = Writer {
            connection: connection.clone(),
            failed: write_failed.clone(),
            name: inner.options.name.clone(),
        };
        let read = Reader {
            connection: connection.clone(),
            inner: Arc::downgrade(inner),
            framer,
            write_failed,
            name: inner.options.name.clone(),
        };
        tokio::spawn(write.run(writer));
        tokio::spawn(read.run(reader));
        connection
    }

    pub(super) fn greeting(&self) -> Option<&Greeting> {
        self.0.greeting.as_ref()
    }

    pub(super) fn oob(&self) -> bool {
        self.0.oob
    }

    /// How many in-band commands may be outstanding.
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity
    }

    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.0.permits).acquire_owned().await
    }

    /// Registers a waiter and queues its command for the writer.
    pub(super) fn send(
        &self,
        waiter: Waiter,
        message: impl FnOnce(CommandId) -> Message,
    ) -> Result<(), ExecuteError> {
        let mut table = self.table();
        if let Some(cause) = &table.over {
            let cause = Arc::clone(cause);
            return Err(ExecuteError::Interrupted { cause });
        }
        let id = table.pending.register(waiter);
        table.outbound.push_back(message(id));
        drop(table);
        self.0.outbound.notify_one();
        Ok(())
    }

    /// Asks the tasks to end. They write what is queued first.
    pub(super) fn hang_up(&self) {
        self.0.hung_up.cancel();
    }

    /// Waits for the end of the connection.
    pub(super) async fn closed(&self) -> Arc<DisconnectCause> {
        let mut cause = self.0.cause.subscribe();
        match cause.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(cause)) => Arc::clone(cause),
            // The sender lives in `self`.
            _ => Arc::new(DisconnectCause::Local),
        }
    }

    /// Ends the connection once: everybody who waits fails, in the order
    /// issued, with the one cause. Returns the first cause.
    pub(super) fn end(&self, cause: DisconnectCause) -> Arc<DisconnectCause> {
        let mut table = self.table();
        if let Some(first) = &table.over {
            return Arc::clone(first);
        }
        let cause = Arc::new(cause);
        table.over = Some(Arc::clone(&cause));
        table.outbound.clear();
        let waiters: Vec<_> = table.pending.take_all().collect();
        drop(table);
        self.0.permits.close();
        self.0.hung_up.cancel();
        for waiter in waiters {
            let cause = Arc::clone(&cause);
            // A caller that has left is normal.
            drop(waiter.reply.send(Err(ExecuteError::Interrupted { cause })));
        }
        self.0.cause.send_replace(Some(Arc::clone(&cause)));
        cause
    }

    /// Gives a reply to whoever waits for it.
    fn reply(&self, message: &Message, name: &str) -> Result<(), DisconnectCause> {
        let id = message.id().map(|id| id.get());
        let waiter = id.and_then(|id| self.table().pending.complete(id));
        let result = match (message.kind(), message.get("return")) {
            (MessageKind::Return, Some(value)) => Ok(value.to_owned()),
            (MessageKind::Error, _) => match CommandError::from_message(message) {
                // Without an id, the server could not even tell whose it was.
                Ok(error) if id.is_none() => return Err(DisconnectCause::ServerParse(error)),
                Ok(error) => Err(ExecuteError::Refused(error)),
                Err(error) => Err(ExecuteError::BadReply(error.into())),
            },
            _ => {
                let text = excerpt(message.as_str());
                Err(ExecuteError::BadReply(BadReply::NoResult(text)))
            }
        };
        match waiter {
            // A caller that has left is normal; its reply goes nowhere.
            Some(waiter) => drop(waiter.reply.send(result)),
            None => warn!(name, id, "dropped a reply that nobody waits for"),
        }
        Ok(())
    }

    /// Nothing panics while it holds the lock.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer task: one write for each message.
struct Writer {
    connection: Connection,
    /// Cancelled when a write has failed.
    failed: CancellationToken,
    name: String,
}

impl Writer {
    async fn run(self, mut writer: impl AsyncWrite + Unpin) {
        let state = &self.connection.0;
        let name = &self.name;
        loop {
            let next = self.connection.table().outbound.pop_front();
            let Some(message) = next else {
                tokio::select! {
                    // What was queued before the hang-up is written first.
                    biased;
                    () = state.outbound.notified() => continue,
                    () = state.hung_up.cancelled() => break,
                }
            };
            debug!(name, bytes = message.as_str().len(), "sent");
            let written = tokio::select! {
                biased;
                written = writer.write_all(message.as_str().as_bytes()) => written,
                // Half a message is of no use to anybody, but a peer that
                // takes no bytes must not keep us for ever.
                () = drained(&state.hung_up) => break,
            };
            if let Err(error) = written {
                debug!(name, %error, "a write failed");
                self.failed.cancel();
                return;
            }
        }
        if let Err(error) = writer.shutdown().await {
            debug!(name, %error, "closing the write side");
        }
        self.connection.end(DisconnectCause::Local);
    }
}

async fn drained(hung_up: &CancellationToken) {
    hung_up.cancelled().await;
    sleep(DRAIN_TIMEOUT).await;
}

/// The reader task: messages in, until there are no more.
struct Reader {
    connection: Connection,
    /// The client; when nobody holds it any more, it has hung up.
    inner: Weak<Inner>,
    framer: Framer,
    write_failed: CancellationToken,
    name: String,
}

impl Reader {
    async fn run(mut self, reader: impl AsyncRead + Unpin) {
        let connection = self.connection.clone();
        let write_failed = self.write_failed.clone();
        let cause = tokio::select! {
            cause = self.read(reader) => cause,
            () = last_words(&write_failed) => DisconnectCause::Eof,
            // Whoever ended it has said why.
            _ = connection.closed() => return,
        };
        debug!(name = self.name, %cause, "the connection is over");
        if let Some(inner) = self.inner.upgrade() {
            inner.runstate.send_if_modified(|state| {
                let running = *state == Runstate::Running;
                if running {
                    *state = Runstate::Disconnecting;
                }
                running
            });
        }
        connection.end(cause);
    }

    async fn read(&mut self, mut reader: impl AsyncRead + Unpin) -> DisconnectCause {
        loop {
            if let Err(cause) = self.receive_all() {
                return cause;
            }
            match reader.read_buf(self.framer.buffer()).await {
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
        let name = &self.name;
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
            | MessageKind::Other => self.connection.reply(&message, name)?,
        }
        Ok(())
    }
}

async fn last_words(write_failed: &CancellationToken) {
    write_failed.cancelled().await;
    sleep(LAST_WORDS).await;
}
