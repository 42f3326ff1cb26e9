//! Pages, and what lies over them, that are loaded when they are opened, so
//! that the first one is small.
//!
//! The build puts what only a function with `wasm_split` needs into a file of
//! its own.

use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::commands::CommandsPage;
use super::events::EventsPage;
use super::overlay::OverlayContent;
use super::parts::Empty;
use crate::state::link::Link;
use crate::store::use_store;

/// Makes a page. A function in its file.
type Make = fn() -> AnyView;

/// Loads the file, which has to be done once.
type Load = fn() -> Pin<Box<dyn Future<Output = Result<Make, SplitLoaderError>>>>;

#[wasm_split(commands, wasm_split_path = ::leptos::wasm_split, fallible)]
fn commands() -> Result<Make, SplitLoaderError> {
    Ok(|| view! { <CommandsPage/> }.into_any())
}

#[wasm_split(events, wasm_split_path = ::leptos::wasm_split, fallible)]
fn events() -> Result<Make, SplitLoaderError> {
    Ok(|| view! { <EventsPage/> }.into_any())
}

#[wasm_split(overlay, wasm_split_path = ::leptos::wasm_split, fallible)]
fn overlay() -> Result<Make, SplitLoaderError> {
    Ok(|| view! { <OverlayContent/> }.into_any())
}

#[component]
pub(super) fn Commands() -> impl IntoView {
    loaded(|| Box::pin(commands()), PAGE)
}

#[component]
pub(super) fn Events() -> impl IntoView {
    loaded(|| Box::pin(events()), PAGE)
}

/// What the overlay shows: the palette or the keys.
#[component]
pub(super) fn Overlaid() -> impl IntoView {
    loaded(|| Box::pin(overlay()), DIALOG)
}

/// What is said until it is there.
#[derive(Clone, Copy)]
struct Words {
    loading: &'static str,
    failed: &'static str,
    why: &'static str,
}

const PAGE: Words = Words {
    loading: "Loading the page…",
    failed: "The page could not be loaded",
    why: "The console does not answer. The page is loaded as soon as it does.",
};

const DIALOG: Words = Words {
    loading: "Loading…",
    failed: "This could not be loaded",
    why: "The console does not answer. It is loaded as soon as the console does.",
};

/// How far a page is.
#[derive(Clone, Copy)]
enum Progress {
    Loading,
    Loaded(Make),
    Failed,
}

fn loaded(load: Load, words: Words) -> impl IntoView {
    let store = use_store();
    let progress = RwSignal::new(Progress::Loading);
    let start = move || {
        progress.set(Progress::Loading);
        spawn_local(async move {
            let made = load().await.map_or(Progress::Failed, Progress::Loaded);
            // The user may be on another page meanwhile.
            let _ = progress.try_set(made);
        });
    };
    let is_connected = Memo::new(move |_| matches!(store.link.get(), Link::Connected));
    // At once, and again whenever the console is there again.
    Effect::new(move |_| {
        // What it is does not matter; a memo that nobody reads does not change.
        is_connected.get();
        if !matches!(progress.get_untracked(), Progress::Loaded(_)) {
            start();
        }
    });
    move || match progress.get() {
        Progress::Loading => {
            view! { <p class="loading" role="status">{words.loading}</p> }.into_any()
        }
        Progress::Loaded(make) => make(),
        Progress::Failed => view! {
            <Empty title=words.failed>
                <p>{words.why}</p>
                <p><button type="button" on:click=move |_| start()>"Try again"</button></p>
            </Empty>
        }
        .into_any(),
    }
}
