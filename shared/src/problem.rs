//! [`Problem`]: the one shape of every error, as the REST API and the WebSocket
//! tell it (RFC 9457), and the kinds that there are.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::CommandError;
use crate::verbatim::{Verbatim, present};

/// What went wrong, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Which kind of problem, as `/problems/SLUG`.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// The HTTP status, repeated in the body.
    pub status: u16,
    /// The kind in words, the same for every problem of the kind.
    pub title: String,
    /// What was wrong this time, and where.
    pub detail: String,
    /// QEMU's error class, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// QEMU's error text, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    /// What became of the command, where the error itself does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The column within the text that was refused, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The session concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The id of the request, as in the header `x-request-id` of its answer and
    /// in the console's log. Absent on the WebSocket, whose frames have their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The return value of a command that was executed, though something else
    /// went wrong; verbatim.
    #[serde(
        default,
        rename = "return",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub value: Option<Verbatim>,
}

/// What became of a command whose caller did not get a plain answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Outcome {
    /// Nobody can tell whether the command was executed.
    Unknown,
    /// The command was executed.
    Done,
}

// The slug is a token, not a literal: a derive could not see into that.
macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $kind:ident = $slug:tt, $status:literal, $title:literal;)*) => {
        /// The kinds of [`Problem`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ProblemKind {
            $($(#[$doc])* #[serde(rename = $slug)] $kind,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The reference of the kind, `/problems/SLUG`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The last part of the reference.
            pub fn slug(self) -> &'static str {
                self.as_str().trim_start_matches("/problems/")
            }

            /// The HTTP status of the kind.
            pub fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)* }
            }

            /// The kind in words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }
        }
    };
}

problem_kinds! {
    /// The request itself is wrong; nothing was sent to the endpoint.
    InvalidRequest = "/problems/invalid-request", 400, "Invalid request";
    /// No token, or one that is not valid.
    Unauthorized = "/problems/unauthorized", 401, "Not signed in";
    /// The token does not allow this, or the request is of foreign origin.
    Forbidden = "/problems/forbidden", 403, "Forbidden";
    /// There is no such thing.
    NotFound = "/problems/not-found", 404, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "/problems/method-not-allowed", 405, "Method not allowed";
    /// The session is not in a state that allows this.
    StateError = "/problems/state-error", 409, "Wrong state";
    /// The cursor lies before what the retention has left.
    Gone = "/problems/gone", 410, "Gone";
    /// The body or frame is over the limit.
    TooLarge = "/problems/too-large", 413, "Too large";
    /// The request's `Host` is not one of this console.
    MisdirectedRequest = "/problems/misdirected-request", 421, "Unknown host name";
    /// The endpoint answered the command with an error.
    ExecuteError = "/problems/execute-error", 422, "The command failed";
    /// Too many at once.
    RateLimited = "/problems/rate-limited", 429, "Too many requests";
    /// Its caller waits no more; the status is nobody's.
    Cancelled = "/problems/cancelled", 499, "Cancelled";
    /// A fault of the console itself.
    InternalError = "/problems/internal-error", 500, "Internal error";
    /// The endpoint cannot be connected to, where that is what a request waits
    /// for. None does yet: a session connects by itself, and until then a command
    /// for it is [`StateError`](Self::StateError), with the cause in the session.
    ConnectError = "/problems/connect-error", 502, "Cannot connect";
    /// The connection was lost before the reply: the outcome is unknown.
    ExecuteInterrupted = "/problems/execute-interrupted", 502, "Connection lost";
    /// The endpoint broke the protocol.
    ProtocolError = "/problems/protocol-error", 502, "Protocol error";
    /// No reply in time.
    Timeout = "/problems/timeout", 504, "Timed out";
}

impl Problem {
    /// A problem of this kind; `detail` says what was wrong, and where.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: kind.status(),
            title: kind.title().to_owned(),
            detail: detail.into(),
            class: None,
            desc: None,
            outcome: None,
            column: None,
            session: None,
            request_id: None,
            value: None,
        }
    }

    /// The endpoint's own error, verbatim.
    pub fn command_error(error: &CommandError) -> Self {
        Self {
            class: Some(error.class.clone()),
            desc: Some(error.desc.clone()),
            ..Self::new(ProblemKind::ExecuteError, error.desc.clone())
        }
    }

    /// Names the session concerned.
    pub fn session(mut self, name: impl Into<String>) -> Self {
        self.session = Some(name.into());
        self
    }

    /// Says what became of the command.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = Some(outcome);
        self
    }

    /// Points at the column, from 1, within the text that was refused.
    pub fn column(mut self, column: usize) -> Self {
        self.column = Some(column);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_is_frozen() {
        let error = CommandError {
            class: "GenericError".into(),
            desc: "Cannot find device".into(),
        };
        let problem = Problem::command_error(&error).session("vm");
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            concat!(
                r#"{"type":"/problems/execute-error","status":422,"title":"The command failed","#,
                r#""detail":"Cannot find device","class":"GenericError","desc":"Cannot find device","#,
                r#""session":"vm"}"#
            )
        );
        let problem = Problem {
            request_id: Some("0123456789abcdef".into()),
            ..Problem::new(ProblemKind::Timeout, "no reply within 5 s")
                .outcome(Outcome::Unknown)
                .column(3)
        };
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            concat!(
                r#"{"type":"/problems/timeout","status":504,"title":"Timed out","#,
                r#""detail":"no reply within 5 s","outcome":"unknown","column":3,"#,
                r#""request_id":"0123456789abcdef"}"#
            )
        );
    }

    #[test]
    fn every_kind_is_written_as_its_reference() {
        for &kind in ProblemKind::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.as_str()));
            assert_eq!(serde_json::from_str::<ProblemKind>(&json).unwrap(), kind);
        }
    }
}
