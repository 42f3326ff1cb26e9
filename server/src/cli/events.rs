//! `qmp-console events`: events as they come, one JSON object a line.

use std::io::{ErrorKind, Write};

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use qmp_client::events::{EventFilter, Expression};
use qmp_shared::json;
use serde::Serialize;
use serde_json::value::RawValue;

use super::target::{Target, block_on, usage};
use crate::error::chain;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A QMP address, for example unix:/run/vm.qmp
    target: Target,
    /// Only events of these names, with * for any text
    #[arg(long, value_name = "A,B*", default_value = "")]
    names: EventFilter,
    /// Only events of which this holds, for example: @.data.id == "job1" (RFC 9535)
    #[arg(long = "where", value_name = "EXPRESSION")]
    expression: Option<Expression>,
    /// Only events after this number, of a console
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Go on with events as they come; a monitor keeps none, so there this is always so
    #[arg(long)]
    follow: bool,
}

/// One line of output. A monitor does not number its events.
#[derive(Serialize)]
struct Line<'a> {
    received: String,
    event: &'a RawValue,
}

/// Prints events until the connection ends, which is an error, or nobody reads
/// them any more, which is none.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    if args.after.is_some() {
        return Err(usage(
            "--after: a monitor does not number its events; only a console does",
        ));
    }
    // There is nothing but to follow.
    let _ = args.follow;
    block_on(follow(args))
}

async fn follow(args: Args) -> anyhow::Result<()> {
    let mut filter = args.names;
    if let Some(expression) = args.expression {
        filter = filter.with_expression(expression);
    }
    let client = args.target.client();
    let mut listener = client.listen(filter);
    let connected = client.connect(args.target.address()).await;
    connected.map_err(|error| error.error)?;
    let mut unevaluable = 0;
    while let Some(event) = listener.next().await {
        let received = format!("{:.6}", Timestamp::now());
        let compact = json::compact(event.as_str()).into_owned();
        let line = Line {
            received,
            event: &RawValue::from_string(compact).context("an event")?,
        };
        let mut text = serde_json::to_string(&line).context("an event")?;
        text.push('\n');
        let mut stdout = std::io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error).context("stdout"),
        }
        if listener.unevaluable() > unevaluable {
            unevaluable = listener.unevaluable();
            eprintln!("qmp-console: {unevaluable} events could not be looked into by --where");
        }
    }
    match client.disconnect().await {
        Ok(()) => Err(anyhow!("the connection is over")),
        Err(cause) => Err(anyhow!(chain(&*cause))),
    }
}
