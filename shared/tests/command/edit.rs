//! Edits: what each changes, what it keeps, and when it is not possible.

use qmp_shared::command::{Action, Edit, EditError, EditProblem, Form, NodeKind};
use qmp_shared::schema::{Builtin, Schema};

use super::{Editor, path};

fn choose(value: &str) -> Action {
    Action::Choose(value.to_owned())
}

fn text(typed: &str) -> Action {
    Action::SetText(typed.to_owned())
}

#[test]
fn scalars_are_set_and_reset() {
    let mut editor = Editor::new("scalars");
    editor.set("count", "no number");
    assert_eq!(editor.text("count"), Some("no number"));
    editor.edit("ready", Action::SetBool(true));
    editor.choose("mode", "on");
    editor.choose("mode", "off");
    assert_eq!(editor.text("mode"), Some("off"));
    for at in ["count", "ready", "mode", "only", "nothing"] {
        editor.edit(at, Action::Reset);
    }
    assert_eq!(editor.form, Editor::new("scalars").form);
}

#[test]
fn an_optional_member_is_put_in_and_left_out() {
    let mut editor = Editor::new("nested");
    editor.edit("spare", Action::Add);
    assert_eq!(editor.names("spare"), ["host", "port"]);
    editor.set("spare.host", "kept");
    editor.edit("spare", Action::Add);
    assert_eq!(editor.text("spare.host"), Some("kept"));
    editor.edit("net", Action::Add);
    editor.edit("spare", Action::Remove);
    assert_eq!(editor.form, Editor::new("nested").form);
    editor.edit("spare", Action::Remove);
    assert_eq!(editor.refuse("net", Action::Remove), EditProblem::Required);
}

#[test]
fn items_are_pushed_moved_and_removed() {
    let mut editor = Editor::new("nested");
    for (index, typed) in ["a", "b", "c", "d"].iter().enumerate() {
        editor.edit("names", Action::Push);
        editor.set(&format!("names[{index}]"), typed);
    }
    let order = |editor: &Editor| -> String {
        let texts = (0..).map_while(|index| editor.text(&format!("names[{index}]")));
        texts.collect()
    };
    for (from, to, expected) in [(0, 2, "bcad"), (3, 0, "dbca"), (1, 1, "dbca")] {
        editor.edit(&format!("names[{from}]"), Action::MoveTo(to));
        assert_eq!(order(&editor), expected);
    }
    editor.edit("names[1]", Action::Remove);
    assert_eq!(order(&editor), "dca");
    editor.edit("names[0]", Action::Reset);
    assert_eq!(order(&editor), "ca");
    let problem = editor.refuse("names[0]", Action::MoveTo(3));
    assert_eq!(problem, EditProblem::NoSuchItem(3));
    let problem = editor.refuse("names[3]", Action::MoveTo(0));
    assert_eq!(problem, EditProblem::NothingThere);
    editor.edit("names", Action::Reset);
    assert_eq!(order(&editor), "");

    editor.edit("matrix", Action::Push);
    editor.edit("matrix[0]", Action::Push);
    editor.set("matrix[0][0]", "7");
    assert_eq!(editor.text("matrix[0][0]"), Some("7"));
    editor.edit("nets", Action::Push);
    assert_eq!(editor.names("nets[0]"), ["host", "port"]);
}

#[test]
fn another_tag_keeps_members_of_the_same_name_and_type() {
    let mut editor = Editor::new("block");
    editor.edit("node", Action::Add);
    editor.set("node", "n");
    editor.choose("driver", "file");
    editor.set("filename", "f");
    editor.edit("aio", Action::Add);
    editor.choose("aio", "on");

    // It has a filename of the same type, and an aio of another.
    editor.choose("driver", "host");
    assert_eq!(editor.names(""), ["driver", "node", "filename", "aio"]);
    assert_eq!(editor.text("filename"), Some("f"));
    assert_eq!(editor.form.get(&path("aio")), None);

    // A value without a variant adds nothing.
    editor.choose("driver", "null-co");
    assert_eq!(editor.names(""), ["driver", "node"]);
    assert_eq!(editor.text("node"), Some("n"));
    editor.choose("driver", "file");
    assert_eq!(editor.text("filename"), Some(""));

    editor.edit("driver", Action::Reset);
    assert_eq!(editor.names(""), ["driver", "node"]);
}

#[test]
fn a_variant_may_be_a_union_itself() {
    let mut editor = Editor::new("block");
    editor.choose("driver", "nbd");
    assert_eq!(editor.names(""), ["driver", "node", "mode"]);
    editor.edit("mode", Action::Add);
    editor.choose("mode", "on");
    assert_eq!(editor.names(""), ["driver", "node", "mode", "host", "port"]);
    editor.set("host", "h");
    editor.choose("driver", "nbd");
    assert_eq!(editor.text("host"), Some("h"));
    // Its tag may be left out, and its members with it.
    editor.edit("mode", Action::Remove);
    assert_eq!(editor.names(""), ["driver", "node", "mode"]);
}

#[test]
fn the_tag_of_an_item_changes_that_item() {
    let mut editor = Editor::new("blocks");
    editor.edit("blocks", Action::Push);
    editor.edit("blocks", Action::Push);
    editor.choose("blocks[1].driver", "file");
    assert_eq!(editor.names("blocks[0]"), ["driver", "node"]);
    assert_eq!(
        editor.names("blocks[1]"),
        ["driver", "node", "filename", "aio"]
    );
}

#[test]
fn a_branch_is_chosen_and_its_value_lost() {
    let mut editor = Editor::new("block");
    editor.choose("driver", "qcow2");
    editor.set("file", "node0");
    editor.edit("file", Action::Branch(1));
    assert_eq!(editor.names("file"), ["driver", "node"]);
    editor.choose("file.driver", "qcow2");
    editor.edit("file.file", Action::Branch(2));
    let inner = editor.form.get(&path("file.file")).unwrap();
    assert!(matches!(inner.kind, NodeKind::Alternate { branch: 2, .. }));
    assert_eq!(inner.value().kind, NodeKind::Null);
    let problem = editor.refuse("file.file", Action::Branch(3));
    assert_eq!(problem, EditProblem::NoSuchBranch(3));
    editor.edit("file", Action::Branch(0));
    assert_eq!(editor.text("file"), Some(""));

    editor.set("file", "again");
    editor.edit("file", Action::Branch(1));
    editor.edit("file", Action::Reset);
    let file = editor.form.get(&path("file")).unwrap();
    assert!(matches!(file.kind, NodeKind::Alternate { branch: 0, .. }));
    assert_eq!(editor.text("file"), Some(""));
}

#[test]
fn edits_lead_through_alternates() {
    let mut editor = Editor::new("where");
    editor.choose("at", "on");
    editor.edit("at", Action::Branch(2));
    editor.edit("at", Action::SetBool(true));
    assert_eq!(editor.json(), r#"{"at":true}"#);
    editor.edit("at", Action::Branch(3));
    editor.edit("at", Action::Push);
    editor.set("at[0]", "5");
    assert_eq!(editor.json(), r#"{"at":[5]}"#);
    editor.edit("at[0]", Action::Remove);
    assert_eq!(editor.json(), r#"{"at":[]}"#);
}

#[test]
fn a_recursive_type_opens_as_far_as_one_goes() {
    let mut editor = Editor::new("tree");
    editor.edit("child", Action::Add);
    editor.edit("child.children", Action::Push);
    editor.edit("child.children[0].child", Action::Add);
    editor.set("child.children[0].child.value", "deep");
    assert_eq!(editor.text("child.children[0].child.value"), Some("deep"));
    editor.edit("child", Action::Reset);
    assert_eq!(editor.form.get(&path("child.children[0]")), None);
}

#[test]
fn undescribed_members_are_for_what_is_open() {
    let mut editor = Editor::new("device_add");
    let add = |name: &str| Action::AddUndescribed(name.to_owned());
    editor.edit("", add("mac"));
    editor.edit("", add("netdev"));
    assert_eq!(editor.names(""), ["driver", "id", "mac", "netdev"]);
    let mac = &editor.form.fields()[2];
    assert!(!mac.described && mac.optional && !mac.tag);
    editor.set("mac", "\"52:54\"");
    for taken in ["mac", "driver", "id"] {
        let problem = editor.refuse("", add(taken));
        assert_eq!(problem, EditProblem::Duplicate(taken.into()));
    }
    editor.edit("mac", Action::Reset);
    assert_eq!(editor.text("mac"), Some(""));
    editor.edit("mac", Action::Remove);
    assert_eq!(editor.names(""), ["driver", "id", "netdev"]);
    assert_eq!(editor.refuse("mac", Action::Add), EditProblem::NothingThere);

    editor.edit("", Action::Reset);
    assert_eq!(editor.form, Editor::new("device_add").form);
    editor.edit("", add("still-open"));
    assert_eq!(
        Editor::new("stop").refuse("", add("mac")),
        EditProblem::WrongKind
    );
}

#[test]
fn a_variant_has_its_own_member_of_an_undescribed_ones_name() {
    let entries = r#"[
        {"name": "device_add", "meta-type": "command", "arg-type": "A", "ret-type": "V"},
        {"name": "A", "meta-type": "object", "tag": "t",
         "members": [{"name": "t", "type": "E"}], "variants": [{"case": "x", "type": "V"}]},
        {"name": "E", "meta-type": "enum", "values": ["x", "y"]},
        {"name": "V", "meta-type": "object", "members": [{"name": "v", "type": "any"}]},
        {"name": "any", "meta-type": "builtin", "json-type": "value"}
    ]"#;
    let schema = Schema::parse(entries).unwrap();
    let form = Form::from_json(&schema, "device_add", r#"{"t":"y","u":1,"v":2}"#).unwrap();
    let mut editor = Editor { schema, form };
    editor.choose("t", "x");
    assert_eq!(editor.names(""), ["t", "v", "u"]);
    assert_eq!((editor.text("v"), editor.text("u")), (Some(""), Some("1")));
    editor.choose("t", "y");
    assert_eq!(editor.names(""), ["t", "u"]);
}

#[test]
fn what_is_not_possible_changes_nothing() {
    use EditProblem::{NoSuchValue, NothingThere, WrongKind};
    let mut scalars = Editor::with_texts("scalars", &[("name", "n")]);
    for (at, action, expected) in [
        ("name", Action::SetBool(true), WrongKind),
        ("name", choose("on"), WrongKind),
        ("name", Action::Push, WrongKind),
        ("name", Action::Branch(0), WrongKind),
        ("name", Action::MoveTo(0), WrongKind),
        ("ready", text("true"), WrongKind),
        ("nothing", text("null"), WrongKind),
        ("mode", text("on"), WrongKind),
        ("mode", choose("ON"), NoSuchValue("ON".into())),
        ("mode", choose(""), NoSuchValue(String::new())),
        ("", text("{}"), WrongKind),
        ("", Action::Remove, WrongKind),
        ("", Action::Add, WrongKind),
        ("label", text("x"), NothingThere),
        ("label", Action::Reset, NothingThere),
        ("nowhere", Action::Add, NothingThere),
        ("name.x", text("x"), NothingThere),
        ("[0]", text("x"), NothingThere),
    ] {
        let problem = scalars.refuse(at, action.clone());
        assert_eq!(problem, expected, "{action:?} at {at:?}");
    }
    let mut nested = Editor::new("nested");
    for (at, action) in [
        ("names[0]", Action::Remove),
        ("names.x", Action::Add),
        ("nets[0].host", text("x")),
        ("spare.host", text("x")),
    ] {
        assert_eq!(nested.refuse(at, action), NothingThere, "{at}");
    }
    assert_eq!(
        Editor::new("never").refuse("never", choose("x")),
        NoSuchValue("x".into())
    );
}

#[test]
fn an_error_says_what_could_not_be_done_where() {
    for (at, action, problem, expected) in [
        (
            "nets[2].host",
            "set",
            EditProblem::NothingThere,
            "cannot set nets[2].host: there is nothing there",
        ),
        (
            "",
            "add a member to",
            EditProblem::Duplicate("id".into()),
            "cannot add a member to the arguments: there is a member \"id\" already",
        ),
        (
            "net",
            "remove",
            EditProblem::Required,
            "cannot remove net: it is required",
        ),
    ] {
        let path = path(at);
        let error = EditError {
            path,
            action,
            problem,
        };
        assert_eq!(error.to_string(), expected);
    }
    let mut editor = Editor::new("block");
    let edit = Edit {
        path: path("driver"),
        action: choose("vhd"),
    };
    let error = editor.form.apply(&editor.schema, edit).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot choose a value of driver: there is no value \"vhd\""
    );
}

#[test]
fn arguments_that_somebody_else_describes_have_their_types() {
    let given = r#"{"driver":"d","on":true,"n":7,"s":"x y","odd":"8","list":[1,2],"bad":1}"#;
    let mut form = Editor::read("device_add", given).form;
    let of = |name: &str| match name {
        "on" | "empty-on" => Builtin::Boolean,
        "n" | "odd" | "size" => Builtin::Int,
        "s" | "bad" => Builtin::String,
        _ => Builtin::Value,
    };
    assert!(form.retype_undescribed(of));
    assert!(!form.retype_undescribed(of));
    let kind = |form: &Form, name: &str| form.get(&path(name)).unwrap().kind.clone();
    assert_eq!(kind(&form, "on"), NodeKind::Bool(true));
    for (name, builtin, text) in [("n", Builtin::Int, "7"), ("s", Builtin::String, "x y")] {
        let text = Some(text.to_owned());
        assert_eq!(kind(&form, name), NodeKind::Text { builtin, text });
    }
    // What is not of the type stays as JSON.
    for (name, text) in [("odd", "\"8\""), ("list", "[1,2]"), ("bad", "1")] {
        let (builtin, text) = (Builtin::Value, text.to_owned());
        assert_eq!(kind(&form, name), NodeKind::Raw { builtin, text });
    }
    assert_eq!(form.to_json().unwrap(), given);

    // New ones are empty; one that is not complete stays what it is.
    let schema = Schema::parse(super::SCHEMA).unwrap();
    let edit = |form: &mut Form, at: &str, action: Action| {
        let path = path(at);
        form.apply(&schema, Edit { path, action }).unwrap();
    };
    for name in ["empty-on", "size"] {
        edit(&mut form, "", Action::AddUndescribed(name.into()));
    }
    assert!(form.retype_undescribed(of));
    assert_eq!(kind(&form, "empty-on"), NodeKind::Bool(false));
    assert_eq!(form.to_json().unwrap_err()[0].path, path("size"));
    edit(&mut form, "size", text("many"));
    assert!(form.retype_undescribed(|_| Builtin::Value));
    let many = Some("many".to_owned());
    let builtin = Builtin::Int;
    assert_eq!(
        kind(&form, "size"),
        NodeKind::Text {
            builtin,
            text: many
        }
    );
    edit(&mut form, "size", text("4K"));
    assert!(form.retype_undescribed(|_| Builtin::Value));
    let (builtin, text) = (Builtin::Value, "4096".to_owned());
    assert_eq!(kind(&form, "size"), NodeKind::Raw { builtin, text });
    let whole = given.replace('}', r#","empty-on":false,"size":4096}"#);
    assert_eq!(form.to_json().unwrap(), whole);
}
