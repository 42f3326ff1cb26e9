//! All sessions of the console, by name, and the one signal that something
//! happened in any of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use qmp_client::address::Address;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Session;
use super::actor::Actor;

/// Longest session name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// How long sessions may take to hang up when the console stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Counts everything that happens in any session: events and changes of
/// state. Readers wait for the count to move, then look at what they follow.
/// Holds one number, whoever is slow sees the newest one: no queue.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<watch::Sender<u64>>);

impl Activity {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// The count now.
    pub(crate) fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Counts one more, wakes the readers and returns the new count.
    pub(super) fn bump(&self) -> u64 {
        let mut count = 0;
        self.0.send_modify(|value| {
            *value += 1;
            count = *value;
        });
        count
    }

    /// To wait for the count to move.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// Why a session was not added.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum RegistryError {
    /// The name is taken.
    #[error("there are two sessions named {0:?}")]
    Taken(String),
    /// The name could not stand in an address of the API.
    #[error(
        "session name {0:?} is not 1 to {MAX_NAME_BYTES} of the characters A-Z a-z 0-9 . _ -, \
         beginning with a letter or digit"
    )]
    BadName(String),
}

/// The sessions of a console. Dropping it without [`shutdown`](Self::shutdown)
/// ends the sessions' tasks with the runtime.
#[derive(Debug)]
pub(crate) struct Sessions {
    sessions: BTreeMap<String, Session>,
    activity: Activity,
    actors: JoinSet<()>,
    cancel: CancellationToken,
}

impl Sessions {
    /// Starts one session for each name and address. Needs a runtime.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] for a name that cannot be used; nothing was started.
    pub(crate) fn start(
        sessions: impl IntoIterator<Item = (String, Address)>,
    ) -> Result<Self, RegistryError> {
        let activity = Activity::new();
        let mut map = BTreeMap::new();
        for (name, address) in sessions {
            check_name(&name)?;
            let session = Session::new(name.clone(), address, activity.clone());
            if map.insert(name.clone(), session).is_some() {
                return Err(RegistryError::Taken(name));
            }
        }
        let cancel = CancellationToken::new();
        let mut actors = JoinSet::new();
        for session in map.values() {
            let actor = Actor::new(Arc::clone(&session.0));
            actors.spawn(actor.run(cancel.clone()));
        }
        Ok(Self {
            sessions: map,
            activity,
            actors,
            cancel,
        })
    }

    /// The session of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Session> {
        self.sessions.get(name)
    }

    /// All sessions, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// The signal of all sessions.
    pub(crate) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Hangs up on every endpoint and waits until that is done, for at most
    /// three seconds.
    pub(crate) async fn shutdown(mut self) {
        self.cancel.cancel();
        let drain = async { while self.actors.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, drain).await.is_err() {
            warn!("some sessions did not hang up in time");
        }
    }
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
        let address: Address = "unix:/nowhere.sock".parse().unwrap();
        let twice = [("vm", &address), ("vm", &address)];
        let error = Sessions::start(twice.map(|(name, address)| (name.into(), address.clone())))
            .unwrap_err();
        assert_eq!(error, RegistryError::Taken("vm".into()));
    }
}
