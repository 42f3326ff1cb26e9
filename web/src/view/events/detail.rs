//! One event, all of it.

use std::sync::Arc;

use leptos::prelude::*;

use super::Page;
use crate::state::events::{Row, What, condition};
use crate::state::text::visible;
use crate::store::browser;
use crate::view::json_tree::JsonTree;
use crate::view::parts::CopyButton;

#[component]
pub(super) fn Detail(page: Page, row: Arc<Row>) -> impl IntoView {
    let What::Event(event) = &row.what else {
        return ().into_any();
    };
    let text = Arc::clone(&event.text);
    let copied = Signal::stored(text.to_string());
    let received = event.received.map(|at| at.utc()).unwrap_or_default();
    let session = visible(&row.session).into_owned();
    let name = event.name.to_string();
    let only = {
        let name = name.clone();
        move || {
            let mut text = page.text.get();
            text.names.clone_from(&name);
            browser::at(&text.address())
        }
    };
    let quoted = serde_json::Value::from(name.as_str()).to_string();
    let without = condition("@.event", &quoted, false).map(|condition| {
        let address = move || browser::at(&page.text.get().and(&condition).address());
        view! { <a href=address>"Exclude this name"</a> }
    });
    view! {
        <section class="detail" aria-label="Event detail">
            <div class="detail-head">
                <h2 class="mono">{name}</h2>
                <CopyButton label="Copy event" text=copied/>
                <button
                    type="button"
                    class="quiet icon"
                    aria-label="Close"
                    title="Close"
                    on:click=move |_| page.selected.set(None)
                >
                    "✕"
                </button>
            </div>
            <dl class="facts">
                <dt>"Session"</dt><dd>{session}</dd>
                <dt>"Seq"</dt><dd class="mono">{event.seq.0}</dd>
                <dt>"Received"</dt><dd class="mono">{received}</dd>
            </dl>
            <p class="detail-links"><a href=only>"Only this name"</a>{without}</p>
            <JsonTree text label="Event"/>
        </section>
    }
    .into_any()
}
