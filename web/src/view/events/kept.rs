//! Filters that are kept in this browser, and a link to the one in force.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Page;
use crate::state::events::{FilterText, SavedFilter};
use crate::state::text::visible;
use crate::store::browser;
use crate::view::parts::Menu;

/// Most filters that are kept by name, and most recent ones.
const MOST: usize = 50;
const RECENT: usize = 10;

/// How long a filter is in force before it is kept as a recent one.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(3);

#[component]
pub(super) fn FilterMenu(page: Page) -> impl IntoView {
    let saved = page.store.kept::<SavedFilter>("event-filters");
    let recent = page.store.kept::<FilterText>("recent-event-filters");
    Effect::new(move || {
        let text = page.text.get();
        let keep = move || {
            let is_settled = page.text.try_get_untracked().as_ref() == Some(&text);
            if is_settled && !text.is_empty() && text.query().is_some() {
                recent.change(RECENT, |recent| {
                    recent.retain(|before| *before != text);
                    recent.insert(0, text);
                });
            }
        };
        set_timeout(keep, SETTLED);
    });
    let name = NodeRef::<html::Input>::new();
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(input) = name.get_untracked() else {
            return;
        };
        let text = page.text.get_untracked();
        if text.query().is_none() {
            return;
        }
        let name = match input.value().trim() {
            "" => text.words(),
            name => name.to_owned(),
        };
        saved.change(MOST, |saved| {
            saved.retain(|before| before.name != name);
            saved.insert(0, SavedFilter { name, text });
        });
        input.set_value("");
        page.store.announcement.set("Filter saved".to_owned());
    };
    let copy = move |_| {
        let link = browser::whole(&page.text.get_untracked().address());
        spawn_local(async move {
            let done = if browser::copy(&link).await {
                "Link copied"
            } else {
                "The browser did not allow to copy"
            };
            page.store.announcement.set(done.to_owned());
        });
    };
    let kept = move || {
        let line = |SavedFilter { name, text }: SavedFilter| {
            let shown = visible(&name).into_owned();
            let label = "Delete the filter ".to_owned() + &shown;
            let delete = move |_| {
                saved.change(MOST, |saved| saved.retain(|filter| filter.name != name));
            };
            view! {
                <li class="menu-line">
                    <a href=browser::at(&text.address()) title=text.words()>{shown}</a>
                    <button type="button" class="quiet small icon" aria-label=label on:click=delete>
                        "✕"
                    </button>
                </li>
            }
        };
        saved.with(|saved| saved.iter().cloned().map(line).collect_view())
    };
    let latest = move || {
        let line = |text: FilterText| {
            let words = visible(&text.words()).into_owned();
            view! {
                <li class="menu-line"><a class="mono" href=browser::at(&text.address())>{words}</a></li>
            }
        };
        recent.with(|recent| recent.iter().cloned().map(line).collect_view())
    };
    let has_saved = move || saved.with(|saved| !saved.is_empty());
    let has_recent = move || recent.with(|recent| !recent.is_empty());
    let is_nothing = move || page.text.with(FilterText::is_empty);
    let is_invalid = Memo::new(move |_| page.text.with(|text| text.query().is_none()));
    let why = move || {
        is_invalid
            .get()
            .then_some("The filter is not valid: correct it to save it or to copy its link.")
    };
    view! {
        <Menu label="Filters">
            <form class="menu-form" on:submit=save>
                <label for="events-save">"Save this filter as"</label>
                <div class="menu-row">
                    <input id="events-save" type="text" node_ref=name autocomplete="off" placeholder="block jobs"/>
                    <button
                        type="submit"
                        disabled=move || is_nothing() || is_invalid.get()
                        aria-describedby="events-not-kept"
                    >
                        "Save"
                    </button>
                </div>
            </form>
            <button
                type="button"
                disabled=move || is_invalid.get()
                aria-describedby="events-not-kept"
                on:click=copy
            >
                "Copy link to this filter"
            </button>
            <p id="events-not-kept" class="fault">{why}</p>
            <Show when=has_saved><h3>"Saved"</h3><ul>{kept}</ul></Show>
            <Show when=has_recent><h3>"Recent"</h3><ul>{latest}</ul></Show>
        </Menu>
    }
}
