//! Against the real ones: QEMU, its storage daemon and its guest agent.
//!
//! The agent runs on this host. Every command of it that could change the
//! host is blocked, which the test checks before it does anything else.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use qmp_client::address::{Address, Socket};
use qmp_client::client::{Client, Execute, Options};
use qmp_client::error::{ConnectError, DisconnectCause, ExecuteError};
use qmp_client::listener::Listener;
use qmp_shared::filter::EventFilter;
use qmp_shared::json;
use qmp_shared::model::EndpointKind;
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The result of something that must not take long, even on a busy machine.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future)
        .await
        .expect("it takes too long")
}

/// A program and its sockets, which end with this.
struct Server {
    child: Child,
    directory: TempDir,
}

impl Server {
    /// Starts a program whose arguments may depend on the directory.
    fn start<A: AsRef<OsStr>>(program: &str, arguments: impl FnOnce(&Path) -> Vec<A>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .args(arguments(directory.path()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        Self { child, directory }
    }

    /// QEMU without a machine, with a monitor on a unix socket and another one
    /// on a TCP port.
    fn qemu() -> Self {
        Self::start("qemu-system-x86_64", |directory| {
            let unix = format!("unix:{}/qmp,server=on,wait=off", directory.display());
            let tcp = "tcp:127.0.0.1:0,server=on,wait=off".to_owned();
            let fixed = ["-machine", "none", "-nodefaults", "-display", "none"];
            let monitors = ["-qmp".to_owned(), unix, "-qmp".to_owned(), tcp];
            fixed
                .map(str::to_owned)
                .into_iter()
                .chain(monitors)
                .collect()
        })
    }

    /// The storage daemon, with the same monitors.
    fn storage_daemon() -> Self {
        Self::start("qemu-storage-daemon", |directory| {
            let path = directory.join("qmp");
            let path = path.display();
            let unix = format!("socket,id=u,path={path},server=on,wait=off");
            let tcp = "socket,id=t,host=127.0.0.1,port=0,server=on,wait=off".to_owned();
            let monitor = |id: &str| format!("chardev={id},id=m{id}");
            let chardev = || "--chardev".to_owned();
            let (u, t) = (monitor("u"), monitor("t"));
            let option = || "--monitor".to_owned();
            vec![chardev(), unix, option(), u, chardev(), tcp, option(), t]
        })
    }

    /// The agent, which may do nothing but tell.
    async fn agent() -> Self {
        let harmless = [
            "guest-sync",
            "guest-sync-delimited",
            "guest-ping",
            "guest-info",
        ];
        let known = Command::new("qemu-ga").args(["-b", "help"]).output();
        let known = soon(known).await.unwrap().stdout;
        let known = String::from_utf8(known).unwrap();
        let blocked: Vec<_> = known.lines().filter(|it| !harmless.contains(it)).collect();
        assert!(blocked.contains(&"guest-shutdown"), "{known}");
        Self::start("qemu-ga", |directory| {
            let path = |name| directory.join(name).into_os_string();
            let mut arguments: Vec<std::ffi::OsString> = vec!["-b".into()];
            arguments.push(blocked.join(",").into());
            arguments.extend(["-m".into(), "unix-listen".into(), "-p".into(), path("qmp")]);
            arguments.extend(["-t".into(), directory.into()]);
            arguments
        })
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("qmp")
    }

    fn address(&self) -> Address {
        format!("unix:{}", self.path().display()).parse().unwrap()
    }

    /// Connects as soon as the program listens.
    async fn connect(&self, options: Options) -> Client {
        let client = Client::new(options);
        soon(async {
            loop {
                match client.connect(&self.address()).await {
                    Ok(()) => break,
                    // Not yet.
                    Err(error) if matches!(*error, ConnectError::Open { .. }) => {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
        .await;
        client
    }

    /// Where the TCP monitor is.
    async fn tcp(&self, client: &Client) -> Address {
        let chardevs = execute(client, "query-chardev").await;
        let names = chardevs.as_array().unwrap().iter();
        let mut names = names.map(|it| it["filename"].as_str().unwrap());
        let tcp = names.find_map(|name| name.strip_prefix("disconnected:"));
        tcp.unwrap().parse().unwrap()
    }
}

async fn execute(client: &Client, command: impl Into<Execute>) -> Value {
    let returned = soon(client.execute(command)).await.unwrap();
    serde_json::from_str(returned.get()).unwrap()
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[tokio::test]
async fn qemu_greets_runs_and_stops() {
    let qemu = Server::qemu();
    let client = qemu.connect(Options::named("qemu")).await;
    let greeting = client.greeting().unwrap();
    assert!(greeting.version.qemu.major >= 5, "{greeting:?}");
    assert!(client.oob_enabled());
    assert_eq!(execute(&client, "query-status").await["status"], "running");

    let mut listener = client.listen(EventFilter::names(["STOP", "RESUME"]).unwrap());
    for (command, event, status) in [("stop", "STOP", "paused"), ("cont", "RESUME", "running")] {
        execute(&client, command).await;
        let heard = listener.try_next().expect("before the reply");
        assert_eq!(heard.name(), event);
        assert_eq!(execute(&client, "query-status").await["status"], status);
    }
    soon(client.disconnect()).await.unwrap();
}

#[tokio::test]
async fn qemus_schema_comes_in_one_piece() {
    let qemu = Server::qemu();
    let client = qemu.connect(Options::named("qemu")).await;
    let schema = soon(client.execute("query-qmp-schema")).await.unwrap();
    assert!(schema.get().len() > 200_000, "{}", schema.get().len());
    let entries: Vec<Value> = serde_json::from_str(schema.get()).unwrap();
    assert!(entries.len() > 1000, "{}", entries.len());
}

#[tokio::test]
async fn many_commands_at_once_each_have_their_own_reply() {
    let qemu = Server::qemu();
    let client = qemu.connect(Options::named("qemu")).await;
    let commands = (0..100).map(|n| {
        let client = &client;
        async move {
            match n % 3 {
                0 => assert!(execute(client, "query-version").await["qemu"].is_object()),
                1 => assert!(execute(client, "query-chardev").await.is_array()),
                _ => {
                    let oob = Execute::new("query-yank").oob(true);
                    assert!(execute(client, oob).await.is_array());
                }
            }
        }
    });
    soon(futures_util::future::join_all(commands)).await;
}

#[tokio::test]
async fn qemus_own_words_for_what_is_wrong() {
    let qemu = Server::qemu();
    let client = qemu.connect(Options::named("qemu")).await;
    let no_oob = Execute::new("query-status").oob(true);
    let unexpected = Execute::new("stop").arguments(raw(r#"{"x": 1}"#));
    for (command, class, desc) in [
        (Execute::new("no-such"), "CommandNotFound", "no-such"),
        (no_oob, "GenericError", "does not support OOB"),
        (unexpected, "GenericError", "Parameter 'x' is unexpected"),
    ] {
        let error = soon(client.execute(command)).await.unwrap_err();
        let ExecuteError::Refused(refused) = error.error else {
            panic!("{error:?}");
        };
        assert_eq!(refused.error.class, class);
        assert!(refused.error.desc.contains(desc), "{refused}");
    }
}

#[tokio::test]
async fn quit_is_replied_to() {
    let mut qemu = Server::qemu();
    let client = qemu.connect(Options::named("qemu")).await;
    let mut listener = client.listen(EventFilter::all());
    soon(client.execute("quit")).await.unwrap();
    assert_eq!(soon(listener.next()).await.unwrap().name(), "SHUTDOWN");
    let cause = soon(client.closed()).await.unwrap();
    assert!(matches!(*cause, DisconnectCause::Eof), "{cause:?}");
    assert!(soon(qemu.child.wait()).await.unwrap().success());
    soon(client.disconnect()).await.unwrap_err();
}

#[tokio::test]
async fn a_killed_qemu_interrupts() {
    let mut qemu = Server::qemu();
    let client = qemu.connect(Options::named("qemu")).await;
    qemu.child.start_kill().unwrap();
    let cause = soon(client.closed()).await.unwrap();
    assert!(matches!(*cause, DisconnectCause::Eof), "{cause:?}");
}

#[tokio::test]
async fn a_monitor_in_use_does_not_greet_until_it_is_free() {
    let qemu = Server::qemu();
    let first = qemu.connect(Options::named("first")).await;
    let second = Client::new(Options {
        greeting_timeout: Some(Duration::from_secs(1)),
        ..Options::named("second")
    });
    let error = soon(second.connect(&qemu.address())).await.unwrap_err();
    assert!(
        error.to_string().contains("in use by another client"),
        "{error}"
    );
    execute(&first, "query-status").await;
    soon(first.disconnect()).await.unwrap();
    let third = qemu.connect(Options::named("third")).await;
    execute(&third, "query-status").await;
}

#[tokio::test]
async fn tcp_is_a_monitor_like_another() {
    for server in [Server::qemu(), Server::storage_daemon()] {
        let unix = server.connect(Options::named("unix")).await;
        let address = server.tcp(&unix).await;
        let tcp = Client::new(Options::named("tcp"));
        soon(tcp.connect(&address)).await.unwrap();
        assert!(execute(&tcp, "query-version").await["qemu"].is_object());
        soon(tcp.disconnect()).await.unwrap();
    }
}

/// Our check of arguments is QEMU's parser's: what passes is answered with the
/// command's id, and what does not pass would not be.
#[tokio::test]
async fn the_check_of_arguments_is_as_strict_as_qemu() {
    let nested = |depth| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let of_string = |text: &str| format!("{{\"x\":\"{text}\"}}");
    let qemu = Server::qemu();
    let client = qemu.connect(Options::named("qemu")).await;
    for arguments in [
        nested(json::MAX_DEPTH - 2),
        of_string("\\u0000\\ud83d\\ude00\u{7f}\u{fffd}\u{10fffd}\\/"),
        "{\"x\":[1e400,-0,123456789012345678901234567890,1E-5]}".to_owned(),
        "{\"\":1,\"\\u0000\":2}".to_owned(),
    ] {
        let stop = Execute::new("stop").arguments(raw(&arguments));
        let error = soon(client.execute(stop)).await.unwrap_err();
        assert!(matches!(error.error, ExecuteError::Refused(_)), "{error:?}");
    }
    soon(client.disconnect()).await.unwrap();

    for arguments in [
        nested(json::MAX_DEPTH - 1),
        of_string("\u{fffe}"),
        of_string("\\uffff"),
        of_string("\u{fdd0}"),
        of_string("\\ud800"),
        of_string("\\udc00\\ud800"),
        of_string("\u{1}"),
        "{\"x\":1,\"\\u0078\":2}".to_owned(),
        "{\"x\":01}".to_owned(),
        "{\"x\":inf}".to_owned(),
    ] {
        json::check_arguments(&arguments).unwrap_err();
        let mut stream = BufReader::new(UnixStream::connect(qemu.path()).await.unwrap());
        let command = format!("{{\"execute\":\"stop\",\"arguments\":{arguments},\"id\":1}}\n");
        let capabilities = "{\"execute\":\"qmp_capabilities\"}";
        let mut lines = String::new();
        soon(stream.read_line(&mut lines)).await.unwrap();
        for sent in [capabilities, &command] {
            stream.write_all(sent.as_bytes()).await.unwrap();
            lines.clear();
            soon(stream.read_line(&mut lines)).await.unwrap();
        }
        assert!(lines.starts_with("{\"error\""), "{arguments}: {lines}");
    }
}

#[tokio::test]
async fn the_storage_daemon_is_a_qmp_server_too() {
    let mut daemon = Server::storage_daemon();
    let client = daemon.connect(Options::named("storage")).await;
    assert!(client.greeting().is_some());
    assert!(execute(&client, "query-named-block-nodes").await.is_array());
    let error = soon(client.execute("query-status")).await.unwrap_err();
    assert!(
        matches!(error.error, ExecuteError::Refused(refused) if refused.error.class == "CommandNotFound")
    );
    soon(client.execute("quit")).await.unwrap();
    assert!(soon(daemon.child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn the_agent_is_synchronised_and_answers() {
    let agent = Server::agent().await;
    let options = || Options {
        kind: EndpointKind::Qga,
        ..Options::named("agent")
    };
    let client = agent.connect(options()).await;
    let info = execute(&client, "guest-info").await;
    let commands = info["supported_commands"].as_array().unwrap();
    let enabled: Vec<_> = commands
        .iter()
        .filter(|it| it["enabled"] == true)
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(enabled.len(), 4, "{enabled:?}");

    let sync = Execute::new("guest-sync").arguments(raw(r#"{"id": 9007199254740993}"#));
    let returned = soon(client.execute(sync)).await.unwrap();
    assert_eq!(returned.get(), "9007199254740993");
    let sync = Execute::new("guest-sync-delimited").arguments(raw(r#"{"id": 1}"#));
    let returned = soon(client.execute(sync)).await.unwrap();
    assert_eq!(returned.get(), "1");
    assert!(client.greeting().is_none());
    assert!(!client.oob_enabled());
    let error = soon(client.execute("guest-get-time")).await.unwrap_err();
    assert!(matches!(error.error, ExecuteError::Refused(_)), "{error:?}");
    soon(client.disconnect()).await.unwrap();

    // Somebody left a command unfinished. He has read the reply to the one
    // before it: the agent exits when its peer closes with bytes unread.
    let rude = UnixStream::connect(agent.path()).await.unwrap();
    let mut rude = BufReader::new(rude);
    let half = b"{\"execute\": \"guest-ping\"}{\"execute\": \"guest-inf";
    rude.write_all(half).await.unwrap();
    soon(rude.read_line(&mut String::new())).await.unwrap();
    drop(rude);
    let client = agent.connect(options()).await;
    assert!(execute(&client, "guest-ping").await.is_object());
    soon(client.disconnect()).await.unwrap();
}

/// QEMU connects to us, on a unix socket and on TCP; others are refused, and
/// the path is gone.
#[tokio::test]
async fn qemu_connects_to_whoever_listens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ours");
    // Left behind by somebody: nobody listens there any more.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let unix: Address = format!("unix:{}", path.display()).parse().unwrap();
    let tcp = Socket::Tcp {
        host: "127.0.0.1".to_owned(),
        port: 0,
    };
    let tcp = Address::new(tcp, EndpointKind::Qmp);
    for address in [unix, tcp] {
        let listener = soon(Listener::bind(&address)).await.unwrap();
        let monitor = match listener.tcp_address() {
            Some(bound) => format!("tcp:{bound}"),
            None => address.to_string(),
        };
        let _qemu = Server::start("qemu-system-x86_64", |_| {
            let fixed = [
                "-machine",
                "none",
                "-nodefaults",
                "-display",
                "none",
                "-qmp",
            ];
            fixed
                .into_iter()
                .map(str::to_owned)
                .chain([monitor.clone()])
                .collect()
        });
        let client = Client::new(Options::default());
        soon(client.accept(listener)).await.unwrap();
        assert!(client.greeting().is_some());
        execute(&client, "query-status").await;
        let late = Client::new(Options::default());
        let address = monitor.parse().unwrap();
        let error = soon(late.connect(&address)).await.unwrap_err();
        assert!(
            matches!(error.error, ConnectError::Open { .. }),
            "{error:?}"
        );
        soon(client.disconnect()).await.unwrap();
    }
    assert!(!path.exists());
}

/// A descriptor goes with its command, over a unix socket; elsewhere nothing is
/// sent.
#[tokio::test]
async fn descriptors_go_with_their_command() {
    let qemu = Server::qemu();
    let client = qemu.connect(Options::default()).await;
    let null = || std::os::fd::OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let getfd = |name: &str| {
        let arguments = RawValue::from_string(format!("{{\"fdname\":\"{name}\"}}")).unwrap();
        Execute::new("getfd").arguments(arguments)
    };
    // Many at once: each getfd has its own.
    let names: Vec<String> = (0..20).map(|number| format!("fd{number}")).collect();
    let all = names
        .iter()
        .map(|name| client.execute(getfd(name).descriptor(null())));
    for result in soon(futures_util::future::join_all(all)).await {
        result.unwrap();
    }
    let without = soon(client.execute(getfd("none"))).await.unwrap_err();
    assert_eq!(
        without.error.to_string(),
        "No file descriptor supplied via SCM_RIGHTS"
    );
    client.send_fd(null()).unwrap();
    soon(client.execute(getfd("one"))).await.unwrap();
    client.send_fd(null()).unwrap();
    let added = execute(&client, "add-fd").await;
    assert_eq!(added["fdset-id"], 0);

    let address = qemu.tcp(&client).await;
    soon(client.disconnect()).await.unwrap();
    let client = Client::new(Options::default());
    soon(client.connect(&address)).await.unwrap();
    let error = soon(client.execute(getfd("tcp").descriptor(null())))
        .await
        .unwrap_err();
    assert!(!error.outcome_unknown());
    assert_eq!(
        error.error.to_string(),
        "a descriptor can be passed over a unix socket only"
    );
    assert!(client.send_fd(null()).is_err());
}

/// A socket that somebody else has connected.
#[tokio::test]
async fn an_inherited_socket_is_as_good_as_a_path() {
    use std::os::fd::{AsRawFd, OwnedFd};
    let qemu = Server::qemu();
    drop(qemu.connect(Options::default()).await);
    let connected = OwnedFd::from(std::os::unix::net::UnixStream::connect(qemu.path()).unwrap());
    let address = format!("fd:{}", connected.as_raw_fd());
    let address = Address::from_command_line(&address).unwrap();
    let client = Client::new(Options::default());
    soon(client.connect(&address)).await.unwrap();
    execute(&client, "query-status").await;
    soon(client.disconnect()).await.unwrap();

    let file = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let address = Address::from_command_line(&format!("fd:{}", file.as_raw_fd())).unwrap();
    let error = soon(client.connect(&address)).await.unwrap_err();
    assert!(
        matches!(error.error, ConnectError::Open { .. }),
        "{error:?}"
    );
}
