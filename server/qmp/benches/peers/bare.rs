//! A tokio socket, and nothing else: what the runtime costs. It does what one
//! caller can do.

use std::path::Path;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

use crate::floor::{SCHEMA, STATUS};
use crate::workload::Workload;
use crate::{Contender, Result, Sockets};

pub(crate) struct Bare {
    runtime: Runtime,
    qemu: UnixStream,
    instant: UnixStream,
}

impl Bare {
    pub(crate) fn connect(sockets: &Sockets) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            qemu: runtime.block_on(connect(&sockets.qemu))?,
            instant: runtime.block_on(connect(&sockets.instant))?,
            runtime,
        })
    }
}

/// As the floor does.
async fn connect(path: &Path) -> Result<UnixStream> {
    let mut socket = UnixStream::connect(path).await?;
    let mut buffer = vec![0; 64 << 10];
    let length = socket.read(&mut buffer).await?;
    let oob = memmem::find(&buffer[..length], b"\"oob\"").is_some();
    exchange(&mut socket, &mut buffer, crate::floor::negotiation(oob)).await?;
    Ok(socket)
}

impl Contender for Bare {
    fn run(&mut self, workload: Workload, times: usize) -> Result<Option<Duration>> {
        let (socket, command) = match workload {
            Workload::SequentialQemu => (&mut self.qemu, STATUS),
            Workload::SequentialInstant => (&mut self.instant, STATUS),
            Workload::SchemaQemu => (&mut self.qemu, SCHEMA),
            Workload::PipelinedQemu | Workload::PipelinedInstant | Workload::EventsInstant => {
                return Ok(None);
            }
        };
        self.runtime.block_on(async {
            let mut buffer = vec![0; 256 << 10];
            let start = Instant::now();
            for _ in 0..times {
                exchange(socket, &mut buffer, command).await?;
            }
            Ok(Some(start.elapsed()))
        })
    }
}

async fn exchange(socket: &mut UnixStream, buffer: &mut [u8], command: &[u8]) -> Result<()> {
    socket.write_all(command).await?;
    loop {
        let length = socket.read(buffer).await?;
        match buffer[..length].last() {
            None => return Err("the endpoint is gone".into()),
            Some(b'\n') => return Ok(()),
            Some(_) => {}
        }
    }
}
