//! The front end: files embedded in the binary, compressed at build time, and
//! the page for every address that is nobody else's.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, ETAG};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use memory_serve::CacheControl;
use qmp_shared::rest::{Problem, ProblemKind};
use tower::ServiceExt;

use super::problem::Refusal;

/// The page that starts every page.
const PAGE: &str = "/index.html";

/// Longer than that page.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// What programs ask for begins with one of these: there the page would look
/// like an answer.
const NOT_PAGES: [&str; 5] = ["api", "healthz", "metrics", "problems", "readyz"];

/// Serves the front end's files to browsers, which find them under `base`. Every
/// other address is one of its pages, of which it knows by itself whether it
/// has it, and answered with the page that starts it; but for those of programs.
/// Nothing is cached without asking first: a console that was updated must not
/// meet an old front end.
pub(super) fn router<S: Clone + Send + Sync + 'static>(base: &Arc<str>) -> Router<S> {
    let files: Router = memory_serve::load!()
        .html_cache_control(CacheControl::NoCache)
        .cache_control(CacheControl::NoCache)
        .index_file(None)
        .into_router();
    let files = files.method_not_allowed_fallback(async || Refusal::no_such_method());
    let page = {
        let (base, files) = (Arc::clone(base), files.clone());
        get(async move |request: Request| page(&base, files.clone(), request).await)
            .fallback(async || Refusal::no_such_method())
    };
    let others = {
        let page = page.clone();
        async move |request: Request| match is_page(request.uri().path()) {
            true => page.clone().oneshot(request).await.into_response(),
            false => Refusal::no_such_address().into_response(),
        }
    };
    let page = page.with_state(());
    Router::new()
        .route("/", page.clone())
        .route(PAGE, page)
        .fallback_service(files.fallback(others))
}

fn is_page(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    first.is_none_or(|first| !NOT_PAGES.contains(&first))
}

/// The page, with addresses under `base`.
async fn page(base: &str, files: Router, mut request: Request) -> Response {
    *request.uri_mut() = Uri::from_static(PAGE);
    if base.is_empty() {
        return files.oneshot(request).await.into_response();
    }
    // As it is, whatever the browser would take and has already.
    request.headers_mut().clear();
    let Ok(answer) = files.oneshot(request).await;
    if answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let page = match to_bytes(body, MAX_PAGE_BYTES).await {
        Ok(page) => String::from_utf8_lossy(&page).into_owned(),
        Err(error) => {
            let detail = format!("the page cannot be read: {error}");
            return Refusal(Problem::new(ProblemKind::InternalError, detail)).into_response();
        }
    };
    let page = page
        .replace("=\"/", &format!("=\"{base}/"))
        .replace("data-base=\"\"", &format!("data-base=\"{base}\""));
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(ETAG);
    Response::from_parts(parts, Body::from(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_ask_for_is_no_page() {
        for path in ["/", "", "/events", "/commands/api/metrics", "/apis", "/API"] {
            assert!(is_page(path), "{path}");
        }
        for path in ["/api", "/api/", "/api/v2/x", "/metrics", "//problems/x"] {
            assert!(!is_page(path), "{path}");
        }
    }
}
