//! [`Message`] and [`qmp_shared::json`]: what is accepted stays as it was, and
//! is what another reader of JSON accepts.

#![no_main]

use std::borrow::Cow;
use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use qmp_shared::json;
use qmp_shared::message::{Message, MessageKind};
use qmp_shared::model::{CommandError, Event, Greeting};
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|input: &[u8]| {
    message(input);
    if let Ok(text) = str::from_utf8(input) {
        json(text);
    }
});

fn message(input: &[u8]) {
    let message = match Message::parse(input) {
        Ok(message) => message,
        Err(error) => return assert_eq!(error.raw.trim_ascii(), input.trim_ascii()),
    };
    let text = message.as_str();
    assert_eq!(text.as_bytes(), input.trim_ascii());
    let members: HashMap<Cow<'_, str>, &RawValue> =
        serde_json::from_str(text).expect("a message is an object");
    for (name, value) in &members {
        let got = message.get(name).expect("a member is found");
        assert_eq!(got.get(), value.get());
        let place = text.as_bytes().as_ptr_range();
        let own = got.get().as_bytes().as_ptr_range();
        assert!(place.start <= own.start && own.end <= place.end);
    }
    assert!(
        message
            .members()
            .all(|(name, _)| members.contains_key(name))
    );
    assert_eq!(message.members().count(), message.len());
    assert_eq!(message.id().is_some(), members.contains_key("id"));
    let other = message.with("id", RawValue::NULL);
    assert_eq!(other.id().map(RawValue::get), Some("null"));
    assert!(other.without("id").id().is_none());
    match message.kind() {
        MessageKind::Event => {
            if let Ok(event) = Event::from_message(message.clone()) {
                assert_eq!(event.as_str(), text);
                let data = members.get("data").map(|data| data.get());
                assert_eq!(event.data().map(RawValue::get), data);
            }
        }
        MessageKind::Greeting => {
            let _ = Greeting::from_message(&message);
        }
        MessageKind::Error => {
            let _ = CommandError::from_message(&message);
        }
        _ => {}
    }
    assert_eq!(message.clone().into_text(), text);
}

fn json(text: &str) {
    let accepted = serde_json::from_str::<&RawValue>(text).is_ok();
    let checked = json::check(text);
    match &checked {
        Ok(()) => assert!(accepted),
        Err(fault) => {
            assert!(text.is_char_boundary(fault.offset));
            assert!(!accepted || !fault.is_syntax());
        }
    }
    if json::check_arguments(text).is_ok() {
        assert_eq!(checked, Ok(()));
    }
    if !accepted {
        return;
    }
    let compact = json::compact(text);
    let pretty = json::pretty(text);
    assert_eq!(json::compact(&compact), compact);
    assert_eq!(json::compact(&pretty), compact);
    assert_eq!(json::pretty(&compact), pretty);
    assert_eq!(json::pretty(&pretty), pretty);
    assert_eq!(json::check(&compact).is_ok(), checked.is_ok());
    // Numbers too large, deep nesting and lone surrogates have no `Value`.
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        assert_eq!(serde_json::from_str::<Value>(&compact).ok(), Some(value));
    }
}
