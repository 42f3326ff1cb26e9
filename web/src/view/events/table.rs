//! The table: only what is in sight is drawn.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use qmp_shared::model::EndpointKind;
use qmp_shared::rest::SessionState;
use wasm_bindgen::JsCast;

use super::{Older, Page};
use crate::state::events::{
    CommandRow, EventRow, Feed, Row, What, gap_words, link_words, not_loaded_words, shown_name,
};
use crate::state::history::Ended;
use crate::state::text::visible;
use crate::state::time::Instant;
use crate::state::window::Window;
use crate::store::browser;
use crate::view::parts::{ProblemBox, focus};

/// Height of a row in pixels; the style sheet has the same numbers.
const ROW: f64 = 28.0;
const ROW_NARROW: f64 = 48.0;

/// How near to the end of the table older events are asked for, in pixels.
const NEAR: f64 = 600.0;

impl Page {
    pub(super) fn row_height(self) -> f64 {
        if self.store.is_narrow.get() {
            ROW_NARROW
        } else {
            ROW
        }
    }

    /// The position in the feed of what is drawn in this place, or the place of
    /// what is at this position.
    fn turned(self, at: usize, count: usize) -> Option<usize> {
        match self.is_following.get() {
            true => (at < count).then_some(at),
            false => count.checked_sub(at + 1),
        }
    }

    /// Which place of the table has the row of this number.
    fn place(self, number: u64) -> Option<usize> {
        let at = self.feed.with_value(|feed| feed.position(number))?;
        self.turned(at, self.feed.with_value(|feed| feed.len()))
    }

    fn row_at(self, place: usize) -> Option<Arc<Row>> {
        let at = self.turned(place, self.feed.with_value(|feed| feed.len()))?;
        self.feed.with_value(|feed| feed.row(at).cloned())
    }

    /// Gives the focus to the row of this number; answers whether that is drawn.
    pub(super) fn focus_row(self, number: u64) -> bool {
        let selector = "[data-row=\"".to_owned() + &number.to_string() + "\"]";
        let scroller = self.scroller.get_untracked();
        let row = scroller.and_then(|scroller| scroller.query_selector(&selector).ok().flatten());
        focus(row.as_ref());
        row.is_some()
    }

    /// Measures the frame; near its end, asks for older events.
    fn measure(self) {
        let Some(scroller) = self.scroller.get_untracked() else {
            return;
        };
        let (top, frame) = (
            f64::from(scroller.scroll_top()),
            f64::from(scroller.client_height()),
        );
        let before = self.scroll.get_untracked();
        if before == (top, frame) {
            return;
        }
        self.scroll.set((top, frame));
        let is_at_end = top + frame + ROW_NARROW >= f64::from(scroller.scroll_height());
        // Rows that came below are no reason to stay behind; the user's scrolling is.
        if is_at_end || top < before.0 {
            self.is_at_end.set_value(is_at_end);
        }
        let to_end = match self.is_following.get_untracked() {
            true => top,
            false => f64::from(scroller.scroll_height()) - top - frame,
        };
        // Only who scrolls wants more, and a page that was just opened does not.
        let has_scrolled = before.0 != top && top > 0.0;
        if has_scrolled && to_end < NEAR && self.older.get_untracked() == Older::Unknown {
            self.load_older();
        }
    }
}

#[component]
pub(super) fn Table(page: Page) -> impl IntoView {
    Effect::new(move || {
        page.scroller.track();
        page.selected.track();
        page.store.is_narrow.track();
        page.text.track();
        request_animation_frame(move || page.measure());
    });
    Effect::new(move || {
        if let (Some(scroller), Some(content)) = (page.scroller.get(), page.content.get()) {
            browser::on_resize([&scroller, &content], move || {
                page.keep_end();
                page.measure();
            });
        }
    });

    let count = Memo::new(move |_| page.with_feed(|feed| feed.len()));
    let window = Memo::new(move |_| {
        let (top, frame) = page.scroll.get();
        Window::at(top, frame, page.row_height(), count.get())
    });
    let rows = move || {
        page.revision.track();
        let window = window.get();
        (window.first..window.end)
            .filter_map(|place| page.row_at(place))
            .collect::<Vec<_>>()
    };
    // Of thousands of rows one is on the way of Tab: the last that had the focus,
    // or the first in sight.
    let stop = Memo::new(move |_| {
        page.revision.track();
        let window = window.get();
        let is_drawn = |number: &u64| {
            let place = page.place(*number);
            place.is_some_and(|place| (window.first..window.end).contains(&place))
        };
        page.focused.get().filter(is_drawn).or_else(|| {
            let in_sight = (page.scroll.get().0 / page.row_height()).ceil() as usize;
            page.row_at(in_sight).map(|row| row.number)
        })
    });
    let today = Memo::new(move |_| {
        page.store.clock.track();
        day_of(browser::wall_clock())
    });
    let is_dated = Memo::new(move |_| {
        let earliest = page.with_feed(Feed::earliest);
        earliest.is_some_and(|at| day_of(at) != today.get())
    });
    let pixels = |pixels: f64| pixels.to_string() + "px";
    let is_empty = Memo::new(move |_| !page.with_feed(Feed::has_events));
    let (is_following, file) = (page.is_following, page.file);
    view! {
        <div
            class="table"
            class:dated=is_dated
            node_ref=page.scroller
            on:scroll=move |_| page.measure()
            on:keydown=move |event| on_key(page, &event)
            on:focusin=move |event| {
                if let Some(number) = number_of(event.target()) {
                    page.focused.set(Some(number));
                }
            }
        >
            <div node_ref=page.content>
            <Show when=move || is_following.get() && file.with(Option::is_none)>
                <OlderEnd page/>
            </Show>
            <div role="table" aria-label="Events" aria-rowcount=move || count.get() + 1>
            <div role="rowgroup" class="table-head">
                <div role="row" class="row" aria-rowindex="1">
                    <span role="columnheader">"Time"</span>
                    <span role="columnheader">"Session"</span>
                    <span role="columnheader" class="number">"Seq"</span>
                    <span role="columnheader">"Event"</span>
                    <span role="columnheader">"Data"</span>
                </div>
            </div>
            <div
                role="rowgroup"
                class="table-body"
                style:height=move || pixels(count.get() as f64 * page.row_height())
            >
                <div
                    role="presentation"
                    class="table-window"
                    style:transform=move || {
                        let top = window.get().first as f64 * page.row_height();
                        "translateY(".to_owned() + &pixels(top) + ")"
                    }
                >
                    // Numbers are those of one log, and a file has another.
                    <For
                        each=rows
                        key=|row| Arc::as_ptr(row).addr()
                        children=move |row| table_row(page, stop, today, row)
                    />
                </div>
            </div>
            </div>
            <Show when=move || is_empty.get()>
                <p class="table-empty">{move || empty_words(page)}</p>
            </Show>
            <Show when=move || !is_following.get() && file.with(Option::is_none)>
                <OlderEnd page/>
            </Show>
            </div>
        </div>
    }
}

fn empty_words(page: Page) -> &'static str {
    let of_file = page
        .file
        .with(|file| file.as_ref().map(|file| file.content.log.has_events()));
    match of_file {
        Some(true) => return "No event of the file passes this filter.",
        Some(false) => return "The file has no events.",
        None => {}
    }
    let session = page.text.with(|text| text.session.clone());
    let mut is_running = true;
    if !session.is_empty() {
        let found = page.store.with_sessions(|app| {
            let info = app.sessions.get(&session)?;
            Some((info.kind, info.state == SessionState::Running))
        });
        match found {
            None => return "The console has no session of this name.",
            Some((EndpointKind::Qga, _)) => return "A guest agent sends no events.",
            Some((EndpointKind::Qmp, it)) => is_running = it,
        }
    }
    let (is_paused, is_past, is_everything) = page.with_feed(|feed| {
        let query = feed.query();
        let is_past = query.until.is_some();
        (feed.is_paused(), is_past, query.is_everything())
    });
    let was_cleared = page.store.with_events(|app| app.log.was_cleared());
    match (was_cleared, is_paused) {
        _ if is_past => "The log has no such event until then.",
        (true, true) => "Cleared, and paused.",
        (false, true) => "Paused.",
        _ if !is_running => "This session is not running: it sends no events until it is.",
        (true, false) if is_everything => "Cleared. Events appear here as they happen.",
        (true, false) => "Cleared. No events since then that pass this filter.",
        (false, false) if is_everything => "No events yet. They appear here as they happen.",
        (false, false) => "No events yet that pass this filter.",
    }
}

/// Where the tab's events end and the console's log goes on.
#[component]
fn OlderEnd(page: Page) -> impl IntoView {
    let has_let_go = Memo::new(move |_| page.with_feed(|feed| feed.has_let_go()));
    let button = move |words: &'static str| {
        view! {
            <button type="button" class="small" on:click=move |_| page.load_older()>{words}</button>
        }
    };
    let content = move || {
        match page.older.get() {
        _ if has_let_go.get() => view! {
            <span>"There are more than this page can show. Choose a time to look further back."</span>
        }
        .into_any(),
        Older::Unknown => button("Show older events").into_any(),
        Older::Loading => view! { <span>"Asking for older events…"</span> }.into_any(),
        Older::Exhausted => view! { <span>"The log begins here."</span> }.into_any(),
        Older::Failed(problem) => {
            view! { <ProblemBox problem/> {button("Try again")} }.into_any()
        }
    }
    };
    view! { <div class="older" role="status">{content}</div> }
}

/// A row; `stop` is the number of the one that Tab goes to.
fn table_row(
    page: Page,
    stop: Memo<Option<u64>>,
    today: Memo<i64>,
    row: Arc<Row>,
) -> impl IntoView {
    let number = row.number;
    let tabindex = move || {
        if stop.get() == Some(number) {
            "0"
        } else {
            "-1"
        }
    };
    let index = Memo::new(move |_| {
        page.revision.track();
        page.place(number).map_or(0, |place| place + 2)
    });
    let is_selected = Memo::new(move |_| {
        page.selected
            .with(|selected| selected.as_ref().is_some_and(|row| row.number == number))
    });
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
                    aria-current=move || is_selected.get().then_some("true")
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
                    aria-current=move || is_selected.get().then_some("true")
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
fn day_of(at: Instant) -> i64 {
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

/// Arrow keys walk from row to row, Enter opens, Escape closes.
fn on_key(page: Page, event: &KeyboardEvent) {
    let Some(number) = number_of(event.target()) else {
        return;
    };
    let Some(at) = page.place(number) else { return };
    let last = page.feed.with_value(|feed| feed.len()).saturating_sub(1);
    let next = match event.key().as_str() {
        "ArrowDown" => at + 1,
        "ArrowUp" => at.saturating_sub(1),
        "PageDown" => (at + 20).min(last),
        "PageUp" => at.saturating_sub(20),
        "Home" => 0,
        "End" => last,
        "Enter" | " " => at,
        "Escape" => {
            page.selected.set(None);
            return;
        }
        _ => return,
    };
    event.prevent_default();
    let Some(row) = page.row_at(next) else { return };
    let number = row.number;
    let is_open = page.selected.with_untracked(Option::is_some);
    if (is_open || next == at) && row.what.has_detail() {
        page.selected.set(Some(row));
    }
    let Some(scroller) = page.scroller.get_untracked() else {
        return;
    };
    // Brings the row into sight first, since rows out of sight do not exist.
    let height = page.row_height();
    let (top, frame) = (
        f64::from(scroller.scroll_top()),
        f64::from(scroller.client_height()),
    );
    let wanted = next as f64 * height;
    if wanted < top {
        scroller.set_scroll_top(wanted as i32);
    } else if wanted + 2.0 * height > top + frame {
        scroller.set_scroll_top((wanted + 2.0 * height - frame) as i32);
    }
    if !page.focus_row(number) {
        request_animation_frame(move || {
            page.focus_row(number);
        });
    }
}

/// The number of the row that an event is about.
fn number_of(target: Option<web_sys::EventTarget>) -> Option<u64> {
    let row = target?.dyn_into::<web_sys::HtmlElement>().ok()?;
    row.get_attribute("data-row")?.parse().ok()
}
