//! [`Form`], the tree of what has been entered.

use thiserror::Error;

use super::path::{Path, Step};
use crate::schema::{Builtin, Features, Schema, TypeId};

/// The most levels of nesting that a form has; raw JSON in it may have more.
pub const MAX_DEPTH: usize = 100;

/// The most fields, items and branches that are made at a time.
pub const MAX_PARTS: usize = 100_000;

/// What has been entered for the arguments of a command.
///
/// Two forms are equal when they show the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub(super) command: String,
    pub(super) root: Node,
}

/// A value of a form: its type, and what has been entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The type, in the schema that the form was made from.
    pub ty: TypeId,
    /// What has been entered.
    pub kind: NodeKind,
}

/// The kinds of [`Node`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A string or a number.
    Text {
        /// `String`, `Int` or `Number`.
        builtin: Builtin,
        /// As typed, `None` before anything was. An empty string is a value,
        /// which is never sent unless it was entered.
        text: Option<String>,
    },
    /// A boolean.
    Bool(bool),
    /// Always `null`.
    Null,
    /// A value of an enum; the type lists them.
    Choice {
        /// The chosen one.
        chosen: Option<String>,
    },
    /// An object, or the arguments as a whole.
    Object {
        /// Its members, first those that every value of the type has, then
        /// those of the chosen variant, then undescribed ones.
        fields: Vec<Field>,
        /// Whether members that the schema does not describe may be added.
        open: bool,
    },
    /// An array.
    Array {
        /// Its items.
        items: Vec<Node>,
    },
    /// One of several types; the type lists them.
    Alternate {
        /// Which, by its index.
        branch: usize,
        /// The value.
        node: Box<Node>,
    },
    /// JSON of any type.
    Raw {
        /// `Value`, `Object` or `Array`.
        builtin: Builtin,
        /// As typed.
        text: String,
    },
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The member's name.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether the schema has it; others are removed rather than left out.
    pub described: bool,
    /// Whether its value decides which other members there are.
    pub tag: bool,
    /// The member's own.
    pub features: Features,
    /// The value; `None` of an optional member that is left out, and of a
    /// required one that a draft does not have.
    pub node: Option<Node>,
}

/// Why there is no form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// The schema has no such command.
    #[error("the endpoint has no command {0:?}")]
    UnknownCommand(String),
    /// Required members of required members, and so on, or JSON of that sort.
    #[error("nested deeper than a form's {MAX_DEPTH} levels")]
    TooDeep,
    /// Too many parts.
    #[error("too large for a form")]
    TooLarge,
    /// A union and its variant have members of the same name.
    #[error("the schema has two members {0:?} in one object")]
    AmbiguousMember(String),
}

impl Form {
    /// The command.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The arguments: a [`NodeKind::Object`].
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The command's arguments.
    pub fn fields(&self) -> &[Field] {
        match &self.root.kind {
            NodeKind::Object { fields, .. } => fields,
            _ => &[],
        }
    }

    /// What is there; `None` where nothing is, as for an absent member.
    pub fn get(&self, path: &Path) -> Option<&Node> {
        path.0
            .iter()
            .try_fold(&self.root, |node, step| match (&node.value().kind, step) {
                (NodeKind::Object { fields, .. }, Step::Member(name)) => fields
                    .iter()
                    .find(|field| field.name == *name)?
                    .node
                    .as_ref(),
                (NodeKind::Array { items }, Step::Index(index)) => items.get(*index),
                _ => None,
            })
    }
}

impl Node {
    /// The value itself, through an alternate.
    pub fn value(&self) -> &Node {
        let mut node = self;
        while let NodeKind::Alternate { node: inner, .. } = &node.kind {
            node = inner;
        }
        node
    }

    /// What an input shows: the text, or the chosen value.
    pub fn text(&self) -> &str {
        match &self.kind {
            NodeKind::Text { text, .. } => text.as_deref().unwrap_or_default(),
            NodeKind::Choice { chosen } => chosen.as_deref().unwrap_or_default(),
            NodeKind::Raw { text, .. } => text,
            _ => "",
        }
    }
}

impl Form {
    /// An empty form: required members are there, optional ones are not.
    ///
    /// # Errors
    ///
    /// [`FormError`]: no such command, or a schema that no form can show.
    pub fn new(schema: &Schema, command: &str) -> Result<Self, FormError> {
        let known = schema
            .command(command)
            .ok_or_else(|| FormError::UnknownCommand(command.to_owned()))?;
        let mut root = super::build::Builder::new(schema, MAX_PARTS).node(known.arguments, 0)?;
        if let NodeKind::Object { open, .. } = &mut root.kind {
            *open = known.open;
        }
        Ok(Self {
            command: known.name.clone(),
            root,
        })
    }
}
