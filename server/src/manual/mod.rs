//! [`Manual`]: what the man pages say of QMP's commands, events and types.
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

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use file::{Page, SIZE_LIMIT, find};

/// What one man page says. All text is plain: no roff, no markup, no control
/// characters but line feeds (and tabs) in literal text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manual {
    /// QEMU's, as the page writes it: `7.2.22`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// The chapters that have commands or events, in the page's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<Group>,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) commands: BTreeMap<String, Entry>,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) events: BTreeMap<String, Entry>,
    /// Objects, enums and alternates, by the name they have in QEMU's sources;
    /// `query-qmp-schema` masks it, but members' [`type_name`](Member::type_name)
    /// leads here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) types: BTreeMap<String, Entry>,
}

impl Manual {
    /// Reads a man page's roff. Infallible: what is not understood is left out
    /// or kept as a paragraph. Takes time linear in the text's length, which
    /// the caller bounds ([`find`] does).
    #[must_use]
    pub(crate) fn parse(text: &str) -> Self {
        entries::read(text)
    }
}

/// A chapter of the manual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    /// As the page's contents write it (`Block devices`), or else its heading
    /// (`BLOCK DEVICES`).
    pub(crate) title: String,
    /// What stands before the first entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) text: Vec<String>,
    /// Names of the chapter's commands, in the page's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) commands: Vec<String>,
    /// Names of the chapter's events, in the page's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<String>,
}

/// A command, an event or a type.
///
/// Prose is in paragraphs. List items are paragraphs that start with `• ` or
/// `1. `; literal text is a paragraph with line feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    /// What it is or does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) text: Vec<String>,
    /// A command's arguments, the members of an object or of an event's data,
    /// an alternate's branches, or an enum's values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) members: BTreeMap<String, Member>,
    /// Types whose members count among `members`, but stand in their own entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) also: Vec<MembersOf>,
    /// By name, such as `deprecated`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// What a command returns; before QEMU 9.0 with its errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) returns: Vec<String>,
    /// The errors a command may fail with, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<String>,
    /// The version of QEMU that brought it, as written: `2.1 (poweroff since 2.8)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// Remarks; those of another kind say so: `Caution: …`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// Exchanges on the wire.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) examples: Vec<Example>,
    /// What QEMU must have been built with: `CONFIG_SPICE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) condition: Option<String>,
}

/// An argument, a member, a branch or an enum's value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    /// In paragraphs; empty if the page says `Not documented`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) text: Vec<String>,
    /// As written: `BlockdevOnError`, `array of string` or, since QEMU 10.0,
    /// `[string]`. An enum's value has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) type_name: Option<String>,
    /// Whether it may be left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) optional: bool,
    /// What QEMU must have been built with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) condition: Option<String>,
}

/// "The members of `type_name`", for one value of another member or always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MembersOf {
    /// An object among [`Manual::types`].
    pub(crate) type_name: String,
    /// If only for one branch of a union.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<When>,
    /// What QEMU must have been built with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) condition: Option<String>,
}

/// The branch of a union that a member's value chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct When {
    /// The name of the member: `driver`.
    pub(crate) member: String,
    /// Its value: `file`.
    pub(crate) value: String,
}

/// Messages to and from an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Example {
    /// What it shows, if the page says so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) title: Vec<String>,
    /// Lines, `->` before what is sent and `<-` before what is received. Empty
    /// if the page has only prose.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
}
