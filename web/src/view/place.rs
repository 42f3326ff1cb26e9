//! Where the user is: the window's title, the focus, and what is announced when
//! another page is shown.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::state::pages::{Page, title};
use crate::store::{browser, use_store};

/// The path below the console's base.
pub(super) fn use_path() -> Memo<String> {
    let whole = use_location().pathname;
    let base = browser::base();
    Memo::new(move |_| whole.with(|path| path.strip_prefix(&base).unwrap_or(path).to_owned()))
}

/// Keeps the window's title right. When another page is shown, announces it
/// and moves the focus to it: what had the focus may be gone, and the next Tab
/// should lead into the page. Within a page the focus stays where it is.
pub(super) fn follow(path: Memo<String>) {
    let store = use_store();
    let title = Memo::new(move |_| path.with(|path| title(path)));
    let page = Memo::new(move |_| path.with(|path| Page::at(path)));
    Effect::new(move || document().set_title(&(title.get() + " · QMP Console")));
    Effect::new(move |before: Option<Option<Page>>| {
        let page = page.get();
        if before.is_some_and(|before| before != page) {
            browser::focus_main();
            store.announcement.set(title.get_untracked());
        }
        page
    });
}
