//! The client: connect, execute, listen, disconnect.
//!
//! ```text
//!           connect            established
//!  Idle ─────────────► Connecting ──────────► Running
//!   ▲                      │ failed             │ disconnect, or the end
//!   │◄─────────────────────┘                    ▼ of the connection
//!   └───────────────────────────────────── Disconnecting
//!                  disconnect
//! ```
//!
//! No task exists before negotiation is done. Then there are two, a reader and
//! a writer.

mod connection;
mod execute;
mod handshake;
mod options;
mod runstate;
mod synchrony;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use qmp_shared::json;
use qmp_shared::message::Message;
use qmp_shared::model::{CommandError, Event, Greeting};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::Address;
use crate::error::{
    Backlog, BadReply, ConnectError, DisconnectCause, DisconnectResult, ExecuteError, Named,
    NoDescriptors, Refused, SendFdError, StateError,
};
use crate::events::{EventListener, Filter, ListenerError, Listeners};
use crate::listener::Listener;
use crate::stream::Stream;
use connection::{Connection, Place};
pub use execute::Execute;
use handshake::excerpt;
pub use options::{Hook, OnEvent, Options};
use runstate::Current;
pub use runstate::{Runstate, RunstateWatcher};

/// How long a disconnect waits for what is still being written.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A client. Clones are handles on the same connection, which ends when the
/// last one is dropped.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    current: Current,
    listeners: Listeners,
}

/// Who waits for a reply.
#[derive(Debug)]
enum Waiter {
    /// Somebody who executes a command.
    Caller {
        reply: oneshot::Sender<Reply>,
        /// Given back when the reply arrives, not when the caller leaves:
        /// until then the command takes a place in the server's queue.
        _permit: OwnedSemaphorePermit,
        /// Of a command with a descriptor.
        _turn: Option<OwnedSemaphorePermit>,
    },
    /// The connection itself, on behalf of all callers.
    Synchrony,
}

/// What a caller gets from the tasks.
#[derive(Debug)]
enum Reply {
    Return(Box<RawValue>),
    Error {
        error: CommandError,
        received: Message,
    },
    Bad(BadReply),
    Interrupted(Arc<DisconnectCause>),
}

impl Client {
    /// A client that is not connected.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Inner {
            current: Current::idle(),
            listeners: Listeners::of(&options.name),
            options,
        }))
    }

    /// Connects and establishes a session. An address that says `listen=on` is listened on instead, until the endpoint
    /// connects; [`Self::accept`] can do that in two steps.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]; the client is idle again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket and makes the client idle.
    pub async fn connect(&self, address: &Address) -> Result<(), Named<ConnectError>> {
        self.established(async {
            if address.listens() {
                return Listener::bind(address).await?.accept().await;
            }
            let limit = self.0.options.connect_timeout;
            Stream::connect(address, limit.unwrap_or(Duration::MAX)).await
        })
        .await
    }

    /// Waits for the endpoint to connect to a listener, and establishes a
    /// session. The listener is then closed, so that other peers are refused.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]; the client is idle again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listener, and makes the client idle.
    pub async fn accept(&self, listener: Listener) -> Result<(), Named<ConnectError>> {
        self.established(listener.accept()).await
    }

    /// Establishes a session on an open connection: greeting, negotiation and,
    /// for a guest agent, synchronisation.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]; the client is idle again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket and makes the client idle.
    pub async fn establish(&self, stream: Stream) -> Result<(), Named<ConnectError>> {
        self.established(async { Ok(stream) }).await
    }

    async fn established(
        &self,
        open: impl Future<Output = Result<Stream, ConnectError>>,
    ) -> Result<(), Named<ConnectError>> {
        let established = async {
            let connecting = Connecting::begin(&self.0)?;
            connecting.establish(open.await?).await
        };
        established.await.map_err(|error| self.named(error))
    }

    /// Executes a command and returns its return value, verbatim.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`], which tells whether anything was sent and whether the
    /// outcome is unknown.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take back a command that was sent; its
    /// late reply goes to nobody.
    pub async fn execute(
        &self,
        command: impl Into<Execute>,
    ) -> Result<Box<RawValue>, Named<ExecuteError>> {
        let executed = self.executed(command.into()).await;
        executed.map_err(|error| self.named(error))
    }

    async fn executed(&self, command: Execute) -> Result<Box<RawValue>, ExecuteError> {
        let Execute {
            command,
            arguments,
            oob,
            timeout: limit,
            descriptor,
        } = command;
        if let Some(arguments) = &arguments {
            json::check_arguments(arguments.get()).map_err(ExecuteError::Invalid)?;
        }
        // A time that no clock reaches is none.
        let deadline = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let connection = self.running()?;
        if descriptor.is_some() && !connection.passes_descriptors() {
            return Err(NoDescriptors.into());
        }
        before(deadline, Backlog::Unsynchronised, connection.synchronised()).await?;
        let turn = match &descriptor {
            Some(_) => Some(before(deadline, Backlog::Descriptor, connection.turn()).await?),
            None => None,
        };
        let full = Backlog::Full(connection.capacity(oob));
        let Place { permit, order } = before(deadline, full, connection.place(oob)).await?;
        let (reply, received) = oneshot::channel();
        let waiter = Waiter::Caller {
            reply,
            _permit: permit,
            _turn: turn,
        };
        let message = |id: &str| {
            let id = RawValue::from_string(id.to_owned()).expect("a number is JSON");
            Message::command(&command, arguments.as_deref(), Some(&id), oob)
        };
        let sent = connection.send(waiter, descriptor, |id| message(&id.to_json()));
        drop(order);
        let id = sent.ok_or_else(over)?;
        let answered = match deadline {
            Some((deadline, after)) => timeout_at(deadline, received).await.map_err(|_| {
                connection.timed_out();
                ExecuteError::Timeout { after }
            })?,
            None => received.await,
        };
        // A waiter is answered before it is dropped, whatever happens.
        let local = || Reply::Interrupted(Arc::new(DisconnectCause::Local));
        match answered.unwrap_or_else(|_| local()) {
            Reply::Return(value) => Ok(value),
            Reply::Error { error, received } => Err(ExecuteError::Refused(Box::new(Refused {
                error,
                sent: message(&id.to_json()),
                received,
            }))),
            Reply::Bad(reply) => Err(ExecuteError::BadReply(reply)),
            Reply::Interrupted(cause) => Err(ExecuteError::Interrupted { cause }),
        }
    }

    /// Executes a command, and reads its return value as a type of the caller's.
    ///
    /// ```
    /// # use qmp_client::client::Client;
    /// # async fn example(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    /// #[derive(serde::Deserialize)]
    /// struct StatusInfo {
    ///     status: String,
    /// }
    /// let info: StatusInfo = client.execute_as("query-status").await?;
    /// println!("{}", info.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute), and [`ExecuteError::Unexpected`] when the
    /// command was executed, but returned something else.
    ///
    /// # Cancel safety
    ///
    /// As [`execute`](Self::execute).
    pub async fn execute_as<T: DeserializeOwned>(
        &self,
        command: impl Into<Execute>,
    ) -> Result<T, Named<ExecuteError>> {
        let value = self.execute(command).await?;
        serde_json::from_str(value.get()).map_err(|source| {
            let value = excerpt(value.get());
            self.named(ExecuteError::Unexpected { value, source })
        })
    }

    /// Passes a descriptor for the next command that takes one. With several
    /// callers, [`Execute::descriptor`] says which command that is.
    ///
    /// # Errors
    ///
    /// [`SendFdError`]; the descriptor is closed.
    pub fn send_fd(&self, descriptor: OwnedFd) -> Result<(), Named<SendFdError>> {
        let sent = self.sent_fd(descriptor);
        sent.map_err(|error| self.named(error))
    }

    fn sent_fd(&self, descriptor: OwnedFd) -> Result<(), SendFdError> {
        let connection = self.running()?;
        if !connection.passes_descriptors() {
            return Err(NoDescriptors.into());
        }
        match connection.send_descriptor(descriptor) {
            true => Ok(()),
            false => Err(over().into()),
        }
    }

    /// Hears events from now on, until the listener is dropped: those of the
    /// connection there is, or of the next ones.
    ///
    /// ```
    /// # use qmp_client::client::{Client, Options};
    /// use qmp_client::events::{EventFilter, Filter};
    ///
    /// # fn example(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let all = client.listen(EventFilter::all());
    /// let jobs = client.listen(EventFilter::names(["JOB_*"])?);
    /// let done = EventFilter::names(["JOB_STATUS_CHANGE"])?
    ///     .with_expression("@.data.status == 'concluded'".parse()?);
    /// let done = client.listen(done);
    /// let odd = client.listen(Filter::closure(|event| event.timestamp().seconds % 2 == 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen(&self, filter: impl Into<Filter>) -> EventListener {
        let listener = EventListener::new(filter);
        self.register_listener(&listener)
            .expect("a new listener is not registered");
        listener
    }

    /// Has a listener hear events from now on.
    ///
    /// # Errors
    ///
    /// [`ListenerError::Registered`].
    pub fn register_listener(&self, listener: &EventListener) -> Result<(), ListenerError> {
        self.0.listeners.register(listener)
    }

    /// Has a listener hear nothing from now on. What it has heard may still be
    /// read.
    ///
    /// # Errors
    ///
    /// [`ListenerError::NotRegistered`].
    pub fn remove_listener(&self, listener: &EventListener) -> Result<(), ListenerError> {
        self.0.listeners.remove(listener)
    }

    /// The server's greeting, while there is a session. A guest agent has none.
    pub fn greeting(&self) -> Option<Greeting> {
        self.0.current.connection()?.greeting().cloned()
    }

    /// Whether commands may be executed out of band.
    pub fn oob_enabled(&self) -> bool {
        self.0.current.connection().is_some_and(|it| it.oob())
    }

    /// The client's state.
    pub fn runstate(&self) -> Runstate {
        self.0.current.runstate()
    }

    /// To see the state change, from now on.
    pub fn watch(&self) -> RunstateWatcher {
        self.0.current.watch()
    }

    /// Waits until the session is over and returns why; `None` when there is
    /// no session.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn closed(&self) -> Option<Arc<DisconnectCause>> {
        let connection = self.0.current.connection()?;
        Some(connection.closed().await)
    }

    /// Ends the session, if there is one, and makes the client idle. What was
    /// sent before is written first, for at most one second; commands that
    /// have no reply then fail.
    ///
    /// # Errors
    ///
    /// Why the session had already ended, if it had.
    ///
    /// # Cancel safety
    ///
    /// The session ends in any case. The client may be left disconnecting;
    /// call this again.
    pub async fn disconnect(&self) -> DisconnectResult {
        let Some(connection) = self.0.current.connection() else {
            return Ok(());
        };
        self.0.current.disconnecting(&connection);
        connection.hang_up();
        let cause = match timeout(DRAIN_TIMEOUT, connection.closed()).await {
            Ok(cause) => cause,
            Err(_) => connection.end(DisconnectCause::Local),
        };
        self.0.current.disconnected(&connection);
        match *cause {
            DisconnectCause::Local => Ok(()),
            _ => Err(self.named(cause)),
        }
    }

    fn named<E>(&self, error: E) -> Named<E> {
        let name = self.0.options.name.clone();
        Named { name, error }
    }

    fn running(&self) -> Result<Connection, StateError> {
        let required = Runstate::Running;
        let running = self.0.current.running();
        running.map_err(|actual| StateError { actual, required })
    }
}

/// Waits for something before a command is sent. It is `None` when the
/// connection is over.
async fn before<T>(
    deadline: Option<(Instant, Duration)>,
    backlog: Backlog,
    ready: impl Future<Output = Option<T>>,
) -> Result<T, ExecuteError> {
    let ready = match deadline {
        Some((deadline, after)) => timeout_at(deadline, ready)
            .await
            .map_err(|_| ExecuteError::Busy { backlog, after })?,
        None => ready.await,
    };
    ready.ok_or_else(|| over().into())
}

/// The connection ended before a command was sent on it.
fn over() -> StateError {
    StateError {
        actual: Runstate::Disconnecting,
        required: Runstate::Running,
    }
}

impl Inner {
    fn event(&self, event: Event) {
        self.listeners.put(&event);
        if let Some(on_event) = &self.options.on_event {
            on_event(event);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(connection) = self.current.connection() {
            connection.hang_up();
        }
        self.listeners.end_for_good();
    }
}

/// An attempt to connect. Unless it succeeds, the client is idle again when
/// this is dropped, and has been disconnecting in between.
struct Connecting<'a> {
    inner: &'a Arc<Inner>,
    established: bool,
}

impl<'a> Connecting<'a> {
    fn begin(inner: &'a Arc<Inner>) -> Result<Self, StateError> {
        let required = Runstate::Idle;
        match inner.current.connecting() {
            Ok(()) => Ok(Self {
                inner,
                established: false,
            }),
            Err(actual) => Err(StateError { actual, required }),
        }
    }

    async fn establish(mut self, stream: Stream) -> Result<(), ConnectError> {
        let established = handshake::establish(self.inner, stream).await?;
        // From here on nothing waits, so that nothing can be cancelled.
        self.established = true;
        let start = || Connection::start(self.inner, established);
        self.inner.current.established(start);
        Ok(())
    }
}

impl Drop for Connecting<'_> {
    fn drop(&mut self) {
        if !self.established {
            self.inner.current.failed();
        }
    }
}
