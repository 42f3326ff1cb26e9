//! `/api/v1/sessions`: what there is, and what it understands.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use qmp_client::address::{Address, AddressError};
use qmp_shared::rest::{NewSession, Problem, ProblemKind, SchemaReply, SessionInfo, SessionList};
use tracing::info;

use super::Console;
use super::body::StrictJson;
use super::guard::{Admin, Caller, Operator};
use super::problem::{Faults, Refusal, of_session, stopped};
use crate::session::{RegistryError, Session};

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
#[utoipa::path(get, operation_id = "list_sessions", path = "/sessions", tag = "sessions", responses((status = 200, description = "All sessions", body = SessionList), Faults))]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _caller: Caller,
) -> Json<SessionList> {
    Json(SessionList {
        sessions: console
            .sessions
            .roster()
            .values()
            .map(Session::info)
            .collect(),
    })
}

/// `GET /api/v1/sessions/{name}`.
#[utoipa::path(get, operation_id = "show_session", path = "/sessions/{name}", tag = "sessions", params(("name" = String, Path, description = "The session's name")), responses((status = 200, description = "The session", body = SessionInfo), Faults))]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    _caller: Caller,
    SessionName(name): SessionName,
) -> Result<Json<SessionInfo>, Refusal> {
    Ok(Json(console.session(&name)?.info()))
}

/// `POST /api/v1/sessions`.
#[utoipa::path(post, operation_id = "add_session", path = "/sessions", tag = "sessions", request_body = NewSession, responses((status = 201, description = "It was added", body = SessionInfo), Faults))]
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    Admin(caller): Admin,
    StrictJson(body): StrictJson<NewSession>,
) -> Result<(StatusCode, Json<SessionInfo>), Refusal> {
    let address: Address = body
        .address
        .parse()
        .map_err(|error: AddressError| Refusal::invalid(format!("`address`: {error}")))?;
    let by = caller.identity.name;
    let (name, at) = (body.name.clone(), address.to_string());
    let add = move || console.sessions.add(&body.name, address);
    // The journal is read.
    let added = tokio::task::spawn_blocking(add).await.map_err(stopped)?;
    let session = added.map_err(|error| {
        let kind = match error {
            RegistryError::BadName(_) => ProblemKind::InvalidRequest,
            RegistryError::Taken(_) => ProblemKind::StateError,
            RegistryError::TooMany => ProblemKind::RateLimited,
            RegistryError::Stopping => ProblemKind::StateError,
        };
        Refusal(Problem::new(kind, error.to_string()))
    })?;
    // As texts, which are quoted: whatever is in them, it is one line.
    info!(session = name, address = at, by, "added a session");
    Ok((StatusCode::CREATED, Json(session.info())))
}

/// `DELETE /api/v1/sessions/{name}`.
#[utoipa::path(delete, operation_id = "remove_session", path = "/sessions/{name}", tag = "sessions", params(("name" = String, Path, description = "The session's name")), responses((status = 204, description = "It was removed"), Faults))]
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    Admin(caller): Admin,
    SessionName(name): SessionName,
) -> Result<StatusCode, Refusal> {
    match console.sessions.remove(&name).await {
        true => {
            let by = caller.identity.name;
            info!(session = name, by, "removed a session");
            Ok(StatusCode::NO_CONTENT)
        }
        false => Err(Refusal::no_such_session(&name)),
    }
}

/// `POST /api/v1/sessions/{name}/connect`.
#[utoipa::path(post, operation_id = "connect_session", path = "/sessions/{name}/connect", tag = "sessions", params(("name" = String, Path, description = "The session's name")), responses((status = 202, description = "It connects"), Faults))]
pub(super) async fn connect(
    State(console): State<Arc<Console>>,
    Operator(caller): Operator,
    SessionName(name): SessionName,
) -> Result<StatusCode, Refusal> {
    let session = console.session(&name)?;
    info!(session = name, by = caller.identity.name, "connecting");
    session.connect();
    Ok(StatusCode::ACCEPTED)
}

/// `POST /api/v1/sessions/{name}/disconnect`.
#[utoipa::path(post, operation_id = "disconnect_session", path = "/sessions/{name}/disconnect", tag = "sessions", params(("name" = String, Path, description = "The session's name")), responses((status = 202, description = "It disconnects"), Faults))]
pub(super) async fn disconnect(
    State(console): State<Arc<Console>>,
    Operator(caller): Operator,
    SessionName(name): SessionName,
) -> Result<StatusCode, Refusal> {
    let session = console.session(&name)?;
    info!(session = name, by = caller.identity.name, "disconnecting");
    session.disconnect();
    Ok(StatusCode::ACCEPTED)
}

/// `GET /api/v1/sessions/{name}/schema`: the endpoint's own schema, verbatim,
/// and what the host's manual says of it. May be kept by the browser, which asks
/// with its `ETag` whether it still holds.
#[utoipa::path(get, operation_id = "show_schema", path = "/sessions/{name}/schema", tag = "sessions", params(("name" = String, Path, description = "The session's name")), responses((status = 200, description = "The schema, and what the manual says of it", body = SchemaReply), (status = 304, description = "The `ETag` still holds"), Faults))]
pub(super) async fn schema(
    State(console): State<Arc<Console>>,
    _caller: Caller,
    SessionName(name): SessionName,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = console.session(&name)?;
    let schema = session
        .schema()
        .await
        .map_err(|error| of_session(error).session(&name))?;
    let text = schema.as_deref().map(|schema| &schema.text);
    let docs = console
        .manuals
        .of(session.kind(), text.map(|text| text.get()));
    let docs = docs.await;
    let version = docs.as_ref().and_then(|docs| docs.version.clone());
    let etag = format!(
        "\"{}-{}\"",
        schema.as_deref().map_or("none", |schema| &schema.digest),
        version.as_deref().unwrap_or("none")
    );
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
        schema: text.cloned(),
        docs: docs.map(|docs| docs.text.clone()),
        docs_version: version,
    });
    Ok((caching, body).into_response())
}
