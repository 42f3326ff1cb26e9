//! Records of commands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether a command was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// It was handed to the endpoint.
    Allowed,
    /// The policy, or the state of things, was against it.
    Refused,
}

impl Decision {
    /// The word of the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
        }
    }

    /// The decision of a word of the API.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "allowed" => Self::Allowed,
            _ => Self::Refused,
        }
    }
}

/// Who wanted what, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    /// When.
    pub(crate) time: Timestamp,
    /// The token's name.
    pub(crate) token: String,
    /// Where from: an address, or `unix`.
    pub(crate) peer: String,
    /// The session.
    pub(crate) session: String,
    /// The command, verbatim.
    pub(crate) command: String,
    /// Its arguments, without secrets.
    pub(crate) arguments: Option<String>,
    /// Whether it was allowed.
    pub(crate) decision: Decision,
    /// `return`, or the slug of the problem; absent while there is no reply,
    /// and for ever when the console ended before.
    pub(crate) result: Option<String>,
    /// Seconds until the result.
    pub(crate) duration: Option<f64>,
}

/// Some records, in order.
#[derive(Debug)]
pub(crate) struct AuditPage {
    /// With their numbers.
    pub(crate) entries: Vec<(u64, AuditEntry)>,
    /// The last number that was looked at.
    pub(crate) next: u64,
}
