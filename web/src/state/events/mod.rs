//! The events that this tab has seen, and what the events page shows of them.
//!
//! [`Log`] is the bounded memory of the tab; [`Feed`] is one page's view of
//! it: filtered, pausable, and going on into the console's own log where the
//! tab's ends ([`History`]). All only ever look at rows once, so that a flood
//! of events costs what is new and never a pass over everything.

mod commands;
mod complete;
mod condition;
mod facets;
mod feed;
mod hint;
mod history;
mod links;
mod log;
mod ndjson;
mod query;
mod replay;
#[cfg(test)]
mod tests;

pub(crate) use commands::{CommandReply, CommandRow, Commands, Value};
pub(crate) use complete::{complete_names, complete_where};
pub(crate) use condition::{Refusal, offered};
pub(crate) use facets::{Facets, Rate};
pub(crate) use feed::Feed;
pub(crate) use hint::{MeantField, UnknownField, hint_names, hint_where};
pub(crate) use history::{History, Wanted};
pub(crate) use links::{Links, is_running};
pub(crate) use log::{
    EventRow, LinkRow, Log, Row, What, gap_words, link_words, not_loaded_words, shown_name,
};
pub(crate) use ndjson::{File, read_ndjson, write_ndjson};
pub(crate) use query::{FilterText, Query, SavedFilter};
pub(crate) use replay::{Known, Replay};
