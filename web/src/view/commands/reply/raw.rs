//! A reply as the text that came.

use std::sync::Arc;

use leptos::prelude::*;

use super::find::Finder;
use crate::state::find::{Found, next_match, pieces};
use crate::state::lines::{page, places, shown};
use crate::state::text::{counted, grouped};
use crate::store::{browser, use_store};
use crate::view::parts::{focus_id, into_sight};

/// Longest text that is shown, in bytes. A browser needs long for the lines of
/// a longer one; the whole is searched, copied or downloaded.
const SHOWN: usize = 64 << 10;

/// The id of the text.
const ID: &str = "raw-reply";

/// The id of the match that is gone to.
const CURRENT: &str = "raw-match";

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
    let wanted = RwSignal::new(String::new());
    // The place that is gone to, in bytes.
    let at = RwSignal::new(0_u32);
    let matches = Memo::new(move |_| {
        let wanted = wanted.get();
        text.with(|text| places(text, &wanted))
    });
    let found = Signal::derive(move || matches.with(|matches| Found::among(matches, at.get())));
    let step = move |forward: bool, stays: bool| {
        let from = at.get_untracked();
        let to = matches.with_untracked(|matches| next_match(matches, from, forward, stays));
        let Some(to) = to else { return };
        at.set(to);
        request_animation_frame(|| {
            if let Some(element) = document().get_element_by_id(CURRENT) {
                into_sight(&element);
            }
        });
    };
    let range = Memo::new(move |_| {
        let length = wanted.with(String::len);
        text.with(|text| page(text, at.get() as usize, length, SHOWN))
    });
    let words = move || {
        text.with(|text| {
            let size = counted(text.len() as u64, "byte");
            let range = range.get();
            match (range.start, range.end) {
                (0, end) if end == text.len() => size,
                (0, end) => "The first ".to_owned() + &counted(end as u64, "byte") + " of " + &size,
                (start, end) => {
                    let (start, end) = (grouped(start as u64 + 1), grouped(end as u64));
                    ["Bytes ", &start, " to ", &end, " of ", &size].concat()
                }
            }
        })
    };
    // Line breaks stay; whatever else hides is shown.
    let drawn = move || {
        let (range, wanted, current) = (range.get(), wanted.get(), at.get() as usize);
        text.with(|text| {
            let mut place = range.start;
            let pieces = pieces(text.get(range).unwrap_or_default(), &wanted).into_iter();
            let piece = |(piece, is_match): (&str, bool)| {
                let id = (is_match && place == current).then_some(CURRENT);
                place += piece.len();
                let piece = shown(piece);
                match is_match {
                    true => view! { <mark id=id>{piece}</mark> }.into_any(),
                    false => piece.into_any(),
                }
            };
            pieces.map(piece).collect_view()
        })
    };
    view! {
        <div class="tree-tools">
            <Finder
                label="Search in the raw reply"
                placeholder="Search in the raw reply"
                wanted
                found
                step
                leave=|| focus_id(ID)
            />
            <div class="raw-tools">
                <span class="muted small-text">{words}</span>
                <button type="button" class="quiet small" on:click=download>"Download"</button>
            </div>
        </div>
        <div class="raw" id=ID role="region" aria-label="Reply as text" tabindex="0">
            <pre>{drawn}</pre>
        </div>
    }
}
