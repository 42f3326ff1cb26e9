//! `POST /api/v1/requirement`: what a command would need, by the policy as it
//! is now. Nothing is sent, and nothing is put on record.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use qmp_shared::rest::{Planned, Requirement};
use serde_json::value::RawValue;

use super::body::StrictJson;
use super::execute::check_name;
use super::guard::Caller;
use super::problem::{Faults, Refusal};
use super::{Console, problem::invalid};

/// `POST`: the least role for the command with these arguments, and why.
#[utoipa::path(post, operation_id = "judge", path = "/requirement", tag = "execute", request_body = Planned, responses((status = 200, description = "What it needs", body = Requirement), Faults))]
pub(super) async fn judge(
    State(console): State<Arc<Console>>,
    _caller: Caller,
    StrictJson(body): StrictJson<Planned>,
) -> Result<Json<Requirement>, Refusal> {
    let arguments = body.arguments.as_deref().map(RawValue::get);
    let checked = check_name(&body.execute).and_then(|()| match arguments {
        Some(arguments) => qmp_shared::json::check_arguments(arguments)
            .map_err(|fault| invalid(format!("the arguments cannot be sent: {fault}"))),
        None => Ok(()),
    });
    checked.map_err(Refusal)?;
    let policy = console.access.policy();
    let judged = policy.judge(&body.execute, arguments);
    Ok(Json(Requirement {
        role: judged.role,
        reason: judged.reason.into_owned(),
        least: policy.least(&body.execute),
    }))
}
