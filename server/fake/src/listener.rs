//! The sockets that an endpoint listens on.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, lookup_host};
use tokio::task::JoinSet;

use crate::endpoint::{Desk, serve};
use crate::script::Script;

/// Where to listen: `unix:PATH` or `tcp:HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A unix socket.
    Unix(PathBuf),
    /// `HOST:PORT`.
    Tcp(String),
}

/// Neither `unix:PATH` nor `tcp:HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is neither unix:PATH nor tcp:HOST:PORT")]
pub struct ListenError(String);

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        match text.split_once(':') {
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            Some(("tcp", address)) if address.contains(':') => Ok(Self::Tcp(address.to_owned())),
            _ => Err(ListenError(text.to_owned())),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// A socket that listens.
pub(crate) struct Bound {
    pub(crate) listener: Listener,
    /// Where it really is.
    pub(crate) address: String,
    pub(crate) file: Option<SocketFile>,
}

pub(crate) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// A connection on either kind of socket.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Makes a socket listen.
pub(crate) async fn bind(listen: &Listen, backlog: u32) -> io::Result<Bound> {
    match listen {
        Listen::Unix(path) => {
            let socket = UnixSocket::new_stream()?;
            socket.bind(path)?;
            let file = SocketFile(path.clone());
            Ok(Bound {
                listener: Listener::Unix(socket.listen(backlog)?),
                address: listen.to_string(),
                file: Some(file),
            })
        }
        Listen::Tcp(address) => {
            let address = lookup_host(address.as_str()).await?.next();
            let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
            let socket = match address.is_ipv4() {
                true => TcpSocket::new_v4()?,
                false => TcpSocket::new_v6()?,
            };
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let listener = socket.listen(backlog)?;
            Ok(Bound {
                address: format!("tcp:{}", listener.local_addr()?),
                listener: Listener::Tcp(listener),
                file: None,
            })
        }
    }
}

impl Listener {
    /// Serves clients until it is dropped.
    pub(crate) async fn run(self, script: Script, desk: Arc<Desk>) {
        let script = Arc::new(script);
        // As many as connect; the script asks for it.
        let mut clients = JoinSet::new();
        loop {
            let accepted = self.accept().await;
            while clients.try_join_next().is_some() {}
            let Ok(connection) = accepted else {
                // The client left before it was accepted.
                tokio::task::yield_now().await;
                continue;
            };
            let client = serve(connection, Arc::clone(&script), Arc::clone(&desk));
            if script.concurrent {
                clients.spawn(client);
            } else {
                client.await;
            }
        }
    }

    async fn accept(&self) -> io::Result<Box<dyn Connection>> {
        match self {
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }
}

/// Removes a socket's file when it is dropped.
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else may have removed it, and that is all right.
        let (Ok(()) | Err(_)) = fs::remove_file(&self.0);
    }
}
