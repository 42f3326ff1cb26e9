//! `/healthz` and `/readyz`, for whoever starts and watches the console.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::Console;

/// `GET /healthz`: answers as long as the process serves at all.
#[utoipa::path(get, operation_id = "show_health", path = "/healthz", tag = "health", security(()), responses((status = 200, description = "`ok`", body = String, content_type = "text/plain")))]
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: answers 503 with the reasons while the console should get no new work. An
/// endpoint that is down is not a reason: showing that is the console's work.
#[utoipa::path(get, operation_id = "show_readiness", path = "/readyz", tag = "health", security(()), responses((status = 200, description = "`ok`", body = String, content_type = "text/plain"), (status = 503, description = "Why not, a reason a line", body = String, content_type = "text/plain")))]
pub(super) async fn ready(State(console): State<Arc<Console>>) -> (StatusCode, String) {
    let mut reasons = Vec::new();
    if console.stopping.is_cancelled() {
        reasons.push("the console is stopping\n".to_owned());
    }
    if let Some(fault) = console.journal.fault() {
        reasons.push(format!("the journal cannot be written: {fault}\n"));
    }
    match reasons.is_empty() {
        true => (StatusCode::OK, "ok".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, reasons.concat()),
    }
}
