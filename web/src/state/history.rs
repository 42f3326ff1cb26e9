//! Commands that this browser keeps: those that were sent, and saved ones.
//!
//! What the browser keeps anybody at it can read: arguments that speak of a
//! secret are left out, and so are long ones.

use std::sync::Arc;

use qmp_shared::json;
use qmp_shared::rest::{Outcome, Problem};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::address::Link;
use super::editor::Request;
use super::exchanges::{Exchanges, Progress};
use super::secrets::seems_secret;
use super::send::Options;

/// Most commands that are kept in a list.
pub(crate) const MOST: usize = 200;

/// Longest arguments that are kept, in bytes.
const LONGEST: usize = 4 << 10;

/// A command that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptCommand {
    /// The name that it was saved by; empty in the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    /// The session.
    pub(crate) session: String,
    /// The command's name.
    pub(crate) command: String,
    /// Whether it was sent out of band.
    #[serde(default)]
    pub(crate) oob: bool,
    /// Its arguments, JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arguments: Option<String>,
    /// Why its arguments are not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left_out: Option<LeftOut>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Options::is_default")]
    pub(crate) options: Options,
    /// When it was sent or saved, in milliseconds since 1970.
    pub(crate) at: f64,
    /// What became of it, as far as this was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Ended>,
}

/// Why arguments are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LeftOut {
    /// They seem to have a secret in them.
    Secret,
    /// They are long.
    Long,
}

impl LeftOut {
    /// Says so.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Secret => "arguments not kept: they seem to have a secret in them",
            Self::Long => "arguments not kept: they are longer than 4 KB",
        }
    }
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ended {
    /// It returned.
    Returned,
    /// It failed.
    Failed,
    /// Nobody can tell.
    Unknown,
}

impl Ended {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Unknown => "outcome unknown",
        }
    }

    /// How far an exchange is; `None` while it is on its way.
    pub(crate) fn of(progress: &Progress) -> Option<Self> {
        let Progress::Finished { result, .. } = progress else {
            return None;
        };
        Some(Self::of_result(result))
    }

    /// What a result says.
    pub(crate) fn of_result(result: &Result<Arc<str>, Arc<Problem>>) -> Self {
        match result {
            Ok(_) => Self::Returned,
            Err(problem) => of_problem(problem),
        }
    }
}

fn of_problem(problem: &Problem) -> Ended {
    match problem.outcome {
        Some(Outcome::Unknown) => Ended::Unknown,
        Some(Outcome::Done) => Ended::Returned,
        _ => Ended::Failed,
    }
}

impl KeptCommand {
    /// A command as it may be kept.
    pub(crate) fn new(
        session: &str,
        command: &str,
        oob: bool,
        arguments: Option<&str>,
        at: f64,
    ) -> Self {
        let arguments = arguments.map(json::compact);
        let arguments = arguments.as_deref();
        let left_out = if seems_secret(command, arguments) {
            arguments.map(|_| LeftOut::Secret)
        } else {
            let is_long = arguments.is_some_and(|arguments| arguments.len() > LONGEST);
            is_long.then_some(LeftOut::Long)
        };
        let arguments = arguments.filter(|_| left_out.is_none());
        Self {
            name: String::new(),
            session: session.to_owned(),
            command: command.to_owned(),
            oob,
            arguments: arguments.map(str::to_owned),
            left_out,
            options: Options::default(),
            at,
            ended: None,
        }
    }

    /// Where it is filled in again, and with what.
    pub(crate) fn filled_in(&self) -> FilledIn {
        FilledIn {
            session: self.session.clone(),
            command: self.command.clone(),
            link: self.link(),
        }
    }

    /// What is sent again; `None` where its arguments were left out, or do not
    /// read any more.
    pub(crate) fn request(&self) -> Option<Request> {
        let arguments = self.arguments.clone().map(RawValue::from_string);
        let arguments = arguments.transpose().ok()?;
        self.left_out.is_none().then(|| Request {
            command: self.command.clone(),
            oob: self.oob,
            arguments,
        })
    }

    /// What fills it in again.
    pub(crate) fn link(&self) -> Link {
        Link {
            arguments: Some(self.arguments.clone().unwrap_or_else(|| "{}".to_owned())),
            oob: self.oob,
            options: self.options.clone(),
        }
    }

    /// Whether every word of the query is somewhere in it.
    pub(crate) fn matches(&self, query: &str) -> bool {
        let arguments = self.arguments.as_deref().unwrap_or_default();
        let all = [
            &self.name,
            " ",
            &self.command,
            " ",
            &self.session,
            " ",
            arguments,
        ];
        let all = all.concat().to_lowercase();
        let query = query.to_lowercase();
        query.split_whitespace().all(|word| all.contains(word))
    }
}

/// A command and what is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilledIn {
    /// The session.
    pub(crate) session: String,
    /// The command's name.
    pub(crate) command: String,
    /// Its arguments.
    pub(crate) link: Link,
}

/// Puts a sent command first. The same one, sent again, is there once.
pub(crate) fn remember(list: &mut Vec<KeptCommand>, sent: KeptCommand) {
    list.retain(|known| !is_same(known, &sent) || known.left_out.is_some());
    list.insert(0, sent);
}

/// A command of the history whose end is not noted yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unnoted {
    /// Its exchange.
    pub(crate) id: u64,
    /// Its name.
    pub(crate) command: String,
    /// When it was sent, as the history has it.
    pub(crate) at: f64,
}

impl Unnoted {
    /// Notes what became of it.
    pub(crate) fn note(&self, list: &mut [KeptCommand], ended: Ended) {
        let is_it = |known: &&mut KeptCommand| {
            known.command == self.command && (known.at - self.at).abs() < 0.5
        };
        if let Some(sent) = list.iter_mut().find(is_it) {
            sent.ended = Some(ended);
        }
    }
}

/// Takes out those that ended. One whose exchange is not kept any more stays
/// without an end.
pub(crate) fn take_ended(
    unnoted: &mut Vec<Unnoted>,
    exchanges: &Exchanges,
) -> Vec<(Unnoted, Ended)> {
    let mut all = Vec::new();
    unnoted.retain(|it| {
        let Some(exchange) = exchanges.get(it.id) else {
            return false;
        };
        let ended = Ended::of(&exchange.progress);
        all.extend(ended.map(|ended| (it.clone(), ended)));
        ended.is_none()
    });
    all
}

/// Saves a command by a name; one of the same name gives way.
pub(crate) fn save(list: &mut Vec<KeptCommand>, name: &str, mut kept: KeptCommand) {
    name.trim().clone_into(&mut kept.name);
    list.retain(|known| known.name != kept.name);
    list.insert(0, kept);
}

fn is_same(a: &KeptCommand, b: &KeptCommand) -> bool {
    a.filled_in() == b.filled_in()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::exchanges::{Key, Purpose, Sent};
    use qmp_shared::rest::ProblemKind;

    fn sent(command: &str, arguments: Option<&str>, at: f64) -> KeptCommand {
        KeptCommand::new("vm", command, false, arguments, at)
    }

    #[test]
    fn secrets_and_long_arguments_are_not_kept() {
        let secret = sent("x", Some(r#"{"password":"hunter2"}"#), 1.0);
        assert_eq!(secret.left_out, Some(LeftOut::Secret));
        let text = serde_json::to_string(&secret).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("password"));
        let long = serde_json::json!({"a": "x".repeat(LONGEST)}).to_string();
        assert_eq!(sent("x", Some(&long), 1.0).left_out, Some(LeftOut::Long));
        let plain = sent("x", Some(r#"{"a":1}"#), 1.0);
        assert_eq!(plain.arguments.as_deref(), Some(r#"{"a":1}"#));
        let back: KeptCommand =
            serde_json::from_str(&serde_json::to_string(&plain).unwrap()).unwrap();
        assert_eq!(back, plain);
        assert_eq!(sent("set_password", None, 1.0).left_out, None);
    }

    #[test]
    fn the_newest_is_first_and_the_same_one_there_once() {
        let mut list = Vec::new();
        for (command, at) in [("a", 1.0), ("b", 2.0), ("a", 3.0)] {
            remember(&mut list, sent(command, None, at));
        }
        let order: Vec<_> = list.iter().map(|it| (it.command.as_str(), it.at)).collect();
        assert_eq!(order, [("a", 3.0), ("b", 2.0)]);
        let note = |list: &mut [_], at: f64, ended| {
            let command = "b".to_owned();
            Unnoted { id: 1, command, at }.note(list, ended);
        };
        note(&mut list, 2.0, Ended::Failed);
        note(&mut list, 9.0, Ended::Returned);
        assert_eq!(list[1].ended, Some(Ended::Failed));
    }

    #[test]
    fn is_found_by_its_words() {
        let kept = sent("block-commit", Some(r#"{"device":"Disk0"}"#), 1.0);
        assert!(kept.matches("") && kept.matches("disk0 COMMIT") && kept.matches("vm"));
        assert!(!kept.matches("disk1"));
    }

    #[test]
    fn is_sent_again_as_it_was() {
        let plain = sent("x", Some(r#"{"a": 1}"#), 1.0).request().unwrap();
        assert_eq!(plain.arguments.unwrap().get(), r#"{"a":1}"#);
        assert!(sent("x", None, 1.0).request().unwrap().arguments.is_none());
        let secret = sent("x", Some(r#"{"password":"hunter2"}"#), 1.0);
        assert!(secret.request().is_none());
        // What the browser has kept may be anything.
        let broken = KeptCommand {
            arguments: Some("{oops".into()),
            ..sent("x", None, 1.0)
        };
        assert!(broken.request().is_none());
    }

    #[test]
    fn the_same_command_that_waits_for_something_else_is_another() {
        let mut list = Vec::new();
        let mut waiting = sent("a", None, 1.0);
        waiting.options.timeout = "60".into();
        remember(&mut list, waiting.clone());
        remember(&mut list, sent("a", None, 2.0));
        assert_eq!(list.len(), 2);
        assert_eq!(list[1].link().query(), "?arguments=%7B%7D&timeout=60");
        let text = serde_json::to_string(&waiting).unwrap();
        assert_eq!(serde_json::from_str::<KeptCommand>(&text).unwrap(), waiting);
    }

    #[test]
    fn a_name_is_saved_once() {
        let mut list = Vec::new();
        save(&mut list, " grow ", sent("a", None, 1.0));
        save(&mut list, "grow", sent("b", None, 2.0));
        assert_eq!((list.len(), list[0].command.as_str()), (1, "b"));
        assert!(list[0].matches("grow"));
    }

    #[test]
    fn an_end_is_taken_once() {
        let mut exchanges = Exchanges::default();
        let key = Key {
            session: "vm".into(),
            command: "a".into(),
            purpose: Purpose::User,
        };
        let mut unnoted = Vec::new();
        for at in [1.0, 2.0] {
            let id = exchanges.begin(key.clone(), Sent::default(), 0.0).unwrap();
            let command = "a".to_owned();
            unnoted.push(Unnoted { id, command, at });
        }
        // From a page before.
        unnoted.push(Unnoted {
            id: 99,
            ..unnoted[0].clone()
        });
        assert!(take_ended(&mut unnoted, &exchanges).is_empty());
        assert_eq!(unnoted.len(), 2);
        let id = unnoted[1].id;
        let value = RawValue::from_string("1".into()).unwrap();
        exchanges.finish(id, Ok(value), 1.0);
        let ended = take_ended(&mut unnoted, &exchanges);
        assert_eq!((ended[0].0.at, ended[0].1), (2.0, Ended::Returned));
        assert_eq!((ended.len(), unnoted.len()), (1, 1));
    }

    #[test]
    fn how_it_ended() {
        let failed = |outcome: Option<Outcome>| {
            let mut problem = Problem::new(ProblemKind::Timeout, "d");
            problem.outcome = outcome;
            let result = Err(problem.into());
            Ended::of(&Progress::Finished {
                elapsed: 1.0,
                result,
            })
        };
        assert_eq!(Ended::of(&Progress::Pending), None);
        assert_eq!(failed(None), Some(Ended::Failed));
        assert_eq!(failed(Some(Outcome::Unknown)), Some(Ended::Unknown));
        assert_eq!(failed(Some(Outcome::Done)), Some(Ended::Returned));
    }
}
