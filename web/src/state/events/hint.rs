//! What was probably meant by names of events that no schema knows.

use std::collections::BTreeSet;

use qmp_shared::filter::EventFilter;
use qmp_shared::schema::Schema;
use strsim::osa_distance;

/// Shortest name that others are like, in bytes.
const SHORTEST: usize = 3;

/// Most letters that are wrong, missing, too many or in the wrong order.
const MISTYPED: usize = 2;

/// The names that were probably meant; `None` where all of them are known, or
/// nobody can tell.
pub(crate) fn hint_names(text: &str, schemas: &[&Schema]) -> Option<String> {
    text.parse::<EventFilter>().ok()?;
    let events = schemas.iter().flat_map(|schema| schema.events());
    let known: BTreeSet<&str> = events.map(|event| &*event.name).collect();
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
