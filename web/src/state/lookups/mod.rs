//! What is asked of an endpoint to complete what a user types: its types, the
//! properties of a device, the tree of its objects.
//!
//! Data flow: a field is going to be typed into → [`source`] says what there is
//! to ask → the store asks, once, and keeps the answer here → the field's
//! suggestions are made of it ([`suggest`]). Everything that is asked only reads,
//! and nothing waits for the answer.

mod known;
mod listed;
mod property;
mod query;
mod suggest;
#[cfg(test)]
mod tests;

pub(crate) use known::{Known, Lookups};
pub(crate) use property::{Property, value_words};
pub(crate) use query::{
    Answer, OBJECTS, Query, Source, driver_of, is_asked_unbidden, is_risky, source,
};
pub(crate) use suggest::{directory, suggest_names, suggest_paths, suggest_properties};
