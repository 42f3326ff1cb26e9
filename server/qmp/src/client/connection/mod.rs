//! A running connection: the reader task, the writer task, and the table of
//! pending commands between them and the callers.

mod places;
mod reader;
mod writer;

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qmp_shared::message::{Message, MessageKind};
use qmp_shared::model::{CommandError, EndpointKind, Greeting};
use serde_json::value::RawValue;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::handshake::{Established, excerpt};
use super::options::Options;
use super::synchrony::Synchrony;
use super::{Inner, Reply, Waiter};
use crate::error::{BadReply, DisconnectCause};
use crate::pending::{CommandId, Pending};
use crate::stream::{self, Stream};
pub(super) use places::Place;
use places::{OUT_OF_BAND, Places, WITH_OOB, WITHOUT_OOB};
use reader::Reader;
use writer::Writer;

/// A handle on a running connection.
#[derive(Clone, Debug)]
pub(super) struct Connection(Arc<State>);

#[derive(Debug)]
struct State {
    options: Options,
    greeting: Option<Greeting>,
    oob: bool,
    in_band: Places,
    /// Whether the socket passes descriptors.
    passes_descriptors: bool,
    /// Commands out of band do not queue behind the others: that is what they
    /// are for.
    out_of_band: Places,
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
        let connection = Self(Arc::new(State {
            options: inner.options.clone(),
            greeting,
            oob,
            in_band: Places::new(if oob { WITH_OOB } else { WITHOUT_OOB }),
            passes_descriptors: writer.passes_descriptors(),
            out_of_band: Places::new(OUT_OF_BAND),
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
        let write = Writer::new(connection.clone(), failed);
        let read = Reader::new(connection.clone(), inner, framer);
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

    fn places(&self, oob: bool) -> &Places {
        match oob {
            true => &self.0.out_of_band,
            false => &self.0.in_band,
        }
    }

    /// How many commands may be outstanding.
    pub(super) fn capacity(&self, oob: bool) -> usize {
        self.places(oob).capacity
    }

    /// Waits for a place for a command. `None` when the connection is over.
    pub(super) async fn place(&self, oob: bool) -> Option<Place<'_>> {
        self.places(oob).next().await
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
