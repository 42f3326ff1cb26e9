//! The id of each request: in its answer, in the problem that it is answered
//! with, and in the log beside all that is said of it.

use std::fmt::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use qmp_shared::rest::Problem;
use tracing::{Span, error, info_span};

/// The header that tells it.
const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// The next one. It begins anywhere, so that ids of two runs of the console
/// are not mistaken for each other.
static NEXT: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(getrandom::u64().unwrap_or_default()));

/// A request's id. Always the console's own: one that a client chose could be
/// anything, and be in the log many times.
#[derive(Clone, Debug)]
struct RequestId(String);

/// Gives a request its id, tells it, and writes the problem that it is answered
/// with, which [`Refusal`](super::problem::Refusal) has only left there.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let mut id = String::with_capacity(16);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (Ok(()) | Err(_)) = write!(id, "{number:016x}");
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(NAME, id);
    }
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => tell(
            response,
            Problem {
                request_id: Some(id),
                ..problem
            },
        ),
        None => response,
    }
}

fn tell(mut response: Response, problem: Problem) -> Response {
    let body = serde_json::to_vec(&problem).unwrap_or_else(|error| {
        error!(%error, "a problem cannot be written");
        Vec::new()
    });
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    let kind = HeaderValue::from_static("application/problem+json");
    headers.insert(CONTENT_TYPE, kind);
    *response.body_mut() = Body::from(body);
    response
}

/// What the log says of a request beside all that happens for it. Not its query:
/// there are those who put secrets there.
pub(super) fn span(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.map_or("", |id| &id.0);
    info_span!("request", id, method = %request.method(), path = request.uri().path())
}
