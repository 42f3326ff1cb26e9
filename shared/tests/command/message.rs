//! The whole command as text, written and read.

use qmp_shared::command::{Execute, Layout, message_text, parse_message};

fn parse(text: &str) -> Execute {
    parse_message(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

#[test]
fn a_message_is_compact_or_pretty() {
    let arguments = "{ \"a b\": [1, {\"c\": \"{ [,:\\\" \\\\\"}],\n\"d\":{ }, \"e\":[ ] }";
    assert_eq!(
        message_text("x-y", false, Some(arguments), Layout::Compact),
        r#"{"execute":"x-y","arguments":{"a b":[1,{"c":"{ [,:\" \\"}],"d":{},"e":[]}}"#
    );
    let pretty = r#"{
    "execute": "x-y",
    "arguments": {
        "a b": [
            1,
            {
                "c": "{ [,:\" \\"
            }
        ],
        "d": {},
        "e": []
    }
}"#;
    let text = message_text("x-y", false, Some(arguments), Layout::Pretty);
    assert_eq!(text, pretty);
    assert_eq!(
        message_text("stop", true, None, Layout::Compact),
        r#"{"exec-oob":"stop"}"#
    );
    assert_eq!(
        message_text("stop", false, Some("{}"), Layout::Pretty),
        "{\n    \"execute\": \"stop\",\n    \"arguments\": {}\n}"
    );
    assert_eq!(
        message_text("a\"\n", false, None, Layout::Compact),
        r#"{"execute":"a\"\n"}"#
    );
}

#[test]
fn a_message_is_read_verbatim() {
    let text =
        "\n { \"id\": {\"a\": 1.50 }, \"arguments\": { \"b\" : [ ] },\"execute\":\"x\\u0079\"}\n";
    assert_eq!(
        parse(text),
        Execute {
            command: "xy".into(),
            oob: false,
            arguments: Some("{ \"b\" : [ ] }".into()),
            id: Some("{\"a\": 1.50 }".into()),
        }
    );
    assert_eq!(
        parse(r#"{"exec-oob":"x","id":null}"#),
        Execute {
            command: "x".into(),
            oob: true,
            arguments: None,
            id: Some("null".into()),
        }
    );
}

#[test]
fn what_is_written_is_read() {
    for layout in [Layout::Compact, Layout::Pretty] {
        for oob in [false, true] {
            for arguments in [
                None,
                Some("{}"),
                Some(r#"{"a":"\\\"}{","b":[[],{"c":-1}]}"#),
            ] {
                let read = parse(&message_text("é \"x\"", oob, arguments, layout));
                assert_eq!((read.command.as_str(), read.oob), ("é \"x\"", oob));
                let read = read
                    .arguments
                    .map(|text| qmp_shared::json::compact(&text).into_owned());
                assert_eq!(read.as_deref(), arguments);
            }
        }
    }
}

#[test]
fn what_is_no_command_is_told_with_its_member() {
    for (text, path, message) in [
        ("", "", "the JSON text ends too early at line 1 column 1"),
        ("{\n\"execute\"}", "", "unexpected '}' at line 2 column 10"),
        ("[]", "", "not a JSON object"),
        ("\"stop\"", "", "not a JSON object"),
        ("{}", "execute", "required"),
        (r#"{"arguments":{}}"#, "execute", "required"),
        (r#"{"execute":1}"#, "execute", "not a string"),
        (r#"{"exec-oob":null}"#, "exec-oob", "not a string"),
        (
            r#"{"execute":"a","exec-oob":"b"}"#,
            "exec-oob",
            "there is both execute and exec-oob",
        ),
        (
            r#"{"execute":"a","arguments":[]}"#,
            "arguments",
            "not a JSON object",
        ),
        (
            r#"{"execute":"a","arguments":null}"#,
            "arguments",
            "not a JSON object",
        ),
        (
            r#"{"execute":"a","argument":{}}"#,
            "argument",
            "no such member in a command",
        ),
        (
            r#"{"execute":"a","arguments":{"b":1,"b":2}}"#,
            "",
            "duplicate key \"b\" in arguments at line 1 column 35",
        ),
        (
            r#"{"execute":"a","execute":"b"}"#,
            "",
            "duplicate key \"execute\" at line 1 column 16",
        ),
    ] {
        let fault = parse_message(text).unwrap_err();
        assert_eq!(fault.path.to_string(), path, "{text}");
        assert_eq!(fault.message, message, "{text}");
    }
    let fault = parse_message(r#"{"execute":1}"#).unwrap_err();
    assert_eq!(fault.to_string(), "execute: not a string");
    let fault = parse_message("[]").unwrap_err();
    assert_eq!(fault.to_string(), "not a JSON object");
}

#[test]
fn the_nesting_of_a_message_is_that_of_its_arguments_and_one() {
    let nested = |depth: usize| {
        let value = "[".repeat(depth) + &"]".repeat(depth);
        format!(r#"{{"execute":"a","arguments":{{"x":{value}}}}}"#)
    };
    parse(&nested(1022));
    assert!(parse_message(&nested(1023)).is_err());
}
