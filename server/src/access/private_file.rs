//! Files that are for their owner only.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// One of the ways to write a file.
pub(crate) type Write = fn(&Path, &[u8]) -> io::Result<()>;

/// Puts a file in the place of an older one, in one step. Only its owner can
/// read it.
///
/// # Errors
///
/// Those of the file system; the older one is as it was, and nothing is left.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let replaced = make(&fresh, contents).and_then(|()| fs::rename(&fresh, path));
    if replaced.is_err() {
        // Why it could not be made tells more than why it cannot be removed.
        let (Ok(()) | Err(_)) = fs::remove_file(&fresh);
    }
    replaced
}

/// Replaces a file by a shorter one, also where there is no room for another:
/// it is then overwritten where it is. Should the machine end in the middle of
/// that, the file is neither the one nor the other.
///
/// # Errors
///
/// Those of the file system.
pub(crate) fn shorten(path: &Path, contents: &[u8]) -> io::Result<()> {
    let Err(no_room) = replace(path, contents) else {
        return Ok(());
    };
    let length = contents.len() as u64;
    let overwrite = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() < length {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all(contents)?;
        file.set_len(length)?;
        file.sync_all()
    };
    overwrite().map_err(|_: io::Error| no_room)
}

fn make(fresh: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(fresh)?;
    // One that was left behind has the mode that it had.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(contents)?;
    file.sync_all()
}
