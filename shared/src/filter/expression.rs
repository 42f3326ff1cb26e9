//! [`Expression`]: the `where` of an event filter, an RFC 9535 logical
//! expression on one event.
//!
//! An expression is what stands in `$[?...]`, applied to a list of the one
//! event; so `@` is the event. Its cost is bounded: it is short, and what walks
//! a whole tree or filters within a filter is refused.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use serde_json_path::JsonPath;
use thiserror::Error;

use super::{fault, pattern};

/// Longest expression, in bytes.
pub const MAX_EXPRESSION_BYTES: usize = 1024;

/// Deepest nesting of parentheses, as the parser takes stack for each.
const MAX_PARENTHESES: usize = 32;

/// What stands before an expression to make a query of it.
const BEFORE: &str = "$[?";

/// A logical expression on an event (RFC 9535, section 2.3.5).
///
/// ```
/// use qmp_shared::filter::{Expression, Verdict};
///
/// let expression: Expression = r#"@.data.id == "job1" && @.data.len > 5"#.parse()?;
/// let event = r#"{"event": "X", "data": {"id": "job1", "len": 6}}"#;
/// assert_eq!(expression.evaluate(event), Verdict::Accepted);
/// # Ok::<(), qmp_shared::filter::ExpressionError>(())
/// ```
#[derive(Clone)]
pub struct Expression {
    text: String,
    path: JsonPath,
}

/// What an expression says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Accepted,
    /// It does not hold.
    Rejected,
    /// The event cannot be looked into: it is nested too deep, or has a string
    /// that no text can hold.
    Unevaluable,
}

/// Why a text is no expression, or is refused as one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExpressionError {
    /// Longer than [`MAX_EXPRESSION_BYTES`].
    #[error("the expression has {0} bytes, more than {MAX_EXPRESSION_BYTES}")]
    TooLong(usize),
    /// It does not parse.
    #[error("{message}, at column {column}")]
    Syntax {
        /// Where, in characters from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A pattern of `match` or `search` that could never match, as it is no
    /// regular expression or too large a one.
    #[error("the pattern is of no use: {message}, at column {column}")]
    Pattern {
        /// Where, in characters from 1.
        column: usize,
        /// What is wrong with it.
        message: String,
    },
    /// `..` walks all that is below.
    #[error("`..` is not allowed, at column {column}")]
    Descendants {
        /// Where, in characters from 1.
        column: usize,
    },
    /// A filter within the filter.
    #[error("a filter within the expression is not allowed, at column {column}")]
    NestedFilter {
        /// Where, in characters from 1.
        column: usize,
    },
    /// It looks at something else than the event.
    #[error("`$` is not allowed, as there is nothing but the event, `@`; at column {column}")]
    Root {
        /// Where, in characters from 1.
        column: usize,
    },
}

impl ExpressionError {
    /// Where, in characters from 1; `None` if it is the expression as a whole.
    pub fn column(&self) -> Option<usize> {
        match self {
            Self::TooLong(_) => None,
            Self::Syntax { column, .. }
            | Self::Pattern { column, .. }
            | Self::Descendants { column }
            | Self::NestedFilter { column }
            | Self::Root { column } => Some(*column),
        }
    }
}

impl Expression {
    /// What the expression says of an event, given as JSON text.
    pub fn evaluate(&self, event: &str) -> Verdict {
        let Ok(event) = serde_json::from_str::<Value>(event) else {
            return Verdict::Unevaluable;
        };
        if self.path.query(&Value::Array(vec![event])).is_empty() {
            Verdict::Rejected
        } else {
            Verdict::Accepted
        }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > MAX_EXPRESSION_BYTES {
            return Err(ExpressionError::TooLong(text.len()));
        }
        check(text)?;
        let query = format!("{BEFORE}{text}]");
        let path = JsonPath::parse(&query).map_err(|error| {
            let (at, message) = fault::find(text).unwrap_or_else(|| {
                let at = error.position().saturating_sub(BEFORE.len());
                fault::unexpected(text, at)
            });
            let column = column(text, at);
            ExpressionError::Syntax { column, message }
        })?;
        pattern::check(text).map_err(|(at, message)| {
            let column = column(text, at);
            ExpressionError::Pattern { column, message }
        })?;
        Ok(Self {
            text: text.to_owned(),
            path,
        })
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

/// The column of a byte of the text, from 1.
fn column(text: &str, byte: usize) -> usize {
    let before = text.get(..byte).unwrap_or(text);
    before.chars().count() + 1
}

/// Refuses what could be costly, and what would end the expression within the
/// query around it: brackets must be in pairs, and a comma in something.
fn check(text: &str) -> Result<(), ExpressionError> {
    let bytes = text.as_bytes();
    let (mut open, mut parentheses) = (0_usize, 0_usize);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at + 1..];
        match byte {
            b'"' | b'\'' => at += string_len(rest, byte),
            b'.' if rest.starts_with(b".") => {
                let column = column(text, at);
                return Err(ExpressionError::Descendants { column });
            }
            b'?' => {
                let column = column(text, at);
                return Err(ExpressionError::NestedFilter { column });
            }
            b'$' => {
                let column = column(text, at);
                return Err(ExpressionError::Root { column });
            }
            b'[' => open += 1,
            b']' if open == 0 => {
                return Err(ExpressionError::Syntax {
                    column: column(text, at),
                    message: "`]` closes nothing".to_owned(),
                });
            }
            b']' => open -= 1,
            b'(' if parentheses == MAX_PARENTHESES => {
                return Err(ExpressionError::Syntax {
                    column: column(text, at),
                    message: format!("more than {MAX_PARENTHESES} parentheses are open"),
                });
            }
            b'(' => parentheses += 1,
            b')' => parentheses = parentheses.saturating_sub(1),
            b',' if open == 0 && parentheses == 0 => {
                return Err(ExpressionError::Syntax {
                    column: column(text, at),
                    message: "`,` separates nothing".to_owned(),
                });
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// How many bytes of an expression a string takes whose opening quote is just
/// before `rest`, its closing quote included; all of them where that is missing
/// ([RFC 9535, section 2.3.1](https://www.rfc-editor.org/rfc/rfc9535#section-2.3.1)).
pub fn string_len(rest: &[u8], quote: u8) -> usize {
    let mut escaped = false;
    for (index, &byte) in rest.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"event": "JOB_STATUS_CHANGE", "data": {"id": "job1", "n": 18446744073709551615,
        "status": "concluded", "open": "[", "large": "(x{1000}){200}|job", "list": [1, 2], "ok": true, "none": null, "ü": "grün"}}"#;

    fn verdict(expression: &str) -> Verdict {
        let parsed: Expression = expression
            .parse()
            .unwrap_or_else(|e| panic!("{expression}: {e}"));
        parsed.evaluate(EVENT)
    }

    #[test]
    fn expressions_on_an_event() {
        for accepted in [
            r#"@.data.id == "job1" && @.data.status == "concluded""#,
            "@.data.n == 18446744073709551615",
            "@.data['list'][1] == 2 || @.data.id == 'x'",
            "@.data.ok == true",
            "@.data.none == null",
            "@.data.id",
            "!@.data.missing",
            "length(@.data.list) == 2",
            "count(@.data.*) > 3",
            "match(@.data.id, 'job[0-9]')",
            "search(@.event, 'STATUS')",
            "@.data['ü'] == 'grün'",
            "@.data.ü == 'grün'",
            "@.data.id != 'a..b' && @.data.id != '$?]'",
            "  @.data.ok  ",
        ] {
            assert_eq!(verdict(accepted), Verdict::Accepted, "{accepted}");
        }
        for rejected in [
            "@.data.id == 'JOB1'",
            "@.data.missing",
            "match(@.data.id, 'job')",
            "search(@.data.id, @.data.open)",
            "search(@.data.id, @.data.large)",
            "search(@.data.n, '1')",
            "@.data.n < 5",
        ] {
            assert_eq!(verdict(rejected), Verdict::Rejected, "{rejected}");
        }
    }

    #[test]
    fn parentheses_are_nested_as_deep_as_any_stack_holds() {
        let nested = |depth: usize| "(".repeat(depth) + "@.event" + &")".repeat(depth);
        assert_eq!(verdict(&nested(MAX_PARENTHESES)), Verdict::Accepted);
        let beside = [nested(MAX_PARENTHESES), nested(1)].join(" && ");
        assert_eq!(verdict(&beside), Verdict::Accepted);
        let error = nested(MAX_PARENTHESES + 1).parse::<Expression>();
        let error = error.unwrap_err();
        assert_eq!(error.column(), Some(MAX_PARENTHESES + 1), "{error}");
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_with_its_column() {
        let within = format!("search(@.data.id, '{}|job')", "x".repeat(900));
        assert_eq!(verdict(&within), Verdict::Accepted);
        for (text, column) in [
            (r"match(@.event, '\\p{Lu}+')", 16),
            (r#"match(@.event, "\\p{Lu}+")"#, 16),
            ("search(@.data.id, '[')", 19),
            ("@.ü || search( @.ü ,  'a)(b' )", 23),
            ("search(@.data.id, '(x{1000}){200}|job')", 19),
            ("!(length(@.a) > 1 && match(value(@['x', 'y']), '*'))", 48),
            (r#"search(@.data.id, "\u005b")"#, 19),
            ("match('[', '[')", 12),
        ] {
            let error = text.parse::<Expression>().unwrap_err();
            assert!(matches!(error, ExpressionError::Pattern { .. }), "{text}");
            assert_eq!(error.column(), Some(column), "{text}: {error}");
        }
        for text in [
            "match(@.data.id, @['['])",
            "@.data.id == \"match('x', '[')\"",
            r"match(@.data.id, '\\[|it\'s')",
            r#"match(@.data.id, "\\[|\"|'")"#,
            "match('[', @.data.id)",
            "@.match == 1 && @['search'] == '['",
        ] {
            text.parse::<Expression>()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn what_cannot_be_looked_into_is_told_apart() {
        let expression: Expression = "@.event".parse().unwrap();
        let deep = format!("{{\"event\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for event in [r#"{"event": "\ud800"}"#, &deep, ""] {
            assert_eq!(expression.evaluate(event), Verdict::Unevaluable, "{event}");
        }
    }

    #[test]
    fn faults_have_their_column() {
        for (text, column) in [
            ("@.data.id = 'x'", 11),
            ("@..id", 2),
            ("@.a[?@.b]", 5),
            ("'ü' == $.a", 8),
            ("@.a] || @.b[0", 4),
            ("@.missing, 0", 10),
            ("count(@['a', 'b']) > 1, 0", 23),
            ("@.a é", 5),
        ] {
            let error = text.parse::<Expression>().unwrap_err();
            assert_eq!(error.column(), Some(column), "{text}: {error}");
        }
        for (text, message) in [
            ("@.a && ", "the expression ends too early, at column 8"),
            ("", "the expression ends too early, at column 1"),
            ("@.a 'b'", "unexpected \"'b'\", at column 5"),
            (
                "nope(@.a)",
                "no function `nope`: there are length, count, value, match and search, at column 1",
            ),
        ] {
            let error = text.parse::<Expression>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
        let long = format!("@.a == '{}'", "x".repeat(1024));
        assert_eq!(
            long.parse::<Expression>(),
            Err(ExpressionError::TooLong(long.len()))
        );
    }
}
