//! What can go wrong with a console, and which exit code that is.

use std::io;
use std::time::Duration;

use anyhow::anyhow;
use hyper::StatusCode;
use qmp_shared::model::CommandError;
use qmp_shared::rest::{Outcome, Problem, ProblemKind};
use qmp_shared::wire::CLOSE_UNAUTHORIZED;
use tokio_tungstenite::tungstenite;

use crate::cli::{ErrorReply, Usage};

/// Why there is no answer from a console, or none that helps.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Fault {
    /// It cannot be reached, or is not trusted.
    #[error("cannot connect to the console")]
    Connect(#[source] io::Error),
    /// HTTP failed.
    #[error("the connection to the console")]
    Http(#[from] hyper::Error),
    /// The WebSocket failed.
    #[error("the connection to the console")]
    Socket(#[source] Box<tungstenite::Error>),
    /// An answer broke off, or is too long.
    #[error("an answer of the console")]
    Body(#[source] axum::Error),
    /// It is silent.
    #[error("the console did not answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It closed the socket.
    #[error("the console closed the connection{}", reason(.0, .1))]
    Closed(Option<u16>, String),
    /// It refused, and says why.
    #[error("{}", describe(.0))]
    Refused(Box<Problem>),
    /// It, or something in between, answered with just a status.
    #[error("the answer is {0}; is a console there?")]
    Status(StatusCode),
    /// What it says is not what a console says.
    #[error("not what a console says: {0}")]
    Protocol(String),
}

impl Fault {
    /// Whether it may be better later: the console restarts, or something in
    /// between does.
    pub(in crate::cli) fn is_passing(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Http(_) | Self::Body(_) | Self::Late(_) => true,
            Self::Socket(error) => !matches!(**error, tungstenite::Error::Capacity(_)),
            Self::Closed(code, _) => !matches!(code, Some(4000..=4999)),
            Self::Refused(problem) => {
                problem.kind == ProblemKind::RateLimited || problem.status >= 500
            }
            Self::Status(status) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Protocol(_) => false,
        }
    }
}

impl From<tungstenite::Error> for Fault {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(response) => {
                let body = response.body().as_deref().unwrap_or_default();
                super::refusal(response.status(), body)
            }
            error => Self::Socket(Box::new(error)),
        }
    }
}

/// The error to end with: the endpoint's own error reply, a mistake in the
/// call, or something with the connection, the console or its rules.
pub(in crate::cli) fn failure(fault: Fault) -> anyhow::Error {
    let Fault::Refused(problem) = &fault else {
        return fault.into();
    };
    match (problem.kind, &problem.class, &problem.desc) {
        (ProblemKind::ExecuteError, Some(class), Some(desc)) => ErrorReply(CommandError {
            class: class.clone(),
            desc: desc.clone(),
        })
        .into(),
        (ProblemKind::InvalidRequest | ProblemKind::TooLarge, ..) => {
            Usage(problem.detail.clone()).into()
        }
        _ => anyhow!(fault),
    }
}

/// A problem in one line; never without what became of the command, where that
/// is a question.
fn describe(problem: &Problem) -> String {
    let outcome = match problem.outcome {
        Some(Outcome::Unknown) if !problem.detail.contains("is unknown") => {
            "; whether the command was executed is unknown"
        }
        Some(Outcome::Done) if !problem.detail.contains("was executed") => {
            "; the command was executed"
        }
        _ => "",
    };
    format!("{problem}{outcome}")
}

fn reason(code: &Option<u16>, reason: &str) -> String {
    match (code, reason) {
        (_, reason) if !reason.is_empty() => format!(": {reason}"),
        (Some(CLOSE_UNAUTHORIZED), _) => ": the token does not count any more".to_owned(),
        (Some(code), _) => format!(" with code {code}"),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: ProblemKind) -> Fault {
        Fault::Refused(Box::new(Problem::new(kind, "x")))
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        use ProblemKind as Kind;
        for (fault, passing) in [
            (
                Fault::Connect(io::ErrorKind::ConnectionRefused.into()),
                true,
            ),
            (Fault::Late(Duration::from_secs(1)), true),
            (Fault::Closed(None, String::new()), true),
            (Fault::Closed(Some(1001), String::new()), true),
            (
                Fault::Closed(Some(CLOSE_UNAUTHORIZED), String::new()),
                false,
            ),
            (Fault::Status(StatusCode::BAD_GATEWAY), true),
            (Fault::Status(StatusCode::NOT_FOUND), false),
            (Fault::Protocol("x".into()), false),
            (refused(Kind::Unauthorized), false),
            (refused(Kind::Forbidden), false),
            (refused(Kind::NotFound), false),
            (refused(Kind::MisdirectedRequest), false),
            (refused(Kind::InternalError), true),
            (refused(Kind::RateLimited), true),
        ] {
            assert_eq!(fault.is_passing(), passing, "{fault:?}");
        }
    }

    #[test]
    fn a_problem_says_what_became_of_the_command() {
        for (kind, outcome, text) in [
            (
                ProblemKind::Timeout,
                Some(Outcome::Unknown),
                "Timed out: x; whether the command was executed is unknown",
            ),
            (
                ProblemKind::ProtocolError,
                Some(Outcome::Done),
                "Protocol error: x; the command was executed",
            ),
            (ProblemKind::Forbidden, None, "Forbidden: x"),
        ] {
            let mut problem = Problem::new(kind, "x");
            problem.outcome = outcome;
            assert_eq!(describe(&problem), text);
        }
    }

    #[test]
    fn the_exit_code_is_that_of_a_monitor() {
        let mut error = Problem::new(ProblemKind::ExecuteError, "x");
        error.class = Some("GenericError".into());
        error.desc = Some("no".into());
        let error = failure(Fault::Refused(Box::new(error)));
        assert!(error.is::<ErrorReply>());
        assert_eq!(error.to_string(), "GenericError: no");
        assert!(failure(refused(ProblemKind::InvalidRequest)).is::<Usage>());
        let other = failure(refused(ProblemKind::NotFound));
        assert!(!other.is::<Usage>() && !other.is::<ErrorReply>());
    }
}
