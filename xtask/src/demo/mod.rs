//! `cargo xtask demo`: something to look at, on real parts.
//!
//! A guest, a storage daemon and a guest agent, each with its socket in one
//! temporary directory, and the console on the three as the sessions `demo`,
//! `storage` and `agent`. All of it lasts until we are asked to stop, or until a
//! part fails; either way nothing is left.

mod agent;
mod guest;
mod part;
mod serve;
mod storage;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::cancel::Cancelled;
use crate::server;
use crate::setup;
use crate::web;
use crate::workspace::{Workspace, announce};
use part::Part;
use serve::Console;

/// Builds everything, starts everything, and waits.
///
/// # Errors
///
/// When something cannot be installed, built or started, or ends on its own
/// with an error. [`Cancelled`] when we were asked to stop before everything
/// was up; afterwards that is what we waited for, and no error.
pub(crate) fn run(workspace: &Workspace, listen: SocketAddr) -> anyhow::Result<()> {
    can_listen(listen)?;
    setup::npm_is_there()?;
    setup::provide(workspace, setup::ENDPOINTS)?;
    web::build(workspace)?;
    server::build(workspace)?;
    let memtest = guest::fetch(workspace)?;

    announce("Starting the demo");
    let mut demo = Demo::start(workspace, &memtest, listen)?;
    demo.console.announce(demo.directory.path())?;
    match demo.watch(workspace) {
        Err(error) if error.is::<Cancelled>() => Ok(()),
        result => result,
    }
}

/// Says at once what would otherwise be known after minutes of building.
fn can_listen(listen: SocketAddr) -> anyhow::Result<()> {
    if !listen.ip().is_loopback() {
        bail!(
            "--listen {listen}: other machines could reach that, and the demo's monitors can do \
             whatever you can; it is served on loopback only, where `ssh -L` reaches it"
        );
    }
    TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    Ok(())
}

/// Everything that runs. Ended in the order of the fields: the console first,
/// and the directory last.
struct Demo {
    console: Console,
    parts: Vec<Part>,
    directory: TempDir,
}

impl Demo {
    fn start(workspace: &Workspace, memtest: &Path, listen: SocketAddr) -> anyhow::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("qmp-demo-");
        // Not `TMPDIR`: a unix socket's path has at most 107 bytes.
        let directory = builder.tempdir_in("/tmp").context("the demo's directory")?;
        let mut parts = vec![
            guest::part(directory.path(), memtest)?,
            storage::part(directory.path())?,
            agent::part(directory.path())?,
        ];
        for part in &mut parts {
            part.start()?;
        }
        for part in &mut parts {
            part.wait_until_listening(workspace.cancel())?;
        }
        let console = Console::start(workspace, directory.path(), &parts, listen)?;
        Ok(Self {
            console,
            parts,
            directory,
        })
    }

    /// Waits for a signal or a failure. A part that was told to quit, which any
    /// user of the console can do, is started again.
    fn watch(&mut self, workspace: &Workspace) -> anyhow::Result<()> {
        let never = workspace.cancel().wait_for(None, || {
            self.console.check()?;
            for part in &mut self.parts {
                if part.has_quit()? {
                    announce(&format!("{} has quit; starting it again", part.name()));
                    part.start()?;
                }
            }
            Ok(None::<()>)
        })?;
        debug_assert!(never.is_none());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_free_loopback_port_will_do() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert!(can_listen(address).is_err());
        drop(taken);
        assert!(can_listen(address).is_ok());
        let open = can_listen("0.0.0.0:0".parse().unwrap()).unwrap_err();
        assert!(open.to_string().contains("loopback"), "{open}");
    }
}
