//! The module as a whole: on the pages that Debian 12 installs, and on snippets.

mod installed;
mod snippets;
