//! `/healthz` and `/readyz`, for whoever starts and watches the console.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::Console;

/// Answers as long as the process serves at all.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// Answers 503 with the reasons while the console should get no new work. An
/// endpoint that is down is not a reason: showing that is the console's work.
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
