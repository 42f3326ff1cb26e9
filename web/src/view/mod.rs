//! What the user sees. Components hold no logic: they read the state through
//! the store, and turn clicks and keys into calls.

mod commands;
mod events;
mod form;
mod json_tree;
mod parts;
mod reply;
mod sessions;
mod shell;
mod sign_in;

pub(crate) use shell::Root;
