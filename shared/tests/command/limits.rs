//! The limits of forms, and schemas made to pass them.

use qmp_shared::command::{
    Action, Edit, EditProblem, Form, FormError, MAX_DEPTH, MAX_PARTS, Path, validate,
};
use qmp_shared::json;
use qmp_shared::schema::Schema;

use super::{Editor, path, schema, shown, wrong};

/// A schema of these types, with a command `c` that takes `A`.
fn of_types(types: &[String]) -> Schema {
    let rest = r#"{"name": "str", "meta-type": "builtin", "json-type": "string"},
        {"name": "Pick", "meta-type": "enum", "members": [{"name": "x"}, {"name": "y"}]},
        {"name": "c", "meta-type": "command", "arg-type": "A", "ret-type": "str"}"#;
    Schema::parse(&format!("[{},{rest}]", types.join(","))).unwrap()
}

fn object(name: &str, members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, ty)| format!(r#"{{"name": "{name}", "type": "{ty}"}}"#))
        .collect();
    let members = members.join(",");
    format!(r#"{{"name": "{name}", "meta-type": "object", "members": [{members}]}}"#)
}

/// A union over `Pick`, whose value `x` adds the members of another type.
fn union(name: &str, tag: &str, member: (&str, &str), variant: &str) -> String {
    format!(
        r#"{{"name": "{name}", "meta-type": "object", "tag": "{tag}",
            "members": [{{"name": "{tag}", "type": "Pick"}},
                {{"name": "{}", "type": "{}"}}],
            "variants": [{{"case": "x", "type": "{variant}"}}]}}"#,
        member.0, member.1
    )
}

fn choose(schema: &Schema, form: &mut Form, at: &str) -> Result<(), EditProblem> {
    let edit = Edit {
        path: path(at),
        action: Action::Choose("x".into()),
    };
    form.apply(schema, edit).map_err(|error| error.problem)
}

#[test]
fn a_type_that_requires_itself_has_no_form() {
    let schema = of_types(&[object("A", &[("a", "A")])]);
    assert_eq!(Form::new(&schema, "c"), Err(FormError::TooDeep));
    let alternate = r#"{"name": "Or", "meta-type": "alternate",
        "members": [{"type": "A"}, {"type": "str"}]}"#;
    let schema = of_types(&[object("A", &[("a", "Or")]), alternate.into()]);
    assert_eq!(Form::new(&schema, "c"), Err(FormError::TooDeep));
    // It can be read, since the text ends.
    let read = Form::from_json(&schema, "c", r#"{"a":{"a":"end"}}"#).unwrap();
    assert_eq!(read.to_json().unwrap(), r#"{"a":{"a":"end"}}"#);
}

#[test]
fn a_type_that_doubles_at_each_level_is_too_large() {
    let name = |level: usize| {
        if level == 0 {
            "A".into()
        } else {
            format!("L{level}")
        }
    };
    let mut types: Vec<String> = (0..40)
        .map(|level| {
            let next: String = name(level + 1);
            object(&name(level), &[("l", &next), ("r", &next)])
        })
        .collect();
    types.push(object("L40", &[]));
    let schema = of_types(&types);
    assert_eq!(Form::new(&schema, "c"), Err(FormError::TooLarge));
}

#[test]
fn a_form_is_edited_and_read_no_deeper_than_its_levels() {
    let mut editor = Editor::with_texts("tree", &[("value", "")]);
    let mut at = Path::root();
    let mut levels = 0;
    let add = |path: &Path| Edit {
        path: path.member("child"),
        action: Action::Add,
    };
    while levels <= MAX_DEPTH && editor.form.apply(&editor.schema, add(&at)).is_ok() {
        at = at.member("child");
        levels += 1;
        let typed = Edit {
            path: at.member("value"),
            action: Action::SetText("v".into()),
        };
        editor.form.apply(&editor.schema, typed).unwrap();
    }
    // The last level is that of the members of the last child.
    assert_eq!(levels, MAX_DEPTH - 1);
    let problem = editor.refuse(&at.member("child").to_string(), Action::Add);
    assert_eq!(problem, EditProblem::Form(FormError::TooDeep));

    let arguments = editor.json();
    assert_eq!(Editor::read("tree", &arguments).form, editor.form);
    let deeper = format!(r#"{{"value":"","child":{arguments},"children":[]}}"#);
    assert_eq!(
        wrong("tree", &deeper),
        ["nested deeper than a form's 100 levels"]
    );
}

/// Arrays and alternates are levels too, edited and read alike.
#[test]
fn arrays_and_alternates_count_as_levels() {
    let two_each = MAX_DEPTH / 2 - 1;

    let mut editor = Editor::with_texts("tree", &[("value", "")]);
    let mut at = "children".to_owned();
    for _ in 0..two_each {
        editor.edit(&at, Action::Push);
        editor.set(&format!("{at}[0].value"), "v");
        at.push_str("[0].children");
    }
    let too_deep = EditProblem::Form(FormError::TooDeep);
    assert_eq!(editor.refuse(&at, Action::Push), too_deep);
    let arguments = editor.json();
    assert_eq!(Editor::read("tree", &arguments).form, editor.form);
    let deeper = format!(r#"{{"value":"","children":[{arguments}]}}"#);
    let fault = "nested deeper than a form's 100 levels";
    assert_eq!(wrong("tree", &deeper), [fault]);

    let mut editor = Editor::new("block");
    let mut at = String::new();
    for _ in 0..two_each {
        editor.choose(&format!("{at}driver"), "qcow2");
        editor.edit(&format!("{at}file"), Action::Branch(1));
        at.push_str("file.");
    }
    editor.choose(&format!("{at}driver"), "qcow2");
    let file = format!("{at}file");
    assert_eq!(editor.refuse(&file, Action::Branch(1)), too_deep);
    editor.set(&file, "f");
    let arguments = editor.json();
    assert_eq!(Editor::read("block", &arguments).form, editor.form);
    let deeper = format!(r#"{{"driver":"qcow2","file":{arguments}}}"#);
    assert_eq!(wrong("block", &deeper), [fault]);
}

#[test]
fn raw_json_may_be_nested_deeper_but_not_all_together() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let most = json::MAX_DEPTH - 2;
    let mut editor = Editor::with_texts("raws", &[("any", &nested(most))]);
    let arguments = editor.json();
    assert_eq!(Editor::read("raws", &arguments).form, editor.form);
    // By itself it may be sent; within the arguments of a command it may not.
    editor.set("any", &nested(most + 1));
    assert_eq!(editor.faults(), ["nesting deeper than a command's 1024"]);
}

#[test]
fn arguments_may_be_larger_than_a_form() {
    let items = |count: usize| {
        let items = vec!["{\"driver\":\"null-co\"}"; count].join(",");
        format!("{{\"blocks\":[{items}]}}")
    };
    // Each is itself, its two members, and the one that is there.
    let most = MAX_PARTS / 4 - 1;
    let schema = schema();
    Form::from_json(&schema, "blocks", &items(most)).unwrap();
    let larger = items(most + 1);
    let faults = Form::from_json(&schema, "blocks", &larger).unwrap_err();
    assert_eq!(shown(&faults), ["too large for a form"]);
    assert_eq!(validate(&schema, "blocks", &larger), []);
}

#[test]
fn a_thousand_faults_are_told_one_by_one() {
    let wrong_items = |count: usize| {
        let items = vec!["1"; count].join(",");
        format!("{{\"blocks\":[{items}]}}")
    };
    let faults = wrong("blocks", &wrong_items(1000));
    assert_eq!(faults.len(), 1000);
    assert_eq!(faults[999], "blocks[999]: expected object, found a number");
    let faults = wrong("blocks", &wrong_items(1234));
    assert_eq!(faults.len(), 1001);
    assert_eq!(faults[1000], "234 more faults");

    let mut editor = Editor::new("blocks");
    for _ in 0..1002 {
        editor.edit("blocks", Action::Push);
    }
    let faults = editor.faults();
    assert_eq!(faults.len(), 1001);
    assert_eq!(faults[1000], "2 more faults");
}

#[test]
fn two_members_of_one_name_are_ambiguous() {
    let types = [
        union("A", "tag", ("name", "str"), "B"),
        object("B", &[("name", "str")]),
    ];
    let schema = of_types(&types);
    let mut form = Form::new(&schema, "c").unwrap();
    let before = form.clone();
    let problem = choose(&schema, &mut form, "tag").unwrap_err();
    let ambiguous = FormError::AmbiguousMember("name".into());
    assert_eq!(problem, EditProblem::Form(ambiguous.clone()));
    assert_eq!(form, before);
    let arguments = r#"{"tag":"x","name":"n"}"#;
    let faults = Form::from_json(&schema, "c", arguments).unwrap_err();
    assert_eq!(shown(&faults), [ambiguous.to_string()]);
    // A union that is its own variant is the same.
    let schema = of_types(&[union("A", "tag", ("name", "str"), "A")]);
    let mut form = Form::new(&schema, "c").unwrap();
    choose(&schema, &mut form, "tag").unwrap_err();
}

#[test]
fn a_tag_whose_variant_has_no_form_keeps_its_value() {
    let endless = [
        union("A", "tag", ("name", "str"), "B"),
        object("B", &[("b", "B")]),
    ];
    let schema = of_types(&endless);
    let mut form = Form::new(&schema, "c").unwrap();
    let before = form.clone();
    let problem = choose(&schema, &mut form, "tag").unwrap_err();
    assert_eq!(problem, EditProblem::Form(FormError::TooDeep));
    assert_eq!(form, before);
}

#[test]
fn unions_within_unions_have_an_end() {
    let mut types: Vec<String> = (0..30)
        .map(|level| {
            let name = if level == 0 {
                "A".into()
            } else {
                format!("U{level}")
            };
            let tag = format!("t{level}");
            let member = format!("m{level}");
            let next = format!("U{}", level + 1);
            union(&name, &tag, (&member, "str"), &next)
        })
        .collect();
    types.push(object("U30", &[]));
    let schema = of_types(&types);
    let mut form = Form::new(&schema, "c").unwrap();
    let refused = (0..30).find_map(|level| {
        let problem = choose(&schema, &mut form, &format!("t{level}")).err()?;
        Some((level, problem))
    });
    let too_deep = EditProblem::Form(FormError::TooDeep);
    assert_eq!(refused, Some((16, too_deep)));
}
