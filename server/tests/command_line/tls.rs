//! A console by TLS, with a certificate of a private authority.

use std::fs;
use std::path::Path;

use qmp_fake::{Action, Fake, Script};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;

use crate::common::TestServer;
use crate::{is_failure, is_success, run};

/// An authority of this name, in `NAME.pem`; with a certificate of it for
/// 127.0.0.1 in `NAME-cert.pem` and `NAME-key.pem`.
fn authority(directory: &Path, name: &str) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let write = |suffix: &str, pem: String| {
        fs::write(directory.join(format!("{name}{suffix}.pem")), pem).unwrap();
    };
    write("", authority.pem());
    write("-cert", certificate.pem());
    write("-key", key.serialize_pem());
}

#[tokio::test]
async fn the_authority_decides_who_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    authority(directory.path(), "ours");
    authority(directory.path(), "other");
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let status = json!({"running": true, "status": "running"});
    let script = Script::default()
        .on(
            "query-status",
            [Action::Return(status), Action::event("UP")],
        )
        .on("x", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let (cert, key) = (file("ours-cert.pem"), file("ours-key.pem"));
    let server = TestServer::serve(&[
        "--listen",
        "127.0.0.1:0",
        "--ephemeral",
        "--session",
        &format!("vm={}", fake.address()),
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ])
    .await;
    let target = format!("https://{}/vm", server.host);
    let ca = file("ours.pem");
    // The console asks for the state of what runs.
    let mut follow = crate::program(&["events", &target, "--ca", &ca, "--after", "0", "--follow"])
        .spawn()
        .unwrap();
    let mut line = String::new();
    {
        use tokio::io::{AsyncBufReadExt, BufReader};
        let mut stdout = BufReader::new(follow.stdout.take().unwrap());
        let read = crate::common::soon(stdout.read_line(&mut line)).await;
        read.unwrap();
    }
    assert!(line.starts_with(r#"{"seq":1,"#), "{line}");
    // Its reader has left.
    let ended = crate::common::soon(follow.wait()).await.unwrap();
    assert_eq!(ended.code(), Some(0));
    let ran = run(&["execute", &target, "x", "a=1", "--ca", &ca]).await;
    is_success(&ran, "{}\n");

    let other = file("other.pem");
    for arguments in [
        &["execute", &target, "x", "--ca", &other][..],
        &["execute", &target, "x", "a=1", "--ca", &other],
        &["events", &target, "--ca", &other, "--follow"],
    ] {
        is_failure(&run(arguments).await, 3, "UnknownIssuer");
    }
    // The system knows nothing of it either.
    let ran = run(&["execute", &target, "x"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    let elsewhere = target.replace("127.0.0.1", "localhost");
    let ran = run(&["execute", &elsewhere, "x", "--ca", &ca]).await;
    is_failure(&ran, 3, "not valid for name");
    let ran = run(&["execute", &target, "x", "--ca", &key]).await;
    is_failure(&ran, 3, "there is no certificate in it");
    let ran = run(&["execute", &target, "x", "--ca", "/nowhere/ca.pem"]).await;
    is_failure(&ran, 3, "/nowhere/ca.pem");
    // Not by TLS: the console cannot make anything of it.
    let plain = format!("http://{}/vm", server.host);
    let ran = run(&["execute", &plain, "x"]).await;
    is_failure(&ran, 3, "the connection to the console");
}
