//! `qmp-client`, with its default options.

use std::path::Path;
use std::time::{Duration, Instant};

use qmp_client::client::{Client, Options};
use qmp_client::error::{ExecuteError, Named};
use qmp_client::events::EventFilter;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::instant::WANTED;
use crate::workload::{CALLERS, Workload};
use crate::{Contender, Result, Sockets};

pub(crate) struct Ours {
    runtime: Runtime,
    qemu: Client,
    instant: Client,
}

impl Ours {
    pub(crate) fn connect(sockets: &Sockets) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let connect = |path: &Path| {
            let address = format!("unix:{}", path.display()).parse()?;
            let client = Client::new(Options::default());
            runtime.block_on(client.connect(&address))?;
            Result::Ok(client)
        };
        Ok(Self {
            qemu: connect(&sockets.qemu)?,
            instant: connect(&sockets.instant)?,
            runtime,
        })
    }
}

impl Contender for Ours {
    fn run(&mut self, workload: Workload, times: usize) -> Result<Option<Duration>> {
        let client = match workload.is_instant() {
            true => &self.instant,
            false => &self.qemu,
        };
        self.runtime.block_on(async {
            let start = Instant::now();
            match workload {
                // A task, as callers in a server are.
                Workload::SequentialQemu | Workload::SequentialInstant => {
                    tokio::spawn(sequential(client.clone(), "query-status", times)).await??;
                }
                Workload::PipelinedQemu | Workload::PipelinedInstant => {
                    let mut callers = JoinSet::new();
                    for _ in 0..CALLERS {
                        callers.spawn(sequential(client.clone(), "query-status", times / CALLERS));
                    }
                    while let Some(ended) = callers.join_next().await {
                        ended??;
                    }
                }
                Workload::SchemaQemu => {
                    sequential(client.clone(), "query-qmp-schema", times).await?;
                }
                Workload::EventsInstant => events(client, times).await?,
            }
            Ok(Some(start.elapsed()))
        })
    }
}

async fn sequential(
    client: Client,
    command: &'static str,
    times: usize,
) -> std::result::Result<(), Named<ExecuteError>> {
    for _ in 0..times {
        client.execute(command).await?;
    }
    Ok(())
}

async fn events(client: &Client, times: usize) -> Result<()> {
    let mut listener = client.listen(EventFilter::names([WANTED])?);
    client.execute("cont").await?;
    for _ in 0..times / 2 {
        listener.next().await.ok_or("the endpoint is gone")?;
    }
    match listener.dropped() {
        0 => Ok(()),
        dropped => Err(format!("{dropped} events were dropped").into()),
    }
}
