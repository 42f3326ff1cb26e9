//! From errors to [`Problem`]s: the one place where what went wrong in a
//! session becomes what a caller sees.

use std::any::Any;

use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use qmp_client::error::ExecuteError;
use qmp_shared::rest::{Outcome, Problem, ProblemKind};
use tracing::error;

use super::MAX_REQUEST_BYTES;
use crate::error::chain;
use crate::journal::StoreError;
use crate::session::SessionError;

/// What every operation of the API may answer besides, for its description.
#[derive(utoipa::IntoResponses)]
#[response(
    status = "default",
    description = "What went wrong",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "it is described, and never made")]
pub(super) struct Faults(#[to_schema] Problem);

/// A request that was refused or failed, as `application/problem+json`.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Problem);

impl Refusal {
    /// No session of that name.
    pub(super) fn no_such_session(name: &str) -> Self {
        let detail = format!("there is no session named {name:?}");
        Self(Problem::new(ProblemKind::NotFound, detail).session(name))
    }

    /// No route of that path.
    pub(super) fn no_such_address() -> Self {
        Self(Problem::new(
            ProblemKind::NotFound,
            "there is no such address",
        ))
    }

    /// A route of that path, but not of that method.
    pub(super) fn no_such_method() -> Self {
        Self(Problem::new(
            ProblemKind::MethodNotAllowed,
            "this address does not have that method",
        ))
    }

    /// The query is wrong.
    pub(super) fn query(rejection: &QueryRejection) -> Self {
        let text = rejection.body_text();
        let detail = text.strip_prefix("Failed to deserialize query string: ");
        Self::invalid(format!("the query: {}", detail.unwrap_or(&text)))
    }

    /// What the caller has shown does not let it in, or no longer.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self(Problem::new(ProblemKind::Unauthorized, detail))
    }

    /// The body is longer than any may be.
    pub(super) fn too_large() -> Self {
        let detail = format!("the body has more than {MAX_REQUEST_BYTES} bytes");
        Self(Problem::new(ProblemKind::TooLarge, detail))
    }

    /// The request is wrong.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self(invalid(detail))
    }
}

/// The request is wrong; nothing was sent to the endpoint.
pub(super) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::InvalidRequest, detail)
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// The problem goes with the answer as it is, for
/// [`identify`](super::request_id::identify) to write: it names the request too.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

/// The problem that an error of a session is to its caller.
pub(super) fn of_session(error: SessionError) -> Problem {
    let text = chain(&error);
    match error {
        SessionError::NotRunning { .. } => Problem::new(ProblemKind::StateError, text),
        SessionError::Execute(error) => match &error {
            ExecuteError::Refused(refused) => Problem::command_error(&refused.error),
            ExecuteError::State(_) | ExecuteError::Descriptor(_) => {
                Problem::new(ProblemKind::StateError, text)
            }
            ExecuteError::Invalid(_) => Problem::new(ProblemKind::InvalidRequest, text),
            ExecuteError::Busy { .. } => Problem::new(ProblemKind::RateLimited, text),
            ExecuteError::Timeout { .. } => {
                Problem::new(ProblemKind::Timeout, text).outcome(Outcome::Unknown)
            }
            ExecuteError::Interrupted { .. } => {
                Problem::new(ProblemKind::ExecuteInterrupted, text).outcome(Outcome::Unknown)
            }
            ExecuteError::Unexpected { .. } => {
                Problem::new(ProblemKind::ProtocolError, text).outcome(Outcome::Done)
            }
            ExecuteError::BadReply(_) => {
                Problem::new(ProblemKind::ProtocolError, text).outcome(Outcome::Unknown)
            }
        },
    }
}

/// The problem that a journal which cannot be read is to its reader.
pub(super) fn of_store(error: StoreError) -> Problem {
    let text = chain(&error);
    error!(error = text, "the journal cannot be read");
    Problem::new(ProblemKind::InternalError, format!("the journal: {text}"))
}

/// The answer when a task that was waited for is gone.
pub(super) fn stopped(error: tokio::task::JoinError) -> Refusal {
    error!(%error, "a task was lost");
    Refusal(Problem::new(
        ProblemKind::InternalError,
        "the console failed on this request; its log says how",
    ))
}

/// The answer to a request whose handler panicked.
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(no message)");
    error!(message, "a request handler panicked");
    Refusal(Problem::new(
        ProblemKind::InternalError,
        "the console failed on this request; its log says how",
    ))
    .into_response()
}
