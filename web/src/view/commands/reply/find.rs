//! A box that searches in what is shown below it, with the way from one match
//! to the next.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::state::find::Found;

/// Enter goes to the next match, with Shift to the one before, Escape empties
/// the box.
#[component]
pub(super) fn Finder(
    label: &'static str,
    placeholder: &'static str,
    /// What is searched for.
    wanted: RwSignal<String>,
    /// How many matches there are, and which is the current one.
    #[prop(into)]
    found: Signal<Found>,
    /// Goes to the next match, or the one before when the first argument is
    /// false; with the second, the current place counts.
    step: impl Fn(bool, bool) + Copy + Send + 'static,
    /// Gives what is searched the focus.
    leave: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let on_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.ctrl_key() && !event.meta_key() => {
            event.prevent_default();
            step(!event.shift_key(), false);
        }
        "Escape" => {
            event.prevent_default();
            wanted.set(String::new());
            leave();
        }
        _ => {}
    };
    let words = move || match wanted.with(String::is_empty) {
        true => String::new(),
        false => found.get().words(),
    };
    let is_idle = Memo::new(move |_| found.get().total == 0);
    view! {
        <div class="tree-search" role="search">
            <input
                type="search"
                class="mono"
                aria-label=label
                placeholder=placeholder
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                prop:value=wanted
                on:input=move |event| {
                    wanted.set(event_target_value(&event));
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
