//! The blocking client, in threads of its own, as a script uses it.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use qmp_client::address::Address;
use qmp_client::blocking::Qmp;
use qmp_client::client::{Execute, Options, Runstate};
use qmp_client::error::{ConnectError, ExecuteError, Named};
use qmp_fake::{Action, Fake, Script};
use qmp_shared::message::{Message, MessageKind};
use serde_json::json;
use serde_json::value::RawValue;

/// For something that must not take long, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// A QEMU that connects to us, and ends with this.
struct Qemu(Child);

impl Qemu {
    fn connecting_to(address: &Address) -> Self {
        let child = Command::new("qemu-system-x86_64")
            .args([
                "-machine",
                "none",
                "-nodefaults",
                "-display",
                "none",
                "-qmp",
            ])
            .arg(address.to_string())
            .stdin(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_script_with_a_real_qemu() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", directory.path().join("qmp").display());
    let address: Address = address.parse().unwrap();
    let qmp = Qmp::new(Options::named("script")).unwrap();
    assert_eq!(qmp.runstate(), Runstate::Idle);
    let listener = qmp.listen(&address).unwrap().timeout(LONG);
    let _qemu = Qemu::connecting_to(&address);
    qmp.accept(listener).unwrap();
    assert!(qmp.greeting().is_some());

    let status = qmp.cmd("query-status", None).unwrap();
    assert!(status.get().contains("\"running\""), "{status}");
    let reply = qmp.cmd_raw("query-name", None).unwrap();
    assert_eq!(reply.as_str(), r#"{"return":{}}"#);
    let refused = qmp.cmd_raw("no-such", None).unwrap();
    assert_eq!(refused.kind(), MessageKind::Error);
    let stop = Message::parse(r#"{"execute":"stop","id":1}"#).unwrap();
    assert!(qmp.cmd_obj(&stop).unwrap().is_ok());
    assert!(qmp.cmd_obj(&refused).is_none());
    qmp.cmd("cont", None).unwrap();
    let names: Vec<String> = qmp
        .get_events(None)
        .iter()
        .map(|it| it.name().to_owned())
        .collect();
    assert_eq!(names, ["STOP", "RESUME"]);
    assert!(qmp.get_events(Some(Duration::ZERO)).is_empty());
    qmp.cmd("stop", None).unwrap();
    qmp.clear_events();
    assert!(qmp.pull_event(Some(Duration::ZERO)).is_none());

    let null = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    qmp.send_fd(null).unwrap();
    qmp.cmd("getfd", Some(&raw(r#"{"fdname":"null"}"#)))
        .unwrap();

    // Events come while nobody calls, and a waiting thread gets them.
    thread::scope(|scope| {
        let waiting = scope.spawn(|| qmp.pull_event(Some(LONG)));
        qmp.cmd("cont", None).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().name(), "RESUME");
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    qmp.cmd("query-version", None).unwrap();
                }
            });
        }
    });
    qmp.close().unwrap();
    assert_eq!(qmp.runstate(), Runstate::Idle);
    let error = qmp.cmd("x", None).unwrap_err();
    assert!(matches!(error.error, ExecuteError::State(_)), "{error:?}");
    assert!(qmp.pull_event(None).is_none());
}

#[test]
fn timeouts_and_dead_connections_end_a_call() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let script = Script::default()
        .on("never", [Action::Silence])
        .on("x", [Action::Return(json!(1))])
        .on("gone", [Action::Close]);
    let fake = runtime.block_on(Fake::start(script)).unwrap();
    let qmp = Qmp::new(Options::default()).unwrap();
    qmp.connect(&fake.address().parse().unwrap()).unwrap();
    qmp.set_timeout(Some(Duration::from_millis(20)));
    let timed_out = |error: Named<ExecuteError>| {
        assert!(
            matches!(error.error, ExecuteError::Timeout { .. }),
            "{error:?}"
        );
    };
    timed_out(qmp.cmd("never", None).unwrap_err());
    qmp.set_timeout(None);
    let own = Execute::new("never").timeout(Duration::from_millis(20));
    timed_out(qmp.execute(own).unwrap_err());
    assert_eq!(qmp.cmd("x", None).unwrap().get(), "1");
    assert!(qmp.pull_event(Some(Duration::from_millis(20))).is_none());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| qmp.pull_event(None));
        let error = qmp.cmd("gone", None).unwrap_err();
        assert!(matches!(error.error, ExecuteError::Interrupted { .. }));
        assert!(waiting.join().unwrap().is_none());
    });
    assert!(qmp.close().is_err());

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = qmp
        .listen(&format!("unix:{}", path.display()).parse().unwrap())
        .unwrap();
    let error = qmp
        .accept(listener.timeout(Duration::from_millis(20)))
        .unwrap_err();
    assert!(
        matches!(error.error, ConnectError::AcceptTimeout { .. }),
        "{error:?}"
    );
}
