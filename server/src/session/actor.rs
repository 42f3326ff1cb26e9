//! The task behind a session.
//!
//! ```text
//!             ┌──────── connect failed ────────┐
//!             ▼                                │
//!  start ─► connecting ─► (greeted) ─► running ┴─► retrying ─► connecting ...
//!             │               ▲                       (state stays `retrying`
//!             └─ 5 s without ─┴─ waiting               until the next success)
//!                a greeting
//! ```
//!
//! An operator's `disconnect` leads from everywhere to `disconnected`, and
//! `connect` from there to the beginning.
//!
//! A monitor in use accepts our connection and does not greet. Closing and
//! trying again would fill its backlog and lock out its owner, so the actor
//! stays on that one connection, in state `waiting`, for as long as it takes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use qmp_client::client::{Client, Execute, Options};
use qmp_client::error::{ConnectError, ExecuteError};
use qmp_client::listener::Listener;
use qmp_client::stream::Stream;
use qmp_shared::model::{EndpointKind, Event};
use qmp_shared::rest::{Counters, DISCONNECTED_BY_OPERATOR, SessionState};
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::Shared;
use super::backoff::{Backoff, random};
use crate::error::chain;

/// How long opening the socket may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// After how long without a greeting the session says that it waits.
const WAITING_AFTER: Duration = Duration::from_secs(5);

/// How long the endpoint may take to answer commands that the console sends
/// on its own behalf.
pub(super) const OWN_COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// How often counters that moved are published.
const COUNTERS_EVERY: Duration = Duration::from_secs(1);

/// The events after which the VM's run state may be another one.
const RUN_STATE_EVENTS: &[&str] = &[
    "BLOCK_IO_ERROR",
    "COLO_EXIT",
    "GUEST_CRASHLOADED",
    "GUEST_PANICKED",
    "MIGRATION",
    "RESET",
    "RESUME",
    "SHUTDOWN",
    "STOP",
    "SUSPEND",
    "SUSPEND_DISK",
    "WAKEUP",
    "WATCHDOG",
];

/// Owns a session's connection.
pub(super) struct Actor {
    shared: Arc<Shared>,
    /// Told by the reader task when the run state may have changed.
    run_state: Arc<Notify>,
}

impl Actor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            run_state: Arc::new(Notify::new()),
        }
    }

    /// Connects, follows and reconnects until cancelled; hangs up before it
    /// returns.
    pub(super) async fn run(self, cancel: CancellationToken) {
        loop {
            // Dropping an attempt closes its socket.
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = self.connected() => {}
            }
            self.hang_up(DISCONNECTED_BY_OPERATOR).await;
            let mut wanted = self.shared.wanted.subscribe();
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                // The sender lives as long as the session.
                _ = wanted.wait_for(|wanted| wanted.connected) => {}
            }
            self.shared.publish(|published| {
                published.state = SessionState::Connecting;
                published.cause = None;
            });
        }
        self.hang_up("the session was ended").await;
    }

    /// Connects, follows and reconnects until that is not wanted any more.
    async fn connected(&self) {
        let mut backoff = Backoff::default();
        let mut wanted = self.shared.wanted.subscribe();
        loop {
            let asked = wanted.borrow_and_update().asked;
            let attempt = tokio::select! {
                biased;
                _ = wanted.wait_for(|wanted| !wanted.connected) => return,
                attempt = self.connect() => attempt,
            };
            let cause = match attempt {
                Ok(client) => {
                    backoff.reset();
                    tokio::select! {
                        biased;
                        _ = wanted.wait_for(|wanted| !wanted.connected) => return,
                        cause = self.follow(&client) => cause,
                    }
                }
                Err(error) => chain(&error),
            };
            let delay = backoff.next(random());
            self.retrying(cause);
            tokio::select! {
                biased;
                // At once, or never again.
                _ = wanted.wait_for(|wanted| !wanted.connected || wanted.asked != asked) => {
                    backoff.reset();
                }
                () = sleep(delay) => {}
            }
        }
    }

    /// Ends the connection, if there is one.
    async fn hang_up(&self, cause: &str) {
        let mut client = None;
        self.shared.publish(|published| {
            published.state = SessionState::Disconnected;
            published.cause = Some(cause.to_owned());
            published.status = None;
            client = published.client.take();
        });
        if let Some(client) = client
            && let Err(cause) = client.disconnect().await
        {
            debug!(
                session = self.shared.name,
                cause = cause.to_string(),
                "had ended before"
            );
        }
    }

    async fn connect(&self) -> Result<Client, ConnectError> {
        let shared = &self.shared;
        let client = Client::new(self.options());
        // Whoever is listened for may take as long as it likes.
        let stream = if shared.address.listens() {
            Listener::bind(&shared.address).await?.accept().await?
        } else {
            Stream::connect(&shared.address, CONNECT_TIMEOUT).await?
        };
        let mut establish = std::pin::pin!(client.establish(stream));
        tokio::select! {
            biased;
            established = &mut establish => established,
            () = sleep(WAITING_AFTER) => {
                self.waiting();
                establish.await
            }
        }
        // Whose error it is is known here.
        .map_err(|error| error.error)?;
        Ok(client.clone())
    }

    fn options(&self) -> Options {
        let shared = Arc::clone(&self.shared);
        let run_state = Arc::clone(&self.run_state);
        // Runs in the reader task, before any later reply is delivered: an
        // event is in the log before whoever caused it has his reply.
        let on_event = move |event: Event| {
            let may_change = RUN_STATE_EVENTS.contains(&event.name());
            shared.log.append(event, Timestamp::now());
            shared.activity.event();
            if may_change {
                run_state.notify_one();
            }
        };
        Options {
            name: self.shared.name.clone(),
            kind: self.shared.address.kind(),
            greeting_timeout: None,
            on_event: Some(Arc::new(on_event)),
            ..Options::default()
        }
    }

    /// Follows a running connection. Returns why it ended.
    async fn follow(&self, client: &Client) -> String {
        let shared = &self.shared;
        let address = shared.address.to_string();
        info!(session = shared.name, address, "running");
        shared.publish(|published| {
            published.state = SessionState::Running;
            published.cause = None;
            published.client = Some(client.clone());
            published.connections += 1;
        });
        let mut counters = Counters::default();
        let mut tick = interval(COUNTERS_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let status = self.follow_status(client);
        tokio::pin!(status);
        loop {
            // Every arm is cancel safe: waiting again starts where it was.
            tokio::select! {
                biased;
                cause = client.closed() => {
                    return cause.map_or_else(
                        || "the connection was closed".to_owned(),
                        |cause| chain(&*cause),
                    );
                }
                never = &mut status => match never {},
                _ = tick.tick() => {
                    let connections = shared.published().connections;
                    let latest = shared.counters(connections);
                    if latest != counters {
                        counters = latest;
                        shared.publish(|_| {});
                    }
                }
            }
        }
    }

    /// Asks for the run state at first and whenever it may have changed, and
    /// publishes it. Never returns: an endpoint without a run state is left
    /// alone.
    async fn follow_status(&self, client: &Client) -> Infallible {
        #[derive(Deserialize)]
        struct StatusInfo {
            status: String,
        }
        let shared = &self.shared;
        if shared.address.kind() == EndpointKind::Qga {
            return std::future::pending().await;
        }
        loop {
            let query = Execute::new("query-status").timeout(OWN_COMMAND_TIMEOUT);
            let status = match client.execute(query).await {
                Ok(value) => match serde_json::from_str::<StatusInfo>(value.get()) {
                    Ok(info) => Some(info.status),
                    Err(error) => {
                        warn!(session = shared.name, %error, "query-status returned no status");
                        None
                    }
                },
                Err(error) if is_unknown(&error) => return std::future::pending().await,
                Err(error) => {
                    debug!(session = shared.name, error = chain(&error), "no run state");
                    None
                }
            };
            if shared.published().status != status {
                shared.publish(|published| published.status = status);
            }
            self.run_state.notified().await;
        }
    }

    fn waiting(&self) {
        let cause = match self.shared.address.kind() {
            EndpointKind::Qmp => {
                "connected, but not greeted: the monitor may be in use by another client"
            }
            EndpointKind::Qga => {
                "connected, but the agent does not answer: it may not be running in the guest, \
                 or be in use by another client"
            }
        };
        info!(session = self.shared.name, cause, "waiting");
        self.shared.publish(|published| {
            published.state = SessionState::Waiting;
            published.cause = Some(cause.to_owned());
        });
    }

    /// Logs a cause once, however often it repeats.
    fn retrying(&self, cause: String) {
        let repeated = {
            let published = self.shared.published();
            published.state == SessionState::Retrying && published.cause.as_ref() == Some(&cause)
        };
        if repeated {
            return;
        }
        warn!(session = self.shared.name, cause, "not connected, retrying");
        self.shared.publish(|published| {
            published.state = SessionState::Retrying;
            published.cause = Some(cause);
            published.status = None;
            published.client = None;
        });
    }
}

/// Whether the endpoint does not know the command.
fn is_unknown(error: &ExecuteError) -> bool {
    matches!(error, ExecuteError::Refused(refused) if refused.error.class == "CommandNotFound")
}
