//! Request bodies: JSON that an endpoint would accept too.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use qmp_shared::json;
use qmp_shared::rest::{Problem, ProblemKind};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::MAX_REQUEST_BYTES;
use super::problem::Refusal;

/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// A JSON object as the body, checked as strictly as QEMU checks its input,
/// whatever its `Content-Type` says. Anything else is a 400 that says what is
/// wrong and where.
pub(super) struct StrictJson<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = match timeout(BODY_WITHIN, Bytes::from_request(request, state)).await {
            Ok(bytes) => bytes.map_err(unreadable)?,
            Err(_) => {
                let detail = format!("the body did not arrive within {BODY_WITHIN:?}");
                return Err(Refusal::invalid(detail));
            }
        };
        let text = str::from_utf8(&bytes)
            .map_err(|error| Refusal::invalid(format!("the body is not UTF-8: {error}")))?;
        json::check(text).map_err(|fault| Refusal::invalid(format!("the body: {fault}")))?;
        // Or an array would be taken for the members in their order.
        if !text.trim_start().starts_with('{') {
            return Err(Refusal::invalid("the body is not a JSON object"));
        }
        let value = serde_json::from_str(text)
            .map_err(|error| Refusal::invalid(format!("the body: {error}")))?;
        Ok(Self(value))
    }
}

fn unreadable(rejection: BytesRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("the body has more than {MAX_REQUEST_BYTES} bytes");
        return Refusal(Problem::new(ProblemKind::TooLarge, detail));
    }
    Refusal::invalid(format!("the body could not be read: {rejection}"))
}
