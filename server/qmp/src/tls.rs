//! TLS around a TCP connection (QEMU's `tls-creds-x509`), by rustls.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::address::Tls;
use crate::stream::Stream;

/// Secures a connection that we opened to this host.
///
/// # Errors
///
/// A file that cannot be used, which is named; or why the other side is not
/// trusted.
pub(crate) async fn connect(tls: &Tls, host: &str, stream: TcpStream) -> io::Result<Stream> {
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(other)?
        .with_root_certificates(authorities(tls)?);
    let config = match identity(tls)? {
        Some((chain, key)) => config.with_client_auth_cert(chain, key).map_err(other)?,
        None => config.with_no_client_auth(),
    };
    stream.set_nodelay(true)?;
    let name = tls.hostname.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(other)?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    Ok(Stream::secured(stream))
}

/// Secures a connection that the other side opened.
///
/// # Errors
///
/// As [`connect`].
pub(crate) async fn accept(tls: &Tls, stream: TcpStream) -> io::Result<Stream> {
    stream.set_nodelay(true)?;
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(other)?;
    let config = if tls.ca.is_some() {
        let authorities = Arc::new(authorities(tls)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider).build();
        config.with_client_cert_verifier(verifier.map_err(other)?)
    } else {
        config.with_no_client_auth()
    };
    let (chain, key) = identity(tls)?.ok_or_else(|| other("there is no certificate of ours"))?;
    let config = config.with_single_cert(chain, key).map_err(other)?;
    let stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await?;
    Ok(Stream::secured(stream))
}

fn authorities(tls: &Tls) -> io::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if let Some(path) = &tls.ca {
        for certificate in certificates(path)? {
            store
                .add(certificate)
                .map_err(|error| of_file(path, error))?;
        }
    }
    Ok(store)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(tls: &Tls) -> io::Result<Option<Identity>> {
    let (Some(cert), Some(key)) = (&tls.cert, &tls.key) else {
        return Ok(None);
    };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| of_file(key, error))?;
    Ok(Some((certificates(cert)?, private)))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|error| of_file(path, error))?;
    match certificates.is_empty() {
        true => Err(of_file(path, "there is no certificate in it")),
        false => Ok(certificates),
    }
}

fn of_file(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}
