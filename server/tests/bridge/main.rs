//! What remote automation stands on: events that outlive a console, sessions
//! that come and go, roles, tokens, the audit.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod addresses;
mod disk;
mod ends;
mod events;
mod hostile;
mod journal;
mod openapi;
mod requests;
mod secrets;
mod sessions;
mod socket;
mod tls;

use qmp_fake::{Action, Fake, Script};
use serde_json::{Value, json};

/// An endpoint whose command `emit` makes an event `E` with its argument `n`
/// as data, which any number of commands may follow.
async fn emitter() -> Fake {
    let event = |n: u64| Action::Event {
        name: if n.is_multiple_of(2) { "EVEN" } else { "ODD" }.to_owned(),
        data: Some(json!({ "n": n })),
    };
    let mut script = Script::default()
        .on("slow", [Action::hold(), Action::Return(json!({}))])
        .on("leave", [Action::Close]);
    for n in 1..=20 {
        script = script.on(format!("emit{n}"), [event(n), Action::Return(json!({}))]);
    }
    Fake::start(script).await.unwrap()
}

/// Has these numbers emitted.
async fn emit(server: &common::TestServer, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        let reply = server
            .execute("vm", &format!(r#"{{"execute":"emit{n}"}}"#))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

/// The numbers of the events of a page.
fn numbers(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().expect("events");
    let number = |event: &Value| event["event"]["data"]["n"].as_u64();
    events.iter().filter_map(number).collect()
}
