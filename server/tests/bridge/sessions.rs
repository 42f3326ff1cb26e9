//! Sessions that come and go: by REST, and by the configuration.

use rustix::process::{Pid, Signal, kill_process};

use super::common::{TOKEN, TestServer, soon};
use super::*;

async fn names(server: &TestServer) -> Vec<String> {
    let list = server.get("/api/v1/sessions").await.json();
    let sessions = list["sessions"].as_array().unwrap();
    let name = |session: &Value| session["name"].as_str().unwrap().to_owned();
    sessions.iter().map(name).collect()
}

#[tokio::test]
async fn a_session_is_added_and_removed_while_others_are_not_disturbed() {
    let fake = emitter().await;
    let other = emitter().await;
    let server = TestServer::on(&fake).await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    socket.send(r#"{"type":"subscribe","sub":1}"#).await;
    socket.next("subscribed").await;

    let body = format!(r#"{{"name":"new","address":"{}"}}"#, other.address());
    let added = server.ask(TOKEN, "POST", "/api/v1/sessions", &body).await;
    assert_eq!(
        (added.status, &added.json()["name"]),
        (201, &json!("new")),
        "{}",
        added.text
    );
    server.session_in("new", "running").await;
    assert_eq!(names(&server).await, ["new", "vm"]);
    let again = server.ask(TOKEN, "POST", "/api/v1/sessions", &body).await;
    again.is_problem(409, "state-error", &["new"]);

    // Those who subscribed to all hear the new one too.
    server.execute("new", r#"{"execute":"emit1"}"#).await;
    let event = socket.next("event").await;
    assert_eq!(
        (&event["session"], &event["seq"]),
        (&json!("new"), &json!(1))
    );

    let removed = server
        .ask(TOKEN, "DELETE", "/api/v1/sessions/new", "")
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(socket.next("removed").await["name"], "new");
    assert_eq!(names(&server).await, ["vm"]);
    let gone = server
        .ask(TOKEN, "DELETE", "/api/v1/sessions/new", "")
        .await;
    gone.is_problem(404, "not-found", &["new"]);
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["connections"], 1);
}

#[tokio::test]
async fn a_session_of_the_same_name_goes_on_with_its_numbers() {
    let directory = tempfile::tempdir().unwrap();
    for keeps in [false, true] {
        let fake = emitter().await;
        let session = format!("vm={}", fake.address());
        let server = match keeps {
            true => TestServer::keeping(directory.path(), &[session]).await,
            false => TestServer::start(&[session]).await,
        };
        server.session_in("vm", "running").await;
        let mut socket = server.socket().await;
        socket.send(r#"{"type":"subscribe","sub":1}"#).await;
        socket.next("subscribed").await;
        emit(&server, 1..=2).await;
        let removed = server.ask(TOKEN, "DELETE", "/api/v1/sessions/vm", "").await;
        assert_eq!(removed.status, 204);
        let body = format!(r#"{{"name":"vm","address":"{}"}}"#, fake.address());
        server.ask(TOKEN, "POST", "/api/v1/sessions", &body).await;
        server.session_in("vm", "running").await;
        emit(&server, [3]).await;
        let mut late = server.socket().await;
        late.send(r#"{"type":"subscribe","sub":1,"session":"vm","after":2}"#)
            .await;
        for (socket, first) in [(&mut socket, 1), (&mut late, 3)] {
            for n in first..=3 {
                let event = socket.next("event").await;
                let told = (&event["seq"], &event["event"]["data"]["n"]);
                assert_eq!(told, (&json!(n), &json!(n)));
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_a_session_is_refused_with_the_part_that_is_wrong() {
    let server = TestServer::start(&[]).await;
    for (body, mentions) in [
        (r#"{"name":"a/b","address":"/x"}"#, "a/b"),
        (r#"{"name":"x","address":"tcp:host:44x"}"#, "44x"),
        (r#"{"name":"x","address":"fd:3"}"#, "fd"),
        (r#"{"name":"x","address":""}"#, "address"),
        (
            r#"{"name":"x","address":"/x\nnot a line"}"#,
            "control character",
        ),
        (r#"{"name":"x"}"#, "address"),
        (r#"{"name":"x","address":"/x","share":"/y"}"#, "share"),
        ("[]", "object"),
    ] {
        let reply = server.ask(TOKEN, "POST", "/api/v1/sessions", body).await;
        reply.is_problem(400, "invalid-request", &[mentions]);
    }
    assert!(names(&server).await.is_empty());
}

#[tokio::test]
async fn an_operator_disconnects_and_connects() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    let post = async |what: &str| {
        let path = format!("/api/v1/sessions/vm/{what}");
        assert_eq!(server.ask(TOKEN, "POST", &path, "").await.status, 202);
    };
    post("disconnect").await;
    let vm = server.session_in("vm", "disconnected").await;
    assert_eq!(vm["cause"], "disconnected by an operator");
    let refused = server.execute("vm", r#"{"execute":"emit1"}"#).await;
    refused.is_problem(409, "state-error", &["disconnected"]);
    // Somebody else can have the monitor now.
    let client = qmp_client::client::Client::new(qmp_client::client::Options::default());
    soon(client.connect(&fake.address().parse().unwrap()))
        .await
        .unwrap();
    soon(client.disconnect()).await.unwrap();
    post("connect").await;
    server.session_in("vm", "running").await;
    emit(&server, [1]).await;
    post("connect").await;
    let vm = server.session_in("vm", "running").await;
    assert_eq!(
        vm["counters"]["connections"], 2,
        "as it is connected already"
    );
    let none = server
        .ask(TOKEN, "POST", "/api/v1/sessions/none/connect", "")
        .await;
    none.is_problem(404, "not-found", &["none"]);
}

#[tokio::test]
async fn the_configuration_is_read_again_on_sighup() {
    let (one, two) = (emitter().await, emitter().await);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    let session = |name: &str, fake: &Fake| {
        format!(
            "[[session]]\nname = \"{name}\"\naddress = \"{}\"\n",
            fake.address()
        )
    };
    // In one step: it may be read at any moment.
    let write = |text: String| {
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(&fresh, &path).unwrap();
    };
    write(session("one", &one) + "[policy]\nquery-status = \"admin\"\n");
    let arguments = ["--listen", "127.0.0.1:0", "--ephemeral", "--config"];
    let server = TestServer::serve(&[&arguments[..], &[path.to_str().unwrap()]].concat()).await;
    server.session_in("one", "running").await;
    let mut socket = server.socket().await;
    socket.next("hello").await;
    let reload = || {
        let pid = Pid::from_raw(server.pid().cast_signed()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
    };

    write(session("one", &one) + &session("two", &two));
    reload();
    let hears = async |socket: &mut common::Socket, name: &str| {
        soon(async { while socket.next("session").await["session"]["name"] != name {} }).await;
    };
    hears(&mut socket, "two").await;
    server.session_in("two", "running").await;

    // What is wrong changes nothing.
    write("[[session]]\nname = \"three\"\n".to_owned());
    reload();
    write(session("two", &two));
    reload();
    assert_eq!(socket.next("removed").await["name"], "one");
    assert_eq!(names(&server).await, ["two"]);
    let two = server.get("/api/v1/sessions/two").await.json();
    assert_eq!(two["counters"]["connections"], 1, "it was not disturbed");
}

/// What the console has logged, as soon as this is in it.
async fn logged(path: &std::path::Path, text: &str) -> String {
    soon(async {
        loop {
            let log = std::fs::read_to_string(path).unwrap();
            if log.contains(text) {
                return log;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn the_log_says_what_was_done_and_what_needs_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (config, log) = (
        directory.path().join("c.toml"),
        directory.path().join("log"),
    );
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\n").unwrap();
    let arguments = ["--ephemeral", "--config", config.to_str().unwrap()];
    let file = std::fs::File::create(&log).unwrap();
    let server = TestServer::logging_to(file.into(), &arguments).await;
    let add = async |address: &str| {
        let body = json!({ "name": "vm", "address": address }).to_string();
        server
            .ask(TOKEN, "POST", "/api/v1/sessions", &body)
            .await
            .status
    };
    // An address cannot look like a line of its own, or hide a part of one.
    assert_eq!(add("/nowhere\u{202e}").await, 201);
    assert_eq!(add("/elsewhere").await, 409);
    let text = logged(&log, "nowhere").await;
    assert!(text.contains("nowhere\\u{202e}"), "{text}");

    let reload = || {
        let pid = Pid::from_raw(server.pid().cast_signed()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
    };
    reload();
    let text = logged(&log, "the configuration was read").await;
    assert!(
        !text.contains("restart") && !text.contains("elsewhere"),
        "{text}"
    );
    std::fs::write(&config, "listen = \"127.0.0.1:1\"\n").unwrap();
    reload();
    let text = logged(&log, "restart").await;
    assert!(text.contains("127.0.0.1:1"), "{text}");
}

/// What is wrong is told before any monitor is touched.
#[tokio::test]
async fn a_console_looks_at_all_of_its_configuration_first() {
    let directory = tempfile::tempdir().unwrap();
    let (config, socket) = (
        directory.path().join("c.toml"),
        directory.path().join("qmp"),
    );
    let monitor = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    monitor.set_nonblocking(true).unwrap();
    let one = |name: &str| format!("[[session]]\nname = \"{name}\"\naddress = {socket:?}\n");
    let given = format!("vm={}", socket.display());
    for (text, arguments, told) in [
        (
            one("a") + &one("b") + &one("a"),
            &[][..],
            &["c.toml", "line 8", "\"a\""][..],
        ),
        (one("a") + &one("b/c"), &[], &["c.toml", "line 5", "b/c"]),
        (
            one("a") + &one("vm"),
            &["--session", &given],
            &["c.toml", "line 5", "\"vm\""],
        ),
        (
            one("a"),
            &["--session", &given, "--session", &given],
            &["--session", "\"vm\""],
        ),
        (one("a"), &["--session", "b/c=/x"], &["--session", "b/c"]),
        (
            one("a"),
            &["--config", "/nowhere/c.toml"],
            &["/nowhere/c.toml"],
        ),
    ] {
        std::fs::write(&config, text).unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_qmp-console"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--ephemeral"]);
        if !arguments.contains(&"--config") {
            command.arg("--config").arg(&config);
        }
        let output = command
            .args(arguments)
            .env("QMP_CONSOLE_TOKEN", TOKEN)
            .output();
        let output = soon(output).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in told {
            assert!(said.contains(part), "no {part:?} in {said}");
        }
        let touched = monitor.accept();
        assert!(
            touched.is_err_and(|it| it.kind() == std::io::ErrorKind::WouldBlock),
            "{said}"
        );
    }
}

#[tokio::test]
async fn under_a_base_path_everything_is_there_and_nothing_beside_it() {
    let fake = emitter().await;
    let session = format!("vm={}", fake.address());
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--ephemeral",
        "--base-path",
        "/lab/qmp/",
    ];
    let arguments = [&arguments[..], &["--session", &session]].concat();
    let server = TestServer::serve(&arguments).await;
    // Where it says that it listens is where it is.
    server.session_in("vm", "running").await;
    assert_eq!(server.get("/healthz").await.text, "ok");
    let openapi = server.get("/api/v1/openapi.json").await.json();
    assert_eq!(openapi["servers"], json!([{ "url": "/lab/qmp/api/v1" }]));
    let login = json!({ "token": TOKEN }).to_string();
    let login = server.ask(TOKEN, "POST", "/api/v1/login", &login).await;
    assert!(login.header("set-cookie").contains("; Path=/lab/qmp/;"));
    for page in ["", "/", "/commands/vm/stop", "/index.html"] {
        let page = server.get(page).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.header("content-type"), "text/html");
        assert!(page.header("content-security-policy").contains("'none'"));
        // Also of a binary without the front end.
        let mut addresses = page.text.split("=\"/").skip(1);
        assert!(
            addresses.all(|it| it.starts_with("lab/qmp")),
            "{}",
            page.text
        );
        assert!(
            page.text.contains("data-base=\"/lab/qmp\""),
            "{}",
            page.text
        );
    }

    let root = server.url("").replace("/lab/qmp", "");
    for path in ["/", "/api/v1/sessions", "/lab", "/lab/qmpx/", "/healthz"] {
        let request = reqwest::Client::new().get(format!("{root}{path}"));
        let reply = super::common::Reply::of(request.bearer_auth(TOKEN)).await;
        reply.is_problem(404, "not-found", &[]);
        assert!(reply.header("content-security-policy").contains("'none'"));
    }
}
