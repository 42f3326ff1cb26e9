//! [`Expression`] and [`EventFilter`]: they agree with simpler ones.
//!
//! The first line of an input is a list of patterns, the last one an event, and
//! the lines between them are an expression.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qmp_shared::filter::{EventFilter, Expression, Verdict};
use qmp_shared::message::{Message, MessageKind};
use qmp_shared::model::Event;
use serde_json::{Value, json};
use serde_json_path::JsonPath;

fuzz_target!(|input: &str| {
    let Some((patterns, rest)) = input.split_once('\n') else {
        return;
    };
    let Some((expression, event)) = rest.rsplit_once('\n') else {
        return;
    };
    names(patterns, event);
    if let Ok(expression) = expression.parse::<Expression>() {
        where_it_holds(&expression, event);
        if let Ok(filter) = patterns.parse::<EventFilter>() {
            both(filter, expression, event);
        }
    }
});

fn names(patterns: &str, name: &str) {
    let Ok(filter) = patterns.parse::<EventFilter>() else {
        return;
    };
    assert_eq!(filter.to_string().parse().as_ref(), Ok(&filter));
    let expected =
        filter.patterns().is_empty() || filter.patterns().iter().any(|pattern| glob(pattern, name));
    assert_eq!(filter.matches_name(name), expected);
}

/// The parts between the stars, each where it is first found.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some((_, after)) = left.split_once(part) else {
            return false;
        };
        left = after;
    }
    left.ends_with(last)
}

fn where_it_holds(expression: &Expression, event: &str) {
    let verdict = expression.evaluate(event);
    // In parentheses, only a logical expression is one.
    let query = format!("$[?({expression}\n)]");
    let query = JsonPath::parse(&query).expect("an expression is a logical one");
    let expected = match serde_json::from_str::<Value>(event) {
        Err(_) => Verdict::Unevaluable,
        Ok(event) if query.query(&json!([event])).is_empty() => Verdict::Rejected,
        Ok(_) => Verdict::Accepted,
    };
    assert_eq!(verdict, expected);
}

/// The name is judged first.
fn both(filter: EventFilter, expression: Expression, event: &str) {
    let Ok(message) = Message::parse(event) else {
        return;
    };
    if message.kind() != MessageKind::Event {
        return;
    }
    let Ok(event) = Event::from_message(message) else {
        return;
    };
    let expected = match filter.matches_name(event.name()) {
        true => expression.evaluate(event.as_str()),
        false => Verdict::Rejected,
    };
    assert_eq!(
        filter.with_expression(expression).evaluate(&event),
        expected
    );
}
