//! The arguments that a form writes, whole or as a draft.

use qmp_shared::command::Action;

use super::Editor;

/// All that is required, right.
fn scalars() -> Editor {
    let texts = [("name", "n"), ("count", "1"), ("ratio", "0.5")];
    let mut editor = Editor::with_texts("scalars", &texts);
    editor.choose("mode", "on");
    editor
}

#[test]
fn members_are_written_in_the_schemas_order() {
    let mut editor = scalars();
    editor.edit("x-flag", Action::Add);
    editor.edit("x-flag", Action::SetBool(true));
    editor.edit("label", Action::Add);
    editor.set("label", "");
    let expected = concat!(
        r#"{"name":"n","count":1,"ratio":0.5,"ready":false,"nothing":null,"mode":"on","#,
        r#""only":"one","label":"","x-flag":true}"#
    );
    assert_eq!(editor.json(), expected);
    assert_eq!(editor.form.to_draft(), expected);
    assert_eq!(Editor::new("stop").json(), "{}");
}

#[test]
fn all_that_is_missing_is_said() {
    let missing = [
        "name: required",
        "count: required",
        "ratio: required",
        "mode: required",
    ];
    let mut editor = Editor::new("scalars");
    assert_eq!(editor.faults(), missing);
    assert_eq!(
        editor.form.to_draft(),
        r#"{"ready":false,"nothing":null,"only":"one"}"#
    );
    // A blank is a string, but no number.
    for at in ["name", "count", "ratio"] {
        editor.set(at, " ");
    }
    assert_eq!(editor.faults(), missing[1..]);
    assert_eq!(Editor::new("never").faults(), ["never: required"]);
    assert_eq!(Editor::new("never").form.to_draft(), "{}");
    assert_eq!(Editor::new("raws").faults(), ["any: required"]);
    let mut device = Editor::with_texts("device_add", &[("driver", "d")]);
    device.edit("", Action::AddUndescribed("mac".into()));
    assert_eq!(device.faults(), ["mac: required"]);
    assert_eq!(device.form.to_draft(), r#"{"driver":"d"}"#);
}

#[test]
fn numbers_stay_as_typed_unless_typed_with_a_unit_or_in_hexadecimal() {
    let mut editor = scalars();
    for (typed, json) in [
        ("18446744073709551615", "18446744073709551615"),
        ("-0", "-0"),
        (" 9007199254740993 ", "9007199254740993"),
        ("4k", "4096"),
        ("0x10", "16"),
    ] {
        editor.set("count", typed);
        let expected = format!("{{\"name\":\"n\",\"count\":{json},");
        assert!(editor.json().starts_with(&expected), "{typed}");
    }
    for typed in ["1E+2", "-0.0", "123456789012345678901234567890"] {
        editor.set("ratio", typed);
        let expected = format!("\"ratio\":{typed},");
        assert!(editor.json().contains(&expected), "{typed}");
    }
    editor.set("ratio", "4k");
    editor.set("count", "18446744073709551616");
    assert_eq!(
        editor.faults(),
        [
            "count: out of range: integers go from -9223372036854775808 to 18446744073709551615",
            "ratio: not a number",
        ]
    );
    let draft = editor.form.to_draft();
    assert!(draft.starts_with(r#"{"name":"n","ready":false"#), "{draft}");
}

#[test]
fn strings_are_escaped_and_those_that_qemu_refuses_too() {
    let mut editor = scalars();
    editor.set("name", "\"\\\n\u{0}é😀");
    let expected = r#"{"name":"\"\\\n\u0000é😀","count":1"#;
    assert!(editor.json().starts_with(expected), "{}", editor.json());
    editor.set("name", "\u{fffe}");
    assert_eq!(
        editor.faults(),
        ["name: a string with the noncharacter U+FFFE"]
    );
    let mut device = Editor::with_texts("device_add", &[("driver", "d")]);
    device.edit("", Action::AddUndescribed("\u{fffe}".into()));
    device.set("\u{fffe}", "1");
    assert_eq!(
        device.faults(),
        ["\u{fffe}: a string with the noncharacter U+FFFE"]
    );
    assert_eq!(device.form.to_draft(), r#"{"driver":"d"}"#);
}

#[test]
fn faults_say_where_and_a_draft_is_without_them() {
    let mut editor = Editor::with_texts("nested", &[("net.host", "h")]);
    editor.edit("net.port", Action::Add);
    editor.set("net.port", "http");
    editor.edit("matrix", Action::Push);
    for (index, typed) in ["1", "x", "3"].iter().enumerate() {
        editor.edit("matrix[0]", Action::Push);
        editor.set(&format!("matrix[0][{index}]"), typed);
    }
    editor.edit("nets", Action::Push);
    editor.edit("names", Action::Push);
    assert_eq!(
        editor.faults(),
        [
            "net.port: not an integer",
            "names[0]: required",
            "nets[0].host: required",
            "matrix[0][1]: not an integer",
        ]
    );
    assert_eq!(
        editor.form.to_draft(),
        r#"{"net":{"host":"h"},"names":[],"nets":[{}],"matrix":[[1,3]]}"#
    );
}

#[test]
fn unions_and_alternates_are_written_as_their_values() {
    let mut editor = Editor::new("block");
    editor.choose("driver", "qcow2");
    editor.edit("backing", Action::Add);
    editor.edit("backing", Action::Branch(1));
    editor.edit("file", Action::Branch(1));
    assert_eq!(editor.faults(), ["file.driver: required"]);
    assert_eq!(
        editor.form.to_draft(),
        r#"{"driver":"qcow2","file":{},"backing":null}"#
    );
    editor.choose("file.driver", "file");
    assert_eq!(editor.faults(), ["file.filename: required"]);
    editor.set("file.filename", "f");
    editor.edit("file.node", Action::Add);
    editor.set("file.node", "n");
    assert_eq!(
        editor.json(),
        concat!(
            r#"{"driver":"qcow2","file":{"driver":"file","node":"n","filename":"f"},"#,
            r#""backing":null}"#
        )
    );
}

#[test]
fn raw_json_is_compacted_and_checked() {
    let mut editor = Editor::with_texts("raws", &[("any", " [1, {\"a b\": 1.50}]\n")]);
    assert_eq!(editor.json(), r#"{"any":[1,{"a b":1.50}]}"#);
    editor.edit("dict", Action::Add);
    editor.edit("list", Action::Add);
    for (at, typed, expected) in [
        ("dict", "[]", "dict: not a JSON object"),
        ("dict", "", "dict: required"),
        ("list", "{}", "list: not a JSON array"),
        (
            "any",
            "{\"a\":1,\n\"a\":2}",
            "any: duplicate key \"a\" at line 2 column 1",
        ),
        (
            "any",
            "word",
            "any: not JSON: a string stands in double quotes",
        ),
        (
            "any",
            "[1,]",
            "any: not JSON: unexpected ']' at line 1 column 4",
        ),
    ] {
        for (right, typed) in [("any", "1"), ("dict", "{}"), ("list", "[ ]")] {
            editor.set(right, typed);
        }
        assert_eq!(editor.json(), r#"{"any":1,"dict":{},"list":[]}"#);
        editor.set(at, typed);
        assert_eq!(editor.faults(), [expected]);
    }
}

#[test]
fn what_turns_text_around_is_escaped() {
    let typed = "a\u{202e}b\u{2066}\u{61c}é\n";
    let editor = Editor::with_texts("device_add", &[("driver", typed)]);
    let json = editor.json();
    assert_eq!(json, r#"{"driver":"a\u202eb\u2066\u061cé\n"}"#);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["driver"], typed);
}

#[test]
fn undescribed_members_are_written_last() {
    let mut editor = Editor::with_texts("device_add", &[("driver", "d")]);
    for (name, typed) in [("z", "1"), ("a\"", "{ \"x\": [] }")] {
        editor.edit("", Action::AddUndescribed(name.to_owned()));
        editor.set(name, typed);
    }
    editor.edit("id", Action::Add);
    editor.set("id", "i");
    assert_eq!(
        editor.json(),
        r#"{"driver":"d","id":"i","z":1,"a\"":{"x":[]}}"#
    );
}
