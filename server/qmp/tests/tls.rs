//! TLS with a real QEMU: it listens, and it connects; with certificates that
//! are right, and some that are not.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use qmp_client::address::Address;
use qmp_client::client::{Client, Options};
use qmp_client::error::ConnectError;
use qmp_client::listener::Listener;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The result of something that must not take long, even on a busy machine.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    timeout(limit, future).await.expect("it takes too long")
}

/// An authority, and certificates from it in the files that QEMU looks for.
fn certificates(directory: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
        .distinguished_name
        .push(rcgen::DnType::CommonName, "authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    fs::write(directory.join("ca-cert.pem"), authority.pem()).unwrap();
    for (side, purpose) in [
        ("server", ExtendedKeyUsagePurpose::ServerAuth),
        ("client", ExtendedKeyUsagePurpose::ClientAuth),
    ] {
        let names = vec!["127.0.0.1".to_owned(), format!("{side}.example")];
        let mut params = CertificateParams::new(names).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, side);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params.is_ca = IsCa::ExplicitNoCa;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        fs::write(
            directory.join(format!("{side}-cert.pem")),
            certificate.pem(),
        )
        .unwrap();
        fs::write(
            directory.join(format!("{side}-key.pem")),
            key.serialize_pem(),
        )
        .unwrap();
    }
}

fn qemu(arguments: &[String], stdin: Stdio) -> Child {
    Command::new("qemu-system-x86_64")
        .args(["-machine", "none", "-nodefaults", "-display", "none"])
        .args(arguments)
        .stdin(stdin)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn credentials(directory: &Path, endpoint: &str) -> String {
    let directory = directory.display();
    format!("tls-creds-x509,id=tls,endpoint={endpoint},dir={directory},verify-peer=on")
}

/// A QEMU whose monitor wants TLS and a certificate of ours, and its port.
async fn listening(certificates: &Path) -> (Child, TempDir, u16) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("qmp");
    let socket = OwnedFd::from(UnixListener::bind(&path).unwrap());
    let arguments = [
        "-object",
        &credentials(certificates, "server"),
        "-chardev",
        "socket,id=plain,fd=0,server=on,wait=off",
        "-mon",
        "chardev=plain,mode=control",
        "-chardev",
        "socket,id=secure,host=127.0.0.1,port=0,server=on,wait=off,tls-creds=tls",
        "-mon",
        "chardev=secure,mode=control",
    ];
    let child = qemu(&arguments.map(str::to_owned), Stdio::from(socket));
    let plain = Client::new(Options {
        greeting_timeout: Some(Duration::from_secs(60)),
        ..Options::default()
    });
    let address = format!("unix:{}", path.display()).parse().unwrap();
    soon(plain.connect(&address)).await.unwrap();
    let chardevs: Vec<Value> = soon(plain.execute_as("query-chardev")).await.unwrap();
    let names = chardevs.iter().map(|it| it["filename"].as_str().unwrap());
    let port = names
        .filter_map(|name| {
            name.split("127.0.0.1:")
                .nth(1)?
                .split(',')
                .next()?
                .parse()
                .ok()
        })
        .next()
        .unwrap();
    (child, directory, port)
}

#[tokio::test]
async fn a_monitor_with_tls_is_a_monitor_like_another() {
    let files = tempfile::tempdir().unwrap();
    certificates(files.path());
    let strangers = tempfile::tempdir().unwrap();
    certificates(strangers.path());
    let (_qemu, _directory, port) = listening(files.path()).await;
    let ours = files.path().display();
    let theirs = strangers.path().display();
    let identity = format!("cert={ours}/client-cert.pem,key={ours}/client-key.pem");
    let connect = async |options: String| {
        let address: Address = format!("127.0.0.1:{port},tls=on,{options}")
            .parse()
            .unwrap();
        let client = Client::new(Options::default());
        soon(client.connect(&address)).await.map(|()| client)
    };
    for right in [
        format!("ca={ours}/ca-cert.pem,{identity}"),
        format!("ca={ours}/ca-cert.pem,{identity},hostname=server.example"),
    ] {
        let client = connect(right).await.unwrap();
        soon(client.execute("query-status")).await.unwrap();
        soon(client.disconnect()).await.unwrap();
    }
    for (wrong, mentions) in [
        (
            format!("ca={theirs}/ca-cert.pem,{identity}"),
            "invalid peer certificate",
        ),
        (
            format!("ca={ours}/ca-cert.pem,{identity},hostname=other.example"),
            "other.example",
        ),
        (format!("ca={ours}/none.pem,{identity}"), "none.pem"),
        (
            format!("ca={ours}/server-key.pem,{identity}"),
            "no certificate in it",
        ),
    ] {
        let error = connect(wrong).await.unwrap_err();
        let ConnectError::Open { source, .. } = &error.error else {
            panic!("{error:?}");
        };
        assert!(
            source.to_string().contains(mentions),
            "{mentions}: {source}"
        );
    }
    // QEMU hangs up on whoever shows no certificate, or one of another authority.
    let stranger = format!("cert={theirs}/client-cert.pem,key={theirs}/client-key.pem");
    for wrong in [String::new(), format!(",{stranger}")] {
        let error = connect(format!("ca={ours}/ca-cert.pem{wrong}"))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error.error,
                ConnectError::Open { .. } | ConnectError::Disconnected(_)
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn qemu_connects_by_tls_to_whoever_listens() {
    let files = tempfile::tempdir().unwrap();
    certificates(files.path());
    let ours = files.path().display();
    // A port of the system's choice, which an address as text cannot say.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let address: Address = format!(
        "127.0.0.1:{port},listen=on,tls=on,ca={ours}/ca-cert.pem,cert={ours}/server-cert.pem,\
         key={ours}/server-key.pem"
    )
    .parse()
    .unwrap();
    let listener = soon(Listener::bind(&address)).await.unwrap();
    let arguments = [
        "-object".to_owned(),
        credentials(files.path(), "client"),
        "-chardev".to_owned(),
        format!("socket,id=m,host=127.0.0.1,port={port},tls-creds=tls"),
        "-mon".to_owned(),
        "chardev=m,mode=control".to_owned(),
    ];
    let _qemu = qemu(&arguments, Stdio::null());
    let client = Client::new(Options {
        greeting_timeout: Some(Duration::from_secs(60)),
        ..Options::default()
    });
    soon(client.accept(listener)).await.unwrap();
    soon(client.execute("query-status")).await.unwrap();
    soon(client.disconnect()).await.unwrap();
}
