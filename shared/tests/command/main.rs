//! Command forms, on a small schema that has every construct: what a form
//! shows, how it is edited, written and read, and the whole message.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

mod edit;
mod limits;
mod message;
mod new;
mod properties;
mod read;
mod write;

use qmp_shared::command::{Action, Edit, EditProblem, Fault, Form, NodeKind, Path, validate};
use qmp_shared::schema::Schema;

const SCHEMA: &str = r#"[
    {"name": "str", "meta-type": "builtin", "json-type": "string"},
    {"name": "int", "meta-type": "builtin", "json-type": "int"},
    {"name": "number", "meta-type": "builtin", "json-type": "number"},
    {"name": "bool", "meta-type": "builtin", "json-type": "boolean"},
    {"name": "null", "meta-type": "builtin", "json-type": "null"},
    {"name": "any", "meta-type": "builtin", "json-type": "value"},
    {"name": "dict", "meta-type": "builtin", "json-type": "object"},
    {"name": "list", "meta-type": "builtin", "json-type": "array"},
    {"name": "[str]", "meta-type": "array", "element-type": "str"},
    {"name": "[int]", "meta-type": "array", "element-type": "int"},
    {"name": "[[int]]", "meta-type": "array", "element-type": "[int]"},
    {"name": "[Net]", "meta-type": "array", "element-type": "Net"},
    {"name": "[Tree]", "meta-type": "array", "element-type": "Tree"},
    {"name": "[Block]", "meta-type": "array", "element-type": "Block"},
    {"name": "Mode", "meta-type": "enum", "members": [{"name": "off"}, {"name": "on"}]},
    {"name": "Only", "meta-type": "enum", "members": [{"name": "one"}]},
    {"name": "Never", "meta-type": "enum", "members": []},
    {"name": "Driver", "meta-type": "enum", "members": [
        {"name": "file"}, {"name": "host"}, {"name": "nbd"}, {"name": "null-co"},
        {"name": "qcow2"}]},

    {"name": "Nothing", "meta-type": "object", "members": []},
    {"name": "Net", "meta-type": "object", "members": [
        {"name": "host", "type": "str"}, {"name": "port", "type": "int", "default": null}]},
    {"name": "Tree", "meta-type": "object", "members": [
        {"name": "value", "type": "str"},
        {"name": "child", "type": "Tree", "default": null},
        {"name": "children", "type": "[Tree]"}]},

    {"name": "StrOrNull", "meta-type": "alternate", "members": [
        {"type": "str"}, {"type": "null"}]},
    {"name": "BlockRef", "meta-type": "alternate", "members": [
        {"type": "str"}, {"type": "Block"}, {"type": "null"}]},
    {"name": "Where", "meta-type": "alternate", "members": [
        {"type": "Mode"}, {"type": "int"}, {"type": "bool"}, {"type": "[int]"}]},

    {"name": "Block", "meta-type": "object", "tag": "driver",
     "members": [
        {"name": "driver", "type": "Driver"},
        {"name": "node", "type": "str", "default": null}],
     "variants": [
        {"case": "file", "type": "BlockFile"},
        {"case": "host", "type": "BlockHost"},
        {"case": "nbd", "type": "BlockNbd"},
        {"case": "qcow2", "type": "BlockQcow2"}]},
    {"name": "BlockFile", "meta-type": "object", "members": [
        {"name": "filename", "type": "str"}, {"name": "aio", "type": "Mode", "default": null}]},
    {"name": "BlockHost", "meta-type": "object", "members": [
        {"name": "filename", "type": "str"}, {"name": "aio", "type": "bool", "default": null}]},
    {"name": "BlockNbd", "meta-type": "object", "tag": "mode",
     "members": [{"name": "mode", "type": "Mode", "default": null}],
     "variants": [{"case": "on", "type": "Net"}]},
    {"name": "BlockQcow2", "meta-type": "object", "members": [
        {"name": "file", "type": "BlockRef"},
        {"name": "backing", "type": "StrOrNull", "default": null}]},

    {"name": "Scalars", "meta-type": "object", "members": [
        {"name": "name", "type": "str"},
        {"name": "count", "type": "int"},
        {"name": "ratio", "type": "number"},
        {"name": "ready", "type": "bool"},
        {"name": "nothing", "type": "null"},
        {"name": "mode", "type": "Mode"},
        {"name": "only", "type": "Only"},
        {"name": "label", "type": "str", "default": null, "features": ["deprecated"]},
        {"name": "x-flag", "type": "bool", "default": null, "features": ["unstable", "odd"]}]},
    {"name": "Nested", "meta-type": "object", "members": [
        {"name": "net", "type": "Net"},
        {"name": "spare", "type": "Net", "default": null},
        {"name": "names", "type": "[str]"},
        {"name": "nets", "type": "[Net]"},
        {"name": "matrix", "type": "[[int]]"}]},
    {"name": "Raws", "meta-type": "object", "members": [
        {"name": "any", "type": "any"},
        {"name": "dict", "type": "dict", "default": null},
        {"name": "list", "type": "list", "default": null}]},
    {"name": "Wheres", "meta-type": "object", "members": [{"name": "at", "type": "Where"}]},
    {"name": "Nevers", "meta-type": "object", "members": [{"name": "never", "type": "Never"}]},
    {"name": "Blocks", "meta-type": "object", "members": [{"name": "blocks", "type": "[Block]"}]},
    {"name": "Device", "meta-type": "object", "members": [
        {"name": "driver", "type": "str"}, {"name": "id", "type": "str", "default": null}]},

    {"name": "stop", "meta-type": "command", "arg-type": "Nothing", "ret-type": "Nothing"},
    {"name": "scalars", "meta-type": "command", "arg-type": "Scalars", "ret-type": "Nothing"},
    {"name": "nested", "meta-type": "command", "arg-type": "Nested", "ret-type": "Nothing"},
    {"name": "tree", "meta-type": "command", "arg-type": "Tree", "ret-type": "Nothing"},
    {"name": "raws", "meta-type": "command", "arg-type": "Raws", "ret-type": "Nothing"},
    {"name": "where", "meta-type": "command", "arg-type": "Wheres", "ret-type": "Nothing"},
    {"name": "never", "meta-type": "command", "arg-type": "Nevers", "ret-type": "Nothing"},
    {"name": "block", "meta-type": "command", "arg-type": "Block", "ret-type": "Nothing"},
    {"name": "blocks", "meta-type": "command", "arg-type": "Blocks", "ret-type": "Nothing"},
    {"name": "device_add", "meta-type": "command", "arg-type": "Device", "ret-type": "Nothing"}
]"#;

fn schema() -> Schema {
    Schema::parse(SCHEMA).unwrap()
}

/// A form that is being edited, with its schema.
struct Editor {
    schema: Schema,
    form: Form,
}

impl Editor {
    fn new(command: &str) -> Self {
        let schema = schema();
        let form = Form::new(&schema, command).unwrap();
        Self { schema, form }
    }

    /// A form with these texts entered.
    fn with_texts(command: &str, texts: &[(&str, &str)]) -> Self {
        let mut editor = Self::new(command);
        for (at, typed) in texts {
            editor.set(at, typed);
        }
        editor
    }

    /// Reads the arguments, which must be right.
    fn read(command: &str, arguments: &str) -> Self {
        let schema = schema();
        let form = Form::from_json(&schema, command, arguments);
        let form = form.unwrap_or_else(|faults| panic!("{arguments}: {faults:?}"));
        Self { schema, form }
    }

    fn edit(&mut self, at: &str, action: Action) {
        let edit = Edit {
            path: path(at),
            action,
        };
        self.form.apply(&self.schema, edit).unwrap();
    }

    fn set(&mut self, at: &str, typed: &str) {
        self.edit(at, Action::SetText(typed.to_owned()));
    }

    fn choose(&mut self, at: &str, value: &str) {
        self.edit(at, Action::Choose(value.to_owned()));
    }

    /// Makes an edit that is not possible, which changes nothing.
    fn refuse(&mut self, at: &str, action: Action) -> EditProblem {
        let before = self.form.clone();
        let edit = Edit {
            path: path(at),
            action: action.clone(),
        };
        let error = self.form.apply(&self.schema, edit).unwrap_err();
        assert_eq!(error.path, path(at));
        assert_eq!(self.form, before, "{action:?} at {at:?}");
        error.problem
    }

    fn json(&self) -> String {
        self.form.to_json().unwrap()
    }

    fn faults(&self) -> Vec<String> {
        shown(&self.form.to_json().unwrap_err())
    }

    fn text(&self, at: &str) -> Option<&str> {
        self.form.get(&path(at)).map(|node| node.value().text())
    }

    /// The names of the fields of the object there.
    fn names(&self, at: &str) -> Vec<&str> {
        let node = self.form.get(&path(at)).unwrap().value();
        let NodeKind::Object { fields, .. } = &node.kind else {
            panic!("{at:?} is no object");
        };
        fields.iter().map(|field| field.name.as_str()).collect()
    }
}

/// The path that is displayed so.
fn path(displayed: &str) -> Path {
    let mut path = Path::root();
    for part in displayed.split(['.', '[']).filter(|part| !part.is_empty()) {
        path = match part.strip_suffix(']') {
            Some(index) => path.index(index.parse().unwrap()),
            None => path.member(part),
        };
    }
    path
}

/// The faults as displayed.
fn shown(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(Fault::to_string).collect()
}

/// What is wrong with the arguments, which both ways of reading them say.
fn wrong(command: &str, arguments: &str) -> Vec<String> {
    let schema = schema();
    let faults = validate(&schema, command, arguments);
    let refused = Form::from_json(&schema, command, arguments);
    assert_eq!(refused.map(drop).unwrap_err(), faults, "{arguments}");
    shown(&faults)
}
