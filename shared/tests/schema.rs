//! Schemas: how their entries are resolved, what makes no sense, and what a
//! label says of a type.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use qmp_shared::schema::{Builtin, Features, Member, Schema, SchemaError, Type, TypeId};

const SCHEMA: &str = r#"[
    {"name": "set", "meta-type": "command", "arg-type": "Settings", "ret-type": "[str]"},
    {"name": "ALARM", "meta-type": "event", "arg-type": "Settings",
     "features": ["unstable", "odd", "deprecated", "even"]},
    {"name": "query", "meta-type": "command", "arg-type": "None", "ret-type": "str",
     "allow-oob": true, "features": ["deprecated"], "new-key": {}},
    {"name": "get", "meta-type": "command", "arg-type": "None", "ret-type": "str",
     "allow-oob": false, "success-response": false},
    {"name": "device_add", "meta-type": "command", "arg-type": "None", "ret-type": "None"},
    {"name": "ABORT", "meta-type": "event", "arg-type": "None"},
    {"name": "Settings", "meta-type": "object", "tag": "mode", "members": [
        {"name": "label", "type": "str", "default": null, "features": ["unstable"]},
        {"name": "mode", "type": "Mode"},
        {"name": "next", "type": "Settings", "default": null}],
     "variants": [{"case": "on", "type": "None"}, {"case": "off", "type": "Settings"}]},
    {"name": "Mode", "meta-type": "enum", "values": ["ignored"],
     "members": [{"name": "on"}, {"name": "off", "features": ["deprecated"]}]},
    {"name": "None", "meta-type": "object", "members": [], "features": ["odd"]},
    {"name": "[str]", "meta-type": "array", "element-type": "str"},
    {"name": "StrOrNull", "meta-type": "alternate", "members": [
        {"type": "str"}, {"type": "null"}]},
    {"name": "str", "meta-type": "builtin", "json-type": "string"},
    {"name": "null", "meta-type": "builtin", "json-type": "null"}
]"#;

fn parse(json: &str) -> Schema {
    Schema::parse(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// The type of the only member of the arguments of `c`.
fn type_of_member(schema: &Schema) -> TypeId {
    let arguments = schema.command("c").unwrap().arguments;
    schema.object(arguments).unwrap().members[0].ty
}

/// A schema of built-in types, these entries and a command `c`, the only
/// member of whose arguments is of type `T`.
fn around(entries: &str) -> String {
    let mut all: Vec<String> = [
        "string", "number", "int", "boolean", "null", "object", "array", "value",
    ]
    .map(|ty| format!(r#"{{"name": "{ty}", "meta-type": "builtin", "json-type": "{ty}"}}"#))
    .into();
    all.push(entries.to_owned());
    all.push(
        r#"{"name": "A", "meta-type": "object", "members": [{"name": "m", "type": "T"}]}"#.into(),
    );
    all.push(r#"{"name": "c", "meta-type": "command", "arg-type": "A", "ret-type": "A"}"#.into());
    all.retain(|entry| !entry.is_empty());
    format!("[{}]", all.join(","))
}

fn describe(entries: &str) -> String {
    let schema = parse(&around(entries));
    schema.describe(type_of_member(&schema))
}

#[test]
fn commands_and_events_are_sorted_and_found() {
    let schema = parse(SCHEMA);
    let names: Vec<_> = schema
        .commands()
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["device_add", "get", "query", "set"]);
    let names: Vec<_> = schema.events().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["ABORT", "ALARM"]);
    for command in schema.commands() {
        assert_eq!(schema.command(&command.name), Some(command));
    }
    for event in schema.events() {
        assert_eq!(schema.event(&event.name), Some(event));
    }
    for unknown in ["", "ALARM", "Settings", "gets", "zzz"] {
        assert_eq!(schema.command(unknown), None, "{unknown}");
    }
    for unknown in ["", "get", "alarm", "Settings"] {
        assert_eq!(schema.event(unknown), None, "{unknown}");
    }
}

#[test]
fn commands_say_how_they_are_executed() {
    let schema = parse(SCHEMA);
    let said: Vec<_> = schema
        .commands()
        .iter()
        .map(|it| (it.name.as_str(), it.allow_oob, it.open))
        .collect();
    let expected = [
        ("device_add", false, true),
        ("get", false, false),
        ("query", true, false),
        ("set", false, false),
    ];
    assert_eq!(said, expected);
}

#[test]
fn references_are_resolved_whatever_the_order() {
    let schema = parse(SCHEMA);
    let set = schema.command("set").unwrap();
    let Type::Array(element) = *schema.ty(set.returns) else {
        panic!("{:?}", schema.ty(set.returns));
    };
    assert_eq!(*schema.ty(element), Type::Builtin(Builtin::String));
    let settings = schema.object(set.arguments).unwrap();
    assert_eq!(schema.event("ALARM").unwrap().data, set.arguments);

    let [label, mode, next] = settings.members.as_slice() else {
        panic!("{settings:?}");
    };
    assert_eq!(
        *label,
        Member {
            name: "label".into(),
            ty: element,
            optional: true,
            features: Features {
                unstable: true,
                ..Features::default()
            },
        }
    );
    assert_eq!((mode.name.as_str(), mode.optional), ("mode", false));
    // It refers to itself.
    assert_eq!((next.ty, next.optional), (set.arguments, true));

    let union = settings.union.as_ref().unwrap();
    assert_eq!(union.tag, 1);
    let nothing = schema.command("get").unwrap().arguments;
    assert_eq!(settings.variant("on").unwrap().ty, nothing);
    assert_eq!(settings.variant("off").unwrap().ty, set.arguments);
    assert_eq!(settings.variant("ON"), None);
    let nothing = schema.object(nothing).unwrap();
    assert!(nothing.members.is_empty() && nothing.union.is_none());
    assert_eq!(nothing.variant("on"), None);
    assert_eq!(schema.object(element), None);
}

#[test]
fn every_json_type_is_known() {
    for (name, builtin) in [
        ("string", Builtin::String),
        ("number", Builtin::Number),
        ("int", Builtin::Int),
        ("boolean", Builtin::Boolean),
        ("null", Builtin::Null),
        ("object", Builtin::Object),
        ("array", Builtin::Array),
        ("value", Builtin::Value),
    ] {
        let schema = parse(&around("").replace("\"T\"", &format!("{name:?}")));
        assert_eq!(*schema.ty(type_of_member(&schema)), Type::Builtin(builtin));
    }
}

#[test]
fn features_are_read_wherever_they_are() {
    let schema = parse(SCHEMA);
    let alarm = &schema.event("ALARM").unwrap().features;
    let expected = Features {
        deprecated: true,
        unstable: true,
        other: vec!["odd".into(), "even".into()],
    };
    assert_eq!(*alarm, expected);
    assert!(!alarm.is_empty());
    assert!(schema.command("query").unwrap().features.deprecated);
    assert!(schema.command("get").unwrap().features.is_empty());
    let nothing = schema.command("get").unwrap().arguments;
    assert_eq!(schema.type_features(nothing).other, ["odd"]);
    let settings = schema.command("set").unwrap().arguments;
    assert!(schema.type_features(settings).is_empty());
}

#[test]
fn an_enums_values_are_listed_in_both_ways() {
    let values = |entry: &str| -> Vec<(String, bool)> {
        let schema = parse(&around(entry));
        let Type::Enum { values } = schema.ty(type_of_member(&schema)) else {
            panic!("{entry} is no enum");
        };
        let values = values.iter();
        values
            .map(|value| (value.name.clone(), value.features.deprecated))
            .collect()
    };
    let new = r#"{"name": "T", "meta-type": "enum", "values": ["x"],
        "members": [{"name": "b"}, {"name": "a", "features": ["deprecated"]}]}"#;
    assert_eq!(values(new), [("b".into(), false), ("a".into(), true)]);
    let old = r#"{"name": "T", "meta-type": "enum", "values": ["b", "a"]}"#;
    assert_eq!(values(old), [("b".into(), false), ("a".into(), false)]);
    let none = r#"{"name": "T", "meta-type": "enum", "values": []}"#;
    assert_eq!(values(none), []);
}

/// QAPI does not allow two, but a schema may be anybody's.
#[test]
fn of_choices_of_one_json_type_the_first_counts() {
    for (members, count) in [
        (r#"{"type": "A"}, {"type": "string"}, {"type": "A"}"#, 2),
        (r#"{"type": "string"}, {"type": "string"}"#, 1),
    ] {
        let entry = format!(r#"{{"name": "T", "meta-type": "alternate", "members": [{members}]}}"#);
        let schema = parse(&around(&entry));
        let Type::Alternate { choices } = schema.ty(type_of_member(&schema)) else {
            panic!("no alternate");
        };
        assert_eq!(choices.len(), count, "{members}");
    }
}

#[test]
fn an_alternate_has_its_choices_in_order() {
    let entry = r#"{"name": "T", "meta-type": "alternate", "members": [
        {"type": "null"}, {"type": "A"}, {"type": "string"}]}"#;
    let schema = parse(&around(entry));
    let Type::Alternate { choices } = schema.ty(type_of_member(&schema)) else {
        panic!("no alternate");
    };
    let [null, object, string] = choices.as_slice() else {
        panic!("{choices:?}");
    };
    assert_eq!(*schema.ty(*null), Type::Builtin(Builtin::Null));
    assert_eq!(*object, schema.command("c").unwrap().arguments);
    assert_eq!(*schema.ty(*string), Type::Builtin(Builtin::String));
}

#[test]
fn an_id_of_another_schema_is_no_fault() {
    let many = parse(SCHEMA);
    let far = many.command("set").unwrap().returns;
    let one = r#"[{"name": "s", "meta-type": "builtin", "json-type": "string"}]"#;
    let one = parse(one);
    assert_eq!(*one.ty(far), Type::Builtin(Builtin::Value));
    assert!(one.type_features(far).is_empty());
    assert_eq!(one.object(far), None);
    assert_eq!(one.describe(far), "any value");
}

#[test]
fn a_label_says_what_a_type_is() {
    for (ty, expected) in [
        ("string", "string"),
        ("number", "number"),
        ("int", "integer"),
        ("boolean", "boolean"),
        ("null", "null"),
        ("object", "any object"),
        ("array", "any array"),
        ("value", "any value"),
        ("A", "object"),
    ] {
        let array = format!(r#"{{"name": "T", "meta-type": "array", "element-type": "{ty}"}}"#);
        assert_eq!(describe(&array), format!("array of {expected}"));
    }
    let empty = r#"{"name": "T", "meta-type": "object", "members": []}"#;
    assert_eq!(describe(empty), "empty object");
    let alternate = r#"{"name": "T", "meta-type": "alternate", "members": [
        {"type": "string"}, {"type": "null"}, {"type": "A"}]}"#;
    assert_eq!(describe(alternate), "string or null or object");
}

#[test]
fn a_label_names_some_of_an_enums_values() {
    let of = |values: &str| {
        describe(&format!(
            r#"{{"name": "T", "meta-type": "enum", "values": [{values}]}}"#
        ))
    };
    assert_eq!(of(""), "enum:");
    assert_eq!(of(r#""a""#), "enum: a");
    let six = r#""a", "b", "c", "d", "e", "f""#;
    assert_eq!(of(six), "enum: a | b | c | d | e | f");
    assert_eq!(
        of(&format!("{six}, \"g\"")),
        "enum: a | b | c | d | e | f | …"
    );
}

#[test]
fn a_label_has_an_end() {
    let endless = r#"{"name": "T", "meta-type": "array", "element-type": "T"}"#;
    assert_eq!(describe(endless), "array of array of array of array of …");
    // However many choices there are, and whatever they lead to.
    let wide = r#"{"name": "T", "meta-type": "alternate", "members": [
            {"type": "L"}, {"type": "A"}, {"type": "null"}, {"type": "string"}]},
            {"name": "L", "meta-type": "array", "element-type": "T"}"#;
    let said = describe(wide);
    assert!(said.len() < 1000, "{} bytes", said.len());
    assert!(said.contains('…'), "{said}");
}

#[test]
fn what_is_no_array_is_no_schema() {
    let error = Schema::parse("[").unwrap_err();
    assert!(matches!(error, SchemaError::NotJson(_)), "{error:?}");
    assert_eq!(error.to_string(), "the schema is not JSON");
    assert!(std::error::Error::source(&error).is_some());
    for json in ["{}", "null", "\"[]\""] {
        let error = Schema::parse(json).unwrap_err();
        assert!(matches!(error, SchemaError::NotAnArray), "{error:?}");
    }
    assert!(parse("[]").commands().is_empty());
    let deep = "[".repeat(1_000_000);
    assert!(matches!(Schema::parse(&deep), Err(SchemaError::NotJson(_))));
}

/// What is said of an entry that comes after three good ones.
fn problem(entry: &str) -> String {
    let json = format!(
        r#"[{{"name": "str", "meta-type": "builtin", "json-type": "string"}},
            {{"name": "Mode", "meta-type": "enum", "members": []}},
            {{"name": "None", "meta-type": "object", "members": []}},
            {entry}]"#
    );
    let error = Schema::parse(&json).unwrap_err();
    let SchemaError::Entry { index: 3, .. } = &error else {
        panic!("{entry}: {error:?}");
    };
    error.to_string()
}

#[test]
fn an_entry_without_its_name_is_named_by_its_place() {
    for (entry, expected) in [
        ("7", "schema entry 3: not an object"),
        ("[]", "schema entry 3: not an object"),
        ("{}", "schema entry 3: \"meta-type\" is missing"),
        (
            r#"{"meta-type": "enum"}"#,
            "schema entry 3: \"name\" is missing",
        ),
        (
            r#"{"meta-type": "enum", "name": 1}"#,
            "schema entry 3: \"name\" is not a string",
        ),
    ] {
        assert_eq!(problem(entry), expected);
    }
}

#[test]
fn an_entry_that_makes_no_sense_is_named() {
    for (fields, expected) in [
        // Of any kind.
        (r#""meta-type": 1"#, r#""meta-type" is not a string"#),
        (r#""meta-type": "class""#, r#"unknown meta-type "class""#),
        (
            r#""meta-type": "enum", "members": [], "features": "x""#,
            r#""features" is not an array"#,
        ),
        (
            r#""meta-type": "enum", "members": [], "features": [1]"#,
            r#""features" is not an array of strings"#,
        ),
        // Types.
        (r#""meta-type": "builtin""#, r#""json-type" is missing"#),
        (
            r#""meta-type": "builtin", "json-type": "uint""#,
            r#"unknown json-type "uint""#,
        ),
        (r#""meta-type": "enum""#, r#""values" is missing"#),
        (
            r#""meta-type": "enum", "values": [1]"#,
            r#""values" is not an array of strings"#,
        ),
        (
            r#""meta-type": "enum", "values": ["a", "b", "a"]"#,
            r#"duplicate name "a""#,
        ),
        (
            r#""meta-type": "enum", "members": {}"#,
            r#""members" is not an array"#,
        ),
        (
            r#""meta-type": "enum", "members": ["a"]"#,
            r#""members" is not an array of objects"#,
        ),
        (
            r#""meta-type": "enum", "members": [{"name": "a"}, {"name": "a"}]"#,
            r#"duplicate name "a""#,
        ),
        (
            r#""meta-type": "enum", "members": [{}]"#,
            r#""name" is missing"#,
        ),
        (r#""meta-type": "array""#, r#""element-type" is missing"#),
        (
            r#""meta-type": "array", "element-type": "No""#,
            r#""element-type" refers to type "No", which is not there"#,
        ),
        // A command is no type.
        (
            r#""meta-type": "array", "element-type": "E"}, {"name": "E", "meta-type": "event",
               "arg-type": "None""#,
            r#""element-type" refers to type "E", which is not there"#,
        ),
        (r#""meta-type": "object""#, r#""members" is missing"#),
        (
            r#""meta-type": "object", "members": [{"name": "m"}]"#,
            r#""type" is missing"#,
        ),
        (
            r#""meta-type": "object", "members": [{"name": "m", "type": "No"}]"#,
            r#""m" refers to type "No", which is not there"#,
        ),
        (
            r#""meta-type": "object",
               "members": [{"name": "m", "type": "str"}, {"name": "m", "type": "str"}]"#,
            r#"duplicate name "m""#,
        ),
        (
            r#""meta-type": "object", "members": [], "variants": []"#,
            r#""tag" is missing"#,
        ),
        (
            r#""meta-type": "object", "members": [], "tag": "t", "variants": []"#,
            r#"the tag "t" is not a member"#,
        ),
        (
            r#""meta-type": "object", "members": [{"name": "t", "type": "str"}],
               "tag": "t", "variants": []"#,
            r#"the tag "t" is not of an enum type"#,
        ),
        (
            r#""meta-type": "object", "members": [{"name": "t", "type": "Mode"}], "tag": "t""#,
            r#""variants" is missing"#,
        ),
        (
            r#""meta-type": "object", "members": [{"name": "t", "type": "Mode"}], "tag": "t",
               "variants": [{"case": "a", "type": "str"}]"#,
            r#""type" refers to "str", which is not an object type"#,
        ),
        (
            r#""meta-type": "object", "members": [{"name": "t", "type": "Mode"}], "tag": "t",
               "variants": [{"case": "a", "type": "None"}, {"case": "a", "type": "None"}]"#,
            r#"duplicate name "a""#,
        ),
        (r#""meta-type": "alternate", "members": []"#, "no choices"),
        (
            r#""meta-type": "alternate", "members": [{"type": "X"}]"#,
            r#""type" refers to "X", which is not told apart by its JSON type"#,
        ),
        // Commands and events.
        (
            r#""meta-type": "command", "ret-type": "str""#,
            r#""arg-type" is missing"#,
        ),
        (
            r#""meta-type": "command", "arg-type": "Mode", "ret-type": "str""#,
            r#""arg-type" refers to "Mode", which is not an object type"#,
        ),
        (
            r#""meta-type": "command", "arg-type": "None", "ret-type": "No""#,
            r#""ret-type" refers to type "No", which is not there"#,
        ),
        (
            r#""meta-type": "command", "arg-type": "None", "ret-type": "str", "allow-oob": 1"#,
            r#""allow-oob" is not a boolean"#,
        ),
        (
            r#""meta-type": "event", "arg-type": "str""#,
            r#""arg-type" refers to "str", which is not an object type"#,
        ),
    ] {
        let said = problem(&format!(r#"{{"name": "X", {fields}}}"#));
        assert_eq!(
            said,
            format!("schema entry 3 (\"X\"): {expected}"),
            "{fields}"
        );
    }
    for meta in ["command", "event", "object"] {
        let entry = format!(
            r#"{{"name": "None", "meta-type": "{meta}", "members": [], "arg-type": "None",
                "ret-type": "str"}}"#
        );
        let expected = "schema entry 3 (\"None\"): duplicate name \"None\"";
        assert_eq!(problem(&entry), expected);
    }
}
