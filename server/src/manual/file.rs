//! Finding a page among directories, and reading it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

/// How many bytes of a page, uncompressed, are read: 16 MiB, twenty times the
/// longest that QEMU has had.
pub(crate) const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// A page that documents one kind of endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Page {
    /// `qemu-qmp-ref(7)`: QEMU itself.
    Qemu,
    /// `qemu-storage-daemon-qmp-ref(7)`: the storage daemon.
    StorageDaemon,
    /// `qemu-ga-ref(7)`: the guest agent.
    GuestAgent,
}

impl Page {
    /// The page's name, without its section.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Qemu => "qemu-qmp-ref",
            Self::StorageDaemon => "qemu-storage-daemon-qmp-ref",
            Self::GuestAgent => "qemu-ga-ref",
        }
    }
}

/// A page that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its roff; bytes that are not UTF-8 are replaced.
    pub(crate) text: String,
    /// Whether it went on past the limit.
    pub(crate) cut: bool,
}

/// A page that is there but cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the manual page {}", path.display())]
pub(crate) struct ReadError {
    /// Which.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) source: io::Error,
}

/// Reads the first page of that name in `directories`, such as `MANPATH`'s
/// entries or `/usr/share/man`; `None` if none has it.
///
/// In each, `man7/NAME.7.gz`, `man7/NAME.7` and the two without `man7/` are
/// tried. What is no regular file is passed over. Whether a page is compressed
/// is told by its content. At most `limit` bytes ([`SIZE_LIMIT`] is meant) are
/// unpacked, however small the file is. This blocks on file I/O.
///
/// # Errors
///
/// If a page is there but cannot be opened or read, or is broken gzip. A later
/// directory is not tried then.
pub(crate) fn find(
    page: Page,
    directories: &[PathBuf],
    limit: u64,
) -> Result<Option<Found>, ReadError> {
    let name = page.name();
    for directory in directories {
        for path in [
            directory.join(format!("man7/{name}.7.gz")),
            directory.join(format!("man7/{name}.7")),
            directory.join(format!("{name}.7.gz")),
            directory.join(format!("{name}.7")),
        ] {
            if path.is_file() {
                let (text, cut) = match read(&path, limit) {
                    Ok(read) => read,
                    Err(source) => return Err(ReadError { path, source }),
                };
                return Ok(Some(Found { path, text, cut }));
            }
        }
    }
    Ok(None)
}

fn read(path: &Path, limit: u64) -> io::Result<(String, bool)> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut magic = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut magic)?;
    let compressed = magic == [0x1f, 0x8b];
    let reader = magic.as_slice().chain(reader);
    if compressed {
        take(MultiGzDecoder::new(BufReader::new(reader)), limit)
    } else {
        take(reader, limit)
    }
}

fn take(reader: impl Read, limit: u64) -> io::Result<(String, bool)> {
    let mut bytes = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let cut = bytes.len() > kept;
    bytes.truncate(kept);
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok((text, cut))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::{Page, SIZE_LIMIT, find};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_first_directory_that_has_it_wins() {
        let root = tempfile::tempdir().unwrap();
        let directories: Vec<PathBuf> = ["none", "gz", "plain"]
            .iter()
            .map(|name| root.path().join(name))
            .collect();
        fs::create_dir_all(directories[1].join("man7")).unwrap();
        fs::create_dir_all(&directories[2]).unwrap();
        assert_eq!(find(Page::Qemu, &directories, SIZE_LIMIT).unwrap(), None);

        let plain = directories[2].join("qemu-qmp-ref.7");
        fs::write(&plain, b"plain\xff").unwrap();
        let found = find(Page::Qemu, &directories, SIZE_LIMIT).unwrap().unwrap();
        assert_eq!(
            (found.path, found.text, found.cut),
            (plain, "plain\u{fffd}".to_owned(), false)
        );

        let packed = directories[1].join("man7/qemu-qmp-ref.7.gz");
        fs::write(&packed, [gzip(b"pac"), gzip(b"ked")].concat()).unwrap();
        let found = find(Page::Qemu, &directories, SIZE_LIMIT).unwrap().unwrap();
        assert_eq!((found.path, found.text.as_str()), (packed, "packed"));
        assert_eq!(
            find(Page::GuestAgent, &directories, SIZE_LIMIT).unwrap(),
            None
        );
    }

    #[test]
    fn a_bomb_is_cut() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("qemu-ga-ref.7.gz");
        fs::write(&path, gzip(&vec![b'a'; 1 << 20])).unwrap();
        let found = find(Page::GuestAgent, &[root.path().to_owned()], 1000)
            .unwrap()
            .unwrap();
        assert_eq!((found.text.len(), found.cut), (1000, true));
    }

    #[test]
    fn broken_gzip_is_an_error_that_names_the_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("qemu-ga-ref.7.gz");
        let mut bytes = gzip(b"some text");
        bytes.truncate(12);
        fs::write(&path, bytes).unwrap();
        let error = find(Page::GuestAgent, &[root.path().to_owned()], SIZE_LIMIT).unwrap_err();
        assert_eq!(error.path, path);
        assert_eq!(
            error.to_string(),
            format!("cannot read the manual page {}", path.display())
        );
        assert!(error.source().is_some());
    }

    #[test]
    fn what_is_no_file_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("qemu-ga-ref.7")).unwrap();
        assert_eq!(
            find(Page::GuestAgent, &[root.path().to_owned()], SIZE_LIMIT).unwrap(),
            None
        );
    }
}
