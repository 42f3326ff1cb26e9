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

mod handshake;
mod runstate;
mod synchrony;
mod tasks;

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use qmp_shared::json;
use qmp_shared::message::Message;
use qmp_shared::model::{EndpointKind, Event, Greeting};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::Address;
use crate::error::{
    Backlog, ConnectError, DisconnectCause, DisconnectResult, ExecuteError, NoDescriptors,
    SendFdError, StateError,
};
use crate::events::{EventListener, Filter, ListenerError, Listeners};
use crate::listener::Listener;
use crate::pending::CommandId;
use crate::stream::Stream;
use runstate::Current;
pub use runstate::{Runstate, RunstateWatcher};
use tasks::Connection;

/// How long opening a socket may take in [`Client::connect`].
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a disconnect waits for what is still being written.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What is called with every event, in order of arrival.
///
/// It runs in the reader task, before any reply that arrived later is
/// delivered; so it must be cheap, and must not block. It must not hold the
/// client either, which would then never be dropped.
pub type OnEvent = Arc<dyn Fn(Event) + Send + Sync>;

/// How a session is established and kept.
#[derive(Clone)]
pub struct Options {
    /// Names the connection in every log line.
    pub name: String,
    /// What kind of endpoint it is.
    pub kind: EndpointKind,
    /// Enable out-of-band execution where the server offers it.
    pub oob: bool,
    /// Longest message that is accepted, in bytes; 64 MiB by default.
    pub message_limit: usize,
    /// How long to wait for the greeting, or for an agent's first answer: 5 s
    /// by default, for ever when `None`.
    pub greeting_timeout: Option<Duration>,
    /// Called with every event.
    pub on_event: Option<OnEvent>,
}

impl Options {
    /// The default options for a connection of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "qmp".to_owned(),
            kind: EndpointKind::Qmp,
            oob: true,
            message_limit: 64 << 20,
            greeting_timeout: Some(Duration::from_secs(5)),
            on_event: None,
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

/// A command to execute.
#[derive(Clone, Debug)]
pub struct Execute {
    command: String,
    arguments: Option<Box<RawValue>>,
    oob: bool,
    timeout: Option<Duration>,
    descriptor: Option<Arc<OwnedFd>>,
}

impl Execute {
    /// A command without arguments, in band, without a timeout.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            arguments: None,
            oob: false,
            timeout: None,
            descriptor: None,
        }
    }

    /// The command of a message; its `id` does not count, as each command gets
    /// one of its own. `None` for a message that is no command, or whose name or
    /// arguments are of another type.
    pub fn from_message(message: &Message) -> Option<Self> {
        let (name, oob) = match (message.get("execute"), message.get("exec-oob")) {
            (Some(name), None) => (name, false),
            (None, Some(name)) => (name, true),
            _ => return None,
        };
        let name: String = serde_json::from_str(name.get()).ok()?;
        let mut execute = Self::new(name).oob(oob);
        execute.arguments = message.get("arguments").map(ToOwned::to_owned);
        Some(execute)
    }

    /// With this descriptor, for `getfd` and `add-fd`: it is passed right before
    /// the command, and before the reply no other one is, so that each command
    /// takes its own.
    pub fn descriptor(mut self, descriptor: OwnedFd) -> Self {
        self.descriptor = Some(Arc::new(descriptor));
        self
    }

    /// With these arguments, which are sent verbatim.
    pub fn arguments(mut self, arguments: Box<RawValue>) -> Self {
        self.arguments = Some(arguments);
        self
    }

    /// Out of band, or not (QMP specification, "Out-of-band execution").
    pub fn oob(mut self, oob: bool) -> Self {
        self.oob = oob;
        self
    }

    /// Waits for the reply no longer than this.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl From<&str> for Execute {
    fn from(command: &str) -> Self {
        Self::new(command)
    }
}

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

/// A reply, or why there is none.
type Reply = Result<Box<RawValue>, ExecuteError>;

impl Client {
    /// A client that is not connected.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Inner {
            options,
            current: Current::idle(),
            listeners: Listeners::default(),
        }))
    }

    /// Connects and establishes a session. Opening the socket may take 5 s. An
    /// address that says `listen=on` is listened on instead, until the endpoint
    /// connects; [`Self::accept`] can do that in two steps.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]; the client is idle again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket and makes the client idle.
    pub async fn connect(&self, address: &Address) -> Result<(), ConnectError> {
        let connecting = Connecting::begin(&self.0)?;
        let stream = if address.listens() {
            Listener::bind(address).await?.accept().await?
        } else {
            Stream::connect(address, OPEN_TIMEOUT).await?
        };
        connecting.establish(stream).await
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
    pub async fn accept(&self, listener: Listener) -> Result<(), ConnectError> {
        let connecting = Connecting::begin(&self.0)?;
        let stream = listener.accept().await?;
        connecting.establish(stream).await
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
    pub async fn establish(&self, stream: Stream) -> Result<(), ConnectError> {
        Connecting::begin(&self.0)?.establish(stream).await
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
    pub async fn execute(&self, command: impl Into<Execute>) -> Reply {
        let Execute {
            command,
            arguments,
            oob,
            timeout: limit,
            descriptor,
        } = command.into();
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
        let permit = before(deadline, full, connection.permit(oob)).await?;
        let (reply, received) = oneshot::channel();
        let waiter = Waiter::Caller {
            reply,
            _permit: permit,
            _turn: turn,
        };
        let write = |id: CommandId| {
            let id = RawValue::from_string(id.to_json()).expect("a number is JSON");
            Message::command(&command, arguments.as_deref(), Some(&id), oob)
        };
        if !connection.send(waiter, descriptor, write) {
            return Err(over().into());
        }
        let answered = match deadline {
            Some((deadline, after)) => timeout_at(deadline, received).await.map_err(|_| {
                connection.timed_out();
                ExecuteError::Timeout { after }
            })?,
            None => received.await,
        };
        // A waiter is answered before it is dropped, whatever happens.
        answered.unwrap_or_else(|_| {
            Err(ExecuteError::Interrupted {
                cause: Arc::new(DisconnectCause::Local),
            })
        })
    }

    /// Passes a descriptor for the next command that takes one. With several
    /// callers, [`Execute::descriptor`] says which command that is.
    ///
    /// # Errors
    ///
    /// [`SendFdError`]; the descriptor is closed.
    pub fn send_fd(&self, descriptor: OwnedFd) -> Result<(), SendFdError> {
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
            _ => Err(cause),
        }
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
