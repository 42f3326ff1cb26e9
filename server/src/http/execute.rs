//! Executing a command for a caller: the same for REST and the WebSocket.
//!
//! Every command passes here: checked as QEMU would check it, judged by the
//! policy, put on record, sent.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use qmp_client::client::Execute;
use qmp_shared::filter::EventFilter;
use qmp_shared::model::Seq;
use qmp_shared::rest::{
    self, DEFAULT_EXECUTE_TIMEOUT, Expect, MAX_EXECUTE_TIMEOUT, Outcome, Problem, ProblemKind,
    Return,
};
use qmp_shared::wire::Returned;
use serde_json::value::RawValue;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::body::StrictJson;
use super::events::filter;
use super::guard::Caller;
use super::problem::{Faults, Refusal, invalid, of_session, of_store};
use super::sessions::SessionName;
use super::{CHECK_EVERY, Console};
use crate::access::Attempt;
use crate::journal::Item;
use crate::session::Session;

/// Longest name of a command, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// How many entries of a log are looked at in one step.
const STEP: usize = 256;

/// `POST /api/v1/sessions/{name}/execute`.
#[utoipa::path(post, operation_id = "execute", path = "/sessions/{name}/execute", tag = "execute", params(("name" = String, Path, description = "The session's name")), request_body = rest::Execute, responses((status = 200, description = "What the command returned", body = Return), Faults))]
pub(super) async fn execute(
    State(console): State<Arc<Console>>,
    caller: Caller,
    SessionName(name): SessionName,
    StrictJson(body): StrictJson<rest::Execute>,
) -> Result<Json<Return>, Refusal> {
    let id = body.id;
    let request = Request {
        execute: body.execute,
        exec_oob: body.exec_oob,
        arguments: body.arguments,
        timeout: body.timeout,
        expect: body.expect,
    };
    let Returned { value, expected } = run(&console, &caller, &name, request).await?;
    Ok(Json(Return {
        value,
        id,
        expected,
    }))
}

/// A command as a caller asks for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) execute: Option<String>,
    pub(super) exec_oob: Option<String>,
    pub(super) arguments: Option<Box<RawValue>>,
    pub(super) timeout: Option<f64>,
    pub(super) expect: Option<Expect>,
}

impl Request {
    /// The command's name, and whether it is to be executed out of band.
    fn command(&self) -> Result<(&str, bool), Problem> {
        match (&self.execute, &self.exec_oob) {
            (Some(command), None) => Ok((command, false)),
            (None, Some(command)) => Ok((command, true)),
            (None, None) => Err(invalid("`execute` or `exec-oob` must name a command")),
            (Some(_), Some(_)) => Err(invalid(
                "`execute` and `exec-oob` are both there; a command is executed one way",
            )),
        }
    }
}

/// No command has a name that is longer, and what goes on record has an end.
pub(super) fn check_name(command: &str) -> Result<(), Problem> {
    match command.len() {
        1..=MAX_NAME_BYTES => Ok(()),
        length => Err(invalid(format!(
            "a command's name has 1 to {MAX_NAME_BYTES} bytes, and this one {length}"
        ))),
    }
}

/// An event that is waited for.
struct Expected {
    filter: EventFilter,
    timeout: Duration,
}

impl Expected {
    fn new(expect: Expect) -> Result<Self, Problem> {
        Ok(Self {
            filter: filter(expect.names, expect.expression.as_deref())?,
            timeout: seconds("expect.timeout", expect.timeout)?,
        })
    }
}

/// Executes a command on the session of that name.
///
/// # Errors
///
/// The problem to answer with.
///
/// # Cancel safety
///
/// Dropping the future does not take back a command that was sent.
pub(super) async fn run(
    console: &Console,
    caller: &Caller,
    session: &str,
    request: Request,
) -> Result<Returned, Problem> {
    let session = console.session(session).map_err(|refusal| refusal.0)?;
    let run = run_on(console, caller, &session, request);
    run.await.map_err(|problem| problem.session(session.name()))
}

async fn run_on(
    console: &Console,
    caller: &Caller,
    session: &Session,
    request: Request,
) -> Result<Returned, Problem> {
    let limit = seconds("timeout", request.timeout)?;
    let (command, oob) = request.command()?;
    check_name(command)?;
    let mut execute = Execute::new(command).oob(oob).timeout(limit);
    let expected = request.expect.clone().map(Expected::new).transpose()?;
    if let Some(arguments) = &request.arguments {
        // What is judged is what QEMU would read.
        qmp_shared::json::check_arguments(arguments.get())
            .map_err(|fault| invalid(format!("the arguments cannot be sent: {fault}")))?;
        execute = execute.arguments(arguments.clone());
    }
    let attempt = Attempt {
        identity: &caller.identity,
        peer: &caller.peer.name,
        session: session.name(),
        command,
        arguments: request.arguments.as_deref().map(RawValue::get),
    };
    let record = console.access.authorise(attempt).map_err(|denied| {
        let detail = format!(
            "{command:?} needs the role {}: {}. Yours is {}",
            denied.role, denied.reason, caller.identity.role
        );
        Problem::new(ProblemKind::Forbidden, detail)
    })?;
    // Before anything is sent, so that nothing is missed.
    let start = session.log().newest();
    let result = match session.execute(execute).await {
        Ok(value) => match expected {
            None => Ok(Returned {
                value,
                expected: None,
            }),
            Some(expected) => expect(console, caller, session, start, expected, value).await,
        },
        Err(error) => Err(of_session(error)),
    };
    record.complete(match &result {
        Ok(_) => "return",
        Err(problem) => problem.kind.slug(),
    });
    result
}

/// Waits for the event after a reply that was good.
async fn expect(
    console: &Console,
    caller: &Caller,
    session: &Session,
    start: Seq,
    expected: Expected,
    value: Box<RawValue>,
) -> Result<Returned, Problem> {
    let found = first_match(console, caller, session, start, &expected.filter);
    match timeout(expected.timeout, found).await {
        Ok(Ok(event)) => Ok(Returned {
            value,
            expected: Some(event),
        }),
        Ok(Err(problem)) => Err(Problem {
            value: Some(value.into()),
            ..problem.outcome(Outcome::Done)
        }),
        Err(_) => {
            let detail = format!(
                "the command was executed, but the event that was expected did not come within \
                 {} s after its reply",
                expected.timeout.as_secs_f64()
            );
            Err(Problem {
                value: Some(value.into()),
                ..Problem::new(ProblemKind::Timeout, detail).outcome(Outcome::Done)
            })
        }
    }
}

/// The first event after a number that the filter accepts, as soon as it is
/// there, for as long as the caller may see it.
async fn first_match(
    console: &Console,
    caller: &Caller,
    session: &Session,
    after: Seq,
    filter: &EventFilter,
) -> Result<Box<RawValue>, Problem> {
    let mut activity = console.sessions.activity().watch();
    let mut cursor = after;
    loop {
        caller
            .may_stay(console)
            .map_err(|why| Refusal::unauthorized(why).0)?;
        activity.mark_unchanged();
        let page = session.log().read(cursor, STEP).await.map_err(of_store)?;
        for item in &page.items {
            if let Item::Entry(entry) = item
                && session.matches(filter, &entry.event)
            {
                return Ok(entry.event.to_raw());
            }
        }
        cursor = page.next;
        if page.more {
            // A filter may take its time.
            yield_now().await;
            continue;
        }
        let current = console.sessions.get(session.name());
        let here = current.is_some_and(|current| current.is(session));
        let goes_on = here
            && tokio::select! {
                biased;
                changed = activity.changed() => changed.is_ok(),
                () = sleep(CHECK_EVERY) => true,
            };
        if !goes_on {
            let detail = "the session was removed while its event was waited for";
            return Err(Problem::new(ProblemKind::StateError, detail));
        }
    }
}

/// A number of seconds, 30 when there is none.
fn seconds(name: &str, given: Option<f64>) -> Result<Duration, Problem> {
    let seconds = given.unwrap_or(DEFAULT_EXECUTE_TIMEOUT);
    if !(0.0..=MAX_EXECUTE_TIMEOUT).contains(&seconds) {
        return Err(invalid(format!(
            "`{name}` is {seconds}, not from 0 to {MAX_EXECUTE_TIMEOUT} seconds"
        )));
    }
    Ok(Duration::from_secs_f64(seconds))
}
