//! What the first page loads, compressed, must stay small.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::fingerprint::Fingerprint;
use crate::web;
use crate::workspace::Workspace;

/// For all files together, in bytes after brotli.
const BUDGET: usize = 350 * 1024;

/// As the server's build compresses: the best quality, the largest usual window.
const QUALITY: u32 = 11;
const WINDOW: u32 = 22;

/// Prints what every file weighs.
///
/// # Errors
///
/// When all together weigh more than the budget.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let directory = workspace.front_end();
    let memory = workspace.path("target/web/sizes.json");
    // Compressing takes seconds; a size depends on the content alone.
    let known: BTreeMap<String, usize> = fs::read(&memory)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let mut seen = BTreeMap::new();
    let mut files = Vec::new();
    let mut parts = Vec::new();
    for path in web::files_below(&directory)? {
        workspace.cancel().check()?;
        let content = fs::read(&path).with_context(|| path.display().to_string())?;
        let digest = Fingerprint::default().bytes(&content).finish();
        let size = match known.get(&digest) {
            Some(size) => *size,
            None => compressed(&content)?,
        };
        seen.insert(digest, size);
        let name = path.strip_prefix(&directory)?.display().to_string();
        let file = Weight {
            name,
            raw: content.len(),
            compressed: size,
        };
        match web::is_of_first_page(&file.name) {
            true => files.push(file),
            false => parts.push(file),
        }
    }
    let text = serde_json::to_vec(&seen).context("sizes")?;
    fs::write(&memory, text).with_context(|| memory.display().to_string())?;
    print!("{}", table(&files));
    for part in parts {
        println!("{}", part.row());
    }
    weigh(&files, &directory)
}

/// One file of the first page; sizes in bytes.
#[derive(Debug)]
struct Weight {
    name: String,
    raw: usize,
    compressed: usize,
}

impl Weight {
    fn row(&self) -> String {
        format!("{:28}{:>12}{:>12}", self.name, self.raw, self.compressed)
    }
}

fn weigh(files: &[Weight], directory: &Path) -> anyhow::Result<()> {
    let total: usize = files.iter().map(|file| file.compressed).sum();
    if total > BUDGET {
        bail!(
            "the first page loads {total} bytes compressed, {} over its budget of {BUDGET}: {}",
            total - BUDGET,
            directory.display()
        );
    }
    Ok(())
}

fn table(files: &[Weight]) -> String {
    let total = Weight {
        name: format!("total of {} KiB allowed", BUDGET / 1024),
        raw: files.iter().map(|file| file.raw).sum(),
        compressed: files.iter().map(|file| file.compressed).sum(),
    };
    let mut text = format!("{:28}{:>12}{:>12}\n", "first page", "bytes", "brotli");
    for file in files.iter().chain([&total]) {
        text += &file.row();
        text.push('\n');
    }
    text
}

fn compressed(content: &[u8]) -> anyhow::Result<usize> {
    use std::io::Write;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, QUALITY, WINDOW);
    writer.write_all(content).context("brotli")?;
    Ok(writer.into_inner().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(compressed: usize) -> Weight {
        Weight {
            name: "a".into(),
            raw: 1_000_000,
            compressed,
        }
    }

    #[test]
    fn all_files_together_must_fit() {
        let directory = Path::new("dist");
        assert!(weigh(&[file(BUDGET - 10), file(10)], directory).is_ok());
        let error = weigh(&[file(BUDGET - 10), file(11)], directory).unwrap_err();
        assert!(error.to_string().contains("1 over"), "{error}");
    }

    #[test]
    fn what_repeats_is_small() {
        let size = compressed(&[b'a'; 100_000]).unwrap();
        assert!((1..100).contains(&size), "{size}");
    }

    #[test]
    fn the_table_ends_with_the_sum() {
        let table = table(&[file(3), file(4)]);
        let last = table.lines().last().unwrap();
        assert!(last.ends_with(" 7"), "{last}");
    }
}
