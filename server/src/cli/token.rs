//! `qmp-console token`: the tokens of a state directory.
//!
//! Works on the directory itself, with no server; one that runs there sees the
//! change at once.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use jiff::Timestamp;
use qmp_shared::rest::{Role, TokenInfo};

use super::config::Age;
use super::state_dir;
use super::target::usage;
use crate::access::{CHOSEN, Tokens, TokensError};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token and print it, this once
    New {
        /// What to call it
        #[arg(long)]
        name: String,
        /// What it allows: viewer, operator or admin
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// When it ends, from now on: 30d, 12h, 15m or 90s [default: never]
        #[arg(long, value_name = "AGE")]
        expires: Option<Age>,
        #[command(flatten)]
        place: Place,
    },
    /// List the tokens: names, roles and times, not the tokens themselves
    List {
        #[command(flatten)]
        place: Place,
    },
    /// End a token, and the connections that were opened with it
    Revoke {
        /// What it is called
        #[arg(long)]
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The state directory of the console [default: $XDG_STATE_HOME/qmp-console]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Does it.
///
/// # Errors
///
/// A usage error for a name that is none, is taken or is unknown; otherwise why
/// the directory cannot be read or changed.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let text = match args.action {
        Action::New {
            name,
            role,
            expires,
            place,
        } => {
            if name == CHOSEN {
                return Err(usage(format!(
                    "the token {CHOSEN:?} is the one that a console is started with"
                )));
            }
            let directory = state_dir::create(place.data_dir)?;
            let tokens = Tokens::new(Some(&directory), None);
            let expires = expires.map(|age| age.0.as_secs_f64());
            let (token, _) = tokens.create(&name, role, expires).map_err(failure)?;
            format!("{}\n", token.reveal())
        }
        Action::List { place } => {
            let directory = state_dir::locate(place.data_dir)?;
            let tokens = Tokens::new(Some(&directory), None).list();
            table(
                &tokens.map_err(failure)?,
                &format!("{:.6}", Timestamp::now()),
            )
        }
        Action::Revoke { name, place } => {
            let directory = state_dir::locate(place.data_dir)?;
            let tokens = Tokens::new(Some(&directory), None);
            tokens.revoke(&name).map_err(failure)?;
            String::new()
        }
    };
    let mut stdout = std::io::stdout();
    stdout.write_all(text.as_bytes()).context("stdout")
}

/// A line for each token, under a line that names the columns. Times are in
/// UTC, all in one form, so that they compare as texts.
fn table(tokens: &[TokenInfo], now: &str) -> String {
    let longest = tokens.iter().map(|token| token.name.len()).max();
    let width = longest.unwrap_or_default().max("NAME".len());
    let line = |name: &str, role: &str, created: &str, expires: &str| {
        format!("{name:width$}  {role:8}  {created:27}  {expires}\n")
    };
    let mut text = line("NAME", "ROLE", "CREATED", "EXPIRES");
    for token in tokens {
        let expires = match token.expires.as_deref() {
            None => "never".to_owned(),
            Some(time) if time <= now => format!("{time} (over)"),
            Some(time) => time.to_owned(),
        };
        text += &line(&token.name, token.role.as_str(), &token.created, &expires);
    }
    text
}

fn failure(error: TokensError) -> anyhow::Error {
    match error {
        TokensError::Taken(_)
        | TokensError::Unknown(_)
        | TokensError::BadName(_)
        | TokensError::BadExpiry(_)
        | TokensError::FromEnvironment => usage(error),
        TokensError::TooMany
        | TokensError::Ephemeral
        | TokensError::Token(_)
        | TokensError::File { .. } => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_frozen() {
        let token = |name: &str, role, expires: Option<&str>| TokenInfo {
            name: name.to_owned(),
            role,
            created: "2026-01-01T00:00:00.000000Z".to_owned(),
            expires: expires.map(str::to_owned),
        };
        let tokens = [
            token("ci", Role::Operator, None),
            token("laptop", Role::Viewer, Some("2026-02-01T00:00:00.000000Z")),
            token("x", Role::Admin, Some("2026-04-01T00:00:00.000000Z")),
        ];
        assert_eq!(
            table(&tokens, "2026-03-01T00:00:00.000000Z"),
            "\
NAME    ROLE      CREATED                      EXPIRES
ci      operator  2026-01-01T00:00:00.000000Z  never
laptop  viewer    2026-01-01T00:00:00.000000Z  2026-02-01T00:00:00.000000Z (over)
x       admin     2026-01-01T00:00:00.000000Z  2026-04-01T00:00:00.000000Z
"
        );
        let empty = "NAME  ROLE      CREATED                      EXPIRES\n";
        assert_eq!(table(&[], ""), empty);
    }
}
