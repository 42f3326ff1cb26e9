//! Who is signed in, what that allows here, and what the sign-in page says.
//!
//! The roles are the server's to enforce. The page only leaves out what would
//! be refused.

use qmp_shared::rest::{LoginStatus, Problem, ProblemKind, Role};
use qmp_shared::wire::{CLOSE_UNAUTHORIZED, LOGIN_ENDED};

use super::text::visible;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The token's name.
    pub(crate) name: String,
    /// What it allows.
    pub(crate) role: Role,
}

impl Identity {
    /// Whom the console says we are; `None` for nobody.
    pub(crate) fn of(status: LoginStatus) -> Option<Self> {
        Some(Self {
            role: status.role?,
            name: visible(&status.name.unwrap_or_default()).into_owned(),
        })
    }
}

/// Why somebody who was signed in is not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// The console has closed the socket since its token ended.
    TokenEnded,
    /// The console has closed the socket since another tab signed out.
    SignedOut,
    /// The console does not know the login.
    NotKnown,
}

impl Farewell {
    /// What is said if the console lets nobody in after it has closed a socket
    /// like this.
    pub(crate) fn after(code: u16, reason: &str) -> Self {
        match (code, reason) {
            (CLOSE_UNAUTHORIZED, LOGIN_ENDED) => Self::SignedOut,
            (CLOSE_UNAUTHORIZED, _) => Self::TokenEnded,
            _ => Self::NotKnown,
        }
    }

    /// The sentence on the sign-in page.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::TokenEnded => {
                "Your token has expired or was revoked. Sign in with another one to go on."
            }
            Self::SignedOut => "You were signed out in another tab.",
            Self::NotKnown => {
                "The console does not know your sign-in any more: it was started anew, your token has ended, or you were signed out in another tab."
            }
        }
    }
}

/// Why the console did not let a token in.
pub(crate) fn refusal(problem: &Problem) -> String {
    match problem.kind {
        ProblemKind::Unauthorized => {
            "The token is not valid: this console does not know it, or it has expired or was revoked."
                .to_owned()
        }
        ProblemKind::RateLimited => {
            "Too many wrong tokens were tried. Wait a minute, then try again.".to_owned()
        }
        _ => visible(&problem.detail).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_has_a_role() {
        let status = |role, name: Option<&str>| LoginStatus {
            role,
            name: name.map(Into::into),
        };
        assert_eq!(Identity::of(status(None, None)), None);
        let identity = Identity::of(status(Some(Role::Viewer), Some("a\u{202e}b"))).unwrap();
        assert_eq!(identity.name, "a\\u202eb");
        assert_eq!(identity.role, Role::Viewer);
    }

    #[test]
    fn a_login_that_ended_is_told_from_a_token_that_did() {
        assert_eq!(Farewell::after(4401, LOGIN_ENDED), Farewell::SignedOut);
        assert_eq!(Farewell::after(4401, "expired"), Farewell::TokenEnded);
        assert_eq!(Farewell::after(1006, LOGIN_ENDED), Farewell::NotKnown);
    }

    #[test]
    fn a_refused_token_is_told_from_too_many_of_them() {
        let problem = |kind| Problem::new(kind, "detail");
        assert!(refusal(&problem(ProblemKind::Unauthorized)).contains("not valid"));
        assert!(refusal(&problem(ProblemKind::RateLimited)).contains("Wait a minute"));
        assert_eq!(refusal(&problem(ProblemKind::InternalError)), "detail");
    }
}
