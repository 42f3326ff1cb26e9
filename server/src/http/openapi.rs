//! `GET /api/v1/openapi.json`: the description of the API, made of its routes.

use std::sync::Arc;

use axum::{Extension, Json, Router};
use qmp_shared::rest::{Problem, ProblemKind};
use utoipa::openapi::Server;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::Console;

/// What the description of the API says besides its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "QMP Console",
        description = "QMP sessions by REST. Times are RFC 3339 in UTC, durations are seconds. \
                       Errors are `application/problem+json`."
    ),
    components(schemas(Problem, ProblemKind)),
    modifiers(&Credentials),
    security(("token" = []), ("cookie" = []))
)]
struct Description;

/// How a caller shows his token.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", token);
        let cookie = ApiKey::Cookie(ApiKeyValue::new("qmp-console-INSTANCE"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// `GET`: needs no token, as it says nothing of this console.
#[utoipa::path(get, operation_id = "show_description", path = "/openapi.json", tag = "openapi", security(()), responses((status = 200, description = "This", body = std::collections::BTreeMap<String, serde_json::Value>)))]
pub(super) async fn show(
    Extension(description): Extension<Arc<utoipa::openapi::OpenApi>>,
) -> Json<Arc<utoipa::openapi::OpenApi>> {
    Json(description)
}

/// The routers of the API and of what is beside it under `base`, with their
/// description.
pub(super) fn describe(
    api: OpenApiRouter<Arc<Console>>,
    outside: OpenApiRouter<Arc<Console>>,
    base: &str,
) -> (Router<Arc<Console>>, Router<Arc<Console>>) {
    let mut description = Description::openapi();
    let (api, of_api) = api.split_for_parts();
    let (outside, mut of_outside) = outside.split_for_parts();
    description.servers = Some(vec![Server::new(format!("{base}/api/v1"))]);
    let root = if base.is_empty() { "/" } else { base };
    for item in of_outside.paths.paths.values_mut() {
        item.servers = Some(vec![Server::new(root)]);
    }
    description.merge(of_api);
    description.merge(of_outside);
    (api.layer(Extension(Arc::new(description))), outside)
}
