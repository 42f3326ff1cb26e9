//! The guest agent, which here runs on this very machine, and therefore may
//! look and not touch.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::part::{Part, Recipe};
use crate::process;
use crate::setup;

/// A qemu-ga with every command blocked that is not known to be harmless.
pub(super) fn part(directory: &Path) -> anyhow::Result<Part> {
    let state = directory.join("agent-state");
    std::fs::create_dir(&state).context("the agent's directory")?;
    let no_configuration = state.join("none.conf");
    let mut help = setup::program("qemu-ga")?;
    help.env(CONFIGURATION, &no_configuration);
    let commands = process::output(help.args(["-b", "help"]))?;
    let recipe = Agent {
        state,
        no_configuration,
        blocked: blocked(&commands)?,
    };
    Ok(Part::new(
        "agent",
        "qemu-ga",
        directory,
        ",kind=qga",
        recipe,
    ))
}

/// The variable that names the agent's configuration file.
const CONFIGURATION: &str = "QGA_CONF";

#[derive(Debug)]
struct Agent {
    state: PathBuf,
    /// A file that is not there: this machine's own must not change what we say.
    no_configuration: PathBuf,
    blocked: String,
}

impl Recipe for Agent {
    fn complete(&self, command: &mut Command, socket: &Path) {
        command.env(CONFIGURATION, &self.no_configuration);
        command.args(["-m", "unix-listen", "-p"]).arg(socket);
        command.arg("-t").arg(&self.state);
        command.arg("-f").arg(self.state.join("pid"));
        command.args(["-b", &self.blocked]);
    }
}

/// Of all commands, one a line, those to block, as the option takes them.
fn blocked(commands: &str) -> anyhow::Result<String> {
    let commands: Vec<&str> = commands.lines().map(str::trim).collect();
    // If these are not there, we have not understood what was printed.
    for known in ["guest-ping", "guest-shutdown", "guest-exec"] {
        if !commands.contains(&known) {
            bail!("qemu-ga -b help does not list {known}");
        }
    }
    let names = commands.into_iter().filter(|name| !name.is_empty());
    let blocked: Vec<&str> = names.filter(|name| !is_harmless(name)).collect();
    Ok(blocked.join(","))
}

/// Whether a command changes nothing and reveals no secret. Commands that we do
/// not know are not harmless.
fn is_harmless(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "guest-info",
        "guest-network-get-interfaces",
        "guest-ping",
        "guest-sync",
        "guest-sync-delimited",
    ];
    NAMES.contains(&name) || name.starts_with("guest-get-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_be_harmless_is_blocked() {
        let commands = "guest-sync-delimited\nguest-ping\nguest-get-time\nguest-set-time\n\
                        guest-shutdown\nguest-exec\nguest-exec-status\nguest-future\n\
                        guest-ssh-get-authorized-keys\n";
        assert_eq!(
            blocked(commands).unwrap(),
            "guest-set-time,guest-shutdown,guest-exec,guest-exec-status,guest-future,\
             guest-ssh-get-authorized-keys"
        );
    }

    #[test]
    fn an_answer_that_is_no_list_starts_no_agent() {
        assert!(blocked("").is_err());
        assert!(blocked("usage: qemu-ga\n").is_err());
        assert!(blocked("guest-ping, guest-shutdown, guest-exec\n").is_err());
    }
}
