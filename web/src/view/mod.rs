//! What the user sees. Components hold no logic: they read the state through
//! the store, and turn clicks and keys into calls.

#![expect(unreachable_pub, reason = "the component macro makes its items public")]

mod command;
mod command_list;
mod commands;
mod completing;
mod copy_as;
mod documentation;
mod entry;
mod events;
mod find;
mod form;
mod history;
mod json_tree;
mod keys;
mod manage;
mod missed;
mod need;
mod overlay;
mod pages;
mod palette;
mod parts;
mod place;
mod plot;
mod properties;
mod raw;
mod repeat;
mod reply;
mod row_actions;
mod send;
mod send_options;
mod sessions;
mod shapes;
mod shell;
mod sign_in;
mod text_lines;
mod transaction;
mod tree_tools;

pub(crate) use shell::Root;
