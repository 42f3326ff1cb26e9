//! Short lists that are kept in this browser: recent, favourite and saved
//! things.
//!
//! Each user of the browser has their own. What the browser holds may be from
//! another version, another tab or anybody: what cannot be read is as good as
//! nothing.

use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, browser};

/// One list. A handle: copies are the same list.
#[derive(Debug)]
pub(crate) struct Kept<T: Send + Sync + 'static> {
    key: StoredValue<String>,
    items: RwSignal<Vec<T>>,
}

impl<T: Send + Sync + 'static> Clone for Kept<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Kept<T> {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Kept<T> {
    /// Reads the items, and again whenever they change here.
    pub(crate) fn with<R>(self, read: impl FnOnce(&[T]) -> R) -> R {
        self.items.with(|items| read(items))
    }

    /// Changes the items, on top of what other tabs have kept meanwhile, and
    /// keeps them; at most `most`, of which the last go.
    pub(crate) fn change(self, most: usize, change: impl FnOnce(&mut Vec<T>)) {
        let mut items = self.key.with_value(|key| read(key));
        change(&mut items);
        items.truncate(most);
        match serde_json::to_string(&items) {
            Ok(text) => self.key.with_value(|key| browser::keep(key, &text)),
            Err(error) => browser::warn(&error.to_string()),
        }
        self.items.set(items);
    }
}

impl Store {
    /// What is kept under this name for whoever is signed in. Ask once for each
    /// page: lists of one name do not hear of each other.
    pub(crate) fn kept<T>(self, name: &str) -> Kept<T>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let who = self.who().unwrap_or_default();
        let key = "qmp-console.".to_owned() + name + "." + &who;
        let items = RwSignal::new(read(&key));
        Kept {
            key: StoredValue::new(key),
            items,
        }
    }
}

fn read<T: DeserializeOwned>(key: &str) -> Vec<T> {
    let text = browser::kept(key).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
