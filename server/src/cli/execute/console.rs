//! Executing on a session of a console, over its WebSocket.

use std::time::Duration;

use anyhow::{Context, anyhow};
use qmp_shared::rest::{ProblemKind, SchemaReply};
use qmp_shared::schema::Schema;
use qmp_shared::wire::{self, ClientFrame, ClientId, ServerFrame};
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{Args, Deadline, arguments};
use crate::cli::console::{Console, Fault, Location, Socket, failure};

/// How much longer than `--timeout` is waited: within that it is the console
/// that tells of the timeout.
const GRACE: Duration = Duration::from_secs(10);

/// Said of a command that was sent, when its reply can come no more.
const UNKNOWN: &str = "whether the command was executed is unknown";

/// Executes the command and returns its value, verbatim.
pub(super) async fn execute(location: Location, args: &Args) -> anyhow::Result<Box<RawValue>> {
    let console = Console::new(location, &args.console)?;
    let deadline = Deadline::new(args.timeout);
    let arguments = arguments(args, async || deadline.before(schema(&console)).await).await?;
    let open = async { console.open().await.map_err(failure) };
    let (mut socket, _) = deadline.before(open).await?;
    let command = args.command.clone();
    let (in_band, out_of_band) = match args.oob {
        false => (Some(command), None),
        true => (None, Some(command)),
    };
    let frame = ClientFrame::Execute(wire::Execute {
        id: ClientId::from(1),
        session: console.session().to_owned(),
        execute: in_band,
        exec_oob: out_of_band,
        arguments,
        timeout: Some(deadline.left().as_secs_f64()),
        expect: None,
    });
    let within = deadline.left() + GRACE;
    match timeout(within, reply(&mut socket, &frame)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fault @ Fault::Refused(_))) => Err(failure(fault)),
        Ok(Err(fault)) => Err(fault).context(UNKNOWN),
        Err(_) => Err(anyhow!(Fault::Late(within)).context(UNKNOWN)),
    }
}

/// Sends the command and waits for its reply, or for the frame's refusal.
async fn reply(socket: &mut Socket, frame: &ClientFrame) -> Result<Box<RawValue>, Fault> {
    socket.send(frame).await?;
    loop {
        let problem = match socket.receive().await? {
            // There is one command on this socket, and nothing else.
            ServerFrame::Reply(reply) => match reply.into_result() {
                Ok(value) => return Ok(value),
                Err(problem) => problem,
            },
            ServerFrame::Error(error) => error.problem,
            _ => continue,
        };
        return Err(Fault::Refused(Box::new(problem)));
    }
}

/// The session's schema, if its endpoint has one.
async fn schema(console: &Console) -> anyhow::Result<Option<Schema>> {
    let reply: SchemaReply = match console.get("/schema").await {
        Ok(reply) => reply,
        // Asked for it, the endpoint has refused.
        Err(Fault::Refused(problem)) if problem.kind == ProblemKind::ExecuteError => {
            return Ok(None);
        }
        Err(fault) => return Err(failure(fault)),
    };
    let schema = reply.schema.filter(|schema| schema.get() != "null");
    schema
        .map(|schema| Schema::parse(schema.get()))
        .transpose()
        .context("the endpoint's schema")
}
