//! The endpoints' schemas, kept for as long as a connection lasts.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::rest::{Problem, ProblemKind};
struct Schema;
impl Schema {
    fn parse(_: &str) -> Result<Self, String> {
        Ok(Self)
    }
}

use super::{Store, api};

/// One connection of a session; see [`crate::state::sessions::incarnation`].
type Incarnation = (u64, String);

/// The latest schema of each session; as many as there are sessions.
#[derive(Default)]
pub(super) struct Cache(HashMap<String, (Incarnation, Arc<Schema>)>);

/// A session's schema, as far as it is known.
#[derive(Clone, Default)]
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
    /// A late answer for another session than `is_wanted` says is kept in the
    /// cache only.
    pub(crate) fn load_schema(
        self,
        session: String,
        incarnation: Incarnation,
        state: RwSignal<SchemaState>,
        is_wanted: impl Fn() -> bool + 'static,
    ) {
        let cached = self.schemas.with_value(|cache| {
            let entry = cache.0.get(&session).filter(|(of, _)| *of == incarnation);
            entry.map(|(_, schema)| Arc::clone(schema))
        });
        if let Some(schema) = cached {
            state.set(SchemaState::Ready(schema));
            return;
        }
        state.set(SchemaState::Loading);
        spawn_local(async move {
            let loaded = match api::schema(&session).await {
                Ok(reply) => Schema::parse(reply.schema.get())
                    .map_err(|error| Problem::new(ProblemKind::ProtocolError, error.to_string())),
                Err(problem) => Err(problem),
            };
            let loaded = match loaded {
                Ok(schema) => {
                    let schema = Arc::new(schema);
                    self.schemas.update_value(|cache| {
                        cache.0.insert(session, (incarnation, Arc::clone(&schema)));
                    });
                    SchemaState::Ready(schema)
                }
                Err(problem) => SchemaState::Unavailable(problem),
            };
            if is_wanted() {
                state.try_set(loaded);
            }
        });
    }
}
