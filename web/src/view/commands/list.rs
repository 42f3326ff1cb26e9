//! The list of all commands of an endpoint, and the search in it.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use qmp_shared::rest::Problem;
use wasm_bindgen::JsCast;

use super::tag;
use crate::state::address::command_path;
use crate::state::commands::{Listing, MAX_FAVOURITES, Row, Section, SectionKind, toggle};
use crate::state::search::Snippet;
use crate::state::text::{counted, visible};
use crate::store::keep::Kept;
use crate::store::{browser, use_store};
use crate::view::parts::{ProblemBox, SessionSelect, focus, into_sight};

/// What all parts of the list share.
#[derive(Clone, Copy)]
struct List {
    session: Memo<String>,
    command: Memo<String>,
    /// What is shown.
    sections: Memo<Vec<Section>>,
    /// The one that is reached by Tab, the others from there by arrow keys.
    tab_stop: Memo<Option<(SectionKind, String)>>,
    favourites: Kept<String>,
}

#[component]
pub(super) fn CommandList(
    session: Memo<String>,
    /// The chosen one; empty for none.
    command: Memo<String>,
    listing: Memo<Result<Arc<Listing>, Problem>>,
) -> impl IntoView {
    let store = use_store();
    let navigate = StoredValue::new(use_navigate());
    let go = move |to: String| {
        navigate.with_value(|navigate| navigate(&to, NavigateOptions::default()));
    };
    let query = RwSignal::new(String::new());
    let favourites = store.kept::<String>("favourite-commands");
    // As they were when the command was chosen: nothing moves when it is sent.
    let recent = Memo::new(move |_| {
        command.track();
        store.kept::<String>("recent-commands").with(<[_]>::to_vec)
    });
    let sections = Memo::new(move |_| {
        let listing = listing.get().unwrap_or_default();
        let sections = |favourites: &[String]| {
            recent.with(|recent| listing.sections(&query.get(), favourites, recent))
        };
        favourites.with(sections)
    });
    let tab_stop = Memo::new(move |_| {
        let command = command.get();
        sections.with(|sections| {
            let mut rows = sections.iter().flat_map(|section| {
                let rows = section.rows.iter();
                rows.map(|row| (&section.kind, &row.entry.name))
            });
            let first = rows.clone().next();
            let found = rows.find(|(kind, name)| !kind.repeats() && **name == command);
            let found = found.or(first)?;
            Some((found.0.clone(), found.1.clone()))
        })
    });
    let list = List {
        session,
        command,
        sections,
        tab_stop,
        favourites,
    };
    let total = Memo::new(move |_| {
        listing.with(|listing| listing.as_ref().map_or(0, |listing| listing.len()))
    });
    let words = move || {
        let all = || counted(total.get() as u64, "command");
        let is_searching = query.with(|query| !query.trim().is_empty());
        match (total.get(), is_searching) {
            (0, _) => String::new(),
            (_, false) => all(),
            (_, true) => {
                let rows = |sections: &Vec<Section>| {
                    sections
                        .iter()
                        .map(|section| section.rows.len())
                        .sum::<usize>()
                };
                sections.with(rows).to_string() + " of " + &all()
            }
        }
    };
    let on_search_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            let first = sections.with_untracked(|sections| {
                let row = sections.first()?.rows.first()?;
                Some(row.entry.name.clone())
            });
            if let Some(first) = first {
                go(command_path(&session.get_untracked(), &first));
            }
        }
        "ArrowDown" => {
            event.prevent_default();
            focus(links().first());
        }
        _ => {}
    };
    let problem = move || {
        listing
            .with(|listing| listing.as_ref().err().cloned())
            .map(|problem| view! { <ProblemBox problem/> })
    };
    let has_titles = move || sections.with(|sections| sections.len() > 1);
    // The form of the command comes first: hundreds of links are a frame's work.
    let is_drawn = RwSignal::new(false);
    Effect::new(move || {
        if total.get() > 0 && !is_drawn.get_untracked() {
            browser::next_frame(move || {
                is_drawn.try_set(true);
            });
        }
    });
    let kinds = move || {
        let kind = |section: &Section| section.kind.clone();
        match is_drawn.get() {
            true => sections.with(|sections| sections.iter().map(kind).collect()),
            false => Vec::new(),
        }
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
                        placeholder="name or documentation"
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
            <div class="command-list" on:keydown=on_list_key>
                <For each=kinds key=SectionKind::clone children=move |kind| part(list, kind, has_titles)/>
            </div>
            <Show when=move || total.get() != 0 && sections.with(Vec::is_empty)>
                <p class="table-empty">"No command has this in its name or documentation."</p>
            </Show>
        </section>
    }
}

/// A part of the list under its title.
fn part(
    list: List,
    kind: SectionKind,
    has_titles: impl Fn() -> bool + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let title = kind.title().map(|title| visible(title).into_owned());
    let label = title.clone().unwrap_or_else(|| "Names".to_owned());
    let is_titled = title.is_some();
    let rows = {
        let kind = kind.clone();
        Memo::new(move |_| {
            list.sections.with(|sections| {
                let mut sections = sections.iter();
                let section = sections.find(|section| section.kind == kind);
                section
                    .map(|section| section.rows.clone())
                    .unwrap_or_default()
            })
        })
    };
    let key = |row: &Row| (row.entry.clone(), row.snippet.clone());
    view! {
        <Show when=move || is_titled && has_titles()>
            <h2 class="command-group">{title.clone()}</h2>
        </Show>
        <ul aria-label=label>
            <For each=move || rows.get() key=key children=move |row| item(list, kind.clone(), row)/>
        </ul>
    }
}

fn item(list: List, kind: SectionKind, row: Row) -> impl IntoView {
    let Row { entry, snippet } = row;
    let name = StoredValue::new(entry.name);
    let shown = name.with_value(|name| visible(name).into_owned());
    let is_current = Memo::new(move |_| {
        list.command
            .with(|command| name.with_value(|name| name == command))
    });
    let repeats = kind.repeats();
    let is_tab_stop = Memo::new(move |_| {
        list.tab_stop.with(|stop| {
            let stop = stop.as_ref();
            stop.is_some_and(|(of, stop)| *of == kind && name.with_value(|name| name == stop))
        })
    });
    let is_favourite = Memo::new(move |_| {
        let is_it = |name: &String| list.favourites.with(|names| names.contains(name));
        name.with_value(is_it)
    });
    let link = NodeRef::<leptos::html::A>::new();
    Effect::new(move || {
        if let (true, false, Some(link)) = (is_current.get(), repeats, link.get()) {
            request_animation_frame(move || into_sight(&link));
        }
    });
    let href = move || {
        let session = list.session.get();
        browser::at(&name.with_value(|name| command_path(&session, name)))
    };
    let mark = move |_| {
        let name = name.get_value();
        list.favourites
            .change(MAX_FAVOURITES, |names| toggle(names, &name));
    };
    let star = "Favourite ".to_owned() + &shown;
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
                {entry.tags.into_iter().map(tag).collect_view()}
            </a>
            <button
                type="button"
                class="quiet star"
                aria-label=star
                aria-pressed=move || is_favourite.get().to_string()
                title="Favourite: → and Space"
                tabindex="-1"
                on:click=mark
            >
                <span aria-hidden="true">{move || if is_favourite.get() { "★" } else { "☆" }}</span>
            </button>
            {snippet.map(|Snippet { before, hit, after }| view! {
                <p class="snippet">{before} <mark>{hit}</mark> {after}</p>
            })}
        </li>
    }
}

/// Arrow keys walk from command to command, and to the star and back.
fn on_list_key(event: KeyboardEvent) {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(item) = target.and_then(|target| target.closest("li").ok().flatten()) else {
        return;
    };
    let links = links();
    let here = item.first_element_child();
    let at = links.iter().position(|link| Some(link) == here.as_ref());
    let next = match (event.key().as_str(), at) {
        ("ArrowDown", Some(at)) => links.get(at + 1).cloned(),
        ("ArrowUp", Some(0)) => document().get_element_by_id("commands-search"),
        ("ArrowUp", Some(at)) => links.get(at - 1).cloned(),
        ("ArrowRight", _) => item.query_selector(".star").ok().flatten(),
        ("ArrowLeft", _) => here,
        ("Home", _) => links.first().cloned(),
        ("End", _) => links.last().cloned(),
        _ => return,
    };
    event.prevent_default();
    focus(next.as_ref());
}

/// The commands' links, as they are shown.
fn links() -> Vec<web_sys::Element> {
    let Ok(found) = document().query_selector_all(".command-link") else {
        return Vec::new();
    };
    let nodes = (0..found.length()).filter_map(|index| found.item(index));
    nodes.filter_map(|node| node.dyn_into().ok()).collect()
}
