//! The console by TLS.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::common::{TOKEN, TestServer, soon};

/// Puts a fresh certificate and its key there; returns the certificate.
fn certify(directory: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(directory.join("cert.pem"), cert.pem()).unwrap();
    cert.der().clone()
}

/// What the console answers to whoever trusts this certificate; `None` when that
/// is not the one it shows.
async fn ask(
    server: &TestServer,
    trusted: &CertificateDer<'static>,
    request: &str,
) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(&server.host).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connect = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let mut stream = soon(connect).await.ok()?;
    let request = request.replace('\n', "\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Some close without saying so, which is no matter after a whole answer.
    let (Ok(_) | Err(_)) = soon(stream.read_to_end(&mut answer)).await;
    Some(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn the_certificate_is_read_again_on_sighup() {
    let directory = tempfile::tempdir().unwrap();
    let first = certify(directory.path());
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let server = TestServer::serve(&[
        "--listen",
        "127.0.0.1:0",
        "--ephemeral",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ])
    .await;
    let body = format!(r#"{{"token":"{TOKEN}"}}"#);
    let login = format!(
        "POST /api/v1/login HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: {}\n\n{body}",
        body.len()
    );
    let answer = ask(&server, &first, &login).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(answer.contains("; Secure"), "{answer}");

    let second = certify(directory.path());
    let get = "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    assert!(ask(&server, &second, get).await.is_none(), "not yet");
    kill_process(
        Pid::from_raw(server.pid().cast_signed()).unwrap(),
        Signal::HUP,
    )
    .unwrap();
    soon(async { while ask(&server, &second, get).await.is_none() {} }).await;
    assert!(ask(&server, &first, get).await.is_none());

    // One that cannot be used is said, and the last one stays.
    std::fs::write(&cert, "no certificate").unwrap();
    kill_process(
        Pid::from_raw(server.pid().cast_signed()).unwrap(),
        Signal::HUP,
    )
    .unwrap();
    assert!(ask(&server, &second, get).await.unwrap().ends_with("ok"));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    certify(directory.path());
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    for (cert, key, mentions) in [
        ("missing.pem", "key.pem", "missing.pem"),
        ("key.pem", "key.pem", "key.pem"),
        ("cert.pem", "cert.pem", "cert.pem"),
    ] {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_qmp-console"))
            .args(["serve", "--listen", "127.0.0.1:0", "--ephemeral"])
            .args(["--tls-cert", &path(cert), "--tls-key", &path(key)])
            .env("QMP_CONSOLE_TOKEN", TOKEN)
            .output();
        let output = soon(output).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(mentions), "{said}");
    }
}
