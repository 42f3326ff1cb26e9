//! A JSON value as a tree to look into, over its verbatim text.
//!
//! Nodes are made when their parent is opened, a page at a time, so that a
//! reply of a megabyte costs what is looked at. Numbers stay as written and
//! members stay in order, since the text is never re-encoded. The text is one
//! JSON value (a `RawValue`); for any other text the tree is merely wrong,
//! never out of bounds.

use std::ops::Range;
use std::sync::Arc;

use super::text::{clip, visible};

/// Children shown at once.
pub(crate) const PAGE: usize = 100;

/// Longest value shown in a row, in bytes.
const LONGEST: usize = 4096;

/// Longest preview of a closed object or array, in bytes.
const PREVIEW: usize = 120;

/// Index of a node in its tree; nodes are never removed.
pub(crate) type NodeId = usize;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{...}`
    Object,
    /// `[...]`
    Array,
    /// `"..."`
    String,
    /// As written.
    Number,
    /// `true`, `false` or `null`.
    Literal,
}

#[derive(Debug)]
struct Node {
    key: Key,
    value: Range<usize>,
    kind: Kind,
    /// Members or items; 0 for scalars.
    count: usize,
    depth: usize,
    parent: Option<NodeId>,
    open: bool,
    children: Vec<NodeId>,
}

#[derive(Clone, Debug)]
enum Key {
    Root,
    Item(usize),
    Member(Range<usize>),
}

/// One visible line of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    /// A node.
    Node(NodeId),
    /// The rest of an opened object or array that has more than was shown.
    More(NodeId),
}

/// A key press inside the tree, named by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// To the line above.
    Up,
    /// To the line below.
    Down,
    /// Opens, or goes to the first child.
    In,
    /// Closes, or goes to the parent.
    Out,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// Opens what is closed, closes what is open, shows more.
    Toggle,
}

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

/// A JSON value, opened as far as somebody looked.
#[derive(Debug)]
pub(crate) struct Tree {
    text: Arc<str>,
    nodes: Vec<Node>,
}

impl Tree {
    /// The tree of one JSON value, with the root open, and more for as long as
    /// all that is open fits into `lines`.
    pub(crate) fn new(text: Arc<str>, lines: usize) -> Self {
        let start = skip_blanks(text.as_bytes(), 0);
        let value = scan(text.as_bytes(), start);
        let root = Node::new(&value, Key::Root, 0, None);
        let mut tree = Self {
            text,
            nodes: vec![root],
        };
        tree.open(0);
        let mut budget = lines.saturating_sub(tree.nodes.len());
        let mut next = 1;
        while let Some(node) = tree.nodes.get(next) {
            if (1..=budget.min(PAGE)).contains(&node.count) {
                budget -= node.count;
                tree.open(next);
            }
            next += 1;
        }
        tree
    }

    /// The text of one node's value, verbatim.
    pub(crate) fn value(&self, id: NodeId) -> &str {
        let node = self.nodes.get(id);
        node.and_then(|node| self.text.get(node.value.clone()))
            .unwrap_or_default()
    }

    /// Whether the value has members or items to open.
    pub(crate) fn can_open(&self, id: NodeId) -> bool {
        self.nodes.get(id).is_some_and(|node| node.count > 0)
    }

    /// Whether the node's children are visible.
    pub(crate) fn is_open(&self, id: NodeId) -> bool {
        self.nodes.get(id).is_some_and(|node| node.open)
    }

    /// The visible lines, from the top.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.nodes.len());
        // Depth first without recursion: nesting comes from the endpoint.
        let mut stack = vec![Line::Node(0)];
        while let Some(line) = stack.pop() {
            lines.push(line);
            let Line::Node(id) = line else { continue };
            let node = &self.nodes[id];
            if node.open {
                if node.children.len() < node.count {
                    stack.push(Line::More(id));
                }
                stack.extend(node.children.iter().rev().map(|&child| Line::Node(child)));
            }
        }
        lines
    }

    /// What to show for a node.
    pub(crate) fn shown(&self, id: NodeId) -> Shown {
        let node = &self.nodes[id];
        let siblings = node.parent.map_or(1, |parent| self.nodes[parent].count);
        let (key, position) = match &node.key {
            Key::Root => (String::new(), 1),
            Key::Item(index) => (index.to_string(), index + 1),
            Key::Member(name) => (self.name(name), self.position_of_member(id)),
        };
        let value = match node.kind {
            Kind::Object | Kind::Array => self.preview(node),
            Kind::String => self.string(node),
            Kind::Number | Kind::Literal => clip(self.value(id), LONGEST).0.to_owned(),
        };
        Shown {
            key,
            kind: node.kind,
            value,
            count: node.count,
            depth: node.depth,
            position: (position, siblings),
        }
    }

    /// How many children of an opened node are not shown yet.
    pub(crate) fn hidden(&self, id: NodeId) -> usize {
        let node = &self.nodes[id];
        node.count - node.children.len()
    }

    /// Where the node is, as `.cpus[2].id`; `.` is the root.
    pub(crate) fn path(&self, id: NodeId) -> String {
        let mut steps = Vec::new();
        let mut at = Some(id);
        while let Some(node) = at.and_then(|at| self.nodes.get(at)) {
            match &node.key {
                Key::Root => {}
                Key::Item(index) => steps.push("[".to_owned() + &index.to_string() + "]"),
                Key::Member(name) => steps.push(".".to_owned() + &self.name(name)),
            }
            at = node.parent;
        }
        steps.reverse();
        if steps.is_empty() {
            ".".to_owned()
        } else {
            steps.concat()
        }
    }

    /// Does what a key press means at `line`; answers the line to be at next.
    pub(crate) fn go(&mut self, line: Line, step: Move) -> Line {
        let lines = self.lines();
        let at = lines.iter().position(|&other| other == line).unwrap_or(0);
        let last = lines.len() - 1;
        match step {
            Move::Up => lines[at.saturating_sub(1)],
            Move::Down => lines[(at + 1).min(last)],
            Move::First => lines[0],
            Move::Last => lines[last],
            Move::In => match line {
                Line::Node(id) if self.is_open(id) => lines[(at + 1).min(last)],
                Line::Node(id) => {
                    self.open(id);
                    line
                }
                Line::More(_) => self.toggle(line),
            },
            Move::Out => match line {
                Line::Node(id) if self.is_open(id) => self.toggle(line),
                Line::Node(id) => Line::Node(self.nodes[id].parent.unwrap_or(id)),
                Line::More(id) => Line::Node(id),
            },
            Move::Toggle => self.toggle(line),
        }
    }

    /// Opens, closes, or shows the next page; answers the line to be at next.
    pub(crate) fn toggle(&mut self, line: Line) -> Line {
        match line {
            Line::Node(id) if self.is_open(id) => {
                self.nodes[id].open = false;
                line
            }
            Line::Node(id) => {
                self.open(id);
                line
            }
            Line::More(id) => {
                let first_new = self.nodes.len();
                self.grow(id);
                if first_new < self.nodes.len() {
                    Line::Node(first_new)
                } else {
                    Line::Node(id)
                }
            }
        }
    }

    fn open(&mut self, id: NodeId) {
        if !self.can_open(id) {
            return;
        }
        self.nodes[id].open = true;
        if self.nodes[id].children.is_empty() {
            self.grow(id);
        }
    }

    /// Makes the next page of a node's children.
    fn grow(&mut self, id: NodeId) {
        let node = &self.nodes[id];
        let (depth, made) = (node.depth + 1, node.children.len());
        let mut at = match node.children.last() {
            Some(&last) => self.nodes[last].value.end,
            None => node.value.start + 1,
        };
        let is_object = node.kind == Kind::Object;
        let wanted = PAGE.min(node.count - made);
        let text = Arc::clone(&self.text);
        let bytes = text.as_bytes();
        for index in made..made + wanted {
            at = skip_separators(bytes, at);
            let key = if is_object {
                let name = scan(bytes, at);
                at = skip_separators(bytes, name.range.end);
                Key::Member(name.range)
            } else {
                Key::Item(index)
            };
            let value = scan(bytes, at);
            at = value.range.end;
            let child = self.nodes.len();
            self.nodes.push(Node::new(&value, key, depth, Some(id)));
            self.nodes[id].children.push(child);
        }
    }

    /// Children of one page have consecutive ids, pages need not.
    fn position_of_member(&self, id: NodeId) -> usize {
        let parent = self.nodes[id].parent.map(|parent| &self.nodes[parent]);
        let found = parent.and_then(|parent| parent.children.binary_search(&id).ok());
        found.map_or(1, |index| index + 1)
    }

    fn name(&self, range: &Range<usize>) -> String {
        let quoted = self.text.get(range.clone()).unwrap_or_default();
        decoded(quoted).unwrap_or_else(|| quoted.to_owned())
    }

    fn string(&self, node: &Node) -> String {
        let quoted = self.text.get(node.value.clone()).unwrap_or_default();
        let whole = decoded(quoted).unwrap_or_else(|| quoted.trim_matches('"').to_owned());
        let (start, left_out) = clip(&whole, LONGEST);
        let mut shown = String::with_capacity(start.len() + 2);
        shown.push('"');
        shown.push_str(start);
        shown.push_str(if left_out > 0 { "…" } else { "\"" });
        shown
    }

    fn preview(&self, node: &Node) -> String {
        let text = self.text.get(node.value.clone()).unwrap_or_default();
        one_line(text, PREVIEW)
    }
}

impl Node {
    fn new(value: &Scanned, key: Key, depth: usize, parent: Option<NodeId>) -> Self {
        Self {
            key,
            value: value.range.clone(),
            kind: value.kind,
            count: value.count,
            depth,
            parent,
            open: false,
            children: Vec::new(),
        }
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

/// What a quoted JSON string says; `None` where Rust cannot hold it (a lone
/// surrogate).
fn decoded(quoted: &str) -> Option<String> {
    let text: String = serde_json::from_str(quoted).ok()?;
    Some(visible(&text).into_owned())
}

struct Scanned {
    range: Range<usize>,
    kind: Kind,
    count: usize,
}

/// Finds the end of the value that starts at `start`, and counts its direct
/// children. Iterative: nesting comes from the endpoint.
fn scan(bytes: &[u8], start: usize) -> Scanned {
    let start = start.min(bytes.len());
    let kind = match bytes.get(start) {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f' | b'n') | None => Kind::Literal,
        Some(_) => Kind::Number,
    };
    let (mut at, mut depth, mut commas, mut is_empty) = (start, 0_usize, 0, true);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                is_empty = false;
                at = skip_string(bytes, at);
                if depth == 0 {
                    break;
                }
                continue;
            }
            b'{' | b'[' => {
                is_empty &= depth == 0;
                depth += 1;
            }
            b'}' | b']' => {
                if depth == 0 {
                    break;
                }
                depth -= 1;
                if depth == 0 {
                    at += 1;
                    break;
                }
            }
            b',' if depth == 0 => break,
            b',' if depth == 1 => commas += 1,
            b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => break,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => is_empty = false,
        }
        at += 1;
    }
    let is_container = matches!(kind, Kind::Object | Kind::Array);
    let count = if is_container && !is_empty {
        commas + 1
    } else {
        0
    };
    Scanned {
        range: start..at,
        kind,
        count,
    }
}

fn skip_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn skip_separators(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|byte| byte.is_ascii_whitespace() || b",:".contains(byte))
    {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str, lines: usize) -> Tree {
        Tree::new(text.into(), lines)
    }

    /// Indented `key: value` lines of all that is visible.
    fn drawn(tree: &Tree) -> Vec<String> {
        let draw = |line: &Line| match *line {
            Line::Node(id) => {
                let shown = tree.shown(id);
                format!("{}{}: {}", "  ".repeat(shown.depth), shown.key, shown.value)
            }
            Line::More(id) => format!("{} more", tree.hidden(id)),
        };
        tree.lines().iter().map(draw).collect()
    }

    #[test]
    fn numbers_stay_as_written_and_members_in_order() {
        let text = r#" {"b": 18446744073709551616, "a" : 1.50, "c":[1e400, -0], "b": null} "#;
        let tree = tree(text, 0);
        assert_eq!(
            drawn(&tree),
            [
                r#": {"b": 18446744073709551616, "a": 1.50, "c": [1e400, -0], "b": null}"#,
                "  b: 18446744073709551616",
                "  a: 1.50",
                "  c: [1e400, -0]",
                "  b: null",
            ]
        );
        assert_eq!(tree.shown(3).position, (3, 4));
        assert_eq!(tree.value(3), "[1e400, -0]");
    }

    #[test]
    fn opens_what_fits_and_no_more() {
        let text = r#"{"a":{"b":[1,2]},"c":[1,2,3]}"#;
        assert_eq!(tree(text, 100).lines().len(), 9);
        assert_eq!(tree(text, 5).lines().len(), 4);
        assert_eq!(tree("{}", 100).lines(), [Line::Node(0)]);
        assert!(!tree("[ ]", 100).can_open(0));
    }

    #[test]
    fn pages_of_long_arrays() {
        let text = format!("[{}]", vec!["[]"; 250].join(", "));
        let mut tree = tree(&text, 10);
        assert_eq!(tree.lines().len(), 1 + PAGE + 1);
        assert_eq!(tree.hidden(0), 150);
        let next = tree.toggle(Line::More(0));
        assert_eq!(next, Line::Node(101));
        assert_eq!(tree.shown(101).key, "100");
        tree.toggle(Line::More(0));
        assert_eq!(tree.lines().len(), 251);
        assert_eq!(tree.hidden(0), 0);
    }

    #[test]
    fn keys_walk_the_tree() {
        let mut tree = tree(r#"{"a":{"b":1},"c":2}"#, 0);
        let (root, a, c) = (Line::Node(0), Line::Node(1), Line::Node(2));
        assert_eq!(tree.go(root, Move::Down), a);
        assert_eq!(tree.go(a, Move::In), a);
        let b = tree.go(a, Move::In);
        assert_eq!(tree.path(3), ".a.b");
        assert_eq!(b, Line::Node(3));
        assert_eq!(tree.go(b, Move::Down), c);
        assert_eq!(tree.go(b, Move::Out), a);
        assert_eq!(tree.go(a, Move::Out), a);
        assert!(!tree.is_open(1));
        assert_eq!(tree.go(a, Move::Out), root);
        assert_eq!(tree.go(root, Move::Up), root);
        assert_eq!(tree.go(root, Move::Last), c);
        assert_eq!(tree.go(c, Move::First), root);
    }

    #[test]
    fn strings_are_decoded_but_cannot_hide_anything() {
        let tree = tree(r#"{"k\n":"a\"\u00e9\u202e","s":"\ud800"}"#, 0);
        assert_eq!(
            drawn(&tree)[1..],
            [r#"  k\n: "a"é\u{202e}""#, r#"  s: "\ud800""#]
        );
    }

    #[test]
    fn nesting_is_no_danger() {
        let text = "[".repeat(5_000) + &"]".repeat(5_000);
        let mut tree = tree(&text, 10_000);
        assert_eq!(tree.lines().len(), 5_000);
        assert_eq!(tree.go(Line::Node(0), Move::Last), Line::Node(4_999));
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
            let tree = tree(text, 100);
            let _ = drawn(&tree);
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
