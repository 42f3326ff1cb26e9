//! `/commands/:session?/:command?`: the list of all commands of an endpoint,
//! and the one that is chosen.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use qmp_shared::model::EndpointKind;
use qmp_shared::rest::{Problem, ProblemKind};
use qmp_shared::schema::Schema;
use wasm_bindgen::JsCast;

use super::command::CommandDesk;
use super::history::{KeptCommands, Lists, go_to};
use super::parts::{Empty, ProblemBox, SessionSelect, all_sessions};
use crate::state::address::command_path;
use crate::state::commands::{Entry, GUEST_INFO, of_guest_info, of_schema};
use crate::state::exchanges::{Key, Progress, Purpose};
use crate::state::search::rank;
use crate::state::sessions::{Down, incarnation, pick, unavailable};
use crate::state::text::{counted, visible};
use crate::store::{SchemaState, browser, use_store};

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
    let params = use_params_map();
    let param = move |name: &'static str| {
        Memo::new(move |_| params.with(|params| params.get(name)).unwrap_or_default())
    };
    let (session, command) = (param("session"), param("command"));
    go_to_a_session(session);

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
            let detail = "A guest agent has no schema: its commands are entered as JSON.";
            schema.set(SchemaState::Unavailable(Problem::new(
                ProblemKind::NotFound,
                detail,
            )));
            let key = guest_info(&name);
            if let Err(problem) = store.execute(key, false, None) {
                store.announcement.set(problem.detail);
            }
        } else {
            let wanted = name.clone();
            let is_wanted = move || session.try_get_untracked().as_ref() == Some(&wanted);
            store.load_schema(name.clone(), running, schema, is_wanted);
        }
        name
    });
    let entries = Memo::new(move |_| match schema.get() {
        SchemaState::Loading => Ok(Vec::new()),
        SchemaState::Ready(schema) => Ok(of_schema(&schema)),
        SchemaState::Unavailable(_) if is_agent.get() => agents_entries(&session.get()),
        SchemaState::Unavailable(problem) => Err(problem),
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
            <CommandList session command entries/>
            <div class="commands-main">
                {move || match subject.get() {
                    Subject::Nothing if is_down.with(Option::is_some) => waits().into_any(),
                    Subject::Nothing => view! {
                        <Empty title="Choose a command">
                            <p>"Each has a form made from the schema of this very endpoint."</p>
                        </Empty>
                        {kept_commands()}
                    }
                    .into_any(),
                    Subject::Loading => waits().into_any(),
                    Subject::Command(schema, command) => {
                        let session = session.get_untracked();
                        view! { <CommandDesk session command schema is_down/> }.into_any()
                    }
                }}
            </div>
        </div>
    }
}

/// The history, from where no command is chosen.
fn kept_commands() -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let edit = move |kept| go_to(store, &navigate, &kept);
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

fn guest_info(session: &str) -> Key {
    Key {
        session: session.to_owned(),
        command: GUEST_INFO.to_owned(),
        purpose: Purpose::Page,
    }
}

/// The agent's commands, as far as it has told.
fn agents_entries(session: &str) -> Result<Vec<Entry>, Problem> {
    use_store().with_exchanges(|app| {
        match app
            .exchanges
            .latest(&guest_info(session))
            .map(|exchange| &exchange.progress)
        {
            None | Some(Progress::Pending) => Ok(Vec::new()),
            Some(Progress::Finished {
                result: Err(problem),
                ..
            }) => Err((**problem).clone()),
            Some(Progress::Finished {
                result: Ok(text), ..
            }) => of_guest_info(text)
                .map_err(|error| Problem::new(ProblemKind::ProtocolError, error.to_string())),
        }
    })
}

#[component]
fn CommandList(
    session: Memo<String>,
    command: Memo<String>,
    entries: Memo<Result<Vec<Entry>, Problem>>,
) -> impl IntoView {
    let navigate = StoredValue::new(use_navigate());
    let go = move |to: String| {
        navigate.with_value(|navigate| navigate(&to, NavigateOptions::default()));
    };
    let query = RwSignal::new(String::new());
    let shown = Memo::new(move |_| {
        entries.with(|entries| {
            let entries = entries.as_deref().unwrap_or_default();
            let names = entries.iter().map(|entry| entry.name.as_str());
            let ranked = rank(names, &query.get());
            ranked
                .into_iter()
                .map(|index| entries[index].clone())
                .collect::<Vec<_>>()
        })
    });
    let total = Memo::new(move |_| entries.with(|entries| entries.as_ref().map_or(0, Vec::len)));
    let words = move || match (total.get(), shown.with(Vec::len)) {
        (0, _) => String::new(),
        (total, shown) if total == shown => counted(total as u64, "command"),
        (total, shown) => shown.to_string() + " of " + &counted(total as u64, "command"),
    };
    // One of them is reached by Tab, the others from there by arrow keys.
    let tab_stop = Memo::new(move |_| {
        let command = command.get();
        shown.with(|shown| {
            let is_there = shown.iter().any(|entry| entry.name == command);
            let first = shown
                .first()
                .map(|entry| entry.name.clone())
                .unwrap_or_default();
            if is_there { command } else { first }
        })
    });
    let on_search_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            if let Some(first) = shown.with_untracked(|shown| shown.first().cloned()) {
                go(command_path(&session.get_untracked(), &first.name));
            }
        }
        "ArrowDown" => {
            event.prevent_default();
            focus(document().query_selector(".command-list a").ok().flatten());
        }
        _ => {}
    };
    let problem = move || {
        entries
            .with(|entries| entries.as_ref().err().cloned())
            .map(|problem| view! { <ProblemBox problem/> })
    };
    view! {
        <section class="commands-side" aria-label="Commands">
            <div class="commands-find">
                <SessionSelect
                    id="commands-session"
                    session=session
                    choose=move |name: String| go(command_path(&name, &command.get_untracked()))
                />
                <div class="field">
                    <label for="commands-search">"Search commands"</label>
                    <input
                        id="commands-search"
                        type="search"
                        class="mono"
                        placeholder="query-status"
                        autocomplete="off"
                        spellcheck="false"
                        prop:value=query
                        on:input=move |event| query.set(event_target_value(&event))
                        on:keydown=on_search_key
                    />
                </div>
                <p class="muted small-text" role="status">{words}</p>
                {problem}
            </div>
            <ul class="command-list" on:keydown=on_list_key>
                <For each=move || shown.get() key=|entry| entry.name.clone() let:entry>
                    {list_item(session, command, tab_stop, entry)}
                </For>
            </ul>
            <Show when=move || total.get() != 0 && shown.with(Vec::is_empty)>
                <p class="table-empty">"No command has this in its name."</p>
            </Show>
        </section>
    }
}

fn list_item(
    session: Memo<String>,
    command: Memo<String>,
    tab_stop: Memo<String>,
    entry: Entry,
) -> impl IntoView {
    let Entry { name, tags } = entry;
    let shown = visible(&name).into_owned();
    let is = |signal: Memo<String>| {
        let name = name.clone();
        Memo::new(move |_| signal.with(|value| *value == name))
    };
    let (is_current, is_tab_stop) = (is(command), is(tab_stop));
    let link = NodeRef::<leptos::html::A>::new();
    Effect::new(move || {
        if let (true, Some(link)) = (is_current.get(), link.get()) {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            request_animation_frame(move || {
                link.scroll_into_view_with_scroll_into_view_options(&options);
            });
        }
    });
    let href = move || browser::at(&command_path(&session.get(), &name));
    view! {
        <li>
            <a
                class="command-link"
                href=href
                node_ref=link
                aria-current=move || is_current.get().then_some("page")
                tabindex=move || if is_tab_stop.get() { 0 } else { -1 }
            >
                <span class="mono">{shown}</span>
                {tags.into_iter().map(tag).collect_view()}
            </a>
        </li>
    }
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

/// Arrow keys walk from command to command.
fn on_list_key(event: KeyboardEvent) {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(item) = target.and_then(|target| target.closest("li").ok().flatten()) else {
        return;
    };
    let list = item.parent_element();
    let next = match event.key().as_str() {
        "ArrowDown" => item.next_element_sibling(),
        "ArrowUp" => item.previous_element_sibling(),
        "Home" => list.and_then(|list| list.first_element_child()),
        "End" => list.and_then(|list| list.last_element_child()),
        _ => return,
    };
    event.prevent_default();
    focus(next.and_then(|next| next.first_element_child()));
}

fn focus(element: Option<web_sys::Element>) {
    if let Some(element) = element.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Nothing depends on whether the browser grants the focus.
        let _ = element.focus();
    }
}
