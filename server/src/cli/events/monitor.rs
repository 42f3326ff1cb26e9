//! Events directly from a monitor, which has them only as they come.

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use qmp_shared::json;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Args, print};
use crate::cli::target::Monitor;
use crate::cli::tell;
use crate::error::chain;

/// One line of output. A monitor does not number its events.
#[derive(Serialize)]
struct Line<'a> {
    received: String,
    event: &'a RawValue,
}

/// Prints events until the connection ends, which is an error, or nobody reads
/// them any more, which is none.
pub(super) async fn follow(monitor: &Monitor, args: Args) -> anyhow::Result<()> {
    let mut filter = args.names;
    if let Some(expression) = args.expression {
        filter = filter.with_expression(expression);
    }
    let client = monitor.client();
    let mut listener = client.listen(filter);
    let connected = client.connect(monitor.address()).await;
    connected.map_err(|error| error.error)?;
    let mut unevaluable = 0;
    while let Some(event) = listener.next().await {
        let received = format!("{:.6}", Timestamp::now());
        let compact = json::compact(event.as_str()).into_owned();
        let line = Line {
            received,
            event: &RawValue::from_string(compact).context("an event")?,
        };
        if !print(&line)? {
            return Ok(());
        }
        if listener.unevaluable() > unevaluable {
            unevaluable = listener.unevaluable();
            tell(&format!(
                "{unevaluable} events could not be looked into by --where"
            ));
        }
    }
    match client.disconnect().await {
        Ok(()) => Err(anyhow!("the connection is over")),
        Err(cause) => Err(anyhow!(chain(&*cause))),
    }
}
