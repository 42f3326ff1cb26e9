//! Lines of the human monitor, taken apart as QEMU does.
//!
//! The source is `monitor_parse_command` in QEMU's `monitor/hmp.c`, and what
//! QEMU 7.2 answers: blanks are those of C's `isspace`; a verb ends at a blank
//! or a slash (`x/4i $pc`); verbs match exactly, in case too, one of the names
//! in the table; there are no abbreviations, no quoting of verbs, and one
//! command a line, newlines being blanks. `info` looks up its next word in the
//! same way, and shows its help when there is none.

use crate::access::policy::arguments::{device_raises, parameter_raises, qom_read_raises};
use crate::access::policy::table::{HMP, HMP_INFO, HmpRow, HmpRule};

/// Longest line whose arguments are judged. QEMU cuts arguments at 1,023
/// bytes, and then executes something else than was judged.
const MAX_ARGUMENTS: usize = 1000;

/// A line's command, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The verb; empty for a line of blanks, which does nothing.
    pub(crate) verb: &'a str,
    /// For `info`, its subcommand, which is empty when a slash follows.
    pub(crate) subcommand: Option<&'a str>,
    /// What follows the last of these, without leading blanks.
    pub(crate) rest: &'a str,
}

impl<'a> Line<'a> {
    /// Takes a line apart.
    pub(crate) fn parse(line: &'a str) -> Self {
        let (verb, rest) = split_name(line);
        if verb == "info" && !rest.is_empty() {
            let (subcommand, rest) = split_name(rest);
            return Self {
                verb,
                subcommand: Some(subcommand),
                rest,
            };
        }
        Self {
            verb,
            subcommand: None,
            rest,
        }
    }

    /// What the table says about it.
    pub(crate) fn row(&self) -> Option<&'static HmpRow> {
        let (table, name) = match self.subcommand {
            Some(subcommand) => (HMP_INFO, subcommand),
            None => (HMP, self.verb),
        };
        table.iter().find(|row| row.names.contains(&name))
    }

    /// Why what follows the command needs admin, if it does.
    pub(crate) fn raises(&self, rule: HmpRule) -> Option<&'static str> {
        if self.rest.contains('$') {
            return Some("QEMU may read a guest register for the `$`");
        }
        if rule == HmpRule::Any {
            return None;
        }
        if self.rest.len() > MAX_ARGUMENTS || self.rest.contains(['"', '\\']) {
            return Some("arguments that are quoted or long are not judged");
        }
        let mut words = words(self.rest);
        match rule {
            HmpRule::Any => None,
            HmpRule::Words(most) => (words.count() > most).then_some("an argument names an image"),
            HmpRule::Device => options_raise(self.rest),
            HmpRule::Parameter => parameter_raises(words.next().unwrap_or_default()),
            HmpRule::QomRead => {
                let path = words.next().unwrap_or_default();
                qom_read_raises(path, words.next().unwrap_or_default())
            }
        }
    }
}

/// Judges `driver,property=value,...` as `device_add` does. QEMU takes the
/// last of several values, and `,,` for a comma within one.
fn options_raise(options: &str) -> Option<&'static str> {
    const UNCLEAR: Option<&str> = Some("the device's options are not plain");
    let mut words = words(options);
    let (Some(options), None) = (words.next(), words.next()) else {
        return UNCLEAR;
    };
    let mut driver = None;
    let mut names = Vec::new();
    for (index, option) in options.split(',').enumerate() {
        match option.split_once('=') {
            Some(("driver", value)) if index == 0 => driver = Some(value),
            Some(("driver", _)) => return UNCLEAR,
            None if index == 0 => driver = Some(option),
            Some((name, _)) if !names.contains(&name) => names.push(name),
            _ => return UNCLEAR,
        }
    }
    device_raises(driver, names.into_iter(), true)
}

/// Whether C's `isspace` says so.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// The words of a text, by QEMU's blanks.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_blank).filter(|word| !word.is_empty())
}

fn split_name(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(is_blank);
    let end = text.find(|c| c == '/' || is_blank(c));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    (name, rest.trim_start_matches(is_blank))
}

#[cfg(test)]
mod tests;
