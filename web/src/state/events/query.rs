//! Which events a page shows, as text and as a filter.

use qmp_shared::filter::{EventFilter, Expression, ExpressionError, FilterError, Verdict};
use serde::{Deserialize, Deserializer, Serialize};

use super::log::{Log, Row, What};
use crate::state::text::{clip, percent_encoded, visible};
use crate::state::time::Instant;

/// Longest part of what is no time that is told, in bytes.
const LONGEST_TOLD: usize = 40;

/// A filter as it is written: in the address, in what is kept, and by users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FilterText {
    /// Only this session; all when empty.
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) session: String,
    /// Sessions that are left out, separated by commas, which no session has in
    /// its name.
    #[serde(
        deserialize_with = "or_nothing",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) except: String,
    /// Names with globs, separated by commas.
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) names: String,
    /// An expression on the event.
    #[serde(rename = "where", deserialize_with = "or_nothing")]
    pub(crate) expression: String,
    /// RFC 3339: what the log has until then, and nothing new.
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) until: String,
    /// Whether the commands that this tab sent are shown too.
    #[serde(deserialize_with = "or_nothing", skip_serializing_if = "is_off")]
    pub(crate) commands: bool,
}

/// A filter that is kept by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedFilter {
    /// What its user calls it.
    #[serde(default)]
    pub(crate) name: String,
    /// The filter.
    #[serde(flatten)]
    pub(crate) text: FilterText,
}

/// What is kept may be of another version, which had `null` for nothing.
fn or_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_off(is_on: &bool) -> bool {
    !is_on
}

impl FilterText {
    /// The parts that are there, by their names in the address.
    fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [
            ("session", &*self.session),
            ("except", &*self.except),
            ("names", &*self.names),
            ("where", &*self.expression),
            ("until", &*self.until),
            ("commands", if self.commands { "true" } else { "" }),
        ];
        parts.into_iter().filter(|(_, value)| !value.is_empty())
    }

    /// The address of the events page with this filter.
    pub(crate) fn address(&self) -> String {
        let mut address = String::from("/events");
        for (key, value) in self.parts() {
            push_parameter(&mut address, key, value);
        }
        address
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts().next().is_none()
    }

    /// The filter in one line, for a list of filters.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        for (key, value) in self.parts() {
            if !words.is_empty() {
                words.push_str(" · ");
            }
            words.push_str(match key {
                "session" => "session ",
                "except" => "without session ",
                "until" => "until ",
                _ => "",
            });
            words.push_str(if key == "commands" {
                "with my commands"
            } else {
                value
            });
        }
        words
    }

    /// The names.
    ///
    /// # Errors
    ///
    /// [`FilterError`].
    pub(crate) fn parse_names(&self) -> Result<EventFilter, FilterError> {
        self.names.parse()
    }

    /// The expression; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`], which knows the column.
    pub(crate) fn parse_expression(&self) -> Result<Option<Expression>, ExpressionError> {
        match self.expression.trim() {
            "" => Ok(None),
            // As it is, so that the column is that of the field.
            _ => self.expression.parse().map(Some),
        }
    }

    /// Until when; `None` where it goes on.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse_until(&self) -> Result<Option<Instant>, String> {
        match &*self.until {
            "" => Ok(None),
            text => Instant::parse(text).map(Some).ok_or_else(|| {
                let (start, more) = clip(text, LONGEST_TOLD);
                let end = if more > 0 { "…" } else { "" };
                let shown = visible(start);
                [
                    "“",
                    &shown,
                    end,
                    "” is no time such as 2026-01-31T14:03:59Z",
                ]
                .concat()
            }),
        }
    }

    /// The sessions that are left out.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = &str> {
        self.except.split(',').filter(|name| !name.is_empty())
    }

    /// The same filter with this session only, or with all of them.
    pub(crate) fn only_session(&self, session: &str) -> Self {
        Self {
            session: session.to_owned(),
            except: String::new(),
            ..self.clone()
        }
    }

    /// The same filter without this session; `None` where that cannot be said.
    pub(crate) fn without_session(&self, session: &str) -> Option<Self> {
        let is_name = !session.is_empty() && !session.contains(',');
        let is_said = !self.session.is_empty() || self.left_out().any(|name| name == session);
        (is_name && !is_said).then(|| {
            let mut names: Vec<_> = self.left_out().collect();
            names.push(session);
            Self {
                except: names.join(","),
                ..self.clone()
            }
        })
    }

    /// The same filter with a session that was left out.
    pub(crate) fn with_session(&self, session: &str) -> Self {
        let names: Vec<_> = self.left_out().filter(|name| *name != session).collect();
        Self {
            except: names.join(","),
            ..self.clone()
        }
    }

    /// The query, where all of its parts are right.
    pub(crate) fn query(&self) -> Option<Query> {
        let filter = self.parse_names().ok()?;
        Some(Query {
            session: Some(self.session.clone()).filter(|session| !session.is_empty()),
            except: self.left_out().map(str::to_owned).collect(),
            filter: match self.parse_expression().ok()? {
                Some(expression) => filter.with_expression(expression),
                None => filter,
            },
            until: self.parse_until().ok()?,
            commands: self.commands,
        })
    }

    /// The same filter, and in place of each part that is not right, as while it
    /// is typed, that of a filter of which all parts are.
    pub(crate) fn applied(&self, before: &Self) -> Self {
        let part = |is_right: bool, own: &String, before: &String| {
            if is_right {
                own.clone()
            } else {
                before.clone()
            }
        };
        let (names, expression) = (self.parse_names().is_ok(), self.parse_expression().is_ok());
        Self {
            names: part(names, &self.names, &before.names),
            expression: part(expression, &self.expression, &before.expression),
            until: part(self.parse_until().is_ok(), &self.until, &before.until),
            ..self.clone()
        }
    }

    /// Says which parts are not right, and what is [`Self::applied`] instead.
    pub(crate) fn not_applied(&self, applied: &Self) -> Vec<String> {
        let parts = [
            ("“Filter by name”", &self.names, &applied.names),
            ("“Where”", &self.expression, &applied.expression),
            ("“Until”", &self.until, &applied.until),
        ];
        let others = parts.into_iter().filter(|(_, own, applied)| own != applied);
        let words = |(label, _, applied): (&str, &String, &String)| {
            let mut words = label.to_owned() + " is not valid: ";
            match clip(applied.trim(), LONGEST_TOLD) {
                ("", _) => words.push_str("not applied."),
                (start, more) => {
                    words.push_str(&visible(start));
                    words.push_str(if more > 0 {
                        "… still applies."
                    } else {
                        " still applies."
                    });
                }
            }
            words
        };
        others.map(words).collect()
    }

    /// The same filter, and of what passes it only what meets the condition.
    pub(crate) fn and(&self, condition: &str) -> Self {
        let before = self.expression.trim();
        let expression = match before {
            "" => condition.to_owned(),
            before if conjuncts(before).is_none() => "(".to_owned() + before + ") && " + condition,
            before => before.to_owned() + " && " + condition,
        };
        Self {
            expression,
            ..self.clone()
        }
    }
}

/// The conditions of an expression that all have to be met; `None` where one of
/// several is enough.
pub(super) fn conjuncts(expression: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    let mut bytes = expression.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => _ = bytes.next(),
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            (None, b'|') if depth == 0 => return None,
            (None, b'&') if depth == 0 && at >= start => {
                found.push(expression[start..at].trim());
                start = at + 2;
            }
            (None, _) => {}
        }
    }
    found.push(expression.get(start..).unwrap_or_default().trim());
    Some(found)
}

pub(super) fn push_parameter(address: &mut String, key: &str, value: &str) {
    address.push(if address.contains('?') { '&' } else { '?' });
    address.push_str(key);
    address.push('=');
    address.push_str(&percent_encoded(value));
}

/// Which rows a feed shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Only this session; all when `None`.
    pub(crate) session: Option<String>,
    /// Not these sessions.
    pub(crate) except: Vec<String>,
    /// Only events that pass.
    pub(crate) filter: EventFilter,
    /// Only what the log has until then.
    pub(crate) until: Option<Instant>,
    /// Whether the commands that this tab sent are shown too.
    pub(crate) commands: bool,
}

impl Query {
    /// What is said of a row. A gap is shown whatever the filter is: the missing
    /// events might have passed. So is what became of the endpoint, and the
    /// user's own commands when they are wanted.
    pub(super) fn judge(&self, row: &Row) -> Verdict {
        // What is of no session is of all.
        if !row.session.is_empty() && !self.has_session(&row.session) {
            return Verdict::Rejected;
        }
        match &row.what {
            What::Event(event) if self.filter.matches_name(&event.name) => {
                match self.filter.expression() {
                    Some(expression) => expression.evaluate(&event.text),
                    None => Verdict::Accepted,
                }
            }
            What::Event(_) => Verdict::Rejected,
            What::Command(_) if !self.commands => Verdict::Rejected,
            What::Gap { .. }
            | What::NotLoaded { .. }
            | What::Link(_)
            | What::Renumbered
            | What::Command(_) => Verdict::Accepted,
        }
    }

    /// Whether a session is among those that are shown.
    pub(crate) fn has_session(&self, session: &str) -> bool {
        let wanted = self.session.as_deref();
        wanted.is_none_or(|wanted| wanted == session)
            && !self.except.iter().any(|name| name == session)
    }

    /// The row of the log from which all that passes is there.
    pub(crate) fn floor(&self, log: &Log) -> u64 {
        log.floor(|session| self.has_session(session))
    }

    /// Whether no event is filtered out.
    pub(crate) fn is_everything(&self) -> bool {
        self.session.is_none()
            && self.except.is_empty()
            && self.filter == EventFilter::default()
            && self.until.is_none()
    }

    /// The query of a page of the console's log, without where it begins.
    pub(crate) fn parameters(&self, limit: usize) -> String {
        let mut query = "?marks=true&limit=".to_owned() + &limit.to_string();
        let names = self.filter.to_string();
        if !names.is_empty() {
            push_parameter(&mut query, "names", &names);
        }
        if let Some(expression) = self.filter.expression() {
            push_parameter(&mut query, "where", expression.as_str());
        }
        query
    }
}
