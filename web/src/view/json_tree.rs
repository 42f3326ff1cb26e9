//! A JSON value to look into, after the ARIA tree pattern: one tab stop,
//! arrow keys inside.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::state::text::grouped;
use crate::state::tree::{Kind, Line, Move, Tree};

/// Lines that a tree opens by itself.
const LINES: usize = 60;

/// Deepest indentation; deeper lines keep it, since the page is not endless.
const DEEPEST: usize = 40;

/// The tree of one JSON value.
#[component]
pub(super) fn JsonTree(
    /// The value, verbatim.
    text: Arc<str>,
    /// The tree's name.
    label: &'static str,
) -> impl IntoView {
    let tree = StoredValue::new(Tree::new(text, LINES));
    let lines = RwSignal::new(tree.with_value(Tree::lines));
    let current = RwSignal::new(Line::Node(0));
    let root = NodeRef::<html::Div>::new();

    let act = move |line: Line, step: Move| {
        let next = tree
            .try_update_value(|tree| tree.go(line, step))
            .unwrap_or(line);
        lines.set(tree.with_value(Tree::lines));
        current.set(next);
        next
    };
    let on_key = move |event: KeyboardEvent| {
        let Some(step) = step_of(&event.key()) else {
            return;
        };
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        event.prevent_default();
        let next = act(current.get_untracked(), step);
        request_animation_frame(move || {
            if let Some(root) = root.get_untracked() {
                focus_line(&root, next);
            }
        });
    };
    view! {
            <div class="tree mono" role="tree" aria-label=label node_ref=root on:keydown=on_key>
                <For
                    each=move || lines.get()
                    key=|line| *line
                    children=move |line| match line {
                        Line::Node(id) => {
                            let toggle = move || {
     act(line, Move::Toggle);
    };
                            node_line(tree, id, lines, current, toggle).into_any()
                        }
                        Line::More(id) => {
                            let more = move || {
     act(line, Move::Toggle);
    };
                            more_line(tree, id, lines, current, more).into_any()
                        }
                    }
                />
            </div>
        }
}

fn node_line(
    tree: StoredValue<Tree>,
    id: usize,
    lines: RwSignal<Vec<Line>>,
    current: RwSignal<Line>,
    toggle: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let line = Line::Node(id);
    let (shown, can_open, path) =
        tree.with_value(|tree| (tree.shown(id), tree.can_open(id), tree.path(id)));
    let is_open = Memo::new(move |_| {
        lines.track();
        tree.with_value(|tree| tree.is_open(id))
    });
    let expanded = can_open.then_some(move || if is_open.get() { "true" } else { "false" });
    let (position, siblings) = shown.position;
    let separator = (!shown.key.is_empty()).then_some(": ");
    let value_class = match shown.kind {
        Kind::Object | Kind::Array => "json-preview",
        Kind::String => "json-string",
        Kind::Number => "json-number",
        Kind::Literal => "json-literal",
    };
    let size = can_open.then(|| {
        let count = grouped(shown.count as u64);
        match shown.kind {
            Kind::Array => "[".to_owned() + &count + "]",
            _ => "{".to_owned() + &count + "}",
        }
    });
    let is_preview_hidden = move || can_open && is_open.get();
    view! {
        <div
            class="line"
            role="treeitem"
            title=path
            data-line=name_of(line)
            attr:aria-level=shown.depth + 1
            aria-posinset=position
            aria-setsize=siblings
            aria-expanded=expanded
            aria-selected=move || if current.get() == line { "true" } else { "false" }
            tabindex=move || if current.get() == line { 0 } else { -1 }
            class:open=move || is_open.get()
            class:can-open=can_open
            style:--depth=shown.depth.min(DEEPEST).to_string()
            on:click=move |_| {
                // Dragging over text selects it; that is not a click on it.
                if has_selection() {
                    return;
                }
                if can_open { toggle() } else { current.set(line) }
            }
        >
            <span class="json-key">{shown.key}</span>
            {separator}
            {size.map(|size| view! { <span class="json-size">{size}" "</span> })}
            <span class=value_class hidden=is_preview_hidden>{shown.value}</span>
        </div>
    }
}

fn more_line(
    tree: StoredValue<Tree>,
    id: usize,
    lines: RwSignal<Vec<Line>>,
    current: RwSignal<Line>,
    more: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let line = Line::More(id);
    let depth = tree.with_value(|tree| tree.shown(id).depth) + 1;
    let words = move || {
        lines.track();
        let hidden = tree.with_value(|tree| tree.hidden(id));
        "Show more (".to_owned() + &grouped(hidden as u64) + " left)"
    };
    view! {
        <div
            class="line more"
            role="treeitem"
            data-line=name_of(line)
            attr:aria-level=depth + 1
            aria-selected=move || if current.get() == line { "true" } else { "false" }
            tabindex=move || if current.get() == line { 0 } else { -1 }
            style:--depth=depth.min(DEEPEST).to_string()
            on:click=move |_| more()
        >
            {words}
        </div>
    }
}

fn step_of(key: &str) -> Option<Move> {
    Some(match key {
        "ArrowUp" => Move::Up,
        "ArrowDown" => Move::Down,
        "ArrowRight" => Move::In,
        "ArrowLeft" => Move::Out,
        "Home" => Move::First,
        "End" => Move::Last,
        "Enter" | " " => Move::Toggle,
        _ => return None,
    })
}

fn name_of(line: Line) -> String {
    match line {
        Line::Node(id) => id.to_string(),
        Line::More(id) => "more-".to_owned() + &id.to_string(),
    }
}

fn focus_line(root: &web_sys::HtmlDivElement, line: Line) {
    let selector = "[data-line=\"".to_owned() + &name_of(line) + "\"]";
    let found = root.query_selector(&selector).ok().flatten();
    if let Some(element) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Nothing depends on whether the browser grants the focus.
        let _ = element.focus();
    }
}

fn has_selection() -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_some_and(|selection| !selection.is_collapsed())
}
