//! [`Schema`] and its forms: any schema that is accepted has forms that are
//! bounded, and JSON that they read as they wrote it.
//!
//! An input is the schema and, after a line of `---`, arguments.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use qmp_shared::command::{Action, Edit, Form, Path, validate};
use qmp_shared::json;
use qmp_shared::schema::{Schema, Type, TypeId};

/// How many arguments of a command are edited.
const EDITED: usize = 4;

fuzz_target!(|input: &str| {
    let (text, arguments) = input.split_once("\n---\n").unwrap_or((input, "{}"));
    let Ok(schema) = Schema::parse(text) else {
        return;
    };
    for event in schema.events() {
        assert!(schema.event(&event.name).is_some());
        description(&schema, event.data, text);
    }
    let mut seen = HashSet::new();
    for command in schema.commands() {
        assert_eq!(schema.command(&command.name), Some(command));
        description(&schema, command.returns, text);
        // Those of one type have one form.
        if !seen.insert((command.arguments, command.open)) {
            continue;
        }
        if let Ok(form) = Form::new(&schema, &command.name) {
            written(&schema, &form, text);
            edited(&schema, form, text);
        }
        read(&schema, &command.name, arguments);
    }
});

/// An alternate of arrays of alternates of enums is the longest of all: six
/// times six times six names, and what stands between them.
fn description(schema: &Schema, ty: TypeId, text: &str) {
    let description = schema.describe(ty);
    assert!(description.len() <= 216 * (text.len() + 4) + 1024);
}

fn written(schema: &Schema, form: &Form, text: &str) {
    let draft = form.to_draft();
    assert_eq!(json::check_arguments(&draft), Ok(()));
    match form.to_json() {
        Ok(json) => {
            assert_eq!(json, draft);
            read(schema, form.command(), &json);
            let again = Form::from_json(schema, form.command(), &json);
            let again = again.expect("what a form wrote is read");
            assert_eq!(again.to_json().as_deref(), Ok(json.as_str()));
        }
        Err(faults) => assert!(!faults.is_empty()),
    }
    for field in form.fields() {
        description(schema, field.ty, text);
    }
}

/// Reading and validating are of one mind.
fn read(schema: &Schema, command: &str, arguments: &str) {
    let faults = validate(schema, command, arguments);
    match Form::from_json(schema, command, arguments) {
        Ok(form) => {
            assert_eq!(faults, []);
            assert_eq!(form.to_json(), Ok(form.to_draft()));
        }
        Err(found) => assert_eq!(faults, found),
    }
}

/// Enters something for some arguments; what is refused changes nothing.
fn edited(schema: &Schema, mut form: Form, text: &str) {
    let fields: Vec<_> = form
        .fields()
        .iter()
        .take(EDITED)
        .map(|field| (field.name.clone(), field.ty))
        .collect();
    for (name, ty) in fields {
        let mut actions = vec![Action::Add, Action::Push, Action::SetText("7".to_owned())];
        match schema.ty(ty) {
            Type::Enum { values } => {
                let last = values.last().map(|value| value.name.clone());
                actions.extend(last.map(Action::Choose));
            }
            Type::Alternate { choices } => {
                actions.push(Action::Branch(choices.len() - 1));
                actions.push(Action::SetText("8".to_owned()));
            }
            _ => {}
        }
        for action in actions {
            let path = Path::root().member(&name);
            let before = form.clone();
            if form.apply(schema, Edit { path, action }).is_err() {
                assert_eq!(form, before);
            }
        }
        written(schema, &form, text);
    }
}
