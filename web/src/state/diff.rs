//! What is different between two replies, value by value.

use std::collections::HashMap;
use std::sync::Arc;

use qmp_shared::json;

use super::text::{clip, grouped, visible};
use super::tree::{Kind, NodeId, Tree};

/// Longest arguments that are shown, in bytes.
const ARGUMENTS: usize = 200;

/// What became of a value since the reply before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is as it was.
    #[default]
    Same,
    /// Something below it is different.
    Inside,
    /// It has another value.
    Changed,
    /// It was not there, nor anything below it.
    Added,
}

/// What is different in a new tree. Members and items are matched as
/// [`Tree::pairs`] does, scalars are compared as they are written.
#[derive(Debug)]
pub(crate) struct Diff {
    old: Arc<Tree>,
    /// One for each node of the new tree.
    marks: Vec<Mark>,
    was: HashMap<NodeId, NodeId>,
    /// By the new object or array: what is not in it any more.
    gone: HashMap<NodeId, Vec<NodeId>>,
    /// Changed, added and removed.
    counts: [u64; 3],
    /// What is different, and the parents of what was removed.
    places: Vec<NodeId>,
}

impl Diff {
    /// Compares two replies.
    pub(crate) fn new(old: Arc<Tree>, new: &Tree) -> Self {
        let mut diff = Self {
            marks: vec![Mark::Same; new.len()],
            was: HashMap::new(),
            gone: HashMap::new(),
            counts: [0; 3],
            places: Vec::new(),
            old,
        };
        let old = Arc::clone(&diff.old);
        let mut todo = vec![(0, 0)];
        while let Some((a, b)) = todo.pop() {
            if old.value(a) == new.value(b) {
                continue;
            }
            let (was, is) = (old.kind(a), new.kind(b));
            if was != is || !matches!(is, Kind::Object | Kind::Array) {
                diff.mark(b, Mark::Changed);
                diff.was.insert(b, a);
                diff.counts[0] += 1;
                continue;
            }
            let pairs = old.pairs(a, new, b);
            for &added in &pairs.added {
                for id in added..new.next(added) {
                    diff.mark(id, Mark::Added);
                }
                diff.counts[1] += 1;
            }
            if !pairs.gone.is_empty() {
                diff.counts[2] += pairs.gone.len() as u64;
                diff.gone.insert(b, pairs.gone);
                diff.places.push(b);
            }
            todo.extend(pairs.both);
        }
        for &place in &diff.places {
            let mut at = new.parent(place);
            // What is marked already has marked parents.
            while let Some(id) = at {
                match diff.marks.get_mut(id as usize) {
                    Some(mark @ Mark::Same) => *mark = Mark::Inside,
                    _ => break,
                }
                at = new.parent(id);
            }
            if diff.mark_of(place) == Mark::Same
                && let Some(mark) = diff.marks.get_mut(place as usize)
            {
                *mark = Mark::Inside;
            }
        }
        diff
    }

    /// The reply before.
    pub(crate) fn old(&self) -> &Arc<Tree> {
        &self.old
    }

    /// What became of a node of the new tree.
    pub(crate) fn mark_of(&self, id: NodeId) -> Mark {
        self.marks.get(id as usize).copied().unwrap_or_default()
    }

    /// What a changed node was before, in the old tree.
    pub(crate) fn was(&self, id: NodeId) -> Option<NodeId> {
        self.was.get(&id).copied()
    }

    /// What is not in the object or array any more, in the old tree.
    pub(crate) fn gone(&self, id: NodeId) -> &[NodeId] {
        self.gone.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The nodes that must be seen for the differences to be seen.
    pub(crate) fn places(&self) -> &[NodeId] {
        &self.places
    }

    /// How much is different, for people: `2 changed, 1 added`.
    pub(crate) fn words(&self) -> String {
        let words = ["changed", "added", "removed"];
        let told = self.counts.iter().zip(words);
        let told: Vec<_> = told
            .filter(|(count, _)| **count > 0)
            .map(|(count, word)| grouped(*count) + " " + word)
            .collect();
        if told.is_empty() {
            return "no changes".to_owned();
        }
        told.join(", ")
    }

    fn mark(&mut self, id: NodeId, mark: Mark) {
        if let Some(place) = self.marks.get_mut(id as usize) {
            *place = mark;
            self.places.push(id);
        }
    }
}

/// The arguments of the command before, JSON, for people; `None` when they are
/// those of this one.
pub(crate) fn other_arguments(before: Option<&str>, now: Option<&str>) -> Option<String> {
    let compact = |arguments: Option<&str>| json::compact(arguments.unwrap_or("{}")).into_owned();
    let before = compact(before);
    if before == compact(now) {
        return None;
    }
    if before == "{}" {
        return Some("none".to_owned());
    }
    let (start, left_out) = clip(&before, ARGUMENTS);
    let rest = if left_out > 0 { "…" } else { "" };
    Some(visible(start).into_owned() + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_arguments_are_told() {
        let one = r#"{"device": "a"}"#;
        assert_eq!(
            other_arguments(Some(one), Some(r#"{ "device":"a" }"#)),
            None
        );
        assert_eq!(other_arguments(None, Some("{}")), None);
        assert_eq!(other_arguments(None, Some(one)).unwrap(), "none");
        let told = other_arguments(Some(one), None).unwrap();
        assert_eq!(told, r#"{"device":"a"}"#);
        let long = r#"{"a":""#.to_owned() + &"\u{202e}".repeat(200) + r#""}"#;
        let told = other_arguments(Some(&long), None).unwrap();
        assert!(told.starts_with(r#"{"a":"\u202e"#) && told.ends_with('…'));
    }

    fn diff(old: &str, new: &str) -> (Diff, Tree) {
        let new = Tree::new(new.into());
        (Diff::new(Arc::new(Tree::new(old.into())), &new), new)
    }

    fn marked(diff: &Diff, tree: &Tree, mark: Mark) -> Vec<String> {
        let ids = 0..tree.len() as NodeId;
        ids.filter(|&id| diff.mark_of(id) == mark)
            .map(|id| tree.path(id))
            .collect()
    }

    #[test]
    fn values_that_changed_and_what_they_were() {
        let (diff, tree) = diff(
            r#"{"a":{"b":1,"c":"x"},"d":[1,2]}"#,
            r#"{"a":{"b":2,"c":"x"},"d":[1,3]}"#,
        );
        assert_eq!(marked(&diff, &tree, Mark::Changed), [".a.b", ".d[1]"]);
        assert_eq!(marked(&diff, &tree, Mark::Inside), [".", ".a", ".d"]);
        let b = tree.find(&tree.steps(2)).unwrap();
        assert_eq!(diff.old().value(diff.was(b).unwrap()), "1");
        assert_eq!(diff.words(), "2 changed");
    }

    #[test]
    fn what_came_and_what_went() {
        let (diff, tree) = diff(
            r#"{"a":[{"x":1},{"y":1}],"gone":null,"kept":1}"#,
            r#"{"kept":1,"new":{"deep":[1]},"a":[{"x":1}]}"#,
        );
        assert_eq!(
            marked(&diff, &tree, Mark::Added),
            [".new", ".new.deep", ".new.deep[0]"]
        );
        assert_eq!(marked(&diff, &tree, Mark::Inside), [".", ".a"]);
        let old = diff.old();
        let gone = |id| {
            let gone = diff.gone(id).iter();
            gone.map(|&id| old.path(id)).collect::<Vec<_>>()
        };
        assert_eq!(gone(0), [".gone"]);
        assert_eq!(gone(5), [".a[1]"]);
        assert_eq!(diff.words(), "1 added, 2 removed");
    }

    #[test]
    fn another_kind_is_one_change() {
        let (diff, tree) = diff(r#"{"a":{"b":1}}"#, r#"{"a":[1,2,3]}"#);
        assert_eq!(marked(&diff, &tree, Mark::Changed), [".a"]);
        assert_eq!(diff.words(), "1 changed");
        assert!(diff.gone(1).is_empty());
    }

    #[test]
    fn the_same_is_no_change_however_it_is_spaced() {
        let (diff, tree) = diff(r#"{"a": [1, 2]}"#, r#"{"a":[1,2]}"#);
        assert_eq!(diff.words(), "no changes");
        assert!(marked(&diff, &tree, Mark::Inside).is_empty());
    }

    #[test]
    fn numbers_are_compared_as_written() {
        let (diff, tree) = diff("[9007199254740993, 1]", "[9007199254740992, 1]");
        assert_eq!(marked(&diff, &tree, Mark::Changed), ["[0]"]);
    }
}
