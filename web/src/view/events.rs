//! `/events`: the live table of events, and one event in detail.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use qmp_shared::filter::EventFilter;
use wasm_bindgen::JsCast;

use super::json_tree::JsonTree;
use super::parts::{CopyButton, ProblemBox, SessionSelect};
use crate::state::events::{EventRow, Feed, Query, Row, What, gap_words};
use crate::state::text::{counted, grouped, percent_encoded, visible};
use crate::state::window::Window;
use crate::store::{browser, use_store};

/// Height of a row in pixels; the style sheet has the same numbers.
const ROW: f64 = 28.0;
const ROW_NARROW: f64 = 48.0;

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Page {
    feed: StoredValue<Feed>,
    /// Rises when the feed changed.
    revision: RwSignal<u64>,
    /// The row shown in detail.
    selected: RwSignal<Option<Arc<Row>>>,
    /// Where the table is scrolled to, and how high its frame is.
    scroll: RwSignal<(f64, f64)>,
    scroller: NodeRef<html::Div>,
}

/// `/events?session=&names=`
#[component]
pub(super) fn EventsPage() -> impl IntoView {
    let store = use_store();
    let page = Page {
        feed: StoredValue::new(Feed::default()),
        revision: RwSignal::new(0),
        selected: RwSignal::new(None),
        scroll: RwSignal::new((0.0, 800.0)),
        scroller: NodeRef::new(),
    };
    let query = use_query_map();
    let session = Memo::new(move |_| query.with(|query| query.get("session")).unwrap_or_default());
    let names = Memo::new(move |_| query.with(|query| query.get("names")).unwrap_or_default());
    // An invalid filter leaves the one before in force; the page says so.
    let filter = Memo::new(move |_| names.with(|names| names.parse::<EventFilter>()));
    Effect::new(move || {
        let Ok(filter) = filter.get() else { return };
        let session = Some(session.get()).filter(|session| !session.is_empty());
        let query = Query { session, filter };
        store.peek(|app| {
            page.feed
                .update_value(|feed| feed.set_query(query, &app.log))
        });
        page.changed();
    });
    Effect::new(move || {
        let added = store.with_events(|app| {
            page.feed
                .try_update_value(|feed| feed.refresh(&app.log))
                .unwrap_or(0)
        });
        page.keep_place(added as f64 * row_height(store.is_narrow.get_untracked()));
        page.changed();
    });
    let problem = move || filter.with(|filter| filter.as_ref().err().map(ToString::to_string));
    let refused = move || store.with_events(|app| app.refused.clone());
    view! {
        <div class="events" class:has-detail=move || page.selected.with(Option::is_some)>
            <div class="events-list">
                <div class="page-head">
                    <h1>"Events"</h1>
                    <Counts page/>
                </div>
                <Toolbar page session names problem=Signal::derive(problem)/>
                {move || refused().map(|problem| view! { <ProblemBox problem/> })}
                <Table page/>
            </div>
            {move || page.selected.get().map(|row| view! { <Detail page row/> })}
        </div>
    }
}

impl Page {
    fn changed(self) {
        self.revision.update(|revision| *revision += 1);
    }

    fn with_feed<T>(self, read: impl FnOnce(&Feed) -> T) -> T {
        self.revision.track();
        self.feed.with_value(read)
    }

    /// New rows come in at the top; whoever scrolled away keeps reading.
    fn keep_place(self, added: f64) {
        if let Some(scroller) = self.scroller.get_untracked()
            && added > 0.0
            && scroller.scroll_top() > 0
        {
            let top = f64::from(scroller.scroll_top()) + added;
            request_animation_frame(move || scroller.set_scroll_top(top as i32));
        }
    }
}

fn row_height(is_narrow: bool) -> f64 {
    if is_narrow { ROW_NARROW } else { ROW }
}

#[component]
fn Counts(page: Page) -> impl IntoView {
    let store = use_store();
    let shown = Memo::new(move |_| page.with_feed(Feed::len));
    let dropped = Memo::new(move |_| store.with_events(|app| app.log.dropped()));
    view! {
        <span class="muted small-text">
            {move || counted(shown.get() as u64, "row")}
            {move || (dropped.get() > 0).then(|| {
                ", ".to_owned() + &grouped(dropped.get()) + " older dropped"
            })}
        </span>
    }
}

#[component]
fn Toolbar(
    page: Page,
    session: Memo<String>,
    names: Memo<String>,
    problem: Signal<Option<String>>,
) -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let go = StoredValue::new(move |session: &str, names: &str| {
        navigate(
            &address(session, names),
            NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            },
        );
    });
    let is_paused = Memo::new(move |_| page.with_feed(Feed::is_paused));
    let waiting = Memo::new(move |_| page.with_feed(Feed::waiting));
    let pause = move |_| {
        store.peek(|app| {
            page.feed.update_value(|feed| {
                if feed.is_paused() {
                    feed.resume(&app.log)
                } else {
                    feed.pause()
                }
            })
        });
        page.changed();
    };
    let clear = move |_| {
        store.clear_events();
        store.peek(|app| page.feed.update_value(|feed| feed.clear(&app.log)));
        page.selected.set(None);
        page.changed();
    };
    view! {
        <div class="toolbar" role="group" aria-label="Which events">
            <SessionSelect
                id="events-session"
                session=session
                all="All sessions"
                choose=move |session: String| {
                    go.with_value(|go| go(&session, &names.get_untracked()));
                }
            />
            <div class="field grow">
                <label for="events-names">"Filter by name"</label>
                <input
                    id="events-names"
                    type="search"
                    class="mono"
                    placeholder="STOP, BLOCK_*"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=names
                    aria-invalid=move || problem.get().map(|_| "true")
                    aria-describedby="events-names-problem"
                    on:input=move |event| {
                        let names = event_target_value(&event);
                        go.with_value(|go| go(&session.get_untracked(), &names));
                    }
                />
            </div>
            <div class="buttons">
                <button type="button" class="pause" aria-pressed=move || is_paused.get().to_string() on:click=pause>
                    {move || if is_paused.get() { "Resume" } else { "Pause" }}
                    {move || (is_paused.get() && waiting.get() > 0).then(|| view! {
                        <span class="count">{grouped(waiting.get() as u64)}" new"</span>
                    })}
                </button>
                <button type="button" on:click=clear>"Clear"</button>
            </div>
            <p id="events-names-problem" class="fault toolbar-fault" role="status">{problem}</p>
        </div>
    }
}

fn address(session: &str, names: &str) -> String {
    let mut address = String::from("/events");
    for (key, value) in [("session", session), ("names", names)] {
        if !value.is_empty() {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(key);
            address.push('=');
            address.push_str(&percent_encoded(value));
        }
    }
    address
}

#[component]
fn Table(page: Page) -> impl IntoView {
    let store = use_store();
    let measure = move || {
        if let Some(scroller) = page.scroller.get_untracked() {
            let size = (
                f64::from(scroller.scroll_top()),
                f64::from(scroller.client_height()),
            );
            if page.scroll.get_untracked() != size {
                page.scroll.set(size);
            }
        }
    };
    Effect::new(move || {
        page.scroller.track();
        page.selected.track();
        store.is_narrow.track();
        request_animation_frame(measure);
    });
    let on_resize = window_event_listener(leptos::ev::resize, move |_| measure());
    on_cleanup(move || on_resize.remove());

    let height = move || row_height(store.is_narrow.get());
    let count = Memo::new(move |_| page.with_feed(Feed::len));
    let window = Memo::new(move |_| {
        let (top, frame) = page.scroll.get();
        Window::at(top, frame, height(), count.get())
    });
    let rows = move || {
        let window = window.get();
        page.with_feed(|feed| {
            (window.first..window.end)
                .filter_map(|at| feed.newest(at).cloned())
                .collect::<Vec<_>>()
        })
    };
    let pixels = |pixels: f64| pixels.to_string() + "px";
    let is_empty = Memo::new(move |_| count.get() == 0);
    view! {
        <div
            class="table"
            role="table"
            aria-label="Events"
            aria-rowcount=move || count.get() + 1
            node_ref=page.scroller
            on:scroll=move |_| measure()
            on:keydown=move |event| on_key(page, height(), &event)
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
                style:height=move || pixels(count.get() as f64 * height())
            >
                <div
                    role="presentation"
                    class="table-window"
                    style:transform=move || {
                        "translateY(".to_owned() + &pixels(window.get().first as f64 * height()) + ")"
                    }
                >
                    <For each=rows key=|row| row.number children=move |row| table_row(page, row)/>
                </div>
            </div>
            <Show when=move || is_empty.get()>
                <p class="table-empty">
                    {move || page.with_feed(|feed| match (feed.is_paused(), feed.shows_all()) {
                        (true, _) => "Paused.",
                        (false, true) => "No events yet. They appear here as they happen.",
                        (false, false) => "No events yet that pass this filter.",
                    })}
                </p>
            </Show>
        </div>
    }
}

fn table_row(page: Page, row: Arc<Row>) -> impl IntoView {
    let number = row.number;
    let index = Memo::new(move |_| {
        page.with_feed(|feed| feed.position(number))
            .map_or(0, |at| at + 2)
    });
    let is_selected = Memo::new(move |_| {
        page.selected
            .with(|selected| selected.as_ref().is_some_and(|row| row.number == number))
    });
    let session = visible(&row.session).into_owned();
    match &row.what {
        What::Event(event) => {
            let (clock, title) = times(page, number, event);
            let (seq, name, summary) = (event.seq.0, event.name.clone(), event.summary.clone());
            view! {
                <div
                    role="row"
                    class="row event"
                    tabindex="0"
                    data-row=number
                    aria-rowindex=index
                    aria-current=move || is_selected.get().then_some("true")
                    on:click=move |_| page.selected.set(Some(Arc::clone(&row)))
                >
                    <span role="cell" class="mono time" title=title>{clock}</span>
                    <span role="cell" class="session">{session}</span>
                    <span role="cell" class="mono number seq">{seq}</span>
                    <span role="cell" class="mono name">{name}</span>
                    <span role="cell" class="mono data">{summary}</span>
                </div>
            }
            .into_any()
        }
        What::Gap { from, to } => {
            let words = gap_words(*from, *to);
            view! {
                <div role="row" class="row gap" aria-rowindex=index data-row=number>
                    <span role="cell" class="time"></span>
                    <span role="cell" class="session">{session}</span>
                    <span role="cell" class="gap-words" title=words.clone()>{words.clone()}</span>
                </div>
            }
            .into_any()
        }
        What::Renumbered => view! {
            <div role="row" class="row gap" aria-rowindex=index data-row=number>
                <span role="cell" class="time"></span>
                <span role="cell" class="gap-words">
                    "The console started anew: numbers begin again, events may be missing"
                </span>
            </div>
        }
        .into_any(),
    }
}

/// The local time, and a title with the exact time and the distance to the
/// event before.
fn times(page: Page, number: u64, event: &EventRow) -> (String, String) {
    let Some(received) = event.received else {
        return (String::new(), String::new());
    };
    let before = page.feed.with_value(|feed| {
        let position = feed.position(number)?;
        match &feed.newest(position + 1)?.what {
            What::Event(before) => before.received,
            What::Gap { .. } | What::Renumbered => None,
        }
    });
    let mut title = received.utc();
    if let Some(before) = before {
        title.push_str(", ");
        title.push_str(&received.since(before));
    }
    (received.clock(browser::offset(received)), title)
}

/// Arrow keys walk from row to row, Enter opens, Escape closes.
fn on_key(page: Page, height: f64, event: &KeyboardEvent) {
    let row = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    let number = row.and_then(|row| row.get_attribute("data-row")?.parse::<u64>().ok());
    let Some(number) = number else { return };
    let Some(at) = page.feed.with_value(|feed| feed.position(number)) else {
        return;
    };
    let next = match event.key().as_str() {
        "ArrowDown" => at + 1,
        "ArrowUp" => at.saturating_sub(1),
        "Enter" | " " => at,
        "Escape" => {
            page.selected.set(None);
            return;
        }
        _ => return,
    };
    event.prevent_default();
    let Some(row) = page.feed.with_value(|feed| feed.newest(next).cloned()) else {
        return;
    };
    let number = row.number;
    let is_open = page.selected.with_untracked(Option::is_some);
    if (is_open || next == at) && matches!(row.what, What::Event(_)) {
        page.selected.set(Some(row));
    }
    let Some(scroller) = page.scroller.get_untracked() else {
        return;
    };
    // Brings the row into sight first, since rows out of sight do not exist.
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
    request_animation_frame(move || {
        let selector = "[data-row=\"".to_owned() + &number.to_string() + "\"]";
        let found = scroller.query_selector(&selector).ok().flatten();
        if let Some(row) = found.and_then(|row| row.dyn_into::<web_sys::HtmlElement>().ok()) {
            // Nothing depends on whether the browser grants the focus.
            let _ = row.focus();
        }
    });
}

#[component]
fn Detail(page: Page, row: Arc<Row>) -> impl IntoView {
    let What::Event(event) = &row.what else {
        return ().into_any();
    };
    let text = Arc::clone(&event.text);
    let copied = Signal::stored(text.to_string());
    let received = event.received.map(|at| at.utc()).unwrap_or_default();
    let session = visible(&row.session).into_owned();
    let same_name = browser::at(&address("", &event.name));
    view! {
        <section class="detail" aria-label="Event detail">
            <div class="detail-head">
                <h2 class="mono">{event.name.clone()}</h2>
                <CopyButton label="Copy event" text=copied/>
                <button
                    type="button"
                    class="quiet icon"
                    aria-label="Close"
                    title="Close"
                    on:click=move |_| page.selected.set(None)
                >
                    "✕"
                </button>
            </div>
            <dl class="facts">
                <dt>"Session"</dt><dd>{session}</dd>
                <dt>"Seq"</dt><dd class="mono">{event.seq.0}</dd>
                <dt>"Received"</dt><dd class="mono">{received}</dd>
            </dl>
            <p><a href=same_name>"Only events of this name"</a></p>
            <JsonTree text label="Event"/>
        </section>
    }
    .into_any()
}
