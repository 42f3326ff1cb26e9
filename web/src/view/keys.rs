//! The list of all keys.

use leptos::html;
use leptos::prelude::*;

use super::overlay::{Overlay, Shown};
use crate::state::keys::{Binding, GROUPS, Group};

/// Every key, by place.
#[component]
pub(super) fn AllKeys(overlay: Overlay) -> impl IntoView {
    let close = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(close) = close.get() {
            // Nothing depends on whether the browser grants the focus.
            let _ = close.focus();
        }
    });
    view! {
        <div class="keys-head">
            <h2>"Keys"</h2>
            <button type="button" on:click=move |_| overlay.open(Shown::Palette)>
                "Search everything"
            </button>
            <button
                type="button"
                class="quiet icon"
                aria-label="Close"
                title="Close"
                node_ref=close
                on:click=move |_| overlay.close()
            >
                "✕"
            </button>
        </div>
        // Scrolls by itself, and so by keyboard too.
        <div class="keys-body" tabindex="0" role="group" aria-label="All keys">
            <div class="keys-columns">{GROUPS.iter().map(group).collect_view()}</div>
            <p class="muted small-text keys-note">
                "On a Mac, ⌘ does what Ctrl does. Keys without Ctrl do nothing while you type into a field."
            </p>
        </div>
    }
}

fn group(group: &'static Group) -> impl IntoView {
    view! {
        <section class="keys-group">
            <h3>{group.place}</h3>
            <dl>{group.bindings.iter().map(binding).collect_view()}</dl>
        </section>
    }
}

fn binding(binding: &'static Binding) -> impl IntoView {
    let keys = binding
        .keys
        .split(' ')
        .map(|key| view! { <kbd>{key}</kbd> " " });
    view! {
        <div class="keys-row">
            <dt>{keys.collect_view()}</dt>
            <dd>{binding.does}</dd>
        </div>
    }
}
