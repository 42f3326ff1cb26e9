//! Properties of forms on generated schemas, whatever is done to them.

use proptest::prelude::*;
use proptest::sample::Index;
use qmp_shared::command::{
    Action, Edit, Execute, Form, Layout, Node, NodeKind, Path, Step, arguments_from_words,
    line_text, message_text, parse_line, parse_message, shell_word, shell_words, validate,
    words_from_arguments,
};
use qmp_shared::json;
use qmp_shared::schema::{Builtin, Schema, Type};
use serde_json::{Value, json};

const BUILTINS: [&str; 8] = [
    "string", "int", "number", "boolean", "null", "value", "object", "array",
];

/// A reference to any of the schema's types.
type Ref = Index;

/// A type as generated; its name is its place.
#[derive(Clone, Debug)]
enum Shape {
    Enum(usize),
    Array(Ref),
    Object(Vec<(Ref, bool)>),
    /// Members, which enum the tag is of, whether it is optional, and the
    /// object types of the enum's values.
    Union(Vec<(Ref, bool)>, Index, bool, Vec<Option<Index>>),
    Alternate(Vec<Ref>),
}

fn members() -> impl Strategy<Value = Vec<(Ref, bool)>> {
    prop::collection::vec(any::<(Ref, bool)>(), 0..5)
}

fn shape() -> impl Strategy<Value = Shape> {
    let cases = prop::collection::vec(any::<Option<Index>>(), 0..4);
    prop_oneof![
        1 => (0..4_usize).prop_map(Shape::Enum),
        1 => any::<Ref>().prop_map(Shape::Array),
        2 => members().prop_map(Shape::Object),
        3 => (members(), any::<Index>(), any::<bool>(), cases)
            .prop_map(|(members, of, optional, cases)| Shape::Union(members, of, optional, cases)),
        2 => prop::collection::vec(any::<Ref>(), 0..4).prop_map(Shape::Alternate),
    ]
}

/// Shapes in which there is at least one enum and one object.
fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shapes = prop::collection::vec(shape(), 1..12);
    (shapes, members()).prop_map(|(mut shapes, members)| {
        shapes.push(Shape::Enum(2));
        shapes.push(Shape::Object(members));
        shapes
    })
}

/// The schema of the shapes, with two commands.
fn schema_of(shapes: &[Shape], arguments: (Index, Index)) -> Schema {
    let name = |ty: usize| format!("t{ty}");
    let shape_of = |ty: usize| ty.checked_sub(BUILTINS.len()).map(|own| &shapes[own]);
    let any_type = |index: &Ref| index.index(BUILTINS.len() + shapes.len());
    let of_kind = |kind: fn(&Shape) -> bool, index: &Index| {
        let found = (0..shapes.len()).filter(|&own| kind(&shapes[own]));
        index.get(&found.collect::<Vec<_>>()) + BUILTINS.len()
    };
    let an_object = |index: &Index| {
        let kind = |shape: &Shape| matches!(shape, Shape::Object(_) | Shape::Union(..));
        name(of_kind(kind, index))
    };
    // Some names are those of other objects' members too, so that a variant
    // may have one of the same name, and of the same type or another.
    let member = |own: usize, place: usize, ty: usize, optional: bool| {
        let mut member = json!({"name": format!("m{}", (own * 3 + place) % 23), "type": name(ty)});
        if optional {
            member["default"] = Value::Null;
        }
        member
    };
    // Types are told apart by their JSON type; none may be that of another.
    let json_type = |ty: usize| match shape_of(ty) {
        None => match BUILTINS[ty] {
            "int" => Some("number"),
            "value" => None,
            other => Some(other),
        },
        Some(Shape::Enum(_)) => Some("string"),
        Some(Shape::Array(_)) => Some("array"),
        Some(Shape::Object(_) | Shape::Union(..)) => Some("object"),
        Some(Shape::Alternate(_)) => None,
    };

    let builtins = BUILTINS.iter().enumerate().map(
        |(ty, json_type)| json!({"name": name(ty), "meta-type": "builtin", "json-type": json_type}),
    );
    let own = shapes.iter().enumerate().map(|(own, shape)| {
        let members_of = |members: &[(Ref, bool)]| -> Vec<Value> {
            let members = members.iter().enumerate();
            members
                .map(|(place, (ty, optional))| member(own, place, any_type(ty), *optional))
                .collect()
        };
        let mut entry = match shape {
            Shape::Enum(values) => {
                let values: Vec<_> = (0..*values)
                    .map(|it| json!({"name": format!("v{it}")}))
                    .collect();
                json!({"meta-type": "enum", "members": values})
            }
            Shape::Array(ty) => {
                json!({"meta-type": "array", "element-type": name(any_type(ty))})
            }
            Shape::Object(members) => {
                json!({"meta-type": "object", "members": members_of(members)})
            }
            Shape::Union(members, of, optional, cases) => {
                let of = of_kind(|shape| matches!(shape, Shape::Enum(_)), of);
                let mut members = members_of(members);
                let mut tag = member(0, 0, of, *optional);
                tag["name"] = json!(format!("tag{own}"));
                members.push(tag);
                let cases: Vec<_> = cases
                    .iter()
                    .enumerate()
                    .filter_map(|(value, ty)| {
                        let ty = an_object(ty.as_ref()?);
                        Some(json!({"case": format!("v{value}"), "type": ty}))
                    })
                    .collect();
                json!({
                    "meta-type": "object",
                    "members": members,
                    "tag": format!("tag{own}"),
                    "variants": cases,
                })
            }
            Shape::Alternate(choices) => {
                let mut taken: Vec<&str> = Vec::new();
                let mut members = Vec::new();
                for ty in choices.iter().map(any_type).chain([0]) {
                    let json_type = json_type(ty).filter(|json_type| !taken.contains(json_type));
                    if let Some(json_type) = json_type {
                        taken.push(json_type);
                        members.push(json!({"type": name(ty)}));
                    }
                }
                json!({"meta-type": "alternate", "members": members})
            }
        };
        entry["name"] = json!(name(own + BUILTINS.len()));
        entry
    });
    let command = |name: &str, index: &Index| {
        let arguments = an_object(index);
        json!({"name": name, "meta-type": "command", "arg-type": arguments, "ret-type": "t0"})
    };
    let commands = [
        command("device_add", &arguments.0),
        command("other", &arguments.1),
    ];
    let entries: Vec<Value> = builtins.chain(own).chain(commands).collect();
    Schema::parse(&Value::Array(entries).to_string()).unwrap()
}

/// Right and wrong for one type or another.
const TYPED: &[&str] = &[
    "",
    " ",
    "x",
    "7",
    "-0",
    "4K",
    " 0x1f ",
    "1.5",
    "1e400",
    "18446744073709551616",
    "{}",
    "[1, {\"a\": []}]",
    "{\"a\":1,\"a\":2}",
    "{ \"a\": \"b c\" }",
    "[ ]",
    "null",
    "\"\\ud800\"",
    "\u{fffe}",
    "\u{c}1\u{c}",
    "\u{a0}5",
    "[",
    "m1",
    "m2",
];

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(TYPED).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// What an edit is to be, once it is known what there is.
#[derive(Clone, Debug)]
struct Wish {
    place: Index,
    choice: Index,
    typed: String,
    /// Something that may well not be possible.
    odd: Option<Action>,
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let odd = prop_oneof![
        typed().prop_map(Action::SetText),
        any::<bool>().prop_map(Action::SetBool),
        Just(Action::Choose("v1".to_owned())),
        (0..5_usize).prop_map(Action::Branch),
        Just(Action::Add),
        typed().prop_map(Action::AddUndescribed),
        Just(Action::Remove),
        Just(Action::Push),
        (0..3_usize).prop_map(Action::MoveTo),
        Just(Action::Reset),
    ];
    let odd = prop::option::weighted(0.15, odd);
    let wish = (any::<Index>(), any::<Index>(), typed(), odd);
    let wish = wish.prop_map(|(place, choice, typed, odd)| Wish {
        place,
        choice,
        typed,
        odd,
    });
    prop::collection::vec(wish, 0..60)
}

/// All that could be done to the node and what is within, place by place.
fn possible(schema: &Schema, path: &Path, node: &Node, typed: &str, all: &mut Vec<Vec<Edit>>) {
    let value = node.value();
    let mut actions = Vec::new();
    if let Type::Alternate { choices } = schema.ty(node.ty) {
        actions.extend((0..choices.len()).map(Action::Branch));
    }
    match &value.kind {
        NodeKind::Text { .. } | NodeKind::Raw { .. } => {
            let right = match schema.ty(value.ty) {
                Type::Builtin(Builtin::Array) => "[ {} ]",
                Type::Builtin(Builtin::Value | Builtin::Object) => "{\"a\": [1.50]}",
                _ => "12",
            };
            actions.extend([typed, right].map(|text| Action::SetText(text.to_owned())));
        }
        NodeKind::Bool(value) => actions.push(Action::SetBool(!value)),
        NodeKind::Null | NodeKind::Alternate { .. } => actions.push(Action::Reset),
        NodeKind::Choice { .. } => {
            let Type::Enum { values } = schema.ty(value.ty) else {
                panic!("a choice of {:?}", schema.ty(value.ty));
            };
            let values = values.iter().map(|value| value.name.clone());
            actions.extend(values.map(Action::Choose));
        }
        NodeKind::Array { items } => {
            actions.extend([Action::Push, Action::Push]);
            for (index, item) in items.iter().enumerate() {
                let path = path.index(index);
                let edit = |action| Edit {
                    path: path.clone(),
                    action,
                };
                all.push(vec![edit(Action::MoveTo(0)), edit(Action::Remove)]);
                possible(schema, &path, item, typed, all);
            }
        }
        NodeKind::Object { fields, open } => {
            if *open {
                actions.push(Action::AddUndescribed(typed.to_owned()));
            }
            for field in fields {
                let path = path.member(&field.name);
                match &field.node {
                    None => all.push(vec![Edit {
                        path,
                        action: Action::Add,
                    }]),
                    Some(node) => {
                        possible(schema, &path, node, typed, all);
                        let last = all.last_mut().filter(|_| field.optional);
                        last.into_iter().for_each(|edits| {
                            edits.push(Edit {
                                path: path.clone(),
                                action: Action::Remove,
                            });
                        });
                    }
                }
            }
        }
    }
    let edits = actions.into_iter().map(|action| Edit {
        path: path.clone(),
        action,
    });
    all.push(edits.collect());
}

fn edit_of(schema: &Schema, form: &Form, wish: &Wish) -> Option<Edit> {
    let mut all = Vec::new();
    possible(schema, &Path::root(), form.root(), &wish.typed, &mut all);
    all.retain(|edits| !edits.is_empty());
    if all.is_empty() {
        return None;
    }
    let edits: &Vec<Edit> = wish.place.get(&all);
    let mut edit = wish.choice.get(edits).clone();
    if let Some(action) = &wish.odd {
        edit.action = action.clone();
    }
    Some(edit)
}

/// Reading JSON and finding what is wrong with it is one thing.
fn read(schema: &Schema, command: &str, text: &str) -> Result<Form, TestCaseError> {
    let faults = validate(schema, command, text);
    let read = Form::from_json(schema, command, text);
    prop_assert_eq!(
        read.as_ref().err(),
        Some(&faults).filter(|it| !it.is_empty())
    );
    read.map_err(|faults| TestCaseError::fail(format!("{text}: {faults:?}")))
}

/// The steps of the path that lead to members.
fn named_steps(path: &Path) -> Vec<&Step> {
    let steps = path.0.iter();
    steps
        .filter(|step| matches!(step, Step::Member(_)))
        .collect()
}

fn check(schema: &Schema, form: &Form) -> Result<(), TestCaseError> {
    let draft = form.to_draft();
    prop_assert_eq!(json::check_arguments(&draft), Ok(()));
    let again = Form::from_draft(schema, form.command(), &draft);
    let again = again.map_err(|faults| TestCaseError::fail(format!("{draft}: {faults:?}")))?;
    prop_assert_eq!(again.to_draft(), draft.clone());
    // What is missing is still missing, and nothing else.
    let missing = again.to_json().err().unwrap_or_default();
    prop_assert_eq!(
        missing,
        validate(schema, form.command(), &draft),
        "{}",
        draft
    );
    match form.to_json() {
        Ok(text) => {
            prop_assert_eq!(&draft, &text);
            let again = read(schema, form.command(), &text)?;
            prop_assert_eq!(again.to_json(), Ok(text.clone()));
            check_line(schema, form, &text)?;
        }
        Err(faults) => {
            prop_assert!(!faults.is_empty());
            // What is missing in the draft is what has a fault; of arrays it
            // has fewer items.
            for fault in validate(schema, form.command(), &draft) {
                let mut faulty = faults.iter().map(|known| named_steps(&known.path));
                prop_assert!(
                    faulty.any(|known| known == named_steps(&fault.path)),
                    "{fault} in {draft}, not in {faults:?}"
                );
            }
        }
    }
    Ok(())
}

/// Whatever is right by the schema is said by a line, and read from it as it
/// was, but for names at the top that a key cannot have.
fn check_line(schema: &Schema, form: &Form, arguments: &str) -> Result<(), TestCaseError> {
    let command = form.command();
    let line = match line_text(Some(schema), command, true, Some(arguments)) {
        Ok(line) => line,
        Err(fault) => {
            let names = form.fields().iter().map(|field| &field.name);
            let mut names = names.filter(|name| name.is_empty() || name.contains(['.', '=']));
            prop_assert!(names.next().is_some(), "{fault} in {arguments}");
            return Ok(());
        }
    };
    let execute = parse_line(Some(schema), &line);
    let execute = execute.map_err(|fault| TestCaseError::fail(format!("{fault} in {line}")))?;
    prop_assert_eq!((execute.command.as_str(), execute.oob), (command, true));
    let read = read(
        schema,
        command,
        execute.arguments.as_deref().unwrap_or("{}"),
    )?;
    let written = read.to_json();
    prop_assert_eq!(written.as_deref(), Ok(arguments), "{}", line);
    Ok(())
}

/// Any JSON that may be sent, with names and texts that are easily mistaken.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![typed(), "[ -~]{0,6}", Just("a.b=c".to_owned())];
    let scalar = prop_oneof![
        text.clone().prop_map(Value::String),
        any::<Option<bool>>().prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        any::<u64>().prop_map(|it| json!(it)),
        any::<f64>().prop_map(|it| json!(it)),
    ];
    scalar.prop_recursive(5, 30, 4, move |inner| {
        let name = prop_oneof![3 => "[a-c]", 1 => text.clone()];
        let members = prop::collection::btree_map(name, inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Without a schema a line says any JSON, as long as the names at the top
    /// are those of keys.
    #[test]
    fn a_line_says_any_json(members in prop::collection::btree_map("[a-e-]{1,2}", any_json(), 0..5)) {
        let arguments = Value::Object(members.into_iter().collect()).to_string();
        prop_assume!(json::check_arguments(&arguments).is_ok());
        let line = line_text(None, "any", false, Some(&arguments)).unwrap();
        let read = parse_line(None, &line).unwrap();
        prop_assert_eq!(read.arguments.as_deref().unwrap_or("{}"), arguments.as_str());
        let words = words_from_arguments(None, "any", &arguments).unwrap();
        prop_assert_eq!(arguments_from_words(None, "any", &words).unwrap(), arguments);
    }

    #[test]
    fn words_are_quoted_and_come_back(words in prop::collection::vec(any::<String>(), 0..5)) {
        let line: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        prop_assert_eq!(shell_words(&line.join(" ")).unwrap(), words);
    }

    /// A line that can be read is written again as one that says the same.
    #[test]
    fn a_line_that_was_typed_is_written_again(
        shapes in shapes(),
        arguments in any::<(Index, Index)>(),
        members in prop::collection::vec(("m[0-9]{1,2}(\\.m[0-9])?", typed()), 0..4),
    ) {
        let schema = schema_of(&shapes, arguments);
        let words: Vec<String> = members.iter().map(|(key, value)| [key, "=", value].concat()).collect();
        for schema in [Some(&schema), None] {
            let Ok(arguments) = arguments_from_words(schema, "other", &words) else {
                continue;
            };
            let written = words_from_arguments(schema, "other", &arguments).unwrap();
            prop_assert_eq!(arguments_from_words(schema, "other", &written).unwrap(), arguments);
        }
    }

    #[test]
    fn a_form_is_sound_whatever_is_done_to_it(
        shapes in shapes(),
        arguments in any::<(Index, Index)>(),
        wishes in wishes(),
    ) {
        let schema = schema_of(&shapes, arguments);
        for command in schema.commands() {
            // Some types have no form, as one that requires itself.
            let Ok(mut form) = Form::new(&schema, &command.name) else {
                continue;
            };
            check(&schema, &form)?;
            for wish in &wishes {
                let Some(edit) = edit_of(&schema, &form, wish) else {
                    break;
                };
                let before = form.clone();
                if form.apply(&schema, edit).is_err() {
                    prop_assert_eq!(&form, &before);
                }
                check(&schema, &form)?;
            }
            let mut emptied = form;
            let reset = Edit { path: Path::root(), action: Action::Reset };
            emptied.apply(&schema, reset).unwrap();
            prop_assert_eq!(Ok(emptied), Form::new(&schema, &command.name));
        }
    }

    #[test]
    fn what_is_read_is_right_or_has_faults(
        shapes in shapes(),
        arguments in any::<(Index, Index)>(),
        wishes in wishes(),
        text in typed(),
    ) {
        let schema = schema_of(&shapes, arguments);
        let mut texts = vec![text];
        for command in schema.commands() {
            let Ok(mut form) = Form::new(&schema, &command.name) else {
                continue;
            };
            for wish in &wishes {
                if let Some(edit) = edit_of(&schema, &form, wish) {
                    let _ = form.apply(&schema, edit);
                }
            }
            texts.push(form.to_draft());
        }
        // Those of one command are mostly wrong for the other.
        for command in schema.commands() {
            for text in &texts {
                if let Ok(form) = Form::from_draft(&schema, &command.name, text) {
                    // Some numbers are none for serde_json.
                    let values = [&form.to_draft(), text].map(|it| serde_json::from_str::<Value>(it));
                    if let [Ok(draft), Ok(given)] = values {
                        prop_assert_eq!(draft, given, "{}", text);
                    }
                }
                if validate(&schema, &command.name, text).is_empty() {
                    let form = read(&schema, &command.name, text)?;
                    let written = form.to_json();
                    prop_assert!(written.is_ok(), "{text}: {written:?}");
                    check(&schema, &form)?;
                } else {
                    prop_assert!(Form::from_json(&schema, &command.name, text).is_err());
                }
            }
        }
    }

    #[test]
    fn a_message_is_read_as_it_was_written(
        command in any::<String>(),
        oob in any::<bool>(),
        members in prop::collection::vec((any::<String>(), typed()), 0..4),
    ) {
        let members: serde_json::Map<String, Value> = members
            .into_iter()
            .map(|(name, value)| (name, json!([value, {"n": -1.5, "none": null}, []])))
            .collect();
        let arguments = Value::Object(members).to_string();
        let sendable = json::check_arguments(&arguments).is_ok()
            && json::check(&json!(command).to_string()).is_ok();
        for layout in [Layout::Compact, Layout::Pretty] {
            let text = message_text(&command, oob, Some(&arguments), layout);
            let read = parse_message(&text);
            prop_assert_eq!(read.is_ok(), sendable);
            if let Ok(read) = read {
                let arguments_read = read.arguments.as_deref().map(json::compact);
                prop_assert_eq!(arguments_read.as_deref(), Some(arguments.as_str()));
                let expected = Execute { command: command.clone(), oob, id: None, ..read.clone() };
                prop_assert_eq!(read, expected);
            }
        }
    }
}
