//! A command as a line of QEMU's own `qmp-shell`.
//!
//! That one splits at blanks outside quotes and leaves the quotes where they
//! are; a value is an integer, `true` or `false`, JSON when it begins with a
//! bracket, and else the string of just these characters. After a key with dots
//! it takes the next key for a member of the same object. So a line has one
//! word for each argument, what has members is JSON, and not everything can be
//! said. (`qemu.qmp` 0.0.6, `qmp_shell.py`.)

use super::path::{Fault, Path};
use super::read::members_of;
use crate::json;

/// The line that makes `qmp-shell` send the command with these `arguments`,
/// which must be an object.
///
/// ```
/// use qmp_shared::command::qmp_shell_line;
///
/// let arguments = r#"{"id": "job1", "backing": {"driver": "null-co", "size": 4096}}"#;
/// assert_eq!(
///     qmp_shell_line("any", false, Some(arguments))?,
///     r#"any id=job1 backing={"driver":"null-co","size":4096}"#
/// );
/// # Ok::<(), qmp_shared::command::Fault>(())
/// ```
///
/// # Errors
///
/// The first thing that it cannot say.
pub fn qmp_shell_line(command: &str, oob: bool, arguments: Option<&str>) -> Result<String, Fault> {
    let root = Path::root();
    if oob {
        return Err(at(&root, "qmp-shell sends nothing out of band"));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if command.is_empty() || !command.chars().all(is_name) {
        return Err(at(&root, "qmp-shell cannot name this command"));
    }
    let arguments = arguments.unwrap_or("{}").trim_ascii();
    json::check_arguments(arguments).map_err(|fault| at(&root, fault.to_string()))?;
    let mut line = command.to_owned();
    for (name, value) in members_of(arguments) {
        let path = root.member(&name);
        let breaks = |c: char| c.is_whitespace() || c.is_control() || ".='\"".contains(c);
        if name.is_empty() || name.chars().any(breaks) {
            return Err(at(&path, "qmp-shell has no such key"));
        }
        let word = word_of(value.get()).map_err(|why| at(&path, why))?;
        line.push(' ');
        line.push_str(&name);
        line.push('=');
        line.push_str(&word);
    }
    Ok(line)
}

fn at(path: &Path, message: impl Into<String>) -> Fault {
    Fault {
        path: path.clone(),
        message: message.into(),
    }
}

/// The word that stands for a value.
fn word_of(value: &str) -> Result<String, &'static str> {
    match value.as_bytes().first() {
        Some(b'{' | b'[') => Ok(json::compact(value).into_owned()),
        Some(b'"') => {
            let text = serde_json::from_str::<String>(value);
            let text = text.map_err(|_| "qmp-shell cannot say this string")?;
            check_string(&text).map(|()| text)
        }
        Some(b'n') => Err("qmp-shell takes null for a string, outside objects and arrays"),
        Some(b't' | b'f') => Ok(value.to_owned()),
        _ if value.contains(['.', 'e', 'E']) => {
            Err("qmp-shell takes a number with a fraction for a string, outside objects and arrays")
        }
        _ => Ok(value.to_owned()),
    }
}

/// Whether `qmp-shell` takes these characters for a string, and for one word.
fn check_string(text: &str) -> Result<(), &'static str> {
    // Python takes blanks, signs, `_` and the digits of other scripts, too.
    let is_numeric = |c: char| c.is_numeric() || c == '_';
    let digits = text.trim().trim_start_matches(['+', '-']);
    if !digits.is_empty() && digits.chars().all(is_numeric) {
        return Err("qmp-shell takes these digits for a number");
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Err("qmp-shell takes this word for a boolean");
    }
    if text.starts_with(['{', '[']) {
        return Err("qmp-shell takes what begins with a bracket for JSON");
    }
    if text.chars().any(char::is_control) {
        return Err("qmp-shell has one line, and no control characters in it");
    }
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', Some(_)) => drop(chars.next()),
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => {
                return Err("qmp-shell splits a string at its blanks, and keeps quotes around it");
            }
            _ => (),
        }
    }
    match quote {
        None => Ok(()),
        Some(_) => Err("qmp-shell loses a quote without its other one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: &str) -> Result<String, String> {
        let line = qmp_shell_line("c", false, Some(arguments));
        line.map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_it_can_say() {
        for (arguments, expected) in [
            ("{}", "c"),
            (r#"{"a": "b", "n": -7, "t": true}"#, "c a=b n=-7 t=true"),
            (r#"{"a": ""}"#, "c a="),
            (r#"{"a": "b=c,d.e"}"#, "c a=b=c,d.e"),
            (r#"{"a": "say\"a b\"'c d'"}"#, r#"c a=say"a b"'c d'"#),
            (
                r#"{"a": {"b": [1.5, null, "x y", "it's \"1\"\n"]}, "c": []}"#,
                r#"c a={"b":[1.5,null,"x y","it's \"1\"\n"]} c=[]"#,
            ),
            (r#"{"n": 18446744073709551615}"#, "c n=18446744073709551615"),
            (
                r#"{"a": "1.5", "b": "null", "c": "0x10"}"#,
                "c a=1.5 b=null c=0x10",
            ),
        ] {
            assert_eq!(line(arguments).as_deref(), Ok(expected), "{arguments}");
        }
    }

    #[test]
    fn what_it_cannot() {
        for arguments in [
            r#"{"a": null}"#,
            r#"{"a": 1.5}"#,
            r#"{"a": 1e3}"#,
            r#"{"a": "12"}"#,
            r#"{"a": "+1_000"}"#,
            r#"{"a": "٣"}"#,
            r#"{"a": "True"}"#,
            r#"{"a": "{}"}"#,
            r#"{"a": "[x"}"#,
            r#"{"a": "b c"}"#,
            r#"{"a": "it's"}"#,
            r#"{"a": "b\nc"}"#,
            r#"{"a": "b\u00a0c"}"#,
            r#"{"a.b": 1}"#,
            r#"{"a=b": 1}"#,
            r#"{"": 1}"#,
        ] {
            assert!(line(arguments).is_err(), "{arguments}");
        }
        assert!(qmp_shell_line("c", true, None).is_err());
        for command in ["", "a b", "transaction(", "'c'"] {
            assert!(qmp_shell_line(command, false, None).is_err(), "{command}");
        }
        let fault = line(r#"{"a": "b c"}"#).unwrap_err();
        assert!(fault.starts_with("a: qmp-shell splits"), "{fault}");
    }
}
