//! The manuals of the host, read when somebody first asks for one.

use std::path::PathBuf;
use std::sync::Arc;

use qmp_shared::model::EndpointKind;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;
use tracing::{info, warn};

use crate::error::chain;
use crate::manual::{self, Page, SIZE_LIMIT};

/// Where man pages are, unless `MANPATH` says otherwise (manpath(1)).
const DIRECTORIES: [&str; 2] = ["/usr/local/share/man", "/usr/share/man"];

/// A manual as it goes out.
#[derive(Debug)]
pub(super) struct Docs {
    pub(super) text: Box<RawValue>,
    pub(super) version: Option<String>,
}

/// The manuals of QEMU, its storage daemon and its agent.
#[derive(Debug, Default)]
pub(crate) struct Manuals {
    qemu: OnceCell<Option<Arc<Docs>>>,
    storage_daemon: OnceCell<Option<Arc<Docs>>>,
    agent: OnceCell<Option<Arc<Docs>>>,
}

impl Manuals {
    /// The manual of an endpoint, by its kind and its schema; `None` when the
    /// host has none.
    pub(super) async fn of(&self, kind: EndpointKind, schema: Option<&str>) -> Option<Arc<Docs>> {
        let (cell, page) = match (kind, schema) {
            (EndpointKind::Qga, _) => (&self.agent, Page::GuestAgent),
            // Of the two, only QEMU has a virtual machine.
            (EndpointKind::Qmp, Some(schema)) if !schema.contains("\"query-status\"") => {
                (&self.storage_daemon, Page::StorageDaemon)
            }
            (EndpointKind::Qmp, _) => (&self.qemu, Page::Qemu),
        };
        let read = async || match tokio::task::spawn_blocking(move || read(page)).await {
            Ok(docs) => docs,
            Err(error) => {
                warn!(%error, page = page.name(), "reading the man page failed");
                None
            }
        };
        cell.get_or_init(read).await.clone()
    }
}

fn read(page: Page) -> Option<Arc<Docs>> {
    let found = match manual::find(page, &directories(), SIZE_LIMIT) {
        Ok(Some(found)) => found,
        Ok(None) => {
            info!(
                page = page.name(),
                "no such man page here; commands go without documentation"
            );
            return None;
        }
        Err(error) => {
            warn!(
                error = chain(&error),
                page = page.name(),
                "the man page cannot be read"
            );
            return None;
        }
    };
    if found.cut {
        warn!(path = %found.path.display(), "the man page is too long, and was cut");
    }
    let manual = manual::parse(&found.text);
    let text = serde_json::value::to_raw_value(&manual).ok()?;
    let version = manual.version;
    Some(Arc::new(Docs { text, version }))
}

fn directories() -> Vec<PathBuf> {
    let default = || DIRECTORIES.map(PathBuf::from);
    let Some(manpath) = std::env::var_os("MANPATH") else {
        return default().to_vec();
    };
    // An empty part stands for the default.
    std::env::split_paths(&manpath)
        .flat_map(|path| match path.as_os_str().is_empty() {
            true => default().to_vec(),
            false => vec![path],
        })
        .collect()
}
