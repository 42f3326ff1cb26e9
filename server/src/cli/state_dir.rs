//! The state directory: what a console keeps between runs.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::access::{Token, private_file};

/// Name of the file that holds the token of the running server.
const TOKEN_FILE: &str = "token";

/// The directory that was asked for, else `$XDG_STATE_HOME/qmp-console`, else
/// `~/.local/state/qmp-console` (XDG Base Directory Specification).
pub(super) fn locate(asked_for: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(path) = asked_for {
        return Ok(path);
    }
    let set = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    match state {
        Some(state) => Ok(state.join("qmp-console")),
        None => bail!("neither XDG_STATE_HOME nor HOME names a directory; --data-dir does"),
    }
}

/// The directory, as [`locate`] finds it; it is made if it is not there, for its
/// owner only.
pub(super) fn create(asked_for: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let directory = locate(asked_for)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .with_context(|| format!("state directory {}", directory.display()))?;
    Ok(directory)
}

/// Writes the token where only its owner can read it and returns the path. An
/// older one is replaced in one step.
pub(super) fn write_token(directory: &Path, token: &Token) -> anyhow::Result<PathBuf> {
    let path = directory.join(TOKEN_FILE);
    private_file::replace(&path, format!("{}\n", token.reveal()).as_bytes())
        .with_context(|| format!("state directory {}", directory.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_token_file_is_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let state = create(Some(directory.path().join("a/b"))).unwrap();
        for _ in 0..2 {
            let token = Token::random().unwrap();
            let path = write_token(&state, &token).unwrap();
            assert_eq!(
                fs::read_to_string(&path).unwrap().trim_end(),
                token.reveal()
            );
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
    }

    #[test]
    fn what_was_asked_for_goes_first() {
        assert_eq!(locate(Some("x".into())).unwrap(), Path::new("x"));
    }
}
