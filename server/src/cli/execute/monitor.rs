//! Executing directly on a monitor.

use anyhow::Context;
use qmp_client::client::{Client, Execute};
use qmp_client::error::ExecuteError;
use qmp_shared::schema::Schema;
use serde_json::value::RawValue;

use super::{Args, Deadline, arguments};
use crate::cli::ErrorReply;
use crate::cli::target::Monitor;

/// Executes the command and returns its value, verbatim.
pub(super) async fn execute(monitor: &Monitor, args: &Args) -> anyhow::Result<Box<RawValue>> {
    let deadline = Deadline::new(args.timeout);
    let client = deadline.before(monitor.connect()).await?;
    let arguments = arguments(args, async || deadline.before(schema(&client)).await).await?;
    let mut execute = Execute::new(&args.command)
        .oob(args.oob)
        .timeout(deadline.left());
    if let Some(arguments) = arguments {
        execute = execute.arguments(arguments);
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

/// The endpoint's schema, if it has one.
async fn schema(client: &Client) -> anyhow::Result<Option<Schema>> {
    let query = Execute::new("query-qmp-schema");
    match client.execute(query).await.map_err(|error| error.error) {
        Ok(value) => Schema::parse(value.get())
            .map(Some)
            .context("the endpoint's schema"),
        // An agent has none.
        Err(ExecuteError::Refused(_)) => Ok(None),
        Err(error) => Err(error).context("asking for the schema"),
    }
}
