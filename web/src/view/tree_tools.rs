//! What can be done with a tree: search in it, open and close all, copy parts
//! of the current line, and see where that is.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::json_tree::{Part, TreeView};
use crate::state::outline::{Move, Outline, next_match, search};
use crate::state::text::grouped;
use crate::state::tree::{Kind, NodeId};

/// The tools of one tree.
#[component]
pub(super) fn TreeTools(
    /// Which.
    tree: TreeView,
    /// Called when the number in the current line shall be plotted.
    plot: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let is_number = Memo::new(move |_| {
        tree.seen(|outline| outline.tree().kind(outline.node()) == Kind::Number)
    });
    let can_open = Memo::new(move |_| tree.seen(|outline| outline.tree().can_open(outline.node())));
    let copy = move |part, words: &'static str, key: &'static str| {
        view! {
            <button
                type="button"
                class="quiet small"
                aria-keyshortcuts=key
                title=words.to_owned() + " of the current line (" + key + ")"
                on:click=move |_| tree.copy(part)
            >
                {words}
            </button>
        }
    };
    let open = move |step, words: &'static str, key: &'static str| {
        view! {
            <button
                type="button"
                class="quiet small"
                aria-keyshortcuts=key
                title=words.to_owned() + " below the current line (" + key + ")"
                disabled=move || !can_open.get()
                on:click=move |_| {
                    tree.go(step);
                    tree.focus();
                }
            >
                {words}
            </button>
        }
    };
    view! {
        <div class="tree-tools">
            <Search tree/>
            <div class="tree-buttons" role="group" aria-label="Current line">
                {open(Move::Expand, "Expand all", "Shift+ArrowRight")}
                {open(Move::Collapse, "Collapse", "Shift+ArrowLeft")}
                {copy(Part::Value, "Copy value", "c")}
                {copy(Part::Path, "Copy path", "p")}
                {copy(Part::Subtree, "Copy subtree", "s")}
                <button
                    type="button"
                    class="quiet small"
                    title="Draw this number over the replies"
                    disabled=move || !is_number.get()
                    on:click=move |_| plot()
                >
                    "Plot"
                </button>
            </div>
            <Crumbs tree/>
        </div>
    }
}

/// Searches names and values; Enter goes to the next match.
#[component]
fn Search(tree: TreeView) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let matches = Memo::new(move |_| {
        let wanted = tree.wanted.get();
        tree.value(|outline| search(outline.tree(), &wanted))
    });
    let step = move |forward: bool, stays: bool| {
        let at = tree.seen_once(Outline::node);
        let to = matches.with_untracked(|matches| next_match(matches, at, forward, stays));
        if let Some(to) = to {
            tree.reveal(to);
        }
    };
    let words = move || {
        if tree.wanted.with(String::is_empty) {
            return String::new();
        }
        let at = tree.seen(Outline::node);
        matches.with(|matches| {
            let place = matches.binary_search(&at).ok();
            let total = grouped(matches.len() as u64);
            match (matches.len(), place) {
                (0, _) => "no match".to_owned(),
                (_, Some(place)) => grouped(place as u64 + 1) + " of " + &total,
                (_, None) => total + " found",
            }
        })
    };
    let on_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.ctrl_key() && !event.meta_key() => {
            event.prevent_default();
            step(!event.shift_key(), false);
        }
        "Escape" => {
            event.prevent_default();
            tree.wanted.set(String::new());
            tree.focus();
        }
        _ => {}
    };
    let is_idle = Memo::new(move |_| matches.with(Vec::is_empty));
    view! {
        <div class="tree-search" role="search">
            <input
                type="search"
                class="mono"
                aria-label="Search in the reply"
                placeholder="Search names and values"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                node_ref=input
                prop:value=tree.wanted
                on:input=move |event| {
                    tree.wanted.set(event_target_value(&event));
                    step(true, true);
                }
                on:keydown=on_key
            />
            <span class="small-text muted found" role="status">{words}</span>
            <button
                type="button" class="quiet small icon" aria-label="Previous match" title="Previous match (Shift+Enter)"
                disabled=move || is_idle.get() on:click=move |_| step(false, false)
            >"↑"</button>
            <button
                type="button" class="quiet small icon" aria-label="Next match" title="Next match (Enter)"
                disabled=move || is_idle.get() on:click=move |_| step(true, false)
            >"↓"</button>
        </div>
    }
}

/// Where the current line is; each step leads there.
#[component]
fn Crumbs(tree: TreeView) -> impl IntoView {
    let crumbs = Memo::new(move |_| {
        tree.value(|_| ());
        tree.seen(|outline| {
            let tree = outline.tree();
            let way = tree.way(outline.node()).into_iter();
            way.map(|id| (id, tree.crumb(id))).collect::<Vec<_>>()
        })
    });
    let steps = move || {
        let crumb = |(id, words): (NodeId, String)| {
            let go = move |_| {
                tree.reveal(id);
                tree.focus();
            };
            view! { <button type="button" class="crumb" tabindex="-1" on:click=go>{words}</button> }
        };
        crumbs.get().into_iter().map(crumb).collect_view()
    };
    view! {
        <p class="crumbs mono" aria-label="Path of the current line" role="group">
            <button
                type="button" class="crumb" tabindex="-1" aria-label="The whole reply"
                on:click=move |_| {
                    tree.reveal(0);
                    tree.focus();
                }
            >"$"</button>
            {steps}
        </p>
    }
}
