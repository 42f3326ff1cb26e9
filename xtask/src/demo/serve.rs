//! The console on the demo's endpoints.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use super::part::Part;
use crate::process::{Process, TOKEN_VARIABLE};
use crate::workspace::Workspace;

/// How long the console may take until it serves.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running console. Dropping it ends it.
pub(super) struct Console {
    process: Process,
    /// Its first page, ending in `/`.
    url: String,
    token: Token,
}

impl Console {
    /// Starts the console, and waits until it serves.
    pub(super) fn start(
        workspace: &Workspace,
        directory: &Path,
        parts: &[Part],
        listen: SocketAddr,
    ) -> anyhow::Result<Self> {
        let token = Token::find()?;
        let log = directory.join("console.log");
        let mut command = workspace.command(workspace.server_binary());
        command.env(TOKEN_VARIABLE, token.as_os_str());
        command.args(["serve", "--ephemeral", "--listen", &listen.to_string()]);
        for part in parts {
            command.args(["--session", &part.argument()]);
        }
        let mut process = Process::start_logged("qmp-console", &mut command, log.clone())?;
        let deadline = Instant::now() + START_LIMIT;
        let url = workspace.cancel().wait_for(Some(deadline), || {
            process.must_run()?;
            let text = fs::read_to_string(&log).context("the console's log")?;
            Ok(ready_line(&text))
        })?;
        let Some(url) = url else {
            let tail = process.log_tail();
            bail!(
                "qmp-console does not serve after {} s{tail}",
                START_LIMIT.as_secs()
            );
        };
        Ok(Self {
            process,
            url,
            token,
        })
    }

    /// Prints the ready URL. A token that the user chose is shown on a terminal
    /// only: where the output goes elsewhere, they have it already.
    pub(super) fn announce(&self, directory: &Path) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout();
        let url = match &self.token {
            Token::Chosen(_) if !stdout.is_terminal() => self.url.clone(),
            token => format!("{}#token={}", self.url, token.in_fragment()),
        };
        writeln!(stdout, "{url}").context("stdout")?;
        stdout.flush().context("stdout")?;
        if stdout.is_terminal() {
            let logs = PathBuf::from(directory).join("*.log");
            eprintln!("Logs: {}. Ctrl-C ends the demo.", logs.display());
        }
        Ok(())
    }

    /// # Errors
    ///
    /// When it has ended.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        self.process.must_run()
    }
}

/// The URL of the line that the console prints when it serves.
fn ready_line(log: &str) -> Option<String> {
    // Complete lines only.
    let complete = &log[..log.rfind('\n')?];
    let mut lines = complete.lines();
    lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()))
}

/// What lets a browser in.
enum Token {
    /// By the user.
    Chosen(OsString),
    /// By us: 256 random bits, in hexadecimal.
    Random(String),
}

impl Token {
    fn find() -> anyhow::Result<Self> {
        if let Some(chosen) = env::var_os(TOKEN_VARIABLE) {
            return Ok(Self::Chosen(chosen));
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random numbers: {error}"))?;
        let text = bytes.iter().map(|byte| format!("{byte:02x}"));
        Ok(Self::Random(text.collect()))
    }

    fn as_os_str(&self) -> &std::ffi::OsStr {
        match self {
            Self::Chosen(text) => text,
            Self::Random(text) => text.as_ref(),
        }
    }

    /// As the page takes it out of its address.
    fn in_fragment(&self) -> String {
        let bytes = self.as_os_str().as_encoded_bytes().iter();
        let escaped = bytes.map(|&byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        });
        escaped.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_is_found_once_it_is_complete() {
        let line = "INFO session\nlistening on http://127.0.0.1:8090/";
        assert_eq!(ready_line(line), None);
        let found = ready_line(&format!("{line}\n"));
        assert_eq!(found.as_deref(), Some("http://127.0.0.1:8090/"));
        assert_eq!(ready_line("error: not listening on anything\n"), None);
    }

    #[test]
    fn a_chosen_token_survives_the_address_bar() {
        let token = Token::Chosen("a b#c%/ü-_.~".into());
        assert_eq!(token.in_fragment(), "a%20b%23c%25%2F%C3%BC-_.~");
    }
}
