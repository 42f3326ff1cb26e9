//! Connections to a console: TCP, and TLS around it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto};

use super::Location;

/// Either kind of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why no console can be trusted.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum TrustError {
    /// The file of `--ca` cannot be read, or is not what it should be.
    #[error("--ca {path}", path = .0.display())]
    File(PathBuf, #[source] pem::Error),
    /// A certificate in it cannot be one of an authority.
    #[error("--ca {path}", path = .0.display())]
    Certificate(PathBuf, #[source] rustls::Error),
    /// There is none in it.
    #[error("--ca {path}: there is no certificate in it", path = .0.display())]
    Empty(PathBuf),
    /// The system has none.
    #[error("this system trusts no certificate authority; --ca names one")]
    NoRoots,
    /// There is no TLS at all.
    #[error("TLS")]
    Tls(#[source] rustls::Error),
}

/// Opens connections to a console.
pub(super) struct Dialler {
    host: String,
    port: u16,
    /// With the name that the certificate must have.
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dialler {
    /// For this console. Its certificate must be signed by one of the file `ca`,
    /// or else by one that the system trusts.
    ///
    /// # Errors
    ///
    /// [`TrustError`].
    pub(super) fn new(location: &Location, ca: Option<&Path>) -> Result<Self, TrustError> {
        let tls = match location.secure {
            false => None,
            true => {
                let name = ServerName::try_from(location.host.clone());
                let name = name.map_err(|_| {
                    TrustError::Tls(rustls::Error::General("not a server's name".to_owned()))
                })?;
                Some((TlsConnector::from(config(ca)?), name))
            }
        };
        Ok(Self {
            host: location.host.clone(),
            port: location.port,
            tls,
        })
    }

    /// Connects, to the first of the host's addresses that lets us.
    ///
    /// # Errors
    ///
    /// Why not; or why the console is not trusted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes what was opened.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        // Small frames must not wait for each other (Nagle's algorithm).
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await?;
                Ok(Box::new(stream))
            }
        }
    }
}

fn config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
            let read: Vec<_> = read.map_err(|error| TrustError::File(path.to_owned(), error))?;
            for certificate in read {
                roots
                    .add(certificate)
                    .map_err(|error| TrustError::Certificate(path.to_owned(), error))?;
            }
            if roots.is_empty() {
                return Err(TrustError::Empty(path.to_owned()));
            }
        }
        None => {
            // One bad file among the system's is no reason to trust none.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TrustError::NoRoots);
            }
        }
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
