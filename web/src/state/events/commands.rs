//! The commands that the user of this tab sent, as the list of events tells
//! them: a row when one is sent, and another when its reply came.
//!
//! The rows are short. What a row is opened for is kept apart from them, for
//! the latest commands: [`Commands`].

use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::rest::Problem;

use crate::state::address::{MOST as LONGEST_ADDRESS, command_path};
use crate::state::exchanges::{Answer, Key, Purpose, Sent};
use crate::state::history::{Ended, KeptCommand, LeftOut};
use crate::state::text::{clip, visible};
use crate::state::time::{Instant, elapsed};
use crate::state::tree::one_line;

/// Most commands that are remembered.
pub(crate) const MOST: usize = 500;

/// Longest reply that is kept here, in bytes. Longer ones are where the page of
/// their command has them, as long as it does.
const LONGEST_REPLY: usize = 16 << 10;

/// Longest one-line summary, in bytes.
const SUMMARY: usize = 400;

/// A command, or its reply, as the table shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CommandRow {
    /// The id of the exchange.
    pub(crate) id: u64,
    /// The command's name, with nothing hidden in it.
    pub(crate) name: Box<str>,
    /// When it was sent, or its reply came, by the browser's clock.
    pub(crate) at: Option<Instant>,
    /// What became of it; `None` when it was sent.
    pub(crate) ended: Option<Ended>,
    /// Its arguments, or the reply, on one line.
    pub(crate) summary: Box<str>,
}

/// A command and its reply, as far as they are kept.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The id of the exchange.
    pub(crate) id: u64,
    /// What was sent, without secrets.
    pub(crate) request: KeptCommand,
    /// When, by the browser's clock.
    pub(crate) sent: Instant,
    /// What became of it; `None` while it is on its way.
    pub(crate) reply: Option<CommandReply>,
}

/// A reply, as far as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommandReply {
    /// From sending to the reply, in milliseconds.
    pub(crate) elapsed: f64,
    /// In a word.
    pub(crate) ended: Ended,
    /// What came.
    pub(crate) result: Result<Value, Arc<Problem>>,
}

/// A return value, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Verbatim.
    Whole(Arc<str>),
    /// It has so many bytes.
    Long(usize),
}

/// The latest commands of this tab.
#[derive(Debug, Default)]
pub(crate) struct Commands(VecDeque<Told>);

impl Commands {
    /// Notes that a command was sent; answers its row. `None` when the page sent
    /// it for itself.
    pub(crate) fn sent(
        &mut self,
        id: u64,
        key: &Key,
        sent: &Sent,
        at: Instant,
    ) -> Option<CommandRow> {
        if key.purpose != Purpose::User {
            return None;
        }
        let arguments = sent.arguments.as_deref();
        let request =
            KeptCommand::new(&key.session, &key.command, sent.oob, arguments, at.millis());
        let summary = match (request.left_out, arguments) {
            (Some(LeftOut::Secret), _) => LeftOut::Secret.words().to_owned(),
            (_, Some(arguments)) => one_line(arguments, SUMMARY),
            (_, None) => String::new(),
        };
        let row = CommandRow {
            id,
            name: visible(&key.command).into(),
            at: Some(at),
            ended: None,
            summary: summary.into(),
        };
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Told {
            id,
            request,
            sent: at,
            reply: None,
        });
        Some(row)
    }

    /// Notes what became of a command; answers the session and the row. `None`
    /// when the command is not remembered.
    pub(crate) fn answered(&mut self, id: u64, answer: &Answer) -> Option<(String, CommandRow)> {
        let mut told = self.0.iter_mut().rev();
        let told = told.find(|told| told.id == id && told.reply.is_none())?;
        let ended = Ended::of_result(&answer.result);
        let (result, words) = match &answer.result {
            Ok(text) => {
                let words = one_line(text, SUMMARY);
                let value = match text.len() > LONGEST_REPLY {
                    true => Value::Long(text.len()),
                    false => Value::Whole(Arc::clone(text)),
                };
                (Ok(value), words)
            }
            Err(problem) => {
                let words = problem.desc.as_ref().unwrap_or(&problem.detail);
                let words = one_line_of_text(words);
                (Err(Arc::clone(problem)), words)
            }
        };
        let secret = told.request.left_out == Some(LeftOut::Secret);
        let words = match secret {
            // It may repeat what it was sent.
            true => String::new(),
            false => ": ".to_owned() + &words,
        };
        told.reply = Some(CommandReply {
            elapsed: answer.elapsed,
            ended,
            result,
        });
        let row = CommandRow {
            id,
            name: visible(&told.request.command).into(),
            at: Some(Instant(told.sent.0 + (answer.elapsed * 1_000.0) as i64)),
            ended: Some(ended),
            summary: ("in ".to_owned() + &elapsed(answer.elapsed) + &words).into(),
        };
        Some((told.request.session.clone(), row))
    }

    /// The command of this exchange, as long as it is remembered.
    pub(crate) fn get(&self, id: u64) -> Option<&Told> {
        let mut told = self.0.iter().rev();
        told.find(|told| told.id == id)
    }
}

impl Told {
    /// The address of the command's page with this filled in: it never sends.
    /// Arguments that are too long for an address are not in it.
    pub(crate) fn address(&self) -> String {
        let path = command_path(&self.request.session, &self.request.command);
        let whole = path.clone() + &self.request.link().query();
        match whole.len() > LONGEST_ADDRESS {
            true => path,
            false => whole,
        }
    }
}

impl CommandRow {
    /// What it is, in a word or two.
    pub(crate) fn word(&self) -> &'static str {
        self.ended.map_or("sent", Ended::word)
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        self.name.len() + self.summary.len()
    }
}

/// What an endpoint said, on one line and not longer than a summary.
fn one_line_of_text(text: &str) -> String {
    let (start, left_out) = clip(text, SUMMARY);
    let end = if left_out > 0 { "…" } else { "" };
    visible(start).into_owned() + end
}

#[cfg(test)]
mod tests {
    use qmp_shared::rest::{Outcome, ProblemKind};
    use qmp_shared::wire::ServerFrame;

    use super::*;
    use crate::state::app::App;
    use crate::state::events::{Feed, FilterText, What, write_ndjson};

    fn key(command: &str, purpose: Purpose) -> Key {
        Key {
            session: "vm".into(),
            command: command.into(),
            purpose,
        }
    }

    fn with(arguments: &str) -> Sent {
        Sent {
            arguments: Some(arguments.into()),
            ..Sent::default()
        }
    }

    fn send(commands: &mut Commands, id: u64, command: &str, sent: &Sent) -> CommandRow {
        let key = key(command, Purpose::User);
        commands.sent(id, &key, sent, Instant(1_000_000)).unwrap()
    }

    fn returned(text: &str) -> Answer {
        Answer {
            elapsed: 12.5,
            result: Ok(text.into()),
        }
    }

    #[test]
    fn a_command_and_its_reply_are_a_row_each() {
        let mut commands = Commands::default();
        let row = send(&mut commands, 7, "qom-get", &with(r#"{ "path":"/" }"#));
        assert_eq!((&*row.name, row.word()), ("qom-get", "sent"));
        assert_eq!(&*row.summary, r#"{"path": "/"}"#);
        let (session, row) = commands.answered(7, &returned(r#"{"a": 1}"#)).unwrap();
        assert_eq!((&*session, row.word()), ("vm", "returned"));
        assert_eq!(&*row.summary, r#"in 12 ms: {"a": 1}"#);
        assert_eq!(row.at, Some(Instant(1_012_500)));
        // One reply, and only to what was sent.
        assert_eq!(commands.answered(7, &returned("1")), None);
        assert_eq!(commands.answered(8, &returned("1")), None);
        let told = commands.get(7).unwrap();
        assert_eq!(
            told.address(),
            "/commands/vm/qom-get?arguments=%7B%22path%22%3A%22%2F%22%7D"
        );
    }

    #[test]
    fn failures_are_told_in_the_endpoints_words() {
        let mut commands = Commands::default();
        for (id, outcome, word) in [
            (1, None, "failed"),
            (2, Some(Outcome::Unknown), "outcome unknown"),
        ] {
            send(&mut commands, id, "stop", &Sent::default());
            let mut problem = Problem::new(ProblemKind::ExecuteError, "d\u{202e}");
            problem.outcome = outcome;
            let answer = Answer {
                elapsed: 0.0,
                result: Err(Arc::new(problem)),
            };
            let (_, row) = commands.answered(id, &answer).unwrap();
            assert_eq!((row.word(), &*row.summary), (word, "in 0.0 ms: d\\u202e"));
        }
    }

    #[test]
    fn what_the_page_sends_for_itself_is_not_told() {
        let mut commands = Commands::default();
        let key = key("query-status", Purpose::Page);
        assert_eq!(commands.sent(1, &key, &Sent::default(), Instant(0)), None);
        assert_eq!(commands.answered(1, &returned("1")), None);
    }

    #[test]
    fn secrets_are_not_kept() {
        let mut commands = Commands::default();
        let sent = with(r#"{"protocol":"vnc","password":"hunter2"}"#);
        let row = send(&mut commands, 1, "set_password", &sent);
        assert!(row.summary.contains("secret") && !row.summary.contains("hunter2"));
        let (_, row) = commands.answered(1, &returned(r#""hunter2""#)).unwrap();
        assert_eq!(&*row.summary, "in 12 ms");
        let told = commands.get(1).unwrap();
        assert_eq!(told.request.arguments, None);
        assert!(!told.address().contains("hunter2"));
    }

    fn apply(app: &mut App, text: &str) {
        app.apply(ServerFrame::decode(text).unwrap().unwrap(), 20.0);
    }

    fn event(app: &mut App, session: &str, seq: u64, name: &str) {
        let frame = format!(
            r#"{{"type":"event","subs":[1],"session":"{session}","seq":{seq},"received":"","event":{{"event":"{name}"}}}}"#
        );
        apply(app, &frame);
    }

    fn begin(app: &mut App, command: &str, purpose: Purpose) -> u64 {
        app.begin(key(command, purpose), Sent::default(), 10.0, Instant(0))
            .unwrap()
    }

    /// What a page with this filter shows, oldest first.
    fn shown(app: &App, names: &str, session: &str, commands: bool) -> Vec<String> {
        let text = FilterText {
            names: names.into(),
            session: session.into(),
            commands,
            ..FilterText::default()
        };
        let mut feed = Feed::default();
        feed.set_query(text.query().unwrap(), &app.log);
        while feed.scan(&app.log, 3) {}
        assert!(
            feed.facets()
                .names()
                .iter()
                .all(|(name, _)| !name.contains("stop"))
        );
        let rows = feed.rows().filter_map(|row| match &row.what {
            What::Event(event) => Some(event.name.to_string()),
            What::Command(command) => Some(command.name.to_string() + " " + command.word()),
            _ => None,
        });
        rows.collect()
    }

    #[test]
    fn rows_stand_where_they_came_and_only_when_asked_for() {
        let mut app = App::default();
        event(&mut app, "vm", 1, "RESUME");
        let id = begin(&mut app, "stop", Purpose::User);
        let own = begin(&mut app, "query-status", Purpose::Page);
        event(&mut app, "vm", 2, "STOP");
        event(&mut app, "b", 1, "STOP");
        for id in [own, id] {
            apply(
                &mut app,
                &format!(r#"{{"type":"reply","id":{id},"return":{{}}}}"#),
            );
        }
        let told = ["RESUME", "stop sent", "STOP", "STOP", "stop returned"];
        assert_eq!(shown(&app, "", "", true), told);
        assert_eq!(shown(&app, "", "", false), ["RESUME", "STOP", "STOP"]);
        // The session chooses, the names do not.
        assert_eq!(shown(&app, "NO", "", true), ["stop sent", "stop returned"]);
        assert_eq!(shown(&app, "", "b", true), ["STOP"]);
        // Nobody answers when the connection is gone.
        begin(&mut app, "cont", Purpose::User);
        assert!(app.disconnected(30.0).events);
        assert_eq!(
            shown(&app, "NO", "vm", true)[2..],
            ["cont sent", "cont outcome unknown"]
        );
    }

    #[test]
    fn a_paused_page_does_not_count_them_and_a_file_has_none() {
        let mut app = App::default();
        let mut feed = Feed::default();
        let query = FilterText {
            commands: true,
            ..FilterText::default()
        };
        feed.set_query(query.query().unwrap(), &app.log);
        feed.pause();
        begin(&mut app, "stop", Purpose::User);
        event(&mut app, "vm", 1, "STOP");
        feed.refresh(&app.log);
        assert_eq!((feed.len(), feed.waiting()), (0, 1));
        feed.resume(&app.log);
        assert_eq!(feed.len(), 2);
        assert_eq!(write_ndjson(feed.rows()).lines().count(), 1);
    }

    #[test]
    fn commands_make_no_event_go() {
        let mut app = App::default();
        event(&mut app, "vm", 1, "FIRST");
        let rounds = MOST as u64 + 20;
        for n in 0..rounds {
            let id = begin(&mut app, "stop", Purpose::User);
            event(&mut app, "vm", n + 2, "STOP");
            apply(
                &mut app,
                &format!(r#"{{"type":"reply","id":{id},"return":{{}}}}"#),
            );
        }
        let rows = shown(&app, "", "", true);
        assert_eq!(rows.len() as u64, 1 + rounds + 2 * MOST as u64);
        assert_eq!(rows[..3], ["FIRST", "STOP", "STOP"]);
        assert_eq!(
            rows[rows.len() - 3..],
            ["stop sent", "STOP", "stop returned"]
        );
        assert_eq!(app.log.dropped(), 0);
        // What is new is found in spite of the numbers that are missing.
        let mut feed = Feed::default();
        feed.set_query(FilterText::default().query().unwrap(), &app.log);
        event(&mut app, "vm", rounds + 2, "LAST");
        assert_eq!(feed.refresh(&app.log), 1);
        while feed.scan(&app.log, 7) {}
        assert_eq!(feed.len() as u64, rounds + 2);
    }

    #[test]
    fn the_address_says_whether_they_are_shown() {
        let text = FilterText {
            commands: true,
            ..FilterText::default()
        };
        assert_eq!(text.address(), "/events?commands=true");
        assert_eq!(text.words(), "with my commands");
        assert!(text.query().unwrap().is_everything());
        let kept = serde_json::to_string(&text).unwrap();
        assert_eq!(serde_json::from_str::<FilterText>(&kept).unwrap(), text);
        let kept = serde_json::to_string(&FilterText::default()).unwrap();
        assert!(!kept.contains("commands"));
    }

    #[test]
    fn few_and_short_ones_are_kept() {
        let mut commands = Commands::default();
        let long = format!("\"{}\"", "x".repeat(LONGEST_REPLY));
        for id in 0..2 * MOST as u64 {
            send(&mut commands, id, "x", &with(&long));
            let (_, row) = commands.answered(id, &returned(&long)).unwrap();
            assert!(row.weight() < 2 * SUMMARY);
        }
        assert_eq!(commands.0.len(), MOST);
        assert!(commands.get(0).is_none());
        let told = commands.get(MOST as u64).unwrap();
        assert_eq!(told.request.arguments, None);
        let reply = told.reply.clone().unwrap();
        assert_eq!(reply.result.unwrap(), Value::Long(long.len()));
    }
}
