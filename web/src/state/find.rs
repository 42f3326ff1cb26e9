//! Finding a text in a reply, and the way from one match to the next.

use super::text::grouped;
use super::tree::{NodeId, Tree, decoded};

/// What was found, and where somebody is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// How many matches there are.
    pub(crate) total: usize,
    /// Which of them is the current one, from 0.
    pub(crate) place: Option<usize>,
}

impl Found {
    /// Where a place is among the matches, which are in order.
    pub(crate) fn among(matches: &[u32], at: u32) -> Self {
        Self {
            total: matches.len(),
            place: matches.binary_search(&at).ok(),
        }
    }

    /// For people: `2 of 14`.
    pub(crate) fn words(self) -> String {
        let total = grouped(self.total as u64);
        match (self.total, self.place) {
            (0, _) => "no match".to_owned(),
            (_, Some(place)) => grouped(place as u64 + 1) + " of " + &total,
            (_, None) => total + " found",
        }
    }
}

/// The nodes whose name or value has the text in it, whatever the case of its
/// ASCII letters. Nothing has an empty text in it.
pub(crate) fn search(tree: &Tree, wanted: &str) -> Vec<NodeId> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let has = |quoted: &str| {
        if !quoted.contains('\\') {
            return contains(quoted, wanted);
        }
        let text = decoded(quoted);
        text.is_some_and(|text| contains(&text, wanted))
    };
    let is_match = |id: &NodeId| {
        has(tree.quoted_name(*id).trim_matches('"'))
            || (!tree.can_open(*id) && has(tree.value(*id)))
    };
    (0..tree.len() as NodeId).filter(is_match).collect()
}

/// The match to go to from a node; all of them are in a circle. With `stays`,
/// the node itself counts.
pub(crate) fn next_match(
    matches: &[NodeId],
    at: NodeId,
    forward: bool,
    stays: bool,
) -> Option<NodeId> {
    let (found, around) = match forward {
        true => {
            let is_after = |id: &&NodeId| **id > at || (stays && **id == at);
            (matches.iter().find(is_after), matches.first())
        }
        false => (matches.iter().rev().find(|id| **id < at), matches.last()),
    };
    found.or(around).copied()
}

/// Where the text is in another, as [`search`] finds it: the pieces of `text`,
/// and whether each is a match.
pub(crate) fn pieces<'a>(text: &'a str, wanted: &str) -> Vec<(&'a str, bool)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = find(rest, wanted) {
        let (before, from) = rest.split_at(start);
        let (found, after) = from.split_at(wanted.len());
        if !before.is_empty() {
            pieces.push((before, false));
        }
        pieces.push((found, true));
        rest = after;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push((rest, false));
    }
    pieces
}

/// Whether the text has the other in it.
pub(super) fn contains(text: &str, wanted: &str) -> bool {
    find(text, wanted).is_some()
}

/// The first place of `wanted` in `text`; none for an empty one. Bytes of
/// characters beyond ASCII are never equal but where characters begin.
pub(super) fn find(text: &str, wanted: &str) -> Option<usize> {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let first = wanted.first()?;
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let last = text.len().checked_sub(wanted.len())?;
    (0..=last).find(|&at| {
        (text[at] == lower || text[at] == upper)
            && text[at..at + wanted.len()].eq_ignore_ascii_case(wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_one_is() {
        let words = |at| Found::among(&[2, 5, 9], at).words();
        assert_eq!((words(5), words(4)), ("2 of 3".into(), "3 found".into()));
        assert_eq!(Found::default().words(), "no match");
    }

    #[test]
    fn finds_names_and_values() {
        let tree =
            Tree::new(r#"{"Status":"running","n":[1, 21],"é":"a\"B","o":{"status":{}}}"#.into());
        let found = |wanted: &str| {
            let ids = search(&tree, wanted);
            ids.into_iter().map(|id| tree.path(id)).collect::<Vec<_>>()
        };
        assert_eq!(found("STATUS"), [".Status", ".o.status"]);
        assert_eq!(found("1"), [".n[0]", ".n[1]"]);
        assert_eq!(found("a\"b"), [".é"]);
        assert_eq!(found("é"), [".é"]);
        assert!(found("").is_empty() && found("nothing").is_empty());
    }

    #[test]
    fn matches_are_in_a_circle() {
        let next = |at, forward, stays| next_match(&[2, 5, 9], at, forward, stays);
        assert_eq!(next(5, true, true), Some(5));
        assert_eq!(next(5, true, false), Some(9));
        assert_eq!(next(9, true, false), Some(2));
        assert_eq!(next(5, false, false), Some(2));
        assert_eq!(next(2, false, false), Some(9));
        assert_eq!(next_match(&[], 0, true, true), None);
    }

    #[test]
    fn matches_are_pieces_of_the_text() {
        assert_eq!(
            pieces("aXbxc", "x"),
            [
                ("a", false),
                ("X", true),
                ("b", false),
                ("x", true),
                ("c", false)
            ]
        );
        assert_eq!(pieces("abc", "z"), [("abc", false)]);
        assert_eq!(pieces("", "z"), [("", false)]);
        assert_eq!(pieces("aé", "é"), [("a", false), ("é", true)]);
    }
}
