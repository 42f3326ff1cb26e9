//! The floor: a blocking socket that is written to, and read until the newline.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use memchr::{memchr_iter, memmem};

use crate::workload::{CALLERS, Workload};
use crate::{Contender, Result, Sockets};

/// QEMU reads a command a byte at a time, each of which takes it some
/// microseconds; so this one's id is as long as those of a client that counts.
pub(crate) const STATUS: &[u8] = b"{\"execute\":\"query-status\",\"id\":10000}";
pub(crate) const SCHEMA: &[u8] = b"{\"execute\":\"query-qmp-schema\",\"id\":10000}";
const BURST: &[u8] = b"{\"execute\":\"cont\",\"id\":1}";

pub(crate) struct Floor {
    qemu: Socket,
    instant: Socket,
}

impl Floor {
    pub(crate) fn connect(sockets: &Sockets) -> Result<Self> {
        Ok(Self {
            qemu: Socket::connect(&sockets.qemu)?,
            instant: Socket::connect(&sockets.instant)?,
        })
    }
}

impl Contender for Floor {
    fn run(&mut self, workload: Workload, times: usize) -> Result<Option<Duration>> {
        let socket = match workload.is_instant() {
            true => &mut self.instant,
            false => &mut self.qemu,
        };
        let start = Instant::now();
        match workload {
            Workload::SequentialQemu | Workload::SequentialInstant => {
                for _ in 0..times {
                    socket.exchange(STATUS, 1)?;
                }
            }
            Workload::PipelinedQemu | Workload::PipelinedInstant => {
                let commands = STATUS.repeat(CALLERS);
                for _ in 0..times / CALLERS {
                    socket.exchange(&commands, CALLERS)?;
                }
            }
            Workload::SchemaQemu => {
                for _ in 0..times {
                    socket.exchange(SCHEMA, 1)?;
                }
            }
            Workload::EventsInstant => socket.exchange(BURST, times + 1)?,
        }
        Ok(Some(start.elapsed()))
    }
}

struct Socket {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Socket {
    /// Negotiates what our client negotiates, as QEMU does other work with and
    /// without it.
    fn connect(path: &Path) -> Result<Self> {
        let mut socket = Self {
            stream: UnixStream::connect(path)?,
            buffer: vec![0; 256 << 10],
        };
        let length = socket.read(1)?;
        let oob = memmem::find(&socket.buffer[..length], b"\"oob\"").is_some();
        socket.exchange(negotiation(oob), 1)?;
        Ok(socket)
    }

    fn exchange(&mut self, commands: &[u8], lines: usize) -> Result<()> {
        self.stream.write_all(commands)?;
        self.read(lines)?;
        Ok(())
    }

    /// Reads so many lines; how long the last read was.
    fn read(&mut self, mut lines: usize) -> Result<usize> {
        loop {
            let length = self.stream.read(&mut self.buffer)?;
            if length == 0 {
                return Err("the endpoint is gone".into());
            }
            let ended = memchr_iter(b'\n', &self.buffer[..length]).count();
            match lines.checked_sub(ended) {
                Some(0) => return Ok(length),
                Some(left) => lines = left,
                None => return Err("more than was asked for".into()),
            }
        }
    }
}

/// What negotiates, with out-of-band execution or without.
pub(crate) fn negotiation(oob: bool) -> &'static [u8] {
    match oob {
        true => b"{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}",
        false => b"{\"execute\":\"qmp_capabilities\"}",
    }
}
