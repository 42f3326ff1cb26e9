//! HTTP: REST, the console WebSocket, the front end.
//!
//! Every request passes, from the outside in: [`request_id`], which names it,
//! the security headers of [`headers`], the `Host` check of [`guard`], then its route, whose handler
//! asks for a [`guard::Caller`] and thereby for a token and, where a cookie
//! vouches for the request, the console's own `Origin`. Handlers turn what
//! went wrong into a [`problem::Refusal`], here and nowhere else.

mod accept;
mod assets;
mod attempts;
mod audit;
mod body;
mod events;
mod execute;
mod guard;
mod headers;
mod health;
mod login;
mod manuals;
mod openapi;
mod problem;
mod request_id;
mod requirement;
mod serve;
mod sessions;
mod socket;
mod tokens;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::{DefaultOnFailure, TraceLayer};
use tracing::Level;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Access, HostPolicy};
use crate::journal::Journal;
use crate::session::{Session, Sessions};
pub(crate) use attempts::Attempts;
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
    /// Places for those who look for past events.
    pub(crate) scans: Semaphore,
    /// Wrong tokens.
    pub(crate) attempts: Attempts,
    /// The names that the console answers to.
    pub(crate) hosts: RwLock<Arc<HostPolicy>>,
    /// The name of the login cookie; cookies cross ports, so that it differs
    /// between consoles on one host.
    pub(crate) cookie: String,
    /// The path before all of the console's own: empty, or with a slash in front.
    pub(crate) base: Arc<str>,
    /// Whether browsers reach the console by TLS only.
    pub(crate) secure: bool,
    /// Cancelled when the console stops.
    pub(crate) stopping: CancellationToken,
}

impl Console {
    /// Places for [`scans`](Self::scans).
    pub(crate) fn places() -> Semaphore {
        Semaphore::new(events::MAX_SCANS)
    }

    /// The session of that name.
    fn session(&self, name: &str) -> Result<Session, Refusal> {
        let session = self.sessions.get(name);
        session.ok_or_else(|| Refusal::no_such_session(name))
    }

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
    let api = OpenApiRouter::new()
        .routes(routes!(login::status, login::login, login::logout))
        .routes(routes!(sessions::list, sessions::add))
        .routes(routes!(sessions::show, sessions::remove))
        .routes(routes!(sessions::connect))
        .routes(routes!(sessions::disconnect))
        .routes(routes!(execute::execute))
        .routes(routes!(requirement::judge))
        .routes(routes!(sessions::schema))
        .routes(routes!(events::events))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(audit::list))
        .routes(routes!(socket::upgrade))
        .routes(routes!(openapi::show));
    let outside = OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready));
    let (api, outside) = openapi::describe(api, outside, &console.base);
    let api = api
        .fallback(async || Refusal::no_such_address())
        .method_not_allowed_fallback(async || Refusal::no_such_method());
    let all = outside
        .nest("/api/v1", api)
        .method_not_allowed_fallback(async || Refusal::no_such_method())
        .merge(assets::router(&console.base));
    let all = match &*console.base {
        "" => all,
        base => Router::new()
            .nest_service(base, all.with_state(Arc::clone(&console)))
            .fallback(async || Refusal::no_such_address()),
    };
    let trace = TraceLayer::new_for_http()
        .make_span_with(request_id::span)
        .on_failure(DefaultOnFailure::new().level(Level::DEBUG));
    all.layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&console),
            guard::check_host,
        ))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(axum::middleware::map_response(headers::secure))
        .layer(trace)
        .layer(axum::middleware::from_fn(request_id::identify))
        .with_state(console)
}
