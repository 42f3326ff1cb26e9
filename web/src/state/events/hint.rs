//! What was probably meant by names of events, and by fields of their data, that
//! no schema knows.

use std::collections::BTreeSet;

use qmp_shared::filter::{EventFilter, string_len};
use qmp_shared::schema::Schema;
use strsim::osa_distance;

use super::complete::{Field, fields};

/// Shortest name that others are like, in bytes.
const SHORTEST: usize = 3;

/// Most letters that are wrong, missing, too many or in the wrong order.
const MISTYPED: usize = 2;

/// The names that were probably meant; `None` where all of them are known, or
/// nobody can tell.
pub(crate) fn hint_names(text: &str, schemas: &[&Schema]) -> Option<String> {
    text.parse::<EventFilter>().ok()?;
    let known = event_names(schemas);
    let mut meant = Vec::new();
    let mut is_other = false;
    for name in text.split(',').map(str::trim) {
        match guess(name, &known) {
            Some(guess) => {
                is_other = true;
                meant.push(guess);
            }
            None => meant.push(name.to_owned()),
        }
    }
    is_other.then(|| meant.join(", "))
}

fn event_names<'a>(schemas: &[&'a Schema]) -> BTreeSet<&'a str> {
    let events = schemas.iter().flat_map(|schema| schema.events());
    events.map(|event| &*event.name).collect()
}

/// Other names that are known, instead of one that is not.
fn guess(name: &str, known: &BTreeSet<&str>) -> Option<String> {
    if is_known(name, known) {
        return None;
    }
    let words: Option<Vec<String>> = name
        .split_whitespace()
        .map(|word| {
            let word = word.to_uppercase().replace('-', "_");
            match is_known(&word, known) {
                true => Some(word),
                false => near(&word, known),
            }
        })
        .collect();
    words
        .filter(|words| !words.is_empty())
        .map(|words| words.join(", "))
}

/// The name that begins like this, or all that do; or the one that is mistyped
/// like this.
fn near(word: &str, known: &BTreeSet<&str>) -> Option<String> {
    if word.len() < SHORTEST || word.contains('*') {
        return None;
    }
    let mut longer = known.iter().filter(|known| known.starts_with(word));
    match (longer.next(), longer.next()) {
        (Some(only), None) => return Some((*only).to_owned()),
        (Some(_), Some(_)) => return Some(word.to_owned() + "*"),
        _ => {}
    }
    let distances = known
        .iter()
        .map(|known| (osa_distance(word, known), *known));
    let (distance, nearest) = distances.min()?;
    (distance <= MISTYPED).then(|| nearest.to_owned())
}

/// Whether any event is of that name, which may have globs.
fn is_known(name: &str, known: &BTreeSet<&str>) -> bool {
    if known.contains(name) {
        return true;
    }
    let filter = name.parse::<EventFilter>();
    filter.is_ok_and(|filter| known.iter().any(|known| filter.matches_name(known)))
}

/// A field of an expression that no known event has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnknownField {
    /// It, as the expression has it.
    pub(crate) path: String,
    /// The field that was probably meant.
    pub(crate) meant: Option<MeantField>,
}

/// A field that was probably meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MeantField {
    /// It.
    pub(crate) path: String,
    /// The expression with it.
    pub(crate) expression: String,
}

/// The first field of the expression that none of the known events of these
/// names has; `None` where there is none, or nobody can tell.
pub(crate) fn hint_where(
    text: &str,
    schemas: &[&Schema],
    names: &EventFilter,
) -> Option<UnknownField> {
    let known = event_names(schemas);
    let is_any_unknown = names.patterns().iter().any(|name| !is_known(name, &known));
    if known.is_empty() || is_any_unknown {
        return None;
    }
    let fields = fields(schemas, names);
    let is_known = |names: &[String]| {
        fields.iter().any(|field| {
            field.names.starts_with(names) || (field.is_open && names.starts_with(&field.names))
        })
    };
    paths(text).into_iter().find_map(|path| {
        let known = (1..=path.names.len()).take_while(|len| is_known(&path.names[..*len]));
        let known = known.count();
        let end = *path.ends.get(known)?;
        let meant = guess_field(&path.names[..=known], &fields).map(|field| MeantField {
            path: field.path.clone(),
            expression: text[..path.start].to_owned() + &field.path + &text[end..],
        });
        let path = text[path.start..end].to_owned();
        Some(UnknownField { path, meant })
    })
}

/// The field of a name like the last one beside it, or of that name elsewhere.
fn guess_field<'a>(names: &[String], fields: &'a [Field]) -> Option<&'a Field> {
    let spelt = |name: &str| name.to_lowercase().replace('_', "-");
    let (name, parents) = names.split_last()?;
    let name = spelt(name);
    let guesses = fields.iter().filter_map(|field| {
        let (other, beside) = field.names.split_last()?;
        let distance = osa_distance(&name, &spelt(other));
        let is_beside = beside == parents;
        let is_like = distance <= MISTYPED && name.len() >= SHORTEST;
        (distance == 0 || (is_beside && is_like)).then_some((!is_beside, distance, field))
    });
    let guess = guesses.min_by_key(|(is_elsewhere, distance, field)| {
        (*is_elsewhere, *distance, field.names.len())
    });
    guess.map(|(.., field)| field)
}

/// A path of an expression, as far as it only goes into members.
struct Path {
    /// Where it begins.
    start: usize,
    /// The members.
    names: Vec<String>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

/// The paths into the event; not those into what a path selects.
fn paths(text: &str) -> Vec<Path> {
    let mut paths = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '@' if depth == 0 => {
                let path = path(text, at);
                at = path.ends.last().copied().unwrap_or(at + 1);
                paths.push(path);
                continue;
            }
            '"' | '\'' => at += string_len(&text.as_bytes()[at + 1..], c as u8),
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += c.len_utf8();
    }
    paths
}

fn path(text: &str, start: usize) -> Path {
    let (mut names, mut ends, mut at) = (Vec::new(), Vec::new(), start + 1);
    loop {
        let rest = &text[at..];
        let (name, len) = if let Some(rest) = rest.strip_prefix('.') {
            let end =
                rest.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii()));
            let name = &rest[..end.unwrap_or(rest.len())];
            (name, 1 + name.len())
        } else if rest.starts_with("['") || rest.starts_with("[\"") {
            let end = 2 + string_len(&rest.as_bytes()[2..], rest.as_bytes()[1]);
            let name = rest.get(2..end - 1).unwrap_or_default();
            let is_closed = rest[end..].starts_with(']') && !name.contains('\\');
            (if is_closed { name } else { "" }, end + 1)
        } else {
            ("", 0)
        };
        if name.is_empty() {
            return Path { start, names, ends };
        }
        at += len;
        names.push(name.to_owned());
        ends.push(at);
    }
}
