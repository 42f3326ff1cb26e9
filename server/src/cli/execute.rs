//! `qmp-console execute`: one command, its return value on stdout.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use qmp_client::client::{Client, Execute};
use qmp_client::error::ExecuteError;
use qmp_shared::command::arguments_from_words;
use qmp_shared::json;
use qmp_shared::schema::Schema;
use serde_json::value::RawValue;

use super::ErrorReply;
use super::target::{Target, block_on, seconds, usage};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A QMP address, for example unix:/run/vm.qmp
    target: Target,
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
    /// How long to wait for the reply
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30", allow_negative_numbers = true)]
    timeout: Duration,
    /// Lay out the return value, one member or item a line
    #[arg(long)]
    pretty: bool,
}

/// Connects, executes, prints the return value, disconnects.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    if let Some(arguments) = &args.arguments {
        json::check_arguments(arguments).map_err(|fault| usage(format!("--arguments: {fault}")))?;
    }
    let value = block_on(execute(&args))?;
    let text = if args.pretty {
        json::pretty(value.get())
    } else {
        value.get().to_owned()
    };
    writeln!(std::io::stdout(), "{text}").context("stdout")
}

async fn execute(args: &Args) -> anyhow::Result<Box<RawValue>> {
    let client = args.target.connect().await?;
    let arguments = match (&args.arguments, args.words.as_slice()) {
        (Some(json), _) => Some(json.clone()),
        (None, []) => None,
        (None, words) => {
            let schema = schema(&client, args.timeout).await?;
            let arguments = arguments_from_words(schema.as_ref(), &args.command, words);
            Some(arguments.map_err(usage)?)
        }
    };
    let mut execute = Execute::new(&args.command)
        .oob(args.oob)
        .timeout(args.timeout);
    if let Some(arguments) = arguments {
        execute = execute.arguments(RawValue::from_string(arguments).context("the arguments")?);
    }
    let result = client.execute(execute).await.map_err(|error| error.error);
    // What the command did is known by now; how the connection ends is not part
    // of it, and `quit` ends it from the other side.
    let (Ok(()) | Err(_)) = client.disconnect().await;
    match result {
        Ok(value) => Ok(value),
        Err(ExecuteError::Refused(refused)) => Err(ErrorReply(refused.error).into()),
        Err(error) => Err(error.into()),
    }
}

/// What it means takes the endpoint's schema; what it looks like does not.
fn word(text: &str) -> Result<String, String> {
    match text.contains('=') {
        true => Ok(text.to_owned()),
        false => Err("expected KEY=VALUE".to_owned()),
    }
}

/// The endpoint's schema, if it has one.
async fn schema(client: &Client, timeout: Duration) -> anyhow::Result<Option<Schema>> {
    let query = Execute::new("query-qmp-schema").timeout(timeout);
    match client.execute(query).await.map_err(|error| error.error) {
        Ok(value) => Schema::parse(value.get())
            .map(Some)
            .context("the endpoint's schema"),
        // An agent has none.
        Err(ExecuteError::Refused(_)) => Ok(None),
        Err(error) => Err(error).context("asking for the schema"),
    }
}
