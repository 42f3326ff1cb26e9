//! The crate `qapi`: blocking where it is asked, which is faster, and
//! asynchronous for events, which its blocking client does not hand out before
//! a reply.

use std::io::{BufReader, BufWriter};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use qapi::futures::{QapiEvents, QapiService, QmpStreamTokio};
use qapi::{Qmp, Stream, qmp};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::runtime::Runtime;

use crate::workload::Workload;
use crate::{Contender, Result, Sockets};

type Blocking = Qmp<Stream<BufReader<UnixStream>, BufWriter<UnixStream>>>;

struct Asynchronous {
    service: QapiService<QmpStreamTokio<WriteHalf<tokio::net::UnixStream>>>,
    events: QapiEvents<QmpStreamTokio<ReadHalf<tokio::net::UnixStream>>>,
}

pub(crate) struct Qapi {
    runtime: Runtime,
    qemu: Blocking,
    instant: Blocking,
    events: Asynchronous,
}

impl Qapi {
    pub(crate) fn connect(sockets: &Sockets) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let opened = runtime.block_on(async {
            let opened = QmpStreamTokio::open_uds(&sockets.instant).await?;
            opened.negotiate().await
        });
        let (service, events) = opened?.into_parts();
        Ok(Self {
            runtime,
            qemu: connect(&sockets.qemu)?,
            instant: connect(&sockets.instant)?,
            events: Asynchronous { service, events },
        })
    }
}

fn connect(path: &Path) -> Result<Blocking> {
    let stream = UnixStream::connect(path)?;
    // Its own constructor writes each token by itself.
    let reader = BufReader::new(stream.try_clone()?);
    let mut client = Qmp::new(Stream::new(reader, BufWriter::new(stream)));
    client.handshake()?;
    Ok(client)
}

impl Contender for Qapi {
    fn run(&mut self, workload: Workload, times: usize) -> Result<Option<Duration>> {
        let client = match workload.is_instant() {
            true => &mut self.instant,
            false => &mut self.qemu,
        };
        let start = Instant::now();
        match workload {
            // With several callers it serves one after the other.
            Workload::SequentialQemu
            | Workload::SequentialInstant
            | Workload::PipelinedQemu
            | Workload::PipelinedInstant => {
                for _ in 0..times {
                    client.execute(&qmp::query_status {})?;
                }
            }
            Workload::SchemaQemu => {
                for _ in 0..times {
                    client.execute(&qmp::query_qmp_schema {})?;
                }
            }
            Workload::EventsInstant => {
                self.runtime.block_on(events(&mut self.events, times))?;
            }
        }
        Ok(Some(start.elapsed()))
    }
}

async fn events(stream: &mut Asynchronous, times: usize) -> Result<()> {
    let mut reply = pin!(stream.service.execute(qmp::cont {}));
    let mut replied = false;
    let mut wanted = 0;
    while !replied || wanted < times / 2 {
        tokio::select! {
            biased;
            result = &mut reply, if !replied => {
                result?;
                replied = true;
            }
            event = stream.events.next() => {
                let event = event.ok_or("the endpoint is gone")??;
                wanted += usize::from(matches!(event, qmp::Event::JOB_STATUS_CHANGE { .. }));
            }
        }
    }
    Ok(())
}
