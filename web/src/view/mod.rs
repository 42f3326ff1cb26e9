//! What the user sees. Components hold no logic: they read the state through
//! the store, and turn clicks and keys into calls.

#![expect(unreachable_pub, reason = "the component macro makes its items public")]

mod command;
mod commands;
mod copy_as;
mod entry;
mod events;
mod form;
mod history;
mod json_tree;
mod manage;
mod pages;
mod parts;
mod reply;
mod send;
mod sessions;
mod shell;
mod sign_in;

pub(crate) use shell::Root;
