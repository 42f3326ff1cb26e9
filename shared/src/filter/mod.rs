//! Which events somebody wants to see.
//!
//! The same code filters on the server (subscriptions), in the library
//! (listeners) and in the browser (the events page), so that one filter means
//! one thing. It judges a name, and with the feature `where` what the event
//! says; it knows no transport.

#[cfg(feature = "where")]
mod expression;
#[cfg(feature = "where")]
mod fault;
#[cfg(feature = "where")]
mod pattern;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

#[cfg(feature = "where")]
use crate::model::Event;

#[cfg(feature = "where")]
pub use expression::{Expression, ExpressionError, MAX_EXPRESSION_BYTES, Verdict, string_len};

/// Most patterns that one filter holds.
pub const MAX_NAMES: usize = 256;

/// Longest pattern, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// An event filter: event names with `*` globs and, with the feature `where`,
/// an expression.
///
/// An empty filter accepts every event. Names are compared byte by byte: QMP
/// event names are case-sensitive.
///
/// ```
/// use qmp_shared::filter::EventFilter;
///
/// let filter: EventFilter = "STOP, BLOCK_JOB_*".parse()?;
/// assert!(filter.matches_name("STOP"));
/// assert!(filter.matches_name("BLOCK_JOB_READY"));
/// assert!(!filter.matches_name("RESUME"));
/// # Ok::<(), qmp_shared::filter::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct EventFilter {
    names: Vec<String>,
    /// Not part of the JSON, which is the list of names.
    #[cfg(feature = "where")]
    expression: Option<Expression>,
}

/// Why a filter was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FilterError {
    /// A pattern is empty; an empty *list* is how to ask for all events.
    #[error("name {position} of the event filter is empty")]
    EmptyName {
        /// Which one, counted from 1.
        position: usize,
    },
    /// A pattern is longer than [`MAX_NAME_BYTES`].
    #[error("name {position} of the event filter has {bytes} bytes, more than {MAX_NAME_BYTES}")]
    LongName {
        /// Which one, counted from 1.
        position: usize,
        /// Its length.
        bytes: usize,
    },
    /// More than [`MAX_NAMES`] patterns.
    #[error("the event filter has {0} names, more than {MAX_NAMES}")]
    TooManyNames(usize),
}

impl EventFilter {
    /// The filter that accepts every event.
    pub fn all() -> Self {
        Self::default()
    }

    /// A filter for events whose name matches one of the patterns; no pattern
    /// at all accepts every event.
    ///
    /// # Errors
    ///
    /// [`FilterError`] for an empty or overlong pattern, or too many of them.
    pub fn names<S: Into<String>>(
        patterns: impl IntoIterator<Item = S>,
    ) -> Result<Self, FilterError> {
        let names: Vec<String> = patterns.into_iter().map(Into::into).collect();
        if names.len() > MAX_NAMES {
            return Err(FilterError::TooManyNames(names.len()));
        }
        for (index, name) in names.iter().enumerate() {
            let position = index + 1;
            if name.is_empty() {
                return Err(FilterError::EmptyName { position });
            }
            if name.len() > MAX_NAME_BYTES {
                let bytes = name.len();
                return Err(FilterError::LongName { position, bytes });
            }
        }
        Ok(Self {
            names,
            #[cfg(feature = "where")]
            expression: None,
        })
    }

    /// The same names, and of those only events of which the expression holds.
    #[cfg(feature = "where")]
    pub fn with_expression(mut self, expression: Expression) -> Self {
        self.expression = Some(expression);
        self
    }

    /// The expression, if there is one.
    #[cfg(feature = "where")]
    pub fn expression(&self) -> Option<&Expression> {
        self.expression.as_ref()
    }

    /// What the filter says of an event: its name first, then the expression,
    /// if there is one.
    #[cfg(feature = "where")]
    pub fn evaluate(&self, event: &Event) -> Verdict {
        if !self.matches_name(event.name()) {
            return Verdict::Rejected;
        }
        match &self.expression {
            Some(expression) => expression.evaluate(event.as_str()),
            None => Verdict::Accepted,
        }
    }

    /// Whether an event of this name passes.
    pub fn matches_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|pattern| glob(pattern, name))
    }

    /// The patterns, as given.
    pub fn patterns(&self) -> &[String] {
        &self.names
    }
}

/// Comma separated, as in `?names=A,B*`; blanks around a name do not count,
/// and a text without any name is the filter for all events.
impl FromStr for EventFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        if text.trim().is_empty() {
            return Ok(Self::all());
        }
        Self::names(text.split(',').map(str::trim))
    }
}

impl fmt::Display for EventFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(","))
    }
}

impl TryFrom<Vec<String>> for EventFilter {
    type Error = FilterError;

    fn try_from(names: Vec<String>) -> Result<Self, FilterError> {
        Self::names(names)
    }
}

impl From<EventFilter> for Vec<String> {
    fn from(filter: EventFilter) -> Self {
        filter.names
    }
}

/// Matches `*` (any run of characters, also none) and literal text. On a
/// mismatch only the latest `*` is tried again, which bounds the cost by the
/// product of the two lengths.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p + 1, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((after_star, from)) = retry {
            retry = Some((after_star, from + 1));
            p = after_star;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, name, expected) in [
            ("STOP", "STOP", true),
            ("STOP", "STOPPED", false),
            ("STOP", "stop", false),
            ("*", "ANY", true),
            ("*", "", true),
            ("BLOCK_*", "BLOCK_JOB_READY", true),
            ("BLOCK_*", "BLOCK_", true),
            ("BLOCK_*", "BLOCK", false),
            ("*_READY", "BLOCK_JOB_READY", true),
            ("*_JOB_*", "BLOCK_JOB_READY", true),
            ("*JOB*JOB*", "BLOCK_JOB_READY", false),
            ("A*B*C", "AxxBxxBxC", true),
            ("A*B*C", "AxxBxxBx", false),
            ("**", "X", true),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} against {name}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        let pattern = "*a".repeat(MAX_NAME_BYTES / 2);
        let name = "a".repeat(100) + "b";
        assert!(!glob(&pattern, &name));
    }

    #[test]
    fn parses_lists() {
        let filter: EventFilter = " STOP ,RESUME".parse().unwrap();
        assert_eq!(filter.patterns(), ["STOP", "RESUME"]);
        assert_eq!(filter.to_string(), "STOP,RESUME");
        assert_eq!("  ".parse::<EventFilter>().unwrap(), EventFilter::all());
        assert_eq!(
            "STOP,,RESUME".parse::<EventFilter>(),
            Err(FilterError::EmptyName { position: 2 })
        );
    }

    #[test]
    fn bounds_are_kept() {
        let many = vec!["A"; MAX_NAMES + 1];
        assert!(matches!(
            EventFilter::names(many),
            Err(FilterError::TooManyNames(_))
        ));
        let long = "A".repeat(MAX_NAME_BYTES + 1);
        assert!(matches!(
            EventFilter::names([long]),
            Err(FilterError::LongName { position: 1, .. })
        ));
    }

    #[cfg(feature = "where")]
    #[test]
    fn the_name_is_judged_before_the_expression() {
        use crate::message::Message;
        let event = |name: &str, data: &str| {
            let text = format!(
                r#"{{"event":"{name}","data":{data},"timestamp":{{"seconds":1,"microseconds":2}}}}"#
            );
            Event::from_message(Message::parse(text).unwrap()).unwrap()
        };
        let filter: EventFilter = "JOB_*".parse().unwrap();
        let filter = filter.with_expression("@.data.id == 'a'".parse().unwrap());
        for (name, data, verdict) in [
            ("JOB_X", r#"{"id":"a"}"#, Verdict::Accepted),
            ("JOB_X", r#"{"id":"b"}"#, Verdict::Rejected),
            ("JOB_X", r#"{"id":"\ud800"}"#, Verdict::Unevaluable),
            ("STOP", r#"{"id":"\ud800"}"#, Verdict::Rejected),
        ] {
            assert_eq!(
                filter.evaluate(&event(name, data)),
                verdict,
                "{name} {data}"
            );
        }
    }

    #[test]
    fn json_is_a_list_of_names() {
        let filter: EventFilter = serde_json::from_str(r#"["STOP","BLOCK_*"]"#).unwrap();
        assert_eq!(
            serde_json::to_string(&filter).unwrap(),
            r#"["STOP","BLOCK_*"]"#
        );
        let error = serde_json::from_str::<EventFilter>(r#"["STOP",""]"#).unwrap_err();
        assert!(error.to_string().contains("name 2"), "{error}");
    }
}
