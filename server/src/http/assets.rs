//! The front end: files embedded in the binary, compressed at build time.

use axum::Router;
use axum::http::StatusCode;
use memory_serve::CacheControl;

/// Serves the front end's files. Every other address is one of its pages, and
/// answered with the page that starts it. Nothing is cached without asking
/// first: a console that was updated must not meet an old front end.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    memory_serve::load!()
        .index_file(Some("/index.html"))
        .fallback(Some("/index.html"))
        .fallback_status(StatusCode::OK)
        .html_cache_control(CacheControl::NoCache)
        .cache_control(CacheControl::NoCache)
        .into_router()
}
