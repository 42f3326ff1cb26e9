//! What can be done with a tree: search in it, open and close all, copy parts
//! of the current line, and see where that is.

use leptos::prelude::*;

use super::find::Finder;
use crate::state::find::{Found, next_match, search};
use crate::state::outline::{Move, Outline};
use crate::state::tree::{Kind, NodeId};
use crate::view::json_tree::{Part, TreeView, size_words};

/// The tools of one tree.
#[component]
pub(super) fn TreeTools(
    /// Which.
    tree: TreeView,
    /// Called when the number in the current line shall be plotted.
    plot: impl Fn() + Copy + Send + 'static,
    /// Called when the string in the current line shall be shown as text.
    as_text: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let is_number = Memo::new(move |_| {
        tree.seen(|outline| outline.tree().kind(outline.node()) == Kind::Number)
    });
    let is_text = Memo::new(move |_| tree.seen(|outline| outline.tree().is_text(outline.node())));
    let can_open = Memo::new(move |_| tree.seen(|outline| outline.tree().can_open(outline.node())));
    // They stand side by side: one "Copy" is enough to see.
    let copy = move |part, words: &'static str, shown: &'static str, key: &'static str| {
        view! {
            <button
                type="button"
                class="quiet small"
                aria-label=words
                aria-keyshortcuts=key
                title=words.to_owned() + " of the current line (" + key + ")"
                on:click=move |_| tree.copy(part)
            >
                {shown}
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
                <div class="copy-parts" role="presentation">
                    {copy(Part::Value, "Copy value", "Copy value", "c")}
                    {copy(Part::Path, "Copy path", "path", "p")}
                    {copy(Part::Subtree, "Copy subtree", "subtree", "s")}
                </div>
                <button
                    type="button"
                    class="quiet small"
                    title="Draw this number over the replies"
                    disabled=move || !is_number.get()
                    on:click=move |_| plot()
                >
                    "Plot"
                </button>
                <button
                    type="button"
                    class="quiet small"
                    aria-keyshortcuts="t"
                    title="Show this string on its lines (t)"
                    disabled=move || !is_text.get()
                    on:click=move |_| as_text()
                >
                    "As text"
                </button>
            </div>
            <div class="tree-place">
                <Crumbs tree/>
                <p class="muted small-text tree-size">{move || size_words(tree)}</p>
            </div>
        </div>
    }
}

/// Searches names and values.
#[component]
fn Search(tree: TreeView) -> impl IntoView {
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
    let found = Signal::derive(move || {
        let at = tree.seen(Outline::node);
        matches.with(|matches| Found::among(matches, at))
    });
    view! {
        <Finder
            label="Search in the reply"
            placeholder="Search names and values"
            wanted=tree.wanted
            found
            step
            leave=move || tree.focus()
        />
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
