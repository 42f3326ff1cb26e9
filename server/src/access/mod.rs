//! Who may do what: tokens, the command policy, and the checks on `Host` and
//! `Origin`; and the audit of what was done.
//!
//! It judges values that the HTTP layer hands it, and knows neither requests
//! nor connections.

mod host;
mod logins;
mod policy;
pub(crate) mod private_file;
mod redact;
mod token;
mod tokens;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use qmp_shared::rest::Role;

use crate::journal::{AuditEntry, Decision, Journal};

pub(crate) use host::{HostPolicy, same_origin};
pub(crate) use logins::{Login, Logins};
pub(crate) use policy::{Policy, PolicyError};
pub(crate) use token::Token;
pub(crate) use tokens::{CHOSEN, Identity, Tokens, TokensError};

/// A command that somebody wants to have executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    /// Who.
    pub(crate) identity: &'a Identity,
    /// Where from.
    pub(crate) peer: &'a str,
    /// On which session.
    pub(crate) session: &'a str,
    /// What.
    pub(crate) command: &'a str,
    /// The text of its arguments.
    pub(crate) arguments: Option<&'a str>,
}

/// Why a command is not executed.
#[derive(Debug)]
pub(crate) struct Denied {
    /// The least role that may.
    pub(crate) role: Role,
    /// Why so much is needed.
    pub(crate) reason: String,
}

/// The rules of access, and their book.
#[derive(Debug)]
pub(crate) struct Access {
    /// The tokens.
    pub(crate) tokens: Tokens,
    /// The logins by cookie.
    pub(crate) logins: Logins,
    policy: RwLock<Arc<Policy>>,
    journal: Journal,
}

impl Access {
    /// These tokens, logins and this policy; what is done is recorded in this
    /// journal.
    pub(crate) fn new(tokens: Tokens, logins: Logins, policy: Policy, journal: Journal) -> Self {
        Self {
            tokens,
            logins,
            policy: RwLock::new(Arc::new(policy)),
            journal,
        }
    }

    /// The policy as it is now.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        // Nothing panics while it holds the lock.
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&policy)
    }

    /// Another policy from now on.
    pub(crate) fn set_policy(&self, policy: Policy) {
        let mut held = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(policy);
    }

    /// Judges a command, and records it either way.
    ///
    /// # Errors
    ///
    /// When the policy is against it. That is on record then, and all of it.
    pub(crate) fn authorise(&self, attempt: Attempt<'_>) -> Result<Record, Denied> {
        let policy = self.policy();
        let requirement = policy.judge(attempt.command, attempt.arguments);
        let allowed = attempt.identity.role >= requirement.role;
        let entry = AuditEntry {
            time: Timestamp::now(),
            token: attempt.identity.name.clone(),
            peer: attempt.peer.to_owned(),
            session: attempt.session.to_owned(),
            command: attempt.command.to_owned(),
            arguments: redact::redact(attempt.command, attempt.arguments),
            decision: match allowed {
                true => Decision::Allowed,
                false => Decision::Refused,
            },
            result: (!allowed).then(|| "forbidden".to_owned()),
            duration: (!allowed).then_some(0.0),
        };
        let id = self.journal.record(entry);
        if !allowed {
            return Err(Denied {
                role: requirement.role,
                reason: requirement.reason.into(),
            });
        }
        Ok(Record {
            journal: self.journal.clone(),
            id,
            since: Instant::now(),
            result: "cancelled".to_owned(),
        })
    }
}

/// A command on record, whose result is still to come. Dropped before that, its
/// caller has left, and what became of it is unknown.
#[derive(Debug)]
pub(crate) struct Record {
    journal: Journal,
    id: u64,
    since: Instant,
    result: String,
}

impl Record {
    /// How the command ended: `return`, or the slug of a problem.
    pub(crate) fn complete(mut self, result: &str) {
        result.clone_into(&mut self.result);
    }

    fn duration(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.journal
            .complete(self.id, &self.result, self.duration());
    }
}
