//! `GET /api/v1/audit`: what was done, and by whom.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use qmp_shared::rest::{Audit, AuditEntry};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Console;
use super::guard::Admin;
use super::problem::{Faults, Refusal, of_store};

/// Most records of a page.
const MAX_LIMIT: usize = 10_000;

/// Records of a page, unless said otherwise.
const DEFAULT_LIMIT: usize = 1000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// A number: records after it.
    after: Option<u64>,
    /// Most records of the page: 1 to 10000, 1000 when absent.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
}

/// `GET`: the records after a number, in order.
#[utoipa::path(get, operation_id = "list_audit", path = "/audit", tag = "audit", params(Parameters), responses((status = 200, description = "A page of the record", body = Audit), Faults))]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _admin: Admin,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Result<Json<Audit>, Refusal> {
    let Query(parameters) = query.map_err(|rejection| Refusal::query(&rejection))?;
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let detail = format!("`limit` is {limit}, not from 1 to {MAX_LIMIT}");
        return Err(Refusal::invalid(detail));
    }
    let after = parameters.after.unwrap_or(0);
    let page = console
        .journal
        .audit(after, limit)
        .await
        .map_err(of_store)?;
    let entries = page.entries.into_iter().map(|(id, entry)| AuditEntry {
        id,
        time: format!("{:.6}", entry.time),
        token: entry.token,
        peer: entry.peer,
        session: entry.session,
        command: entry.command,
        // What is on record was JSON.
        arguments: entry
            .arguments
            .and_then(|text| RawValue::from_string(text).ok())
            .map(Into::into),
        decision: entry.decision.as_str().to_owned(),
        result: entry.result,
        duration: entry.duration,
    });
    Ok(Json(Audit {
        entries: entries.collect(),
        next: page.next,
    }))
}
