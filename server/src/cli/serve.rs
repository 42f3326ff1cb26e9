//! `qmp-console serve`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use anyhow::Context;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use tracing_subscriber::EnvFilter;

use super::address::{Listen, NamedSession};
use super::config::{Config, check_session};
use super::reload::reload;
use super::{TOKEN_VARIABLE, Usage, logging, state_dir};
use crate::access::{Access, HostPolicy, Logins, Token, Tokens};
use crate::http::{self, Attempts, Console, Manuals, Tls};
use crate::journal::Journal;
use crate::session::Sessions;

/// Where to listen unless told otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

/// On Linux, wherever Rust runs with tokio but MIPS.
const SIGXFSZ: i32 = 25;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen: IP:PORT or unix:PATH [default: 127.0.0.1:8090]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,
    /// What else to read, as TOML; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
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
    /// The path of the console behind a proxy, for example /qmp: all its addresses begin with it
    #[arg(long, value_name = "/PATH", value_parser = base_path, default_value = "/", hide_default_value = true)]
    base_path: Arc<str>,
    /// The certificate to serve by TLS with, as PEM; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen without TLS on an address that others can reach
    #[arg(long)]
    insecure: bool,
    /// What to log: error, warn, info, debug, trace, or a tracing filter
    #[arg(long, value_name = "LEVEL", default_value = "info,memory_serve=warn")]
    log: EnvFilter,
}

/// The path before all others, without the slash at its end.
fn base_path(text: &str) -> Result<Arc<str>, String> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let segments = match path.strip_prefix('/') {
        None if path.is_empty() && !text.is_empty() => return Ok("".into()),
        None => return Err("a path begins with a slash".to_owned()),
        Some(segments) => segments,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    for segment in segments.split('/') {
        if matches!(segment, "" | "." | "..") || !segment.bytes().all(plain) {
            let detail = "letters, digits, `-`, `_`, `.` and `~` are allowed";
            return Err(format!("{segment:?} cannot be a part of it: {detail}"));
        }
    }
    Ok(path.into())
}

impl Args {
    /// Reads the configuration, if there is one. What these arguments and it say
    /// goes together; nothing was touched.
    ///
    /// # Errors
    ///
    /// A usage error that names the argument, or the file and the line.
    pub(super) fn read_config(&self) -> anyhow::Result<Config> {
        let mut names = BTreeSet::new();
        for NamedSession { name, .. } in &self.sessions {
            let checked = check_session(name, &mut names);
            checked.map_err(|error| Usage(format!("--session: {error}")))?;
        }
        match &self.config {
            Some(path) => Config::read(path, &names),
            None => Ok(Config::default()),
        }
    }

    /// Where to listen.
    pub(super) fn listen(&self, config: &Config) -> Listen {
        let listen = self.listen.clone().or_else(|| config.listen.clone());
        listen.unwrap_or(Listen::Tcp(DEFAULT_LISTEN))
    }

    /// The names that the console answers to.
    pub(super) fn hosts(&self, config: &Config) -> HostPolicy {
        let allowed = self.allowed_hosts.iter().chain(&config.allowed_hosts);
        HostPolicy::new(allowed.cloned())
    }
}

/// Serves until SIGINT or SIGTERM.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let config = args.read_config()?;
    let listen = args.listen(&config);
    if !listen.is_local() && !args.insecure && args.tls_cert.is_none() {
        let detail = format!(
            "{listen} can be reached from other machines, and without TLS a token sent to it can \
             be read on the way. Give --tls-cert and --tls-key, listen on loopback behind a proxy \
             with TLS, or accept that with --insecure",
        );
        return Err(Usage(detail).into());
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the async runtime")?
        .block_on(serve(args, config, listen))
}

async fn serve(args: Args, config: Config, listen: Listen) -> anyhow::Result<()> {
    logging::start(args.log.clone());
    // A file that may not grow (getrlimit(2), `RLIMIT_FSIZE`) is a full disk, and
    // no reason to be killed.
    let _too_large = signal(SignalKind::from_raw(SIGXFSZ)).context("SIGXFSZ")?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Arc::new(Tls::read(cert, key)?)),
        _ => None,
    };
    let (listener, bound) = bind(&listen).await?;
    let directory = match args.ephemeral {
        true => None,
        false => Some(state_dir::create(args.data_dir.clone())?),
    };
    let journal = match &directory {
        Some(directory) => Journal::open(directory, config.retention())?,
        None => Journal::in_memory()?,
    };
    let (token, told) = find_token(directory.as_deref())?;
    let tokens = Tokens::new(directory.as_deref(), token.as_ref());
    let logins = Logins::new(directory.as_deref());
    let sessions = Sessions::new(journal.clone());
    for NamedSession { name, address } in &args.sessions {
        let added = sessions.add(name, address.clone());
        added.map_err(|error| Usage(format!("--session: {error}")))?;
    }
    let mut configured = BTreeMap::new();
    for session in &config.session {
        let added = sessions.add(session.name(), session.address.clone());
        added.map_err(|error| Usage(format!("the configuration: {error}")))?;
        configured.insert(session.name().to_owned(), session.address.clone());
    }
    let stopping = CancellationToken::new();
    let console = Arc::new(Console {
        sessions,
        access: Access::new(tokens, logins, config.policy()?, journal.clone()),
        journal,
        manuals: Manuals::default(),
        scans: Console::places(),
        attempts: Attempts::default(),
        hosts: RwLock::new(Arc::new(args.hosts(&config))),
        cookie: format!("qmp-console-{}", instance(&bound)),
        base: Arc::clone(&args.base_path),
        secure: tls.is_some(),
        stopping: stopping.clone(),
    });
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut hang_up = signal(SignalKind::hangup()).context("SIGHUP")?;
    announce(&args, &bound, token.as_ref(), &told)?;
    let router = http::router(Arc::clone(&console));
    let server = http::serve(listener, tls.clone(), router, stopping.clone());
    let server = tokio::spawn(server);
    loop {
        tokio::select! {
            _ = interrupt.recv() => info!("SIGINT: stopping"),
            _ = terminate.recv() => info!("SIGTERM: stopping"),
            _ = hang_up.recv() => {
                let read = reload(&args, &listen, &console, tls.as_deref(), &mut configured);
                if let Err(error) = read.await {
                    error!("SIGHUP: nothing was changed: {error:#}");
                }
                continue;
            }
        }
        break;
    }
    stopping.cancel();
    // At once, so that those who wait for a reply are told.
    let (served, ()) = tokio::join!(server, console.sessions.shutdown());
    // After the last event, and before anything else can go wrong.
    let close = move || console.journal.close();
    tokio::task::spawn_blocking(close)
        .await
        .context("the journal")?;
    served.context("the server's task")?;
    if let Listen::Unix(path) = &bound {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
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

/// The token that lets an admin in: the one of the environment, or, unless there
/// are tokens already, one that is made now.
fn find_token(directory: Option<&Path>) -> anyhow::Result<(Option<Token>, Told)> {
    match std::env::var(TOKEN_VARIABLE) {
        Ok(chosen) => {
            let token = Token::chosen(chosen)
                .map_err(|error| Usage(format!("{TOKEN_VARIABLE}: {error}")))?;
            return Ok((Some(token), Told::Already));
        }
        Err(std::env::VarError::NotPresent) => {}
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(Usage(format!("{TOKEN_VARIABLE} is not UTF-8")).into());
        }
    }
    if Tokens::new(directory, None).any().context("the tokens")? {
        return Ok((None, Told::Already));
    }
    let token = Token::random()?;
    if std::io::stdout().is_terminal() {
        return Ok((Some(token), Told::OnTerminal));
    }
    let Some(directory) = directory else {
        let detail = format!(
            "--ephemeral without a terminal leaves no way to tell the token; set {TOKEN_VARIABLE}"
        );
        return Err(Usage(detail).into());
    };
    let path = state_dir::write_token(directory, &token)?;
    Ok((Some(token), Told::InFile(path)))
}

/// Says where the console listens: the one line on stdout.
fn announce(args: &Args, bound: &Listen, token: Option<&Token>, told: &Told) -> anyhow::Result<()> {
    let fragment = match told {
        Told::OnTerminal => {
            token.map_or_else(String::new, |token| format!("#token={}", token.reveal()))
        }
        Told::InFile(path) => {
            info!(path = %path.display(), "the token is in this file");
            String::new()
        }
        Told::Already => String::new(),
    };
    let mut bound = match bound {
        Listen::Tcp(_) => {
            bound.to_string().trim_end_matches('/').to_owned() + &args.base_path + "/"
        }
        Listen::Unix(_) => bound.to_string(),
    };
    if args.tls_cert.is_some()
        && let Some(rest) = bound.strip_prefix("http:")
    {
        bound = format!("https:{rest}");
    }
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

/// Opens the listener. Returns where it really listens too: the port is known
/// now.
async fn bind(listen: &Listen) -> anyhow::Result<(http::Listener, Listen)> {
    match listen {
        Listen::Tcp(address) => {
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address}"))?;
            let bound = listener.local_addr().context("own address")?;
            Ok((http::Listener::Tcp(listener), Listen::Tcp(bound)))
        }
        Listen::Unix(path) => {
            remove_stale(path)?;
            let listener = UnixListener::bind(path)
                .with_context(|| format!("cannot listen on {}", path.display()))?;
            Ok((http::Listener::Unix(listener), listen.clone()))
        }
    }
}

/// Removes a socket that nobody listens on any more; one in use is left alone,
/// and binding then says so.
fn remove_stale(path: &Path) -> anyhow::Result<()> {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    let refused = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(refused) {
        std::fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_begins_with_a_slash_and_needs_none_at_its_end() {
        for (text, path) in [("/", ""), ("/x", "/x"), ("/x/", "/x"), ("/a/b-1", "/a/b-1")] {
            assert_eq!(&*base_path(text).unwrap(), path, "{text}");
        }
        let refused = [
            ("", "begins with a slash"),
            ("x", "begins with a slash"),
            ("//", "\"\" cannot"),
            ("/a//b", "\"\" cannot"),
            ("/..", "\"..\" cannot"),
            ("/a b", "\"a b\" cannot"),
            ("/{x}", "\"{x}\" cannot"),
            ("/\"", "cannot"),
        ];
        for (text, why) in refused {
            let error = base_path(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
