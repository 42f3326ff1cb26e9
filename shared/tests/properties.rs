//! What holds for all messages and filters, whatever is in them.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use proptest::prelude::*;
use qmp_shared::json;
use qmp_shared::message::Message;

/// JSON text with blanks, escapes, and numbers that no type of Rust holds.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?",
        string(),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        let blank = "[ \t\r\n]{0,2}";
        let items = prop::collection::vec((blank, inner.clone(), blank), 0..5);
        let array = items.prop_map(|items| {
            let items: Vec<String> = items.iter().map(|(a, v, b)| format!("{a}{v}{b}")).collect();
            format!("[{}]", items.join(","))
        });
        let members = prop::collection::vec((blank, string(), blank, inner), 0..5);
        let object = members.prop_map(|members| {
            let one = |(a, k, b, v): &(String, String, String, String)| format!("{a}{k}{b}:{v}");
            let members: Vec<String> = members.iter().map(one).collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![array, object]
    })
}

fn string() -> impl Strategy<Value = String> {
    r#""([ -!#-\[\]-~äöü€😀]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,8}""#
}

proptest! {
    #[test]
    fn a_message_is_its_text_byte_by_byte(
        members in prop::collection::vec((string(), value()), 0..6),
        around in "[ \t\r\n]{0,3}",
    ) {
        let one = |(name, value): &(String, String)| format!("{name}: {value}");
        let body: Vec<String> = members.iter().map(one).collect();
        let text = format!("{{{}}}", body.join(" ,"));
        // A lone surrogate in a name is the one thing that is not read.
        let named = members.iter().map(|(name, _)| serde_json::from_str::<String>(name));
        let Ok(names) = named.collect::<Result<Vec<_>, _>>() else {
            prop_assert!(Message::parse(text).is_err());
            return Ok(());
        };
        let message = Message::parse(format!("{around}{text}{around}")).unwrap();
        prop_assert_eq!(message.as_str(), &text);
        prop_assert_eq!(message.len(), members.len());
        for (name, (_, value)) in names.iter().zip(&members).rev() {
            let place = names.iter().rposition(|known| known == name).unwrap();
            let (_, last) = &members[place];
            prop_assert_eq!(message.get_text(name), Some(last.as_str()));
            prop_assert_eq!(message.get(name).unwrap().get(), last.as_str());
            prop_assert!(text.contains(value.as_str()));
        }
        let again = Message::parse(message.compact().into_owned()).unwrap();
        let pretty = message.pretty();
        prop_assert_eq!(&again.pretty(), &pretty);
        prop_assert_eq!(json::compact(&pretty), message.compact());
        prop_assert_eq!(message.clone().into_text(), text);
    }
}

#[cfg(feature = "where")]
mod filters {
    use qmp_shared::filter::{Expression, Verdict};
    use serde_json::{Value, json};
    use serde_json_path::JsonPath;

    use super::*;

    /// A comparison, or the existence of something.
    fn test() -> impl Strategy<Value = String> {
        let path = prop_oneof![
            Just("@"),
            Just("@.event"),
            Just("@.data.id"),
            Just("@.data['n']"),
            Just("@.data.list[0]"),
            Just("@.data.list[-1]"),
            Just("@.missing"),
        ];
        let literal = prop_oneof![
            Just("'job1'"),
            Just("\"X\""),
            Just("1"),
            Just("-2.5"),
            Just("18446744073709551615"),
            Just("true"),
            Just("null"),
        ];
        let operator = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
        let comparison =
            (path.clone(), operator, literal).prop_map(|(p, o, l)| format!("{p} {o} {l}"));
        let function = prop_oneof![
            Just("length(@.data.list) > 1".to_owned()),
            Just("count(@.data.*) == 2".to_owned()),
            Just("value(@.data.id) == 'job1'".to_owned()),
        ];
        prop_oneof![comparison, path.prop_map(str::to_owned), function]
    }

    fn expression() -> impl Strategy<Value = String> {
        test().prop_recursive(4, 24, 2, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                pair.clone().prop_map(|(a, b)| format!("{a} && {b}")),
                pair.prop_map(|(a, b)| format!("{a} || {b}")),
                inner.clone().prop_map(|it| format!("({it})")),
                inner.prop_map(|it| format!("!({it})")),
            ]
        })
    }

    fn event() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(json!("job1")),
            Just(json!("X")),
            Just(json!(null)),
            Just(json!(true)),
            Just(json!(u64::MAX)),
            (-3..3_i64).prop_map(Value::from),
            Just(json!(-2.5)),
        ];
        let list = prop::collection::vec(scalar.clone(), 0..3);
        (scalar.clone(), scalar, list).prop_map(
            |(id, n, list)| json!({"event": "X", "data": {"id": id, "n": n, "list": list}}),
        )
    }

    proptest! {
        #[test]
        fn an_expression_says_what_the_jsonpath_library_says(
            expression in expression(),
            event in event(),
        ) {
            prop_assume!(expression.len() <= 1024);
            let parsed: Expression = expression.parse().unwrap();
            // In parentheses and with another root, so that nothing of ours is shared.
            let query = JsonPath::parse(&format!("$.events[?({expression})]")).unwrap();
            let expected = match query.query(&json!({"events": [event]})).is_empty() {
                true => Verdict::Rejected,
                false => Verdict::Accepted,
            };
            prop_assert_eq!(parsed.evaluate(&event.to_string()), expected);
        }
    }
}
