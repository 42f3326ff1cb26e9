//! HTTP: REST, the console WebSocket, the front end.
//!
//! Every request passes, from the outside in: the security headers of
//! [`headers`], the `Host` check of [`guard`], then its route, whose handler
//! asks for a [`guard::Caller`] and thereby for a token and, where a cookie
//! vouches for the request, the console's own `Origin`. Handlers turn what
//! went wrong into a [`problem::Refusal`], here and nowhere else.

mod assets;
mod body;
mod execute;
mod guard;
mod headers;
mod health;
mod login;
mod problem;
mod sessions;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::{DefaultOnFailure, TraceLayer};
use tracing::Level;

use crate::access::{HostPolicy, Token};
use crate::session::Sessions;
use problem::Refusal;

/// Largest request body and WebSocket frame, in bytes.
const MAX_REQUEST_BYTES: usize = 4 << 20;

/// How long a browser socket may take no bytes before it is dropped.
const STALLED_PEER: Duration = Duration::from_secs(30);

/// What the handlers work on.
#[derive(Debug)]
pub(crate) struct Console {
    /// The sessions.
    pub(crate) sessions: Sessions,
    /// The token that lets a caller in.
    pub(crate) token: Token,
    /// The names that the console answers to.
    pub(crate) hosts: HostPolicy,
    /// The name of the login cookie; cookies cross ports, so that it differs
    /// between consoles on one host.
    pub(crate) cookie: String,
    /// Names this run of sequence numbers.
    pub(crate) journal: String,
    /// Cancelled when the console stops.
    pub(crate) stopping: CancellationToken,
}

/// All routes of the console.
pub(crate) fn router(console: Arc<Console>) -> Router {
    let api = Router::new()
        .route(
            "/login",
            get(login::status).post(login::login).delete(login::logout),
        )
        .route("/sessions", get(sessions::list))
        .route("/sessions/{name}", get(sessions::show))
        .route("/sessions/{name}/execute", post(execute::execute))
        .route("/sessions/{name}/schema", get(sessions::schema))
        .route("/ws", get(socket::upgrade))
        .fallback(async || Refusal::no_such_address())
        .method_not_allowed_fallback(async || Refusal::no_such_method());
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .nest("/api/v1", api)
        .merge(assets::router())
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&console),
            guard::check_host,
        ))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(axum::middleware::map_response(headers::secure))
        .layer(TraceLayer::new_for_http().on_failure(DefaultOnFailure::new().level(Level::DEBUG)))
        .with_state(console)
}
