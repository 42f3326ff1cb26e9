//! What was entered and not sent yet outlives a reload of the page: it is put
//! in writing when the page goes, in the storage that the tab alone has, but
//! for what speaks of a secret.

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Store, browser};
use crate::state::editor::Written;
use crate::state::secrets::seems_secret;
use crate::state::transaction::Composed;

/// Where the tab keeps it.
const KEY: &str = "qmp-console.unsent";

#[derive(Serialize, Deserialize)]
struct Unsent {
    /// Whose it is.
    who: String,
    drafts: Vec<Written>,
    /// The arguments of transactions that are being composed, by session.
    transactions: BTreeMap<String, String>,
}

impl Store {
    /// Puts in writing what was entered, for the page that is made next.
    pub(crate) fn write_unsent(self) {
        let Some(who) = self.who() else { return };
        let transactions = self.transactions.with_untracked(|all| {
            let written = all.iter().filter_map(|(session, composed)| {
                let arguments = composed.link().arguments?;
                let is_kept = !composed.parts().is_empty() && !seems_secret(&arguments, None);
                is_kept.then(|| (session.clone(), arguments))
            });
            written.collect()
        });
        let unsent = Unsent {
            who,
            drafts: self.drafts.with_value(|drafts| drafts.write()),
            transactions,
        };
        match serde_json::to_string(&unsent) {
            Ok(text) => browser::keep_in_tab(KEY, Some(&text)),
            Err(error) => browser::warn(&error.to_string()),
        }
    }

    /// Takes back what the page before has written for the same user, and is
    /// written again when this page goes. What the tab holds may be anything:
    /// what cannot be read is as good as nothing.
    pub(crate) fn read_unsent(self) {
        let text = browser::kept_in_tab(KEY).unwrap_or_default();
        self.forget_unsent();
        let unsent = serde_json::from_str::<Unsent>(&text).ok();
        let Some(unsent) = unsent.filter(|it| self.who().is_some_and(|who| who == it.who)) else {
            return;
        };
        self.drafts
            .update_value(|drafts| drafts.read(unsent.drafts));
        self.transactions.update(|all| {
            for (session, arguments) in unsent.transactions {
                if let Some(composed) = Composed::read(&arguments) {
                    all.entry(session).or_insert(composed);
                }
            }
        });
    }

    /// Nothing is written any more.
    pub(super) fn forget_unsent(self) {
        browser::keep_in_tab(KEY, None);
    }
}
