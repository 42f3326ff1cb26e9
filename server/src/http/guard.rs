//! Who is asking, and from where: checked on every request before its handler
//! runs.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qmp_shared::rest::{Problem, ProblemKind, Role};
use qmp_shared::wire::LOGIN_ENDED;

use super::Console;
use super::problem::Refusal;
use super::serve::Place;
use crate::access::{Identity, Login, Token, same_origin};

/// Prefix of the subprotocol that carries a token.
const BEARER_SUBPROTOCOL: &str = "bearer.";

/// Refuses requests that were not addressed to this console by name, against
/// DNS rebinding.
pub(super) async fn check_host(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let authority = request.uri().authority().map(|it| it.as_str());
    let host = match one_host(request.headers(), authority) {
        Ok(host) => host,
        Err(refusal) => return refusal.into_response(),
    };
    match host {
        Some(host) if console.hosts().accepts(host) => next.run(request).await,
        // HTTP/1.0 has no `Host`; nothing that could be rebound speaks it.
        None if request.version() < Version::HTTP_11 => next.run(request).await,
        host => Refusal(Problem::new(
            ProblemKind::MisdirectedRequest,
            format!(
                "host {:?} is not a name of this console; --allowed-host adds one",
                host.unwrap_or_default()
            ),
        ))
        .into_response(),
    }
}

/// The one host that a request is for (RFC 9112, sections 3.2 and 3.2.2).
/// Something in between may have read another one, where there are two.
fn one_host<'a>(
    headers: &'a HeaderMap,
    authority: Option<&'a str>,
) -> Result<Option<&'a str>, Refusal> {
    if headers.get_all(HOST).iter().count() > 1 {
        return Err(Refusal::invalid("there are two `Host` headers"));
    }
    let host = host(headers, authority);
    match (host, authority) {
        (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
            Err(Refusal::invalid(format!(
                "the request is for {authority:?}, and its `Host` is {host:?}"
            )))
        }
        _ => Ok(host),
    }
}

fn host<'a>(headers: &'a HeaderMap, authority: Option<&'a str>) -> Option<&'a str> {
    match headers.get(HOST) {
        Some(host) => Some(host.to_str().unwrap_or_default()),
        None => authority,
    }
}

/// An authenticated caller. As a handler's argument it is the check: without
/// a valid token the answer is 401, with a foreign `Origin` 403.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) identity: Identity,
    /// Where from.
    pub(super) peer: Peer,
    /// Which login, of those who have shown a cookie.
    login: Option<Login>,
}

impl Caller {
    /// Whether what let the caller in still counts.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub(super) fn may_stay(&self, console: &Console) -> Result<(), &'static str> {
        if let Some(login) = &self.login
            && !console.access.logins.still(login)
        {
            return Err(LOGIN_ENDED);
        }
        match console.access.tokens.still(&self.identity) {
            true => Ok(()),
            false => Err("the token has expired or was revoked"),
        }
    }

    /// Refuses whoever has less than this role.
    fn needs(&self, role: Role) -> Result<(), Refusal> {
        if self.identity.role >= role {
            return Ok(());
        }
        let detail = format!(
            "this needs the role {role}; yours is {}",
            self.identity.role
        );
        Err(Refusal(Problem::new(ProblemKind::Forbidden, detail)))
    }
}

/// The other side of a connection, as its listener names it.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// An IP address and port, or `unix`.
    pub(super) name: String,
    /// Its place among the connections. Whoever goes on with the connection, as
    /// a socket does after the upgrade, keeps it.
    pub(super) _place: Arc<Place>,
}

impl FromRequestParts<Arc<Console>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Refusal> {
        let shown = identify(&parts.headers, console)?;
        let (identity, credential) = shown.ok_or_else(|| {
            Refusal::unauthorized("this needs a token: `Authorization: Bearer TOKEN`, or a login")
        })?;
        let socket = parts.headers.contains_key(SEC_WEBSOCKET_PROTOCOL)
            || parts.headers.contains_key("sec-websocket-key");
        let reading = matches!(parts.method, Method::GET | Method::HEAD);
        let login = match credential {
            Credential::Cookie(login) => Some(login),
            Credential::Header | Credential::Subprotocol => None,
        };
        if socket || (login.is_some() && !reading) {
            check_origin(&parts.headers)?;
        }
        let peer = parts.extensions.get::<ConnectInfo<Peer>>();
        let Some(ConnectInfo(peer)) = peer.cloned() else {
            return Err(Refusal::invalid("a request without a connection"));
        };
        Ok(Self {
            identity,
            peer,
            login,
        })
    }
}

/// A [`Caller`] with the role of an operator at least. An argument of a handler
/// is checked before the body is read, which stands last.
#[derive(Clone, Debug)]
pub(super) struct Operator(pub(super) Caller);

impl FromRequestParts<Arc<Console>> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, console).await?;
        caller.needs(Role::Operator)?;
        Ok(Self(caller))
    }
}

/// A [`Caller`] with the role of an admin, as [`Operator`].
#[derive(Clone, Debug)]
pub(super) struct Admin(pub(super) Caller);

impl FromRequestParts<Arc<Console>> for Admin {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, console).await?;
        caller.needs(Role::Admin)?;
        Ok(Self(caller))
    }
}

/// Who is asking, if anybody: never refuses a request without a token.
#[derive(Clone, Debug)]
pub(super) struct MaybeCaller(pub(super) Option<Identity>);

impl FromRequestParts<Arc<Console>> for MaybeCaller {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Infallible> {
        let identity = identify(&parts.headers, console).ok().flatten();
        Ok(Self(identity.map(|(identity, _)| identity)))
    }
}

/// How a caller showed his token.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Credential {
    Header,
    Subprotocol,
    /// By the cookie of this login.
    Cookie(Login),
}

/// The caller's identity, `None` without any token.
///
/// # Errors
///
/// A token that is not valid is refused even where a valid one is beside it:
/// who sends two should know that one is wrong. Wrong ones are
/// [counted](super::Attempts).
fn identify(
    headers: &HeaderMap,
    console: &Console,
) -> Result<Option<(Identity, Credential)>, Refusal> {
    let header = headers.get(AUTHORIZATION).map(|value| {
        let (scheme, token) = value.to_str().unwrap_or_default().split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().as_bytes().to_vec())
    });
    let presented = if let Some(token) = header {
        (token, Credential::Header)
    } else if let Some(text) = bearer_subprotocol(headers) {
        (URL_SAFE_NO_PAD.decode(text).ok(), Credential::Subprotocol)
    } else {
        // A cookie that counts no more is not an attack but an old login: it is
        // as good as none.
        let shown = logged_in(headers, console);
        return Ok(shown.map(|(login, identity)| (identity, Credential::Cookie(login))));
    };
    let (token, credential) = presented;
    let identity = token.and_then(|token| console.access.tokens.verify(&token));
    let identity = identity.ok_or_else(|| console.attempts.wrong())?;
    Ok(Some((identity, credential)))
}

/// The login of the cookie and whose it is, unless it has ended.
pub(super) fn logged_in(headers: &HeaderMap, console: &Console) -> Option<(Login, Identity)> {
    let secret = cookie(headers, &console.cookie)?;
    let access = &console.access;
    access.logins.find(secret.as_bytes(), &access.tokens)
}

/// The WebSocket subprotocols that the client offers.
pub(super) fn subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|protocol| !protocol.is_empty())
}

fn bearer_subprotocol(headers: &HeaderMap) -> Option<&str> {
    subprotocols(headers).find_map(|protocol| protocol.strip_prefix(BEARER_SUBPROTOCOL))
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Refuses a request that some other origin's page has made. A request
/// without `Origin` does not come from a page.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or("(not text)");
    if same_origin(origin, host(headers, None).unwrap_or_default()) {
        return Ok(());
    }
    Err(Refusal(Problem::new(
        ProblemKind::Forbidden,
        format!("origin {origin:?} is not this console's own"),
    )))
}

/// The `Set-Cookie` of the login with this secret, or that logs out with none.
pub(super) fn login_cookie(console: &Console, secret: Option<&Token>) -> String {
    let (value, age) = match secret {
        Some(secret) => (secret.reveal(), ""),
        None => ("", "; Max-Age=0"),
    };
    let name = &console.cookie;
    let base = &console.base;
    let secure = if console.secure { "; Secure" } else { "" };
    format!("{name}={value}; Path={base}/; HttpOnly; SameSite=Strict{secure}{age}")
}
