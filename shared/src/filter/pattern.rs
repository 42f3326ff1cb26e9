//! The patterns of an expression: `match` and `search` of RFC 9535, over
//! regular expressions of bounded size.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;
use serde_json_path::functions::{LogicalType, ValueType};

use super::expression::string_len;

/// Most regular expressions that a thread keeps compiled.
const MAX_COMPILED: usize = 64;

/// Most bytes that one of them takes, and with that, how long it may look at a
/// character. All that an expression can hold fits, but for counts like
/// `{1000}` of much.
const MAX_COMPILED_BYTES: usize = 64 << 10;

/// What has patterns, and what part of the text they are for.
const FUNCTIONS: [(&str, Part); 2] = [("match(", Part::Whole), ("search(", Part::Any)];

/// Which part of a text has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Whole,
    Any,
}

/// `match` of RFC 9535, section 2.4.6: the whole string.
#[serde_json_path::function(name = "match")]
fn matches(value: ValueType, pattern: ValueType) -> LogicalType {
    is_match(&value, &pattern, Part::Whole)
}

/// `search` of RFC 9535, section 2.4.7: somewhere in the string.
#[serde_json_path::function(name = "search")]
fn search(value: ValueType, pattern: ValueType) -> LogicalType {
    is_match(&value, &pattern, Part::Any)
}

/// False where either is not a string, or the pattern is none or too large: it
/// may come from the event.
fn is_match(value: &ValueType<'_>, pattern: &ValueType<'_>, part: Part) -> LogicalType {
    thread_local! {
        static COMPILED: RefCell<HashMap<(Part, String), Option<Regex>>> = RefCell::default();
    }
    let (Some(Value::String(text)), Some(Value::String(pattern))) =
        (value.as_value(), pattern.as_value())
    else {
        return LogicalType::False;
    };
    COMPILED.with_borrow_mut(|compiled| {
        let key = (part, pattern.clone());
        if compiled.len() >= MAX_COMPILED && !compiled.contains_key(&key) {
            compiled.clear();
        }
        let regex = compiled.entry(key);
        let regex = regex.or_insert_with(|| compile(pattern, part).ok());
        regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
            .into()
    })
}

fn compile(pattern: &str, part: Part) -> Result<Regex, regex_lite::Error> {
    let build = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(MAX_COMPILED_BYTES).build()
    };
    // By itself first: `a)(b` would be one with what is put around it.
    build(pattern)?;
    build(&match part {
        Part::Whole => format!("(?R)^(?:{pattern})$"),
        Part::Any => format!("(?R)(?:{pattern})"),
    })
}

/// Refuses a pattern that stands in the expression and is none, which would
/// silently match nothing. The expression is one that parses.
///
/// # Errors
///
/// The byte where the pattern begins, and what is wrong with it.
pub(super) fn check(text: &str) -> Result<(), (usize, String)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let named = FUNCTIONS
            .iter()
            .find(|(name, _)| rest.starts_with(name.as_bytes()));
        if let Some((name, part)) = named
            && let Some((start, literal)) = second_argument(text, at + name.len())
            && let Some(pattern) = read(literal)
            && let Err(error) = compile(&pattern, *part)
        {
            return Err((start, error.to_string()));
        }
        at += match byte {
            b'"' | b'\'' => 1 + string_len(&rest[1..], byte),
            _ => 1,
        };
    }
    Ok(())
}

/// The second argument of a function whose first one begins here, if that is a
/// string, and where it begins.
fn second_argument(text: &str, mut at: usize) -> Option<(usize, &str)> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        match byte {
            b'"' | b'\'' => at += string_len(&bytes[at..], byte),
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => break,
            _ => {}
        }
    }
    let rest = text.get(at..)?;
    let literal = rest.trim_start();
    let start = at + rest.len() - literal.len();
    let quote = literal
        .bytes()
        .next()
        .filter(|byte| b"\"'".contains(byte))?;
    let end = 1 + string_len(&literal.as_bytes()[1..], quote);
    Some((start, literal.get(..end)?))
}

/// What a string literal of RFC 9535 stands for: it is one of JSON, but for the
/// quotes.
fn read(literal: &str) -> Option<String> {
    let Some(inner) = literal.strip_prefix('\'') else {
        return serde_json::from_str(literal).ok();
    };
    let inner = inner.strip_suffix('\'')?;
    let mut json = String::with_capacity(literal.len() + 2);
    json.push('"');
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => match chars.next()? {
                '\'' => json.push('\''),
                escaped => json.extend(['\\', escaped]),
            },
            _ => json.push(c),
        }
    }
    json.push('"');
    serde_json::from_str(&json).ok()
}
