//! What an empty form shows.

use qmp_shared::command::{Action, Form, FormError, NodeKind};
use qmp_shared::schema::{Builtin, Features, Schema, Type};

use super::{Editor, path, schema};

#[test]
fn required_members_are_there_and_optional_ones_are_not() {
    let editor = Editor::new("scalars");
    let fields = editor.form.fields();
    let there: Vec<_> = fields
        .iter()
        .map(|field| (field.name.as_str(), field.optional, field.node.is_some()))
        .collect();
    assert_eq!(
        there,
        [
            ("name", false, true),
            ("count", false, true),
            ("ratio", false, true),
            ("ready", false, true),
            ("nothing", false, true),
            ("mode", false, true),
            ("only", false, true),
            ("label", true, false),
            ("x-flag", true, false),
        ]
    );
    assert!(fields.iter().all(|field| field.described && !field.tag));
    assert_eq!(editor.form.command(), "scalars");
}

#[test]
fn each_type_has_its_kind() {
    let text = |builtin| {
        let text = None;
        NodeKind::Text { builtin, text }
    };
    let raw = |builtin| {
        let text = String::new();
        NodeKind::Raw { builtin, text }
    };
    let mut scalars = Editor::new("scalars");
    scalars.edit("x-flag", Action::Add);
    let mut raws = Editor::new("raws");
    raws.edit("dict", Action::Add);
    raws.edit("list", Action::Add);
    for (editor, at, expected) in [
        (&scalars, "name", text(Builtin::String)),
        (&scalars, "count", text(Builtin::Int)),
        (&scalars, "ratio", text(Builtin::Number)),
        (&scalars, "x-flag", NodeKind::Bool(false)),
        (&scalars, "nothing", NodeKind::Null),
        (&scalars, "mode", NodeKind::Choice { chosen: None }),
        (&raws, "any", raw(Builtin::Value)),
        (&raws, "dict", raw(Builtin::Object)),
        (&raws, "list", raw(Builtin::Array)),
    ] {
        assert_eq!(editor.form.get(&path(at)).unwrap().kind, expected, "{at}");
    }
    let nested = Editor::new("nested");
    let matrix = &nested.form.get(&path("matrix")).unwrap().kind;
    assert_eq!(*matrix, NodeKind::Array { items: Vec::new() });
    assert_eq!(nested.names("net"), ["host", "port"]);
    let at = Editor::new("where");
    let at = at.form.get(&path("at")).unwrap();
    assert!(matches!(&at.kind, NodeKind::Alternate { branch: 0, .. }));
    assert!(matches!(at.value().kind, NodeKind::Choice { chosen: None }));
}

#[test]
fn the_only_value_of_an_enum_is_chosen() {
    assert_eq!(Editor::new("scalars").text("only"), Some("one"));
    assert_eq!(Editor::new("scalars").text("mode"), Some(""));
}

#[test]
fn features_are_the_members_own() {
    let editor = Editor::new("scalars");
    let features = |name: &str| {
        let mut fields = editor.form.fields().iter();
        fields
            .find(|field| field.name == name)
            .unwrap()
            .features
            .clone()
    };
    assert!(features("name").is_empty());
    let label = features("label");
    assert!(label.deprecated && !label.unstable);
    assert_eq!(
        features("x-flag"),
        Features {
            deprecated: false,
            unstable: true,
            other: vec!["odd".into()],
        }
    );
}

#[test]
fn a_union_shows_its_variant_once_the_tag_is_chosen() {
    let mut editor = Editor::new("block");
    assert_eq!(editor.names(""), ["driver", "node"]);
    let tags: Vec<_> = editor.form.fields().iter().map(|field| field.tag).collect();
    assert_eq!(tags, [true, false]);
    editor.choose("driver", "file");
    assert_eq!(editor.names(""), ["driver", "node", "filename", "aio"]);
}

#[test]
fn device_add_alone_is_open() {
    for command in schema().commands() {
        let editor = Editor::new(&command.name);
        let NodeKind::Object { open, .. } = &editor.form.root().kind else {
            panic!("{} is no object", command.name);
        };
        assert_eq!(*open, command.name == "device_add", "{}", command.name);
    }
}

#[test]
fn paths_lead_through_alternates_and_only_to_what_is_there() {
    let arguments = r#"{"driver":"qcow2","file":{"driver":"file","filename":"f"}}"#;
    let block = Editor::read("block", arguments);
    assert_eq!(block.text("file.filename"), Some("f"));
    let file = block.form.get(&path("file")).unwrap();
    let value = file.value();
    assert_ne!(file.ty, value.ty);
    assert!(matches!(block.schema.ty(file.ty), Type::Alternate { .. }));
    assert!(matches!(block.schema.ty(value.ty), Type::Object(_)));
    for nowhere in ["node", "backing", "no", "file.filename.x", "file[0]", "[0]"] {
        assert_eq!(block.form.get(&path(nowhere)), None, "{nowhere}");
    }
    let nested = r#"{"net":{"host":"h"},"names":["a","b"],"nets":[],"matrix":[[1],[2,3]]}"#;
    let nested = Editor::read("nested", nested);
    assert_eq!(nested.text("names[1]"), Some("b"));
    assert_eq!(nested.text("matrix[1][0]"), Some("2"));
    assert_eq!(nested.form.get(&path("names[2]")), None);
    assert_eq!(nested.form.get(&path("")), Some(nested.form.root()));
    assert_eq!(path("matrix[1][0]").to_string(), "matrix[1][0]");
    assert_eq!(path("file.filename").to_string(), "file.filename");
}

#[test]
fn there_is_no_form_without_a_command() {
    let error = Form::new(&schema(), "launch").unwrap_err();
    assert_eq!(error, FormError::UnknownCommand("launch".into()));
    assert_eq!(error.to_string(), "the endpoint has no command \"launch\"");
    let empty = Schema::parse("[]").unwrap();
    Form::new(&empty, "stop").unwrap_err();
}
