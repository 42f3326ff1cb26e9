//! Who may execute which command, by its name and its arguments.
//!
//! The decision stands in [`table`]; this module
//! applies it. It is pure: it judges text, and knows neither sessions nor
//! tokens. The caller has checked that the arguments are JSON that may be sent
//! (`qmp_shared::json::check_arguments`), but nothing here depends on that:
//! whatever cannot be read needs admin, and nothing recurses.
//!
//! # Overrides
//!
//! The configuration may give a command another role:
//!
//! ```toml
//! [policy]
//! system_reset = "admin"
//! ```
//!
//! This replaces the role of the command's row, up or down, or adds a row.
//! The judgement of arguments stays on top of it, and only raises: `device_add`
//! as a viewer's command still needs admin for `vfio-pci`, and a command that
//! always names something of the host, as `migrate` or `blockdev-add`, stays
//! with admins. An action of `transaction` needs the role of the command of its
//! name. A verb of the human monitor needs its own role and that of the QMP
//! command that does the same: an override upwards reaches it, one downwards
//! does not. Commands that do alike under different names (`block-job-cancel`
//! and `job-cancel`) are overridden one by one.

pub(super) mod arguments;
pub(super) mod hmp;
mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;

use qmp_shared::rest::Role;
use thiserror::Error;

use crate::access::policy::arguments::{MALFORMED, Members, Rule, elements};
use crate::access::policy::hmp::Line;
use crate::access::policy::table::{COMMANDS, HmpRow, Row, TRANSACTION_ACTIONS};

/// Longest command name that an override may have, in bytes.
const MAX_NAME: usize = 255;

/// Why a row is there that the table does not have.
const ADDED: &str = "set in the configuration";

/// What is wrong with a configured policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PolicyError {
    /// An override of what no command is called: QAPI names are of ASCII
    /// letters, digits, `-`, `_` and `.`.
    #[error("{0:?} is no command name")]
    BadName(String),
}

/// What a command with its arguments needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// The least role.
    pub(crate) role: Role,
    /// Why, in one line.
    pub(crate) reason: Cow<'static, str>,
    /// Whether a user interface should ask first.
    pub(crate) destructive: bool,
}

/// A row of the policy as it applies.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PolicyRow<'a> {
    /// The command; for the human monitor, the verb, or `info` and what
    /// follows.
    pub(crate) command: &'a str,
    /// The least role, arguments aside.
    pub(crate) role: Role,
    /// Why.
    pub(crate) reason: &'a str,
    /// Whether a user interface should ask first.
    pub(crate) destructive: bool,
    /// Whether arguments are judged too, and may raise the role.
    pub(crate) arguments: bool,
    /// Whether the configuration set the role.
    pub(crate) overridden: bool,
}

/// The table with the configuration's overrides.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    rows: BTreeMap<Cow<'static, str>, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    role: Role,
    reason: &'static str,
    destructive: bool,
    rule: Rule,
    overridden: bool,
}

impl From<&Row> for Entry {
    fn from(row: &Row) -> Self {
        Self {
            role: row.role,
            reason: row.reason,
            destructive: row.destructive,
            rule: row.rule,
            overridden: false,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let row = |row: &Row| (Cow::Borrowed(row.command), Entry::from(row));
        Self {
            rows: COMMANDS.iter().map(row).collect(),
        }
    }
}

impl Policy {
    /// The table with these roles in place of its own; the module's
    /// documentation says what that does. A command that the table does not
    /// have gets a row: endpoints may have commands of their own.
    ///
    /// # Errors
    ///
    /// [`PolicyError::BadName`] for what cannot be a command's name.
    pub(crate) fn with_overrides(
        overrides: impl IntoIterator<Item = (String, Role)>,
    ) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        for (command, role) in overrides {
            if !is_command_name(&command) {
                return Err(PolicyError::BadName(command));
            }
            let entry = policy.rows.entry(command.into()).or_insert(Entry {
                role,
                reason: ADDED,
                destructive: false,
                rule: Rule::Any,
                overridden: true,
            });
            entry.role = role;
            entry.overridden = true;
        }
        Ok(policy)
    }

    /// What a command needs with these arguments, the JSON text of an object.
    ///
    /// Takes time in proportion to the arguments, and looks at them only for
    /// commands whose arguments matter.
    pub(crate) fn judge(&self, command: &str, arguments: Option<&str>) -> Requirement {
        let Some(entry) = self.rows.get(command) else {
            return Requirement::admin("the command is not in the table");
        };
        let base = entry.requirement();
        let judged = match entry.rule {
            Rule::Transaction => self.judge_transaction(arguments),
            Rule::HumanMonitor => self.judge_line(arguments),
            _ if base.role == Role::Admin => return base,
            rule => match rule.raises(arguments) {
                Some(reason) => Requirement::admin(reason).with_context(entry.reason),
                None => return base,
            },
        };
        base.and(judged)
    }

    /// What a command needs whatever its arguments are.
    pub(crate) fn least(&self, command: &str) -> Role {
        self.rows
            .get(command)
            .map_or(Role::Admin, |entry| entry.role)
    }

    /// The commands in alphabetical order.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> impl Iterator<Item = PolicyRow<'_>> {
        self.rows.iter().map(|(command, entry)| PolicyRow {
            command,
            role: entry.role,
            reason: entry.reason,
            destructive: entry.destructive,
            arguments: entry.rule != Rule::Any,
            overridden: entry.overridden,
        })
    }

    /// The verbs of the human monitor, each followed by its aliases, and then
    /// the subcommands of `info`: the name, and what a line with it and without
    /// arguments needs.
    #[cfg(test)]
    pub(crate) fn hmp_rows(&self) -> impl Iterator<Item = (String, Requirement)> {
        use table::{HMP, HMP_INFO};
        let verbs = HMP.iter().map(|row| ("", row));
        let infos = HMP_INFO.iter().map(|row| ("info ", row));
        verbs.chain(infos).flat_map(move |(prefix, row)| {
            let requirement = self.requirement_of(row);
            let names = row.names.iter();
            names.map(move |name| (format!("{prefix}{name}"), requirement.clone()))
        })
    }

    fn judge_transaction(&self, arguments: Option<&str>) -> Requirement {
        let actions = arguments
            .and_then(Members::parse)
            .and_then(|members| members.value("actions"))
            .and_then(elements);
        let Some(actions) = actions else {
            return Requirement::admin(MALFORMED);
        };
        let nothing = Requirement::new(Role::Viewer, "it has no actions");
        actions
            .into_iter()
            .map(|action| self.judge_action(action))
            .reduce(Requirement::and)
            .unwrap_or(nothing)
    }

    fn judge_action(&self, action: &str) -> Requirement {
        let Some(members) = Members::parse(action) else {
            return Requirement::admin(MALFORMED);
        };
        match members.string("type").as_deref() {
            Some("abort") => Requirement::new(Role::Viewer, "`abort` fails on purpose"),
            Some(command) if TRANSACTION_ACTIONS.contains(&command) => {
                self.judge(command, members.value("data"))
            }
            Some(_) => Requirement::admin("an action is not in the table"),
            None => Requirement::admin(MALFORMED),
        }
    }

    fn judge_line(&self, arguments: Option<&str>) -> Requirement {
        let line = arguments
            .and_then(Members::parse)
            .and_then(|members| members.string("command-line"));
        let Some(line) = line else {
            return Requirement::admin(MALFORMED);
        };
        let line = Line::parse(&line);
        if line.verb.is_empty() && line.rest.is_empty() {
            return Requirement::new(Role::Viewer, "the line is empty");
        }
        let Some(row) = line.row() else {
            return Requirement::admin("the HMP verb is not in the table");
        };
        let requirement = self.requirement_of(row);
        match line.raises(row.rule) {
            Some(reason) => requirement.and(Requirement::admin(reason)),
            None => requirement,
        }
    }

    /// What a verb needs: its own role, and that of its QMP command if the
    /// configuration set it.
    fn requirement_of(&self, row: &HmpRow) -> Requirement {
        let own = Requirement {
            role: row.role,
            reason: row.reason.into(),
            destructive: row.destructive,
        };
        let entry = row.qmp.and_then(|command| self.rows.get(command));
        match entry.filter(|entry| entry.overridden) {
            Some(entry) if entry.role > own.role => entry.requirement(),
            _ => own,
        }
    }
}

impl Entry {
    fn requirement(&self) -> Requirement {
        let reason = if self.overridden && self.reason != ADDED {
            format!("{} (role set in the configuration)", self.reason).into()
        } else {
            self.reason.into()
        };
        Requirement {
            role: self.role,
            reason,
            destructive: self.destructive,
        }
    }
}

impl Requirement {
    fn new(role: Role, reason: &'static str) -> Self {
        Self {
            role,
            reason: reason.into(),
            destructive: false,
        }
    }

    fn admin(reason: &'static str) -> Self {
        Self::new(Role::Admin, reason)
    }

    fn with_context(self, context: &str) -> Self {
        let reason = format!("{context}: {}", self.reason).into();
        Self { reason, ..self }
    }

    /// Both: the higher role and its reason, and the other's where it is the
    /// same.
    fn and(self, other: Self) -> Self {
        let destructive = self.destructive || other.destructive;
        let stronger = if self.role > other.role { self } else { other };
        Self {
            destructive,
            ..stronger
        }
    }
}

fn is_command_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests;
