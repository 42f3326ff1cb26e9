//! The front end: files embedded in the binary, compressed at build time.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, ETAG};
use axum::http::{Request, StatusCode, Uri};
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

/// Serves the front end's files to browsers, which find them under `base`. Every
/// other address is one of its pages, and answered with the page that starts it.
/// Nothing is cached without asking first: a console that was updated must not
/// meet an old front end.
pub(super) fn router<S: Clone + Send + Sync + 'static>(base: &Arc<str>) -> Router<S> {
    let files = memory_serve::load!()
        .html_cache_control(CacheControl::NoCache)
        .cache_control(CacheControl::NoCache);
    if base.is_empty() {
        return files
            .index_file(Some(PAGE))
            .fallback(Some(PAGE))
            .fallback_status(StatusCode::OK)
            .into_router();
    }
    let files: Router = files.index_file(None).into_router();
    let base = Arc::clone(base);
    let page = {
        let files = files.clone();
        async move || page_under(&base, files.clone()).await
    };
    Router::new()
        .route("/", get(page.clone()))
        .route(PAGE, get(page.clone()))
        .fallback_service(files.fallback(page))
}

/// The page, with addresses under `base`.
async fn page_under(base: &str, files: Router) -> Response {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static(PAGE);
    let Ok(answer) = files.oneshot(request).await;
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
