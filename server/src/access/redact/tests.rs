use super::*;

use proptest::prelude::*;
use serde_json::Value;

fn redacted(command: &str, arguments: &str) -> String {
    let redacted = redact(command, Some(arguments)).unwrap();
    assert!(
        serde_json::from_str::<Value>(&redacted).is_ok(),
        "{redacted}"
    );
    redacted
}

fn line(line: &str) -> String {
    let arguments = format!("{{\"command-line\":{}}}", quote(line));
    let redacted: Value =
        serde_json::from_str(&redacted("human-monitor-command", &arguments)).unwrap();
    redacted["command-line"].as_str().unwrap().to_owned()
}

#[test]
fn members_are_redacted_by_name_and_the_rest_stays() {
    for (command, arguments, expected) in [
        (
            "x",
            r#"{ "a" : 1.50 , "Password" : "x" }"#,
            r#"{ "a" : 1.50 , "Password" : "[redacted]" }"#,
        ),
        (
            "x",
            r#"{"a":[{"passwd":{"b":["]\"}",1]}},2]}"#,
            r#"{"a":[{"passwd":"[redacted]"},2]}"#,
        ),
        (
            "x",
            r#"{"pass\u0077ord":"x","b":true}"#,
            r#"{"pass\u0077ord":"[redacted]","b":true}"#,
        ),
        (
            "x",
            r#"{"secret":-1e5,"token":null}"#,
            r#"{"secret":"[redacted]","token":"[redacted]"}"#,
        ),
        (
            "x",
            r#"{"chap_password":[],"key":{}}"#,
            r#"{"chap_password":"[redacted]","key":"[redacted]"}"#,
        ),
        (
            "set_password",
            r#"{"protocol":"vnc","password":"x"}"#,
            r#"{"protocol":"vnc","password":"[redacted]"}"#,
        ),
        (
            "object-add",
            r#"{"data":"x","qom-type":"secret","id":"s"}"#,
            r#"{"data":"[redacted]","qom-type":"secret","id":"s"}"#,
        ),
        (
            "guest-exec",
            r#"{"path":"/bin/sh","input-data":"eA==","env":["A=b"]}"#,
            r#"{"path":"/bin/sh","input-data":"[redacted]","env":"[redacted]"}"#,
        ),
        (
            "guest-file-write",
            r#"{"handle":1,"buf-b64":"eA=="}"#,
            r#"{"handle":1,"buf-b64":"[redacted]"}"#,
        ),
        (
            "send-key",
            r#"{"keys":[{"type":"qcode","data":"a"}],"hold-time":5}"#,
            r#"{"keys":"[redacted]","hold-time":5}"#,
        ),
        (
            "sev-inject-launch-secret",
            r#"{"packet-header":"a","secret":"b"}"#,
            r#"{"packet-header":"a","secret":"[redacted]"}"#,
        ),
        (
            "change",
            r#"{"device":"vnc","target":"password","arg":"x"}"#,
            r#"{"device":"vnc","target":"password","arg":"[redacted]"}"#,
        ),
        (
            "qom-set",
            r#"{"value":"x","path":"/objects/s","property":"data"}"#,
            r#"{"value":"[redacted]","path":"/objects/s","property":"data"}"#,
        ),
    ] {
        assert_eq!(redacted(command, arguments), expected);
    }
}

#[test]
fn misspelt_commands_keep_their_secrets_too() {
    let arguments = r#"{"qom-type":"secret","data":"x"}"#;
    let expected = r#"{"qom-type":"secret","data":"[redacted]"}"#;
    assert_eq!(redacted("Object_add", arguments), expected);
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    for (command, arguments) in [
        (
            "blockdev-add",
            r#"{"driver":"http","url":"http://u@h/x","password-secret":"sec0","key-secret":"k"}"#,
        ),
        (
            "qom-set",
            r#"{"path":"/machine/x","property":"guest-stats-polling-interval","value":2}"#,
        ),
        (
            "guest-ssh-add-authorized-keys",
            r#"{"username":"u","keys":["ssh-ed25519 AAAA u@h"]}"#,
        ),
        ("migrate", " {\t\"uri\" :\n\"tcp:h:1\" } "),
        ("ringbuf-read", r#"{"device":"data","size":1}"#),
        ("expire_password", r#"{"protocol":"vnc","time":"never"}"#),
        (
            "x",
            r#"{"a":"\u0041\/","b":18446744073709551616,"c":[[]],"":""}"#,
        ),
        ("x", r#"{"a":"path=a,monkey=b,data=c,password="}"#),
        (
            "human-monitor-command",
            r#"{"command-line":" info  block -v\t","cpu-index":0}"#,
        ),
    ] {
        assert_eq!(redacted(command, arguments), arguments);
    }
    assert_eq!(redact("x", None), None);
}

#[test]
fn strings_are_redacted_by_their_form() {
    for (text, expected) in [
        ("http://user:p:w@host/a", "http://user:[redacted]@host/a"),
        (
            "ftp://a:b@c@d x://e:f@g",
            "ftp://a:[redacted]@d x://e:[redacted]@g",
        ),
        (
            "iscsi://u:p@h/iqn/0 http://h/a:b@c",
            "iscsi://u:[redacted]@h/iqn/0 http://h/a:b@c",
        ),
        ("file.password=a,,b,x=y", "file.password=[redacted],x=y"),
        (
            "rbd:pool/image:id=a:key=AQ==",
            "rbd:pool/image:id=a:key=[redacted]",
        ),
        (
            r#"json:{"url":"x","password":"y"}"#,
            r#"json:{"url":"x","password":"[redacted]"}"#,
        ),
        (
            r#"json:{"file":"json:{\"cookie\":\"y\"}"}"#,
            r#"json:{"file":"json:{\"cookie\":\"[redacted]\"}"}"#,
        ),
        ("json:{'password':'y'}", "json:[redacted]"),
        (r#"file=json:{"password":"y"}"#, "file=json:[redacted]"),
    ] {
        let arguments = format!("{{\"filename\":{}}}", quote(text));
        let expected = format!("{{\"filename\":{}}}", quote(expected));
        assert_eq!(redacted("migrate", &arguments), expected);
    }
    assert_eq!(
        redacted("migrate", r#"{"uri":"http:\/\/u:p\u0040h"}"#),
        r#"{"uri":"http://u:[redacted]@h"}"#
    );
}

#[test]
fn lines_are_redacted_by_their_verb() {
    for (text, expected) in [
        ("set_password vnc hunter2", "set_password vnc [redacted]"),
        (
            " set_password\tspice  hunter2 keep -d x",
            " set_password\tspice [redacted]",
        ),
        ("set_password \"vnc\" hunter2", "set_password [redacted]"),
        ("set_password vn\\c hunter2", "set_password [redacted]"),
        ("set_passwrod vnc hunter2", "set_passwrod [redacted]"),
        ("SET_PASSWORD vnc hunter2", "SET_PASSWORD [redacted]"),
        (
            "change vnc password hunter2",
            "change vnc password [redacted]",
        ),
        (
            "change vnc -f password hunter2",
            "change vnc -f password [redacted]",
        ),
        ("change \"vnc\" \"password\" hunter2", "change [redacted]"),
        (
            "change cd0 http://u:p@h/a.iso",
            "change cd0 http://u:[redacted]@h/a.iso",
        ),
        ("block_passwd d hunter2", "block_passwd d [redacted]"),
        (
            "object_add secret,id=s,data=hun,,ter2,format=raw",
            "object_add secret,id=s,data=[redacted],format=raw",
        ),
        (
            r#"object_add {"qom-type":"secret","data":"hunter2"}"#,
            r#"object_add {"qom-type":"secret","data":"[redacted]"}"#,
        ),
        ("object_add {'data':'hunter2'}", "object_add [redacted]"),
        ("sendkey h", "sendkey [redacted]"),
        ("ringbuf_write r hunter2", "ringbuf_write r [redacted]"),
        (
            "qom-set /objects/s data hunter2",
            "qom-set /objects/s data [redacted]",
        ),
        (
            "qom-set -j /objects/s data \"hunter2\"",
            "qom-set [redacted]",
        ),
        ("qom-set /machine/a size 5", "qom-set /machine/a size 5"),
        ("info block", "info block"),
        ("info blocks hunter2", "info blocks [redacted]"),
        ("change vnc password", "change vnc password"),
        ("migrate -d tcp:h:1", "migrate -d tcp:h:1"),
    ] {
        assert_eq!(line(text), expected);
    }
}

#[test]
fn what_is_not_json_is_not_shown() {
    for text in [
        "",
        "{",
        "hunter2",
        "{\"password\":\"x\"",
        "{} hunter2",
        "{'a':1}",
    ] {
        let shown = redacted("x", text);
        assert_eq!(
            shown,
            format!("\"[{} bytes that are not JSON]\"", text.len())
        );
    }
    assert_eq!(
        redacted("x", r#"["\ud800",1]"#.trim()),
        r#"["[redacted]",1]"#
    );
}

#[test]
fn length_is_bounded() {
    let long = "x".repeat(1 << 20);
    assert_eq!(
        redacted("x", &format!("{{\"a\":\"{long}\"}}")),
        r#"{"a":"[1048576 bytes]"}"#
    );
    assert_eq!(
        redacted("x", &format!("{{\"secret\":\"{long}\"}}")),
        r#"{"secret":"[redacted]"}"#
    );
    let numbers = format!("{{\"a\":[{}1]}}", "1,".repeat(1 << 20));
    let many = format!(
        "{{\"a\":[{}{{\"secret\":\"hunter2\"}}]}}",
        "\"é\",".repeat(1 << 20)
    );
    let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
    let names = format!("{{\"{long}\":\"hunter2\"}}");
    for text in [numbers, many, deep, names] {
        let redacted = redact("x", Some(&text)).unwrap();
        assert!(redacted.len() < 3 * MAX_LENGTH, "{}", redacted.len());
        assert!(!redacted.contains("hunter2"));
        let shown: String = serde_json::from_str(&redacted).unwrap();
        assert!(shown.ends_with(&format!("[cut: {} bytes]", text.len())));
    }
    let exact = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LENGTH - 8));
    assert_eq!(redacted("x", &exact), exact);
    // A secret around the limit goes before the rest is cut.
    for length in MAX_LENGTH - 40..MAX_LENGTH {
        let padding = "1,".repeat(length / 2);
        let text = format!("[{padding}{{\"password\":\"hunter2\"}}]");
        assert!(!redacted("x", &text).contains("hunter"));
    }
}

/// Any JSON, whose member names are no secret and whose strings have no form
/// of one.
fn harmless() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[^=@:]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\\\\é]{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn harmless_arguments_stay_byte_for_byte(value in harmless(), wide: bool) {
        let text = if wide {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        };
        let text = text.unwrap();
        prop_assume!(text.len() <= MAX_LENGTH);
        prop_assert_eq!(redact("x", Some(&text)).unwrap(), text);
    }

    #[test]
    fn secrets_go_wherever_they_are(before in harmless(), after in harmless(), command in "qom-set|x|object-add") {
        let text = format!("{{\"a\":{before},\"b\":[{{\"password\" : \"hunter2\"}}],\"c\":{after}}}");
        let redacted = redact(&command, Some(&text)).unwrap();
        prop_assert!(!redacted.contains("hunter2"));
        prop_assert!(serde_json::from_str::<Value>(&redacted).is_ok());
    }

    #[test]
    fn nothing_panics(command in "[a-z-]{0,8}|human-monitor-command|qom-set", text in "\\PC*|[\\[\\]{}\",:a=@\\\\/ ]{0,40}") {
        let redacted = redact(&command, Some(&text)).unwrap();
        prop_assert!(serde_json::from_str::<Value>(&redacted).is_ok());
        let line = format!("{{\"command-line\":{},\"a\":{0}}}", quote(&text));
        redact("human-monitor-command", Some(&line)).unwrap();
    }
}
