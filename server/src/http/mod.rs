//! HTTP: REST, the console WebSocket, the front end.
//!
//! Every request passes, from the outside in: the security headers of
//! [`headers`], the `Host` check of [`guard`], then its route, whose handler
//! asks for a [`guard::Caller`] and thereby for a token and, where a cookie
//! vouches for the request, the console's own `Origin`. Handlers turn what
//! went wrong into a [`problem::Refusal`], here and nowhere else.

mod assets;
mod audit;
mod body;
mod events;
mod execute;
mod guard;
mod headers;
mod health;
mod login;
mod logins;
mod manuals;
mod problem;
mod serve;
mod sessions;
mod socket;
mod tokens;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::{DefaultOnFailure, TraceLayer};
use tracing::Level;

use crate::access::{Access, HostPolicy};
use crate::journal::Journal;
use crate::session::Sessions;
pub(crate) use logins::Logins;
pub(crate) use manuals::Manuals;
use problem::Refusal;
pub(crate) use serve::{Listener, Tls, serve};

/// Largest request body and WebSocket frame, in bytes.
const MAX_REQUEST_BYTES: usize = 4 << 20;

/// How long a browser socket may take no bytes before it is dropped.
const STALLED_PEER: Duration = Duration::from_secs(30);

/// How often it is looked whether a token still counts that has opened
/// something, and how far subscriptions are is told.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// What the handlers work on.
#[derive(Debug)]
pub(crate) struct Console {
    /// The sessions.
    pub(crate) sessions: Sessions,
    /// Who may do what.
    pub(crate) access: Access,
    /// Where events and the audit are kept.
    pub(crate) journal: Journal,
    /// The manuals of the host.
    pub(crate) manuals: Manuals,
    /// Failed logins.
    pub(crate) logins: Logins,
    /// The names that the console answers to.
    pub(crate) hosts: RwLock<Arc<HostPolicy>>,
    /// The name of the login cookie; cookies cross ports, so that it differs
    /// between consoles on one host.
    pub(crate) cookie: String,
    /// Whether browsers reach the console by TLS only.
    pub(crate) secure: bool,
    /// Cancelled when the console stops.
    pub(crate) stopping: CancellationToken,
}

impl Console {
    fn hosts(&self) -> Arc<HostPolicy> {
        // Nothing panics while it holds the lock.
        Arc::clone(&self.hosts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Other names from now on.
    pub(crate) fn set_hosts(&self, hosts: HostPolicy) {
        *self.hosts.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(hosts);
    }
}

/// All routes of the console.
pub(crate) fn router(console: Arc<Console>) -> Router {
    let api = Router::new()
        .route(
            "/login",
            get(login::status).post(login::login).delete(login::logout),
        )
        .route("/sessions", get(sessions::list).post(sessions::add))
        .route(
            "/sessions/{name}",
            get(sessions::show).delete(sessions::remove),
        )
        .route("/sessions/{name}/connect", post(sessions::connect))
        .route("/sessions/{name}/disconnect", post(sessions::disconnect))
        .route("/sessions/{name}/events", get(events::events))
        .route("/sessions/{name}/execute", post(execute::execute))
        .route("/sessions/{name}/schema", get(sessions::schema))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{name}", delete(tokens::revoke))
        .route("/audit", get(audit::list))
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
