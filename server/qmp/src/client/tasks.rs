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

/// How many bytes one write has at most, unless one message has more.
const BATCH: usize = 64 << 10;

/// How long the reader goes on after a write has failed: a reply that the
/// server sent before it hung up is still delivered.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A handle on a running connection.
#[derive(Clone, Debug)]
pub(super) struct Connection(Arc<State>);

#[derive(Debug)]
struct State {
    options: Options,
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
    /// Whoever holds it may write: the writer what is first in the queue, a
    /// caller when there is no queue. Gone with the writer.
    socket: tokio::sync::Mutex<Option<stream::Writer>>,
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
    /// What the socket did not take of a message at once.
    Rest(Vec<u8>),
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
            options: inner.options.clone(),
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
            socket: tokio::sync::Mutex::new(Some(writer)),
            outbound: Notify::new(),
            hung_up: CancellationToken::new(),
            cause: watch::Sender::new(None),
        }));
        let (failed, write_failed) = oneshot::channel();
        let write = Writer {
            connection: connection.clone(),
            failed: Some(failed),
        };
        let read = Reader {
            connection: connection.clone(),
            inner: Arc::downgrade(inner),
            number: inner.listeners.begin(),
            framer,
        };
        tokio::spawn(write.run());
        tokio::spawn(read.run(reader, write_failed));
        connection
    }

    /// Whether both are handles on the same connection.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn options(&self) -> &Options {
        &self.0.options
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

    /// Registers a waiter and writes its command, right after the descriptor
    /// that it takes, or queues both for the writer; `None` if the connection
    /// is over.
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
        let message = message(id);
        // A hook runs in the writer only.
        if descriptor.is_none()
            && table.outbound.is_empty()
            && self.0.options.on_outbound.is_none()
            && let Ok(socket) = self.0.socket.try_lock()
            && let Some(socket) = &*socket
        {
            drop(table);
            self.write_now(socket, &message);
            return Some(id);
        }
        table.outbound.extend(descriptor.map(Outbound::Descriptor));
        table.outbound.push_back(Outbound::Message(message));
        drop(table);
        self.0.outbound.notify_one();
        Some(id)
    }

    /// Writes a message as far as the socket takes it at once; the writer does
    /// the rest, and finds out why when nothing could be written. Nobody else
    /// writes meanwhile: what they send is queued.
    fn write_now(&self, socket: &stream::Writer, message: &Message) {
        let bytes = message.as_str().as_bytes();
        let written = socket.try_write(bytes).unwrap_or(0);
        debug!(name = self.0.options.name, bytes = bytes.len(), "sent");
        if written < bytes.len() {
            let rest = Outbound::Rest(bytes[written..].to_vec());
            self.table().outbound.push_front(rest);
            self.0.outbound.notify_one();
        }
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
    fn reply(&self, message: &Message) -> Result<(), DisconnectCause> {
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
            None => warn!(
                name = self.0.options.name,
                id, "dropped a reply that nobody waits for"
            ),
        }
        Ok(())
    }

    /// Nothing panics while it holds the lock.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer task: writes what callers have queued.
struct Writer {
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
    async fn run(mut self) {
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

/// The reader task: messages in, until there are no more.
struct Reader {
    connection: Connection,
    /// The client; when nobody holds it any more, it has hung up.
    inner: Weak<Inner>,
    /// What the listeners call this connection.
    number: u64,
    framer: Framer,
}

impl Reader {
    async fn run(mut self, reader: stream::Reader, write_failed: oneshot::Receiver<io::Error>) {
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
