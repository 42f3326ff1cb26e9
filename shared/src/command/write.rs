//! From a form to the JSON of the arguments.

use super::form::{Field, Form, Node, NodeKind};
use super::number;
use super::path::{Fault, Faults, Step};
use crate::json::{self, FaultKind};
use crate::schema::Builtin;

const REQUIRED: &str = "required";

impl Form {
    /// The `arguments` as compact JSON, which may be sent: members in the
    /// schema's order, those that are left out not there, numbers as typed
    /// unless typed with a unit or in hexadecimal.
    ///
    /// # Errors
    ///
    /// All that is missing or wrong.
    pub fn to_json(&self) -> Result<String, Vec<Fault>> {
        let (text, mut faults) = self.write();
        if faults.is_empty() {
            // Each value may be sent, but maybe not all together.
            if let Err(fault) = json::check_arguments(&text) {
                faults.add(fault.kind.to_string());
            }
        }
        if faults.is_empty() {
            return Ok(text);
        }
        Err(faults.into_vec())
    }

    /// As [`Self::to_json`], without what is missing or wrong: JSON to go on
    /// with, which the endpoint may well refuse.
    pub fn to_draft(&self) -> String {
        self.write().0
    }

    /// What was typed into the form and is in no JSON of it, since it is not
    /// valid.
    pub fn left_out(&self) -> Vec<Fault> {
        let mut faults = self.write().1.into_vec();
        faults.retain(|fault| {
            let node = self.get(&fault.path).map(Node::value);
            node.is_some_and(|node| !node.text().trim().is_empty())
        });
        faults
    }

    fn write(&self) -> (String, Faults) {
        let mut text = String::new();
        let mut faults = Faults::default();
        write(&mut text, &mut faults, &self.root);
        (text, faults)
    }
}

/// Appends the node, and says whether it did: what has a fault is not there.
pub(super) fn write(text: &mut String, faults: &mut Faults, node: &Node) -> bool {
    match &node.kind {
        NodeKind::Null => text.push_str("null"),
        NodeKind::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        NodeKind::Choice { chosen: None } => return refuse(faults, REQUIRED),
        NodeKind::Choice {
            chosen: Some(value),
        } => return write_string(text, faults, value),
        NodeKind::Text {
            builtin,
            text: typed,
        } => return write_text(text, faults, *builtin, typed.as_deref()),
        NodeKind::Raw { builtin, text: raw } => return write_raw(text, faults, *builtin, raw),
        NodeKind::Alternate { node, .. } => return write(text, faults, node),
        NodeKind::Array { items } => {
            text.push('[');
            let parts = items.iter().enumerate();
            write_parts(text, parts, |text, (index, item)| {
                faults.within(Step::Index(index), |faults| write(text, faults, item))
            });
            text.push(']');
        }
        NodeKind::Object { fields, .. } => {
            text.push('{');
            let there = |field: &&Field| field.node.is_some() || !field.optional;
            write_parts(text, fields.iter().filter(there), |text, field| {
                faults.within(Step::Member(field.name.clone()), |faults| {
                    if !write_string(text, faults, &field.name) {
                        return false;
                    }
                    text.push(':');
                    match &field.node {
                        Some(node) => write(text, faults, node),
                        None => refuse(faults, REQUIRED),
                    }
                })
            });
            text.push('}');
        }
    }
    true
}

/// Appends the parts with commas between them, and takes back those that are
/// not there in the end.
fn write_parts<P>(
    text: &mut String,
    parts: impl Iterator<Item = P>,
    mut write: impl FnMut(&mut String, P) -> bool,
) {
    let mut first = true;
    for part in parts {
        let before = text.len();
        if !first {
            text.push(',');
        }
        if write(text, part) {
            first = false;
        } else {
            text.truncate(before);
        }
    }
}

fn refuse(faults: &mut Faults, message: impl Into<String>) -> bool {
    faults.add(message);
    false
}

fn write_text(
    text: &mut String,
    faults: &mut Faults,
    builtin: Builtin,
    typed: Option<&str>,
) -> bool {
    let Some(typed) = typed else {
        return refuse(faults, REQUIRED);
    };
    if builtin == Builtin::String {
        return write_string(text, faults, typed);
    }
    if typed.trim().is_empty() {
        return refuse(faults, REQUIRED);
    }
    let number = match builtin {
        Builtin::Number => number::number(typed).map(str::to_owned),
        _ => number::integer(typed),
    };
    match number {
        Ok(number) => text.push_str(&number),
        Err(message) => return refuse(faults, message),
    }
    true
}

/// Why the text, which is not empty, is no value.
fn not_json(raw: &str, fault: &json::Fault) -> String {
    let is_word = raw.starts_with(|c: char| !c.is_ascii_punctuation() && !c.is_ascii_digit());
    match (fault.is_syntax(), &fault.kind) {
        (true, FaultKind::Unexpected(_)) if is_word => {
            "not JSON: a string stands in double quotes".to_owned()
        }
        (true, _) => format!("not JSON: {fault}"),
        (false, _) => fault.to_string(),
    }
}

fn write_string(text: &mut String, faults: &mut Faults, value: &str) -> bool {
    let encoded = encode(value);
    if let Err(fault) = json::check(&encoded) {
        return refuse(faults, fault.kind.to_string());
    }
    text.push_str(&encoded);
    true
}

/// As JSON, in which nothing changes the order that other text is read in.
fn encode(value: &str) -> String {
    let mut encoded = serde_json::Value::from(value).to_string();
    if encoded.contains(is_bidi_control) {
        let plain = std::mem::take(&mut encoded);
        for c in plain.chars() {
            match is_bidi_control(c) {
                true => encoded.push_str(&format!("\\u{:04x}", u32::from(c))),
                false => encoded.push(c),
            }
        }
    }
    encoded
}

/// Whether the character is one that turns the text around it.
fn is_bidi_control(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

fn write_raw(text: &mut String, faults: &mut Faults, builtin: Builtin, raw: &str) -> bool {
    let raw = raw.trim_ascii();
    if raw.is_empty() {
        return refuse(faults, REQUIRED);
    }
    if let Err(fault) = json::check(raw) {
        return refuse(faults, not_json(raw, &fault));
    }
    match builtin {
        Builtin::Object if !raw.starts_with('{') => refuse(faults, "not a JSON object"),
        Builtin::Array if !raw.starts_with('[') => refuse(faults, "not a JSON array"),
        _ => {
            text.push_str(&json::compact(raw));
            true
        }
    }
}
