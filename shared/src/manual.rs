//! [`Manual`]: what QEMU's manual says of commands, events and types.
//!
//! The server makes it of the host's man pages, and sends it as the `docs` of
//! a schema's reply ([`crate::rest::SchemaReply`]). It knows nothing of the
//! schema; what the two say of each other's names is up to the reader.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one man page says. All text is plain: no roff, no markup, no control
/// characters but line feeds (and tabs) in literal text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manual {
    /// QEMU's, as the page writes it: `7.2.22`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The chapters that have commands or events, in the page's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<String, Entry>,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub events: BTreeMap<String, Entry>,
    /// Objects, enums and alternates, by the name they have in QEMU's sources;
    /// `query-qmp-schema` masks it, but members' [`type_name`](Member::type_name)
    /// leads here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, Entry>,
}

/// A chapter of the manual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// As the page's contents write it (`Block devices`), or else its heading
    /// (`BLOCK DEVICES`).
    pub title: String,
    /// What stands before the first entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// Names of the chapter's commands, in the page's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Names of the chapter's events, in the page's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
}

/// A command, an event or a type.
///
/// Prose is in paragraphs. List items are paragraphs that start with `• ` or
/// `1. `; literal text is a paragraph with line feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// What it is or does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// A command's arguments, the members of an object or of an event's data,
    /// an alternate's branches, or an enum's values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, Member>,
    /// Types whose members count among `members`, but stand in their own entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<MembersOf>,
    /// By name, such as `deprecated`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, Vec<String>>,
    /// What a command returns; before QEMU 9.0 with its errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<String>,
    /// The errors a command may fail with, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// The version of QEMU that brought it, as written: `2.1 (poweroff since 2.8)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Remarks; those of another kind say so: `Caution: …`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Exchanges on the wire.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// What QEMU must have been built with: `CONFIG_SPICE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// An argument, a member, a branch or an enum's value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// In paragraphs; empty if the page says `Not documented`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
    /// As written: `BlockdevOnError`, `array of string` or, since QEMU 10.0,
    /// `[string]`. An enum's value has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// Whether it may be left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What QEMU must have been built with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// "The members of `type_name`", for one value of another member or always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MembersOf {
    /// An object among [`Manual::types`].
    pub type_name: String,
    /// If only for one branch of a union.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// What QEMU must have been built with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// The branch of a union that a member's value chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct When {
    /// The name of the member: `driver`.
    pub member: String,
    /// Its value: `file`.
    pub value: String,
}

/// Messages to and from an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Example {
    /// What it shows, if the page says so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub title: Vec<String>,
    /// Lines, `->` before what is sent and `<-` before what is received. Empty
    /// if the page has only prose.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}
