//! Subscribers: as many sockets, read by one thread, as little as it takes to
//! see that every event has come, in order.

use std::cell::RefCell;
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::websocket::{self, Frame};
use crate::{Result, console::Console};

/// How an event begins.
pub(crate) const PREFIX: &str = r#"{"type":"event","subs":[1],"session":"vm","seq":"#;

/// How long all events may take to come.
const DEADLINE: Duration = Duration::from_secs(300);

/// What is read at once.
const BUFFER: usize = 256 << 10;

/// Subscribers that have been told that they are.
pub(crate) struct Receivers(Vec<TcpStream>);

impl Receivers {
    /// Subscribers to the session `vm` of a console.
    pub(crate) fn of(console: &Console, token: &str, count: usize) -> Result<Self> {
        let subscribe = || {
            let mut stream = websocket::open(&console.host, token)?;
            websocket::send(
                &mut stream,
                r#"{"type":"subscribe","sub":1,"session":"vm"}"#,
            )?;
            websocket::skip_to(&mut stream, r#"{"type":"subscribed""#)?;
            Ok(stream)
        };
        let streams: Result<Vec<_>> = (0..count).map(|_| subscribe()).collect();
        Ok(Self(streams?))
    }

    /// Those of a server that sends to whoever is connected.
    pub(crate) fn of_broadcast(host: &str, count: usize) -> Result<Self> {
        let streams: Result<Vec<_>> = (0..count).map(|_| websocket::open(host, "")).collect();
        Ok(Self(streams?))
    }

    /// Reads until each has so many events.
    pub(crate) fn receive(&mut self, events: usize) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let buffer = Rc::new(RefCell::new(vec![0; BUFFER]));
        let local = LocalSet::new();
        let _context = runtime.enter();
        let mut tasks = Vec::new();
        for stream in &self.0 {
            let stream = stream.try_clone()?;
            stream.set_nonblocking(true)?;
            let mut receiver = Receiver {
                stream: tokio::net::TcpStream::from_std(stream)?,
                unfinished: Vec::new(),
                last: None,
                left: events,
            };
            let buffer = Rc::clone(&buffer);
            tasks.push(local.spawn_local(async move {
                std::future::poll_fn(|cx| receiver.poll(cx, &mut buffer.borrow_mut())).await
            }));
        }
        let all = async {
            for task in tasks {
                task.await??;
            }
            Ok(())
        };
        runtime.block_on(local.run_until(timeout(DEADLINE, all)))?
    }
}

struct Receiver {
    stream: tokio::net::TcpStream,
    /// The beginning of a frame.
    unfinished: Vec<u8>,
    /// The number of the last event.
    last: Option<u64>,
    left: usize,
}

impl Receiver {
    /// Reads what there is into a buffer that all have together.
    fn poll(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<()>> {
        while self.left > 0 {
            let kept = self.unfinished.len();
            buffer[..kept].copy_from_slice(&self.unfinished);
            let mut read = ReadBuf::new(&mut buffer[kept..]);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
            let filled = kept + read.filled().len();
            if filled == kept {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let mut from = 0;
            while let Some(frame) = Frame::first(&buffer[from..filled]) {
                self.look(frame.payload)?;
                from += frame.length;
            }
            self.unfinished.clear();
            self.unfinished.extend_from_slice(&buffer[from..filled]);
        }
        Poll::Ready(Ok(()))
    }

    fn look(&mut self, payload: &[u8]) -> io::Result<()> {
        let Some(rest) = payload.strip_prefix(PREFIX.as_bytes()) else {
            return match payload.starts_with(br#"{"type":"gap""#) {
                true => Err(io::Error::other("events were lost")),
                // Bookmarks, changes of the session, pings.
                false => Ok(()),
            };
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        let seq = digits.fold(0, |seq, digit| seq * 10 + u64::from(digit - b'0'));
        if self.last.is_some_and(|last| seq != last + 1) {
            return Err(io::Error::other("an event is not the next one"));
        }
        self.last = Some(seq);
        self.left = self.left.saturating_sub(1);
        Ok(())
    }
}
