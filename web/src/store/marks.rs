//! What became of the endpoints, for between the events that are replayed.

use futures_util::future::join_all;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Store, api};

impl Store {
    /// Asks the logs for their marks, when the events are there.
    pub(super) fn ask_for_marks(self) {
        let wanted = self.app.try_update_value(|app| app.wanted_marks());
        let Some((replay, wanted)) = wanted.flatten() else {
            return;
        };
        spawn_local(async move {
            let pages = wanted.iter().map(async |wanted| {
                // Without them there is less to show; the events are shown.
                let page = api::events(&wanted.session, &wanted.parameters).await;
                Some((wanted.session.to_string(), page.ok()?))
            });
            let pages = join_all(pages).await.into_iter().flatten();
            let changes = self
                .app
                .try_update_value(|app| app.receive_marks(replay, pages));
            self.notify(changes.unwrap_or_default());
        });
    }
}
