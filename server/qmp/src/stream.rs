//! An open socket to an endpoint: connected by us, or by it.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::address::{Address, Socket, Tls};
use crate::error::ConnectError;

/// How long to wait before another look at a full queue of connections.
const BACKLOG_RETRY: Duration = Duration::from_millis(100);

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// Where bytes are written, and over a unix socket descriptors too.
pub(crate) enum Writer {
    Unix(OwnedWriteHalf),
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
            Socket::Unix(path) => connect_unix(path, deadline).await,
            Socket::Inherited(number) => inherited(*number),
            Socket::Tcp { host, port } => {
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
            reader: Box::new(reader),
            writer: Writer::Other(Box::new(writer)),
        }
    }

    /// The two ends of a TLS connection.
    #[cfg(feature = "tls")]
    pub(crate) fn secured(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader: Box::new(reader),
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
        use rustix::net::AddressFamily;
        let family = rustix::net::getsockname(&descriptor)?.address_family();
        if family == AddressFamily::UNIX {
            let stream = std::os::unix::net::UnixStream::from(descriptor);
            stream.set_nonblocking(true)?;
            return Ok(UnixStream::from_std(stream)?.into());
        }
        if family == AddressFamily::INET || family == AddressFamily::INET6 {
            let stream = std::net::TcpStream::from(descriptor);
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            return Ok(TcpStream::from_std(stream)?.into());
        }
        let error = "the socket is neither a unix nor a TCP socket";
        Err(io::Error::new(io::ErrorKind::Unsupported, error))
    }
}

impl Writer {
    /// Whether descriptors can be passed.
    pub(crate) fn passes_descriptors(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Writes all bytes, as far as the socket.
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(writer) => writer.write_all(bytes).await,
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
            Self::Unix(writer) => writer.shutdown().await,
            #[cfg(feature = "tls")]
            Self::Tls(writer) => writer.shutdown().await,
            Self::Other(writer) => writer.shutdown().await,
        }
    }

    /// Passes a descriptor along with a blank (unix(7), `SCM_RIGHTS`).
    ///
    /// # Errors
    ///
    /// Those of the socket; `Unsupported` on anything but a unix socket.
    pub(crate) async fn pass(&mut self, descriptor: &OwnedFd) -> io::Result<()> {
        let Self::Unix(writer) = self else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let socket: &UnixStream = writer.as_ref();
        let send = || {
            let descriptors = [descriptor.as_fd()];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
            let blank = [io::IoSlice::new(b" ")];
            let sent = rustix::net::sendmsg(socket, &blank, &mut ancillary, SendFlags::NOSIGNAL);
            sent.map(drop).map_err(io::Error::from)
        };
        socket.async_io(Interest::WRITABLE, send).await
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader: Box::new(reader),
            writer: Writer::Unix(writer),
        }
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
    // A command must not wait for the acknowledgement of the one before it.
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(stream.into()),
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
