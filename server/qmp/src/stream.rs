//! An open socket to an endpoint.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::address::{Address, Socket};
use crate::error::ConnectError;

/// How long to wait before another look at a full queue of connections.
const BACKLOG_RETRY: Duration = Duration::from_millis(100);

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// An open connection on which nothing was sent or received yet.
pub struct Stream {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
}

impl Stream {
    /// Opens a socket.
    ///
    /// A unix socket whose queue of connections is full refuses another one
    /// at once. That is looked at again until the timeout; it takes no place
    /// in the queue.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Open`], [`ConnectError::OpenTimeout`],
    /// [`ConnectError::BacklogFull`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket.
    pub async fn connect(address: &Address, timeout: Duration) -> Result<Self, ConnectError> {
        let now = Instant::now();
        // A time that no clock reaches is a year.
        let deadline = now.checked_add(timeout).unwrap_or(now + YEAR);
        let open = |source| ConnectError::Open {
            address: address.to_string(),
            source,
        };
        let opened = match address.socket() {
            Socket::Unix(path) => connect_unix(path, deadline).await,
            Socket::Tcp { host, port } => {
                match timeout_at(deadline, connect_tcp(host, *port)).await {
                    Ok(opened) => opened,
                    Err(_) => {
                        return Err(ConnectError::OpenTimeout {
                            address: address.to_string(),
                            after: timeout,
                        });
                    }
                }
            }
        };
        match opened {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(ConnectError::BacklogFull {
                    address: address.to_string(),
                })
            }
            opened => opened.map_err(open),
        }
    }

    /// Any pair of a reader and a writer: a descriptor that was inherited, or
    /// two ends within a process.
    pub fn from_parts(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self {
            reader: Box::new(reader),
            writer: Box::new(writer),
        }
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self::from_parts(reader, writer)
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self::from_parts(reader, writer)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

async fn connect_unix(path: &Path, deadline: Instant) -> io::Result<Stream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if Instant::now() + BACKLOG_RETRY > deadline {
                    return Err(error);
                }
                sleep(BACKLOG_RETRY).await;
            }
            opened => return opened.map(Stream::from),
        }
    }
}

async fn connect_tcp(host: &str, port: u16) -> io::Result<Stream> {
    let stream = TcpStream::connect((host, port)).await?;
    // A command must not wait for the acknowledgement of the one before it.
    stream.set_nodelay(true)?;
    Ok(stream.into())
}
