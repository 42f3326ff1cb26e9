//! Request bodies: JSON that an endpoint would accept too.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::EXPECT;
use futures_util::StreamExt;
use qmp_shared::json;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::MAX_REQUEST_BYTES;
use super::problem::Refusal;

/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// How much is taken of a body that was refused.
const MAX_DISCARDED_BYTES: usize = 4 * MAX_REQUEST_BYTES;

/// A JSON object as the body, checked as strictly as QEMU checks its input,
/// whatever its `Content-Type` says. Anything else is a 400 that says what is
/// wrong and where.
pub(super) struct StrictJson<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        // What says itself that it is too long is not waited for.
        if request.body().size_hint().lower() > MAX_REQUEST_BYTES as u64 {
            if !request.headers().contains_key(EXPECT) {
                tokio::spawn(discard(request.into_body()));
            }
            return Err(Refusal::too_large());
        }
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

/// Takes a body that was refused, within limits. Who sends all of it before
/// reading the answer would find the connection broken otherwise, and no answer.
async fn discard(body: Body) {
    let mut chunks = body.into_data_stream();
    let discarded = async {
        let mut left = MAX_DISCARDED_BYTES;
        while let Some(Ok(chunk)) = chunks.next().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Then the connection is closed, which is all that is left to do.
    let (Ok(()) | Err(_)) = timeout(BODY_WITHIN, discarded).await;
}

fn unreadable(rejection: BytesRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::too_large();
    }
    Refusal::invalid(format!("the body could not be read: {rejection}"))
}
