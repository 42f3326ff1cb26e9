//! `qmp-console execute`: one command, its return value on stdout.

mod console;
mod monitor;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, anyhow};
use qmp_shared::command::arguments_from_words;
use qmp_shared::json;
use qmp_shared::schema::Schema;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use super::console::Options;
use super::target::{Target, block_on, seconds, usage};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A QMP address, for example unix:/run/vm.qmp, or a session of a console, for example
    /// https://HOST:PORT/SESSION (its token in QMP_CONSOLE_TOKEN)
    target: String,
    /// The command's name
    command: String,
    /// Its arguments: typed by the endpoint's schema where it has one, else as JSON, else as
    /// strings; a.b=1 a.c=2 is {"a": {"b": 1, "c": 2}}
    #[arg(value_name = "KEY=VALUE", conflicts_with = "arguments", value_parser = word)]
    words: Vec<String>,
    /// Its arguments as one JSON object, sent as it is
    #[arg(long, value_name = "JSON")]
    arguments: Option<String>,
    /// Execute out of band
    #[arg(long)]
    oob: bool,
    /// How long to wait, from connecting to the reply
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30", allow_negative_numbers = true)]
    timeout: Duration,
    /// Lay out the return value, one member or item a line
    #[arg(long)]
    pretty: bool,
    #[command(flatten)]
    console: Options,
}

/// Connects, executes, prints the return value, disconnects.
///
/// # Errors
///
/// A usage error, the endpoint's error reply, or why there is no reply; which
/// says so where nobody can tell whether the command was executed.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    if let Some(arguments) = &args.arguments {
        json::check_arguments(arguments).map_err(|fault| usage(format!("--arguments: {fault}")))?;
    }
    let value = match Target::parse(&args.target)? {
        Target::Monitor(monitor) => {
            args.console.check_unused()?;
            block_on(monitor::execute(&monitor, &args))?
        }
        Target::Console(location) => block_on(console::execute(location, &args))?,
    };
    let text = if args.pretty {
        json::pretty(value.get())
    } else {
        value.get().to_owned()
    };
    writeln!(std::io::stdout(), "{text}").context("stdout")
}

/// The end of `--timeout`, which begins with connecting.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    timeout: Duration,
    at: Instant,
}

impl Deadline {
    fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            at: Instant::now() + timeout,
        }
    }

    /// What comes before the command is sent.
    async fn before<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let late = |_| {
            let seconds = self.timeout.as_secs_f64();
            anyhow!("no answer within {seconds} s: the command was not sent")
        };
        timeout_at(self.at, work).await.map_err(late)?
    }

    /// What is left for the command itself, in whole milliseconds: it may be told.
    fn left(&self) -> Duration {
        let left = self.at.saturating_duration_since(Instant::now());
        Duration::from_secs_f64((left.as_secs_f64() * 1e3).ceil() / 1e3)
    }
}

/// The command's arguments, if it has any. The schema is asked for only where
/// words are to be typed by it.
async fn arguments(
    args: &Args,
    schema: impl AsyncFnOnce() -> anyhow::Result<Option<Schema>>,
) -> anyhow::Result<Option<Box<RawValue>>> {
    let text = match (&args.arguments, args.words.as_slice()) {
        (Some(json), _) => json.clone(),
        (None, []) => return Ok(None),
        (None, words) => {
            let schema = schema().await?;
            arguments_from_words(schema.as_ref(), &args.command, words).map_err(usage)?
        }
    };
    RawValue::from_string(text)
        .map(Some)
        .context("the arguments")
}

/// What it means takes the endpoint's schema; what it looks like does not.
fn word(text: &str) -> Result<String, String> {
    match text.contains('=') {
        true => Ok(text.to_owned()),
        false => Err("expected KEY=VALUE".to_owned()),
    }
}
