//! The palette: one search over pages, sessions, commands, events and what is
//! kept in the browser.
//!
//! Choosing goes there and fills in; nothing is ever sent from here.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use qmp_shared::model::EndpointKind;
use qmp_shared::rest::SessionState;
use qmp_shared::schema::Schema;

use super::commands::go_to;
use super::overlay::{Overlay, Shown};
use super::parts::into_sight;
use super::place::use_path;
use crate::state::commands::{guest_info, of_agent};
use crate::state::events::SavedFilter;
use crate::state::exchanges::{Exchanges, Key};
use crate::state::history::KeptCommand;
use crate::state::link::Link;
use crate::state::palette::{
    Goal, Item, Known, SHOWN, Sources, count_words, find, items, session_of, step,
};
use crate::state::sessions::{incarnation, pick};
use crate::state::text::visible;
use crate::store::{SchemaState, Store, browser, use_store};

/// The search box and what it finds.
#[component]
pub(super) fn Palette(overlay: Overlay) -> impl IntoView {
    let store = use_store();
    let (current, schema) = schema_of_the_current_session(store);
    ask_the_agents(store);
    let favourites = store.kept::<String>("favourite-commands");
    let saved = store.kept::<KeptCommand>("saved-commands");
    let filters = store.kept::<SavedFilter>("event-filters");
    let known = Memo::new(move |_| {
        // Raised when it is loaded, and then it is among those that are here.
        schema.track();
        known(store, &current.get())
    });
    let items = Memo::new(move |_| {
        let current = current.get();
        let known = known.get();
        let found = |favourites: &[_], saved: &[_], filters: &[_]| {
            store.with_sessions(|app| {
                items(&Sources {
                    sessions: &app.sessions,
                    current: &current,
                    known: &known,
                    theme: store.theme.get(),
                    favourites,
                    saved,
                    filters,
                })
            })
        };
        favourites.with(|names| saved.with(|saved| filters.with(|it| found(names, saved, it))))
    });
    let query = RwSignal::new(String::new());
    let hits = Memo::new(move |_| items.with(|items| query.with(|query| find(items, query))));
    let count = Memo::new(move |_| hits.with(|hits| hits.len().min(SHOWN)));
    let chosen = RwSignal::new(0_usize);
    // What comes in later may make the list shorter.
    let active = Memo::new(move |_| chosen.get().min(count.get().saturating_sub(1)));

    let navigate = use_navigate();
    let go = StoredValue::new(move |item: Item| match item.goal {
        Goal::Address(address) => {
            overlay.close();
            navigate(&address, NavigateOptions::default());
            // After the dialog has given the focus back.
            browser::next_frame(browser::focus_main);
        }
        Goal::FilledIn(to) => {
            overlay.close();
            go_to(store, &navigate, to);
            browser::next_frame(browser::focus_main);
        }
        Goal::Keys => overlay.open(Shown::Keys),
        Goal::Theme(theme) => {
            overlay.close();
            store.theme.set(theme);
        }
        Goal::SignOut => {
            overlay.close();
            store.sign_out();
        }
    });
    let choose = move |at: usize| {
        let hit = hits.with_untracked(|hits| hits.get(at).copied());
        if let Some(item) =
            hit.and_then(|hit| items.with_untracked(|items| items.get(hit).cloned()))
        {
            go.with_value(|go| go(item));
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if event.is_composing() || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let key = event.key();
        let at = active.get_untracked();
        if key == "Enter" {
            event.prevent_default();
            choose(at);
        } else if let Some(next) = step(&key, at, count.get_untracked()) {
            event.prevent_default();
            chosen.set(next);
        }
    };
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            // Nothing depends on whether the browser grants the focus.
            let _ = field.focus();
        }
    });
    let has_results = Memo::new(move |_| count.get() > 0);
    let list = move || {
        let hits = hits.get();
        let rows = hits
            .iter()
            .take(SHOWN)
            .enumerate()
            .filter_map(|(at, &hit)| {
                let item = items.with(|items| items.get(hit).cloned())?;
                Some(option(at, item, active, chosen, choose))
            });
        rows.collect_view()
    };
    view! {
        <div class="palette-find">
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" class="glyph">
                <path d=super::shell::MAGNIFIER/>
            </svg>
            <input
                type="text"
                role="combobox"
                aria-label="Search everything"
                aria-autocomplete="list"
                aria-expanded=move || has_results.get().to_string()
                aria-controls="palette-results"
                aria-activedescendant=move || has_results.get().then(|| option_id(active.get()))
                placeholder="Page, session, command or event"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                node_ref=field
                prop:value=query
                on:input=move |event| {
                    query.set(event_target_value(&event));
                    chosen.set(0);
                }
                on:keydown=on_key
            />
        </div>
        <Show when=move || has_results.get()>
            // Not reached by Tab: the box has the focus and walks the list.
            <ul class="palette-results" id="palette-results" role="listbox" aria-label="Results" tabindex="-1">
                {list}
            </ul>
        </Show>
        <Show when=move || !has_results.get()>
            <div class="empty palette-empty">
                <h2>"Nothing found"</h2>
                <p>
                    "Try part of a name, such as " <span class="mono">"block job"</span> ", "
                    <span class="mono">"qstat"</span> " or " <span class="mono">"STOP"</span>
                    ", a session’s name, or fewer letters."
                </p>
            </div>
        </Show>
        <div class="palette-foot">
            <p role="status" class="muted small-text">
                {move || count_words(hits.with(Vec::len))}
                {move || {
                    let is_known = current.with(|current| {
                        known.with(|known| known.iter().any(|it| it.session == *current))
                    });
                    (!is_known).then(|| schema_words(&current.get(), &schema.get()))
                }}
            </p>
            <span class="palette-hints muted small-text" aria-hidden="true">
                <kbd>"↑"</kbd> <kbd>"↓"</kbd> " choose " <kbd>"Enter"</kbd> " go there " <kbd>"Esc"</kbd> " close"
            </span>
            <button type="button" class="small" on:click=move |_| overlay.open(Shown::Keys)>"All keys"</button>
            <button type="button" class="small" on:click=move |_| overlay.close()>"Close"</button>
        </div>
    }
}

/// The session whose commands come first, and its schema, which is loaded.
fn schema_of_the_current_session(store: Store) -> (Memo<String>, RwSignal<SchemaState>) {
    let path = use_path();
    let query = use_query_map();
    let current = Memo::new(move |_| {
        let of_query = query.with(|query| query.get("session"));
        let named = path.with(|path| session_of(path, of_query));
        store.with_sessions(|app| match app.sessions.contains_key(&named) {
            true => named,
            false => pick(&app.sessions).unwrap_or_default().to_owned(),
        })
    });
    let running = Memo::new(move |_| {
        let name = current.get();
        store.with_sessions(|app| {
            let info = app.sessions.get(&name);
            let info = info.filter(|info| info.kind == EndpointKind::Qmp)?;
            Some((name, incarnation(info)?))
        })
    });
    let schema = RwSignal::new(SchemaState::Loading);
    Effect::new(move || {
        if let Some((name, running)) = running.get() {
            let wanted = name.clone();
            let is_wanted = move || current.try_get_untracked().as_ref() == Some(&wanted);
            store.load_schema(name, running, schema, is_wanted);
        }
    });
    (current, schema)
}

/// Agents have no schema, and list their commands when they are asked: once for
/// each time that the palette is opened, where they did not answer before.
fn ask_the_agents(store: Store) {
    if store.link.get_untracked() != Link::Connected {
        return;
    }
    let unknown = store.peek(|app| {
        let running = app
            .sessions
            .values()
            .filter(|info| info.kind == EndpointKind::Qga && info.state == SessionState::Running);
        let is_unknown = |key: &Key| match app.exchanges.latest(key) {
            None => true,
            Some(_) => matches!(of_agent(&app.exchanges, &key.session), Some(Err(_))),
        };
        let keys = running.map(|info| guest_info(&info.name));
        keys.filter(is_unknown).collect::<Vec<_>>()
    });
    for key in unknown {
        if let Err(problem) = store.execute(key, false, None) {
            store.announcement.set(problem.detail);
        }
    }
}

/// The endpoints whose commands are known by now; `first` comes first.
fn known(store: Store, first: &str) -> Vec<Known> {
    let mut known: Vec<Known> = store
        .loaded_schemas()
        .into_iter()
        .map(|(session, schema)| of_schema(session, &schema))
        .collect();
    store.with_sessions(|app| known.retain(|it| app.sessions.contains_key(&it.session)));
    store.with_exchanges(|app| {
        let agents = app.sessions.values();
        let agents = agents.filter(|info| info.kind == EndpointKind::Qga);
        known.extend(agents.filter_map(|info| of_agents(&app.exchanges, &info.name)));
    });
    known.sort_by_key(|known| known.session != first);
    known
}

fn of_schema(session: String, schema: &Schema) -> Known {
    let commands = schema.commands().iter();
    let events = schema.events().iter();
    Known {
        session,
        commands: commands.map(|command| command.name.clone()).collect(),
        events: events.map(|event| event.name.clone()).collect(),
    }
}

fn of_agents(exchanges: &Exchanges, session: &str) -> Option<Known> {
    let entries = of_agent(exchanges, session)?.ok()?;
    Some(Known {
        session: session.to_owned(),
        commands: entries.into_iter().map(|entry| entry.name).collect(),
        events: Vec::new(),
    })
}

/// Why commands are missing from the list, if they are.
fn schema_words(session: &str, schema: &SchemaState) -> String {
    match schema {
        _ if session.is_empty() => String::new(),
        SchemaState::Loading => {
            ". The commands of ".to_owned() + &visible(session) + " are not known yet"
        }
        SchemaState::Unavailable(problem) => {
            let words = ". The commands of ".to_owned() + &visible(session);
            words + " could not be loaded: " + &visible(&problem.detail)
        }
        SchemaState::Ready(_) => String::new(),
    }
}

fn option_id(at: usize) -> String {
    "palette-result-".to_owned() + &at.to_string()
}

fn option(
    at: usize,
    item: Item,
    active: Memo<usize>,
    chosen: RwSignal<usize>,
    choose: impl Fn(usize) + Copy + Send + 'static,
) -> impl IntoView {
    let is_active = Memo::new(move |_| active.get() == at);
    let row = NodeRef::<html::Li>::new();
    Effect::new(move || {
        if let (true, Some(row)) = (is_active.get(), row.get()) {
            into_sight(&row);
        }
    });
    let detail = (!item.detail.is_empty()).then(|| {
        view! { <span class="palette-detail">" · " {item.detail.clone()}</span> }
    });
    view! {
        <li
            role="option"
            id=option_id(at)
            class="palette-result"
            aria-selected=move || is_active.get().to_string()
            node_ref=row
            // The focus stays in the box.
            on:pointerdown=move |event: PointerEvent| event.prevent_default()
            on:pointermove=move |_| {
                if !is_active.get_untracked() {
                    chosen.set(at);
                }
            }
            on:click=move |_| choose(at)
        >
            <span class="palette-name">
                <span class="palette-label">{item.label}</span>
                {detail}
            </span>
            " "
            <span class="tag">{item.kind.word()}</span>
        </li>
    }
}
