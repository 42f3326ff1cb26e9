//! Arguments that the schema does not describe, once somebody else does: the
//! properties of a device.

use super::form::{Form, Node, NodeKind};
use super::number;
use super::path::Faults;
use super::write::write;
use crate::json;
use crate::schema::{Builtin, JsonType};

impl Form {
    /// Shows each argument that the schema does not describe as the type that
    /// `of` says by its name: a string, a number, an integer, a boolean, or any
    /// value. A value of another JSON type stays as JSON, one that is not
    /// complete as it is. Answers whether anything is shown in another way now.
    pub fn retype_undescribed(&mut self, of: impl Fn(&str) -> Builtin) -> bool {
        let NodeKind::Object { fields, .. } = &mut self.root.kind else {
            return false;
        };
        let mut is_other = false;
        for field in fields.iter_mut().filter(|field| !field.described) {
            if let Some(node) = &mut field.node
                && let Some(kind) = retyped(node, of(&field.name))
            {
                node.kind = kind;
                is_other = true;
            }
        }
        is_other
    }
}

/// The value as of this type; `None` where it stays as it is.
fn retyped(node: &Node, builtin: Builtin) -> Option<NodeKind> {
    let before = match &node.kind {
        NodeKind::Bool(_) => Builtin::Boolean,
        NodeKind::Text { builtin, .. } | NodeKind::Raw { builtin, .. } => *builtin,
        _ => return None,
    };
    if before == builtin {
        return None;
    }
    let text = json_of(node)?;
    let is_empty = text.is_empty();
    let fits = |wanted| is_empty || JsonType::of(&text) == wanted;
    let kind = match builtin {
        Builtin::Boolean if fits(JsonType::Boolean) => NodeKind::Bool(text == "true"),
        Builtin::String if fits(JsonType::String) => NodeKind::Text {
            builtin,
            text: (!is_empty).then(|| serde_json::from_str(&text).unwrap_or_default()),
        },
        Builtin::Int if is_empty || number::check_integer(&text).is_ok() => {
            let text = (!is_empty).then_some(text);
            NodeKind::Text { builtin, text }
        }
        Builtin::Number if fits(JsonType::Number) => {
            let text = (!is_empty).then_some(text);
            NodeKind::Text { builtin, text }
        }
        // As it was entered.
        _ if before == Builtin::Value => return None,
        _ => NodeKind::Raw {
            builtin: Builtin::Value,
            text,
        },
    };
    Some(kind)
}

/// The value as JSON, empty where nothing was entered; `None` where what was
/// entered is no value.
fn json_of(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Text { text: None, .. } => return Some(String::new()),
        NodeKind::Raw { text, .. } if text.trim_ascii().is_empty() => return Some(String::new()),
        NodeKind::Raw { text, .. } if json::check(text.trim_ascii()).is_err() => return None,
        _ => (),
    }
    let mut text = String::new();
    write(&mut text, &mut Faults::default(), node).then_some(text)
}
