//! One running console for a test: the real binary on a port of its own,
//! ended on drop.

#![allow(dead_code, reason = "every test program uses a part of it")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qmp_fake::Fake;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Long enough for anything on a busy machine, short enough to notice.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) const TOKEN: &str = "a-token-for-tests-only";

pub(crate) struct TestServer {
    child: Child,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    pub(crate) http: reqwest::Client,
}

impl TestServer {
    /// Starts a console on these sessions, `NAME=ADDRESS`.
    pub(crate) async fn start(sessions: &[String]) -> Self {
        let mut arguments = vec!["--listen", "127.0.0.1:0", "--ephemeral"];
        for session in sessions {
            arguments.extend(["--session", session]);
        }
        Self::serve(&arguments).await
    }

    /// Starts a console that keeps its state in this directory.
    pub(crate) async fn keeping(directory: &Path, sessions: &[String]) -> Self {
        let directory = directory.to_str().expect("a path that is text");
        let mut arguments = vec!["--listen", "127.0.0.1:0", "--data-dir", directory];
        for session in sessions {
            arguments.extend(["--session", session]);
        }
        Self::serve(&arguments).await
    }

    /// Starts a console with these arguments.
    pub(crate) async fn serve(arguments: &[&str]) -> Self {
        Self::logging_to(Stdio::inherit(), arguments).await
    }

    /// The same with its standard error somewhere else.
    pub(crate) async fn logging_to(stderr: Stdio, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qmp-console"));
        command.arg("serve").args(arguments).stderr(stderr);
        Self::of(command).await
    }

    /// The same for which the disk is full from the beginning: no file may grow.
    pub(crate) async fn on_a_full_disk(arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let limited = r#"ulimit -S -f 0 && exec "$0" "$@""#;
        let program = env!("CARGO_BIN_EXE_qmp-console");
        command.args(["-c", limited, program, "serve"]);
        command.args(arguments);
        Self::of(command).await
    }

    async fn of(mut command: Command) -> Self {
        let mut child = command
            .env("QMP_CONSOLE_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the console starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        timeout(DEADLINE, BufReader::new(stdout).read_line(&mut line))
            .await
            .expect("the console is up in time")
            .expect("stdout is text");
        let host = line
            .strip_prefix("listening on ")
            .and_then(|rest| rest.split_once("://"))
            .and_then(|(_, rest)| rest.strip_suffix("/\n"))
            .unwrap_or_else(|| panic!("not where it listens: {line:?}"))
            .to_owned();
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .build()
            .expect("an HTTP client");
        Self { child, host, http }
    }

    /// A console with the session `vm` on this endpoint, once that runs and has
    /// told its run state.
    pub(crate) async fn on(endpoint: &Fake) -> Self {
        let server = Self::start(&[format!("vm={}", endpoint.address())]).await;
        let told = |vm: &Value| vm["status"] == "running";
        server.session_when("vm", told).await;
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// `GET` with the token.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let request = self.http.get(self.url(path)).bearer_auth(TOKEN);
        Reply::of(request).await
    }

    /// A request with this token, and a body if that is not empty.
    pub(crate) async fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> Reply {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, self.url(path));
        Reply::of(request.bearer_auth(token).body(body.to_owned())).await
    }

    /// Makes a token by REST.
    pub(crate) async fn token(&self, name: &str, role: &str) -> String {
        let body = format!(r#"{{"name":"{name}","role":"{role}"}}"#);
        let made = self.ask(TOKEN, "POST", "/api/v1/tokens", &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["token"].as_str().expect("a token").to_owned()
    }

    /// `POST execute` with the token.
    pub(crate) async fn execute(&self, session: &str, body: &str) -> Reply {
        let path = format!("/api/v1/sessions/{session}/execute");
        let request = self.http.post(self.url(&path)).bearer_auth(TOKEN);
        Reply::of(request.body(body.to_owned())).await
    }

    /// The session as soon as it is in that state.
    pub(crate) async fn session_in(&self, name: &str, state: &str) -> Value {
        self.session_when(name, |session| session["state"] == state)
            .await
    }

    /// The session as soon as this is true of it.
    pub(crate) async fn session_when(&self, name: &str, when: impl Fn(&Value) -> bool) -> Value {
        let mut socket = self.socket().await;
        let hello = socket.next("hello").await;
        let sessions = hello["sessions"].as_array().expect("sessions").clone();
        let mut session = sessions
            .into_iter()
            .find(|session| session["name"] == name)
            .expect("the session is in the hello");
        soon(async {
            while !when(&session) {
                let frame = socket.next("session").await;
                if frame["session"]["name"] == name {
                    session = frame["session"].clone();
                }
            }
            session
        })
        .await
    }

    /// A console socket, authenticated by header.
    pub(crate) async fn socket(&self) -> Socket {
        let request = self.socket_request();
        Socket::connect(request).await.expect("the upgrade")
    }

    /// A console socket with this token.
    pub(crate) async fn socket_as(&self, token: &str) -> Socket {
        let mut request = self.socket_request();
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        Socket::connect(request).await.expect("the upgrade")
    }

    /// The request that opens a console socket.
    pub(crate) fn socket_request(&self) -> Request<()> {
        let mut request = format!("ws://{}/api/v1/ws", self.host)
            .into_client_request()
            .expect("an address");
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "qmp-console.v1".parse().unwrap());
        let bearer = format!("Bearer {TOKEN}");
        headers.insert("authorization", bearer.parse().unwrap());
        request
    }

    /// No file of the console may grow past so many bytes, or any may.
    pub(crate) fn limit(&self, bytes: Option<u64>) {
        let pid = rustix::process::Pid::from_raw(self.pid().cast_signed());
        let limits = rustix::process::Rlimit {
            current: bytes,
            maximum: None,
        };
        let limited = rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limits);
        limited.expect("the console runs");
    }

    /// Waits until `/readyz` answers with this status, and returns its text.
    pub(crate) async fn ready(&self, status: u16) -> String {
        soon(async {
            loop {
                let ready = self.get("/readyz").await;
                if ready.status == status {
                    return ready.text;
                }
            }
        })
        .await
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("the console runs")
    }

    /// Ends the console as a crash does, and waits for that.
    pub(crate) async fn kill(&mut self) {
        soon(self.child.kill()).await.expect("the console runs");
    }

    /// Waits for the console to end and returns its exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let status = timeout(DEADLINE, self.child.wait()).await;
        status
            .expect("the console ends in time")
            .expect("a status")
            .code()
    }
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.expect("a text"),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a text"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// A problem of this status and slug, whose detail mentions all of these.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, slug: &str, mentions: &[&str]) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        let detail = problem["detail"].as_str().expect("a detail");
        for part in mentions {
            assert!(detail.contains(part), "no {part:?} in {detail:?}");
        }
        problem
    }
}

/// A console socket, seen by a client.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) protocol: Option<String>,
}

impl Socket {
    /// Opens it, or returns the status of the refusal.
    pub(crate) async fn connect(request: Request<()>) -> Result<Self, (u16, String)> {
        use tokio_tungstenite::tungstenite::Error;
        let connect = tokio_tungstenite::connect_async(request);
        match timeout(DEADLINE, connect).await.expect("an answer in time") {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
                Ok(Self { stream, protocol })
            }
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((
                    response.status().as_u16(),
                    String::from_utf8_lossy(&body).into_owned(),
                ))
            }
            Err(error) => panic!("neither an upgrade nor a refusal: {error}"),
        }
    }

    pub(crate) async fn send(&mut self, frame: &str) {
        self.send_message(Message::text(frame)).await;
    }

    /// Sends frames in one go, as far as the system lets it.
    pub(crate) async fn send_all(&mut self, frames: impl IntoIterator<Item = String>) {
        for frame in frames {
            let fed = soon(self.stream.feed(Message::text(frame))).await;
            fed.expect("the frame is sent");
        }
        let flushed = soon(self.stream.flush()).await;
        flushed.expect("the frames are sent");
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        let sent = soon(self.stream.send(message)).await;
        sent.expect("the frame is sent");
    }

    /// The next frame as text; the close code and reason once it was closed.
    pub(crate) async fn receive(&mut self) -> Result<String, (u16, String)> {
        soon(self.frame()).await
    }

    async fn frame(&mut self) -> Result<String, (u16, String)> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Close(None))) => return Err((1005, String::new())),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("the socket broke: {error}"),
                None => return Err((1006, String::new())),
            }
        }
    }

    /// The code and reason of the close; frames before it are skipped.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        soon(async {
            loop {
                if let Err(closed) = self.frame().await {
                    return closed;
                }
            }
        })
        .await
    }

    /// The texts of the frames up to the next reply, and that one. The hello
    /// is left out, and the changes of sessions, which come when they come.
    pub(crate) async fn until_reply(&mut self) -> Vec<String> {
        soon(async {
            let mut frames = Vec::new();
            loop {
                let text = self.frame().await.expect("the socket is open");
                let is = |kind: &str| text.starts_with(&format!(r#"{{"type":"{kind}""#));
                let last = is("reply");
                if !is("session") && !is("hello") {
                    frames.push(text);
                }
                if last {
                    return frames;
                }
            }
        })
        .await
    }

    /// The next frame of this type; others are skipped.
    pub(crate) async fn next(&mut self, kind: &str) -> Value {
        serde_json::from_str(&self.next_text(kind).await).expect("a frame is JSON")
    }

    /// The text of the next frame of this type; others are skipped.
    pub(crate) async fn next_text(&mut self, kind: &str) -> String {
        soon(async {
            loop {
                let text = self.frame().await.expect("the socket is open");
                let frame: Value = serde_json::from_str(&text).expect("a frame is JSON");
                if frame["type"] == kind {
                    return text;
                }
            }
        })
        .await
    }
}

/// What must not take longer than [`DEADLINE`], however much goes on meanwhile.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("it takes too long")
}
