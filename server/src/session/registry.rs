//! All sessions of the console, by name, and the one signal that something
//! happened in any of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use qmp_client::address::Address;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Session;
use super::actor::Actor;
use crate::journal::Journal;

/// Longest session name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Most sessions of a console.
const MAX_SESSIONS: usize = 10_000;

/// How long sessions may take to hang up when the console stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Counts everything that happens in any session: events and changes of
/// state. Readers wait for the count to move, then look at what they follow.
/// Holds one number, whoever is slow sees the newest one: no queue.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<watch::Sender<Counted>>);

/// How much has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// All of it.
    all: u64,
    /// The count when a session changed last that is shown, or came or went.
    pub(crate) changed: u64,
}

impl Activity {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Counted::default())))
    }

    /// The count now.
    pub(crate) fn count(&self) -> u64 {
        self.0.borrow().all
    }

    /// Counts an event, and wakes the readers.
    pub(super) fn event(&self) {
        self.0.send_modify(|counted| counted.all += 1);
    }

    /// Counts a change of what is shown of a session, wakes the readers and
    /// returns the new count.
    pub(super) fn change(&self) -> u64 {
        let mut count = 0;
        self.0.send_modify(|counted| {
            counted.all += 1;
            counted.changed = counted.all;
            count = counted.all;
        });
        count
    }

    /// To wait for the count to move.
    pub(crate) fn watch(&self) -> watch::Receiver<Counted> {
        self.0.subscribe()
    }
}

/// Why a session was not added.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum RegistryError {
    /// The name is taken.
    #[error("there is a session named {0:?} already")]
    Taken(String),
    /// The name could not stand in an address of the API.
    #[error(
        "session name {0:?} is not 1 to {MAX_NAME_BYTES} of the characters A-Z a-z 0-9 . _ -, \
         beginning with a letter or digit"
    )]
    BadName(String),
    /// There are as many as there may be.
    #[error("there are {MAX_SESSIONS} sessions already")]
    TooMany,
    /// The console is stopping.
    #[error("the console is stopping")]
    Stopping,
}

/// The sessions of a console. They can be added and removed at any time.
#[derive(Debug)]
pub(crate) struct Sessions {
    roster: Mutex<Arc<Roster>>,
    /// The task of each session, and what ends it.
    actors: Mutex<BTreeMap<String, (CancellationToken, JoinHandle<()>)>>,
    activity: Activity,
    journal: Journal,
    stopping: AtomicBool,
}

/// The sessions there are, by name. A snapshot: a change makes another one.
pub(crate) type Roster = BTreeMap<String, Session>;

impl Sessions {
    /// No sessions yet.
    pub(crate) fn new(journal: Journal) -> Self {
        Self {
            roster: Mutex::default(),
            actors: Mutex::default(),
            activity: Activity::new(),
            journal,
            stopping: AtomicBool::new(false),
        }
    }

    /// Whether a session can have this name.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BadName`].
    pub(crate) fn check_name(name: &str) -> Result<(), RegistryError> {
        check_name(name)
    }

    /// Adds a session and has it connect. Needs a runtime; reads from disk.
    ///
    /// # Errors
    ///
    /// [`RegistryError`]; nothing was started.
    pub(crate) fn add(&self, name: &str, address: Address) -> Result<Session, RegistryError> {
        check_name(name)?;
        // Held throughout, so that of two with one name the second is refused.
        let mut actors = lock(&self.actors);
        if self.stopping.load(Ordering::Relaxed) {
            return Err(RegistryError::Stopping);
        }
        if actors.contains_key(name) {
            return Err(RegistryError::Taken(name.to_owned()));
        }
        if actors.len() >= MAX_SESSIONS {
            return Err(RegistryError::TooMany);
        }
        let log = self.journal.log(name);
        let session = Session::new(name.to_owned(), address, log, self.activity.clone());
        let cancel = CancellationToken::new();
        let actor = Actor::new(Arc::clone(&session.0));
        let task = tokio::spawn(actor.run(cancel.clone()));
        actors.insert(name.to_owned(), (cancel, task));
        self.replace(|roster| roster.insert(name.to_owned(), session.clone()));
        // It may have told its state before anybody could find it.
        session.tell();
        Ok(session)
    }

    /// Removes a session: hangs up, and forgets it. Its events stay in the
    /// journal. False if there is none.
    ///
    /// # Cancel safety
    ///
    /// The session ends in any case.
    pub(crate) async fn remove(&self, name: &str) -> bool {
        let Some((cancel, task)) = lock(&self.actors).remove(name) else {
            return false;
        };
        cancel.cancel();
        if timeout(SHUTDOWN_TIMEOUT, task).await.is_err() {
            warn!(session = name, "did not hang up in time");
        }
        if let Some(session) = self.get(name) {
            let (journal, name) = (self.journal.clone(), name.to_owned());
            let end = move || journal.end(&name, session.log());
            if let Err(error) = tokio::task::spawn_blocking(end).await {
                warn!(%error, "the journal's end of a session");
            }
        }
        // Only now, so that nobody sees it go before its last events.
        self.replace(|roster| roster.remove(name));
        self.activity.change();
        true
    }

    fn replace<T>(&self, change: impl FnOnce(&mut Roster) -> T) {
        let mut roster = lock(&self.roster);
        let mut changed = Roster::clone(&roster);
        change(&mut changed);
        *roster = Arc::new(changed);
    }

    /// The session of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Session> {
        self.roster().get(name).cloned()
    }

    /// All sessions as they are now.
    pub(crate) fn roster(&self) -> Arc<Roster> {
        Arc::clone(&lock(&self.roster))
    }

    /// The signal of all sessions.
    pub(crate) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Hangs up on every endpoint and waits until that is done, for at most
    /// three seconds.
    pub(crate) async fn shutdown(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        let actors = std::mem::take(&mut *lock(&self.actors));
        for (cancel, _) in actors.values() {
            cancel.cancel();
        }
        let tasks = actors.into_values().map(|(_, task)| task);
        if timeout(SHUTDOWN_TIMEOUT, join_all(tasks)).await.is_err() {
            warn!("some sessions did not hang up in time");
        }
    }
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_name(name: &str) -> Result<(), RegistryError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = name.len() <= MAX_NAME_BYTES
        && name.bytes().all(plain)
        && name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if good {
        Ok(())
    } else {
        Err(RegistryError::BadName(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_an_address() {
        for good in ["vm", "vm-1", "a.b_c", "0"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for bad in ["", ".", "..", "-x", "a/b", "a b", "ä", "a?b", &long] {
            assert_eq!(check_name(bad), Err(RegistryError::BadName(bad.into())));
        }
    }

    #[tokio::test]
    async fn two_sessions_of_one_name_are_refused() {
        let sessions = Sessions::new(Journal::in_memory().unwrap());
        let address: Address = "unix:/nowhere.sock".parse().unwrap();
        sessions.add("vm", address.clone()).unwrap();
        let taken = RegistryError::Taken("vm".into());
        assert_eq!(sessions.add("vm", address.clone()).unwrap_err(), taken);
        assert!(sessions.remove("vm").await);
        assert!(!sessions.remove("vm").await);
        sessions.add("vm", address.clone()).unwrap();
        sessions.shutdown().await;
        let stopping = RegistryError::Stopping;
        assert_eq!(sessions.add("other", address).unwrap_err(), stopping);
    }
}
