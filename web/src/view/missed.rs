//! Says what happened while the connection was gone.

use leptos::prelude::*;

use crate::state::missed::Missed;
use crate::store::{browser, use_store};

/// What was missed, until it is dismissed.
#[component]
pub(super) fn MissedNotice() -> impl IntoView {
    let missed = use_store().missed;
    let strip = move |news: Missed| {
        let events = news.has_events().then(|| {
            view! {
                <a class="button" href=browser::at("/events") on:click=move |_| missed.set(None)>
                    "Show events"
                </a>
            }
        });
        let dismiss = move |_| {
            missed.set(None);
            browser::focus_main();
        };
        view! {
            <section class="strip news" aria-label="While away">
                <p>{news.words()}</p>
                {events}
                <button type="button" on:click=dismiss>"Dismiss"</button>
            </section>
        }
    };
    view! {
        // There before its words, so that they are read out.
        <div role="status">{move || missed.get().map(strip)}</div>
    }
}
