//! A console: the real binary on a port of its own, with a state of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::Result;
use crate::http::Http;
use crate::process::Guard;

const ADMIN: &str = "a-token-for-benchmarks-only";

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct Console {
    /// Before the directory that it writes to.
    pub(crate) process: Guard,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    state: TempDir,
}

impl Console {
    /// With these arguments, besides those of each.
    pub(crate) fn start<A: AsRef<OsStr>>(
        directory: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let state = tempfile::Builder::new().tempdir_in(directory)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_qmp-console"));
        command
            .args([
                "serve",
                "--log",
                "warn",
                "--listen",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(state.path())
            .args(arguments)
            .env("QMP_CONSOLE_TOKEN", ADMIN);
        let (process, line) = Guard::listening(&mut command)?;
        let host = line
            .trim_end()
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('/'));
        Ok(Self {
            host: host.ok_or("the console does not listen")?.to_owned(),
            process,
            state,
        })
    }

    /// With the session `vm` on this socket, once that runs.
    pub(crate) fn on(directory: &Path, socket: &Path) -> Result<Self> {
        let session = format!("vm=unix:{}", socket.display());
        let console = Self::start(directory, ["--session", &session])?;
        console.session_when(|vm| vm["state"] == "running" && vm["status"].is_string())?;
        Ok(console)
    }

    /// A connection of the admin's.
    pub(crate) fn admin(&self) -> Result<Http> {
        Http::connect(&self.host, ADMIN)
    }

    /// Makes a token of a viewer's by REST.
    pub(crate) fn viewer(&self) -> Result<String> {
        let body = r#"{"name":"bench","role":"viewer"}"#;
        let made = self.admin()?.ask("POST", "/api/v1/tokens", body)?;
        Ok(made["token"].as_str().ok_or("no token")?.to_owned())
    }

    /// The session `vm`, once this is so.
    pub(crate) fn session_when(&self, when: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut http = self.admin()?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let session = http.ask("GET", "/api/v1/sessions/vm", "")?;
            if when(&session) {
                return Ok(session);
            }
            if Instant::now() > deadline {
                return Err(format!("waited in vain: {session}").into());
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// Where its journal is.
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }
}
