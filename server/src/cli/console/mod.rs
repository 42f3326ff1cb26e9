//! A console as a client sees it: its REST API and its WebSocket.
//!
//! ```text
//!  Location ──► Dialler ──► Console ──┬─ get ────► one request's body
//!  QMP_CONSOLE_TOKEN ────────┘        └─ open ───► Socket ◄──► frames
//! ```
//!
//! The token travels in the header `Authorization`, and nowhere else. What the
//! frames are for is not known in here, nor what is printed.

mod dial;
mod fault;
mod location;
mod socket;

use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use qmp_shared::rest::Problem;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::TOKEN_VARIABLE;
use super::target::usage;
use dial::Dialler;
pub(super) use fault::{Fault, failure};
pub(super) use location::Location;
pub(super) use socket::{Hello, Socket};

/// How long one request may take, and opening a socket up to its `hello`.
const WITHIN: Duration = Duration::from_secs(30);

/// Largest body that is read. A schema with its manual has one megabyte.
const MAX_BODY_BYTES: usize = 64 << 20;

/// How a console is reached.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Trust a console's certificate if one in this file (PEM) has signed it, instead of those
    /// that the system trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Send the token without TLS to a console on another machine
    #[arg(long)]
    insecure: bool,
}

impl Options {
    /// Refuses what means nothing on a monitor.
    ///
    /// # Errors
    ///
    /// A usage error.
    pub(super) fn check_unused(&self) -> anyhow::Result<()> {
        if self.ca.is_some() || self.insecure {
            return Err(usage("--ca and --insecure are for consoles, http(s)://..."));
        }
        Ok(())
    }
}

/// A console, and the token to show there.
pub(super) struct Console {
    location: Location,
    dialler: Dialler,
    /// Marked as sensitive, so that no `Debug` shows it.
    authorization: HeaderValue,
}

impl Console {
    /// Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// A usage error when there is no token, or when it would travel
    /// unprotected; another one when no certificate could be trusted.
    pub(super) fn new(location: Location, options: &Options) -> anyhow::Result<Self> {
        if !location.secure && !location.is_local() && !options.insecure {
            return Err(usage(format!(
                "{location} is not on this machine, and without TLS the token can be read on the \
                 way. Use https://, or accept that with --insecure"
            )));
        }
        if !location.secure && options.ca.is_some() {
            return Err(usage("--ca is for https://"));
        }
        let token = std::env::var(TOKEN_VARIABLE)
            .map_err(|_| usage(format!("{TOKEN_VARIABLE} must hold a token of the console")))?;
        let authorization = HeaderValue::try_from(format!("Bearer {token}"));
        let mut authorization = authorization
            .map_err(|_| usage(format!("{TOKEN_VARIABLE} holds what cannot be a token")))?;
        authorization.set_sensitive(true);
        Ok(Self {
            dialler: Dialler::new(&location, options.ca.as_deref())?,
            location,
            authorization,
        })
    }

    /// The name of the session.
    pub(super) fn session(&self) -> &str {
        &self.location.session
    }

    /// The answer to `GET` of something of the session: `path` begins with a
    /// slash. Takes half a minute at most.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the request.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let request = self.request(&self.location.of_session(path));
        let exchange = async {
            let stream = self.dialler.connect().await.map_err(Fault::Connect)?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            let answer = async {
                let response = sender.send_request(request).await?;
                let status = response.status();
                let body = to_bytes(Body::new(response.into_body()), MAX_BODY_BYTES);
                let body = body.await.map_err(Fault::Body)?;
                Ok::<_, Fault>((status, body))
            };
            // The connection is what moves the answer; the answer ends first.
            let mut answer = std::pin::pin!(answer);
            tokio::select! {
                biased;
                answer = &mut answer => answer,
                ended = connection => match ended {
                    Ok(()) => answer.await,
                    Err(error) => Err(error.into()),
                },
            }
        };
        let (status, body) = timeout(WITHIN, exchange)
            .await
            .map_err(|_| Fault::Late(WITHIN))??;
        if status != StatusCode::OK {
            return Err(refusal(status, &body));
        }
        serde_json::from_slice(&body)
            .map_err(|error| Fault::Protocol(format!("an answer to {path}: {error}")))
    }

    /// A console socket, after its `hello`. Takes half a minute at most.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes what was opened.
    pub(super) async fn open(&self) -> Result<(Socket, Hello), Fault> {
        let open = async {
            let stream = self.dialler.connect().await.map_err(Fault::Connect)?;
            let url = {
                let scheme = if self.location.secure { "wss" } else { "ws" };
                let authority = self.location.authority();
                format!("{scheme}://{authority}{}", self.location.api("/ws"))
            };
            Socket::open(stream, &url, self.authorization.clone()).await
        };
        timeout(WITHIN, open)
            .await
            .map_err(|_| Fault::Late(WITHIN))?
    }

    fn request(&self, path: &str) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        // The parts of a location can all stand in a URI.
        *request.uri_mut() = path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Ok(host) = HeaderValue::try_from(self.location.authority()) {
            headers.insert(HOST, host);
        }
        request
    }
}

/// What an answer that is none says: the console's problem, or, from something
/// in between, just its status.
fn refusal(status: StatusCode, body: &[u8]) -> Fault {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Fault::Refused(Box::new(problem)),
        Err(_) => Fault::Status(status),
    }
}
