//! The endpoints' schemas, kept for as long as a connection lasts.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::rest::{Problem, ProblemKind};
use qmp_shared::schema::Schema;

use super::{Store, api};

/// One connection of a session; see [`crate::state::sessions::incarnation`].
type Incarnation = (u64, String);

/// The latest schema of each session; as many as there are sessions.
#[derive(Default)]
pub(super) struct Cache(HashMap<String, (Incarnation, Arc<Schema>)>);

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
    /// cache only.
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
                Ok(reply) => match reply.schema {
                    Some(schema) => Schema::parse(schema.get()).map_err(|error| {
                        Problem::new(ProblemKind::ProtocolError, error.to_string())
                    }),
                    None => Err(Problem::new(
                        ProblemKind::NotFound,
                        "a guest agent has no schema; `guest-info` lists its commands",
                    )),
                },
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
