//! JSON as text: the strict check before something is sent, and compaction.
//!
//! QEMU answers input that it cannot parse with an error that carries no `id`,
//! which nobody could attribute on a connection with several callers. What it
//! would refuse in that way is therefore refused here first: duplicate keys at
//! any depth, lone surrogates and noncharacters, nesting over [`MAX_DEPTH`],
//! more than [`MAX_TOKENS`] or [`MAX_LENGTH`], and what is not JSON at all.
//! Nothing in here recurses, so that hostile input costs memory in proportion
//! to its length and no stack.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use thiserror::Error;

/// Deepest nesting that QEMU's parser accepts.
pub const MAX_DEPTH: usize = 1024;

/// Most tokens that QEMU's parser accepts; a token is a string, a number, a
/// word, or one of `{}[],:`.
pub const MAX_TOKENS: usize = 2 << 20;

/// Most bytes that QEMU's parser accepts.
pub const MAX_LENGTH: usize = 64 << 20;

/// Deepest nesting that [`pretty`] shows.
pub const MAX_INDENTED: usize = 64;

/// What the command around its arguments takes of each limit; it has a name
/// and an id of our own.
const ENVELOPE_DEPTH: usize = 1;
const ENVELOPE_TOKENS: usize = 16;
const ENVELOPE_LENGTH: usize = 64 << 10;

/// What is wrong with a JSON text, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at line {line} column {column}")]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Byte offset from the beginning of the text.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column within the line in characters, from 1.
    pub column: usize,
}

/// The kinds of [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The text ends before the value does.
    Incomplete,
    /// This does not stand here in JSON.
    Unexpected(String),
    /// A string holds an escape that JSON does not have, or a control
    /// character.
    BadString,
    /// Not a JSON number.
    BadNumber,
    /// Something follows the value.
    Trailing,
    /// An object has two members of this name; the first one is at the path.
    DuplicateKey {
        /// The name, decoded.
        key: String,
        /// The object, as `a.b[2]`; empty at the top.
        path: String,
    },
    /// A string holds half of a surrogate pair.
    LoneSurrogate,
    /// A string holds a code point that is no character for good, as U+FFFE
    /// (the Unicode standard, section 23.7).
    Noncharacter(char),
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More than [`MAX_TOKENS`].
    TooManyTokens,
    /// More than [`MAX_LENGTH`].
    TooLong,
    /// A value, but not an object.
    NotAnObject,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("the JSON text ends too early"),
            Self::Unexpected(what) => write!(f, "unexpected {what}"),
            Self::BadString => f.write_str("a string with a bad escape or a control character"),
            Self::BadNumber => f.write_str("not a JSON number"),
            Self::Trailing => f.write_str("something follows the JSON value"),
            Self::DuplicateKey { key, path } if path.is_empty() => {
                write!(f, "duplicate key {key:?}")
            }
            Self::DuplicateKey { key, path } => write!(f, "duplicate key {key:?} in {path}"),
            Self::LoneSurrogate => f.write_str("a string with half of a surrogate pair"),
            Self::Noncharacter(c) => {
                let code = u32::from(*c);
                write!(f, "a string with the noncharacter U+{code:04X}")
            }
            Self::TooDeep => write!(f, "nesting deeper than a command's {MAX_DEPTH}"),
            Self::TooManyTokens => write!(f, "more than a command's {MAX_TOKENS} tokens"),
            Self::TooLong => write!(f, "more than a command's {MAX_LENGTH} bytes"),
            Self::NotAnObject => f.write_str("not a JSON object"),
        }
    }
}

impl Fault {
    /// Whether the text is not JSON, as opposed to JSON that must not be sent.
    pub fn is_syntax(&self) -> bool {
        !matches!(
            self.kind,
            FaultKind::DuplicateKey { .. }
                | FaultKind::LoneSurrogate
                | FaultKind::Noncharacter(_)
                | FaultKind::TooDeep
                | FaultKind::TooManyTokens
                | FaultKind::TooLong
                | FaultKind::NotAnObject
        )
    }
}

/// Checks that the text is one JSON value that may be sent.
///
/// # Errors
///
/// The first [`Fault`].
pub fn check(text: &str) -> Result<(), Fault> {
    Checker::new(text).run()
}

/// Checks that the text is one JSON object that may be sent as the arguments
/// of a command, whose own nesting and length count too.
///
/// # Errors
///
/// The first [`Fault`].
pub fn check_arguments(text: &str) -> Result<(), Fault> {
    let mut checker = Checker::new(text);
    checker.depth -= ENVELOPE_DEPTH;
    checker.tokens -= ENVELOPE_TOKENS;
    checker.length -= ENVELOPE_LENGTH;
    checker.skip_space();
    if !checker.rest().starts_with('{') {
        check(text)?;
        return Err(checker.fault(FaultKind::NotAnObject));
    }
    checker.run()
}

/// The text without the whitespace that stands outside strings. The text must
/// be JSON; of other text it drops the same characters.
pub fn compact(text: &str) -> Cow<'_, str> {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    if !text.bytes().any(is_space) {
        return Cow::Borrowed(text);
    }
    let mut compacted = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut kept_from) = (false, false, 0);
    for (index, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
        } else if is_space(byte) {
            compacted.push_str(&text[kept_from..index]);
            kept_from = index + 1;
        } else {
            in_string = byte == b'"';
        }
    }
    compacted.push_str(&text[kept_from..]);
    Cow::Owned(compacted)
}

/// The text with one member or item a line, indented by four, and everything
/// else as it is. The text must be JSON. What is nested deeper than
/// [`MAX_INDENTED`] is indented as far as that.
pub fn pretty(text: &str) -> String {
    let compact = compact(text);
    let mut text = String::with_capacity(compact.len() * 2);
    let mut depth: usize = 0;
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = compact.chars().peekable();
    while let Some(c) = rest.next() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            text.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                let closing = rest.next_if(|next| matches!(next, '}' | ']'));
                match closing {
                    Some(closing) => text.push(closing),
                    None => {
                        depth += 1;
                        new_line(&mut text, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c => {
                in_string = c == '"';
                text.push(c);
            }
        }
    }
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"    ".repeat(depth.min(MAX_INDENTED)));
}

/// An open array or object.
enum Open {
    Array { index: usize },
    Object { keys: HashSet<String>, key: String },
}

struct Checker<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open>,
    /// How deep it may be.
    depth: usize,
    /// How many more tokens there may be.
    tokens: usize,
    /// How many bytes there may be.
    length: usize,
}

impl<'a> Checker<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
            depth: MAX_DEPTH,
            tokens: MAX_TOKENS,
            length: MAX_LENGTH,
        }
    }

    fn run(mut self) -> Result<(), Fault> {
        if self.text.len() > self.length {
            return Err(self.fault(FaultKind::TooLong));
        }
        loop {
            self.value()?;
            if !self.after_value()? {
                break;
            }
        }
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.fault(FaultKind::Trailing));
        }
        Ok(())
    }

    /// Reads a value; of an array or object only as far as its first value.
    fn value(&mut self) -> Result<(), Fault> {
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'{') => {
                    self.enter(Open::Object {
                        keys: HashSet::new(),
                        key: String::new(),
                    })?;
                    self.skip_space();
                    if self.peek() == Some(b'}') {
                        return self.leave();
                    }
                    self.key()?;
                }
                Some(b'[') => {
                    self.enter(Open::Array { index: 0 })?;
                    self.skip_space();
                    if self.peek() == Some(b']') {
                        return self.leave();
                    }
                }
                Some(b'"') => return self.string().map(drop),
                Some(b'-' | b'0'..=b'9') => return self.number(),
                _ => return self.literal(),
            }
        }
    }

    /// What follows a value: whether another one does.
    fn after_value(&mut self) -> Result<bool, Fault> {
        loop {
            self.skip_space();
            let (closing, in_object) = match self.open.last() {
                None => return Ok(false),
                Some(Open::Array { .. }) => (b']', false),
                Some(Open::Object { .. }) => (b'}', true),
            };
            match self.peek() {
                Some(b',') => {
                    self.token()?;
                    self.at += 1;
                    if in_object {
                        self.skip_space();
                        self.key()?;
                    } else if let Some(Open::Array { index }) = self.open.last_mut() {
                        *index += 1;
                    }
                    return Ok(true);
                }
                Some(byte) if byte == closing => self.leave()?,
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn token(&mut self) -> Result<(), Fault> {
        match self.tokens.checked_sub(1) {
            Some(fewer) => self.tokens = fewer,
            None => return Err(self.fault(FaultKind::TooManyTokens)),
        }
        Ok(())
    }

    fn enter(&mut self, open: Open) -> Result<(), Fault> {
        self.token()?;
        if self.open.len() >= self.depth {
            return Err(self.fault(FaultKind::TooDeep));
        }
        self.open.push(open);
        self.at += 1;
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Fault> {
        self.token()?;
        self.open.pop();
        self.at += 1;
        Ok(())
    }

    fn key(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let start = self.at;
        let name = self.string()?;
        let mut duplicate = false;
        if let Some(Open::Object { keys, key }) = self.open.last_mut() {
            duplicate = !keys.insert(name.clone());
            key.clone_from(&name);
        }
        if duplicate {
            let path = self.path();
            self.at = start;
            return Err(self.fault(FaultKind::DuplicateKey { key: name, path }));
        }
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.token()?;
        self.at += 1;
        Ok(())
    }

    /// Reads a string and returns it decoded.
    fn string(&mut self) -> Result<String, Fault> {
        self.token()?;
        let start = self.at;
        let mut escaped = false;
        let length = self.rest()[1..].bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(length) = length else {
            return Err(self.fault(FaultKind::Incomplete));
        };
        let end = start + length + 2;
        let token = &self.text[start..end];
        match serde_json::from_str::<String>(token) {
            Ok(decoded) => {
                if let Some(found) = decoded.chars().find(|&c| is_noncharacter(c)) {
                    return Err(self.fault(FaultKind::Noncharacter(found)));
                }
                self.at = end;
                Ok(decoded)
            }
            Err(_) if is_string_but_for_surrogates(token) => {
                Err(self.fault(FaultKind::LoneSurrogate))
            }
            Err(_) => Err(self.fault(FaultKind::BadString)),
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.token()?;
        let length = self
            .rest()
            .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(self.rest().len());
        if !is_number(&self.rest()[..length]) {
            return Err(self.fault(FaultKind::BadNumber));
        }
        self.at += length;
        Ok(())
    }

    fn literal(&mut self) -> Result<(), Fault> {
        self.token()?;
        for word in ["true", "false", "null"] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err(self.unexpected())
    }

    /// Where the value being read stands.
    fn path(&self) -> String {
        let mut path = String::new();
        let outer = self.open.len().saturating_sub(1);
        for open in &self.open[..outer] {
            match open {
                Open::Array { index } => path.push_str(&format!("[{index}]")),
                Open::Object { key, .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
            }
        }
        path
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> Fault {
        match self.rest().chars().next() {
            Some(found) => self.fault(FaultKind::Unexpected(format!("{found:?}"))),
            None => self.fault(FaultKind::Incomplete),
        }
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        let before = &self.text[..self.at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Fault {
            kind,
            offset: self.at,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// `RawValue` checks all of a string but its surrogates.
fn is_string_but_for_surrogates(token: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(token).is_ok()
}

fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code)
}

/// RFC 8259, section 6.
fn is_number(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> FaultKind {
        check(text).unwrap_err().kind
    }

    #[test]
    fn json_passes() {
        for text in [
            "null",
            " [ ] ",
            "{}",
            r#"{"a":{"a":[{"a":1},{"a":2}]},"b":-1.5e+3}"#,
            r#"["\ud83d\ude00", "é", 123456789012345678901234567890]"#,
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_does_not() {
        for text in [
            "",
            "{",
            "[1,",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "[01]",
            "[1.]",
            "[-]",
            "tru",
            "\"abc",
            "\"\\x\"",
            "\"\u{1}\"",
            "1 2",
            "[1]]",
            "{\"a\":1,}",
            "[,]",
            "'a'",
            "inf",
            "[1}",
            "{\"a\":1]",
            "\u{feff}1",
        ] {
            let fault = check(text).unwrap_err();
            assert!(fault.is_syntax(), "{text}: {fault}");
            assert!(
                serde_json::from_str::<serde_json::Value>(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn duplicates_are_found_by_their_decoded_name() {
        let text = "{\"x\":[0,{\"k\":1,\n \"\\u006b\":2}]}";
        let fault = check(text).unwrap_err();
        let expected = FaultKind::DuplicateKey {
            key: "k".into(),
            path: "x[1]".into(),
        };
        assert_eq!((fault.kind, fault.line, fault.column), (expected, 2, 2));
    }

    #[test]
    fn lone_surrogates_are_refused() {
        for text in [
            r#""\ud800""#,
            r#"{"a":"\udc00"}"#,
            r#"{"\ud800x":1}"#,
            r#"["\ud800\u0041"]"#,
        ] {
            assert_eq!(kind(text), FaultKind::LoneSurrogate, "{text}");
        }
    }

    #[test]
    fn noncharacters_are_refused() {
        for text in [
            "[\"\u{fffe}\"]",
            r#"["\uffff"]"#,
            "\"\u{fdd0}\"",
            r#"{"\ud83f\udfff":1}"#,
        ] {
            let kind = kind(text);
            assert!(matches!(kind, FaultKind::Noncharacter(_)), "{text}: {kind}");
        }
        assert_eq!(
            kind("\"\u{fffe}\"").to_string(),
            "a string with the noncharacter U+FFFE"
        );
        assert_eq!(check("\"\\u0000\u{7f}\u{fffd}\u{fdcf}\u{10fffd}\""), Ok(()));
    }

    #[test]
    fn tokens_and_bytes_are_bounded() {
        // Each element is two tokens, with its comma or with the brackets.
        let array = |elements: usize| format!("[{}1]", "1,".repeat(elements - 1));
        let most = MAX_TOKENS / 2 - 1;
        assert_eq!(check(&array(most)), Ok(()));
        assert_eq!(kind(&array(most + 1)), FaultKind::TooManyTokens);
        let arguments = format!("{{\"x\":{}}}", array(most));
        let fault = check_arguments(&arguments).unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooManyTokens);
        let long = format!("\"{}\"", "x".repeat(MAX_LENGTH));
        assert_eq!(kind(&long), FaultKind::TooLong);
    }

    #[test]
    fn depth_is_bounded_without_recursion() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(kind(&nested(MAX_DEPTH + 1)), FaultKind::TooDeep);
        assert_eq!(kind(&"[".repeat(1_000_000)), FaultKind::TooDeep);
        // Of the depth of a command, its arguments do not have the first.
        let arguments = |depth| format!("{{\"x\":{}}}", nested(depth));
        assert_eq!(check_arguments(&arguments(MAX_DEPTH - 2)), Ok(()));
        let fault = check_arguments(&arguments(MAX_DEPTH - 1)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooDeep);
    }

    #[test]
    fn objects_only() {
        assert_eq!(check_arguments(" {} "), Ok(()));
        assert_eq!(
            check_arguments("[]").unwrap_err().kind,
            FaultKind::NotAnObject
        );
        assert!(check_arguments("[").unwrap_err().is_syntax());
    }

    #[test]
    fn compaction_leaves_strings_alone() {
        assert_eq!(
            compact("{ \"a b\" : \"\\\" c\\\\\" ,\r\n\t\"d\":[ ] }"),
            r#"{"a b":"\" c\\","d":[]}"#
        );
        assert!(matches!(compact("{}"), Cow::Borrowed(_)));
    }

    #[test]
    fn deep_nesting_is_laid_out_in_proportion_to_its_length() {
        assert_eq!(
            pretty("[[1,{}]]"),
            "[\n    [\n        1,\n        {}\n    ]\n]"
        );
        let deep = "[".repeat(10_000) + "1" + &"]".repeat(10_000);
        let laid_out = pretty(&deep);
        assert_eq!(compact(&laid_out), deep);
        assert!(laid_out.len() <= deep.len() * (4 * MAX_INDENTED + 2));
    }
}
