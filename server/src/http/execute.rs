//! Executing a command for a caller: the same for REST and the WebSocket.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use qmp_client::client::Execute;
use qmp_shared::rest::{
    self, DEFAULT_EXECUTE_TIMEOUT, MAX_EXECUTE_TIMEOUT, Problem, ProblemKind, Return,
};
use serde_json::value::RawValue;

use super::Console;
use super::body::StrictJson;
use super::guard::Caller;
use super::problem::{Refusal, of_session};
use super::sessions::SessionName;

/// `POST /api/v1/sessions/{name}/execute`.
pub(super) async fn execute(
    State(console): State<Arc<Console>>,
    _caller: Caller,
    SessionName(name): SessionName,
    StrictJson(body): StrictJson<rest::Execute>,
) -> Result<Json<Return>, Refusal> {
    let id = body.id;
    let request = Request {
        execute: body.execute,
        exec_oob: body.exec_oob,
        arguments: body.arguments,
        timeout: body.timeout,
    };
    let value = run(&console, &name, request).await?;
    Ok(Json(Return { value, id }))
}

/// A command as a caller asks for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) execute: Option<String>,
    pub(super) exec_oob: Option<String>,
    pub(super) arguments: Option<Box<RawValue>>,
    pub(super) timeout: Option<f64>,
}

impl Request {
    /// The command to execute.
    ///
    /// # Errors
    ///
    /// A problem that names the member that is wrong.
    fn command(self) -> Result<Execute, Problem> {
        let invalid = |detail: String| Problem::new(ProblemKind::InvalidRequest, detail);
        let (command, oob) = match (self.execute, self.exec_oob) {
            (Some(command), None) => (command, false),
            (None, Some(command)) => (command, true),
            (None, None) => {
                return Err(invalid(
                    "`execute` or `exec-oob` must name a command".into(),
                ));
            }
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "`execute` and `exec-oob` are both there; a command is executed one way".into(),
                ));
            }
        };
        let seconds = self.timeout.unwrap_or(DEFAULT_EXECUTE_TIMEOUT);
        if !(0.0..=MAX_EXECUTE_TIMEOUT).contains(&seconds) {
            return Err(invalid(format!(
                "`timeout` is {seconds}, not from 0 to {MAX_EXECUTE_TIMEOUT} seconds"
            )));
        }
        let mut execute = Execute::new(command)
            .oob(oob)
            .timeout(Duration::from_secs_f64(seconds));
        if let Some(arguments) = self.arguments {
            execute = execute.arguments(arguments);
        }
        Ok(execute)
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
    session: &str,
    request: Request,
) -> Result<Box<RawValue>, Problem> {
    let Some(session) = console.sessions.get(session) else {
        return Err(Refusal::no_such_session(session).0);
    };
    let execute = request
        .command()
        .map_err(|problem| problem.session(session.name()))?;
    session
        .execute(execute)
        .await
        .map_err(|error| of_session(session.name(), error))
}
