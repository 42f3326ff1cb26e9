//! `/api/v1/login`: a browser's way to show its token once and be remembered
//! by a cookie that no script can read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use qmp_shared::rest::{Login, LoginStatus, Problem, ProblemKind};

use super::Console;
use super::body::StrictJson;
use super::guard::{MaybeCaller, check_origin, logged_in, login_cookie};
use super::problem::{Faults, Refusal};
use crate::error::chain;

/// `GET`: who the request's token makes the caller.
#[utoipa::path(get, operation_id = "show_login", path = "/login", tag = "login", security(()), responses((status = 200, description = "Who the caller is", body = LoginStatus), Faults))]
pub(super) async fn status(MaybeCaller(identity): MaybeCaller) -> Json<LoginStatus> {
    Json(match identity {
        Some(identity) => LoginStatus {
            role: Some(identity.role),
            name: Some(identity.name),
        },
        None => LoginStatus {
            role: None,
            name: None,
        },
    })
}

/// `POST`: sets the cookie.
#[utoipa::path(post, operation_id = "login", path = "/login", tag = "login", security(()), request_body = Login, responses((status = 204, description = "The cookie is set"), Faults))]
pub(super) async fn login(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    StrictJson(login): StrictJson<Login>,
) -> Result<Response, Refusal> {
    check_origin(&headers)?;
    let token = login.token.trim().as_bytes();
    let Some(identity) = console.access.tokens.verify(token) else {
        return Err(console.attempts.wrong());
    };
    let access = &console.access;
    let secret = access.logins.begin(&identity, &access.tokens);
    let secret = secret.map_err(|error| {
        let detail = chain(&error);
        Refusal(Problem::new(ProblemKind::InternalError, detail))
    })?;
    let cookie = login_cookie(&console, Some(&secret));
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// `DELETE`: clears the cookie, and closes the sockets that were opened with it.
/// Works for everybody.
#[utoipa::path(delete, operation_id = "logout", path = "/login", tag = "login", security(()), responses((status = 204, description = "The cookie is cleared"), Faults))]
pub(super) async fn logout(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    check_origin(&headers)?;
    if let Some((login, _)) = logged_in(&headers, &console) {
        console.access.logins.end(&login);
    }
    let cookie = login_cookie(&console, None);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
