//! The endpoints' schemas, kept for as long as a connection lasts, and the
//! console's manuals of them.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::manual::Manual;
use qmp_shared::rest::{Problem, ProblemKind};
use qmp_shared::schema::Schema;
use serde_json::value::RawValue;

use super::{Store, api, browser};

/// One connection of a session; see [`crate::state::sessions::incarnation`].
type Incarnation = (u64, String);

/// The latest schema of each session; as many as there are sessions.
#[derive(Default)]
pub(super) struct Cache(HashMap<String, (Incarnation, Arc<Schema>)>);

/// The manual of each session's endpoint.
pub(super) type Manuals = HashMap<String, ManualState>;

/// What the console's host has of an endpoint's manual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ManualState {
    /// Not told yet.
    #[default]
    Unknown,
    /// Nothing.
    Missing,
    /// This.
    Ready(Arc<Manual>),
}

/// A session's schema, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum SchemaState {
    /// Asked for.
    #[default]
    Loading,
    /// Here.
    Ready(Arc<Schema>),
    /// Not to be had.
    Unavailable(Problem),
}

impl Store {
    /// Puts the session's schema into `state`, from the cache or the console.
    /// Until the console has answered, that of the connection before stands. A
    /// late answer for another session than `is_wanted` says is kept in the
    /// cache only. The manual comes with it: [`Self::manual`].
    pub(crate) fn load_schema(
        self,
        session: String,
        incarnation: Incarnation,
        state: RwSignal<SchemaState>,
        is_wanted: impl Fn() -> bool + 'static,
    ) {
        let cached = self
            .schemas
            .with_value(|cache| cache.0.get(&session).cloned());
        let is_current = cached.as_ref().is_some_and(|(of, _)| *of == incarnation);
        let before = cached.map(|(_, schema)| SchemaState::Ready(schema));
        state.set(before.clone().unwrap_or_default());
        if is_current {
            return;
        }
        spawn_local(async move {
            let loaded = match api::schema(&session).await {
                Ok(reply) => {
                    self.keep_manual(&session, reply.docs.as_deref());
                    match reply.schema {
                        Some(schema) => Schema::parse(schema.get()).map_err(|error| {
                            Problem::new(ProblemKind::ProtocolError, error.to_string())
                        }),
                        None => Err(Problem::new(
                            ProblemKind::NotFound,
                            "a guest agent has no schema; `guest-info` lists its commands",
                        )),
                    }
                }
                Err(problem) => Err(problem),
            };
            let loaded = match loaded {
                Ok(schema) => SchemaState::Ready(self.keep_schema(session, incarnation, schema)),
                Err(problem) => before.unwrap_or(SchemaState::Unavailable(problem)),
            };
            if is_wanted() {
                state.try_set(loaded);
            }
        });
    }

    /// The schemas that are here, by their sessions' names.
    pub(crate) fn loaded_schemas(self) -> Vec<(String, Arc<Schema>)> {
        self.schemas.with_value(|cache| {
            let cache = cache.0.iter();
            let mut schemas: Vec<_> = cache
                .map(|(session, (_, schema))| (session.clone(), Arc::clone(schema)))
                .collect();
            schemas.sort_by(|(a, _), (b, _)| a.cmp(b));
            schemas
        })
    }

    /// The manual of the session's endpoint, which is known as soon as its
    /// schema was loaded.
    pub(crate) fn manual(self, session: &str) -> ManualState {
        let known = |manuals: &Manuals| manuals.get(session).cloned();
        self.manuals.with(known).unwrap_or_default()
    }

    /// Keeps a session's manual; sessions with the same one share it.
    fn keep_manual(self, session: &str, docs: Option<&RawValue>) {
        let read = docs.map(|docs| serde_json::from_str::<Manual>(docs.get()));
        let manual = match read {
            None => ManualState::Missing,
            Some(Ok(manual)) => ManualState::Ready(Arc::new(manual)),
            Some(Err(error)) => {
                browser::warn(&error.to_string());
                ManualState::Missing
            }
        };
        let (shared, is_news) = self.manuals.with_untracked(|manuals| {
            let same = manuals.values().find(|known| **known == manual);
            (same.cloned(), manuals.get(session) != Some(&manual))
        });
        if is_news {
            self.manuals.update(|manuals| {
                manuals.insert(session.to_owned(), shared.unwrap_or(manual));
            });
        }
    }

    /// Puts a schema into the cache. One that says the same as the one before
    /// is that one, so that what was made from it stays valid.
    fn keep_schema(self, session: String, incarnation: Incarnation, schema: Schema) -> Arc<Schema> {
        let kept = self.schemas.try_update_value(|cache| {
            let before = cache.0.get(&session).map(|(_, before)| before);
            let kept = match before.filter(|before| ***before == schema) {
                Some(before) => Arc::clone(before),
                None => Arc::new(schema.clone()),
            };
            cache.0.insert(session, (incarnation, Arc::clone(&kept)));
            kept
        });
        kept.unwrap_or_else(|| Arc::new(schema))
    }
}
