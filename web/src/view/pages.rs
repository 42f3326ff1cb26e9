//! Pages that are loaded when they are opened, so that the first one is small.
//!
//! The build puts what only a function with `wasm_split` needs into a file of
//! its own.

use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::commands::CommandsPage;
use super::events::EventsPage;
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

#[component]
pub(super) fn Commands() -> impl IntoView {
    loaded(|| Box::pin(commands()))
}

#[component]
pub(super) fn Events() -> impl IntoView {
    loaded(|| Box::pin(events()))
}

/// How far a page is.
#[derive(Clone, Copy)]
enum Progress {
    Loading,
    Loaded(Make),
    Failed,
}

fn loaded(load: Load) -> impl IntoView {
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
        Progress::Loading => view! { <p class="loading">"Loading the page…"</p> }.into_any(),
        Progress::Loaded(make) => make(),
        Progress::Failed => view! {
            <Empty title="The page could not be loaded">
                <p>"The console does not answer. The page is loaded as soon as it does."</p>
                <p><button type="button" on:click=move |_| start()>"Try again"</button></p>
            </Empty>
        }
        .into_any(),
    }
}
