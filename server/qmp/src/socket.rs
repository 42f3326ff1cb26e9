//! A connected socket, read and written without a detour.
//!
//! It is registered with the runtime for reading only. A socket that is
//! registered for both wakes its reader each time the other side has taken what
//! was written, which for short commands is as often as there is a reply.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A handle on a socket, which is closed when the last one is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    descriptor: Arc<AsyncFd<OwnedFd>>,
    passes_descriptors: bool,
}

impl Socket {
    /// A socket that is connected already.
    ///
    /// # Errors
    ///
    /// When it is neither a unix nor a TCP socket, or not a socket at all.
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let family = rustix::net::getsockname(&descriptor)?.address_family();
        if family == AddressFamily::INET || family == AddressFamily::INET6 {
            // A command must not wait for the acknowledgement of the one before it.
            rustix::net::sockopt::set_tcp_nodelay(&descriptor, true)?;
        } else if family != AddressFamily::UNIX {
            let error = "the socket is neither a unix nor a TCP socket";
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        }
        rustix::io::ioctl_fionbio(&descriptor, true)?;
        let descriptor = register(descriptor, Interest::READABLE)?;
        Ok(Self {
            descriptor: Arc::new(descriptor),
            passes_descriptors: family == AddressFamily::UNIX,
        })
    }

    /// Whether descriptors can be passed.
    pub(crate) fn passes_descriptors(&self) -> bool {
        self.passes_descriptors
    }

    /// Appends what has arrived, as far as there is room; how many bytes. 0 is
    /// the end.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn read(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            let mut ready = self.descriptor.readable().await?;
            let room = buffer.capacity() - buffer.len();
            let receive = |socket: &AsyncFd<OwnedFd>| {
                let received =
                    rustix::net::recv(socket, spare_capacity(buffer), RecvFlags::empty());
                received.map(|(length, _)| length).map_err(io::Error::from)
            };
            match ready.try_io(receive) {
                Ok(Ok(length)) => {
                    // There is no more, so that it need not be asked for.
                    if 0 < length && length < room {
                        ready.clear_ready();
                    }
                    return Ok(length);
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
    }

    /// Writes what the socket takes at once; how many bytes.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when it takes none, and those of the socket.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        Ok(rustix::net::send(&*self.descriptor, bytes, flags)?)
    }

    /// Writes all bytes.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, some of the bytes may be written.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.when_writable(|| self.try_write(bytes)).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Passes a descriptor along with a blank (unix(7), `SCM_RIGHTS`).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the descriptor may be passed.
    pub(crate) async fn pass(&self, descriptor: &OwnedFd) -> io::Result<()> {
        let send = || {
            let descriptors = [descriptor.as_fd()];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
            let blank = [io::IoSlice::new(b" ")];
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            let sent = rustix::net::sendmsg(&*self.descriptor, &blank, &mut ancillary, flags);
            Ok(sent.map(drop)?)
        };
        self.when_writable(send).await
    }

    /// Closes the direction in which we write.
    pub(crate) fn shutdown(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(&*self.descriptor, Shutdown::Write)?)
    }

    /// Does something as soon as the socket does not refuse it with
    /// `WouldBlock`.
    async fn when_writable<T>(&self, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        // Only while there is something to wait for. A duplicate, as the
        // original is registered.
        let mut waiting: Option<AsyncFd<OwnedFd>> = None;
        loop {
            match act() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            match &waiting {
                Some(socket) => socket.writable().await?.clear_ready(),
                None => {
                    let duplicate = self.descriptor.get_ref().try_clone()?;
                    waiting = Some(register(duplicate, Interest::WRITABLE)?);
                }
            }
        }
    }
}

/// Has the runtime watch a descriptor, for this only.
fn register(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(
        deprecated,
        reason = "what its replacement wants promised holds for each OwnedFd"
    )]
    AsyncFd::with_interest(descriptor, interest)
}
