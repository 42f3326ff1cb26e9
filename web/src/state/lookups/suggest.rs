//! Suggestions from answers.

use super::property::Property;
use crate::state::completion::{Completion, Suggestion};

/// The names that have what is typed in them, those that begin with it first,
/// for the whole text. A name that is complete needs none.
pub(crate) fn suggest_names<'a>(
    typed: &str,
    names: impl Iterator<Item = (&'a str, String)>,
) -> Completion {
    Completion::new(0, typed.len(), matching(typed.trim(), names))
}

/// The properties that may still be added.
pub(crate) fn suggest_properties(
    typed: &str,
    properties: &[Property],
    is_there: impl Fn(&str) -> bool,
) -> Completion {
    let free = properties
        .iter()
        .filter(|property| !property.is_child() && !is_there(&property.name));
    suggest_names(
        typed,
        free.map(|property| (property.name.as_str(), property.detail())),
    )
}

/// The path of the object in which the path goes on that is typed, up to the
/// caret; `None` for one that does not begin at the root.
pub(crate) fn directory(typed: &str, caret: usize) -> Option<&str> {
    let before = typed.get(..caret.min(typed.len())).unwrap_or_default();
    match before.rfind('/') {
        Some(0) => Some("/"),
        Some(at) if before.starts_with('/') => Some(&before[..at]),
        None if before.is_empty() => Some("/"),
        _ => None,
    }
}

/// How the path may go on that is typed, by what is in its [`directory`].
pub(crate) fn suggest_paths(typed: &str, caret: usize, inside: &[Property]) -> Completion {
    let caret = caret.min(typed.len());
    let before = typed.get(..caret).unwrap_or_default();
    let from = before.rfind('/').map_or(0, |at| at + 1);
    let part = &before[from..];
    let children = inside.iter().filter(|property| property.is_child());
    let children = children.map(|child| {
        let ty = child.ty.trim_start_matches("child<").trim_end_matches('>');
        (child.name.as_str(), ty.to_owned())
    });
    let mut suggestions = matching(part, children);
    if before.is_empty() {
        for suggestion in &mut suggestions {
            suggestion.text.insert(0, '/');
        }
    }
    let to = typed[caret..]
        .find('/')
        .map_or(typed.len(), |at| caret + at);
    Completion::new(from, to, suggestions)
}

fn matching<'a>(typed: &str, names: impl Iterator<Item = (&'a str, String)>) -> Vec<Suggestion> {
    let wanted = typed.to_lowercase();
    let mut found: Vec<(bool, &str, String)> = names
        .filter(|(name, _)| *name != typed)
        .filter_map(|(name, detail)| {
            let at = name.to_lowercase().find(&wanted)?;
            Some((at > 0, name, detail))
        })
        .collect();
    found.sort_by_key(|(is_within, ..)| *is_within);
    let suggestion = |(_, name, detail): (bool, &str, String)| Suggestion {
        text: name.to_owned(),
        detail,
    };
    found.into_iter().map(suggestion).collect()
}
