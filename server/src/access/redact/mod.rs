//! Arguments for the audit log: secrets go, everything else stays as it was
//! sent, byte for byte.
//!
//! A secret is known by
//!
//! - the name of its member, at any depth: [`is_secret_name`]. Names such as
//!   `password-secret` stay, as they hold the id of an object (`qemu(1)`,
//!   "secret objects");
//! - its command: the data of `object-add`, what `guest-exec` and
//!   `guest-file-write` carry, and keys typed into the guest, which may well
//!   be a password. That keys were typed stays, which ones does not;
//! - its form within a string: `scheme://user:PASSWORD@host`,
//!   `password=VALUE` among options, and `json:{...}` as a file name, which is
//!   redacted as arguments are;
//! - its place in a line of the human monitor. Of a verb that is not known
//!   (`set_passwrod vnc hunter2`) nothing that follows stays.
//!
//! This is a net, not a proof: a password given as a VM's name is logged.
//! Time is linear and memory bounded, as what exceeds [`MAX_LENGTH`] is cut.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use crate::access::policy::arguments::Members;
use crate::access::policy::hmp::{Line, words};

/// Longest result, apart from the note that says what was cut, in bytes.
pub(crate) const MAX_LENGTH: usize = 4096;

/// What stands for a secret, as JSON.
const REDACTED: &str = "\"[redacted]\"";

/// What stands for a secret within a string.
const REDACTED_PART: &str = "[redacted]";

/// How many `json:` file names may be within each other.
const MAX_LEVELS: usize = 3;

/// The arguments without secrets: JSON text for the audit log.
///
/// Arguments that are longer than [`MAX_LENGTH`] without their secrets become
/// a string with their beginning and their length; so does a single string of
/// that length. Arguments that are not JSON become a string that says so.
pub(crate) fn redact(command: &str, arguments: Option<&str>) -> Option<String> {
    let text = arguments?;
    if serde_json::from_str::<&RawValue>(text).is_err() {
        return Some(format!("\"[{} bytes that are not JSON]\"", text.len()));
    }
    // A misspelt command is refused, but logged too.
    let command = command.to_ascii_lowercase().replace('_', "-");
    let redactor = Redactor {
        command: &command,
        secret_value: sets_secret(&command, text),
        level: 0,
    };
    let mut redacted = redactor.json(text);
    if redacted.len() > MAX_LENGTH {
        redacted.truncate(redacted.floor_char_boundary(MAX_LENGTH));
        redacted = quote(&format!("{redacted}... [cut: {} bytes]", text.len()));
    }
    Some(redacted)
}

/// Whether a member, option or property of this name holds a secret.
fn is_secret_name(name: &str) -> bool {
    const NAMES: [&str; 7] = ["pass", "secret", "key", "token", "psk", "cookie", "osk"];
    const ENDINGS: [&str; 4] = ["password", "passwd", "passphrase", "token"];
    let name = name.rsplit('.').next().unwrap_or(name);
    NAMES.iter().any(|secret| name.eq_ignore_ascii_case(secret))
        || ENDINGS.iter().any(|ending| ends_with(name, ending))
}

fn ends_with(name: &str, ending: &str) -> bool {
    let start = name.len().checked_sub(ending.len());
    let end = start.and_then(|start| name.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// Whether a member of this command is a secret by what the command does.
fn is_secret_member(command: &str, name: &str) -> bool {
    match command {
        "object-add" | "ringbuf-write" => name == "data",
        "guest-exec" => matches!(name, "input-data" | "env"),
        "guest-file-write" => name == "buf-b64",
        "send-key" => name == "keys",
        "input-send-event" => name == "events",
        "change" => name == "arg",
        _ => false,
    }
}

/// The words by which `change vnc` takes one (QEMU's `hmp_change_vnc`).
fn is_password(word: &str) -> bool {
    matches!(word, "password" | "passwd")
}

/// Whether this is a `qom-set` of a secret property.
fn sets_secret(command: &str, arguments: &str) -> bool {
    command == "qom-set"
        && Members::parse(arguments)
            .and_then(|members| members.string("property"))
            .is_none_or(|property| property == "data" || is_secret_name(&property))
}

struct Redactor<'a> {
    command: &'a str,
    /// Whether `value` is a secret.
    secret_value: bool,
    /// How many `json:` file names it is within.
    level: usize,
}

impl Redactor<'_> {
    /// Redacts a text that is valid JSON. Ends early, in the middle of the
    /// JSON, once the result is longer than [`MAX_LENGTH`].
    fn json(&self, text: &str) -> String {
        let mut result = String::new();
        // As far as it was looked at, and as far as it was taken over.
        let (mut at, mut taken) = (0, 0);
        while let Some(found) = text[at..].find('"') {
            let (span, replacement) = self.string_at(text, at + found);
            at = span.end;
            if let Some(replacement) = replacement {
                result.push_str(&text[taken..span.start]);
                result.push_str(&replacement);
                taken = span.end;
            }
            if result.len() + (at - taken) > MAX_LENGTH {
                result.push_str(&text[taken..at]);
                return result;
            }
        }
        // There are no more strings in what is left.
        let room = MAX_LENGTH + 1 - result.len();
        result.push_str(&text[taken..][..room.min(text.len() - taken)]);
        result
    }

    /// Looks at the string that begins here: how far that goes, with a
    /// member's value if that is a secret, and what to put there.
    fn string_at<'t>(&self, text: &'t str, start: usize) -> (Range<usize>, Option<Cow<'t, str>>) {
        let end = string_end(text, start);
        let token = &text[start..end];
        let after = skip_blanks(text, end);
        if !text[after..].starts_with(':') {
            return (start..end, self.string(token).map(Cow::Owned));
        }
        if !self.is_secret(token) {
            return (start..end, None);
        }
        let value = skip_blanks(text, after + 1);
        (value..value_end(text, value), Some(REDACTED.into()))
    }

    /// Whether the member of this name, as a JSON string, is a secret. Is what
    /// cannot be read.
    fn is_secret(&self, token: &str) -> bool {
        if token.len() > MAX_LENGTH {
            return true;
        }
        serde_json::from_str::<String>(token).map_or(true, |name| {
            let member = is_secret_member(self.command, &name);
            let value = self.secret_value && name == "value";
            member || value || is_secret_name(&name)
        })
    }

    /// What to put in place of a JSON string, if it is not to stay.
    fn string(&self, token: &str) -> Option<String> {
        if token.len() > MAX_LENGTH {
            return Some(format!("\"[{} bytes]\"", token.len() - 2));
        }
        let Ok(text) = serde_json::from_str::<String>(token) else {
            return Some(REDACTED.into());
        };
        let redacted = if self.command == "human-monitor-command" {
            self.line(&text)
        } else {
            self.text(&text, false)
        };
        redacted.map(|redacted| quote(&redacted))
    }

    /// A string without its secrets, if it has any. `data` tells whether an
    /// option of that name is one.
    fn text(&self, text: &str, data: bool) -> Option<String> {
        if let Some(json) = text.strip_prefix("json:") {
            let redacted = self.pseudo_json(json)?;
            return Some(format!("json:{redacted}"));
        }
        let (kept, within) = match text.find("json:{") {
            Some(start) => (&text[..start + "json:".len()], true),
            None => (text, false),
        };
        let without_users = redact_users(kept);
        let mut redacted = redact_options(&without_users, data);
        if within {
            redacted.to_mut().push_str(REDACTED_PART);
        }
        (redacted != text).then(|| redacted.into_owned())
    }

    /// The JSON of a `json:` file name without its secrets, if it has any.
    fn pseudo_json(&self, json: &str) -> Option<String> {
        let readable = serde_json::from_str::<&RawValue>(json).is_ok();
        if self.level == MAX_LEVELS || !readable {
            return Some(REDACTED_PART.into());
        }
        let inner = Redactor {
            command: "",
            secret_value: false,
            level: self.level + 1,
        };
        let redacted = inner.json(json);
        (redacted != json).then_some(redacted)
    }

    /// A line of the human monitor without its secrets, if it has any.
    fn line(&self, text: &str) -> Option<String> {
        let line = Line::parse(text);
        let head = &text[..text.len() - line.rest.len()];
        if line.rest.is_empty() {
            return None;
        }
        let verb = line.row().map(|row| row.names[0]);
        let rest = match verb {
            None | Some("sendkey") => REDACTED_PART.into(),
            Some("set_password") if !line.rest.starts_with(['v', 's']) => REDACTED_PART.into(),
            Some("set_password" | "block_passwd" | "ringbuf_write") => keep_words(line.rest, 1)?,
            Some("change") => match words(line.rest).take(3).position(is_password) {
                Some(index) => keep_words(line.rest, index + 1)?,
                None if line.rest.contains(['"', '\\']) => REDACTED_PART.into(),
                None => self.text(line.rest, false)?,
            },
            Some("qom-set") => self.qom_set(line.rest)?,
            Some("object_add") if line.rest.starts_with('{') => self.object(line.rest)?,
            Some("object_add") => self.text(line.rest, true)?,
            Some(_) => self.text(line.rest, false)?,
        };
        Some(format!("{head}{rest}"))
    }

    fn qom_set(&self, rest: &str) -> Option<String> {
        let skipped = usize::from(words(rest).next() == Some("-j"));
        let property = words(rest).nth(skipped + 1)?;
        if property == "data" || is_secret_name(property) || rest.contains(['"', '\\']) {
            return keep_words(rest, skipped + 2);
        }
        self.text(rest, false)
    }

    /// An object as JSON, which `object_add` takes too.
    fn object(&self, rest: &str) -> Option<String> {
        if serde_json::from_str::<&RawValue>(rest).is_err() {
            return Some(REDACTED_PART.into());
        }
        let object = Redactor {
            command: "object-add",
            secret_value: false,
            level: self.level,
        };
        let redacted = object.json(rest);
        (redacted != rest).then_some(redacted)
    }
}

/// The first words, and what stands for the rest, if there is one. Quotes may
/// move the words' limits: nothing is kept then.
fn keep_words(text: &str, count: usize) -> Option<String> {
    if text.contains(['"', '\\']) {
        return Some(REDACTED_PART.into());
    }
    words(text).nth(count)?;
    let mut kept: Vec<_> = words(text).take(count).collect();
    kept.push(REDACTED_PART);
    Some(kept.join(" "))
}

/// The text without the passwords of `scheme://user:password@host` (RFC 3986,
/// section 3.2.1).
fn redact_users(text: &str) -> Cow<'_, str> {
    let mut result = Cow::Borrowed("");
    let (mut at, mut taken) = (0, 0);
    while let Some(found) = text[at..].find("://") {
        let start = at + found + "://".len();
        let is_end = |c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace();
        let end = text[start..]
            .find(is_end)
            .map_or(text.len(), |length| start + length);
        let authority = &text[start..end];
        at = end;
        let Some((user, _)) = authority.rsplit_once('@') else {
            continue;
        };
        if let Some(colon) = user.find(':') {
            let result = result.to_mut();
            result.push_str(&text[taken..=start + colon]);
            result.push_str(REDACTED_PART);
            taken = start + user.len();
        }
    }
    if taken == 0 {
        return Cow::Borrowed(text);
    }
    result.to_mut().push_str(&text[taken..]);
    result
}

/// The text without the values of secret options, each of which goes to the
/// next comma that is not doubled (`qemu(1)`, "device options").
fn redact_options(text: &str, data: bool) -> Cow<'_, str> {
    let mut result = Cow::Borrowed("");
    let (mut at, mut taken) = (0, 0);
    while let Some(found) = text[at..].find('=') {
        let equals = at + found;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let before = &text[at..equals];
        let name = &before[before.trim_end_matches(is_part).len()..];
        at = equals + 1;
        let is_secret = is_secret_name(name) || (data && name == "data");
        if !is_secret {
            continue;
        }
        let end = option_end(text, at);
        if end > at {
            let result = result.to_mut();
            result.push_str(&text[taken..at]);
            result.push_str(REDACTED_PART);
            taken = end;
        }
        at = end;
    }
    if taken == 0 {
        return Cow::Borrowed(text);
    }
    result.to_mut().push_str(&text[taken..]);
    result
}

fn option_end(text: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(found) = text[at..].find(',') {
        let comma = at + found;
        if !text[comma + 1..].starts_with(',') {
            return comma;
        }
        at = comma + 2;
    }
    text.len()
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| REDACTED.into())
}

fn skip_blanks(text: &str, start: usize) -> usize {
    text.len()
        - text[start..]
            .trim_start_matches([' ', '\t', '\r', '\n'])
            .len()
}

/// Where the JSON string that begins here ends, its quote included.
fn string_end(text: &str, start: usize) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(start + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where the JSON value that begins here ends.
fn value_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(text, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            _ => {
                let is_end =
                    |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
                let rest = &bytes[at..];
                at += rest.iter().position(is_end).unwrap_or(rest.len());
            }
        }
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests;
