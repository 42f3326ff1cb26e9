//! The REST calls that the front end makes.

use gloo_net::http::{Request, Response};
use qmp_shared::rest::{Login, LoginStatus, Problem, ProblemKind, SchemaReply};
use serde::de::DeserializeOwned;

use crate::state::text::percent_encoded;

const LOGIN: &str = "/api/v1/login";

/// Who is signed in.
///
/// # Errors
///
/// A [`Problem`] when the console does not answer, or answers something else.
pub(crate) async fn login_status() -> Result<LoginStatus, Problem> {
    body(checked(Request::get(LOGIN).send().await).await?).await
}

/// Signs in; the console sets a cookie.
///
/// # Errors
///
/// A [`Problem`], of kind `Unauthorized` when the token is not valid.
pub(crate) async fn login(token: &str) -> Result<(), Problem> {
    let login = Login {
        token: token.to_owned(),
    };
    let json = serde_json::to_string(&login).map_err(|error| unexpected(&error.to_string()))?;
    let request = Request::post(LOGIN)
        .header("content-type", "application/json")
        .body(json);
    let request = request.map_err(|error| unexpected(&error.to_string()))?;
    checked(request.send().await).await.map(drop)
}

/// Signs out; the console clears the cookie.
///
/// # Errors
///
/// A [`Problem`]: the login then still stands.
pub(crate) async fn logout() -> Result<(), Problem> {
    checked(Request::delete(LOGIN).send().await).await.map(drop)
}

/// The schema of a session's endpoint: the reply to `query-qmp-schema`.
///
/// # Errors
///
/// A [`Problem`], of kind `NotFound` when the endpoint has none.
pub(crate) async fn schema(session: &str) -> Result<SchemaReply, Problem> {
    let address = "/api/v1/sessions/".to_owned() + &percent_encoded(session) + "/schema";
    body(checked(Request::get(&address).send().await).await?).await
}

async fn checked(answer: Result<Response, gloo_net::Error>) -> Result<Response, Problem> {
    let response = answer
        .map_err(|_| Problem::new(ProblemKind::InternalError, "The console does not answer."))?;
    if response.ok() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    Err(serde_json::from_str(&text).unwrap_or_else(|_| {
        unexpected(
            &("the console answered with status ".to_owned() + &response.status().to_string()),
        )
    }))
}

async fn body<T: DeserializeOwned>(response: Response) -> Result<T, Problem> {
    let text = response
        .text()
        .await
        .map_err(|error| unexpected(&error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unexpected(&error.to_string()))
}

fn unexpected(detail: &str) -> Problem {
    Problem::new(ProblemKind::InternalError, detail)
}
