//! The table: only what is in sight is drawn.

use std::sync::Arc;

use by_address::ByAddress;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use qmp_shared::model::EndpointKind;
use qmp_shared::rest::SessionState;
use wasm_bindgen::JsCast;

use super::row::{RowState, day_of, table_row};
use super::{Older, Page};
use crate::state::events::{Feed, Row};
use crate::store::browser;
use crate::view::each::draw_each;
use crate::view::parts::{ProblemBox, focus, into_sight};
use crate::view::sight::pixels;

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

    /// The place of the first row that is seen in full.
    fn first_in_sight(self) -> usize {
        (self.sight.top() / self.row_height()).ceil() as usize
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

    /// Gives the focus to the table, where the keys go on from the row that had it
    /// last.
    pub(super) fn focus_table(self) {
        if let Some(table) = self.table.get_untracked() {
            browser::focus_in_place(&table);
        }
    }

    /// The frame may be lower, as when something is said above it.
    fn keep_focus_in_sight(self) {
        let Some(scroller) = self.scroller.get_untracked() else {
            return;
        };
        if let Ok(Some(row)) = scroller.query_selector("[data-row]:focus") {
            into_sight(&row);
        }
    }

    /// Measures the frame; near its end, asks for older events.
    fn measure(self) {
        let Some(scroller) = self.scroller.get_untracked() else {
            return;
        };
        let before = untrack(|| self.sight.top());
        if !self.sight.measure() {
            return;
        }
        let (top, frame) = untrack(|| (self.sight.top(), self.sight.height()));
        let is_at_end = top + frame + ROW_NARROW >= f64::from(scroller.scroll_height());
        // Rows that came below are no reason to stay behind; the user's scrolling is.
        if is_at_end || top < before {
            self.is_at_end.set_value(is_at_end);
        }
        let to_end = match self.is_following.get_untracked() {
            true => top,
            false => f64::from(scroller.scroll_height()) - top - frame,
        };
        // Only who scrolls wants more, and a page that was just opened does not.
        let has_scrolled = before != top && top > 0.0;
        if has_scrolled && to_end < NEAR && self.older.get_untracked() == Older::Unknown {
            self.load_older();
        }
    }
}

#[component]
pub(super) fn Table(page: Page) -> impl IntoView {
    Effect::new(move || {
        if let (Some(scroller), Some(content)) = (page.scroller.get(), page.content.get()) {
            browser::on_resize([&scroller, &content], move || {
                page.keep_end();
                page.measure();
            });
            browser::on_resize([&scroller], move || page.keep_focus_in_sight());
        }
    });

    let count = Memo::new(move |_| page.with_feed(|feed| feed.len()));
    let window = Memo::new(move |_| page.sight.window(page.row_height(), count.get()));
    // Of thousands of rows one is on the way of Tab: the last that had the focus,
    // or the first in sight.
    let stop = Memo::new(move |_| {
        page.revision.track();
        let window = window.get();
        let is_drawn = |number: &u64| {
            let place = page.place(*number);
            place.is_some_and(|place| (window.first..window.end).contains(&place))
        };
        page.focused
            .get()
            .filter(is_drawn)
            .or_else(|| page.row_at(page.first_in_sight()).map(|row| row.number))
    });
    let today = Memo::new(move |_| {
        page.store.clock.track();
        day_of(browser::wall_clock())
    });
    let is_dated = Memo::new(move |_| {
        let earliest = page.with_feed(Feed::earliest);
        earliest.is_some_and(|at| day_of(at) != today.get())
    });
    let body = NodeRef::new();
    let rows = move || {
        page.revision.track();
        let (window, today) = (window.get(), today.get());
        let selected = page.selected.get().map(|row| row.number);
        let rows = (window.first..window.end).filter_map(|place| {
            let row = page.row_at(place)?;
            let state = RowState {
                place,
                is_stop: stop.get() == Some(row.number),
                is_selected: selected == Some(row.number),
                today,
            };
            Some((row, state))
        });
        rows.collect::<Vec<_>>()
    };
    let draw = move |row, state| table_row(page, row, state);
    // Numbers are those of one log, and a file has another.
    let key = |row: &Arc<Row>| ByAddress(Arc::clone(row));
    draw_each(body, rows, key, draw, move || page.focus_table());
    let is_empty = Memo::new(move |_| !page.with_feed(Feed::has_events));
    let (is_following, file) = (page.is_following, page.file);
    view! {
        <div
            class="table"
            class:dated=is_dated
            node_ref=page.scroller
            on:scroll=move |_| page.measure()
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
            <div
                role="table"
                aria-label="Events"
                aria-rowcount=move || count.get() + 1
                tabindex="-1"
                node_ref=page.table
                on:keydown=move |event| on_key(page, &event)
            >
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
                    node_ref=body
                ></div>
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

/// Arrow keys walk from row to row, Enter opens, Escape closes.
fn on_key(page: Page, event: &KeyboardEvent) {
    // The table itself has the focus when the row that had it is drawn no more.
    let number = number_of(event.target()).or_else(|| page.focused.get_untracked());
    let place = number.and_then(|number| page.place(number));
    let at = place.unwrap_or_else(|| page.first_in_sight());
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
    // Brings the row into sight first, since rows out of sight do not exist; its
    // place is below the table's head.
    let height = page.row_height();
    page.sight.reveal(next as f64 * height, 2.0 * height);
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
