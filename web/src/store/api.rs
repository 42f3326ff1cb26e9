//! The REST calls that the front end makes.
//!
//! All of them go through [`call`], which exists once: each copy of a request
//! would be a few kilobytes of the first page.

use std::pin::Pin;

use gloo_net::http::{Method, RequestBuilder};
use qmp_shared::rest::{
    EventPage, LinkMark, Login, LoginStatus, NewSession, Problem, ProblemKind, Requirement,
    SchemaReply,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::state::health;
use crate::state::text::percent_encoded;
use crate::store::browser;

const LOGIN: &str = "/api/v1/login";
const SESSIONS: &str = "/api/v1/sessions";

/// Who is signed in.
///
/// # Errors
///
/// A [`Problem`] when the console does not answer, or answers something else.
pub(crate) async fn login_status() -> Result<LoginStatus, Problem> {
    decode(&succeed(Method::GET, LOGIN.to_owned(), None).await?)
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
    let body = serde_json::to_string(&login).map_err(unexpected)?;
    let answer = succeed(Method::POST, LOGIN.to_owned(), Some(body));
    answer.await.map(drop)
}

/// Signs out; the console clears the cookie.
///
/// # Errors
///
/// A [`Problem`]: the login then still stands.
pub(crate) async fn logout() -> Result<(), Problem> {
    let answer = succeed(Method::DELETE, LOGIN.to_owned(), None);
    answer.await.map(drop)
}

/// The schema of a session's endpoint: the reply to `query-qmp-schema`.
///
/// # Errors
///
/// A [`Problem`], of kind `NotFound` when the endpoint has none.
pub(crate) async fn schema(session: &str) -> Result<SchemaReply, Problem> {
    let address = session_address(session) + "/schema";
    decode(&succeed(Method::GET, address, None).await?)
}

/// Executes a command that the page itself needs, and answers what it returned.
/// `arguments` are JSON.
///
/// # Errors
///
/// A [`Problem`]: the console's, or the endpoint's.
pub(crate) async fn execute(
    session: &str,
    command: &str,
    arguments: &str,
) -> Result<Box<RawValue>, Problem> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "return")]
        value: Box<RawValue>,
    }
    let body = "{\"execute\":\"".to_owned() + command + "\",\"arguments\":" + arguments + "}";
    let address = session_address(session) + "/execute";
    let answer = succeed(Method::POST, address, Some(body)).await?;
    decode(&answer).map(|Answer { value }| value)
}

/// What a command needs by the console's policy; `planned` is the JSON of a
/// [`Planned`](qmp_shared::rest::Planned).
///
/// # Errors
///
/// A [`Problem`]: the console did not say.
pub(crate) async fn requirement(planned: &str) -> Result<Requirement, Problem> {
    let address = "/api/v1/requirement".to_owned();
    decode(&succeed(Method::POST, address, Some(planned.to_owned())).await?)
}

/// A page of a session's log; `parameters` is the query string.
///
/// # Errors
///
/// A [`Problem`], of kind `NotFound` when there is no such session any more.
pub(crate) async fn events(session: &str, parameters: &str) -> Result<EventPage, Problem> {
    let address = session_address(session) + "/events" + parameters;
    decode(&succeed(Method::GET, address, None).await?)
}

/// What a page of a session's log tells of its endpoint, and nothing else;
/// `parameters` is the query string.
///
/// # Errors
///
/// A [`Problem`], as that of [`events`].
pub(crate) async fn links(session: &str, parameters: &str) -> Result<Vec<LinkMark>, Problem> {
    #[derive(Deserialize)]
    struct Page {
        marks: Marks,
    }
    #[derive(Deserialize)]
    struct Marks {
        links: Vec<LinkMark>,
    }
    let address = session_address(session) + "/events" + parameters;
    let page: Page = decode(&succeed(Method::GET, address, None).await?)?;
    Ok(page.marks.links)
}

/// Adds a session.
///
/// # Errors
///
/// A [`Problem`]: nothing was added.
pub(crate) async fn add_session(name: String, address: String) -> Result<(), Problem> {
    let body = serde_json::to_string(&NewSession { name, address }).map_err(unexpected)?;
    let answer = succeed(Method::POST, SESSIONS.to_owned(), Some(body));
    answer.await.map(drop)
}

/// Removes a session.
///
/// # Errors
///
/// A [`Problem`], of kind `NotFound` when somebody was faster.
pub(crate) async fn remove_session(name: &str) -> Result<(), Problem> {
    let answer = succeed(Method::DELETE, session_address(name), None);
    answer.await.map(drop)
}

/// Has a session connect, or hang up. It does so after the answer.
///
/// # Errors
///
/// A [`Problem`]: it was not asked to.
pub(crate) async fn steer_session(name: &str, connect: bool) -> Result<(), Problem> {
    let verb = if connect { "/connect" } else { "/disconnect" };
    let answer = succeed(Method::POST, session_address(name) + verb, None);
    answer.await.map(drop)
}

/// Why the console is not ready; empty when it is, `None` when it did not say.
pub(crate) async fn readiness() -> Option<Vec<String>> {
    let answer = call(Method::GET, "/readyz".to_owned(), None).await.ok()?;
    health::reasons(answer.status, &answer.text)
}

fn session_address(name: &str) -> String {
    SESSIONS.to_owned() + "/" + &percent_encoded(name)
}

/// What the console answered, good or bad.
struct Answer {
    status: u16,
    text: String,
}

/// The text of a good answer.
async fn succeed(method: Method, address: String, body: Option<String>) -> Result<String, Problem> {
    let Answer { status, text } = call(method, address, body).await?;
    if (200..300).contains(&status) {
        return Ok(text);
    }
    let words = || "the console answered with status ".to_owned() + &status.to_string();
    Err(serde_json::from_str(&text).unwrap_or_else(|_| unexpected(words())))
}

/// One request, with a body of JSON or with none.
fn call(
    method: Method,
    address: String,
    body: Option<String>,
) -> Pin<Box<dyn Future<Output = Result<Answer, Problem>>>> {
    Box::pin(async move {
        let request = RequestBuilder::new(&browser::at(&address)).method(method);
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body),
            None => request.build(),
        };
        let answer = request.map_err(unexpected)?.send().await;
        let silence = |_| Problem::new(ProblemKind::InternalError, "The console does not answer.");
        let response = answer.map_err(silence)?;
        let status = response.status();
        let text = response.text().await.map_err(unexpected)?;
        Ok(Answer { status, text })
    })
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(unexpected)
}

fn unexpected(error: impl ToString) -> Problem {
    Problem::new(ProblemKind::InternalError, error.to_string())
}
