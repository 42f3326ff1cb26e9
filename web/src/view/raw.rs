//! A reply as the text that came.

use std::sync::Arc;

use leptos::prelude::*;

use crate::state::text::{clip, counted, visible};
use crate::store::{browser, use_store};

/// Longest text that is shown, in bytes. A browser needs long for the lines of
/// a longer one; the whole is copied or downloaded.
const SHOWN: usize = 64 << 10;

/// The text of a reply; `name` is that of its file.
#[component]
pub(super) fn RawReply(text: Signal<Arc<str>>, name: Signal<String>) -> impl IntoView {
    let store = use_store();
    let download = move |_| {
        let done = text.with_untracked(|text| browser::download(&name.get_untracked(), text));
        if let Err(error) = done {
            store.announcement.set(error);
        }
    };
    let words = move || {
        text.with(|text| {
            let (shown, left_out) = clip(text, SHOWN);
            let size = counted(text.len() as u64, "byte");
            match left_out {
                0 => size,
                _ => {
                    "The first ".to_owned() + &counted(shown.len() as u64, "byte") + " of " + &size
                }
            }
        })
    };
    // Line breaks stay; whatever else hides is shown.
    let shown = move || {
        text.with(|text| {
            let lines = clip(text, SHOWN).0.split('\n');
            let lines = lines.map(|line| visible(line.trim_end_matches('\r')));
            lines.collect::<Vec<_>>().join("\n")
        })
    };
    view! {
        <div class="raw-tools">
            <span class="muted small-text">{words}</span>
            <button type="button" class="quiet small" on:click=download>"Download"</button>
        </div>
        <div class="raw" role="region" aria-label="Reply as text" tabindex="0">
            <pre>{shown}</pre>
        </div>
    }
}
