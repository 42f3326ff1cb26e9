//! `/api/v1/tokens`: who may come in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use qmp_shared::rest::{NewToken, Problem, ProblemKind, Role, TokenCreated, TokenList};
use tracing::{info, warn};

use super::Console;
use super::body::StrictJson;
use super::guard::Admin;
use super::problem::{Faults, Refusal};
use super::sessions::SessionName;
use crate::access::TokensError;
use crate::error::chain;

/// `GET`: all of them, never the secrets.
#[utoipa::path(get, operation_id = "list_tokens", path = "/tokens", tag = "tokens", responses((status = 200, description = "All tokens, without their secrets", body = TokenList), Faults))]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _admin: Admin,
) -> Result<Json<TokenList>, Refusal> {
    let tokens = console.access.tokens.list().map_err(refusal)?;
    Ok(Json(TokenList { tokens }))
}

/// `POST`: makes one, which is shown this once.
#[utoipa::path(post, operation_id = "create_token", path = "/tokens", tag = "tokens", request_body = NewToken, responses((status = 201, description = "It was made, and is shown this once", body = TokenCreated), Faults))]
pub(super) async fn create(
    State(console): State<Arc<Console>>,
    Admin(caller): Admin,
    StrictJson(body): StrictJson<NewToken>,
) -> Result<(StatusCode, Json<TokenCreated>), Refusal> {
    let role = body.role.unwrap_or(Role::Viewer);
    let created = console.access.tokens.create(&body.name, role, body.expires);
    let (token, made) = created.map_err(refusal)?;
    let by = caller.identity.name;
    info!(name = made.name, role = %made.role, by, "made a token");
    let token = token.reveal().to_owned();
    Ok((
        StatusCode::CREATED,
        Json(TokenCreated { token, info: made }),
    ))
}

/// `DELETE /api/v1/tokens/{name}`: ends it, and the sockets that it has opened.
#[utoipa::path(delete, operation_id = "revoke_token", path = "/tokens/{name}", tag = "tokens", params(("name" = String, Path, description = "The token's name")), responses((status = 204, description = "It was revoked"), Faults))]
pub(super) async fn revoke(
    State(console): State<Arc<Console>>,
    Admin(caller): Admin,
    SessionName(name): SessionName,
) -> Result<StatusCode, Refusal> {
    let by = caller.identity.name;
    let tokens = &console.access.tokens;
    match tokens.revoke(&name) {
        Ok(()) => {
            info!(name, by, "revoked a token");
            Ok(StatusCode::NO_CONTENT)
        }
        Err(error @ TokensError::File { .. }) if tokens.forget(&name) => {
            let error = chain(&error);
            warn!(
                name,
                by, error, "revoked a token until the console starts again"
            );
            let detail = format!(
                "the token {name:?} lets nobody in any more, but will when the console starts \
                 again: {error}"
            );
            Err(Refusal(Problem::new(ProblemKind::InternalError, detail)))
        }
        Err(error) => Err(refusal(error)),
    }
}

fn refusal(error: TokensError) -> Refusal {
    let kind = match error {
        TokensError::BadName(_) | TokensError::BadExpiry(_) => ProblemKind::InvalidRequest,
        TokensError::Unknown(_) => ProblemKind::NotFound,
        TokensError::Taken(_) | TokensError::Ephemeral | TokensError::FromEnvironment => {
            ProblemKind::StateError
        }
        TokensError::TooMany => ProblemKind::RateLimited,
        TokensError::Token(_) | TokensError::File { .. } => ProblemKind::InternalError,
    };
    Refusal(Problem::new(kind, chain(&error)))
}
