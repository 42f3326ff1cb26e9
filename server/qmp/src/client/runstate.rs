//! What a client is doing, and those who watch it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::connection::Connection;

/// Most changes that a watcher may be behind.
const BEHIND: usize = 64;

/// What a client is doing, as in the reference manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runstate {
    /// Fully quiesced and disconnected.
    Idle,
    /// Connecting, or establishing a session.
    Connecting,
    /// Fully connected.
    Running,
    /// The session is over; [`Client::disconnect`](super::Client::disconnect)
    /// makes the client idle.
    Disconnecting,
}

impl fmt::Display for Runstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Running => "running",
            Self::Disconnecting => "disconnecting",
        })
    }
}

/// Sees each state that a client enters, in order, from when it was made.
///
/// A bounded queue: of a watcher that is more than 64 changes behind, the
/// oldest are dropped.
#[derive(Debug)]
pub struct RunstateWatcher(broadcast::Receiver<Runstate>);

impl RunstateWatcher {
    /// The next state that the client enters; `None` when there is no client
    /// any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no state.
    pub async fn changed(&mut self) -> Option<Runstate> {
        loop {
            match self.0.recv().await {
                Ok(state) => return Some(state),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// The state of a client. Every change of it is made under one lock.
#[derive(Debug)]
pub(super) struct Current {
    state: Mutex<State>,
    changes: broadcast::Sender<Runstate>,
}

#[derive(Debug)]
struct State {
    runstate: Runstate,
    /// There while the client is running or disconnecting.
    connection: Option<Connection>,
}

impl Current {
    pub(super) fn idle() -> Self {
        let state = State {
            runstate: Runstate::Idle,
            connection: None,
        };
        Self {
            state: Mutex::new(state),
            changes: broadcast::Sender::new(BEHIND),
        }
    }

    pub(super) fn watch(&self) -> RunstateWatcher {
        RunstateWatcher(self.changes.subscribe())
    }

    pub(super) fn runstate(&self) -> Runstate {
        self.lock().runstate
    }

    /// The connection, running or over.
    pub(super) fn connection(&self) -> Option<Connection> {
        self.lock().connection.clone()
    }

    /// The connection if it is running, else the state.
    pub(super) fn running(&self) -> Result<Connection, Runstate> {
        let state = self.lock();
        match &state.connection {
            Some(connection) if state.runstate == Runstate::Running => Ok(connection.clone()),
            _ => Err(state.runstate),
        }
    }

    /// From idle to connecting, or the state that it is in instead.
    pub(super) fn connecting(&self) -> Result<(), Runstate> {
        let mut state = self.lock();
        match state.runstate {
            Runstate::Idle => {
                self.enter(&mut state, Runstate::Connecting);
                Ok(())
            }
            other => Err(other),
        }
    }

    /// From connecting to running. The connection is started under the lock,
    /// so that it cannot be over before it is running.
    pub(super) fn established(&self, start: impl FnOnce() -> Connection) {
        let mut state = self.lock();
        state.connection = Some(start());
        self.enter(&mut state, Runstate::Running);
    }

    /// From connecting by disconnecting to idle.
    pub(super) fn failed(&self) {
        let mut state = self.lock();
        self.enter(&mut state, Runstate::Disconnecting);
        self.enter(&mut state, Runstate::Idle);
    }

    /// From running to disconnecting, if it is this connection that runs.
    pub(super) fn disconnecting(&self, connection: &Connection) {
        let mut state = self.lock();
        if state.runstate == Runstate::Running && state.has(connection) {
            self.enter(&mut state, Runstate::Disconnecting);
        }
    }

    /// From disconnecting to idle, if it is still this connection.
    pub(super) fn disconnected(&self, connection: &Connection) {
        let mut state = self.lock();
        if state.has(connection) {
            state.connection = None;
            self.enter(&mut state, Runstate::Idle);
        }
    }

    fn enter(&self, state: &mut State, runstate: Runstate) {
        state.runstate = runstate;
        // That nobody watches is normal.
        let (Ok(_) | Err(_)) = self.changes.send(runstate);
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has(&self, connection: &Connection) -> bool {
        self.connection.as_ref().is_some_and(|it| it.is(connection))
    }
}
