//! One event, all of it.

use std::sync::Arc;

use leptos::prelude::*;

use super::Page;
use super::documentation::EventDocumentation;
use crate::state::events::{FilterText, Refusal, Row, What, offered, shown_name};
use crate::state::sessions::incarnation;
use crate::state::text::visible;
use crate::state::time::Offset;
use crate::state::tree::{NodeId, Tree};
use crate::store::{SchemaState, browser};
use crate::view::json_tree::JsonTree;
use crate::view::parts::CopyButton;
use crate::view::row_actions::{Offer, RowAction};

/// Another filter that is offered, or why it cannot be; `None` where it makes no
/// sense.
type Change = Box<dyn Fn(&FilterText) -> Option<Result<FilterText, Refusal>> + Send + Sync>;

#[component]
pub(super) fn Detail(page: Page, row: Arc<Row>) -> impl IntoView {
    let What::Event(event) = &row.what else {
        return ().into_any();
    };
    let text = Arc::clone(&event.text);
    let copied = Signal::stored(text.to_string());
    let received = event.received.map(|at| {
        let offset = browser::offset(at);
        let local = (offset != Offset(0)).then(|| at.local(offset) + " · ");
        local.unwrap_or_default() + &at.utc()
    });
    let session = row.session.to_string();
    let name = event.name.to_string();
    let link = move |words: &'static str, change: Change| {
        move || {
            let changed = page.text.with(|text| change(text))?;
            Some(match changed {
                Ok(text) => view! { <a href=browser::at(&text.address())>{words}</a> }.into_any(),
                // The place where it would be, and why it is not.
                Err(refusal) => {
                    let why = words.to_owned() + ": " + refusal.words();
                    view! { <span class="muted">{why}</span> }.into_any()
                }
            })
        }
    };
    let only = {
        let name = name.clone();
        link(
            "Only this name",
            Box::new(move |text| Some(text.only_name(&name))),
        )
    };
    let without = {
        let name = name.clone();
        link(
            "Exclude this name",
            Box::new(move |text| Some(text.without_name(&name))),
        )
    };
    // A file may tell no session.
    let only_session = {
        let session = session.clone();
        let is_told = !session.is_empty();
        link(
            "Only this session",
            Box::new(move |text| is_told.then(|| Ok(text.only_session(&session)))),
        )
    };
    let without_session = {
        let session = session.clone();
        link(
            "Exclude this session",
            Box::new(move |text| text.without_session(&session).map(Ok)),
        )
    };
    let fault = RwSignal::new(None);
    let actions = vec![
        filter_action(page, fault, true),
        filter_action(page, fault, false),
    ];
    view! {
        <section class="detail" aria-label="Event detail">
            <div class="detail-head">
                <h2 class="mono">{shown_name(&name)}</h2>
                <CopyButton label="Copy event" text=copied/>
                {close_button(page)}
            </div>
            <dl class="facts">
                <dt>"Session"</dt><dd>{visible(&session).into_owned()}</dd>
                <dt>"Seq"</dt><dd class="mono">{event.seq.0}</dd>
                <dt>"Received"</dt><dd class="mono">{received}</dd>
            </dl>
            <p class="detail-links">{only}{without}{only_session}{without_session}</p>
            <JsonTree text label="Event" actions/>
            <p class="fault" role="alert">{move || fault.get().map(Refusal::words)}</p>
            {documentation(page, session, name)}
        </section>
    }
    .into_any()
}

/// Closes the detail.
pub(super) fn close_button(page: Page) -> impl IntoView {
    view! {
        <button
            type="button"
            class="quiet icon"
            aria-label="Close"
            title="Close"
            on:click=move |_| page.close_detail()
        >
            "✕"
        </button>
    }
}

/// Filters by a value of the event, or excludes it.
fn filter_action(page: Page, fault: RwSignal<Option<Refusal>>, equal: bool) -> RowAction {
    let (label, glyph, key, done) = match equal {
        true => ("Filter by this", "=", "f", "Filtered by "),
        false => ("Exclude this", "≠", "x", "Excluded "),
    };
    let offered = |event: &Tree, id: NodeId| match offered(event, id) {
        Ok(()) => Offer::Button,
        Err(Refusal::NotOffered) => Offer::Nothing,
        Err(refusal) => Offer::Words(refusal.words()),
    };
    let run = move |event: &Tree, id: NodeId| {
        let text = page.text.get_untracked();
        match text.by_value(event, id, equal) {
            Ok(text) => {
                fault.set(None);
                page.go(&text);
                let words = done.to_owned() + &event.path(id);
                page.store.announcement.set(words);
            }
            Err(refusal) => fault.set(Some(refusal)),
        }
    };
    RowAction {
        label,
        glyph,
        key,
        offered: Arc::new(offered),
        run: Arc::new(run),
    }
}

/// What the manual says of the event, which comes with the endpoint's schema.
fn documentation(page: Page, session: String, event: String) -> impl IntoView {
    let schema = RwSignal::new(SchemaState::Loading);
    let load = {
        let session = session.clone();
        move || {
            let running = page
                .store
                .peek(|app| incarnation(app.sessions.get(&session)?));
            let (wanted, is_wanted) = (session.clone(), move || {
                schema.try_get_untracked().is_some()
            });
            if let Some(running) = running {
                page.store.load_schema(wanted, running, schema, is_wanted);
            }
        }
    };
    view! { <EventDocumentation session event schema load/> }
}
