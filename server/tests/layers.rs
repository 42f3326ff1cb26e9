//! Inside the binary, each part may use only those before it.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

/// The parts, in order; `main.rs` says so too.
const ORDER: &[&str] = &[
    "error", "journal", "manual", "session", "access", "http", "cli",
];

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The parts that a text names by `crate::`.
fn used(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn each_part_uses_only_those_before_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for path in sources(&root) {
        let part = path
            .strip_prefix(&root)
            .unwrap()
            .components()
            .next()
            .unwrap();
        let part = Path::new(part.as_os_str())
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap();
        if part == "main" {
            continue;
        }
        let place = |part: &str| ORDER.iter().position(|known| *known == part);
        let own = place(part).unwrap_or_else(|| panic!("where is {part} in the order?"));
        for other in used(&fs::read_to_string(&path).unwrap()) {
            // `pub(in crate::...)` and paths of one's own part.
            let Some(other) = place(other) else { continue };
            seen += 1;
            assert!(
                other <= own,
                "{}: {} comes later",
                path.display(),
                ORDER[other]
            );
        }
    }
    assert!(seen > 50, "the sources are read: {seen}");
}
