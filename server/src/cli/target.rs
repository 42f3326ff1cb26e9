//! TARGET of the commands that talk to one endpoint: its QMP address, or its
//! session on a console.

use std::time::Duration;

use anyhow::Context;
use qmp_client::address::Address;
use qmp_client::client::{Client, Options};
use tracing_subscriber::EnvFilter;

use super::Usage;
use super::console::Location;

/// Where the endpoint is.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// Its monitor.
    Monitor(Monitor),
    /// A console that has it as a session.
    Console(Location),
}

impl Target {
    /// Reads what was given. Not by `clap`, which would repeat it on stderr: a
    /// pasted URL may have a token in it.
    ///
    /// # Errors
    ///
    /// A usage error that names the part that is wrong.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return text.parse().map(Self::Console).map_err(usage);
        }
        Address::from_command_line(text)
            .map(|address| Self::Monitor(Monitor(address)))
            .map_err(usage)
    }
}

/// A QMP address, to talk to without a console.
#[derive(Clone, Debug)]
pub(super) struct Monitor(Address);

impl Monitor {
    /// Connects.
    pub(super) async fn connect(&self) -> anyhow::Result<Client> {
        let client = self.client();
        let connected = client.connect(&self.0).await;
        connected.map_err(|error| error.error)?;
        Ok(client)
    }

    /// A client for the endpoint, not connected.
    pub(super) fn client(&self) -> Client {
        Client::new(Options {
            name: self.0.to_string(),
            kind: self.0.kind(),
            ..Options::default()
        })
    }

    /// Where it is.
    pub(super) fn address(&self) -> &Address {
        &self.0
    }
}

/// Runs one command's work, with warnings on stderr.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("warn"))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the async runtime")?
        .block_on(work)
}

/// Seconds as the command line takes them.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    /// As in the REST API.
    const MOST: f64 = qmp_shared::rest::MAX_EXECUTE_TIMEOUT;
    let seconds: Option<f64> = text.parse().ok();
    seconds
        .filter(|seconds| (0.0..=MOST).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("expected seconds from 0 to {MOST}"))
}

/// A usage error with this text.
pub(super) fn usage(text: impl ToString) -> anyhow::Error {
    Usage(text.to_string()).into()
}
