//! How a page was left, for as long as the browser's tab is there: kept over a
//! reload, and forgotten when the user signs out.

use leptos::prelude::*;

use super::{Store, browser};
use crate::state::address::command_path;
use crate::state::pages::Page;

const EVENTS: &str = "qmp-console.events";
const COMMANDS: &str = "qmp-console.commands";
const FOLLOWING: &str = "qmp-console.events-following";

/// The address of the events page as it was left; empty when it was not there.
pub(super) fn events_address() -> String {
    let kept = browser::kept_in_tab(EVENTS).unwrap_or_default();
    // What is kept may be anybody's.
    let is_address = kept == "/events" || kept.starts_with("/events?");
    if is_address { kept } else { String::new() }
}

/// The address of the commands of the session that was chosen; empty when none
/// was.
pub(super) fn commands_address() -> String {
    let kept = browser::kept_in_tab(COMMANDS).unwrap_or_default();
    if kept.starts_with("/commands/") {
        kept
    } else {
        String::new()
    }
}

impl Store {
    /// Where a page is: as it was left, if it was.
    pub(crate) fn address_of(self, page: Page) -> String {
        let left = match page {
            Page::Events => self.events_address.get(),
            Page::Commands => self.commands_address.get(),
            Page::Sessions => String::new(),
        };
        if left.is_empty() {
            page.address().to_owned()
        } else {
            left
        }
    }

    /// The events page is there now.
    pub(crate) fn keep_events_address(self, address: String) {
        browser::keep_in_tab(EVENTS, Some(&*address).filter(|it| !it.is_empty()));
        self.events_address.set(address);
    }

    /// The commands page shows those of this session now.
    pub(crate) fn keep_commands_session(self, session: &str) {
        let address = command_path(session, "");
        browser::keep_in_tab(COMMANDS, Some(&address));
        self.commands_address.set(address);
    }

    /// Whether the events page was following.
    pub(crate) fn was_following() -> bool {
        browser::kept_in_tab(FOLLOWING).is_some_and(|kept| kept == "true")
    }

    /// Whether the events page is following now.
    pub(crate) fn keep_following(is_following: bool) {
        browser::keep_in_tab(FOLLOWING, is_following.then_some("true"));
    }

    /// The next one may be somebody else.
    pub(super) fn forget_pages(self) {
        self.keep_events_address(String::new());
        browser::keep_in_tab(COMMANDS, None);
        self.commands_address.set(String::new());
        Self::keep_following(false);
    }
}
