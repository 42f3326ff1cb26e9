//! `/commands/:session?/:command?`: the list of all commands of an endpoint,
//! and the one that is chosen.

mod controls;
mod copy_as;
mod desk;
mod documentation;
mod entry;
mod form;
mod history;
mod list;
mod need;
mod properties;
mod reply;
mod send;
mod send_options;
mod transaction;

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use qmp_shared::model::EndpointKind;
use qmp_shared::rest::Problem;
use qmp_shared::schema::Schema;

use crate::state::address::command_path;
use crate::state::commands::{Entry, Listing, guest_info, of_agent, of_schema};
use crate::state::history::KeptCommand;
use crate::state::sessions::{Down, incarnation, pick, unavailable};
use crate::store::{ManualState, SchemaState, use_store};
use crate::view::parts::{Empty, all_sessions};
use desk::CommandDesk;
pub(super) use history::go_to;
use history::{KeptCommands, Lists};
use list::CommandList;
use transaction::tray_alone;

/// What is shown beside the list.
#[derive(Clone, PartialEq)]
enum Subject {
    /// No command is chosen.
    Nothing,
    /// The schema is on its way.
    Loading,
    /// A command, by form and JSON, or without a schema by JSON alone.
    Command(Option<Arc<Schema>>, String),
}

#[component]
pub(super) fn CommandsPage() -> impl IntoView {
    let store = use_store();
    store.read_unsent();
    // For a reload, also while another page is shown.
    let on_hide = window_event_listener(leptos::ev::pagehide, move |_| store.write_unsent());
    on_cleanup(move || {
        on_hide.remove();
        store.write_unsent();
    });
    let params = use_params_map();
    let param = move |name: &'static str| {
        Memo::new(move |_| params.with(|params| params.get(name)).unwrap_or_default())
    };
    let (session, command) = (param("session"), param("command"));
    go_to_a_session(session);
    Effect::new(move || {
        session.with(|session| {
            if !session.is_empty() {
                store.keep_commands_session(session);
            }
        });
    });

    let info =
        Memo::new(move |_| store.with_sessions(|app| app.sessions.get(&session.get()).cloned()));
    let is_agent = Memo::new(move |_| {
        info.with(|info| {
            info.as_ref()
                .is_some_and(|info| info.kind == EndpointKind::Qga)
        })
    });
    let running = Memo::new(move |_| info.with(|info| info.as_ref().and_then(incarnation)));
    let schema = RwSignal::new(SchemaState::Loading);
    Effect::new(move |before: Option<String>| {
        let name = session.get();
        if before.is_some_and(|before| before != name) {
            schema.set(SchemaState::Loading);
        }
        let Some(running) = running.get() else {
            return name;
        };
        if is_agent.get() {
            let key = guest_info(&name);
            if let Err(problem) = store.execute(key, false, None) {
                store.announcement.set(problem.detail);
            }
        }
        // An agent has none, but there may be a manual.
        let wanted = name.clone();
        let is_wanted = move || session.try_get_untracked().as_ref() == Some(&wanted);
        store.load_schema(name.clone(), running, schema, is_wanted);
        name
    });
    let entries = Memo::new(move |_| match schema.get() {
        SchemaState::Loading => Ok(Vec::new()),
        SchemaState::Ready(schema) => Ok(of_schema(&schema)),
        SchemaState::Unavailable(_) if is_agent.get() => agents_entries(&session.get()),
        SchemaState::Unavailable(problem) => Err(problem),
    });
    let listing = Memo::new(move |_| {
        let entries = entries.get()?;
        let manual = match store.manual(&session.get()) {
            ManualState::Ready(manual) => Some(manual),
            ManualState::Unknown | ManualState::Missing => None,
        };
        Ok(Arc::new(Listing::new(entries, manual.as_deref())))
    });
    let is_disabled = Memo::new(move |_| {
        let is_it = |entry: &Entry| command.with(|command| entry.name == *command);
        entries.with(|entries| {
            let entry = entries.iter().flatten().find(|entry| is_it(entry));
            entry.is_some_and(|entry| entry.tags.contains(&"disabled"))
        })
    });
    let subject = Memo::new(move |_| {
        let command = command.get();
        match schema.get() {
            _ if command.is_empty() => Subject::Nothing,
            SchemaState::Loading => Subject::Loading,
            SchemaState::Ready(schema) => Subject::Command(Some(schema), command),
            SchemaState::Unavailable(_) => Subject::Command(None, command),
        }
    });
    let is_down = Memo::new(move |_| {
        let name = session.get();
        store.with_sessions(|app| {
            let is_known = !app.version.is_empty();
            is_known
                .then(|| unavailable(&app.sessions, &name, app.was_removed(&name)))
                .flatten()
        })
    });
    let waits = move || match is_down.get() {
        Some(Down::Gone(why)) => view! {
            <Empty title="No session">
                <p class="verbatim">{why}</p>
                {all_sessions()}
            </Empty>
        }
        .into_any(),
        Some(Down::NotRunning(why)) => view! {
            <Empty title="No commands yet">
                <p class="verbatim">{why}</p>
                <p>"They appear when the session is running."</p>
            </Empty>
        }
        .into_any(),
        None => view! { <p class="loading">"Asking the endpoint for its schema…"</p> }.into_any(),
    };
    view! {
        <div class="commands" class:has-command=move || !command.with(String::is_empty)>
            <CommandList session command listing/>
            <div class="commands-main">
                {move || match subject.get() {
                    Subject::Nothing if is_down.with(Option::is_some) => waits().into_any(),
                    Subject::Nothing => view! {
                        <Empty title="Choose a command">
                            <p>{move || match is_agent.get() {
                                true => "A guest agent has no schema: its commands are entered as JSON.",
                                false => "Each has a form made from the schema of this very endpoint.",
                            }}</p>
                        </Empty>
                        {tray_alone(&session.get_untracked(), ready(&schema.get_untracked()))}
                        {kept_commands()}
                    }
                    .into_any(),
                    Subject::Loading => waits().into_any(),
                    Subject::Command(schema, command) => {
                        let session = session.get_untracked();
                        view! { <CommandDesk session command schema is_down is_disabled/> }.into_any()
                    }
                }}
            </div>
        </div>
    }
}

fn ready(schema: &SchemaState) -> Option<Arc<Schema>> {
    match schema {
        SchemaState::Ready(schema) => Some(Arc::clone(schema)),
        SchemaState::Loading | SchemaState::Unavailable(_) => None,
    }
}

/// The history, from where no command is chosen.
fn kept_commands() -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let edit = move |kept: KeptCommand| go_to(store, &navigate, kept.filled_in());
    view! { <KeptCommands lists=Lists::new(store) edit desk=None/> }
}

/// An address without a session is that of the first one that runs.
fn go_to_a_session(session: Memo<String>) {
    let store = use_store();
    let navigate = use_navigate();
    Effect::new(move || {
        if !session.with(String::is_empty) {
            return;
        }
        let picked = store.with_sessions(|app| pick(&app.sessions).map(str::to_owned));
        if let Some(picked) = picked {
            let options = NavigateOptions {
                replace: true,
                ..NavigateOptions::default()
            };
            navigate(&command_path(&picked, ""), options);
        }
    });
}

/// The agent's commands, as far as it has told.
fn agents_entries(session: &str) -> Result<Vec<Entry>, Problem> {
    let entries = use_store().with_exchanges(|app| of_agent(&app.exchanges, session));
    entries.unwrap_or(Ok(Vec::new()))
}

/// A word about a command, a member or a value.
pub(super) fn tag(word: &'static str) -> impl IntoView {
    let class = match word {
        "deprecated" | "unstable" => "tag warn",
        "oob" => "tag accent",
        _ => "tag",
    };
    view! { <span class=class>{word}</span> }
}
