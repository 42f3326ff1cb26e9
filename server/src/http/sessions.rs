//! `/api/v1/sessions`: what there is, and what it understands.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use qmp_shared::rest::{SchemaReply, SessionInfo, SessionList};

use super::Console;
use super::guard::Caller;
use super::problem::{Refusal, of_session};
use crate::session::Session;

/// The session's name in the address of a request. An address that is no text
/// when decoded is nobody's.
pub(super) struct SessionName(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for SessionName {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(Refusal::no_such_address()),
        }
    }
}

/// `GET /api/v1/sessions`.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _caller: Caller,
) -> Json<SessionList> {
    Json(SessionList {
        sessions: console.sessions.iter().map(Session::info).collect(),
    })
}

/// `GET /api/v1/sessions/{name}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    _caller: Caller,
    SessionName(name): SessionName,
) -> Result<Json<SessionInfo>, Refusal> {
    match console.sessions.get(&name) {
        Some(session) => Ok(Json(session.info())),
        None => Err(Refusal::no_such_session(&name)),
    }
}

/// `GET /api/v1/sessions/{name}/schema`: the endpoint's own schema, verbatim.
/// May be kept by the browser, which asks with its `ETag` whether it still
/// holds.
pub(super) async fn schema(
    State(console): State<Arc<Console>>,
    _caller: Caller,
    SessionName(name): SessionName,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Some(session) = console.sessions.get(&name) else {
        return Err(Refusal::no_such_session(&name));
    };
    let schema = session
        .schema()
        .await
        .map_err(|error| of_session(&name, error))?;
    let etag = format!("\"{}\"", schema.digest);
    let caching = [(ETAG, etag.as_str()), (CACHE_CONTROL, "private, no-cache")];
    let same = headers
        .get_all(IF_NONE_MATCH)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*");
    if same {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let body = Json(SchemaReply {
        schema: schema.text.clone(),
    });
    Ok((caching, body).into_response())
}
