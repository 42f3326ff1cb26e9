//! `qmp-console events`: events as they come, one JSON object a line.

mod console;
mod monitor;
mod progress;

use std::io::{ErrorKind, Write};

use anyhow::Context;
use qmp_shared::filter::{EventFilter, Expression};
use serde::Serialize;

use super::console::Options;
use super::target::{Target, block_on, usage};

#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Args {
    /// A QMP address, for example unix:/run/vm.qmp, or a session of a console, for example
    /// https://HOST:PORT/SESSION (its token in QMP_CONSOLE_TOKEN)
    target: String,
    /// Only events of these names, with * for any text
    #[arg(long, value_name = "A,B*", default_value = "")]
    names: EventFilter,
    /// Only events of which this holds, for example: @.data.id == "job1" (RFC 9535)
    #[arg(long = "where", value_name = "EXPRESSION")]
    expression: Option<Expression>,
    /// Only events after this number, of a console. Default: with --follow those from now on, else
    /// all that the console has kept
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Go on with events as they come; a monitor keeps none, so there this is always so
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    console: Options,
}

/// What the options leave open.
const AFTER_HELP: &str = "\
On a console each line is {\"seq\", \"received\", \"event\"}, and `seq` of the last one is where to go on: --after SEQ. \
On a monitor there is no `seq`, as it does not number its events.

With --follow, a connection that was there and is lost is made again, and the events meanwhile are printed then, none twice. What \
the console itself has lost, or does not keep any more, is told on standard error: missed SEQ to SEQ. Ends with 0 when \
nobody reads the output any more, and with 3 when the console has no such session any more or refuses the token.";

/// Prints events until there are no more of them, or nobody reads them any
/// more.
///
/// # Errors
///
/// A usage error, or why there are no more events where there should be.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    match Target::parse(&args.target)? {
        Target::Monitor(monitor) => {
            if args.after.is_some() {
                return Err(usage(
                    "--after: a monitor does not number its events; only a console does",
                ));
            }
            args.console.check_unused()?;
            // There is nothing but to follow.
            let _ = args.follow;
            block_on(monitor::follow(&monitor, args))
        }
        Target::Console(location) => block_on(console::print(location, args)),
    }
}

/// Prints a line. Returns whether somebody reads it.
fn print(line: &impl Serialize) -> anyhow::Result<bool> {
    let mut text = serde_json::to_string(line).context("an event")?;
    text.push('\n');
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("stdout"),
    }
}
