//! The logins of browsers: whoever has shown a token once is remembered by a
//! secret of its own, so that a cookie never carries the token and a logout ends
//! that login for good.
//!
//! Kept in a file of the state directory, by hash, as tokens are; without one,
//! they end with the console.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::private_file::{self, Write};
use super::token::{Token, TokenError};
use super::tokens::{Hash, Identity, Tokens};

/// Name of the file.
const FILE: &str = "logins.json";

/// Most logins there are; one more ends the oldest.
const MOST: usize = 1000;

/// One login, of those there were. Whether it goes on is asked each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login(Hash);

/// What the file says of a login.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    /// The token that was shown.
    token: Hash,
    since: Timestamp,
}

/// All logins, by the hash of their secret.
#[derive(Debug)]
pub(crate) struct Logins {
    file: Option<PathBuf>,
    open: Mutex<BTreeMap<Hash, Stored>>,
}

impl Logins {
    /// Those of the file in this directory, if one is given. A file that cannot
    /// be read is told in the log, and everybody has to log in again.
    pub(crate) fn new(directory: Option<&Path>) -> Self {
        let file = directory.map(|directory| directory.join(FILE));
        let open = file.as_deref().map(read).unwrap_or_default();
        Self {
            file,
            open: Mutex::new(open),
        }
    }

    /// A login by this token; returns its secret, for the cookie.
    ///
    /// # Errors
    ///
    /// [`TokenError::NoRandomness`]. A disk that takes nothing is none: the
    /// login then ends with the console, which the log says.
    pub(crate) fn begin(&self, identity: &Identity, tokens: &Tokens) -> Result<Token, TokenError> {
        let secret = Token::random()?;
        let login = Stored {
            token: identity.hash.clone(),
            since: Timestamp::now(),
        };
        let mut open = self.open();
        open.retain(|_, login| tokens.of(&login.token).is_some());
        if open.len() >= MOST
            && let Some(oldest) = oldest(&open)
        {
            open.remove(&oldest);
        }
        open.insert(Hash::of(secret.reveal().as_bytes()), login);
        self.keep(&open, private_file::replace);
        Ok(secret)
    }

    /// The login with this secret, and whose it is; `None` for none, for one that
    /// has ended, and for one whose token has.
    pub(crate) fn find(&self, secret: &[u8], tokens: &Tokens) -> Option<(Login, Identity)> {
        let hash = Hash::of(secret);
        let token = self.open().get(&hash)?.token.clone();
        Some((Login(hash), tokens.of(&token)?))
    }

    /// A login has ended: what it has opened is closed, and its secret counts no
    /// more.
    pub(crate) fn end(&self, login: &Login) {
        let mut open = self.open();
        if open.remove(&login.0).is_some() {
            self.keep(&open, private_file::shorten);
        }
    }

    /// Whether a login goes on.
    pub(crate) fn still(&self, login: &Login) -> bool {
        self.open().contains_key(&login.0)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Hash, Stored>> {
        // Nothing panics while it holds the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, open: &BTreeMap<Hash, Stored>, write: Write) {
        let Some(path) = &self.file else { return };
        let written = serde_json::to_vec(open)
            .map_err(io::Error::from)
            .and_then(|text| write(path, &text));
        if let Err(error) = written {
            warn!("logins are not kept: {}: {error}", path.display());
        }
    }
}

fn oldest(open: &BTreeMap<Hash, Stored>) -> Option<Hash> {
    let oldest = open.iter().min_by_key(|(_, login)| login.since);
    oldest.map(|(hash, _)| hash.clone())
}

fn read(path: &Path) -> BTreeMap<Hash, Stored> {
    let found = fs::read(path).and_then(|text| Ok(serde_json::from_slice(&text)?));
    found.unwrap_or_else(|error: io::Error| {
        if error.kind() != io::ErrorKind::NotFound {
            warn!("logins are lost: {}: {error}", path.display());
        }
        BTreeMap::new()
    })
}

#[cfg(test)]
mod tests {
    use qmp_shared::rest::Role;

    use super::*;

    #[test]
    fn a_login_goes_on_until_its_end_or_that_of_its_token() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(Some(directory.path()), None);
        let (token, _) = tokens.create("ci", Role::Operator, None).unwrap();
        let identity = tokens.verify(token.reveal().as_bytes()).unwrap();
        let logins = Logins::new(Some(directory.path()));
        let begin = || logins.begin(&identity, &tokens).unwrap();
        let (first, second) = (begin(), begin());
        let of = |logins: &Logins, secret: &Token| {
            let found = logins.find(secret.reveal().as_bytes(), &tokens);
            found.map(|(login, identity)| {
                assert_eq!(identity.name, "ci");
                login
            })
        };
        let login = of(&logins, &first).unwrap();
        assert!(logins.still(&login));
        logins.end(&login);
        assert!(!logins.still(&login) && of(&logins, &first).is_none());
        assert!(of(&logins, &second).is_some());

        // In another run too, and neither secret is in the file.
        let again = Logins::new(Some(directory.path()));
        assert!(of(&again, &first).is_none() && of(&again, &second).is_some());
        let text = fs::read_to_string(directory.path().join(FILE)).unwrap();
        for secret in [&first, &second, &token] {
            assert!(!text.contains(secret.reveal()));
        }
        tokens.revoke("ci").unwrap();
        assert!(of(&again, &second).is_none());
    }

    #[test]
    fn the_oldest_login_makes_room() {
        let chosen = Token::chosen("0123456789abcdef".into()).unwrap();
        let tokens = Tokens::new(None, Some(&chosen));
        let identity = tokens.verify(b"0123456789abcdef").unwrap();
        let logins = Logins::new(None);
        let begin = || logins.begin(&identity, &tokens).unwrap();
        let secrets: Vec<_> = (0..=MOST).map(|_| begin()).collect();
        let found = |secret: &Token| logins.find(secret.reveal().as_bytes(), &tokens);
        assert!(found(&secrets[0]).is_none() && found(&secrets[1]).is_some());
        assert_eq!(logins.open().len(), MOST);
    }

    #[test]
    fn a_damaged_file_lets_nobody_in_and_a_lost_one_ends_nobody() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "{").unwrap();
        let chosen = Token::chosen("0123456789abcdef".into()).unwrap();
        let tokens = Tokens::new(None, Some(&chosen));
        let identity = tokens.verify(b"0123456789abcdef").unwrap();
        let logins = Logins::new(Some(directory.path()));
        directory.close().unwrap();
        let secret = logins.begin(&identity, &tokens).unwrap();
        assert!(logins.find(secret.reveal().as_bytes(), &tokens).is_some());
    }
}
