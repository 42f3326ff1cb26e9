//! The tokens there are: their hashes, in a file of the state directory.
//!
//! The file is small, is replaced in one step, and is read again when it is
//! another one; so a token that was made or revoked by another process counts
//! at once. Besides there may be one token that came with the environment.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use qmp_shared::rest::{Role, TokenInfo};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::private_file::{self, Write};
use super::token::{Token, TokenError};

/// Name of the file.
const FILE: &str = "tokens.json";

/// Most tokens there may be.
const MAX_TOKENS: usize = 1000;

/// Longest name of a token, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The name of the token that came with the environment.
pub(crate) const CHOSEN: &str = "admin";

/// Who a request comes from. Whether he still may is asked each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The token's name.
    pub(crate) name: String,
    /// What it allows.
    pub(crate) role: Role,
    pub(super) hash: Hash,
}

/// SHA-256 of a secret, in hexadecimal. Secrets are random or long: a table of
/// hashes that somebody has made beforehand does not help.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Hash(String);

impl Hash {
    pub(super) fn of(token: &[u8]) -> Self {
        let digest = Sha256::digest(token);
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What the file says of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    role: Role,
    hash: Hash,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
}

impl Stored {
    fn info(&self, name: &str) -> TokenInfo {
        let text = |time: Timestamp| format!("{time:.6}");
        TokenInfo {
            name: name.to_owned(),
            role: self.role,
            created: text(self.created),
            expires: self.expires.map(text),
        }
    }
}

/// Why tokens could not be read or changed.
#[derive(Debug, Error)]
pub(crate) enum TokensError {
    /// The name is taken.
    #[error("there is a token named {0:?} already")]
    Taken(String),
    /// No token of that name.
    #[error("there is no token named {0:?}")]
    Unknown(String),
    /// The name is none.
    #[error("token name {0:?} is not 1 to {MAX_NAME_BYTES} of the characters A-Z a-z 0-9 . _ - @")]
    BadName(String),
    /// Not a time to come.
    #[error("`expires` is {0} seconds, which is no time to come")]
    BadExpiry(f64),
    /// There are as many as there may be.
    #[error("there are {MAX_TOKENS} tokens already")]
    TooMany,
    /// Nothing is kept.
    #[error("this console keeps no state, and thus no tokens")]
    Ephemeral,
    /// The token that came with the environment is not in the file.
    #[error("the token {CHOSEN:?} comes from the environment; it ends with the console")]
    FromEnvironment,
    /// No token could be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The file could not be read or written.
    #[error("{path}")]
    File {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// All tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The hash of the one that came with the environment, or that `serve` made.
    chosen: Option<Hash>,
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

/// The file as it was read last.
#[derive(Debug, Default)]
struct Known {
    /// What tells one file from another; `None` when there is none.
    version: Option<(u64, u64, i64, i64)>,
    tokens: BTreeMap<String, Stored>,
    /// Tokens that it should not have any more, though it could not be written.
    forgotten: BTreeMap<String, Hash>,
}

impl Tokens {
    /// Those of the file in this directory, if one is given, and a chosen one.
    pub(crate) fn new(directory: Option<&Path>, chosen: Option<&Token>) -> Self {
        Self {
            chosen: chosen.map(|token| Hash::of(token.reveal().as_bytes())),
            file: directory.map(|directory| directory.join(FILE)),
            known: Mutex::default(),
        }
    }

    /// Whose token this is; `None` for nobody's.
    pub(crate) fn verify(&self, token: &[u8]) -> Option<Identity> {
        // What is compared are hashes: how long that takes tells nothing of a
        // token.
        self.of(&Hash::of(token))
    }

    /// Whose token has this hash; `None` for nobody's.
    pub(super) fn of(&self, hash: &Hash) -> Option<Identity> {
        let identity = |name: &str, role| Identity {
            name: name.to_owned(),
            role,
            hash: hash.clone(),
        };
        if self.chosen.as_ref() == Some(hash) {
            return Some(identity(CHOSEN, Role::Admin));
        }
        let known = self.known().ok()?;
        let mut tokens = known.tokens.iter();
        let (name, stored) = tokens.find(|(_, stored)| stored.hash == *hash)?;
        is_current(stored).then(|| identity(name, stored.role))
    }

    /// Whether the token that somebody has shown is still his, and as good.
    pub(crate) fn still(&self, identity: &Identity) -> bool {
        if self.chosen.as_ref() == Some(&identity.hash) {
            return true;
        }
        self.known().is_ok_and(|known| {
            known.tokens.get(&identity.name).is_some_and(|stored| {
                stored.hash == identity.hash && stored.role == identity.role && is_current(stored)
            })
        })
    }

    /// Whether anybody can be let in by the file.
    ///
    /// # Errors
    ///
    /// [`TokensError::File`].
    pub(crate) fn any(&self) -> Result<bool, TokensError> {
        Ok(self.known()?.tokens.values().any(is_current))
    }

    /// All of the file, sorted by name.
    ///
    /// # Errors
    ///
    /// [`TokensError::File`].
    pub(crate) fn list(&self) -> Result<Vec<TokenInfo>, TokensError> {
        let known = self.known()?;
        let tokens = known.tokens.iter();
        Ok(tokens.map(|(name, stored)| stored.info(name)).collect())
    }

    /// Makes a token, which is told this once. `expires` is in seconds.
    ///
    /// # Errors
    ///
    /// [`TokensError`]; nothing has changed.
    pub(crate) fn create(
        &self,
        name: &str,
        role: Role,
        expires: Option<f64>,
    ) -> Result<(Token, TokenInfo), TokensError> {
        check_name(name)?;
        let created = Timestamp::now();
        let expires = expires
            .map(|seconds| expiry(created, seconds))
            .transpose()?;
        let token = Token::random()?;
        let stored = Stored {
            role,
            hash: Hash::of(token.reveal().as_bytes()),
            created,
            expires,
        };
        let info = stored.info(name);
        self.change(private_file::replace, |tokens| {
            // One that has ended is as good as gone.
            let taken = tokens.get(name).is_some_and(is_current);
            if taken || (self.chosen.is_some() && name == CHOSEN) {
                return Err(TokensError::Taken(name.to_owned()));
            }
            tokens.retain(|_, stored| is_current(stored));
            if tokens.len() >= MAX_TOKENS {
                return Err(TokensError::TooMany);
            }
            tokens.insert(name.to_owned(), stored);
            Ok(())
        })?;
        Ok((token, info))
    }

    /// Revokes a token, also one that is [forgotten](Self::forget).
    ///
    /// # Errors
    ///
    /// [`TokensError`]; nothing has changed.
    pub(crate) fn revoke(&self, name: &str) -> Result<(), TokensError> {
        self.change(private_file::shorten, |tokens| match tokens.remove(name) {
            Some(_) => Ok(()),
            None if self.known()?.forgotten.contains_key(name) => Ok(()),
            None if name == CHOSEN && self.chosen.is_some() => Err(TokensError::FromEnvironment),
            None => Err(TokensError::Unknown(name.to_owned())),
        })
    }

    /// Where the file cannot be written a token lets nobody in all the same, as
    /// long as this process runs. Returns whether there is such a token.
    pub(crate) fn forget(&self, name: &str) -> bool {
        // Who cannot be looked up is not let in.
        let Ok(mut known) = self.known() else {
            return false;
        };
        if let Some(stored) = known.tokens.remove(name) {
            known.forgotten.insert(name.to_owned(), stored.hash);
        }
        known.forgotten.contains_key(name)
    }

    /// Changes the file, while nobody else does.
    fn change(
        &self,
        write: Write,
        change: impl FnOnce(&mut BTreeMap<String, Stored>) -> Result<(), TokensError>,
    ) -> Result<(), TokensError> {
        let path = self.file.as_deref().ok_or(TokensError::Ephemeral)?;
        let fault = |source| of_file(path, source);
        let lock = path.with_extension("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(lock)
            .map_err(fault)?;
        lock.lock().map_err(fault)?;
        let mut tokens = self.known()?.tokens.clone();
        change(&mut tokens)?;
        let text = serde_json::to_string_pretty(&tokens).map_err(io::Error::from);
        let written = text.and_then(|text| write(path, format!("{text}\n").as_bytes()));
        written.map_err(fault)?;
        self.known()?.forgotten.clear();
        Ok(())
    }

    /// The file as it is now.
    fn known(&self) -> Result<MutexGuard<'_, Known>, TokensError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = &self.file else {
            return Ok(known);
        };
        let fault = |source| of_file(path, source);
        let version = match fs::metadata(path) {
            Ok(found) => Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // Nobody is let in whom nobody can look up.
            Err(error) => return Err(fault(error)),
        };
        if known.version != version {
            known.tokens = match version {
                Some(_) => read(path).map_err(fault)?,
                None => BTreeMap::new(),
            };
            let Known {
                tokens, forgotten, ..
            } = &mut *known;
            tokens.retain(|name, stored| forgotten.get(name) != Some(&stored.hash));
            known.version = version;
        }
        Ok(known)
    }
}

fn is_current(stored: &Stored) -> bool {
    stored
        .expires
        .is_none_or(|expires| expires > Timestamp::now())
}

fn expiry(now: Timestamp, seconds: f64) -> Result<Timestamp, TokensError> {
    let bad = || TokensError::BadExpiry(seconds);
    if !(seconds > 0.0 && seconds < 1e10) {
        return Err(bad());
    }
    let after = SignedDuration::try_from_secs_f64(seconds).map_err(|_| bad())?;
    now.checked_add(after).map_err(|_| bad())
}

fn check_name(name: &str) -> Result<(), TokensError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    match (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(plain) {
        true => Ok(()),
        false => Err(TokensError::BadName(name.to_owned())),
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<String, Stored>> {
    let text = fs::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn of_file(path: &Path, source: io::Error) -> TokensError {
    TokensError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_shown_and_revoked_by_whichever_process() {
        let directory = tempfile::tempdir().unwrap();
        let chosen = Token::chosen("0123456789abcdef".into()).unwrap();
        let server = Tokens::new(Some(directory.path()), Some(&chosen));
        let command_line = Tokens::new(Some(directory.path()), None);
        assert_eq!(
            server.verify(b"0123456789abcdef").unwrap().role,
            Role::Admin
        );

        assert!(!command_line.any().unwrap());
        let (token, info) = command_line
            .create("ci", Role::Operator, Some(60.0))
            .unwrap();
        assert!(server.any().unwrap());
        let secret = token.reveal().as_bytes();
        let identity = server.verify(secret).unwrap();
        assert_eq!((&*identity.name, identity.role), ("ci", Role::Operator));
        assert!(server.still(&identity));
        assert_eq!(server.list().unwrap(), [info]);
        let text = fs::read_to_string(directory.path().join(FILE)).unwrap();
        assert!(!text.contains(token.reveal()));
        let mode = fs::metadata(directory.path().join(FILE)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);

        let taken = server.create("ci", Role::Viewer, None).unwrap_err();
        assert!(matches!(taken, TokensError::Taken(_)));
        command_line.revoke("ci").unwrap();
        assert!(!server.still(&identity) && server.verify(secret).is_none());
        let unknown = server.revoke("ci").unwrap_err();
        assert!(matches!(unknown, TokensError::Unknown(_)));
        // The next one of that name is another one.
        server.create("ci", Role::Operator, None).unwrap();
        assert!(!server.still(&identity));
    }

    #[test]
    fn what_is_no_name_or_time_or_has_no_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(Some(directory.path()), None);
        for name in ["", "a b", "ä", &"x".repeat(65)] {
            let error = tokens.create(name, Role::Viewer, None).unwrap_err();
            assert!(matches!(error, TokensError::BadName(_)), "{name}");
        }
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            let error = tokens.create("x", Role::Viewer, Some(seconds)).unwrap_err();
            assert!(matches!(error, TokensError::BadExpiry(_)), "{seconds}");
        }
        let none = Tokens::new(None, None);
        let error = none.create("x", Role::Viewer, None).unwrap_err();
        assert!(matches!(error, TokensError::Ephemeral));
    }

    #[test]
    fn a_token_ends() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(Some(directory.path()), None);
        let (token, _) = tokens.create("x", Role::Viewer, Some(1e-6)).unwrap();
        assert_eq!(tokens.verify(token.reveal().as_bytes()), None);
        // Its name is free again.
        tokens.create("x", Role::Viewer, None).unwrap();
    }

    #[test]
    fn nobody_is_let_in_by_a_damaged_file() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(Some(directory.path()), None);
        let (token, _) = tokens.create("x", Role::Viewer, None).unwrap();
        fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(tokens.verify(token.reveal().as_bytes()), None);
        assert!(matches!(tokens.list(), Err(TokensError::File { .. })));
        assert!(tokens.create("y", Role::Viewer, None).is_err());
    }

    /// Something is where the fresh file would be: none can be made.
    #[test]
    fn a_token_is_revoked_where_there_is_no_room_for_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(Some(directory.path()), None);
        let make = |name| tokens.create(name, Role::Viewer, None);
        let (kept, _) = make("a").unwrap();
        let (revoked, _) = make("b").unwrap();
        let fresh = directory
            .path()
            .join(format!("tokens.{}.new", std::process::id()));
        fs::create_dir(fresh).unwrap();
        assert!(matches!(make("c"), Err(TokensError::File { .. })));
        tokens.revoke("b").unwrap();
        for tokens in [&tokens, &Tokens::new(Some(directory.path()), None)] {
            assert_eq!(tokens.verify(revoked.reveal().as_bytes()), None);
            assert!(tokens.verify(kept.reveal().as_bytes()).is_some());
            assert_eq!(tokens.list().unwrap().len(), 1);
        }
    }
}
