//! A JSON value to look into, after the ARIA tree pattern: one tab stop,
//! arrow keys inside. Of a long tree only the lines in sight are drawn; the
//! focus is on the tree, which names its current line, since a line may not
//! exist any more when it is scrolled away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use leptos::attr::custom::{CustomAttr, custom_attribute};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::json::pretty;

use super::each::draw_each;
use super::parts::into_sight;
use super::row_actions::{RowAction, buttons};
use super::sight::{Sight, pixels};
use crate::state::diff::{Diff, Mark};
use crate::state::find::pieces;
use crate::state::outline::{Move, Outline, Row};
use crate::state::text::{clip, counted, grouped};
use crate::state::tree::{Kind, NodeId, Tree};
use crate::state::window::Window;
use crate::store::{Store, browser, use_store};

/// Lines that a tree opens by itself.
const LINES: usize = 60;

/// Most lines that are all drawn, with long values on several rows.
const ALL: usize = 200;

/// Height of a line of a longer tree in pixels; the style sheet has the same
/// number.
const LINE: f64 = 22.0;

/// Longest value in a line of a longer tree, in bytes; it is cut at the edge.
const CUT: usize = 512;

/// Deepest indentation; deeper lines keep it, since the page is not endless.
const DEEPEST: usize = 40;

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

/// How deep a line is, for who does not see it; Leptos has no name for that
/// attribute.
fn level(depth: usize) -> CustomAttr<&'static str, String> {
    custom_attribute("aria-level", (depth + 1).to_string())
}

/// What changes of a line while it is shown.
#[derive(Clone, PartialEq)]
struct LineState {
    is_current: bool,
    is_open: bool,
    /// What is searched for.
    wanted: Arc<str>,
}

/// One line; `at` is its place in a tree of which not all lines are drawn.
fn line(tree: TreeView, row: Row, at: Option<usize>, state: ReadSignal<LineState>) -> AnyView {
    let text = match row {
        Row::Node(id) => return node_line(tree, id, at, state).into_any(),
        Row::Gone(id, parent) => tree.outline.with_value(|outline| {
            let shown = outline.diff().map(|diff| diff.old().shown(id));
            let depth = outline.tree().depth(parent) + 1;
            shown.map(|shown| (depth, shown.key, clip(&shown.value, CUT).0.to_owned()))
        }),
        Row::Rest => {
            let words = "More than can be shown here: see the raw reply.".to_owned();
            Some((1, String::new(), words))
        }
    };
    let (depth, key, value) = text.unwrap_or_default();
    let is_gone = matches!(row, Row::Gone(..));
    let separator = (!key.is_empty()).then_some(": ");
    let is_current = move || state.with(|state| state.is_current);
    view! {
        <div
            class="line"
            class:gone=is_gone
            class:current=is_current
            role="treeitem"
            id=tree.line_id(row)
            {..level(depth)}
            aria-selected=move || is_current().to_string()
            style:--depth=depth.min(DEEPEST).to_string()
            style:top=at.map(|at| pixels(at as f64 * LINE))
            on:click=move |_| {
                tree.outline.update_value(|outline| outline.go_to(row));
                tree.moved();
            }
        >
            <span class="line-text">{key}{separator}{value}</span>
            {is_gone.then(|| view! { " " <span class="mark-word">"removed"</span> })}
        </div>
    }
    .into_any()
}

fn node_line(
    tree: TreeView,
    id: NodeId,
    at: Option<usize>,
    state: ReadSignal<LineState>,
) -> impl IntoView {
    let row = Row::Node(id);
    let (shown, can_open, mark, was) = tree.outline.with_value(|outline| {
        let was = outline.diff().and_then(|diff| {
            let was = diff.old().shown(diff.was(id)?).value;
            Some(clip(&was, CUT).0.to_owned())
        });
        let value = outline.tree();
        (value.shown(id), value.can_open(id), outline.mark(id), was)
    });
    let is_open = Memo::new(move |_| state.with(|state| state.is_open));
    let wanted = Memo::new(move |_| state.with(|state| Arc::clone(&state.wanted)));
    let expanded = can_open.then_some(move || is_open.get().to_string());
    let (position, siblings) = shown.position;
    let separator = (!shown.key.is_empty()).then_some(": ");
    let value_class = match shown.kind {
        Kind::Object | Kind::Array => "json-preview",
        Kind::String => "json-string",
        Kind::Number => "json-number",
        Kind::Literal => "json-literal",
    };
    let is_container = matches!(shown.kind, Kind::Object | Kind::Array);
    let size = can_open.then(|| {
        let count = grouped(shown.count as u64);
        match shown.kind {
            Kind::Array => "[".to_owned() + &count + "]",
            _ => "{".to_owned() + &count + "}",
        }
    });
    let value = match at {
        Some(_) if shown.value.len() > CUT => clip(&shown.value, CUT).0.to_owned() + "…",
        _ => shown.value,
    };
    let is_current = move || state.with(|state| state.is_current);
    let is_preview_hidden = move || can_open && is_open.get();
    let class = match mark {
        Mark::Same => "line",
        Mark::Inside => "line inside",
        Mark::Changed => "line changed",
        Mark::Added => "line added",
    };
    view! {
        <div
            class=class
            class:open=move || is_open.get()
            class:can-open=can_open
            class:current=is_current
            role="treeitem"
            id=tree.line_id(row)
            {..level(shown.depth)}
            aria-posinset=position
            aria-setsize=siblings
            aria-expanded=expanded
            aria-selected=move || is_current().to_string()
            style:--depth=shown.depth.min(DEEPEST).to_string()
            style:top=at.map(|at| pixels(at as f64 * LINE))
            on:click=move |_| {
                // Dragging over text selects it; that is not a click on it.
                if has_selection() {
                    return;
                }
                tree.outline.update_value(|outline| outline.go_to(row));
                if can_open { tree.go(Move::Toggle) } else { tree.moved() }
            }
        >
            <span class="json-key">{marked(wanted, shown.key)}</span>
            {separator}
            {size.map(|size| view! { <span class="json-size">{size}" "</span> })}
            <span class=value_class hidden=is_preview_hidden>
                {match is_container {
                    true => value.into_any(),
                    false => marked(wanted, value).into_any(),
                }}
            </span>
            {was.map(|was| view! { " " <span class="mark-word">"was " <del>{was}</del></span> })}
            {(mark == Mark::Added).then(|| view! { " " <span class="mark-word">"new"</span> })}
            {tree.actions.with_value(|actions| buttons(tree, actions, id))}
        </div>
    }
}

/// Text in which what is searched for is marked.
fn marked(wanted: Memo<Arc<str>>, text: String) -> impl IntoView {
    move || {
        let wanted = wanted.get();
        let piece = |(piece, is_match): (&str, bool)| match is_match {
            true => view! { <mark>{piece.to_owned()}</mark> }.into_any(),
            false => piece.to_owned().into_any(),
        };
        let pieces = pieces(&text, &wanted).into_iter();
        pieces.map(piece).collect_view()
    }
}

fn has_selection() -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_some_and(|selection| !selection.is_collapsed())
}

/// How many lines and bytes a reply has, for people.
pub(super) fn size_words(tree: TreeView) -> String {
    tree.value(|outline| {
        let tree = outline.tree();
        counted(tree.len() as u64, "value") + ", " + &counted(tree.text().len() as u64, "byte")
    })
}
