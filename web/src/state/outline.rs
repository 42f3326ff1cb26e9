//! What is seen of a tree: which nodes are open, the lines from the top, the
//! line somebody is at, and what a key press does to all that.

use std::sync::Arc;

use super::diff::{Diff, Mark};
use super::tree::{NodeId, Tree};

/// Most children that a node has to be opened by itself.
const FEW: usize = 100;

/// Most differences whose parents are opened for them.
const OPENED: usize = 1_000;

/// One line that can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    /// A node.
    Node(NodeId),
    /// A node of the reply before that is not there any more, and the node that
    /// it was in.
    Gone(NodeId, NodeId),
    /// The value has more nodes than a tree can have.
    Rest,
}

/// A key press inside the tree, named by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// To the line above.
    Up,
    /// To the line below.
    Down,
    /// So many lines up.
    PageUp(usize),
    /// So many lines down.
    PageDown(usize),
    /// Opens, or goes to the first child.
    In,
    /// Closes, or goes to the parent.
    Out,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// Opens what is closed, closes what is open.
    Toggle,
    /// Opens the node and all below it.
    Expand,
    /// Closes the node and all below it.
    Collapse,
}

/// A tree, opened as far as somebody looked.
#[derive(Debug)]
pub(crate) struct Outline {
    tree: Arc<Tree>,
    open: Vec<bool>,
    rows: Vec<Row>,
    current: Row,
    /// Where `current` is in `rows`.
    at: usize,
    diff: Option<Diff>,
}

impl Outline {
    /// With the root open, and more for as long as all that is open fits into
    /// `lines`.
    pub(crate) fn new(tree: Tree, lines: usize) -> Self {
        let mut open = vec![false; tree.len()];
        open[0] = true;
        let mut budget = lines.saturating_sub(1 + tree.count(0));
        let mut level: Vec<NodeId> = tree.children(0).take(lines).collect();
        while !level.is_empty() {
            let mut below = Vec::new();
            for id in level {
                if (1..=budget.min(FEW)).contains(&tree.count(id)) {
                    budget -= tree.count(id);
                    open[id as usize] = true;
                    below.extend(tree.children(id));
                }
            }
            level = below;
        }
        let mut outline = Self {
            tree: Arc::new(tree),
            open,
            rows: Vec::new(),
            current: Row::Node(0),
            at: 0,
            diff: None,
        };
        outline.lay_out();
        outline
    }

    /// The same outline of a newer reply: what was open stays open, and the
    /// current line stays where it was, as far as they are still there.
    pub(crate) fn follow(&self, tree: Tree) -> Self {
        let mut open = vec![false; tree.len()];
        open[0] = true;
        let mut current = None;
        let mut todo = vec![(0, 0)];
        while let Some((old, new)) = todo.pop() {
            if self.current == Row::Node(old) {
                current = Some(Row::Node(new));
            }
            if let (true, Some(open)) = (self.is_open(old), open.get_mut(new as usize)) {
                *open = true;
                todo.extend(self.tree.pairs(old, &tree, new).both);
            }
        }
        let mut outline = Self {
            tree: Arc::new(tree),
            open,
            rows: Vec::new(),
            current: current.unwrap_or(Row::Node(0)),
            at: 0,
            diff: None,
        };
        outline.lay_out();
        outline
    }

    /// The tree.
    pub(crate) fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    /// The lines, from the top.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The line that somebody is at.
    pub(crate) fn current(&self) -> Row {
        self.current
    }

    /// Where that line is, from 0.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The node that somebody is at; of what is gone, the one that it was in.
    pub(crate) fn node(&self) -> NodeId {
        match self.current {
            Row::Node(id) | Row::Gone(_, id) => id,
            Row::Rest => 0,
        }
    }

    /// Whether the node's children are lines.
    pub(crate) fn is_open(&self, id: NodeId) -> bool {
        self.open.get(id as usize).copied().unwrap_or_default() && self.tree.can_open(id)
    }

    /// What is different from the reply before, when that is shown.
    pub(crate) fn diff(&self) -> Option<&Diff> {
        self.diff.as_ref()
    }

    /// What became of the node since the reply before.
    pub(crate) fn mark(&self, id: NodeId) -> Mark {
        self.diff
            .as_ref()
            .map_or(Mark::Same, |diff| diff.mark_of(id))
    }

    /// Shows what is different, or not any more. What is different is opened
    /// when `opens` says so.
    pub(crate) fn set_diff(&mut self, diff: Option<Diff>, opens: bool) {
        if let (Some(diff), true) = (&diff, opens) {
            for &place in diff.places().iter().take(OPENED) {
                for id in self.tree.way(place) {
                    if id != place {
                        self.open[id as usize] = true;
                    } else if !diff.gone(place).is_empty() {
                        self.open[place as usize] = true;
                    }
                }
            }
        }
        self.diff = diff;
        self.lay_out();
    }

    /// Goes to a line.
    pub(crate) fn go_to(&mut self, row: Row) {
        if let Some(at) = self.rows.iter().position(|&other| other == row) {
            (self.current, self.at) = (row, at);
        }
    }

    /// Goes to a node, and opens what it is in.
    pub(crate) fn reveal(&mut self, id: NodeId) {
        let mut at = self.tree.parent(id);
        while let Some(parent) = at {
            self.open[parent as usize] = true;
            at = self.tree.parent(parent);
        }
        self.current = Row::Node(id);
        self.lay_out();
    }

    /// Does what a key press means at the current line.
    pub(crate) fn go(&mut self, step: Move) {
        let last = self.rows.len().saturating_sub(1);
        let to = match (step, self.current) {
            (Move::Up, _) => self.at.saturating_sub(1),
            (Move::Down, _) => self.at + 1,
            (Move::PageUp(lines), _) => self.at.saturating_sub(lines),
            (Move::PageDown(lines), _) => self.at + lines,
            (Move::First, _) => 0,
            (Move::Last, _) => last,
            (Move::In, Row::Node(id)) if self.is_open(id) => self.at + 1,
            (Move::In, Row::Node(id)) => return self.set_open(id..id + 1, true),
            (Move::Out, Row::Node(id)) if self.is_open(id) => {
                return self.set_open(id..id + 1, false);
            }
            (Move::Out, Row::Node(id)) => {
                let parent = self.tree.parent(id).unwrap_or(id);
                return self.go_to(Row::Node(parent));
            }
            (Move::Out, Row::Gone(_, parent)) => return self.go_to(Row::Node(parent)),
            (Move::Toggle, Row::Node(id)) => {
                let open = !self.is_open(id);
                return self.set_open(id..id + 1, open);
            }
            (Move::Expand, Row::Node(id)) => return self.set_open(id..self.tree.next(id), true),
            (Move::Collapse, Row::Node(id)) => {
                return self.set_open(id..self.tree.next(id), false);
            }
            _ => return,
        };
        self.at = to.min(last);
        self.current = self.rows.get(self.at).copied().unwrap_or(Row::Node(0));
    }

    fn set_open(&mut self, ids: std::ops::Range<NodeId>, open: bool) {
        if let Some(places) = self.open.get_mut(ids.start as usize..ids.end as usize) {
            places.fill(open);
        }
        self.lay_out();
    }

    /// Makes the lines anew.
    fn lay_out(&mut self) {
        let tree = Arc::clone(&self.tree);
        let diff = self.diff.as_ref();
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        // Open nodes that something is gone from, and where their last child ends.
        let mut lossy: Vec<(NodeId, NodeId)> = Vec::new();
        let mut id = 0;
        loop {
            while let (Some(&(parent, end)), Some(diff)) = (lossy.last(), diff)
                && id >= end
            {
                lossy.pop();
                let gone = diff.gone(parent).iter();
                rows.extend(gone.map(|&old| Row::Gone(old, parent)));
            }
            if id as usize >= tree.len() {
                break;
            }
            rows.push(Row::Node(id));
            let has_lost = diff.is_some_and(|diff| !diff.gone(id).is_empty());
            let is_open = self.open[id as usize];
            if is_open && has_lost {
                lossy.push((id, tree.next(id)));
            }
            id = if is_open { id + 1 } else { tree.next(id) };
        }
        if tree.is_cut() {
            rows.push(Row::Rest);
        }
        self.rows = rows;
        let current = self.current;
        self.at = 0;
        self.current = Row::Node(0);
        self.go_to(current);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::find::search;

    fn outline(text: &str, lines: usize) -> Outline {
        Outline::new(Tree::new(text.into()), lines)
    }

    fn paths(outline: &Outline) -> Vec<String> {
        let path = |row: &Row| match *row {
            Row::Node(id) => outline.tree().path(id),
            Row::Gone(id, _) => "-".to_owned() + &outline.diff().unwrap().old().path(id),
            Row::Rest => "rest".to_owned(),
        };
        outline.rows().iter().map(path).collect()
    }

    #[test]
    fn opens_what_fits_and_no_more() {
        let text = r#"{"a":{"b":[1,2]},"c":[1,2,3]}"#;
        assert_eq!(outline(text, 100).rows().len(), 9);
        assert_eq!(outline(text, 5).rows().len(), 4);
        assert_eq!(outline("{}", 100).rows(), [Row::Node(0)]);
        // The root is open however many children it has.
        let long = "[".to_owned() + &"[1],".repeat(1_000) + "1]";
        assert_eq!(outline(&long, 60).rows().len(), 1_002);
    }

    #[test]
    fn keys_walk_the_tree() {
        let mut outline = outline(r#"{"a":{"b":1},"c":2}"#, 0);
        let mut at = |step| {
            outline.go(step);
            outline.tree().path(outline.node())
        };
        assert_eq!(at(Move::Down), ".a");
        assert_eq!(at(Move::In), ".a");
        assert_eq!(at(Move::In), ".a.b");
        assert_eq!(at(Move::In), ".a.b");
        assert_eq!(at(Move::Down), ".c");
        assert_eq!(at(Move::Out), ".");
        assert_eq!(at(Move::Up), ".");
        assert_eq!(at(Move::Last), ".c");
        assert_eq!(at(Move::PageUp(2)), ".a");
        assert_eq!(at(Move::Out), ".a");
        assert_eq!(at(Move::Out), ".");
        assert_eq!(at(Move::PageDown(9)), ".c");
        assert_eq!(at(Move::First), ".");
    }

    #[test]
    fn all_below_a_node_opens_and_closes() {
        let mut outline = outline(r#"{"a":{"b":{"c":{}}},"d":[1]}"#, 0);
        outline.go(Move::Down);
        outline.go(Move::Expand);
        assert_eq!(paths(&outline), [".", ".a", ".a.b", ".a.b.c", ".d"]);
        outline.go(Move::Collapse);
        outline.go(Move::In);
        assert_eq!(paths(&outline), [".", ".a", ".a.b", ".d"]);
    }

    #[test]
    fn a_line_in_what_was_closed_is_left() {
        let mut outline = outline(r#"{"a":{"b":1}}"#, 100);
        outline.go(Move::Last);
        outline.go(Move::Up);
        outline.go(Move::Toggle);
        assert_eq!(outline.node(), 1);
        outline.reveal(2);
        assert_eq!(outline.node(), 2);
        assert_eq!(outline.at(), 2);
    }

    #[test]
    fn a_newer_reply_keeps_the_place() {
        let mut before = outline(r#"{"x":[1],"a":{"b":{"c":1}}}"#, 0);
        let deep = search(before.tree(), "c")[0];
        before.reveal(deep);
        let after = before.follow(Tree::new(
            r#"{"new":{"n":1},"a":{"b":{"c":2}},"x":[1]}"#.into(),
        ));
        assert_eq!(paths(&after), [".", ".new", ".a", ".a.b", ".a.b.c", ".x"]);
        assert_eq!(after.tree().path(after.node()), ".a.b.c");
        let gone = after.follow(Tree::new("[]".into()));
        assert_eq!(gone.node(), 0);
    }

    #[test]
    fn what_is_gone_has_its_place() {
        let old = Tree::new(r#"{"a":{"x":1,"y":2},"b":1}"#.into());
        let mut outline = outline(r#"{"a":{"x":1},"c":{"z":1}}"#, 0);
        let diff = Diff::new(Arc::new(old), outline.tree());
        outline.set_diff(Some(diff), true);
        assert_eq!(
            paths(&outline),
            [".", ".a", ".a.x", "-.a.y", ".c", ".c.z", "-.b"]
        );
        outline.go(Move::Last);
        assert_eq!(outline.current(), Row::Gone(4, 0));
        outline.go(Move::Out);
        assert_eq!(outline.node(), 0);
        outline.set_diff(None, true);
        assert!(!paths(&outline).contains(&"-.b".to_owned()));
    }
}
