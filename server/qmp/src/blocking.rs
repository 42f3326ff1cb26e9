//! The client for scripts and tests that are not asynchronous.
//!
//! A [`Qmp`] brings its own runtime, with one thread that reads and writes
//! whatever its user does meanwhile. It can be used from any thread, and from
//! several at once; but not from within an asynchronous task, which it would
//! block.
//!
//! ```
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # let fake = runtime.block_on(qmp_fake::Fake::start(qmp_fake::Script::default()))?;
//! # let address = fake.address();
//! use qmp_client::blocking::Qmp;
//! use qmp_client::client::Options;
//!
//! let qmp = Qmp::new(Options::named("my-vm"))?;
//! qmp.connect(&address.parse()?)?;
//! let status = qmp.cmd("query-status", None)?;
//! println!("{status}");
//! for event in qmp.get_events(None) {
//!     println!("{}", event.name());
//! }
//! qmp.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qmp_shared::message::Message;
use qmp_shared::model::{Event, Greeting};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::address::Address;
use crate::client::{Client, Execute, Options, Runstate};
use crate::error::{ConnectError, DisconnectResult, ExecuteError, Named, SendFdError};
use crate::events::{EventFilter, EventListener};
use crate::listener::Listener;

/// A blocking client (reference manual, `legacy.QEMUMonitorProtocol`), which
/// hears every event.
///
/// Dropping it ends the session.
#[derive(Debug)]
pub struct Qmp {
    client: Client,
    /// Everybody who pulls events takes from the same ones, one at a time.
    events: Mutex<EventListener>,
    timeout: Mutex<Option<Duration>>,
    /// Last, so that the client can hang up before it is gone.
    runtime: Runtime,
}

impl Qmp {
    /// A client that is not connected.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn new(options: Options) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("qmp")
            .enable_all()
            .build()?;
        let client = Client::new(options);
        let events = Mutex::new(client.listen(EventFilter::all()));
        Ok(Self {
            client,
            events,
            timeout: Mutex::new(None),
            runtime,
        })
    }

    /// The asynchronous client, for what there is no blocking call for.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Connects and establishes a session. An address that says `listen=on` is
    /// listened on, for as long as it takes.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub fn connect(&self, address: &Address) -> Result<(), Named<ConnectError>> {
        self.runtime.block_on(self.client.connect(address))
    }

    /// Listens on an address, for [`Self::accept`].
    ///
    /// # Errors
    ///
    /// [`ConnectError::Listen`].
    pub fn listen(&self, address: &Address) -> Result<Listener, ConnectError> {
        self.runtime.block_on(Listener::bind(address))
    }

    /// Waits for the endpoint to connect, at most as long as the listener's
    /// [timeout](Listener::timeout), and establishes a session.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub fn accept(&self, listener: Listener) -> Result<(), Named<ConnectError>> {
        self.runtime.block_on(self.client.accept(listener))
    }

    /// The server's greeting, while there is a session.
    pub fn greeting(&self) -> Option<Greeting> {
        self.client.greeting()
    }

    /// The client's state.
    pub fn runstate(&self) -> Runstate {
        self.client.runstate()
    }

    /// How long each command waits for its reply from now on; for ever when
    /// `None`, as in the beginning.
    pub fn set_timeout(&self, timeout: Option<Duration>) {
        *lock(&self.timeout) = timeout;
    }

    /// Executes a command and returns its return value, verbatim.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`].
    pub fn cmd(
        &self,
        name: &str,
        arguments: Option<&RawValue>,
    ) -> Result<Box<RawValue>, Named<ExecuteError>> {
        let mut execute = Execute::new(name);
        if let Some(arguments) = arguments {
            execute = execute.arguments(arguments.to_owned());
        }
        self.execute(execute)
    }

    /// Executes a command and returns the reply's message, be it a return or an
    /// error.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`], but never [`ExecuteError::Refused`].
    pub fn cmd_raw(
        &self,
        name: &str,
        arguments: Option<&RawValue>,
    ) -> Result<Message, Named<ExecuteError>> {
        reply(self.cmd(name, arguments))
    }

    /// Executes the command of a message and returns the reply's message, be it
    /// a return or an error. `None` for a message that is no command.
    ///
    /// # Errors
    ///
    /// As [`Self::cmd_raw`].
    pub fn cmd_obj(&self, message: &Message) -> Option<Result<Message, Named<ExecuteError>>> {
        let execute = Execute::from_message(message)?;
        Some(reply(self.execute(execute)))
    }

    /// Executes a command with all that can be said of it. Its own timeout
    /// comes before [the client's](Self::set_timeout).
    ///
    /// # Errors
    ///
    /// [`ExecuteError`].
    pub fn execute(
        &self,
        command: impl Into<Execute>,
    ) -> Result<Box<RawValue>, Named<ExecuteError>> {
        let mut execute = command.into();
        execute.timeout = execute.timeout.or(*lock(&self.timeout));
        self.runtime.block_on(self.client.execute(execute))
    }

    /// The next event. Waits for it no longer than this, or for ever when
    /// `None`; there is none either when the connection is over.
    pub fn pull_event(&self, wait: Option<Duration>) -> Option<Event> {
        let mut events = lock(&self.events);
        match wait {
            None => self.runtime.block_on(events.next()),
            Some(Duration::ZERO) => events.try_next(),
            Some(wait) => {
                let next = async { timeout(wait, events.next()).await };
                self.runtime.block_on(next).ok().flatten()
            }
        }
    }

    /// All events that have come and were not taken yet. If there is none and
    /// `wait` is given, waits that long for the first.
    pub fn get_events(&self, wait: Option<Duration>) -> Vec<Event> {
        let first = self.pull_event(Some(wait.unwrap_or_default()));
        let mut events: Vec<Event> = first.into_iter().collect();
        events.extend(lock(&self.events).clear());
        events
    }

    /// Forgets all events that have come.
    pub fn clear_events(&self) {
        drop(lock(&self.events).clear());
    }

    /// Passes a descriptor for the next command that takes one.
    ///
    /// # Errors
    ///
    /// [`SendFdError`].
    pub fn send_fd(&self, descriptor: OwnedFd) -> Result<(), Named<SendFdError>> {
        self.client.send_fd(descriptor)
    }

    /// Ends the session, if there is one.
    ///
    /// # Errors
    ///
    /// Why the session had already ended, if it had.
    pub fn close(&self) -> DisconnectResult {
        self.runtime.block_on(self.client.disconnect())
    }
}

/// The message of a reply, whichever it is.
fn reply(
    result: Result<Box<RawValue>, Named<ExecuteError>>,
) -> Result<Message, Named<ExecuteError>> {
    match result {
        Ok(value) => {
            let text = format!("{{\"return\":{value}}}");
            Ok(Message::parse(text).expect("an object of JSON values is a message"))
        }
        Err(Named {
            error: ExecuteError::Refused(refused),
            ..
        }) => Ok(refused.received),
        Err(error) => Err(error),
    }
}

/// Nothing panics while it holds a lock, but for a filter, which is none here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
