//! Sessions: one endpoint each, connected, reconnected and published.
//!
//! A [`Session`] is the handle that the rest of the console holds. Its state
//! is owned by the private actor in [`actor`], which connects, follows the
//! VM's run state and publishes [`SessionInfo`] snapshots. Events go into the
//! session's log, from where everybody reads with a cursor of his own.
//! Nothing in here knows HTTP, WebSockets or tokens.
//!
//! ```text
//!  endpoint ── qmp_client::Client ──┬─ replies ──► Session::execute
//!                                   └─ events ───► Log ──► cursors of readers
//!  Actor ── SessionInfo ──► Sessions::activity ──► whoever shows states
//! ```

mod actor;
mod backoff;
mod registry;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use qmp_client::address::Address;
use qmp_client::client::{Client, Execute};
use qmp_client::error::ExecuteError;
use qmp_shared::filter::{EventFilter, Verdict};
use qmp_shared::model::{EndpointKind, Event};
use qmp_shared::rest::{Counters, SessionInfo, SessionState};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::watch;

use crate::journal::Log;

pub(crate) use backoff::{Backoff, random};
use registry::Activity;
pub(crate) use registry::{Counted, RegistryError, Roster, Sessions};

/// Now, as the API writes it: RFC 3339 in UTC with microseconds.
fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

/// A handle on one session. Cheap to clone; the session lives until
/// it is removed, or until [`Sessions::shutdown`].
#[derive(Clone, Debug)]
pub(crate) struct Session(Arc<Shared>);

/// What the actor, the reader task and the handles have in common.
#[derive(Debug)]
struct Shared {
    name: String,
    address: Address,
    log: Arc<Log>,
    published: Mutex<Published>,
    /// What its operators want of the actor.
    wanted: watch::Sender<Wanted>,
    commands: AtomicU64,
    unevaluable: AtomicU64,
    activity: Activity,
    /// The schema of the running connection, fetched at most once for it.
    schema: tokio::sync::Mutex<Option<(u64, Arc<SchemaText>)>>,
}

/// The state that the actor publishes.
#[derive(Debug)]
struct Published {
    state: SessionState,
    cause: Option<String>,
    status: Option<String>,
    since: String,
    client: Option<Client>,
    connections: u64,
    /// The activity's count when this changed last.
    changed: u64,
}

/// What a session's operators want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    /// Whether it is to be connected.
    connected: bool,
    /// How often somebody asked for that.
    asked: u64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            connected: true,
            asked: 0,
        }
    }
}

/// An endpoint's answer to `query-qmp-schema`.
#[derive(Debug)]
pub(crate) struct SchemaText {
    /// The array, verbatim.
    pub(crate) text: Box<RawValue>,
    /// A strong validator of the text, for `ETag`.
    pub(crate) digest: String,
}

/// Why a command has no return value.
#[derive(Debug, Error)]
pub(crate) enum SessionError {
    /// Nothing was sent: the session is not running.
    #[error("session {name:?} is {state}, not running{}", cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default())]
    NotRunning {
        /// The session.
        name: String,
        /// Its state.
        state: SessionState,
        /// Why, where that is known.
        cause: Option<String>,
    },
    /// The endpoint or the connection.
    #[error(transparent)]
    Execute(ExecuteError),
}

impl Session {
    fn new(name: String, address: Address, log: Arc<Log>, activity: Activity) -> Self {
        Self(Arc::new(Shared {
            name,
            address,
            log,
            wanted: watch::Sender::new(Wanted::default()),
            published: Mutex::new(Published {
                state: SessionState::Connecting,
                cause: None,
                status: None,
                since: now(),
                client: None,
                connections: 0,
                changed: activity.count(),
            }),
            commands: AtomicU64::new(0),
            unevaluable: AtomicU64::new(0),
            activity,
            schema: tokio::sync::Mutex::new(None),
        }))
    }

    /// The session's name.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether both are handles on the same session.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What kind of endpoint it is.
    pub(crate) fn kind(&self) -> EndpointKind {
        self.0.address.kind()
    }

    /// Has the session connect, at once if it is between two attempts.
    pub(crate) fn connect(&self) {
        self.0.wanted.send_modify(|wanted| {
            wanted.connected = true;
            wanted.asked += 1;
        });
    }

    /// Has the session hang up, and not connect again until it is asked to.
    pub(crate) fn disconnect(&self) {
        self.0.wanted.send_modify(|wanted| wanted.connected = false);
    }

    /// The session as it is now.
    pub(crate) fn info(&self) -> SessionInfo {
        let shared = &self.0;
        let published = shared.published();
        SessionInfo {
            name: shared.name.clone(),
            kind: shared.address.kind(),
            address: shared.address.to_string(),
            state: published.state,
            cause: published.cause.clone(),
            status: published.status.clone(),
            since: published.since.clone(),
            greeting: published.client.as_ref().and_then(Client::greeting),
            counters: shared.counters(published.connections),
        }
    }

    /// The activity's count when [`info`](Self::info) changed last.
    pub(crate) fn changed(&self) -> u64 {
        self.0.published().changed
    }

    /// Counts as changed once more, so that whoever follows the sessions shows
    /// it.
    fn tell(&self) {
        self.0.publish(|_| ());
    }

    /// The session's events.
    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.0.log
    }

    /// Whether a filter accepts an event of this session. One that it cannot
    /// be evaluated on does not match, and is counted.
    pub(crate) fn matches(&self, filter: &EventFilter, event: &Event) -> bool {
        let verdict = filter.evaluate(event);
        if verdict == Verdict::Unevaluable {
            self.0.unevaluable.fetch_add(1, Ordering::Relaxed);
        }
        verdict == Verdict::Accepted
    }

    /// Executes a command and returns its return value, verbatim.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotRunning`] when nothing was sent, else what became
    /// of it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take back a command that was sent; its
    /// late reply goes to nobody.
    pub(crate) async fn execute(&self, execute: Execute) -> Result<Box<RawValue>, SessionError> {
        let (client, _) = self.client()?;
        self.0.commands.fetch_add(1, Ordering::Relaxed);
        let executed = client.execute(execute).await;
        executed.map_err(|error| SessionError::Execute(error.error))
    }

    /// The schema of the endpoint, asked for once in a connection. `None` of a
    /// guest agent, which has none.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing; the next call asks again.
    pub(crate) async fn schema(&self) -> Result<Option<Arc<SchemaText>>, SessionError> {
        if self.kind() == EndpointKind::Qga {
            return Ok(None);
        }
        let (client, connection) = self.client()?;
        let mut cached = self.0.schema.lock().await;
        if let Some((of, schema)) = cached.as_ref()
            && *of == connection
        {
            return Ok(Some(Arc::clone(schema)));
        }
        let query = Execute::new("query-qmp-schema").timeout(actor::OWN_COMMAND_TIMEOUT);
        let text = client.execute(query).await;
        let text = text.map_err(|error| SessionError::Execute(error.error))?;
        let digest = Sha256::digest(text.get().as_bytes());
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let schema = Arc::new(SchemaText { text, digest });
        *cached = Some((connection, Arc::clone(&schema)));
        Ok(Some(schema))
    }

    /// The running connection and its number.
    fn client(&self) -> Result<(Client, u64), SessionError> {
        let published = self.0.published();
        match &published.client {
            Some(client) => Ok((client.clone(), published.connections)),
            None => Err(SessionError::NotRunning {
                name: self.0.name.clone(),
                state: published.state,
                cause: published.cause.clone(),
            }),
        }
    }
}

impl Shared {
    fn counters(&self, connections: u64) -> Counters {
        Counters {
            connections,
            commands: self.commands.load(Ordering::Relaxed),
            events: self.log.appended(),
            dropped: self.log.dropped(),
            unstored: self.log.unstored(),
            unevaluable: self.unevaluable.load(Ordering::Relaxed),
        }
    }

    /// No code panics while it holds the lock, so that a poisoned one still
    /// guards a whole state.
    fn published(&self) -> MutexGuard<'_, Published> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a change. `since` moves when the state does.
    fn publish(&self, change: impl FnOnce(&mut Published)) {
        let mut published = self.published();
        let before = published.state;
        change(&mut published);
        if published.state != before {
            let running = published.state == SessionState::Running;
            // One time for both, so that a change is known again by it.
            published.since = if running || before == SessionState::Running {
                let time = self.log.append_link(running, published.cause.clone());
                format!("{time:.6}")
            } else {
                now()
            };
        }
        // Under the lock, so that whoever sees the new count sees the change.
        published.changed = self.activity.change();
    }
}
