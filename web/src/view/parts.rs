//! Small components that several pages share.

use std::time::Duration;

use leptos::ev::{FocusEvent, KeyboardEvent, MouseEvent};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::rest::{Outcome, Problem};
use wasm_bindgen::JsCast;

use crate::state::sessions::Tone;
use crate::state::text::visible;
use crate::state::time::running;
use crate::store::{Store, browser, use_store};

/// A word in its colour.
pub(super) fn badge(tone: Tone, word: String) -> impl IntoView {
    view! { <span class=tone.class()>{word}</span> }
}

/// How long it is since then, in seconds of the page's clock; goes on. `since` is
/// in milliseconds.
pub(super) fn waited(store: Store, since: f64) -> impl Fn() -> String + Copy + Send + 'static {
    move || {
        store.clock.track();
        running((browser::now() - since).max(0.0))
    }
}

/// Leads to the first page.
pub(super) fn all_sessions() -> impl IntoView {
    view! { <p><a href=browser::at("/")>"All sessions"</a></p> }
}

/// What a page says when it has nothing to show.
#[component]
pub(super) fn Empty(
    /// Says what is missing.
    title: &'static str,
    /// Says what to do about it.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="empty">
            <h2>{title}</h2>
            {children()}
        </section>
    }
}

/// What went wrong, with the endpoint's own words as they came.
#[component]
pub(super) fn ProblemBox(
    /// What went wrong.
    problem: Problem,
) -> impl IntoView {
    let is_unknown = problem.outcome == Some(Outcome::Unknown);
    let is_done = problem.outcome == Some(Outcome::Done);
    // The detail of the endpoint's own error is its text, once more.
    let detail = (problem.desc.as_ref() != Some(&problem.detail)).then_some(problem.detail);
    view! {
        <div class="problem" role="alert">
            <p class="problem-title">{problem.title}</p>
            {problem.class.map(|class| view! {
                <p class="mono"><span class="tag">{visible(&class).into_owned()}</span></p>
            })}
            {problem.desc.map(|desc| view! { <p class="mono verbatim">{desc}</p> })}
            {detail.map(|detail| view! { <p class="verbatim">{detail}</p> })}
            {is_unknown.then(|| view! {
                <p class="loud">
                    "Outcome unknown: the command may or may not have been executed."
                </p>
            })}
            {is_done.then(|| view! { <p class="loud">"The command was executed."</p> })}
        </div>
    }
}

/// Copies a text and says that it did.
#[component]
pub(super) fn CopyButton(
    /// What it copies, for its label: "Copy reply".
    label: &'static str,
    /// The text at the time of the click.
    text: Signal<String>,
) -> impl IntoView {
    let store = use_store();
    let word = RwSignal::new("Copy");
    let copy = move |_| {
        let text = text.get_untracked();
        spawn_local(async move {
            let done = if browser::copy(&text).await {
                "Copied"
            } else {
                "Not allowed"
            };
            store.announcement.set(done.to_owned());
            if word.try_set(done).is_none() {
                set_timeout(
                    move || {
                        word.try_set("Copy");
                    },
                    Duration::from_millis(1500),
                );
            }
        });
    };
    view! {
        <button type="button" class="quiet small copy" aria-label=label on:click=copy>{word}</button>
    }
}

/// Chooses one of the console's sessions.
#[component]
pub(super) fn SessionSelect(
    /// The id of its control, unique on the page.
    id: &'static str,
    /// The name of the chosen one. One that the console does not have stays
    /// visible.
    session: Memo<String>,
    /// What to do when another one is chosen.
    choose: impl Fn(String) + 'static,
    /// The words for an empty name, where that can be chosen.
    #[prop(optional)]
    all: Option<&'static str>,
) -> impl IntoView {
    let store = use_store();
    let names = Memo::new(move |_| {
        let wanted = session.get();
        let mut names = store.with_sessions(|app| app.sessions.keys().cloned().collect::<Vec<_>>());
        if !wanted.is_empty() && !names.contains(&wanted) {
            names.push(wanted);
        }
        names
    });
    let options = move || {
        let option = |name: String| {
            let shown = visible(&name).into_owned();
            let value = name.clone();
            let is_it = move || session.with(|session| *session == name);
            view! { <option value=value prop:selected=is_it>{shown}</option> }
        };
        names.get().into_iter().map(option).collect_view()
    };
    view! {
        <div class="field">
            <label for=id>"Session"</label>
            <select id=id on:change=move |event| choose(event_target_value(&event))>
                {all.map(|words| view! {
                    <option value="" prop:selected=move || session.with(String::is_empty)>{words}</option>
                })}
                {options}
            </select>
        </div>
    }
}

/// A button that opens a small panel below it. Escape, a link, and whatever
/// takes the focus elsewhere close it.
#[component]
pub(super) fn Menu(
    /// The button's words.
    label: &'static str,
    /// What is in the panel.
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<html::Details>::new();
    // A menu with the focus in it loses that when it goes, and is gone then.
    let menu = move || details.try_get_untracked().flatten();
    let close = move |is_key: bool| {
        if let Some(menu) = menu() {
            menu.set_open(false);
            if is_key {
                focus(menu.query_selector("summary").ok().flatten().as_ref());
            }
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" && menu().is_some_and(|menu| menu.open()) {
            event.stop_propagation();
            close(true);
        }
    };
    let on_blur = move |event: FocusEvent| {
        let next = event.related_target();
        let next = next.and_then(|next| next.dyn_into::<web_sys::Node>().ok());
        let is_inside = menu().is_some_and(|menu| menu.contains(next.as_ref()));
        // A click on what takes no focus leaves it open.
        if next.is_some() && !is_inside {
            close(false);
        }
    };
    let on_click = move |event: MouseEvent| {
        let target = event.target();
        let target = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let is_link = target.is_some_and(|target| target.closest("a").ok().flatten().is_some());
        if is_link {
            close(false);
        }
    };
    view! {
        <details class="menu" node_ref=details on:keydown=on_key on:focusout=on_blur on:click=on_click>
            <summary class="button">{label}</summary>
            <div class="menu-panel card">{children()}</div>
        </details>
    }
}

/// Brings the user there, if it is there and takes the focus.
pub(super) fn focus(element: Option<&web_sys::Element>) {
    if let Some(element) = element.and_then(|found| found.dyn_ref::<web_sys::HtmlElement>()) {
        // Nothing depends on whether the browser grants the focus.
        let _ = element.focus();
    }
}

/// Scrolls as little as brings the element into sight.
pub(super) fn into_sight(element: &web_sys::Element) {
    let options = web_sys::ScrollIntoViewOptions::new();
    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Brings the user to an id in the next frame, if what had the focus is gone.
pub(super) fn keep_focus(id: String) {
    browser::next_frame(move || {
        let active = document().active_element();
        if active.is_none_or(|active| active.tag_name() == "BODY") {
            focus_id(&id);
        }
    });
}

/// Brings the user there at once.
pub(super) fn focus_id(id: &str) {
    focus(document().get_element_by_id(id).as_ref());
}
