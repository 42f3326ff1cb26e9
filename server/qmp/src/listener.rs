//! Listening for the endpoint to connect, as to `-qmp unix:PATH` without
//! `server=on`.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::time::timeout;

use crate::address::{Address, Socket, Tls};
use crate::error::ConnectError;
use crate::stream::Stream;

/// A socket that an endpoint can connect to. Dropping it closes it, and
/// removes the path of a unix socket.
#[derive(Debug)]
pub struct Listener {
    address: String,
    socket: Bound,
    timeout: Option<Duration>,
}

#[derive(Debug)]
enum Bound {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener, Option<Tls>),
}

impl Listener {
    /// Listens on an address, whatever it says of `listen`. A unix socket that
    /// nobody listens on any more is replaced.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Listen`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future listens on nothing.
    pub async fn bind(address: &Address) -> Result<Self, ConnectError> {
        let bound = match address.socket() {
            Socket::Unix(path) => bind_unix(path).await,
            Socket::Tcp { host, port } => {
                let listener = TcpListener::bind((host.as_str(), *port)).await;
                listener.map(|listener| Bound::Tcp(listener, address.tls().cloned()))
            }
            Socket::Inherited(_) => {
                let error = "an inherited socket is connected already";
                Err(io::Error::new(io::ErrorKind::InvalidInput, error))
            }
        };
        let address = address.to_string();
        match bound {
            Ok(socket) => Ok(Self {
                address,
                socket,
                timeout: None,
            }),
            Err(source) => Err(ConnectError::Listen { address, source }),
        }
    }

    /// Waits for the endpoint no longer than this.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Where a TCP listener listens, which tells the port when that was left to
    /// the system.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Bound::Tcp(listener, _) => listener.local_addr().ok(),
            Bound::Unix(..) => None,
        }
    }

    /// The first connection. Whoever else connects is refused from then on.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Listen`], [`ConnectError::AcceptTimeout`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listener.
    pub async fn accept(self) -> Result<Stream, ConnectError> {
        let accepted = match self.timeout {
            Some(after) => match timeout(after, self.socket.accept()).await {
                Ok(accepted) => accepted,
                Err(_) => {
                    let address = self.address.clone();
                    return Err(ConnectError::AcceptTimeout { address, after });
                }
            },
            None => self.socket.accept().await,
        };
        accepted.map_err(|source| ConnectError::Listen {
            address: self.address.clone(),
            source,
        })
    }
}

impl Bound {
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Stream::from_descriptor(stream.into_std()?.into())
            }
            Self::Tcp(listener, tls) => {
                let (stream, _) = listener.accept().await?;
                match tls {
                    None => Stream::from_descriptor(stream.into_std()?.into()),
                    #[cfg(feature = "tls")]
                    Some(tls) => crate::tls::accept(tls, stream).await,
                    #[cfg(not(feature = "tls"))]
                    Some(_) => Err(crate::stream::without_tls()),
                }
            }
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // Somebody may have removed it, or put another one in its place;
            // either way there is nothing to tell anybody.
            let (Ok(()) | Err(_)) = std::fs::remove_file(path);
        }
    }
}

async fn bind_unix(path: &Path) -> io::Result<Bound> {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    // One that answers is somebody's; one that refuses was left behind.
    if is_socket
        && matches!(UnixStream::connect(path).await, Err(error)
        if error.kind() == io::ErrorKind::ConnectionRefused)
    {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path).map(|listener| Bound::Unix(listener, path.to_owned()))
}
