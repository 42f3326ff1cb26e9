//! What the user sees. Components hold no logic: they read the state through
//! the store, and turn clicks and keys into calls.

#![expect(unreachable_pub, reason = "the component macro makes its items public")]

mod commands;
mod completing;
mod documentation;
mod each;
mod events;
mod json_tree;
mod keys;
mod manage;
mod missed;
mod overlay;
mod pages;
mod palette;
mod parts;
mod place;
mod row_actions;
mod sessions;
mod shell;
mod sight;
mod sign_in;

pub(crate) use shell::Root;
