//! `qmp-console serve`.

use std::io::{IsTerminal, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::serve::ListenerExt;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use super::address::{Listen, NamedSession};
use super::{Usage, state_dir};
use crate::access::{HostPolicy, Token};
use crate::http::{self, Console};
use crate::session::Sessions;

/// The variable that holds the console's token.
const TOKEN_VARIABLE: &str = "QMP_CONSOLE_TOKEN";

/// How long requests may take to finish when the console stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen: IP:PORT or unix:PATH
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: Listen,
    /// A QMP endpoint to connect to, for example vm=unix:/run/vm.qmp
    #[arg(long = "session", value_name = "NAME=ADDRESS")]
    sessions: Vec<NamedSession>,
    /// Where to keep state [default: $XDG_STATE_HOME/qmp-console]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Keep no state
    #[arg(long, conflicts_with = "data_dir")]
    ephemeral: bool,
    /// A host name, beside the loopback ones, that browsers may use for this console
    #[arg(long = "allowed-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,
    /// Listen without TLS on an address that others can reach
    #[arg(long)]
    insecure: bool,
    /// What to log: error, warn, info, debug, trace, or a tracing filter
    #[arg(long, value_name = "LEVEL", default_value = "info,memory_serve=warn")]
    log: EnvFilter,
}

/// Serves until SIGINT or SIGTERM.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    if !args.listen.is_local() && !args.insecure {
        let detail = format!(
            "{} can be reached from other machines, and this version has no TLS: a token sent to \
             it can be read on the way. Listen on loopback behind a proxy with TLS, or accept \
             that with --insecure",
            args.listen
        );
        return Err(Usage(detail).into());
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the async runtime")?
        .block_on(serve(args))
}

async fn serve(args: Args) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(args.log.clone())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let listener = Listener::bind(&args.listen).await?;
    let bound = listener.address()?;
    let (token, told) = find_token(&args)?;
    let pairs = args.sessions.into_iter().map(|s| (s.name, s.address));
    let sessions = Sessions::start(pairs).map_err(|error| Usage(error.to_string()))?;
    let stopping = CancellationToken::new();
    let console = Arc::new(Console {
        sessions,
        token,
        hosts: HostPolicy::new(args.allowed_hosts),
        cookie: format!("qmp-console-{}", instance(&bound)),
        journal: journal()?,
        stopping: stopping.clone(),
    });
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    announce(&bound, &console.token, &told)?;
    let server = tokio::spawn(listener.serve(http::router(Arc::clone(&console)), stopping.clone()));
    tokio::select! {
        _ = interrupt.recv() => info!("SIGINT: stopping"),
        _ = terminate.recv() => info!("SIGTERM: stopping"),
    }
    stopping.cancel();
    match tokio::time::timeout(DRAIN_TIMEOUT, server).await {
        Ok(served) => served.context("the server's task")?.context("serving")?,
        Err(_) => warn!("some requests did not finish in time"),
    }
    if let Listen::Unix(path) = &bound {
        std::fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    // Requests that were cut off may still hold the console; its sessions then
    // end with the runtime.
    if let Some(console) = Arc::into_inner(console) {
        console.sessions.shutdown().await;
    }
    Ok(())
}

/// How the console's token reaches whoever should have it.
enum Told {
    /// They chose it.
    Already,
    /// In the URL that is printed to the terminal.
    OnTerminal,
    /// In this file.
    InFile(PathBuf),
}

fn find_token(args: &Args) -> anyhow::Result<(Token, Told)> {
    match std::env::var(TOKEN_VARIABLE) {
        Ok(chosen) => {
            let token = Token::chosen(chosen)
                .map_err(|error| Usage(format!("{TOKEN_VARIABLE}: {error}")))?;
            return Ok((token, Told::Already));
        }
        Err(std::env::VarError::NotPresent) => {}
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(Usage(format!("{TOKEN_VARIABLE} is not UTF-8")).into());
        }
    }
    let token = Token::random()?;
    if std::io::stdout().is_terminal() {
        return Ok((token, Told::OnTerminal));
    }
    if args.ephemeral {
        let detail = format!(
            "--ephemeral without a terminal leaves no way to tell the token; set {TOKEN_VARIABLE}"
        );
        return Err(Usage(detail).into());
    }
    let directory = state_dir::locate(args.data_dir.clone())?;
    let path = state_dir::write_token(&directory, &token)?;
    Ok((token, Told::InFile(path)))
}

/// Says where the console listens: the one line on stdout.
fn announce(bound: &Listen, token: &Token, told: &Told) -> anyhow::Result<()> {
    let fragment = match told {
        Told::OnTerminal => format!("#token={}", token.reveal()),
        Told::InFile(path) => {
            info!(path = %path.display(), "the token is in this file");
            String::new()
        }
        Told::Already => String::new(),
    };
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on {bound}{fragment}").context("stdout")?;
    stdout.flush().context("stdout")
}

/// Tells consoles on one host apart, also across restarts.
fn instance(bound: &Listen) -> String {
    let digest = Sha256::digest(bound.to_string().as_bytes());
    digest[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Without a journal on disk, every run has numbers of its own.
fn journal() -> anyhow::Result<String> {
    let number = getrandom::u64().map_err(|error| anyhow!("no random numbers: {error}"))?;
    Ok(format!("{number:016x}"))
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    async fn bind(listen: &Listen) -> anyhow::Result<Self> {
        match listen {
            Listen::Tcp(address) => TcpListener::bind(address)
                .await
                .map(Self::Tcp)
                .with_context(|| format!("cannot listen on {address}")),
            Listen::Unix(path) => {
                remove_stale(path)?;
                UnixListener::bind(path)
                    .map(|listener| Self::Unix(listener, path.clone()))
                    .with_context(|| format!("cannot listen on {}", path.display()))
            }
        }
    }

    /// Where it really listens: the port is known now.
    fn address(&self) -> anyhow::Result<Listen> {
        Ok(match self {
            Self::Tcp(listener) => Listen::Tcp(listener.local_addr().context("own address")?),
            Self::Unix(_, path) => Listen::Unix(path.clone()),
        })
    }

    async fn serve(self, router: axum::Router, stopping: CancellationToken) -> std::io::Result<()> {
        let stopped = stopping.cancelled_owned();
        match self {
            Self::Tcp(listener) => {
                // Small frames must not wait for each other (Nagle's algorithm).
                let listener = listener.tap_io(|stream| {
                    if let Err(error) = stream.set_nodelay(true) {
                        warn!(%error, "TCP_NODELAY");
                    }
                });
                axum::serve(listener, router)
                    .with_graceful_shutdown(stopped)
                    .await
            }
            Self::Unix(listener, _) => {
                axum::serve(listener, router)
                    .with_graceful_shutdown(stopped)
                    .await
            }
        }
    }
}

/// Removes a socket that nobody listens on any more; one in use is left alone,
/// and binding then says so.
fn remove_stale(path: &Path) -> anyhow::Result<()> {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}
