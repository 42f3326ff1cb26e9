//! The entry that is being read: what its sections and lists mean.

use super::item::{self, EntryKind, Item};
use super::{Entry, Example};

/// An entry that is being read.
pub(super) struct Open {
    pub(super) kind: EntryKind,
    pub(super) name: String,
    pub(super) entry: Entry,
    pub(super) shape: Shape,
    pub(super) section: Section,
    /// The section ends where a block's floor is below.
    pub(super) floor: usize,
    pub(super) item: Option<OpenItem>,
    /// Whether the next thing in a section of examples begins one.
    pub(super) new_example: bool,
}

/// How a page writes an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As a heading, its sections below it as further headings.
    Headings,
    /// As a list item at this depth, its sections as a list within.
    Nested(usize),
}

/// What a paragraph of an entry is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Text,
    Members,
    Features,
    Returns,
    Errors,
    Since,
    Notes,
    Examples,
    Condition,
}

/// A member or feature that is being read.
pub(super) struct OpenItem {
    /// It ends where a block's floor is below, or with the next item here.
    pub(super) depth: usize,
    /// Its name, or `None` before its first paragraph and if it has none.
    pub(super) name: Option<String>,
    /// Whether its first paragraph, which says the name, is still to come.
    pub(super) pending: bool,
}

impl Open {
    pub(super) fn new(kind: EntryKind, name: &str, shape: Shape) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            entry: Entry::default(),
            shape,
            section: Section::Text,
            floor: 0,
            item: None,
            new_example: false,
        }
    }

    pub(super) fn enter(&mut self, section: Section, floor: usize) {
        self.section = section;
        self.floor = floor;
        self.item = None;
        self.new_example = section == Section::Examples;
    }

    pub(super) fn has_items(&self) -> bool {
        matches!(self.section, Section::Members | Section::Features)
    }

    /// Whether the next paragraph may declare a member or feature. A list of
    /// one may have been written without a label.
    pub(super) fn takes_declaration(&self) -> bool {
        match &self.item {
            Some(item) => item.pending,
            None => matches!(self.shape, Shape::Nested(_)) && self.has_items(),
        }
    }

    pub(super) fn declare(&mut self, item: Item, depth: usize) {
        let mut open = OpenItem {
            depth,
            name: None,
            pending: false,
        };
        match item {
            Item::Named(name, member) => {
                if self.section == Section::Features {
                    self.entry
                        .features
                        .entry(name.clone())
                        .or_default()
                        .extend(member.text);
                } else {
                    self.entry.members.entry(name.clone()).or_insert(member);
                }
                open.name = Some(name);
            }
            Item::MembersOf(of) => self.entry.also.push(of),
        }
        self.item = Some(open);
    }

    /// Prose in a section of examples: the title of the one that follows.
    pub(super) fn example(&mut self, title: String) {
        self.last_example().title.push(title);
    }

    pub(super) fn example_text(&mut self, text: String) {
        self.last_example().text = text;
    }

    /// The example that is being read, which has no text yet.
    fn last_example(&mut self) -> &mut Example {
        let examples = &mut self.entry.examples;
        if self.new_example || examples.last().is_none_or(|last| !last.text.is_empty()) {
            examples.push(Example::default());
            self.new_example = false;
        }
        let last = examples.len() - 1;
        &mut examples[last]
    }

    /// Puts a paragraph where the reader is in this entry.
    pub(super) fn paragraph(&mut self, text: String) {
        let entry = &mut self.entry;
        if let Some(item) = &self.item {
            let found = item.name.as_ref().and_then(|name| match self.section {
                Section::Features => entry.features.get_mut(name),
                _ => entry.members.get_mut(name).map(|member| &mut member.text),
            });
            if item::is_documented(&text) {
                found.unwrap_or(&mut entry.text).push(text);
            }
            return;
        }
        match self.section {
            Section::Text | Section::Members | Section::Features => entry.text.push(text),
            Section::Returns => entry.returns.push(text),
            Section::Errors => entry.errors.push(text),
            Section::Since if entry.since.is_none() => entry.since = Some(text),
            Section::Since | Section::Notes => entry.notes.push(text),
            Section::Examples => self.example(text),
            Section::Condition => match &mut entry.condition {
                Some(condition) => {
                    condition.push(' ');
                    condition.push_str(&text);
                }
                None => entry.condition = Some(text),
            },
        }
    }
}

/// The section of a title, and how a note of a kind is to begin.
pub(super) fn section(title: &str) -> Option<(Section, Option<String>)> {
    let section = match title.trim_end_matches(':').to_ascii_lowercase().as_str() {
        "arguments" | "members" | "values" | "alternatives" => Section::Members,
        "features" => Section::Features,
        "return" | "returns" => Section::Returns,
        "error" | "errors" => Section::Errors,
        "since" => Section::Since,
        "note" | "notes" => Section::Notes,
        "example" | "examples" => Section::Examples,
        "if" => Section::Condition,
        "todo" | "caution" | "warning" | "important" | "attention" | "danger" | "hint" | "tip"
        | "see also" => {
            let label = format!("{}:", title.trim_end_matches(':'));
            return Some((Section::Notes, Some(label)));
        }
        _ => return None,
    };
    Some((section, None))
}
