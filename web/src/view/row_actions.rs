//! What can be done with a value of a tree besides looking at it: small buttons
//! in its line, and keys while it is the current one.

use std::sync::Arc;

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::json_tree::TreeView;
use crate::state::tree::{NodeId, Tree};

/// What an action does, or whether it is offered.
type With<T> = Arc<dyn Fn(&Tree, NodeId) -> T + Send + Sync>;

/// Something that can be done with a value.
#[derive(Clone)]
pub(super) struct RowAction {
    /// What it does: "Filter by this".
    pub(super) label: &'static str,
    /// What is on its button.
    pub(super) glyph: &'static str,
    /// The key that does it with the current line.
    pub(super) key: &'static str,
    /// Whether a value has its button, or what is said instead.
    pub(super) offered: With<Offer>,
    /// Does it; says why not where it cannot.
    pub(super) run: With<()>,
}

/// Whether a value has a button.
pub(super) enum Offer {
    /// It has.
    Button,
    /// These words are there instead.
    Words(&'static str),
    /// Nothing is there.
    Nothing,
}

/// The buttons of a line. The tree stays the one stop of the Tab key.
pub(super) fn buttons(tree: TreeView, actions: &[RowAction], id: NodeId) -> impl IntoView + use<> {
    let value = tree.tree();
    let offers = actions.iter().map(|action| (action.offered)(&value, id));
    let mut words = None;
    let mut shown = Vec::new();
    for (action, offer) in actions.iter().cloned().zip(offers) {
        match offer {
            Offer::Button => shown.push(button(tree, action, id)),
            Offer::Words(why) => words = Some(why),
            Offer::Nothing => {}
        }
    }
    let is_there = words.is_some() || !shown.is_empty();
    is_there.then(|| {
        let words = words.map(|words| view! { <span class="mark-word">{words}</span> });
        view! { <span class="line-actions">{words}{shown}</span> }
    })
}

/// Its label is short, as it is read with the line.
fn button(tree: TreeView, action: RowAction, id: NodeId) -> impl IntoView {
    let RowAction {
        label,
        glyph,
        key,
        run,
        ..
    } = action;
    let act = move |event: MouseEvent| {
        // The line itself opens and closes.
        event.stop_propagation();
        tree.reveal(id);
        tree.focus();
        run(&tree.tree(), id);
    };
    view! {
        <button
            type="button"
            class="quiet small icon"
            tabindex="-1"
            aria-label=label
            aria-keyshortcuts=key
            title=label.to_owned() + " (" + key + ")"
            on:click=act
        >
            {glyph}
        </button>
    }
}
