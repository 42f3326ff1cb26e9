//! A `transaction` that is composed of several commands.
//!
//! Each command that is an action of a transaction, too, can be added with what
//! was entered for it; the whole opens as the command `transaction`, filled in.
//! What is changed there is taken back when its page is left, so that another
//! action goes on from it.

use std::collections::BTreeMap;

use qmp_shared::json;
use qmp_shared::schema::{Schema, Type};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::address::Link;

/// The command that a transaction opens as.
pub(crate) const TRANSACTION: &str = "transaction";

/// Most actions of a transaction that is being composed.
const MOST: usize = 100;

/// The member of the command's arguments that has the actions.
const ACTIONS: &str = "actions";

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Tells it from the others, for as long as it is there.
    pub(crate) id: u64,
    /// The command.
    pub(crate) ty: String,
    /// Its arguments, JSON on a line.
    pub(crate) data: String,
}

/// A transaction that is being composed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Composed {
    parts: Vec<Part>,
    /// The other members of the command's arguments, JSON.
    others: BTreeMap<String, String>,
    newest: u64,
    /// Whether the page of the command shows just this, and changes it.
    is_open: bool,
}

/// An action as in the arguments.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    #[serde(rename = "type")]
    ty: String,
    data: Box<RawValue>,
}

/// Whether the endpoint's transactions have this command as an action.
pub(crate) fn is_action(schema: &Schema, command: &str) -> bool {
    let Some(transaction) = schema.command(TRANSACTION) else {
        return false;
    };
    let arguments = schema.object(transaction.arguments);
    let mut members = arguments.into_iter().flat_map(|object| &object.members);
    let actions = members.find(|member| member.name == ACTIONS);
    let Some(Type::Array(action)) = actions.map(|actions| schema.ty(actions.ty)) else {
        return false;
    };
    let variant = schema
        .object(*action)
        .and_then(|action| action.variant(command));
    let data = variant.and_then(|variant| schema.object(variant.ty));
    let has_data = data.is_some_and(|data| data.members.iter().any(|member| member.name == "data"));
    has_data && schema.command(command).is_some()
}

impl Composed {
    /// The actions, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Composed of the actions in these arguments of the command; `None` when
    /// there is no list of whole actions in them.
    pub(crate) fn read(arguments: &str) -> Option<Self> {
        let mut composed = Self {
            is_open: true,
            ..Self::default()
        };
        read(arguments)?;
        composed.closes(Some(arguments));
        Some(composed)
    }

    /// Adds an action at the end; `arguments` are those of the command. Answers
    /// whether there was room.
    pub(crate) fn add(&mut self, command: &str, arguments: Option<&str>) -> bool {
        if self.parts.len() >= MOST {
            return false;
        }
        let data = json::compact(arguments.unwrap_or("{}")).into_owned();
        self.push(command.to_owned(), data);
        self.is_open = false;
        true
    }

    /// Takes an action out.
    pub(crate) fn remove(&mut self, id: u64) {
        self.parts.retain(|part| part.id != id);
        self.is_open = false;
    }

    /// Has an action earlier by one, or later.
    pub(crate) fn shift(&mut self, id: u64, is_earlier: bool) {
        let Some(at) = self.parts.iter().position(|part| part.id == id) else {
            return;
        };
        let to = match is_earlier {
            true => at.checked_sub(1),
            false => Some(at + 1).filter(|to| *to < self.parts.len()),
        };
        if let Some(to) = to {
            self.parts.swap(at, to);
            self.is_open = false;
        }
    }

    /// What fills in the command.
    pub(crate) fn link(&self) -> Link {
        let mut text = "{\"actions\":[".to_owned();
        for (at, part) in self.parts.iter().enumerate() {
            let ty = serde_json::Value::from(part.ty.as_str()).to_string();
            text.push_str(if at > 0 { "," } else { "" });
            for piece in ["{\"type\":", &ty, ",\"data\":", &part.data, "}"] {
                text.push_str(piece);
            }
        }
        text.push(']');
        for (name, value) in &self.others {
            let name = serde_json::Value::from(name.as_str()).to_string();
            for piece in [",", &name, ":", value] {
                text.push_str(piece);
            }
        }
        text.push('}');
        Link {
            arguments: Some(text),
            ..Link::default()
        }
    }

    /// Whether the page of the command shows just this: then there is nothing
    /// to open, and what it is left with counts.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The page of the command is there, with these arguments.
    pub(crate) fn opens(&mut self, arguments: Option<&str>) {
        let shown = arguments.and_then(read);
        self.is_open = shown.is_some_and(|(actions, others)| {
            let same = |(action, part): (&Action, &Part)| {
                action.ty == part.ty && is_same(action.data.get(), &part.data)
            };
            !self.parts.is_empty()
                && actions.len() == self.parts.len()
                && actions.iter().zip(&self.parts).all(same)
                && others.len() == self.others.len()
        });
    }

    /// The page of the command is left, with these arguments. What is no list
    /// of whole actions changes nothing.
    pub(crate) fn closes(&mut self, arguments: Option<&str>) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        if let Some((actions, others)) = arguments.and_then(read) {
            self.parts.clear();
            for Action { ty, data } in actions {
                self.push(ty, json::compact(data.get()).into_owned());
            }
            self.others = others;
        }
    }

    fn push(&mut self, ty: String, data: String) {
        self.newest += 1;
        let id = self.newest;
        self.parts.push(Part { id, ty, data });
    }
}

/// The actions, and what else there is.
fn read(arguments: &str) -> Option<(Vec<Action>, BTreeMap<String, String>)> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(arguments).ok()?;
    let actions: Vec<Action> = serde_json::from_str(members.get(ACTIONS)?.get()).ok()?;
    let others = members.into_iter().filter(|(name, _)| name != ACTIONS);
    let others = others.map(|(name, value)| (name, json::compact(value.get()).into_owned()));
    (actions.len() <= MOST).then(|| (actions, others.collect()))
}

/// Whether two pieces of JSON say the same.
fn is_same(a: &str, b: &str) -> bool {
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    a == b || (value(a).is_some() && value(a) == value(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"[
        {"name": "transaction", "meta-type": "command", "arg-type": "0", "ret-type": "e"},
        {"name": "bitmap-add", "meta-type": "command", "arg-type": "b", "ret-type": "e"},
        {"name": "stop", "meta-type": "command", "arg-type": "e", "ret-type": "e"},
        {"name": "0", "meta-type": "object", "members": [
            {"name": "actions", "type": "[1]"}, {"name": "mode", "type": "str", "default": null}]},
        {"name": "[1]", "meta-type": "array", "element-type": "1"},
        {"name": "1", "meta-type": "object", "members": [{"name": "type", "type": "k"}],
         "tag": "type", "variants": [{"case": "bitmap-add", "type": "w"}, {"case": "abort", "type": "w"}]},
        {"name": "k", "meta-type": "enum", "values": ["bitmap-add", "abort"]},
        {"name": "w", "meta-type": "object", "members": [{"name": "data", "type": "b"}]},
        {"name": "b", "meta-type": "object", "members": [{"name": "node", "type": "str"}]},
        {"name": "e", "meta-type": "object", "members": []},
        {"name": "str", "meta-type": "builtin", "json-type": "string"}]"#;

    #[test]
    fn actions_are_what_the_schema_says() {
        let schema = Schema::parse(SCHEMA).unwrap();
        assert!(is_action(&schema, "bitmap-add"));
        // Only an action, and only a command.
        assert!(!is_action(&schema, "abort") && !is_action(&schema, "stop"));
        assert!(!is_action(&schema, TRANSACTION));
        let without = SCHEMA.replace("\"transaction\"", "\"other\"");
        assert!(!is_action(&Schema::parse(&without).unwrap(), "bitmap-add"));
    }

    fn arguments(composed: &Composed) -> String {
        composed.link().arguments.unwrap()
    }

    fn composed() -> Composed {
        let mut composed = Composed::default();
        assert!(composed.add("a", Some("{\n  \"n\": 18446744073709551615 }")));
        assert!(composed.add("b\"", None));
        composed
    }

    #[test]
    fn actions_are_collected_moved_and_removed() {
        let mut composed = composed();
        assert_eq!(
            arguments(&composed),
            r#"{"actions":[{"type":"a","data":{"n":18446744073709551615}},{"type":"b\"","data":{}}]}"#
        );
        let ids: Vec<_> = composed.parts().iter().map(|part| part.id).collect();
        composed.shift(ids[0], true);
        assert_eq!(composed.parts()[0].id, ids[0]);
        composed.shift(ids[0], false);
        composed.shift(ids[0], false);
        assert_eq!(composed.parts()[1].id, ids[0]);
        composed.remove(ids[1]);
        assert_eq!(composed.parts().len(), 1);
        for _ in 0..MOST - 1 {
            assert!(composed.add("c", None));
        }
        assert!(!composed.add("c", None));
    }

    #[test]
    fn is_read_from_what_it_was_opened_as() {
        let composed = composed();
        let read = Composed::read(&arguments(&composed)).unwrap();
        assert_eq!(arguments(&read), arguments(&composed));
        assert!(!read.is_open() && Composed::read("{oops").is_none());
    }

    #[test]
    fn what_is_changed_on_the_page_of_the_command_is_taken_back() {
        let mut composed = composed();
        let shown = arguments(&composed);
        composed.opens(Some(&shown.replace("{}", "{ }")));
        assert!(composed.is_open());
        let changed = r#"{"mode": "x", "actions": [{"type": "a", "data": {"n": 1}}]}"#;
        composed.closes(Some(changed));
        assert!(!composed.is_open());
        composed.add("c", None);
        assert_eq!(
            arguments(&composed),
            r#"{"actions":[{"type":"a","data":{"n":1}},{"type":"c","data":{}}],"mode":"x"}"#
        );
        // Something else, or nothing whole, changes nothing.
        let before = composed.clone();
        for other in [None, Some("{}"), Some(changed), Some("{oops")] {
            composed.opens(other);
            assert!(!composed.is_open());
            composed.closes(Some(changed));
        }
        let shown = arguments(&composed);
        for broken in [None, Some(r#"{"actions":[{"type":"a"}]}"#)] {
            composed.opens(Some(&shown));
            composed.closes(broken);
        }
        assert_eq!(composed, before);
    }
}
