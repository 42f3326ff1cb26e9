//! A bridge that does nothing but move bytes between a TCP port and a monitor:
//! what the second hop costs, whoever takes it.
//!
//! In a process of its own, as the console is, with the same runtime.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};

use crate::Result;
use crate::process::Guard;

/// Tells this program to be that bridge, to the monitor that follows.
pub(crate) const OPTION: &str = "--proxy";

/// A running one.
pub(crate) struct Proxy {
    _process: Guard,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
}

impl Proxy {
    pub(crate) fn start(monitor: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let command = command.arg(OPTION).arg(monitor);
        let (process, line) = Guard::listening(command)?;
        Ok(Self {
            _process: process,
            host: line.trim_end().to_owned(),
        })
    }
}

/// Serves one connection.
pub(crate) fn serve(monitor: &Path) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(monitor))
}

async fn run(monitor: &Path) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?)?;
    stdout.flush()?;
    let (mut client, _) = listener.accept().await?;
    client.set_nodelay(true)?;
    let mut monitor = UnixStream::connect(monitor).await?;
    // A task, as connections in a server are.
    tokio::spawn(async move { copy_bidirectional(&mut client, &mut monitor).await }).await??;
    Ok(())
}
