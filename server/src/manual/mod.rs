//! [`parse`]: what the man pages say of QMP's commands, events and types.
//!
//! QEMU installs its QMP reference as man pages, which its documentation tool
//! makes from the same schema files that `query-qmp-schema` is made from. So a
//! host that runs a VM often has prose for each argument that a command form
//! shows. This module finds the page ([`find`]), takes its roff apart and makes
//! entries by name out of it:
//!
//! ```text
//! NAME.7.gz ──file──▶ text ──roff──▶ blocks ──entries──▶ Manual
//!                      escapes: text      lines: item, sections: open
//! ```
//!
//! It knows two shapes: headings `block-stream (Command)` with sections below
//! them (QEMU 5.2 to 9.2), and nested lists `Command block-stream (Since: 1.1)`
//! with fields (since 10.0). Both write what they mean as layout, so this is
//! guesswork by nature: a page of another shape yields fewer entries, and text
//! that is not understood stays a paragraph of the entry it stands in. Nothing
//! here knows the schema; what the two say of each other's names is up to the
//! caller.

mod entries;
mod file;
mod item;
mod open;
mod roff;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use file::{Page, SIZE_LIMIT, find};
pub(crate) use qmp_shared::manual::{Entry, Example, Group, Manual, Member, MembersOf, When};

/// Reads a man page's roff. Infallible: what is not understood is left out
/// or kept as a paragraph. Takes time linear in the text's length, which
/// the caller bounds ([`find`] does).
#[must_use]
pub(crate) fn parse(text: &str) -> Manual {
    entries::read(text)
}
