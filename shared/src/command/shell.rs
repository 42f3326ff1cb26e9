//! A whole command on one line: `device_add driver=virtio-rng-pci id=rng0`.
//!
//! The words are quoted as a POSIX shell's, so that what stands here can follow
//! `qmp-console execute ADDRESS` in a terminal. As in `qmp-shell`, JSON that
//! follows `=` needs no quotes here.

use super::line::arguments_from_words;
use super::line_write::words_from_arguments;
use super::message::Execute;
use super::path::{Fault, Path, quoted};
use crate::schema::Schema;

/// The word that stands in front of a command that is sent out of band.
const OOB: &str = "--oob";

/// The line that executes a command with these `arguments`, which must be JSON.
///
/// # Errors
///
/// What a line cannot say, and why.
pub fn line_text(
    schema: Option<&Schema>,
    command: &str,
    oob: bool,
    arguments: Option<&str>,
) -> Result<String, Fault> {
    if command.is_empty() || command == OOB {
        let message = "a line cannot name the command ".to_owned() + &quoted(command);
        return Err(fault(message));
    }
    let words = words_from_arguments(schema, command, arguments.unwrap_or("{}"))?;
    let mut line = String::new();
    if oob {
        line.push_str(OOB);
        line.push(' ');
    }
    line.push_str(&shell_word(command));
    for word in &words {
        line.push(' ');
        line.push_str(&shell_word(word));
    }
    Ok(line)
}

/// Reads a line. Its command is looked up in the schema, where there is one.
///
/// # Errors
///
/// The first word that is wrong.
pub fn parse_line(schema: Option<&Schema>, line: &str) -> Result<Execute, Fault> {
    let words = shell_words(line)?;
    let (oob, words) = match words.split_first() {
        Some((first, rest)) if first == OOB => (true, rest),
        _ => (false, words.as_slice()),
    };
    let Some((command, words)) = words.split_first() else {
        return Err(fault("a command is missing"));
    };
    let arguments = match words {
        [] => None,
        words => Some(arguments_from_words(schema, command, words)?),
    };
    Ok(Execute {
        command: command.clone(),
        oob,
        arguments,
        id: None,
    })
}

/// A word in such quotes that a POSIX shell, and [`shell_words`], take it as it
/// is. Of `key=value` only the part that needs quotes gets them.
pub fn shell_word(word: &str) -> String {
    match word.split_once('=') {
        Some((key, value)) if !value.is_empty() && !key.is_empty() => {
            quote(key) + "=" + &quote(value)
        }
        _ => quote(word),
    }
}

fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    "'".to_owned() + &text.replace('\'', r"'\''") + "'"
}

/// The words of a line, without their quotes: whatever a POSIX shell does to
/// quotes and backslashes, and nothing else of what it does. JSON that follows
/// `=` is taken as it is, to its last bracket.
///
/// # Errors
///
/// A quote or a bracket without its other one.
pub fn shell_words(line: &str) -> Result<Vec<String>, Fault> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c.is_ascii_whitespace() {
            words.extend(word.take());
            rest = after;
            continue;
        }
        let is_value = word.as_ref().is_some_and(|word| word.ends_with('='));
        let word = word.get_or_insert_default();
        rest = match c {
            '\'' => {
                let end = after.find('\'').ok_or_else(|| unclosed('\''))?;
                word.push_str(&after[..end]);
                &after[end + 1..]
            }
            '"' => double_quoted(word, after)?,
            '\\' => {
                let escaped = after
                    .chars()
                    .next()
                    .ok_or_else(|| fault("the line ends with a backslash"))?;
                if escaped != '\n' {
                    word.push(escaped);
                }
                &after[escaped.len_utf8()..]
            }
            '{' | '[' if is_value => {
                let end = json_end(rest).ok_or_else(|| unclosed(c))?;
                word.push_str(&rest[..end]);
                &rest[end..]
            }
            _ => {
                word.push(c);
                after
            }
        };
    }
    words.extend(word);
    Ok(words)
}

/// Appends what is before the closing quote, and returns what is after it.
fn double_quoted<'a>(word: &mut String, text: &'a str) -> Result<&'a str, Fault> {
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Ok(&text[index + 1..]),
            '\\' => match chars.next() {
                Some((_, '\n')) => (),
                Some((_, escaped @ ('"' | '\\' | '$' | '`'))) => word.push(escaped),
                Some((_, other)) => word.extend(['\\', other]),
                None => break,
            },
            c => word.push(c),
        }
    }
    Err(unclosed('"'))
}

/// Where the JSON object or array ends that the text begins with.
fn json_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' if in_string => drop(bytes.next()),
            b'"' => in_string = !in_string,
            _ if in_string => (),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            _ => (),
        }
    }
    None
}

fn unclosed(open: char) -> Fault {
    fault(format!("the {open} is not closed"))
}

fn fault(message: impl Into<String>) -> Fault {
    Fault {
        path: Path::root(),
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<String>, String> {
        shell_words(line).map_err(|fault| fault.to_string())
    }

    #[test]
    fn words_are_those_of_a_shell() {
        for (line, expected) in [
            ("", &[][..]),
            (" a  b\t\nc ", &["a", "b", "c"]),
            ("a='b c' d=\"e f\"", &["a=b c", "d=e f"]),
            (r#"a='it'\''s' b="\"\\\x\$""#, &["a=it's", r#"b="\\x$"#]),
            (r"a\ b c\'d ''", &["a b", "c'd", ""]),
            (
                r#"a={"b": "} ' ]", "c": [1]} d"#,
                &[r#"a={"b": "} ' ]", "c": [1]}"#, "d"],
            ),
            (r#"a='{"b": 1}'"#, &[r#"a={"b": 1}"#]),
            ("{ [", &["{", "["]),
        ] {
            let expected: Vec<String> = expected.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(words(line), Ok(expected), "{line}");
        }
        for (line, fault) in [
            ("a='b", "the ' is not closed"),
            ("a=\"b\\", "the \" is not closed"),
            ("a={\"}\"", "the { is not closed"),
            ("a\\", "the line ends with a backslash"),
        ] {
            assert_eq!(words(line).unwrap_err(), fault, "{line}");
        }
    }

    #[test]
    fn only_what_needs_quotes_has_them() {
        for (word, expected) in [
            ("driver=qcow2", "driver=qcow2"),
            ("a=", "a="),
            ("a=b c", "a='b c'"),
            ("a=it's", r"a='it'\''s'"),
            ("a={}", "a='{}'"),
            ("a b=c", "'a b'=c"),
            ("", "''"),
            ("~", "'~'"),
        ] {
            assert_eq!(shell_word(word), expected);
            assert_eq!(shell_words(expected).unwrap(), [word]);
        }
    }

    #[test]
    fn a_line_is_a_command() {
        let read = parse_line(None, r#"--oob yank instances=[{"type":"migration"}]"#).unwrap();
        assert_eq!((read.command.as_str(), read.oob), ("yank", true));
        let arguments = r#"{"instances":[{"type":"migration"}]}"#;
        assert_eq!(read.arguments.as_deref(), Some(arguments));
        assert_eq!(
            line_text(None, "yank", true, Some(arguments)).unwrap(),
            r#"--oob yank instances='[{"type":"migration"}]'"#
        );
        assert_eq!(line_text(None, "stop", false, None).unwrap(), "stop");
        assert_eq!(parse_line(None, " stop ").unwrap().arguments, None);
        for line in ["", "--oob", "stop x", "a='"] {
            assert!(parse_line(None, line).is_err(), "{line}");
        }
        assert!(line_text(None, "--oob", false, None).is_err());
    }
}
