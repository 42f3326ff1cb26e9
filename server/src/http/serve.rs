//! Accepting connections: over TCP, unix sockets and TLS, a bounded number of
//! them, each with a deadline for its handshake and its headers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig, crypto};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower_http::add_extension::AddExtension;
use tracing::{debug, warn};

use super::guard::Peer;

/// Most connections at a time. Others wait in the system's queue until one
/// ends.
const MAX_CONNECTIONS: usize = 4096;

/// How long a TLS handshake may take, and the headers of a request.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// How long requests may take to finish when the console stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);

/// How long to wait when the system has no descriptor for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// A place among the connections, taken until the connection is over, whoever
/// goes on with it.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _task: TaskTrackerToken,
}

/// An open listener.
#[derive(Debug)]
pub(crate) enum Listener {
    /// On a TCP port.
    Tcp(TcpListener),
    /// On a unix socket.
    Unix(UnixListener),
}

/// The certificate that browsers are shown, and its key. Can be read again.
#[derive(Debug)]
pub(crate) struct Tls {
    cert: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read, or is not what it should be.
    #[error("{path}")]
    File {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The key is not that of the certificate, or neither can be used.
    #[error("certificate {cert} with key {key}")]
    Config {
        /// The certificate's file.
        cert: String,
        /// The key's file.
        key: String,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub(crate) fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            config: RwLock::new(config(cert, key)?),
            cert: cert.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Reads both again, for connections from now on.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; the old ones stay.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let config = config(&self.cert, &self.key)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }
}

fn config(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let of = |path: &Path| {
        let path = path.display().to_string();
        move |source| TlsError::File { path, source }
    };
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect);
    let chain: Vec<_> = chain.map_err(of(cert))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(of(key))?;
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let builder = builder.with_no_client_auth();
            builder.with_single_cert(chain, private)
        });
    let mut config = config.map_err(|source| TlsError::Config {
        cert: cert.display().to_string(),
        key: key.display().to_string(),
        source,
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Serves until told to stop, then lets requests finish for three seconds.
///
/// # Cancel safety
///
/// Connections go on when the future is dropped; `stopping` ends them.
pub(crate) async fn serve(
    listener: Listener,
    tls: Option<Arc<Tls>>,
    router: Router,
    stopping: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, name) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = place else { break };
        let peer = Peer {
            name,
            _place: Arc::new(Place {
                _permit: permit,
                _task: connections.token(),
            }),
        };
        let service = AddExtension::new(router.clone(), ConnectInfo(peer));
        let tls = tls.clone();
        let stopping = stopping.clone();
        connections.spawn(async move {
            match tls {
                None => connection(stream, service, stopping).await,
                Some(tls) => match timeout(HEADERS_WITHIN, tls.acceptor().accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, service, stopping).await,
                    Ok(Err(error)) => debug!(%error, "a TLS handshake failed"),
                    Err(_) => debug!("a TLS handshake took too long"),
                },
            }
        });
    }
    connections.close();
    if timeout(DRAIN_TIMEOUT, connections.wait()).await.is_err() {
        warn!("some requests did not finish in time");
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: AddExtension<Router, ConnectInfo<Peer>>,
    stopping: CancellationToken,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        biased;
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        ended = &mut connection => ended,
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended");
    }
}

/// Either kind of stream.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    async fn accept(&self) -> io::Result<(Box<dyn Stream>, String)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Small frames must not wait for each other (Nagle's algorithm).
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), address.to_string()))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), "unix".to_owned()))
            }
        }
    }
}
