//! A JSON value as a tree, over its verbatim text.
//!
//! One pass over the text makes the nodes, in the order of the text and small,
//! so that what lies below a node are the nodes after it. Numbers stay as
//! written and members stay in order, since the text is never re-encoded. The
//! text is one JSON value (a `RawValue`); for any other text the tree is merely
//! wrong, never out of bounds. What is opened and seen of a tree is in
//! [`super::outline`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use qmp_shared::command::Step;

use super::lines::Lines;
pub(crate) use super::nodes::{Kind, NodeId};
use super::nodes::{Node, Parser};
use super::text::{clip, visible};

/// Longest value shown in a line, in bytes.
const LONGEST: usize = 4096;

/// Longest preview of a closed object or array, in bytes.
const PREVIEW: usize = 120;

/// What a line shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The member's name or the item's index; empty at the root.
    pub(crate) key: String,
    /// What the value is.
    pub(crate) kind: Kind,
    /// The value, or a preview of it.
    pub(crate) value: String,
    /// Members or items, for objects and arrays.
    pub(crate) count: usize,
    /// From 0 at the root.
    pub(crate) depth: usize,
    /// Position among its siblings, from 1, and how many there are.
    pub(crate) position: (usize, usize),
}

/// Members that tell the items of an array apart, as they are written, the most
/// telling first.
const IDENTITIES: &[&str] = &[
    "\"id\"",
    "\"node-name\"",
    "\"qom-path\"",
    "\"qdev\"",
    "\"device\"",
    "\"name\"",
    "\"label\"",
    "\"cpu-index\"",
];

/// A JSON value, taken apart.
#[derive(Debug)]
pub(crate) struct Tree {
    text: Arc<str>,
    nodes: Vec<Node>,
    is_cut: bool,
}

/// The children of two objects or arrays, side by side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// In both, with the same name or index: the old and the new one.
    pub(crate) both: Vec<(NodeId, NodeId)>,
    /// Only in the old one.
    pub(crate) gone: Vec<NodeId>,
    /// Only in the new one.
    pub(crate) added: Vec<NodeId>,
}

impl Tree {
    /// The tree of one JSON value.
    pub(crate) fn new(text: Arc<str>) -> Self {
        let mut parser = Parser::new(&text);
        parser.run();
        let Parser { nodes, is_cut, .. } = parser;
        Self {
            text,
            nodes,
            is_cut,
        }
    }

    /// How many nodes there are; at least one.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the value has more nodes than a tree can have.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The text of the whole value.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The text of one node's value, verbatim.
    pub(crate) fn value(&self, id: NodeId) -> &str {
        let node = self.nodes.get(id as usize);
        node.map_or("", |node| self.slice(node.value))
    }

    /// What the value is.
    pub(crate) fn kind(&self, id: NodeId) -> Kind {
        self.nodes
            .get(id as usize)
            .map_or(Kind::Literal, |node| node.kind)
    }

    /// Whether the value has members or items to open.
    pub(crate) fn can_open(&self, id: NodeId) -> bool {
        self.next(id) > id + 1
    }

    /// Members or items; 0 for scalars.
    pub(crate) fn count(&self, id: NodeId) -> usize {
        self.nodes
            .get(id as usize)
            .map_or(0, |node| node.count as usize)
    }

    /// From 0 at the root.
    pub(crate) fn depth(&self, id: NodeId) -> usize {
        self.nodes
            .get(id as usize)
            .map_or(0, |node| node.depth as usize)
    }

    /// The node after all that lies below this one.
    pub(crate) fn next(&self, id: NodeId) -> NodeId {
        self.nodes.get(id as usize).map_or(id + 1, |node| node.next)
    }

    /// The object or array that the node is in.
    pub(crate) fn parent(&self, id: NodeId) -> Option<NodeId> {
        let node = self.nodes.get(id as usize)?;
        (id > 0).then_some(node.parent)
    }

    /// The nodes right below this one.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.next(id);
        let first = (id + 1 < end).then_some(id + 1);
        std::iter::successors(first, move |&child| {
            let next = self.next(child);
            (next < end).then_some(next)
        })
    }

    /// What to show for a node.
    pub(crate) fn shown(&self, id: NodeId) -> Shown {
        let kind = self.kind(id);
        let value = match kind {
            Kind::Object | Kind::Array => one_line(self.value(id), PREVIEW),
            Kind::String => shown_string(self.value(id)),
            Kind::Number | Kind::Literal => clip(self.value(id), LONGEST).0.to_owned(),
        };
        let index = self
            .nodes
            .get(id as usize)
            .map_or(0, |node| node.index as usize);
        let siblings = self.parent(id).map_or(1, |parent| self.count(parent));
        Shown {
            key: self.key(id),
            kind,
            value,
            count: self.count(id),
            depth: self.depth(id),
            position: (index + 1, siblings),
        }
    }

    /// The member's name or the item's index, for people; empty at the root.
    pub(crate) fn key(&self, id: NodeId) -> String {
        match self.step(id) {
            None => String::new(),
            Some(Step::Index(index)) => index.to_string(),
            Some(Step::Member(name)) => visible(&name).into_owned(),
        }
    }

    /// The string that the node is, decoded; `None` for another value, and where
    /// Rust cannot hold it (a lone surrogate).
    pub(crate) fn string(&self, id: NodeId) -> Option<Cow<'_, str>> {
        match self.kind(id) {
            Kind::String => decoded(self.value(id)),
            _ => None,
        }
    }

    /// Whether the node is a string of several lines.
    pub(crate) fn is_text(&self, id: NodeId) -> bool {
        if self.kind(id) != Kind::String {
            return false;
        }
        let quoted = self.value(id);
        // Only with surrogates may it be what Rust cannot hold.
        let is_sound = || {
            let has_surrogates = quoted.contains("\\ud") || quoted.contains("\\uD");
            !has_surrogates || decoded(quoted).is_some()
        };
        has_line_end(quoted) && is_sound()
    }

    /// The lines of such a string.
    pub(crate) fn lines(&self, id: NodeId) -> Option<Lines> {
        let text = self.string(id).filter(|_| self.is_text(id))?;
        Some(Lines::new(text.into()))
    }

    /// The member's name as it stands in the text, quoted; empty for what is
    /// not a member.
    pub(crate) fn quoted_name(&self, id: NodeId) -> &str {
        let node = self.nodes.get(id as usize);
        node.map_or("", |node| self.slice(node.name))
    }

    /// The step from the parent to the node; `None` at the root.
    fn step(&self, id: NodeId) -> Option<Step> {
        let parent = self.parent(id)?;
        Some(match self.kind(parent) {
            Kind::Array => Step::Index(self.nodes[id as usize].index as usize),
            _ => {
                let quoted = self.quoted_name(id);
                let name = decoded(quoted).unwrap_or(Cow::Borrowed(quoted));
                Step::Member(name.into_owned())
            }
        })
    }

    /// The way from the root to the node: each node on it, without the root.
    pub(crate) fn way(&self, id: NodeId) -> Vec<NodeId> {
        let mut way = Vec::new();
        let mut at = id;
        while let Some(parent) = self.parent(at) {
            way.push(at);
            at = parent;
        }
        way.reverse();
        way
    }

    /// The way from the root to the node, as steps.
    pub(crate) fn steps(&self, id: NodeId) -> Vec<Step> {
        let way = self.way(id);
        way.into_iter().filter_map(|id| self.step(id)).collect()
    }

    /// The node that these steps lead to.
    pub(crate) fn find(&self, steps: &[Step]) -> Option<NodeId> {
        steps.iter().try_fold(0, |at, step| {
            self.children(at)
                .find(|&child| self.step(child).as_ref() == Some(step))
        })
    }

    /// One step of a path, as `.cpus` or `[2]`; empty at the root.
    pub(crate) fn crumb(&self, id: NodeId) -> String {
        match self.step(id) {
            None => String::new(),
            Some(Step::Index(index)) => "[".to_owned() + &index.to_string() + "]",
            Some(Step::Member(name)) => ".".to_owned() + &visible(&name),
        }
    }

    /// Where the node is, as `.cpus[2].id`; `.` is the root.
    pub(crate) fn path(&self, id: NodeId) -> String {
        let way = self.way(id);
        if way.is_empty() {
            return ".".to_owned();
        }
        way.into_iter().map(|id| self.crumb(id)).collect()
    }

    /// The children of an old and a new object, or of two arrays. Members are
    /// matched by their names; items that are objects by what identifies all of
    /// them, as an `id`, and other items by their positions.
    pub(crate) fn pairs(&self, id: NodeId, new: &Self, new_id: NodeId) -> Pairs {
        if self.kind(id) == Kind::Array
            && let Some(pairs) = self.pairs_by_identity(id, new, new_id)
        {
            return pairs;
        }
        let mut pairs = Pairs::default();
        let (mut old, mut now) = (
            self.children(id).peekable(),
            new.children(new_id).peekable(),
        );
        // Mostly they have the same names in the same order.
        while let (Some(&a), Some(&b)) = (old.peek(), now.peek()) {
            if self.quoted_name(a) != new.quoted_name(b) {
                break;
            }
            pairs.both.push((a, b));
            old.next();
            now.next();
        }
        let rest: Vec<_> = old.collect();
        let by_name = rest.iter().map(|&a| (self.quoted_name(a), a));
        let mut by_name: HashMap<_, _> = by_name.filter(|(name, _)| !name.is_empty()).collect();
        for b in now {
            match by_name.remove(new.quoted_name(b)) {
                Some(a) => pairs.both.push((a, b)),
                None => pairs.added.push(b),
            }
        }
        let is_left = |a: &NodeId| {
            let name = self.quoted_name(*a);
            name.is_empty() || by_name.get(name) == Some(a)
        };
        pairs.gone = rest.into_iter().filter(is_left).collect();
        pairs
    }

    fn pairs_by_identity(&self, id: NodeId, new: &Self, new_id: NodeId) -> Option<Pairs> {
        IDENTITIES.iter().find_map(|name| {
            let mut before = self.identified(id, name)?;
            let now = new.identified(new_id, name)?;
            let mut pairs = Pairs::default();
            for child in new.children(new_id) {
                let identity = new.member(child, name)?;
                match before.remove(identity) {
                    Some(old) => pairs.both.push((old, child)),
                    None => pairs.added.push(child),
                }
            }
            pairs.gone = before.into_values().collect();
            pairs.gone.sort_unstable();
            (!now.is_empty()).then_some(pairs)
        })
    }

    /// The items by their member of that name, if all have one, each another.
    fn identified(&self, id: NodeId, name: &str) -> Option<HashMap<&str, NodeId>> {
        let mut found = HashMap::new();
        for child in self.children(id) {
            let is_another = found.insert(self.member(child, name)?, child).is_none();
            if !is_another {
                return None;
            }
        }
        Some(found)
    }

    /// The text of a scalar member.
    fn member(&self, id: NodeId, quoted_name: &str) -> Option<&str> {
        let mut members = self.children(id);
        let found = members.find(|&child| self.quoted_name(child) == quoted_name)?;
        let is_scalar = !matches!(self.kind(found), Kind::Object | Kind::Array);
        is_scalar.then(|| self.value(found))
    }

    fn slice(&self, (start, end): (u32, u32)) -> &str {
        self.text
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }
}

/// JSON text on one line, at most about `limit` bytes: blanks outside strings
/// are dropped, what follows is `…`.
pub(crate) fn one_line(json: &str, limit: usize) -> String {
    let mut line = String::with_capacity(limit.min(json.len()));
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if !in_string && c.is_ascii_whitespace() {
            continue;
        }
        if line.len() >= limit {
            line.push('…');
            break;
        }
        line.push(c);
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ':' | ',' if !in_string => line.push(' '),
            _ => {}
        }
    }
    visible(&line).into_owned()
}

/// Whether a quoted JSON string says a line end, which is an escape in it.
fn has_line_end(quoted: &str) -> bool {
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        let code = escape.get(..5).unwrap_or_default();
        if escape.starts_with('n') || code.eq_ignore_ascii_case("u000a") {
            return true;
        }
        let next = escape.chars().next().map_or(0, char::len_utf8);
        rest = escape.get(next..).unwrap_or_default();
    }
    false
}

/// What a quoted JSON string says; `None` where Rust cannot hold it (a lone
/// surrogate).
pub(crate) fn decoded(quoted: &str) -> Option<Cow<'_, str>> {
    let inside = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside));
    }
    let text: String = serde_json::from_str(quoted).ok()?;
    Some(Cow::Owned(text))
}

fn shown_string(quoted: &str) -> String {
    let whole = decoded(quoted).unwrap_or_else(|| Cow::Borrowed(quoted.trim_matches('"')));
    let (start, left_out) = clip(&whole, LONGEST);
    let mut shown = String::with_capacity(start.len() + 2);
    shown.push('"');
    shown.push_str(&visible(start));
    shown.push_str(if left_out > 0 { "…" } else { "\"" });
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::nodes::{DEEPEST, MOST};

    fn tree(text: &str) -> Tree {
        Tree::new(text.into())
    }

    #[test]
    fn strings_of_several_lines_are_texts() {
        let tree = tree(
            r#"["a\r\nb", "a\\nb", "a\u000Ab", "a\rb", "\n\ud800", 1, "\\\né", "\n\ud83d\ude00"]"#,
        );
        let texts = (0..9).map(|id| tree.is_text(id)).collect::<Vec<_>>();
        assert_eq!(
            texts,
            [false, true, false, true, false, false, false, true, true]
        );
        assert_eq!(tree.lines(1).unwrap().len(), 2);
        assert!(tree.lines(2).is_none());
    }

    /// Indented `key: value` lines of all nodes.
    fn drawn(tree: &Tree) -> Vec<String> {
        let draw = |id| {
            let shown = tree.shown(id);
            format!("{}{}: {}", "  ".repeat(shown.depth), shown.key, shown.value)
        };
        (0..tree.len() as NodeId).map(draw).collect()
    }

    #[test]
    fn numbers_stay_as_written_and_members_in_order() {
        let text = r#" {"b": 18446744073709551616, "a" : 1.50, "c":[1e400, -0], "b": null} "#;
        let tree = tree(text);
        assert_eq!(
            drawn(&tree),
            [
                r#": {"b": 18446744073709551616, "a": 1.50, "c": [1e400, -0], "b": null}"#,
                "  b: 18446744073709551616",
                "  a: 1.50",
                "  c: [1e400, -0]",
                "    0: 1e400",
                "    1: -0",
                "  b: null",
            ]
        );
        assert_eq!(tree.shown(3).position, (3, 4));
        assert_eq!(tree.shown(0).position, (1, 1));
        assert_eq!(tree.value(3), "[1e400, -0]");
        assert_eq!(tree.children(0).collect::<Vec<_>>(), [1, 2, 3, 6]);
        assert_eq!(
            (tree.next(3), tree.count(3), tree.parent(5)),
            (6, 2, Some(3))
        );
        assert!(tree.can_open(3) && !tree.can_open(1));
        assert!(!Tree::new("[ ]".into()).can_open(0));
    }

    #[test]
    fn paths_lead_back() {
        let tree = tree(r#"{"cpus":[{"id":1},{"id":2}],"a.b":{"c":3}}"#);
        for id in 0..tree.len() as NodeId {
            assert_eq!(tree.find(&tree.steps(id)), Some(id));
        }
        assert_eq!(tree.path(0), ".");
        assert_eq!(tree.path(5), ".cpus[1].id");
        assert_eq!(tree.crumb(4), "[1]");
        assert_eq!(tree.find(&[Step::Member("no".into())]), None);
    }

    #[test]
    fn strings_are_decoded_but_cannot_hide_anything() {
        let tree = tree(r#"{"k\n":"a\"\u00e9\u202e","s":"\ud800"}"#);
        assert_eq!(
            drawn(&tree)[1..],
            [r#"  k\n: "a"é\u202e""#, r#"  s: "\ud800""#]
        );
        assert_eq!(tree.string(1).unwrap(), "a\"é\u{202e}");
        assert_eq!(tree.string(2), None);
    }

    #[test]
    fn children_side_by_side() {
        let pairs = |old: &str, new: &str| {
            let (old, new) = (tree(old), tree(new));
            old.pairs(0, &new, 0)
        };
        let found = pairs(r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1,"c":3,"d":4}"#);
        assert_eq!(found.both, [(1, 1), (3, 2)]);
        assert_eq!((found.gone, found.added), (vec![2], vec![3]));
        let found = pairs("[1,2,3]", "[1,2]");
        assert_eq!(found.both, [(1, 1), (2, 2)]);
        assert_eq!((found.gone, found.added), (vec![3], vec![]));
        let found = pairs("[]", r#"{"a":1}"#);
        assert_eq!((found.both, found.added), (vec![], vec![1]));
    }

    #[test]
    fn items_are_matched_by_what_identifies_them() {
        let pairs = |old: &str, new: &str| {
            let (old, new) = (tree(old), tree(new));
            old.pairs(0, &new, 0)
        };
        let found = pairs(
            r#"[{"id":"a"},{"id":"b"}]"#,
            r#"[{"id":"c"},{"n":1,"id":"b"}]"#,
        );
        assert_eq!(found.both, [(3, 3)]);
        assert_eq!((found.gone, found.added), (vec![1], vec![1]));
        // Not where two have the same, or one has none.
        for other in [r#"[{"id":"b"},{"id":"b"}]"#, r#"[{"id":"b"},{}]"#] {
            let found = pairs(r#"[{"id":"a"},{"id":"b"}]"#, other);
            assert_eq!(found.both, [(1, 1), (3, 3)]);
        }
    }

    #[test]
    fn nesting_is_no_danger() {
        let deep = tree(&("[".repeat(5_000) + &"]".repeat(5_000)));
        assert_eq!(deep.len(), 5_000);
        let deeper = tree(&("[".repeat(200_000) + &"]".repeat(200_000)));
        assert_eq!(deeper.len(), DEEPEST + 1);
        assert!(deeper.is_cut());
    }

    #[test]
    fn too_many_nodes_are_counted_but_not_made() {
        let many = tree(&format!("[{}1]", "1,".repeat(MOST)));
        assert!(many.is_cut());
        assert_eq!(many.len(), MOST);
        assert_eq!(many.count(0), MOST + 1);
    }

    #[test]
    fn text_that_is_not_json_is_shown_somehow() {
        for text in [
            "",
            "{",
            "[1,",
            r#"{"a"#,
            r#""\"#,
            "}",
            "[}",
            "\u{fffd}",
            r#"{"a":}"#,
            "[,,]",
        ] {
            let _ = drawn(&tree(text));
        }
    }

    #[test]
    fn previews_are_bounded() {
        let long = format!("[{}]", "1,".repeat(500) + "1");
        assert!(one_line(&long, 20).len() < 40);
        assert_eq!(one_line("{\n \"a b\": 1\n}", 20), r#"{"a b": 1}"#);
        assert_eq!(one_line("{}", 20), "{}");
    }
}
