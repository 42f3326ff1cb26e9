//! What the manual says of an event.

use std::sync::Arc;

use leptos::prelude::*;
use qmp_shared::manual::Manual;
use qmp_shared::rest::SessionState;

use crate::state::manual::literal;
use crate::state::text::visible;
use crate::store::{ManualState, SchemaState, use_store};
use crate::view::documentation::{Place, folded, has_machine, of_entry, paragraphs};

/// All that the manual says of an event.
#[component]
pub(super) fn EventDocumentation(
    session: String,
    event: String,
    /// The schema of the session, with which the manual comes.
    schema: RwSignal<SchemaState>,
    /// Asks for the schema.
    load: impl Fn() + 'static,
) -> impl IntoView {
    let store = use_store();
    let manual = {
        let session = session.clone();
        Memo::new(move |_| store.manual(&session))
    };
    let has_machine = Signal::derive(move || {
        schema.with(|schema| matches!(schema, SchemaState::Ready(schema) if has_machine(schema)))
    });
    let place = Place {
        store,
        session: session.clone(),
        manual,
        has_machine,
        kept: "event-documentation",
        opens: || false,
        is_open: RwSignal::new(false),
    };
    let is_open = place.is_open;
    Effect::new(move || {
        if is_open.get() && manual.get() == ManualState::Unknown {
            load();
        }
    });
    let said = move |manual: &Arc<Manual>| {
        let Some(entry) = manual.events.get(&event) else {
            return view! { <p class="muted">"The manual does not have this event."</p> }
                .into_any();
        };
        let examples = entry.examples.iter().map(|example| {
            view! { {paragraphs(&example.title)} <pre>{literal(&example.text)}</pre> }
        });
        let examples = examples.collect_view();
        let is_shown = !entry.examples.is_empty();
        view! {
            {of_entry(manual, entry, "Data")}
            {is_shown.then_some(view! { <h3>"Examples"</h3> {examples} })}
        }
        .into_any()
    };
    let waiting = move || {
        let state = store.with_sessions(|app| app.sessions.get(&session).map(|info| info.state));
        let words = match (state, schema.get()) {
            (None, _) => {
                "The console has no such session, so there is no documentation.".to_owned()
            }
            (_, SchemaState::Unavailable(problem)) => visible(&problem.detail).into_owned(),
            (Some(SessionState::Running), _) => "Asking for the documentation…".to_owned(),
            (Some(_), _) => "The documentation is there when the session is running.".to_owned(),
        };
        Some(view! { <p class="muted" role="status">{words}</p> }.into_any())
    };
    folded(place, said, waiting)
}
