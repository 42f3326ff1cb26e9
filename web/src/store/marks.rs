//! What became of the endpoints, for between the events that are replayed.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Store, api};
use crate::state::{App, Changes};

/// How long the events wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Store {
    /// Asks the logs for their marks, when the events are there.
    pub(super) fn ask_for_marks(self) {
        let wanted = self.app.try_update_value(App::wanted_marks);
        let Some((replay, wanted)) = wanted.flatten() else {
            return;
        };
        for wanted in wanted {
            spawn_local(async move {
                let links = api::links(&wanted.session, &wanted.parameters).await;
                // Without them there is less to show; the events are shown.
                self.change(|app| app.receive_links(replay, &wanted.session, links.ok()));
            });
        }
        let give_up = move || self.change(|app| app.give_up_links(replay));
        set_timeout(give_up, LONGEST_WAIT);
    }

    fn change(self, change: impl FnOnce(&mut App) -> Changes) {
        let changes = self.app.try_update_value(change).unwrap_or_default();
        if changes.any() {
            self.notify(changes);
        }
    }
}
