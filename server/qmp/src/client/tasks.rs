//! A running connection: the reader task, the writer task, and the table of
//! pending commands between them and the callers.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use qmp_shared::message::{Message, MessageKind};
use qmp_shared::model::{CommandError, EndpointKind, Event, Greeting};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::handshake::{Established, excerpt};
use super::options::Options;
use super::synchrony::Synchrony;
use super::{DRAIN_TIMEOUT, Inner, Reply, Waiter};
use crate::error::{BadReply, DisconnectCause};
use crate::framing::Framer;
use crate::pending::{CommandId, Pending};
use crate::stream::{self, Stream};

/// Most in-band commands outstanding on a monitor with out-of-band execution.
/// QEMU's queue holds 8, and a full queue blocks out-of-band commands too.
const WITH_OOB: usize = 7;

/// Most in-band commands outstanding elsewhere.
const WITHOUT_OOB: usize = 1024;

/// Most out-of-band commands outstanding. They have places of their own, and
/// so many that they never wait unless their replies do not come at all.
const OUT_OF_BAND: usize = 1024;

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
    /// Places for commands in band, given in order of arrival. Closed when the
    /// connection is over.
    in_band: Arc<Semaphore>,
    capacity: usize,
    /// Whether the socket passes descriptors.
    passes_descriptors: bool,
    /// Places for commands out of band; closed with the others.
    out_of_band: Arc<Semaphore>,
    /// The turn of a command that takes a descriptor. QEMU keeps the latest one
    /// only, until a command takes it.
    turn: Arc<Semaphore>,
    /// Of a guest agent only.
    synchrony: Option<Synchrony>,
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
    /// What to write. Bounded by the permits, and one synchronisation;
    /// descriptors by their own number.
    outbound: VecDeque<Outbound>,
    over: Option<Arc<DisconnectCause>>,
}

/// Something to write.
#[derive(Debug)]
enum Outbound {
    Message(Message),
    /// For the next command that takes a descriptor.
    Descriptor(Arc<OwnedFd>),
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
            in_band: Arc::new(Semaphore::new(capacity)),
            capacity,
            passes_descriptors: writer.passes_descriptors(),
            out_of_band: Arc::new(Semaphore::new(OUT_OF_BAND)),
            turn: Arc::new(Semaphore::new(1)),
            synchrony: match inner.options.kind {
                EndpointKind::Qmp => None,
                EndpointKind::Qga => Some(Synchrony::kept()),
            },
            table: Mutex::default(),
            outbound: Notify::new(),
            hung_up: CancellationToken::new(),
            cause: watch::Sender::new(None),
        }));
        let (failed, write_failed) = oneshot::channel();
        let write = Writer {
            connection: connection.clone(),
            failed,
            options: inner.options.clone(),
        };
        let read = Reader {
            connection: connection.clone(),
            inner: Arc::downgrade(inner),
            number: inner.listeners.begin(),
            framer,
            options: inner.options.clone(),
        };
        tokio::spawn(write.run(writer));
        tokio::spawn(read.run(reader, write_failed));
        connection
    }

    /// Whether both are handles on the same connection.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn greeting(&self) -> Option<&Greeting> {
        self.0.greeting.as_ref()
    }

    pub(super) fn oob(&self) -> bool {
        self.0.oob
    }

    /// How many commands may be outstanding.
    pub(super) fn capacity(&self, oob: bool) -> usize {
        match oob {
            true => OUT_OF_BAND,
            false => self.0.capacity,
        }
    }

    /// Waits for a place for a command. Out-of-band commands do not queue
    /// behind the others: that is what they are for. `None` when the
    /// connection is over.
    pub(super) async fn permit(&self, oob: bool) -> Option<OwnedSemaphorePermit> {
        let places = match oob {
            true => &self.0.out_of_band,
            false => &self.0.in_band,
        };
        Arc::clone(places).acquire_owned().await.ok()
    }

    /// Waits for the turn of a command that takes a descriptor. `None` when the
    /// connection is over.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.turn).acquire_owned().await.ok()
    }

    /// Has an agent that did not answer in time answer a synchronisation.
    /// `None` when the connection is over.
    pub(super) async fn synchronised(&self) -> Option<()> {
        let Some(synchrony) = &self.0.synchrony else {
            return Some(());
        };
        if synchrony.ask() {
            self.send(Waiter::Synchrony, None, |id| {
                let id = id.to_json();
                let arguments = RawValue::from_string(format!("{{\"id\":{id}}}"));
                let arguments = arguments.expect("an object is JSON");
                let id = RawValue::from_string(id).expect("a number is JSON");
                Message::command("guest-sync-delimited", Some(&arguments), Some(&id), false)
            });
        }
        tokio::select! {
            biased;
            () = synchrony.regained() => Some(()),
            _ = self.closed() => None,
        }
    }

    /// A command was not answered in time.
    pub(super) fn timed_out(&self) {
        if let Some(synchrony) = &self.0.synchrony {
            synchrony.lose();
        }
    }

    /// Whether descriptors can be passed.
    pub(super) fn passes_descriptors(&self) -> bool {
        self.0.passes_descriptors
    }

    /// Registers a waiter and queues its command for the writer, right after
    /// the descriptor that it takes; `None` if the connection is over.
    pub(super) fn send(
        &self,
        waiter: Waiter,
        descriptor: Option<Arc<OwnedFd>>,
        message: impl FnOnce(CommandId) -> Message,
    ) -> Option<CommandId> {
        let mut table = self.table();
        if table.over.is_some() {
            return None;
        }
        let id = table.pending.register(waiter);
        table.outbound.extend(descriptor.map(Outbound::Descriptor));
        table.outbound.push_back(Outbound::Message(message(id)));
        drop(table);
        self.0.outbound.notify_one();
        Some(id)
    }

    /// Queues a descriptor for the writer, for the next command that takes one;
    /// false if the connection is over.
    pub(super) fn send_descriptor(&self, descriptor: OwnedFd) -> bool {
        let mut table = self.table();
        if table.over.is_some() {
            return false;
        }
        table
            .outbound
            .push_back(Outbound::Descriptor(Arc::new(descriptor)));
        drop(table);
        self.0.outbound.notify_one();
        true
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
        self.0.in_band.close();
        self.0.out_of_band.close();
        self.0.turn.close();
        self.0.hung_up.cancel();
        for waiter in waiters {
            let cause = Arc::clone(&cause);
            match waiter {
                // A caller that has left is normal.
                Waiter::Caller { reply, .. } => {
                    drop(reply.send(Reply::Interrupted(cause)));
                }
                // Those who wait for it see the end themselves.
                Waiter::Synchrony => {}
            }
        }
        self.0.cause.send_replace(Some(Arc::clone(&cause)));
        cause
    }

    /// Gives a reply to whoever waits for it.
    fn reply(&self, message: &Message, name: &str) -> Result<(), DisconnectCause> {
        let id = message.get_text("id");
        let waiter = id.and_then(|id| self.table().pending.complete(id));
        let value = || RawValue::from_string(message.get_text("return")?.to_owned()).ok();
        let result = match (message.kind(), value()) {
            (MessageKind::Return, Some(value)) => Reply::Return(value),
            (MessageKind::Error, _) => match CommandError::from_message(message) {
                // Without an id, the server could not even tell whose it was.
                Ok(error) if id.is_none() => return Err(DisconnectCause::ServerParse(error)),
                Ok(error) => Reply::Error {
                    error,
                    received: message.clone(),
                },
                Err(error) => Reply::Bad(error.into()),
            },
            _ => Reply::Bad(BadReply::NoResult(excerpt(message.as_str()))),
        };
        match waiter {
            // A caller that has left is normal; its reply goes nowhere.
            Some(Waiter::Caller { reply, .. }) => drop(reply.send(result)),
            // Whatever the reply is, all commands before it are done.
            Some(Waiter::Synchrony) => {
                if let Some(synchrony) = &self.0.synchrony {
                    synchrony.regain();
                }
            }
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
    /// Told why a write has failed.
    failed: oneshot::Sender<io::Error>,
    options: Options,
}

impl Writer {
    async fn run(self, mut writer: stream::Writer) {
        let state = &self.connection.0;
        let name = &self.options.name;
        loop {
            let next = self.connection.table().outbound.pop_front();
            let Some(next) = next else {
                tokio::select! {
                    // What was queued before the hang-up is written first.
                    biased;
                    () = state.outbound.notified() => continue,
                    () = state.hung_up.cancelled() => break,
                }
            };
            let written = tokio::select! {
                biased;
                written = self.write(&mut writer, next) => written,
                // Half a message is of no use to anybody, but a peer that
                // takes no bytes must not keep us for ever.
                () = drained(&state.hung_up) => break,
            };
            if let Err(error) = written {
                debug!(name, %error, "a write failed");
                // A reader that is gone already has said why.
                drop(self.failed.send(error));
                return;
            }
        }
        match timeout(DRAIN_TIMEOUT, writer.shutdown()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(name, %error, "closing the write side"),
            Err(_) => debug!(name, "the peer took no bytes"),
        }
        self.connection.end(DisconnectCause::Local);
    }

    async fn write(&self, writer: &mut stream::Writer, next: Outbound) -> io::Result<()> {
        let name = &self.options.name;
        match next {
            Outbound::Message(message) => {
                let message = self.options.outbound(message);
                debug!(name, bytes = message.as_str().len(), "sent");
                writer.write_all(message.as_str().as_bytes()).await
            }
            Outbound::Descriptor(descriptor) => {
                debug!(name, ?descriptor, "passed a descriptor");
                writer.pass(&descriptor).await
            }
        }
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
    /// What the listeners call this connection.
    number: u64,
    framer: Framer,
    options: Options,
}

impl Reader {
    async fn run(
        mut self,
        reader: impl AsyncRead + Unpin,
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
        debug!(name = self.options.name, %cause, "the connection is over");
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
        let name = &self.options.name;
        let message = self.options.inbound(message);
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
