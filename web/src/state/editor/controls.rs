//! What the form's views ask of an [`Editor`]: which control shows a value, and
//! what is in it.

use qmp_shared::command::{Node, NodeKind, Path, understood};
use qmp_shared::schema::{Builtin, Features, TypeId};

use super::Editor;
use crate::state::text::grouped;

/// Which control shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// A line of text: a string or a number.
    Text(Builtin),
    /// Yes or no.
    Bool,
    /// Nothing to enter.
    Null,
    /// One of an enum's values.
    Choice,
    /// Fields.
    Object,
    /// Items.
    Array,
    /// One of several types, and its control.
    Alternate,
    /// A piece of JSON.
    Raw(Builtin),
}

/// A field as far as it decides what is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldShape {
    /// The member's name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: TypeId,
    /// Whether it may be left out.
    pub(crate) optional: bool,
    /// Whether the schema has it.
    pub(crate) described: bool,
    /// What the schema says of it besides.
    pub(crate) features: Features,
    /// Whether it is there.
    pub(crate) present: bool,
}

impl Editor {
    /// The type and control of a value; `inside` is past an alternate.
    pub(crate) fn control(&self, path: &Path, inside: bool) -> Option<(TypeId, Control)> {
        let node = self.node(path, inside)?;
        let control = match &node.kind {
            NodeKind::Text { builtin, .. } => Control::Text(*builtin),
            NodeKind::Bool(_) => Control::Bool,
            NodeKind::Null => Control::Null,
            NodeKind::Choice { .. } => Control::Choice,
            NodeKind::Object { .. } => Control::Object,
            NodeKind::Array { .. } => Control::Array,
            NodeKind::Alternate { .. } => Control::Alternate,
            NodeKind::Raw { builtin, .. } => Control::Raw(*builtin),
        };
        Some((node.ty, control))
    }

    /// The fields of an object, and whether more may be added.
    pub(crate) fn fields(&self, path: &Path) -> (Vec<FieldShape>, bool) {
        let Some(NodeKind::Object { fields, open }) = self.node(path, true).map(|node| &node.kind)
        else {
            return (Vec::new(), false);
        };
        let shape = |field: &qmp_shared::command::Field| FieldShape {
            name: field.name.clone(),
            ty: field.ty,
            optional: field.optional,
            described: field.described,
            features: field.features.clone(),
            present: field.node.is_some(),
        };
        (fields.iter().map(shape).collect(), *open)
    }

    /// How many items an array has.
    pub(crate) fn items(&self, path: &Path) -> usize {
        match self.node(path, true).map(|node| &node.kind) {
            Some(NodeKind::Array { items }) => items.len(),
            _ => 0,
        }
    }

    /// Which type of an alternate is chosen.
    pub(crate) fn branch(&self, path: &Path) -> usize {
        match self.node(path, false).map(|node| &node.kind) {
            Some(NodeKind::Alternate { branch, .. }) => *branch,
            _ => 0,
        }
    }

    /// What an input shows.
    pub(crate) fn text(&self, path: &Path) -> String {
        self.node(path, true)
            .map(Node::text)
            .unwrap_or_default()
            .to_owned()
    }

    /// As what an integer is sent that was typed as a size or in hexadecimal, in
    /// words.
    pub(crate) fn understood(&self, path: &Path) -> Option<String> {
        let typed = self.text(path);
        let sent = understood(&typed)?;
        let digits = sent.trim_start_matches('-');
        let sign = &sent[..sent.len() - digits.len()];
        let grouped = digits.parse().map_or_else(|_| digits.to_owned(), grouped);
        let is_hexadecimal = typed.contains(['x', 'X']);
        let units = if is_hexadecimal {
            "."
        } else {
            ": units are powers of 1,024."
        };
        Some(["Sent as ", sign, &grouped, units].concat())
    }

    /// Whether a boolean is true.
    pub(crate) fn is_true(&self, path: &Path) -> bool {
        matches!(
            self.node(path, true).map(|node| &node.kind),
            Some(NodeKind::Bool(true))
        )
    }

    /// Whether an empty string was entered, as opposed to nothing.
    pub(crate) fn is_empty_string(&self, path: &Path) -> bool {
        let kind = self.node(path, true).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Text { builtin: Builtin::String, text: Some(text) })
            if text.is_empty())
    }

    fn node(&self, path: &Path, inside: bool) -> Option<&Node> {
        let node = self.form.as_ref()?.get(path)?;
        Some(if inside { node.value() } else { node })
    }
}
