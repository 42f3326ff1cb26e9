//! What something was made from, so that it is not made again from the same.

use std::fs;
use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha256};

/// A digest over inputs, in the order in which they are added.
#[derive(Debug, Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds bytes. Their length counts too, so that parts cannot run together.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a file's content.
    pub(crate) fn file(self, path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        Ok(self.bytes(&bytes))
    }

    /// In hexadecimal.
    pub(crate) fn finish(self) -> String {
        let digest = self.0.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether the stamp says that its product was made from these inputs.
pub(crate) fn is_current(stamp: &Path, fingerprint: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|written| written == fingerprint)
}

/// Says so. To be called when the product is complete, never before.
pub(crate) fn write(stamp: &Path, fingerprint: &str) -> anyhow::Result<()> {
    fs::write(stamp, fingerprint).with_context(|| stamp.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let of = |parts: &[&str]| {
            let all = parts.iter().fold(Fingerprint::default(), |all, part| {
                all.bytes(part.as_bytes())
            });
            all.finish()
        };
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab", "c"]), of(&["c", "ab"]));
    }

    #[test]
    fn a_stamp_is_current_only_for_what_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let stamp = directory.path().join("stamp");
        assert!(!is_current(&stamp, "one"));
        write(&stamp, "one").unwrap();
        assert!(is_current(&stamp, "one"));
        assert!(!is_current(&stamp, "two"));
    }
}
