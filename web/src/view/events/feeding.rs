//! Fills the page: from the tab's memory, in steps that leave the page alive,
//! and from the console's log.

use std::time::Duration;

use futures_util::future::join_all;
use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::rest::ProblemKind;

use super::{Older, Page};
use crate::state::App;
use crate::state::events::{Feed, FilterText, History, Query};
use crate::store::{api, browser};

/// Rows of the tab's memory that are looked at between two looks at the clock.
const STEP: usize = 256;

/// How long a filter that nothing passes stands before the log is asked, as
/// there is one more with each key; and between two looks at whether all came
/// that the console had already.
const SETTLED: Duration = Duration::from_millis(400);

/// Milliseconds of a frame that looking at rows may take; drawing takes some more.
const BUDGET: f64 = 24.0;

/// Shows what the address says, and what comes.
pub(super) fn feed_the_page(page: Page) {
    let query = Memo::new(move |_| page.applied.with(FilterText::query).unwrap_or_default());
    Effect::new(move || {
        let mut query = query.get();
        if page.file.with(Option::is_some) {
            query.until = None;
        }
        page.show(query);
    });
    Effect::new(move || {
        page.store.with_events(|_| ());
        if page.file.with_untracked(Option::is_some) {
            return;
        }
        let added = page.update_feed(|feed, log| feed.refresh(log));
        page.keep_place(added, false);
        page.changed();
    });
}

impl Page {
    /// Begins anew with this query.
    fn show(self, query: Query) {
        self.forget_older();
        let is_past = query.until.is_some();
        self.update_feed(|feed, log| feed.set_query(query, log));
        self.scan(self.generation.get_value());
        if is_past && self.file.with_untracked(Option::is_none) {
            self.load_older();
        }
    }

    /// Looks at the rows that the tab has, the newest first, a frame's worth at
    /// a time.
    fn scan(self, generation: u64) {
        if self.generation.try_get_value() != Some(generation) {
            return;
        }
        let start = browser::now();
        let mut more = true;
        while more && browser::now() - start < BUDGET {
            more = self.update_feed(|feed, log| feed.scan(log, STEP));
        }
        self.changed();
        if more {
            browser::next_frame(move || self.scan(generation));
        } else if self.is_without_matches() {
            set_timeout(move || self.look_back(generation), SETTLED);
        }
    }

    /// Asks the log, where nothing that the tab has passes the filter when all of
    /// it came.
    fn look_back(self, generation: u64) {
        if self.generation.try_get_value() != Some(generation) {
            return;
        }
        if self.store.peek(App::is_catching_up) {
            set_timeout(move || self.look_back(generation), SETTLED);
        } else if self.is_without_matches() {
            self.load_older();
        }
    }

    /// Whether nothing that the tab has passes the filter, and the console's log
    /// was not asked yet.
    fn is_without_matches(self) -> bool {
        self.older.get_untracked() == Older::Unknown
            && self.file.with_untracked(Option::is_none)
            && self.feed.with_value(|feed| {
                !feed.has_events() && !feed.is_paused() && !feed.query().is_everything()
            })
    }

    /// Shows older events of the console's log.
    pub(super) fn load_older(self) {
        if self.older.get_untracked() == Older::Loading || self.file.with_untracked(Option::is_some)
        {
            return;
        }
        self.older.set(Older::Loading);
        let generation = self.generation.get_value();
        if self.store.peek(App::is_catching_up) {
            let again = move || {
                if self.generation.try_get_value() == Some(generation) {
                    self.older.set(Older::Unknown);
                    self.load_older();
                }
            };
            set_timeout(again, SETTLED);
            return;
        }
        let query = self.feed.with_value(|feed| feed.query().clone());
        let mut history = self
            .history
            .try_update_value(Option::take)
            .flatten()
            .unwrap_or_else(|| self.begin_history(&query));
        spawn_local(async move {
            let mut failed = None;
            let rows = loop {
                let wanted = history.wanted(&query);
                let asked = wanted
                    .iter()
                    .map(|wanted| api::events(&wanted.session, &wanted.parameters));
                let pages = join_all(asked).await;
                for (wanted, page) in wanted.iter().zip(pages) {
                    match page {
                        Ok(page) => history.receive(&wanted.session, page),
                        // Removed meanwhile.
                        Err(problem) if problem.kind == ProblemKind::NotFound => {
                            history.give_up(&wanted.session);
                        }
                        Err(problem) => failed = Some(problem),
                    }
                }
                let rows = history.take();
                if failed.is_some() || !rows.is_empty() || history.is_exhausted() {
                    break rows;
                }
            };
            // The user may be elsewhere meanwhile.
            if self.generation.try_get_value() != Some(generation) {
                return;
            }
            let count = rows.len();
            let room = self.update_feed(|feed, log| feed.put_before(rows, log));
            self.keep_place(room, true);
            self.older.set(match failed {
                Some(problem) => Older::Failed(problem),
                None if history.is_exhausted() || room < count => Older::Exhausted,
                None => Older::Unknown,
            });
            self.history.set_value(Some(history));
            self.changed();
        });
    }

    /// What is older is to be asked for anew.
    pub(super) fn forget_older(self) {
        self.generation.update_value(|generation| *generation += 1);
        self.history.set_value(None);
        self.older.set(Older::default());
    }

    fn begin_history(self, query: &Query) -> History {
        self.store.peek(|app| {
            let is_wanted = |name: &&String| query.has_session(name);
            let names = app.sessions.keys().filter(is_wanted).map(String::as_str);
            match query.until {
                None => History::before(names, &app.log, self.feed.with_value(Feed::floor)),
                Some(until) => History::until(names, until),
            }
        })
    }

    /// Whoever follows sees the newest, however the table grew.
    pub(super) fn keep_end(self) {
        if self.is_following.get_untracked()
            && self.is_at_end.get_value()
            && let Some(scroller) = self.scroller.get_untracked()
        {
            scroller.set_scroll_top(i32::MAX);
        }
    }

    /// Rows came in above what is read: that stays in its place.
    fn keep_place(self, added: usize, is_older: bool) {
        let is_above = self.is_following.get_untracked() == is_older;
        if added == 0 || !is_above {
            return;
        }
        let added = self.pixels(added);
        // The table has not grown yet, and more may come until it has.
        request_animation_frame(move || {
            let Some(scroller) = self.scroller.try_get_untracked().flatten() else {
                return;
            };
            let top = scroller.scroll_top();
            if is_older || top > 0 {
                scroller.set_scroll_top(top + added);
            }
        });
    }

    fn pixels(self, rows: usize) -> i32 {
        (rows as f64 * self.row_height()) as i32
    }
}
