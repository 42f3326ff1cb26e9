//! Errors as text.

use std::error::Error;

/// An error and its sources, in one line. No error of ours repeats its source
/// in its own text, so nothing is said twice.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
