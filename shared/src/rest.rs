//! The bodies of the REST API, with [`Problem`], the one shape of every error.
//! The WebSocket frames of [`crate::wire`] carry the same types.
//!
//! Times are RFC 3339 in UTC with microseconds; durations are seconds.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::filter::EventFilter;
use crate::model::{EndpointKind, Greeting, Seq};
pub use crate::problem::{Outcome, Problem, ProblemKind};
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
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Map<String, serde_json::Value>, required = false))]
    pub arguments: Option<Box<RawValue>>,
    /// Any JSON value, given back with the reply. `null` is a value.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    pub id: Option<Box<RawValue>>,
    /// Seconds to wait for the reply, 0 to 3600; 30 when absent.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3600))]
    pub timeout: Option<f64>,
    /// Waits for an event too, which comes with the reply.
    pub expect: Option<Expect>,
}

/// `POST /api/v1/requirement`: a command that is not sent yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Planned {
    /// The command.
    pub execute: String,
    /// Its arguments.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Map<String, serde_json::Value>, required = false))]
    pub arguments: Option<Box<RawValue>>,
}

/// What a command needs by the console's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Requirement {
    /// The least role.
    pub role: Role,
    /// Why, in one line.
    pub reason: String,
    /// The least role whatever its arguments are.
    pub least: Role,
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
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3600))]
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

/// The `cause` of a session that is not connected since somebody wished so.
pub const DISCONNECTED_BY_OPERATOR: &str = "disconnected by an operator";

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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_a_command_needs_is_frozen() {
        let body = r#"{"execute":"x","arguments":{"n": 1}}"#;
        let planned: Planned = serde_json::from_str(body).unwrap();
        assert_eq!(serde_json::to_string(&planned).unwrap(), body);
        let requirement = Requirement {
            role: Role::Operator,
            reason: "it stops the guest".into(),
            least: Role::Viewer,
        };
        let json = r#"{"role":"operator","reason":"it stops the guest","least":"viewer"}"#;
        assert_eq!(serde_json::to_string(&requirement).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<Requirement>(json).unwrap(),
            requirement
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
