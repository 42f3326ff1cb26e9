//! What may be typed next into a filter: names of events, fields of their data,
//! and the values that a field may have.

use std::collections::BTreeMap;

use qmp_shared::filter::EventFilter;
use qmp_shared::schema::{Builtin, Event, Features, Schema, Type, TypeId};

use super::condition::member_path;
use crate::state::completion::{Completion, Suggestion};
use crate::state::text::visible;

/// How deep fields of fields are suggested.
const DEPTH: usize = 4;

/// Names of events for the name that the caret is in; a name that is complete
/// needs none.
pub(crate) fn complete_names(text: &str, caret: usize, schemas: &[&Schema]) -> Completion {
    let caret = caret.min(text.len());
    let before = text.get(..caret).unwrap_or_default();
    let from = before.rfind(',').map_or(0, |at| at + 1);
    let blanks = before.len() - from - before[from..].trim_start().len();
    let from = from + blanks;
    let to = text[caret..].find(',').map_or(text.len(), |at| caret + at);
    let typed = text[from..to].trim();
    let mut found: BTreeMap<&str, &Event> = BTreeMap::new();
    for event in schemas.iter().flat_map(|schema| schema.events()) {
        found.entry(&event.name).or_insert(event);
    }
    let wanted = typed.to_ascii_uppercase();
    let mut matching: Vec<_> = found
        .into_values()
        .filter(|event| event.name != typed && event.name.to_ascii_uppercase().contains(&wanted))
        .collect();
    matching.sort_by_key(|event| !event.name.starts_with(&wanted));
    let suggestion = |event: &Event| Suggestion {
        text: event.name.clone(),
        detail: feature_words(&event.features),
    };
    let suggestions = matching.into_iter().map(suggestion).collect();
    Completion::new(from, to, suggestions)
}

/// A field that an expression may speak of.
#[derive(Debug)]
pub(super) struct Field {
    /// It, as an expression has it.
    pub(super) path: String,
    /// The names of the members on the way to it.
    pub(super) names: Vec<String>,
    ty: String,
    /// Whether it may have members that no schema tells.
    pub(super) is_open: bool,
    /// The values it may have, as JSON, where they can be listed.
    values: Vec<String>,
}

/// Fields, or values of the field that is compared, for where the caret is.
pub(crate) fn complete_where(
    text: &str,
    caret: usize,
    schemas: &[&Schema],
    names: &EventFilter,
) -> Completion {
    let caret = caret.min(text.len());
    let before = text.get(..caret).unwrap_or_default();
    let from = token_start(before);
    let token = &before[from..];
    let fields = fields(schemas, names);
    let head = before[..from].trim_end();
    if let Some(compared) = compared_field(head) {
        let field = fields.iter().find(|field| field.path == compared);
        let values = field.map(|field| &*field.values).unwrap_or_default();
        let suggestions = values
            .iter()
            .filter(|value| value.starts_with(token) && *value != token)
            .map(|value| Suggestion {
                text: value.clone(),
                detail: String::new(),
            });
        return Completion::new(from, caret, suggestions.collect());
    }
    let begins = head.is_empty()
        || head.ends_with(['(', '!', ','])
        || head.ends_with("&&")
        || head.ends_with("||");
    if !begins || !(token.is_empty() || token.starts_with('@')) {
        return Completion::new(from, caret, Vec::new());
    }
    let wanted = token.trim_start_matches('@').trim_start_matches('.');
    let suggestions = fields
        .iter()
        .filter(|field| field.path != token)
        .filter(|field| field.path.starts_with(token) || field.path.contains(wanted))
        .map(|field| Suggestion {
            text: field.path.clone(),
            detail: field.ty.clone(),
        });
    Completion::new(from, caret, suggestions.collect())
}

/// Where the field or value begins that ends the text.
fn token_start(text: &str) -> usize {
    // A string that is not closed yet.
    let mut open = None;
    for (at, c) in text.char_indices() {
        match (open, c) {
            (None, '"' | '\'') => open = Some((at, c)),
            (Some((_, quote)), c) if c == quote => open = None,
            _ => {}
        }
    }
    match open {
        // Of a field's own brackets, or a value.
        Some((at, _)) if !text[..at].ends_with('[') => at,
        _ => {
            let part = |c: char| c.is_alphanumeric() || "@.[]'\"_-".contains(c);
            text.rfind(|c| !part(c)).map_or(0, |at| {
                at + text[at..].chars().next().map_or(1, char::len_utf8)
            })
        }
    }
}

/// The field that the text ends to compare with something.
fn compared_field(head: &str) -> Option<&str> {
    let left = head
        .strip_suffix("==")
        .or_else(|| head.strip_suffix("!="))?;
    let left = left.trim_end();
    Some(&left[token_start(left)..])
}

/// All fields of the events of these names: those of the data by the names on
/// the way to them, then those that each event has.
pub(super) fn fields(schemas: &[&Schema], names: &EventFilter) -> Vec<Field> {
    let mut found = BTreeMap::new();
    let mut event_names = Vec::new();
    for schema in schemas {
        for event in schema.events() {
            if names.matches_name(&event.name) {
                event_names.push(quoted(&event.name));
                add_members(schema, event.data, &["data".to_owned()], DEPTH, &mut found);
            }
        }
    }
    event_names.sort();
    event_names.dedup();
    let own = |names: &[&str], ty: &str, values| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Field::new(names, ty.to_owned(), false, values)
    };
    let mut fields: Vec<_> = found.into_values().collect();
    fields.push(own(&["event"], "string", event_names));
    fields.push(own(&["timestamp", "seconds"], "integer", Vec::new()));
    fields.push(own(&["timestamp", "microseconds"], "integer", Vec::new()));
    fields
}

impl Field {
    fn new(names: Vec<String>, ty: String, is_open: bool, values: Vec<String>) -> Self {
        let path = names.iter();
        let path = path.fold("@".to_owned(), |path, name| member_path(&path, name));
        Self {
            path,
            names,
            ty,
            is_open,
            values,
        }
    }
}

/// Adds the members of what is at the end of these names.
fn add_members(
    schema: &Schema,
    ty: TypeId,
    names: &[String],
    depth: usize,
    found: &mut BTreeMap<Vec<String>, Field>,
) {
    let Some(object) = schema.object(ty) else {
        return;
    };
    if depth == 0 {
        return;
    }
    for member in &object.members {
        let names = [names, std::slice::from_ref(&member.name)].concat();
        add_members(schema, member.ty, &names, depth - 1, found);
        let values = values(schema, member.ty);
        let is_open = is_open(schema, member.ty, depth - 1);
        match found.get_mut(&names) {
            // Of another event: what either of them may have.
            Some(field) => {
                field.is_open |= is_open;
                for value in values {
                    if !field.values.contains(&value) {
                        field.values.push(value);
                    }
                }
            }
            None => {
                let ty = visible(&schema.describe(member.ty)).into_owned();
                found.insert(names.clone(), Field::new(names, ty, is_open, values));
            }
        }
    }
    for variant in object.union.iter().flat_map(|union| &union.variants) {
        add_members(schema, variant.ty, names, depth - 1, found);
    }
}

/// Whether a value of the type may have members that are not listed, with this
/// depth left.
fn is_open(schema: &Schema, ty: TypeId, depth: usize) -> bool {
    match schema.ty(ty) {
        Type::Builtin(builtin) => matches!(builtin, Builtin::Object | Builtin::Value),
        // The cases of a union are looked at one level deeper.
        Type::Object(object) => depth == 0 || (depth == 1 && object.union.is_some()),
        Type::Alternate { .. } => true,
        Type::Enum { .. } | Type::Array(_) => false,
    }
}

fn values(schema: &Schema, ty: TypeId) -> Vec<String> {
    match schema.ty(ty) {
        Type::Enum { values } => values.iter().map(|value| quoted(&value.name)).collect(),
        Type::Builtin(Builtin::Boolean) => vec!["true".to_owned(), "false".to_owned()],
        _ => Vec::new(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn feature_words(features: &Features) -> String {
    let words = [
        (features.deprecated, "deprecated"),
        (features.unstable, "unstable"),
    ];
    let words: Vec<_> = words
        .iter()
        .filter(|(has, _)| *has)
        .map(|(_, word)| *word)
        .collect();
    words.join(", ")
}
