//! A JSON value to look into, after the ARIA tree pattern: one tab stop,
//! arrow keys inside. Of a long tree only the lines in sight are drawn; the
//! focus is on the tree, which names its current line, since a line may not
//! exist any more when it is scrolled away.

mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::json::pretty;

use super::each::draw_each;
use super::parts::into_sight;
use super::row_actions::RowAction;
use super::sight::{Sight, pixels};
use crate::state::diff::Diff;
use crate::state::outline::{Move, Outline, Row};
use crate::state::text::counted;
use crate::state::tree::{NodeId, Tree};
use crate::state::window::Window;
use crate::store::{Store, browser, use_store};
use line::{LineState, line};

/// Lines that a tree opens by itself.
const LINES: usize = 60;

/// Most lines that are all drawn, with long values on several rows.
const ALL: usize = 200;

/// Height of a line of a longer tree in pixels; the style sheet has the same
/// number.
const LINE: f64 = 22.0;

/// The tree of one JSON value that does not change.
#[component]
pub(super) fn JsonTree(
    /// The value, verbatim.
    text: Arc<str>,
    /// The tree's name.
    label: &'static str,
    /// What else can be done with its values.
    #[prop(optional)]
    actions: Vec<RowAction>,
) -> impl IntoView {
    let tree = TreeView::with(actions);
    tree.load(text, false);
    view! { <TreeLines tree label/> }
}

/// A tree and how much of it is seen. A handle: copies are the same tree.
#[derive(Clone, Copy)]
pub(super) struct TreeView {
    store: Store,
    outline: StoredValue<Outline>,
    /// Rises when other lines are seen, or another one is the current one.
    revision: RwSignal<u64>,
    /// Rises when the lines say something else.
    generation: RwSignal<u64>,
    /// Which lines are seen.
    sight: Sight,
    root: NodeRef<html::Div>,
    /// What is searched for.
    pub(super) wanted: RwSignal<String>,
    /// What else can be done with a value.
    actions: StoredValue<Vec<RowAction>>,
    number: u32,
}

/// What can be copied of the current line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A string's characters; of other values their text.
    Value,
    /// Where the value is.
    Path,
    /// The value, indented.
    Subtree,
}

impl TreeView {
    /// A tree of nothing yet, and what can be done with its values.
    pub(super) fn with(actions: Vec<RowAction>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let root = NodeRef::new();
        Self {
            store: use_store(),
            outline: StoredValue::new(Outline::new(Tree::new("null".into()), LINES)),
            revision: RwSignal::new(0),
            generation: RwSignal::new(0),
            sight: Sight::of(root, 600.0),
            root,
            wanted: RwSignal::new(String::new()),
            actions: StoredValue::new(actions),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Shows a value; `follows` when it is a newer one of the same kind, of
    /// which the same is opened.
    pub(super) fn load(self, text: Arc<str>, follows: bool) {
        let tree = Tree::new(text);
        self.outline.update_value(|outline| {
            *outline = match follows {
                true => outline.follow(tree),
                false => Outline::new(tree, LINES),
            };
        });
        self.is_other();
        if !follows {
            self.sight.scroll_to(0.0);
        }
    }

    /// Shows what is different, or not any more, and opens that when `opens`
    /// says so.
    pub(super) fn set_diff(self, diff: Option<Diff>, opens: bool) {
        self.outline
            .update_value(|outline| outline.set_diff(diff, opens));
        self.is_other();
    }

    /// Reads what is seen, and again whenever that changes.
    pub(super) fn seen<T>(self, read: impl FnOnce(&Outline) -> T) -> T {
        self.revision.track();
        self.outline.with_value(read)
    }

    /// Reads what is seen, once.
    pub(super) fn seen_once<T>(self, read: impl FnOnce(&Outline) -> T) -> T {
        self.outline.with_value(read)
    }

    /// The value, taken apart.
    pub(super) fn tree(self) -> Arc<Tree> {
        self.outline
            .with_value(|outline| Arc::clone(outline.tree()))
    }

    /// Reads what the value is, and again when it is another.
    pub(super) fn value<T>(self, read: impl FnOnce(&Outline) -> T) -> T {
        self.generation.track();
        self.outline.with_value(read)
    }

    /// Does what a key press means.
    pub(super) fn go(self, step: Move) {
        self.outline.update_value(|outline| outline.go(step));
        self.moved();
    }

    /// Goes to a node.
    pub(super) fn reveal(self, id: NodeId) {
        self.outline.update_value(|outline| outline.reveal(id));
        self.moved();
    }

    /// Gives the tree the focus.
    pub(super) fn focus(self) {
        if let Some(root) = self.root.get_untracked() {
            // Nothing depends on whether the browser grants the focus.
            let _ = root.focus();
        }
    }

    /// That part of the current line, as it is copied.
    pub(super) fn part(self, part: Part) -> String {
        self.outline.with_value(|outline| {
            let (tree, id) = match (outline.current(), outline.diff()) {
                (Row::Gone(old, _), Some(diff)) => (diff.old(), old),
                _ => (outline.tree(), outline.node()),
            };
            match part {
                Part::Value => tree
                    .string(id)
                    .map_or_else(|| tree.value(id).to_owned(), |text| text.into_owned()),
                Part::Path => tree.path(id),
                Part::Subtree => pretty(tree.value(id)),
            }
        })
    }

    /// Copies that part of the current line, and says so.
    pub(super) fn copy(self, part: Part) {
        let (store, text) = (self.store, self.part(part));
        spawn_local(async move {
            let words = match (browser::copy(&text).await, part) {
                (false, _) => "Not allowed",
                (_, Part::Value) => "Value copied",
                (_, Part::Path) => "Path copied",
                (_, Part::Subtree) => "Subtree copied",
            };
            store.announcement.set(words.to_owned());
        });
    }

    /// Does with the current line what this key stands for, if anything.
    fn act(self, key: &str) {
        let Row::Node(id) = self.seen_once(Outline::current) else {
            return;
        };
        let found = self.actions.with_value(|actions| {
            let mut actions = actions.iter();
            actions.find(|action| action.key == key).cloned()
        });
        if let Some(action) = found {
            (action.run)(&self.tree(), id);
        }
    }

    fn is_other(self) {
        self.generation.update(|generation| *generation += 1);
        self.revision.update(|revision| *revision += 1);
    }

    /// The current line may be another one, and comes into sight.
    fn moved(self) {
        self.revision.update(|revision| *revision += 1);
        let (at, is_long) = self
            .outline
            .with_value(|outline| (outline.at(), outline.rows().len() > ALL));
        let line_id = self.line_id(self.outline.with_value(Outline::current));
        request_animation_frame(move || {
            if is_long {
                self.sight.reveal(at as f64 * LINE, LINE);
            }
            // Also in what the tree itself scrolls in. The current line is
            // always drawn.
            if let Some(line) = document().get_element_by_id(&line_id) {
                into_sight(&line);
            }
        });
    }

    fn line_id(self, row: Row) -> String {
        let (kind, number) = match row {
            Row::Node(id) => ("-", id),
            Row::Gone(id, _) => ("-gone-", id),
            Row::Rest => ("-rest", 0),
        };
        "tree-".to_owned() + &self.number.to_string() + kind + &number.to_string()
    }

    fn on_key(self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let lines = untrack(|| (self.sight.height() / LINE) as usize).max(2) - 1;
        let step = match (event.key().as_str(), event.shift_key()) {
            ("ArrowRight", true) => Move::Expand,
            ("ArrowLeft", true) => Move::Collapse,
            ("ArrowUp", _) => Move::Up,
            ("ArrowDown", _) => Move::Down,
            ("ArrowRight", _) => Move::In,
            ("ArrowLeft", _) => Move::Out,
            ("PageUp", _) => Move::PageUp(lines),
            ("PageDown", _) => Move::PageDown(lines),
            ("Home", _) => Move::First,
            ("End", _) => Move::Last,
            ("Enter" | " ", _) => Move::Toggle,
            ("c", _) => return self.copy(Part::Value),
            ("p", _) => return self.copy(Part::Path),
            ("s", _) => return self.copy(Part::Subtree),
            (key, _) => return self.act(key),
        };
        event.prevent_default();
        self.go(step);
    }
}

/// The lines of a tree.
#[component]
pub(super) fn TreeLines(
    /// Which.
    tree: TreeView,
    /// The tree's name.
    label: &'static str,
) -> impl IntoView {
    let count = Memo::new(move |_| tree.seen(|outline| outline.rows().len()));
    let is_long = Memo::new(move |_| count.get() > ALL);
    let window = Memo::new(move |_| match is_long.get() {
        true => tree.sight.window(LINE, count.get()),
        false => Window {
            first: 0,
            end: count.get(),
        },
    });
    let current = Memo::new(move |_| tree.seen(Outline::current));
    let lines = move || {
        let Window { first, end } = window.get();
        let is_long = is_long.get();
        let (generation, wanted) = (tree.generation.get(), Arc::from(tree.wanted.get()));
        tree.seen(|outline| {
            // The tree names its current line, which therefore must exist.
            let at = outline.at();
            let before = (at < first).then_some(at);
            let after = (at >= end).then_some(at);
            let places = before.into_iter().chain(first..end).chain(after);
            let lines = places.filter_map(|at| {
                let row = *outline.rows().get(at)?;
                let state = LineState {
                    is_current: outline.current() == row,
                    is_open: matches!(row, Row::Node(id) if outline.is_open(id)),
                    wanted: Arc::clone(&wanted),
                };
                Some(((row, is_long.then_some(at), generation), state))
            });
            lines.collect::<Vec<_>>()
        })
    };
    let body = NodeRef::new();
    let draw = move |(row, at, _), state| line(tree, row, at, state);
    // The focus is on the tree.
    draw_each(body, lines, |line| *line, draw, || {});
    tree.sight.follow_size();
    view! {
        <div
            class="tree mono"
            class:long=move || is_long.get()
            style:--lines=move || count.get().to_string()
            role="tree"
            aria-label=label
            tabindex="0"
            aria-activedescendant=move || tree.line_id(current.get())
            node_ref=tree.root
            on:keydown=move |event| tree.on_key(&event)
            on:scroll=move |_| {
                tree.sight.measure();
            }
        >
            <div
                class="tree-body"
                role="presentation"
                style:height=move || is_long.get().then(|| pixels(count.get() as f64 * LINE))
                node_ref=body
            ></div>
        </div>
    }
}

/// How many lines and bytes a reply has, for people.
pub(super) fn size_words(tree: TreeView) -> String {
    tree.value(|outline| {
        let tree = outline.tree();
        counted(tree.len() as u64, "value") + ", " + &counted(tree.text().len() as u64, "byte")
    })
}
