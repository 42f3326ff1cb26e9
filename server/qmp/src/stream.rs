//! An open socket to an endpoint: connected by us, or by it.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::address::{self, Address, Tls};
use crate::error::ConnectError;
use crate::socket::Socket;

/// How long to wait before another look at a full queue of connections.
const BACKLOG_RETRY: Duration = Duration::from_millis(100);

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Where bytes are read.
pub(crate) enum Reader {
    Socket(Socket),
    Other(Box<dyn AsyncRead + Send + Unpin>),
}

/// Where bytes are written, and over a unix socket descriptors too.
pub(crate) enum Writer {
    Socket(Socket),
    /// Each byte is a record of its own. QEMU takes the bytes of a record one by
    /// one, and waits for the socket in between; versions as 7.2 (run) then
    /// never see the rest of a longer one.
    #[cfg(feature = "tls")]
    Tls(Box<dyn AsyncWrite + Send + Unpin>),
    Other(Box<dyn AsyncWrite + Send + Unpin>),
}

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
            address::Socket::Unix(path) => connect_unix(path, deadline).await,
            address::Socket::Inherited(number) => inherited(*number),
            address::Socket::Tcp { host, port } => {
                match timeout_at(deadline, connect_tcp(host, *port, address.tls())).await {
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
            reader: Reader::Other(Box::new(reader)),
            writer: Writer::Other(Box::new(writer)),
        }
    }

    /// The two ends of a TLS connection.
    #[cfg(feature = "tls")]
    pub(crate) fn secured(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader: Reader::Other(Box::new(reader)),
            writer: Writer::Tls(Box::new(writer)),
        }
    }

    /// A connected unix or TCP socket that comes from elsewhere, as one that
    /// was inherited.
    ///
    /// # Errors
    ///
    /// When it is neither, or not a socket at all.
    pub fn from_descriptor(descriptor: OwnedFd) -> io::Result<Self> {
        let socket = Socket::new(descriptor)?;
        Ok(Self {
            reader: Reader::Socket(socket.clone()),
            writer: Writer::Socket(socket),
        })
    }
}

impl Reader {
    /// Appends what has arrived, as far as there is room; how many bytes. 0 is
    /// the end.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.read(buffer).await,
            Self::Other(reader) => reader.read_buf(buffer).await,
        }
    }
}

impl Writer {
    /// Whether descriptors can be passed.
    pub(crate) fn passes_descriptors(&self) -> bool {
        matches!(self, Self::Socket(socket) if socket.passes_descriptors())
    }

    /// Writes what is taken at once; how many bytes.
    ///
    /// # Errors
    ///
    /// Those of the socket; `WouldBlock` when it takes nothing, or is none.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.try_write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(_) => Err(io::ErrorKind::WouldBlock.into()),
            Self::Other(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes all bytes, as far as the socket.
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Socket(socket) => socket.write_all(bytes).await,
            #[cfg(feature = "tls")]
            Self::Tls(writer) => {
                for byte in bytes {
                    writer.write_all(std::slice::from_ref(byte)).await?;
                }
                writer.flush().await
            }
            Self::Other(writer) => {
                writer.write_all(bytes).await?;
                // It may hold back what a buffer holds.
                writer.flush().await
            }
        }
    }

    /// Closes this direction.
    pub(crate) async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Socket(socket) => socket.shutdown(),
            #[cfg(feature = "tls")]
            Self::Tls(writer) => writer.shutdown().await,
            Self::Other(writer) => writer.shutdown().await,
        }
    }

    /// Passes a descriptor.
    ///
    /// # Errors
    ///
    /// Those of the socket; `Unsupported` on anything but a unix socket.
    pub(crate) async fn pass(&mut self, descriptor: &OwnedFd) -> io::Result<()> {
        match self {
            Self::Socket(socket) if socket.passes_descriptors() => socket.pass(descriptor).await,
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
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
            opened => return Stream::from_descriptor(opened?.into_std()?.into()),
        }
    }
}

/// A socket that this process was started with. It stays open as it is; what
/// is used is a duplicate.
fn inherited(number: i32) -> io::Result<Stream> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    // Of our own process too, a number becomes a descriptor only by the kernel.
    Stream::from_descriptor(pidfd_getfd(own, number, PidfdGetfdFlags::empty())?)
}

async fn connect_tcp(host: &str, port: u16, tls: Option<&Tls>) -> io::Result<Stream> {
    let stream = TcpStream::connect((host, port)).await?;
    match tls {
        None => Stream::from_descriptor(stream.into_std()?.into()),
        #[cfg(feature = "tls")]
        Some(tls) => crate::tls::connect(tls, host, stream).await,
        #[cfg(not(feature = "tls"))]
        Some(_) => Err(without_tls()),
    }
}

#[cfg(not(feature = "tls"))]
pub(crate) fn without_tls() -> io::Error {
    let error = "this program was built without TLS";
    io::Error::new(io::ErrorKind::Unsupported, error)
}
