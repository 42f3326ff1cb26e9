//! Which events: the filter, and what is done with the list.

use leptos::prelude::*;
use qmp_shared::model::EndpointKind;
use qmp_shared::schema::Schema;

use super::Page;
use super::files::FileMenu;
use super::kept::FilterMenu;
use crate::state::completion::Completion;
use crate::state::events::{
    Feed, FilterText, MeantField, UnknownField, complete_names, complete_where, hint_names,
    hint_where,
};
use crate::state::sessions::incarnation;
use crate::state::text::{grouped, visible};
use crate::state::time::Instant;
use crate::store::{SchemaState, Store, browser};
use crate::view::completing::FilterField;
use crate::view::parts::{SessionSelect, focus_id};

/// Most schemas that names and fields are taken from.
const SCHEMAS: usize = 8;

#[component]
pub(super) fn Toolbar(page: Page) -> impl IntoView {
    let text = page.text;
    let part = move |part: fn(&FilterText) -> &String| {
        Memo::new(move |_| text.with(|text| part(text).clone()))
    };
    let (session, names, expression) = (
        part(|text| &text.session),
        part(|text| &text.names),
        part(|text| &text.expression),
    );
    let change = move |change: &dyn Fn(&mut FilterText)| {
        let mut text = text.get_untracked();
        change(&mut text);
        page.go(&text);
    };
    let names_fault = Memo::new(move |_| {
        text.with(|text| text.parse_names().err().map(|error| error.to_string()))
    });
    let expression_fault = Memo::new(move |_| {
        text.with(|text| text.parse_expression().err().map(|error| error.to_string()))
    });
    // Only the cache matters, and that there is more in it.
    let loading = RwSignal::new(SchemaState::Loading);
    let news = Signal::derive(move || loading.track());
    let ask = move || load_schemas(page, loading);
    let known = move |complete: &dyn Fn(&[&Schema]) -> Completion| {
        let wanted = text.with_untracked(|text| text.session.clone());
        with_schemas(page, &wanted, complete)
    };
    let complete_the_names =
        move |typed: &str, caret: usize| known(&|schemas| complete_names(typed, caret, schemas));
    let meant = Memo::new(move |_| {
        news.track();
        let (session, names) = (session.get(), names.get());
        with_all_schemas(page, &session, |schemas| hint_names(&names, schemas))
    });
    let take = move |id: &'static str, change: &dyn Fn(&mut FilterText)| {
        let mut text = text.get_untracked();
        change(&mut text);
        page.go(&text);
        focus_id(id);
    };
    let names_hint = move || {
        meant.get().map(|meant| {
            let names = meant.clone();
            let take = move |_| take("events-names", &|text| text.names.clone_from(&names));
            view! {
                <p class="hint">
                    "No such event is known. Use "
                    <button type="button" class="quiet small mono" on:click=take>{meant}</button>
                </p>
            }
        })
    };
    let unknown_field = Memo::new(move |_| {
        news.track();
        let (session, expression) = (session.get(), expression.get());
        if expression.is_empty() || expression_fault.with(Option::is_some) {
            return None;
        }
        let names = text.with(FilterText::parse_names).unwrap_or_default();
        with_all_schemas(page, &session, |schemas| {
            hint_where(&expression, schemas, &names)
        })
    });
    let where_hint = move || {
        unknown_field.get().map(|UnknownField { path, meant }| {
            let meant = meant.map(|MeantField { path, expression }| {
                let take = move |_| {
                    take("events-where", &|text| {
                        text.expression.clone_from(&expression)
                    });
                };
                view! {
                    " Use "
                    <button type="button" class="quiet small mono" on:click=take>{path}</button>
                }
            });
            view! {
                <p class="hint">
                    <span>
                        "No such field is known: "
                        <span class="mono">{visible(&path).into_owned()}</span>"."
                    </span>
                    {meant}
                </p>
            }
        })
    };
    let complete_the_expression = move |typed: &str, caret: usize| {
        let names = text
            .with_untracked(FilterText::parse_names)
            .unwrap_or_default();
        known(&|schemas| complete_where(typed, caret, schemas, &names))
    };
    view! {
        <div class="toolbar" role="group" aria-label="Which events">
            <SessionSelect
                id="events-session"
                session=session
                all="All sessions"
                choose=move |session: String| change(&|text| *text = text.only_session(&session))
            />
            <FilterField
                id="events-names"
                label="Filter by name"
                placeholder="STOP, BLOCK_*"
                value=names
                fault=names_fault
                set=move |names: String| change(&|text| text.names.clone_from(&names))
                complete=complete_the_names
                ask=ask
                news=news
            >
                {names_hint}
            </FilterField>
            <FilterField
                id="events-where"
                label="Where"
                placeholder="@.data.id == \"job1\""
                value=expression
                fault=expression_fault
                set=move |typed: String| change(&|text| text.expression.clone_from(&typed))
                complete=complete_the_expression
                ask=ask
                news=news
            >
                {where_hint}
            </FilterField>
            <Until page/>
            <div class="buttons">
                <FilterMenu page/>
                <FileMenu page/>
                <ShowCommands page/>
                <Order page/>
                <PauseAndClear page/>
            </div>
        </div>
    }
}

/// Looks into the schemas that are here, of this session or of all.
fn with_schemas<T>(page: Page, session: &str, read: impl FnOnce(&[&Schema]) -> T) -> T {
    let loaded = page.store.loaded_schemas();
    let loaded = loaded
        .iter()
        .filter(|(name, _)| session.is_empty() || name == session);
    let loaded: Vec<&Schema> = loaded.take(SCHEMAS).map(|(_, schema)| &**schema).collect();
    read(&loaded)
}

/// The same, where nothing is missing that is to be known of running endpoints.
fn with_all_schemas<T>(
    page: Page,
    session: &str,
    read: impl FnOnce(&[&Schema]) -> Option<T>,
) -> Option<T> {
    let loaded = page.store.loaded_schemas();
    let is_loaded = |wanted: &String| loaded.iter().any(|(name, _)| name == wanted);
    let is_all = page.store.peek(|app| {
        app.sessions.iter().all(|(name, info)| {
            let is_wanted = session.is_empty() || name == session;
            let has_schema = info.kind == EndpointKind::Qmp && incarnation(info).is_some();
            !is_wanted || !has_schema || is_loaded(name)
        })
    });
    if is_all {
        with_schemas(page, session, read)
    } else {
        None
    }
}

/// Has the schemas of the sessions that are looked at in the cache.
fn load_schemas(page: Page, state: RwSignal<SchemaState>) {
    let wanted = page.text.with_untracked(|text| text.session.clone());
    let sessions = page.store.peek(|app| {
        let is_wanted = |name: &String| wanted.is_empty() || *name == wanted;
        let found = app.sessions.iter().filter(|(name, _)| is_wanted(name));
        let found = found.filter_map(|(name, info)| Some((name.clone(), incarnation(info)?)));
        found.take(SCHEMAS).collect::<Vec<_>>()
    });
    for (name, incarnation) in sessions {
        page.store.load_schema(name, incarnation, state, || true);
    }
}

/// Looks at the log as it was.
#[component]
fn Until(page: Page) -> impl IntoView {
    let shown = move || {
        let until = page.text.with(|text| Instant::parse(&text.until));
        until.map_or_else(String::new, |at| {
            at.local(browser::offset(at)).replacen(' ', "T", 1)
        })
    };
    let set = move |typed: String| {
        let mut text = page.text.get_untracked();
        // Up to the end of that second.
        let until = browser::parse_local(&typed).map(|at| Instant(at.0 + 999_999));
        text.until = until.map(Instant::rfc3339).unwrap_or_default();
        page.go(&text);
    };
    let fault = Memo::new(move |_| page.text.with(|text| text.parse_until().err()));
    let is_wrong = move || fault.with(Option::is_some).then_some("true");
    let said = move || match fault.get() {
        Some(fault) => {
            let live = FilterText {
                until: String::new(),
                ..page.text.get()
            };
            view! {
                <p>{fault}". "<a href=browser::at(&live.address())>"Show what is live"</a></p>
            }
            .into_any()
        }
        None if page.has_since.get() => view! {
            <p>"This page has no “since”: choose until when, and scroll back."</p>
        }
        .into_any(),
        None => ().into_any(),
    };
    view! {
        <div class="field until">
            <label for="events-until">"Until"</label>
            <input
                id="events-until"
                type="datetime-local"
                step="1"
                title="Empty: live"
                aria-invalid=is_wrong
                aria-describedby="events-until-fault"
                prop:value=shown
                on:change=move |event| set(event_target_value(&event))
            />
            <div id="events-until-fault" class="fault" role="status">{said}</div>
        </div>
    }
}

/// Shows what this tab sent between the events.
#[component]
fn ShowCommands(page: Page) -> impl IntoView {
    let is_shown = Memo::new(move |_| page.text.with(|text| text.commands));
    let turn = move |_| {
        let mut text = page.text.get_untracked();
        text.commands = !text.commands;
        page.go(&text);
    };
    let title = move || {
        let live = "The commands that this tab sent, and their replies, between the events as they came. \
            Only the session chooses among them, not the names or the expression; files do not have them.";
        why_not_live(page).unwrap_or(live)
    };
    view! {
        <button
            type="button"
            title=title
            aria-pressed=move || is_shown.get().to_string()
            disabled=move || !is_live(page)
            on:click=turn
        >
            "Show my commands"
        </button>
    }
}

/// Whether what the tab sees is shown: neither a file nor the past.
fn is_live(page: Page) -> bool {
    page.file.with(Option::is_none) && page.text.with(|text| text.until.is_empty())
}

/// Why nothing can be done with what is live; `None` where it is shown.
fn why_not_live(page: Page) -> Option<&'static str> {
    match page.file.with(Option::is_some) {
        _ if is_live(page) => None,
        true => Some("Only for what is live: close the file first"),
        false => Some("Only for what is live: empty “Until” first"),
    }
}

/// Newest first, or following.
#[component]
fn Order(page: Page) -> impl IntoView {
    let is_following = page.is_following;
    let turn = move |_| {
        is_following.update(|is_following| *is_following = !*is_following);
        Store::keep_following(is_following.get_untracked());
        let top = if is_following.get_untracked() {
            i32::MAX
        } else {
            0
        };
        page.is_at_end.set_value(true);
        request_animation_frame(move || {
            if let Some(scroller) = page.scroller.get_untracked() {
                scroller.set_scroll_top(top);
            }
        });
    };
    view! {
        <button
            type="button"
            title="The newest event at the bottom, kept in sight"
            aria-pressed=move || is_following.get().to_string()
            on:click=turn
        >
            "Follow"
        </button>
    }
}

#[component]
fn PauseAndClear(page: Page) -> impl IntoView {
    let is_paused = Memo::new(move |_| page.with_feed(Feed::is_paused));
    let waiting = Memo::new(move |_| page.with_feed(Feed::waiting));
    let is_live = Memo::new(move |_| is_live(page));
    let pause = move |_| {
        page.update_feed(|feed, log| match feed.is_paused() {
            true => feed.resume(log),
            false => feed.pause(),
        });
        page.changed();
    };
    let clear = move |_| {
        page.store.clear_events();
        page.update_feed(|feed, log| feed.clear(log));
        page.selected.set(None);
        page.forget_older();
        page.changed();
    };
    view! {
        <button
            type="button"
            class="pause"
            aria-pressed=move || is_paused.get().to_string()
            title=move || why_not_live(page)
            disabled=move || !is_live.get()
            on:click=pause
        >
            {move || if is_paused.get() { "Resume" } else { "Pause" }}
            {move || (is_paused.get() && waiting.get() > 0).then(|| view! {
                <span class="count">{grouped(waiting.get() as u64)}" new"</span>
            })}
        </button>
        <button
            type="button"
            title=move || why_not_live(page)
            disabled=move || !is_live.get()
            on:click=clear
        >
            "Clear"
        </button>
    }
}
