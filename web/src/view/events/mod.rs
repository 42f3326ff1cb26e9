//! `/events`: the table of events, live and from the console's log, and one
//! event in detail.

mod command_detail;
mod detail;
mod documentation;
mod facets;
mod feeding;
mod files;
mod kept;
mod notices;
mod row;
mod table;
mod toolbar;

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use qmp_shared::rest::Problem;

use super::parts::ProblemBox;
use super::place::use_path;
use super::sight::Sight;
use crate::state::events::{Feed, File, FilterText, History, Log, Row, What};
use crate::state::pages;
use crate::state::text::{counted, grouped};
use crate::store::{Store, use_store};
use command_detail::CommandDetail;
use detail::Detail;
use facets::FacetBar;
use feeding::feed_the_page;
use files::FileNotice;
use notices::Notices;
use table::Table;
use toolbar::Toolbar;

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Page {
    store: Store,
    /// What the address says.
    text: Memo<FilterText>,
    /// What of that is right, and applies.
    applied: Memo<FilterText>,
    /// Whether the address has a `since`, which the page does not know.
    has_since: Memo<bool>,
    feed: StoredValue<Feed>,
    /// What is older than the tab's own events; made when it is asked for.
    history: StoredValue<Option<History>>,
    /// How far the history is.
    older: RwSignal<Older>,
    /// The store's file that is looked at instead of the console's events.
    file: RwSignal<Option<Arc<File>>>,
    /// Rises when the feed changed.
    revision: RwSignal<u64>,
    /// Rises with every other query: what was asked for before counts no more.
    generation: StoredValue<u64>,
    /// Whether the newest row is at the bottom, and kept in sight there.
    is_following: RwSignal<bool>,
    /// Whether the table is scrolled to its end, or was before rows came.
    is_at_end: StoredValue<bool>,
    /// The row shown in detail.
    selected: RwSignal<Option<Arc<Row>>>,
    /// The row that had the focus last, by its number.
    focused: RwSignal<Option<u64>>,
    /// What of the table is seen.
    sight: Sight,
    scroller: NodeRef<html::Div>,
    /// What is scrolled.
    content: NodeRef<html::Div>,
    table: NodeRef<html::Div>,
    go: StoredValue<Go>,
}

/// Changes the address.
type Go = Box<dyn Fn(&FilterText) + Send + Sync>;

/// How far what is older than the tab's own events is known.
#[derive(Clone, Debug, Default, PartialEq)]
enum Older {
    /// There may be more.
    #[default]
    Unknown,
    /// Asked for.
    Loading,
    /// There is no more.
    Exhausted,
    /// The console refused.
    Failed(Problem),
}

/// `/events?session=&except=&names=&where=&until=&commands=true`
#[component]
pub(super) fn EventsPage() -> impl IntoView {
    let query = use_query_map();
    let text = Memo::new(move |_| {
        query.with(|query| {
            let part = |name| query.get(name).unwrap_or_default();
            FilterText {
                session: part("session"),
                except: part("except"),
                names: part("names"),
                expression: part("where"),
                until: part("until"),
                commands: part("commands") == "true",
            }
        })
    });
    let has_since = Memo::new(move |_| query.with(|query| query.get("since").is_some()));
    let navigate = use_navigate();
    let go: Go = Box::new(move |text| {
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&text.address(), options);
    });
    let store = use_store();
    let scroller = NodeRef::new();
    let page = Page {
        store,
        text,
        applied: Memo::new(move |before: Option<&FilterText>| {
            let none = FilterText::default();
            text.with(|text| text.applied(before.unwrap_or(&none)))
        }),
        has_since,
        feed: StoredValue::new(Feed::default()),
        history: StoredValue::new(None),
        older: RwSignal::new(Older::default()),
        file: store.opened_file,
        revision: RwSignal::new(0),
        generation: StoredValue::new(0),
        is_following: RwSignal::new(Store::was_following()),
        is_at_end: StoredValue::new(true),
        selected: RwSignal::new(None),
        focused: RwSignal::new(None),
        sight: Sight::of(scroller, 800.0),
        scroller,
        content: NodeRef::new(),
        table: NodeRef::new(),
        go: StoredValue::new(go),
    };
    feed_the_page(page);
    let path = use_path();
    Effect::new(move || {
        // On the way to another page the filter is not its own any more.
        if pages::Page::at(&path.get()) == Some(pages::Page::Events) {
            page.store.keep_events_address(page.text.get().address());
        }
    });
    let refused = move || page.store.with_events(|app| app.refused.clone());
    view! {
        <div class="events" class:has-detail=move || page.selected.with(Option::is_some)>
            <div class="events-list">
                <div class="page-head">
                    <h1>"Events"</h1>
                    <Counts page/>
                </div>
                <Toolbar page/>
                <FileNotice page/>
                <Notices page/>
                <FacetBar page/>
                {move || refused().map(|problem| view! { <ProblemBox problem/> })}
                <Table page/>
            </div>
            <div
                class="detail-place"
                on:keydown=move |event| {
                    if event.key() == "Escape" {
                        page.close_detail();
                    }
                }
            >
                {move || page.selected.get().map(|row| match &row.what {
                    What::Command(command) => {
                        let (id, name) = (command.id, command.name.to_string());
                        view! { <CommandDetail page id name/> }.into_any()
                    }
                    _ => view! { <Detail page row/> }.into_any(),
                })}
            </div>
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

    /// Changes the feed by the log that is looked at: the tab's, or a file's.
    fn update_feed<T: Default>(self, change: impl FnOnce(&mut Feed, &Log) -> T) -> T {
        let changed = |log: &Log| {
            let change = self.feed.try_update_value(|feed| change(feed, log));
            change.unwrap_or_default()
        };
        match self.file.get_untracked() {
            Some(file) => changed(&file.content.log),
            None => self.store.peek(|app| changed(&app.log)),
        }
    }

    /// Closes the detail; the focus goes back to its row, or to the table where
    /// that is not in sight.
    fn close_detail(self) {
        if let Some(row) = self.selected.get_untracked() {
            self.selected.set(None);
            if !self.focus_row(row.number) {
                self.focused.set(Some(row.number));
                self.focus_table();
            }
        }
    }

    /// Shows what passes this filter, by its address.
    fn go(self, text: &FilterText) {
        self.go.with_value(|go| go(text));
    }
}

#[component]
fn Counts(page: Page) -> impl IntoView {
    let shown = Memo::new(move |_| page.with_feed(Feed::len));
    let unevaluable = Memo::new(move |_| page.with_feed(Feed::unevaluable));
    let dropped = Memo::new(move |_| {
        let of_file = page
            .file
            .with(|file| file.as_ref().map(|file| file.content.log.dropped()));
        of_file.unwrap_or_else(|| page.store.with_events(|app| app.log.dropped()))
    });
    let words = move || {
        let mut words = counted(shown.get() as u64, "row");
        if dropped.get() > 0 {
            words.push_str(", ");
            words.push_str(&grouped(dropped.get()));
            words.push_str(" older dropped");
        }
        if unevaluable.get() > 0 {
            words.push_str(", ");
            words.push_str(&grouped(unevaluable.get()));
            words.push_str(" that no expression can look into");
        }
        words
    };
    view! { <span class="muted small-text">{words}</span> }
}
