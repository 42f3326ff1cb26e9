//! The frame around every page: header, navigation, connection, sign out.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

use super::missed::MissedNotice;
use super::overlay::{Overlay, OverlayDialog, Shown};
use super::pages::{Commands, Events};
use super::parts::{Empty, all_sessions};
use super::place::{follow, use_path};
use super::sessions::SessionsPage;
use super::sign_in::SignIn;
use crate::state::health::consequence;
use crate::state::link::{Auth, Link};
use crate::state::login::Identity;
use crate::state::pages::Page;
use crate::state::theme::Theme;
use crate::store::{Store, browser, use_store};

/// The sign of all searching.
pub(super) const MAGNIFIER: &str =
    "M7 2.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6M10.6 10.6l3.2 3.2";

/// The whole page.
#[component]
pub(crate) fn Root() -> impl IntoView {
    let store = Store::new();
    provide_context(store);
    store.start();
    Effect::new(move || browser::apply_theme(store.theme.get()));
    watch_window(store);
    view! {
        <Router base=browser::base()>
            <Frame/>
            <div class="visually-hidden" role="status" aria-live="polite">
                {move || store.announcement.get()}
            </div>
        </Router>
    }
}

/// Reacts to what happens to the window rather than in it.
fn watch_window(store: Store) {
    let on_resize = window_event_listener(ev::resize, move |_| {
        let is_narrow = browser::is_narrow();
        if store.is_narrow.get_untracked() != is_narrow {
            store.is_narrow.set(is_narrow);
        }
    });
    // A laptop that wakes up does not wait for the backoff.
    let on_online = window_event_listener(ev::online, move |_| store.wake());
    let on_show = window_event_listener_untyped("visibilitychange", move |_| {
        if !document().hidden() {
            store.wake();
        }
    });
    let on_hash = window_event_listener(ev::hashchange, move |_| store.start_again());
    on_cleanup(move || {
        on_resize.remove();
        on_online.remove();
        on_show.remove();
        on_hash.remove();
    });
    Effect::new(move |before: Option<Link>| {
        let link = store.link.get();
        let is_news = before.is_some_and(|before| before.announcement() != link.announcement());
        if is_news
            && !link.announcement().is_empty()
            && store.auth.get_untracked() == Auth::SignedIn
        {
            store.announcement.set(link.announcement().to_owned());
        }
        link
    });
}

#[component]
fn Frame() -> impl IntoView {
    let store = use_store();
    let is_out = Memo::new(move |_| store.auth.get() == Auth::SignedOut);
    // The form that had the focus is gone: it goes to the page.
    Effect::new(move |was_out: Option<bool>| {
        let is_out = is_out.get();
        if was_out == Some(true) && !is_out {
            request_animation_frame(browser::focus_main);
        }
        is_out
    });
    move || match is_out.get() {
        true => view! { <SignIn/> }.into_any(),
        false => view! { <SignedIn/> }.into_any(),
    }
}

#[component]
fn SignedIn() -> impl IntoView {
    let store = use_store();
    provide_context(Overlay::new());
    view! {
        <a
            class="skip"
            href="#main"
            on:click=move |event| {
                // Not an address of its own, as the router would take it.
                event.prevent_default();
                browser::focus_main();
            }
        >
            "Skip to content"
        </a>
        <div class="top">
            <Header/>
            <LinkNotice/>
            <ReadinessNotice/>
            <MissedNotice/>
        </div>
        <main id="main" tabindex="-1">
            <Show when=move || store.auth.get() == Auth::SignedIn fallback=Opening>
                <Routes fallback=NotFound>
                    <Route path=path!("/") view=SessionsPage/>
                    <Route path=path!("/commands/:session?/:command?") view=Commands/>
                    <Route path=path!("/events") view=Events/>
                </Routes>
            </Show>
        </main>
        <OverlayDialog/>
    }
}

#[component]
fn Header() -> impl IntoView {
    let store = use_store();
    let overlay = expect_context::<Overlay>();
    let path = use_path();
    follow(path);
    let link = move |page: Page| {
        let is_here = Memo::new(move |_| path.with(|path| Page::at(path) == Some(page)));
        let current = move || is_here.get().then_some("page");
        // Back to a page as it was left; on it, to all of it.
        let address = move || match is_here.get() {
            true => browser::at(page.address()),
            false => browser::at(&store.address_of(page)),
        };
        view! { <a class="nav-link" href=address aria-current=current>{page.name()}</a> }
    };
    view! {
        <header class="bar">
            <a class="brand" href=browser::at("/") aria-label="QMP Console">
                <img src=browser::at("/favicon.svg") width="24" height="24" alt=""/>
                <span aria-hidden="true">"QMP Console"</span>
            </a>
            <nav class="nav" aria-label="Main">
                {Page::ALL.map(link).collect_view()}
            </nav>
            <button
                type="button"
                class="find"
                aria-keyshortcuts="Control+K"
                title="Search everything (Ctrl+K)"
                on:click=move |_| overlay.open(Shown::Palette)
            >
                <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" class="glyph">
                    <path d=MAGNIFIER/>
                </svg>
                <span class="find-words">"Search… "</span>
                <kbd>"Ctrl K"</kbd>
            </button>
            <div class="bar-tools">
                <Who/>
                <Connection/>
                <ThemeSwitch/>
                <button type="button" class="quiet" on:click=move |_| store.sign_out()>
                    "Sign out"
                </button>
            </div>
        </header>
    }
}

/// Who is signed in, and what that allows.
#[component]
fn Who() -> impl IntoView {
    let identity = use_store().identity;
    move || {
        identity.get().map(|Identity { name, role }| {
            let title = "Signed in as ".to_owned() + &name + " (" + role.as_str() + ")";
            view! {
                <span class="who" title=title>
                    <span class="who-words">"Signed in as "</span>
                    <span class="who-name">{name}</span>
                    " (" {role.as_str()} ")"
                </span>
            }
        })
    }
}

#[component]
fn Connection() -> impl IntoView {
    let store = use_store();
    let badge = Memo::new(move |_| store.link.get().badge());
    let class = move || badge.get().0.class().to_owned() + " link";
    let words = move || badge.get().1;
    view! { <span class=class title="Connection to the console"><span>{words}</span></span> }
}

/// Says that the console is gone, and when it is tried again.
#[component]
fn LinkNotice() -> impl IntoView {
    let store = use_store();
    let is_down = Memo::new(move |_| store.link.get().is_down());
    // Counts down, and only while there is something to count.
    let tick = RwSignal::new(());
    Effect::new(move || {
        if is_down.get() {
            let period = Duration::from_millis(500);
            let handle = set_interval_with_handle(move || tick.set(()), period).ok();
            on_cleanup(move || {
                if let Some(handle) = handle {
                    handle.clear();
                }
            });
        }
    });
    let outlook = Memo::new(move |_| {
        tick.track();
        store.link.get().outlook(browser::now())
    });
    // The words change every second: the announcement says it once.
    view! {
        <Show when=move || is_down.get()>
            <section class="strip bad" aria-label="Connection to the console">
                <p>
                    <strong>"No connection to the console."</strong>
                    " What this page shows may be out of date. "
                    <span class="outlook">{outlook}</span>
                </p>
                <button type="button" on:click=move |_| store.wake()>"Connect now"</button>
            </section>
        </Show>
    }
}

/// Says that the console cannot do all of its work, as when its disk is full.
#[component]
fn ReadinessNotice() -> impl IntoView {
    let reasons = use_store().not_ready;
    let lines = move || {
        let line = |reason| view! { <p class="verbatim">{reason}</p> };
        reasons.get().into_iter().map(line).collect_view()
    };
    view! {
        // There before its words, so that they are read out.
        <div role="status">
            <Show when=move || !reasons.with(Vec::is_empty)>
                <section class="strip warn" aria-label="State of the console">
                    <div>
                        {lines}
                        {move || reasons.with(|reasons| consequence(reasons)).map(|words| view! {
                            <p>{words}</p>
                        })}
                    </div>
                </section>
            </Show>
        </div>
    }
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let theme = use_store().theme;
    let label = move || match theme.get() {
        Theme::System => "Theme: system",
        Theme::Light => "Theme: light",
        Theme::Dark => "Theme: dark",
    };
    let icon = move || match theme.get() {
        Theme::System => "M8 1.5a6.5 6.5 0 1 0 0 13zM8 1.5a6.5 6.5 0 0 1 0 13",
        Theme::Light => {
            "M8 4.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4M8 .8v1.7M8 13.5v1.7M.8 8h1.7M13.5 8h1.7M2.9 2.9l1.2 1.2M11.9 11.9l1.2 1.2M2.9 13.1l1.2-1.2M11.9 4.1l1.2-1.2"
        }
        Theme::Dark => "M13.8 9.6A6 6 0 0 1 6.4 2.2a6 6 0 1 0 7.4 7.4z",
    };
    view! {
        <button
            type="button"
            class="quiet icon"
            aria-label=label
            title=label
            on:click=move |_| theme.update(|theme| *theme = theme.next())
        >
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" class="glyph">
                <path d=icon/>
            </svg>
        </button>
    }
}

/// Before it is known who is signed in.
#[component]
fn Opening() -> impl IntoView {
    let trouble = use_store().trouble;
    move || match trouble.get() {
        None => view! { <p class="loading">"Connecting to the console…"</p> }.into_any(),
        Some(trouble) => view! {
            <Empty title="The console cannot be reached">
                <p>{trouble}</p>
                <p>"This page keeps trying."</p>
            </Empty>
        }
        .into_any(),
    }
}

#[component]
fn NotFound() -> impl IntoView {
    view! {
        <Empty title="There is no such page">
            {all_sessions()}
        </Empty>
    }
}
