//! A token: 256 random bits, or what the operator chose.

use std::fmt;

use thiserror::Error;

/// Shortest token that an operator may choose, in bytes.
const MIN_BYTES: usize = 16;

/// Longest token, in bytes: it travels in headers.
const MAX_BYTES: usize = 1024;

/// A secret that lets its bearer in. Has no `Display`, and its `Debug` does
/// not show it.
#[derive(Clone)]
pub(crate) struct Token(String);

/// Why there is no token.
#[derive(Debug, Error)]
pub(crate) enum TokenError {
    /// Too short to withstand guessing, or too long for a header.
    #[error("the token has {0} bytes; it must have {MIN_BYTES} to {MAX_BYTES}")]
    Length(usize),
    /// The system's source of randomness failed.
    #[error("the system gives no random numbers")]
    NoRandomness(#[source] getrandom::Error),
}

impl Token {
    /// A token of 256 random bits, in hexadecimal.
    ///
    /// # Errors
    ///
    /// [`TokenError::NoRandomness`].
    pub(crate) fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(TokenError::NoRandomness)?;
        Ok(Self(
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// A token that the operator chose.
    ///
    /// # Errors
    ///
    /// [`TokenError::Length`].
    pub(crate) fn chosen(text: String) -> Result<Self, TokenError> {
        if (MIN_BYTES..=MAX_BYTES).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(TokenError::Length(text.len()))
        }
    }

    /// The secret itself, to be shown once.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_overlong_tokens_are_refused() {
        for length in [0, MIN_BYTES - 1, MAX_BYTES + 1] {
            let error = Token::chosen("x".repeat(length)).unwrap_err();
            assert!(matches!(error, TokenError::Length(bytes) if bytes == length));
        }
        assert!(Token::chosen("x".repeat(MIN_BYTES)).is_ok());
    }

    #[test]
    fn debug_does_not_show_it() {
        let token = Token::chosen("0123456789abcdef".into()).unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
