//! One pass over a JSON text that makes the nodes of a tree, in the order of
//! the text.

use std::ops::Range;

use memchr::memchr2;

/// Most nodes of a tree: browsers have no higher page than so many lines. What
/// comes after them is counted by its parents, and not shown.
pub(super) const MOST: usize = 750_000;

/// Deepest nesting that has nodes.
pub(super) const DEEPEST: usize = 10_000;

/// Index of a node in its tree.
pub(crate) type NodeId = u32;

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

/// Offsets are of 32 bits, which is all that a browser's memory has.
#[derive(Debug)]
pub(super) struct Node {
    /// The quoted name in the text; empty for what is not a member.
    pub(super) name: (u32, u32),
    pub(super) value: (u32, u32),
    pub(super) kind: Kind,
    /// Members or items; 0 for scalars.
    pub(super) count: u32,
    pub(super) depth: u32,
    pub(super) parent: NodeId,
    /// From 0 among its siblings.
    pub(super) index: u32,
    /// The node after all that lies below this one.
    pub(super) next: NodeId,
}

/// An object or array that the parser is in.
struct Within {
    /// Its node, unless there are too many.
    id: Option<NodeId>,
    count: u32,
    is_object: bool,
    /// The name that was read, whose value follows.
    name: Option<(u32, u32)>,
}

/// Takes a text apart.
pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    /// What was found; at least one node.
    pub(super) nodes: Vec<Node>,
    /// Nesting comes from the endpoint, so there is no recursion.
    stack: Vec<Within>,
    /// Whether there was more than can be nodes.
    pub(super) is_cut: bool,
}

impl<'a> Parser<'a> {
    /// Nothing was read yet.
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            nodes: Vec::with_capacity(text.len() / 64),
            stack: Vec::new(),
            is_cut: false,
        }
    }

    /// Reads the one value of the text.
    pub(super) fn run(&mut self) {
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            let start = at;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => {
                    at += 1;
                    continue;
                }
                b'"' => {
                    at = skip_string(self.bytes, at);
                    if !self.is_name(start..at) {
                        self.add(Kind::String, start..at);
                    }
                }
                b'{' | b'[' if self.stack.len() < DEEPEST => {
                    at += 1;
                    self.enter(byte == b'{', start);
                }
                b'{' | b'[' => {
                    at = skip_nested(self.bytes, at);
                    self.is_cut = true;
                    self.add(Kind::Literal, start..at);
                }
                b'}' | b']' => {
                    at += 1;
                    self.leave(at);
                }
                _ => {
                    at = skip_word(self.bytes, at);
                    let is_literal = matches!(byte, b't' | b'f' | b'n');
                    let kind = if is_literal {
                        Kind::Literal
                    } else {
                        Kind::Number
                    };
                    self.add(kind, start..at);
                }
            }
            if self.stack.is_empty() {
                break;
            }
        }
        while !self.stack.is_empty() {
            self.leave(self.bytes.len());
        }
        if self.nodes.is_empty() {
            self.add(Kind::Literal, 0..0);
        }
    }

    fn is_name(&mut self, range: Range<usize>) -> bool {
        match self.stack.last_mut() {
            Some(within) if within.is_object && within.name.is_none() => {
                within.name = Some(packed(range));
                true
            }
            _ => false,
        }
    }

    fn add(&mut self, kind: Kind, range: Range<usize>) -> Option<NodeId> {
        let depth = self.stack.len() as u32;
        let (mut parent, mut index, mut name) = (Some(0), 0, (0, 0));
        if let Some(within) = self.stack.last_mut() {
            parent = within.id;
            index = within.count;
            name = within.name.take().unwrap_or_default();
            within.count += 1;
        }
        let Some(parent) = parent.filter(|_| self.nodes.len() < MOST) else {
            self.is_cut = true;
            return None;
        };
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node {
            name,
            value: packed(range),
            kind,
            count: 0,
            depth,
            parent,
            index,
            next: id + 1,
        });
        Some(id)
    }

    fn enter(&mut self, is_object: bool, at: usize) {
        let kind = if is_object { Kind::Object } else { Kind::Array };
        let id = self.add(kind, at..at);
        self.stack.push(Within {
            id,
            count: 0,
            is_object,
            name: None,
        });
    }

    fn leave(&mut self, end: usize) {
        let Some(within) = self.stack.pop() else {
            return;
        };
        let next = self.nodes.len() as NodeId;
        let node = within.id.and_then(|id| self.nodes.get_mut(id as usize));
        if let Some(node) = node {
            node.value.1 = end as u32;
            node.count = within.count;
            node.next = next;
        }
    }
}

fn packed(range: Range<usize>) -> (u32, u32) {
    (range.start as u32, range.end as u32)
}

fn skip_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(rest) = bytes.get(at..)
        && let Some(found) = memchr2(b'"', b'\\', rest)
    {
        at += found + 1;
        if bytes.get(at - 1) == Some(&b'"') {
            return at;
        }
        // What follows a backslash ends nothing.
        at += 1;
    }
    bytes.len()
}

/// Skips an object or array without looking into it.
fn skip_nested(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = skip_string(bytes, at - 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    at
}

fn skip_word(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let is_end = |byte: &u8| b" \t\r\n,:{}[]\"".contains(byte);
    rest.iter()
        .position(is_end)
        .map_or(bytes.len(), |length| start + length)
}
