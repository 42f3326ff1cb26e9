//! Arguments read into a form, and what is wrong with them.

use qmp_shared::command::{Action, Form, NodeKind, validate};

use super::{Editor, path, schema, shown, wrong};

/// Reads the arguments and writes them again, the same but for whitespace.
fn round_trip(command: &str, arguments: &str) -> Editor {
    let schema = schema();
    assert_eq!(shown(&validate(&schema, command, arguments)), [""; 0]);
    let editor = Editor::read(command, arguments);
    assert_eq!(editor.json(), arguments);
    editor
}

#[test]
fn arguments_come_back_as_they_were() {
    for (command, arguments) in [
        ("stop", "{}"),
        (
            "scalars",
            concat!(
                r#"{"name":"\"\u0000é","count":-9223372036854775808,"ratio":1.50E+1,"#,
                r#""ready":true,"nothing":null,"mode":"off","only":"one","x-flag":false}"#
            ),
        ),
        (
            "nested",
            r#"{"net":{"host":"","port":-0},"names":["a",""],"nets":[{"host":"h"}],"matrix":[[],[1,2]]}"#,
        ),
        (
            "tree",
            r#"{"value":"a","child":{"value":"b","children":[]},"children":[{"value":"c","children":[]}]}"#,
        ),
        ("raws", r#"{"any":"text","dict":{"a":1e400},"list":[{}]}"#),
        ("raws", r#"{"any":null}"#),
        ("where", r#"{"at":"on"}"#),
        ("where", r#"{"at":18446744073709551615}"#),
        ("where", r#"{"at":false}"#),
        ("where", r#"{"at":[1]}"#),
        (
            "block",
            r#"{"driver":"qcow2","node":"n","file":null,"backing":"b"}"#,
        ),
        (
            "block",
            r#"{"driver":"qcow2","file":{"driver":"nbd","mode":"on","host":"h"},"backing":null}"#,
        ),
        ("block", r#"{"driver":"null-co"}"#),
        ("block", r#"{"driver":"nbd"}"#),
        ("block", r#"{"driver":"nbd","mode":"off"}"#),
        (
            "blocks",
            r#"{"blocks":[{"driver":"host","filename":"f","aio":true}]}"#,
        ),
        (
            "device_add",
            r#"{"driver":"d","id":"i","mac":"x","queues":[{"cpu":1}],"":null}"#,
        ),
    ] {
        round_trip(command, arguments);
    }
}

#[test]
fn a_form_that_was_read_is_that_which_was_entered() {
    let mut entered = Editor::new("block");
    entered.choose("driver", "qcow2");
    entered.edit("file", Action::Branch(1));
    entered.choose("file.driver", "file");
    entered.set("file.filename", "f");
    entered.edit("backing", Action::Add);
    entered.edit("backing", Action::Branch(1));
    let read = Editor::read("block", &entered.json());
    assert_eq!(read.form, entered.form);

    let mut entered = Editor::with_texts("device_add", &[("driver", "d")]);
    entered.edit("", Action::AddUndescribed("mac".into()));
    entered.set("mac", "[1]");
    let mut read = Editor::read("device_add", &entered.json());
    assert_eq!(read.form, entered.form);
    read.edit("", Action::AddUndescribed("still-open".into()));
}

#[test]
fn the_schemas_order_and_plain_text_come_of_any_other() {
    let arguments = concat!(
        "\n{ \"aio\" : \"on\", \"filename\": \"\\u0066\\/\",",
        "\"\\u0064river\": \"file\", \"node\" :\t\"n\" }\r\n"
    );
    let editor = Editor::read("block", arguments);
    assert_eq!(
        editor.json(),
        r#"{"driver":"file","node":"n","filename":"f/","aio":"on"}"#
    );
    let editor = Editor::read("device_add", r#"{"z":1,"id":"i","driver":"d","a": [ ]}"#);
    assert_eq!(editor.json(), r#"{"driver":"d","id":"i","z":1,"a":[]}"#);
    assert_eq!(editor.text("a"), Some("[]"));
}

#[test]
fn an_alternate_is_told_by_the_json_type() {
    for (arguments, expected) in [
        (r#"{"at":"off"}"#, 0),
        (r#"{"at":1}"#, 1),
        (r#"{"at":true}"#, 2),
        (r#"{"at":[]}"#, 3),
    ] {
        let editor = Editor::read("where", arguments);
        let at = &editor.form.get(&path("at")).unwrap().kind;
        let NodeKind::Alternate { branch, .. } = at else {
            panic!("{at:?}");
        };
        assert_eq!(*branch, expected, "{arguments}");
    }
    for (at, expected) in [
        (
            "null",
            "at: expected enum: off | on or integer or boolean or array of integer, found null",
        ),
        (
            "{}",
            "at: expected enum: off | on or integer or boolean or array of integer, found an object",
        ),
        (r#""ON""#, "at: \"ON\" is not of enum: off | on"),
        ("1.5", "at: not an integer: \"1.5\""),
        ("[true]", "at[0]: expected integer, found a boolean"),
    ] {
        assert_eq!(wrong("where", &format!("{{\"at\":{at}}}")), [expected]);
    }
}

#[test]
fn each_type_refuses_the_others() {
    let values = [
        ("null", "null"),
        ("true", "a boolean"),
        (r#""x""#, "a string"),
        ("1", "a number"),
        ("[]", "an array"),
        ("{}", "an object"),
    ];
    for (command, member, rest, ty, accepted) in [
        ("device_add", "driver", "", "string", &["a string"][..]),
        (
            "scalars",
            "count",
            SCALARS_BUT_COUNT,
            "integer",
            &["a number"],
        ),
        (
            "scalars",
            "ratio",
            SCALARS_BUT_RATIO,
            "number",
            &["a number"],
        ),
        (
            "scalars",
            "ready",
            SCALARS_BUT_READY,
            "boolean",
            &["a boolean"],
        ),
        ("scalars", "nothing", SCALARS_BUT_NOTHING, "null", &["null"]),
        ("raws", "dict", r#","any":1"#, "any object", &["an object"]),
        ("raws", "list", r#","any":1"#, "any array", &["an array"]),
        ("blocks", "blocks", "", "array of object", &["an array"]),
        (
            "raws",
            "any",
            "",
            "any value",
            &[
                "null",
                "a boolean",
                "a string",
                "a number",
                "an array",
                "an object",
            ],
        ),
    ] {
        for (value, found) in values {
            let arguments = format!("{{\"{member}\":{value}{rest}}}");
            if accepted.contains(&found) {
                Editor::read(command, &arguments);
            } else {
                let expected = format!("{member}: expected {ty}, found {found}");
                assert_eq!(wrong(command, &arguments), [expected]);
            }
        }
    }
    let nested = r#"{"net":[],"names":{},"nets":[1],"matrix":[[[]]]}"#;
    assert_eq!(
        wrong("nested", nested),
        [
            "net: expected object, found an array",
            "names: expected array of string, found an object",
            "nets[0]: expected object, found a number",
            "matrix[0][0]: expected integer, found an array",
        ]
    );
}

const SCALARS_BUT_COUNT: &str =
    r#","name":"","ratio":1,"ready":true,"nothing":null,"mode":"on","only":"one""#;
const SCALARS_BUT_RATIO: &str =
    r#","name":"","count":1,"ready":true,"nothing":null,"mode":"on","only":"one""#;
const SCALARS_BUT_READY: &str =
    r#","name":"","count":1,"ratio":1,"nothing":null,"mode":"on","only":"one""#;
const SCALARS_BUT_NOTHING: &str =
    r#","name":"","count":1,"ratio":1,"ready":true,"mode":"on","only":"one""#;

#[test]
fn numbers_have_their_type_and_range() {
    for (member, value, rest, expected) in [
        (
            "count",
            "1.0",
            SCALARS_BUT_COUNT,
            "count: not an integer: \"1.0\"",
        ),
        (
            "count",
            "1e3",
            SCALARS_BUT_COUNT,
            "count: not an integer: \"1e3\"",
        ),
        (
            "count",
            "18446744073709551616",
            SCALARS_BUT_COUNT,
            "count: out of range: integers go from -9223372036854775808 to 18446744073709551615",
        ),
        (
            "ratio",
            "1e400",
            SCALARS_BUT_RATIO,
            "ratio: out of range for a number",
        ),
    ] {
        let arguments = format!("{{\"{member}\":{value}{rest}}}");
        assert_eq!(wrong("scalars", &arguments), [expected]);
    }
    let long = format!("{{\"count\":1.{}{SCALARS_BUT_COUNT}}}", "0".repeat(100));
    let expected = format!("count: not an integer: \"1.{}\"…", "0".repeat(58));
    assert_eq!(wrong("scalars", &long), [expected]);
}

#[test]
fn all_that_is_missing_or_not_known_is_said() {
    assert_eq!(
        wrong(
            "scalars",
            r#"{"Name":"n","count":1,"mode":"ON","only":"two"}"#
        ),
        [
            "name: required",
            "ratio: required",
            "ready: required",
            "nothing: required",
            "mode: \"ON\" is not of enum: off | on",
            "only: \"two\" is not of enum: one",
            "Name: no such member",
        ]
    );
    assert_eq!(wrong("stop", r#"{"x":1}"#), ["x: no such member"]);
    assert_eq!(
        wrong("never", r#"{"never":"x"}"#),
        ["never: \"x\" is not of enum:"]
    );
    let nets = r#"{"net":{"host":"h"},"names":[],"nets":[{"host":"a"},{"hots":"b"}],"matrix":[]}"#;
    assert_eq!(
        wrong("nested", nets),
        ["nets[1].host: required", "nets[1].hots: no such member"]
    );
    // Null is a value, and not that of a string that is left out.
    assert_eq!(
        wrong("device_add", r#"{"driver":"d","id":null}"#),
        ["id: expected string, found null"]
    );
    assert_eq!(wrong("device_add", r#"{"mac":1}"#), ["driver: required"]);
}

#[test]
fn a_union_has_the_members_of_its_variant() {
    assert_eq!(
        wrong("block", r#"{"driver":"file","filename":"f","backing":"b"}"#),
        ["backing: no such member where driver is \"file\""]
    );
    assert_eq!(
        wrong("block", r#"{"driver":"null-co","filename":"f"}"#),
        ["filename: no such member where driver is \"null-co\""]
    );
    assert_eq!(
        wrong("block", r#"{"driver":"nbd","host":"h"}"#),
        ["host: no such member where driver is \"nbd\""]
    );
    assert_eq!(
        wrong("block", r#"{"driver":"nbd","mode":"off","host":"h"}"#),
        ["host: no such member where mode is \"off\""]
    );
    assert_eq!(
        wrong("block", r#"{"driver":"nbd","mode":"on"}"#),
        ["host: required"]
    );
    assert_eq!(
        wrong("block", r#"{"driver":"qcow2","file":{"driver":"file"}}"#),
        ["file.filename: required"]
    );
}

#[test]
fn without_a_tag_nobody_knows_the_members() {
    assert_eq!(wrong("block", r#"{"filename":"f"}"#), ["driver: required"]);
    assert_eq!(
        wrong("block", r#"{"driver":"vhd","filename":"f"}"#),
        ["driver: \"vhd\" is not of enum: file | host | nbd | null-co | qcow2"]
    );
    assert_eq!(
        wrong("block", r#"{"driver":1,"filename":"f"}"#),
        ["driver: expected enum: file | host | nbd | null-co | qcow2, found a number"]
    );
    // The variant's own tag may be wrong too.
    assert_eq!(
        wrong("block", r#"{"driver":"nbd","mode":"up","host":"h"}"#),
        ["mode: \"up\" is not of enum: off | on"]
    );
}

#[test]
fn what_may_not_be_sent_is_said_alone() {
    for (arguments, expected) in [
        ("", "the JSON text ends too early at line 1 column 1"),
        ("[]", "not a JSON object at line 1 column 1"),
        (
            "{\"x\":1,\n \"x\":2}",
            "duplicate key \"x\" at line 2 column 2",
        ),
        (
            "{\"driver\":\"\\ud800\"}",
            "a string with half of a surrogate pair at line 1 column 11",
        ),
        (
            "{} {}",
            "something follows the JSON value at line 1 column 4",
        ),
    ] {
        assert_eq!(wrong("scalars", arguments), [expected]);
    }
    assert_eq!(
        wrong("launch", "{}"),
        ["the endpoint has no command \"launch\""]
    );
    assert!(Form::from_json(&schema(), "launch", "{").is_err());
}
