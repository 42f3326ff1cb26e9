//! The bodies of the REST API, and [`Problem`], the one shape of every error
//! (RFC 9457). The WebSocket frames of [`crate::wire`] carry the same types.
//!
//! Times are RFC 3339 in UTC with microseconds; durations are seconds.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::filter::EventFilter;
use crate::model::{CommandError, EndpointKind, Greeting, Seq};
use crate::verbatim::{Verbatim, present};

/// Default of [`Execute::timeout`], in seconds.
pub const DEFAULT_EXECUTE_TIMEOUT: f64 = 30.0;

/// Largest [`Execute::timeout`], in seconds.
pub const MAX_EXECUTE_TIMEOUT: f64 = 3600.0;

/// `GET /api/v1/sessions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// All sessions, sorted by name.
    pub sessions: Vec<SessionInfo>,
}

/// What the outside sees of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    /// The session's name, unique in the console.
    pub name: String,
    /// What kind of endpoint it is.
    pub kind: EndpointKind,
    /// The QMP address, in its canonical form.
    pub address: String,
    /// State of our connection.
    pub state: SessionState,
    /// Why the session is not running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The VM's run state as QEMU names it; absent when not connected, and on
    /// endpoints that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Since when the session is in this state.
    pub since: String,
    /// The greeting of the running connection; absent on the guest agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Greeting>,
    /// Counts since the console started.
    pub counters: Counters,
}

/// State of a session's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SessionState {
    /// Not connected, and not trying.
    Disconnected,
    /// Opening the socket, or greeting and negotiating.
    Connecting,
    /// Connected but not greeted: someone else has the monitor.
    Waiting,
    /// Negotiated: commands are accepted.
    Running,
    /// The connection failed or was lost; another attempt follows.
    Retrying,
}

impl SessionState {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
        }
    }
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a session counted since the console started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Counters {
    /// Times that the session became running.
    pub connections: u64,
    /// Commands handed to the endpoint on behalf of the console's users.
    pub commands: u64,
    /// Events received.
    pub events: u64,
    /// Events that left the bounded log, and cannot be read any more.
    pub dropped: u64,
    /// Events that are in memory, and not on disk yet; 0 when nothing is kept
    /// on disk.
    #[serde(default)]
    pub unstored: u64,
    /// How often a filter could not be evaluated on an event, which then did
    /// not match.
    #[serde(default)]
    pub unevaluable: u64,
}

/// `GET /api/v1/login`: who the request's cookie or token makes you.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginStatus {
    /// The role, `null` when nobody is logged in.
    pub role: Option<Role>,
    /// The token's name; absent when nobody is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `POST /api/v1/login`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The token to log in with.
    pub token: String,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Sees everything, and executes what only reads.
    Viewer,
    /// Runs VMs: what can be undone, and touches no file of the host.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Viewer, Self::Operator, Self::Admin];
        let role = all.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| format!("{text:?} is not viewer, operator or admin"))
    }
}

/// `POST /api/v1/sessions/{name}/execute`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Execute {
    /// The command, to be executed in band.
    pub execute: Option<String>,
    /// The command, to be executed out of band.
    #[serde(rename = "exec-oob")]
    pub exec_oob: Option<String>,
    /// Its arguments, verbatim.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Map<String, serde_json::Value>>))]
    pub arguments: Option<Box<RawValue>>,
    /// Any JSON value, given back with the reply. `null` is a value.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub id: Option<Box<RawValue>>,
    /// Seconds to wait for the reply, 0 to 3600; 30 when absent.
    pub timeout: Option<f64>,
    /// Waits for an event too, which comes with the reply.
    pub expect: Option<Expect>,
}

/// The event that a command's caller waits for. It may come before the reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expect {
    /// Event names with `*` globs; any event when empty.
    #[serde(default, skip_serializing_if = "is_all")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub names: EventFilter,
    /// An expression on the event, evaluated after the names.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Seconds to wait after the reply, 0 to 3600; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
}

/// Whether a filter lets every name pass.
pub(crate) fn is_all(filter: &EventFilter) -> bool {
    filter.patterns().is_empty()
}

/// The answer to an [`Execute`].
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Return {
    /// The command's return value, verbatim.
    #[serde(rename = "return")]
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
    pub value: Box<RawValue>,
    /// The request's `id`, verbatim.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub id: Option<Box<RawValue>>,
    /// The event that was waited for, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub expected: Option<Box<RawValue>>,
}

/// `POST /api/v1/sessions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSession {
    /// The session's name, unique in the console.
    pub name: String,
    /// Where its endpoint is.
    pub address: String,
}

/// `GET /api/v1/sessions/{name}/events`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventPage {
    /// In the order of their numbers.
    pub events: Vec<LoggedEvent>,
    /// The last number that was looked at: to be asked for what comes `after`.
    pub next: Seq,
    /// What else there is in the log, when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marks>,
}

/// What there is in a session's log besides events.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Marks {
    /// Numbers whose events are lost.
    pub gaps: Vec<Gap>,
    /// When the endpoint was lost and regained: the latest 1000 of the page, in
    /// order. One at the edge of two pages is in both.
    pub links: Vec<LinkMark>,
}

/// Numbers of events that are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
}

/// The endpoint was lost or regained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkMark {
    /// The number of the last event before it.
    pub after: Seq,
    /// When.
    pub time: String,
    /// Whether the session is running from then on.
    pub running: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// An event in a session's log.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoggedEvent {
    /// Its number in the log.
    pub seq: Seq,
    /// When the console received it.
    pub received: String,
    /// The endpoint's object, verbatim.
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
    pub event: Box<RawValue>,
}

/// `GET /api/v1/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenList {
    /// All tokens, sorted by name. Never the secrets.
    pub tokens: Vec<TokenInfo>,
}

/// What there is to know of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenInfo {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created: String,
    /// When it ends; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// `POST /api/v1/tokens`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// Its name, unique.
    pub name: String,
    /// What it allows; `viewer` when absent.
    pub role: Option<Role>,
    /// Seconds until it ends; never when absent.
    pub expires: Option<f64>,
}

/// The answer to a [`NewToken`]: the secret is shown this once.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// The token itself.
    pub token: String,
    /// What there is to know of it later.
    #[serde(flatten)]
    pub info: TokenInfo,
}

/// `GET /api/v1/audit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Audit {
    /// In the order of their numbers.
    pub entries: Vec<AuditEntry>,
    /// The last number that was looked at.
    pub next: u64,
}

/// One command, executed or refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its number.
    pub id: u64,
    /// When.
    pub time: String,
    /// The name of the token.
    pub token: String,
    /// Where from.
    pub peer: String,
    /// The session.
    pub session: String,
    /// The command.
    pub command: String,
    /// Its arguments, without secrets.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub arguments: Option<Verbatim>,
    /// `allowed` or `refused`.
    pub decision: String,
    /// `return` or the slug of the problem; `null` while there is none, and
    /// when the console ended before.
    pub result: Option<String>,
    /// Seconds until the result.
    pub duration: Option<f64>,
}

/// `GET /api/v1/sessions/{name}/schema`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SchemaReply {
    /// The reply to `query-qmp-schema`, verbatim; `null` of a guest agent, which
    /// has none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<serde_json::Value>>))]
    pub schema: Option<Box<RawValue>>,
    /// What the console's host has of the endpoint's manual: `groups`, and by
    /// name `commands`, `events` and `types`. `null` when it has none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub docs: Option<Box<RawValue>>,
    /// The version of QEMU that the manual is of.
    pub docs_version: Option<String>,
}

/// What went wrong, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Which kind of problem, as `/problems/SLUG`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
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

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $status:literal, $title:literal;)*) => {
        /// The kinds of [`Problem`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        let problem = Problem::new(ProblemKind::Timeout, "no reply within 5 s")
            .outcome(Outcome::Unknown)
            .column(3);
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            concat!(
                r#"{"type":"/problems/timeout","status":504,"title":"Timed out","#,
                r#""detail":"no reply within 5 s","outcome":"unknown","column":3}"#
            )
        );
    }

    #[test]
    fn roles_are_ordered_and_have_names() {
        use Role::{Admin, Operator, Viewer};
        assert!(Viewer < Operator && Operator < Admin);
        for role in [Viewer, Operator, Admin] {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        let error = "Admin".parse::<Role>().unwrap_err();
        assert_eq!(error, "\"Admin\" is not viewer, operator or admin");
    }

    #[test]
    fn every_kind_is_written_as_its_reference() {
        for &kind in ProblemKind::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.as_str()));
            assert_eq!(serde_json::from_str::<ProblemKind>(&json).unwrap(), kind);
        }
    }

    #[test]
    fn execute_keeps_payloads_verbatim_and_null_apart_from_absent() {
        let body =
            r#"{"execute":"x","arguments":{"n": 18446744073709551616, "b":1,"a":2},"id":null}"#;
        let request: Execute = serde_json::from_str(body).unwrap();
        assert_eq!(
            request.arguments.unwrap().get(),
            r#"{"n": 18446744073709551616, "b":1,"a":2}"#
        );
        assert_eq!(request.id.unwrap().get(), "null");
        let request: Execute = serde_json::from_str(r#"{"execute":"x"}"#).unwrap();
        assert!(request.id.is_none() && request.arguments.is_none());
    }

    #[test]
    fn execute_refuses_what_it_does_not_know() {
        let error = serde_json::from_str::<Execute>(r#"{"execute":"x","expects":{}}"#).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `expects`"),
            "{error}"
        );
    }

    #[test]
    fn session_is_frozen() {
        let info = SessionInfo {
            name: "vm".into(),
            kind: EndpointKind::Qmp,
            address: "unix:/run/vm.qmp".into(),
            state: SessionState::Retrying,
            cause: Some("connection refused".into()),
            status: None,
            since: "2026-01-01T00:00:00.000000Z".into(),
            greeting: None,
            counters: Counters::default(),
        };
        let json = serde_json::to_string(&info).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"name":"vm","kind":"qmp","address":"unix:/run/vm.qmp","state":"retrying","#,
                r#""cause":"connection refused","since":"2026-01-01T00:00:00.000000Z","#,
                r#""counters":{"connections":0,"commands":0,"events":0,"dropped":0,"unstored":0,"unevaluable":0}}"#
            )
        );
        assert_eq!(serde_json::from_str::<SessionInfo>(&json).unwrap(), info);
    }
}
