//! Who may talk to the console: tokens, and the checks on `Host` and `Origin`.
//!
//! Pure: it judges values that the HTTP layer hands it, and knows neither
//! requests nor sessions.

mod host;
mod token;

pub(crate) use host::{HostPolicy, same_origin};
pub(crate) use token::{Identity, Token};
