//! One line of a tree.

use std::sync::Arc;

use leptos::attr::custom::{CustomAttr, custom_attribute};
use leptos::prelude::*;

use super::{LINE, TreeView};
use crate::state::diff::Mark;
use crate::state::find::pieces;
use crate::state::outline::{Move, Row};
use crate::state::text::{clip, grouped};
use crate::state::tree::{Kind, NodeId};
use crate::view::row_actions::buttons;
use crate::view::sight::pixels;

/// Longest value in a line of a longer tree, in bytes; it is cut at the edge.
const CUT: usize = 512;

/// Deepest indentation; deeper lines keep it, since the page is not endless.
const DEEPEST: usize = 40;

/// How deep a line is, for who does not see it; Leptos has no name for that
/// attribute.
fn level(depth: usize) -> CustomAttr<&'static str, String> {
    custom_attribute("aria-level", (depth + 1).to_string())
}

/// What changes of a line while it is shown.
#[derive(Clone, PartialEq)]
pub(super) struct LineState {
    pub(super) is_current: bool,
    pub(super) is_open: bool,
    /// What is searched for.
    pub(super) wanted: Arc<str>,
}

/// One line; `at` is its place in a tree of which not all lines are drawn.
pub(super) fn line(
    tree: TreeView,
    row: Row,
    at: Option<usize>,
    state: ReadSignal<LineState>,
) -> AnyView {
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
