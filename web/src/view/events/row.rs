//! The rows of the table: events, commands of this tab, and marks between them.

use std::sync::Arc;

use leptos::prelude::*;

use super::Page;
use crate::state::events::{
    CommandRow, EventRow, Row, What, gap_words, link_words, not_loaded_words, shown_name,
};
use crate::state::history::Ended;
use crate::state::text::visible;
use crate::state::time::Instant;
use crate::store::browser;

/// What changes of a row while it is shown.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct RowState {
    /// Its place among all rows, 0 being the uppermost.
    pub(super) place: usize,
    /// Whether Tab goes to it.
    pub(super) is_stop: bool,
    /// Whether it is shown in detail.
    pub(super) is_selected: bool,
    /// The day that needs no date.
    pub(super) today: i64,
}

/// A row of the table.
pub(super) fn table_row(page: Page, row: Arc<Row>, state: ReadSignal<RowState>) -> AnyView {
    let number = row.number;
    let tabindex = move || if state.get().is_stop { "0" } else { "-1" };
    // The first is that of the head.
    let index = move || state.get().place + 2;
    let current = move || state.get().is_selected.then_some("true");
    let today = Memo::new(move |_| state.get().today);
    let session = visible(&row.session).into_owned();
    let at = row.what.time();
    let mark = |kind: &'static str, title: String, words: String| {
        let session = session.clone();
        view! {
            <div role="row" class=kind tabindex=tabindex aria-rowindex=index data-row=number>
                <span role="cell" class="mono time" title=title>{clock(at, today)}</span>
                <span role="cell" class="session">{session}</span>
                <span role="cell" class="gap-words" title=words.clone()>{words.clone()}</span>
            </div>
        }
        .into_any()
    };
    match &row.what {
        What::Event(event) => {
            let title = time_title(page, number, event);
            let (seq, summary) = (event.seq.0, event.summary());
            let name = shown_name(&event.name);
            view! {
                <div
                    role="row"
                    class="row event"
                    tabindex=tabindex
                    data-row=number
                    aria-rowindex=index
                    aria-current=current
                    on:click=move |_| page.selected.set(Some(Arc::clone(&row)))
                >
                    <span role="cell" class="mono time" title=title>{clock(at, today)}</span>
                    <span role="cell" class="session">{session}</span>
                    <span role="cell" class="mono number seq">{seq}</span>
                    <span role="cell" class="mono name">{name}</span>
                    <span role="cell" class="mono data">{summary}</span>
                </div>
            }
            .into_any()
        }
        What::Command(command) => {
            let title = command.at.map(|at| at.utc() + ", by this browser’s clock");
            let (name, summary) = (command.name.to_string(), command.summary.to_string());
            let arrow = if command.ended.is_none() {
                "→"
            } else {
                "←"
            };
            let tag = tag_class(command);
            let word = command.word();
            view! {
                <div
                    role="row"
                    class="row event command"
                    tabindex=tabindex
                    data-row=number
                    aria-rowindex=index
                    aria-current=current
                    on:click=move |_| page.selected.set(Some(Arc::clone(&row)))
                >
                    <span role="cell" class="mono time" title=title>{clock(at, today)}</span>
                    <span role="cell" class="session">{session}</span>
                    <span role="cell" class="number seq"><span aria-hidden="true">{arrow}</span></span>
                    <span role="cell" class="name">
                        <span class="visually-hidden">"Command "</span>
                        <span class="mono">{name}</span>" "
                        <span class=tag>{word}</span>
                    </span>
                    <span role="cell" class="mono data">{summary}</span>
                </div>
            }
            .into_any()
        }
        What::Gap { from, to } => mark("row gap", String::new(), gap_words(*from, *to)),
        What::NotLoaded { from, to } => {
            mark("row mark", String::new(), not_loaded_words(*from, *to))
        }
        What::Link(link) => {
            let kind = match link.running {
                true => "row mark regained",
                false if link.is_wished() => "row mark",
                false => "row mark lost",
            };
            let title = link.at.map(Instant::utc).unwrap_or_default();
            mark(kind, title, link_words(link))
        }
        What::Renumbered => mark(
            "row gap",
            String::new(),
            "The console started anew: numbers begin again, events may be missing".to_owned(),
        ),
    }
}

fn tag_class(command: &CommandRow) -> &'static str {
    match command.ended {
        None => "tag accent",
        Some(Ended::Returned) => "tag good",
        Some(Ended::Failed) => "tag bad",
        Some(Ended::Unknown) => "tag warn",
    }
}

/// The day of an instant here, counted from 1970.
pub(super) fn day_of(at: Instant) -> i64 {
    at.day(browser::offset(at))
}

/// The time here, and its date where that is not today.
fn clock(at: Option<Instant>, today: Memo<i64>) -> impl IntoView {
    at.map(|at| {
        let (day, local) = (day_of(at), at.local(browser::offset(at)));
        let date = move || {
            let date = (today.get() != day).then(|| local[..10].to_owned());
            date.map(|date| view! { <span class="day">{date}" "</span> })
        };
        view! { {date} {at.clock(browser::offset(at))} }
    })
}

/// The exact time, and the distance to the event before.
fn time_title(page: Page, number: u64, event: &EventRow) -> String {
    let Some(received) = event.received else {
        return String::new();
    };
    let before = page.feed.with_value(|feed| {
        let mut before = (0..feed.position(number)?).rev();
        // A command has its time from another clock.
        let is_told = |row: &&Arc<Row>| !matches!(row.what, What::Command(_));
        let before = before.find_map(|at| feed.row(at).filter(is_told))?;
        before.what.time()
    });
    let mut title = received.utc();
    if let Some(before) = before {
        title.push_str(", ");
        title.push_str(&received.since(before));
    }
    title
}
