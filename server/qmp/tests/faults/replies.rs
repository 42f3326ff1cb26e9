//! Replies, ids, and how many commands may be outstanding.

use std::sync::Arc;

use futures_util::FutureExt;
use qmp_client::client::Execute;
use qmp_client::error::{Backlog, DisconnectCause, ExecuteError};
use qmp_shared::filter::EventFilter;
use qmp_shared::json::FaultKind;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::*;

fn arguments(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn replies_in_any_order_find_their_callers() {
    let script = Script::default()
        .on("a", [Action::hold_until("c"), returns(json!("a"))])
        .on("b", [Action::hold_until("a"), returns(json!("b"))])
        .on("c", [returns(json!("c"))]);
    let (fake, client) = running(script).await;
    let (b, a, c) = soon(async {
        tokio::join!(
            client.execute("b"),
            client.execute("a"),
            client.execute("c")
        )
    })
    .await;
    for (reply, expected) in [(a, "\"a\""), (b, "\"b\""), (c, "\"c\"")] {
        assert_eq!(reply.unwrap().get(), expected);
    }
    assert_eq!(fake.received(4).await.unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_payload_passes_untouched_in_both_directions() {
    let payload = r#"{"b": 18446744073709551616, "a" : [1.50, null, "\u00e9\/"]}"#;
    let reply = format!("{{\"return\": {payload}, \"id\": $id}}");
    let script = Script::default().on("echo", [Action::send(reply)]);
    let (fake, client) = running(script).await;
    let echo = Execute::new("echo").arguments(arguments(payload));
    assert_eq!(soon(client.execute(echo)).await.unwrap().get(), payload);
    let received = &fake.received(2).await.unwrap()[1];
    assert!(received.text.get().contains(payload));
}

#[tokio::test(start_paused = true)]
async fn null_is_a_return_value() {
    let (_fake, client) = running(Script::default().on("x", [returns(json!(null))])).await;
    assert_eq!(soon(client.execute("x")).await.unwrap().get(), "null");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_heard_before_the_reply_after_it() {
    let script = Script::default().on("stop", [Action::event("STOP"), done()]);
    let (_fake, client) = running(script).await;
    let mut listener = client.listen(EventFilter::all());
    soon(client.execute("stop")).await.unwrap();
    assert_eq!(listener.try_next().unwrap().name(), "STOP");
}

#[tokio::test(start_paused = true)]
async fn an_event_wins_over_everything_else_in_its_message() {
    let both = r#"{"event": "E", "timestamp": {"seconds": 1, "microseconds": 1},
        "return": "no", "id": $id}"#;
    let script = Script::default().on("x", [Action::send(both), returns(json!("yes"))]);
    let (_fake, client) = running(script).await;
    let mut listener = client.listen(EventFilter::all());
    assert_eq!(soon(client.execute("x")).await.unwrap().get(), "\"yes\"");
    assert_eq!(listener.try_next().unwrap().name(), "E");
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_goes_to_nobody() {
    let script = Script::default()
        .on("late", [Action::hold_until("next"), returns(json!("late"))])
        .on("next", [Action::hold(), returns(json!("next"))]);
    let (fake, client) = running(script).await;
    let limit = Duration::from_secs(3);
    let error = client.execute(Execute::new("late").timeout(limit)).await;
    let error = error.unwrap_err();
    assert!(matches!(error.error, ExecuteError::Timeout { after } if after == limit));
    assert!(error.outcome_unknown());
    {
        let dropped = client.execute("late");
        assert!(timeout(limit, dropped).await.is_err());
    }
    let next = client.execute("next");
    let release = async {
        fake.received(4).await.unwrap();
        fake.release("next");
    };
    let (next, ()) = soon(async { tokio::join!(next, release) }).await;
    assert_eq!(next.unwrap().get(), "\"next\"");
}

#[tokio::test(start_paused = true)]
async fn replies_with_foreign_ids_are_dropped() {
    let foreign = ["99", "\"1\"", "null", "1.0", "[1]"]
        .map(|id| Action::send(format!("{{\"return\": \"foreign\", \"id\": {id}}}\n")));
    let script = Script::default().on("x", foreign.into_iter().chain([done()]));
    let (_fake, client) = running(script).await;
    assert_eq!(soon(client.execute("x")).await.unwrap().get(), "{}");
    assert!(soon(client.execute("query-version")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_malformed_reply_is_its_callers_alone() {
    for reply in [
        "{\"id\": $id}",
        "{\"id\": $id, \"error\": \"no\"}",
        "{\"id\": $id, \"error\": {\"class\": \"C\"}}",
        "{\"id\": $id, \"execute\": \"x\"}",
    ] {
        let script = Script::default().on("x", [Action::send(reply)]);
        let (_fake, client) = running(script).await;
        let error = soon(client.execute("x")).await.unwrap_err();
        assert!(
            matches!(error.error, ExecuteError::BadReply(_)),
            "{reply}: {error:?}"
        );
        assert!(error.outcome_unknown());
        assert!(soon(client.execute("query-version")).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_the_servers_word_for_word() {
    let script = Script::default().on("x", [Action::error("Brand\"New", "a\nb")]);
    let (_fake, client) = running(script).await;
    let arguments = serde_json::value::RawValue::from_string(r#"{"a": 1.50}"#.into()).unwrap();
    let command = Execute::new("x").arguments(arguments);
    let ExecuteError::Refused(refused) = soon(client.execute(command)).await.unwrap_err().error
    else {
        panic!("not refused");
    };
    let error = &refused.error;
    assert_eq!((&*error.class, &*error.desc), ("Brand\"New", "a\nb"));
    let id = refused.sent.id().unwrap().get();
    let sent = format!(r#"{{"execute":"x","arguments":{{"a": 1.50}},"id":{id}}}"#);
    assert_eq!(refused.sent.as_str(), sent);
    assert_eq!(refused.received.id().unwrap().get(), id);
    assert!(refused.received.get("error").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_error_without_an_id_ends_the_session() {
    let error = r#"{"error": {"class": "GenericError", "desc": "JSON parse error"}}"#;
    let script = Script::default().on("x", [Action::send(error)]);
    let (_fake, client) = running(script).await;
    let error = soon(client.execute("x")).await.unwrap_err();
    assert!(error.outcome_unknown());
    assert!(chain(&error).ends_with("could not parse its input: JSON parse error"));
    let cause = soon(client.closed()).await.unwrap();
    assert!(matches!(*cause, DisconnectCause::ServerParse(_)));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_could_not_attribute_is_not_sent() {
    let (fake, client) = running(Script::default()).await;
    let nested = |depth| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    for text in [
        r#"{"a": 1, "\u0061": 2}"#,
        r#"{"a": "\ud800"}"#,
        r#"{"a": "\uffff"}"#,
        "[1]",
        &nested(1023),
    ] {
        let command = Execute::new("x").arguments(arguments(text));
        let error = soon(client.execute(command)).await.unwrap_err();
        assert!(
            matches!(error.error, ExecuteError::Invalid(_)),
            "{text}: {error:?}"
        );
        assert!(!error.outcome_unknown());
    }
    let deepest = Execute::new("query-version").arguments(arguments(&nested(1022)));
    soon(client.execute(deepest)).await.unwrap();
    let received = fake.received(2).await.unwrap();
    assert_eq!(received.len(), 2, "the negotiation and the last one");
    let deep = Execute::new("x").arguments(arguments(&nested(1023)));
    let ExecuteError::Invalid(fault) = client.execute(deep).await.unwrap_err().error else {
        panic!("sent");
    };
    assert_eq!(fault.kind, FaultKind::TooDeep);
}

/// `count` commands `x` that are held by the server.
async fn hold(client: &Client, fake: &Fake, count: usize) -> JoinSet<()> {
    let mut held = JoinSet::new();
    for _ in 0..count {
        let client = client.clone();
        held.spawn(async move { drop(client.execute("x").await.unwrap()) });
    }
    fake.received(1 + count).await.unwrap();
    held
}

#[tokio::test(start_paused = true)]
async fn at_most_seven_in_band_commands_leave_a_place_for_those_out_of_band() {
    let script = Script::default()
        .on("x", [Action::hold(), done()])
        .on("y", [done()]);
    let (fake, client) = running(script).await;
    let mut held = hold(&client, &fake, 7).await;
    let limit = Duration::from_secs(1);
    let eighth = client.execute(Execute::new("y").timeout(limit)).await;
    let error = eighth.unwrap_err();
    assert!(
        matches!(
            error.error,
            ExecuteError::Busy {
                backlog: Backlog::Full(7),
                ..
            }
        ),
        "{error:?}"
    );
    let said = "qmp: not sent within 1 s: 7 earlier commands have no reply yet";
    assert_eq!(chain(&error), said);
    assert!(!error.outcome_unknown());
    soon(client.execute(Execute::new("y").oob(true)))
        .await
        .unwrap();
    let received = fake.received(9).await.unwrap();
    assert_eq!(received.len(), 9, "the eighth was not sent");
    assert!(received[8].text.get().starts_with("{\"exec-oob\":\"y\""));

    let mut waits = Box::pin(client.execute("y"));
    assert!((&mut waits).now_or_never().is_none());
    fake.release("x");
    soon(waits).await.unwrap();
    for _ in 0..6 {
        fake.release("x");
    }
    while let Some(joined) = soon(held.join_next()).await {
        joined.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_overtakes_those_who_wait_for_a_place() {
    let script = Script::default()
        .on("x", [Action::hold(), done()])
        .on("y", [done()])
        .on("z", [done()]);
    let (fake, client) = running(script).await;
    let mut held = hold(&client, &fake, 7).await;
    let mut first = Box::pin(client.execute("y"));
    assert!((&mut first).now_or_never().is_none());
    // Two places are free now, and the first has not taken one yet.
    for _ in 0..2 {
        fake.release("x");
        soon(held.join_next()).await.unwrap().unwrap();
    }
    let mut second = Box::pin(client.execute("z"));
    assert!((&mut second).now_or_never().is_none());
    let (first, second) = soon(async { tokio::join!(first, second) }).await;
    first.unwrap();
    second.unwrap();
    let received = fake.received(10).await.unwrap();
    let names = received[8..].iter().map(|command| command.text.get());
    let names: Vec<&str> = names.filter_map(|text| text.split('"').nth(3)).collect();
    assert_eq!(names, ["y", "z"]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_does_not_take_its_command_from_the_servers_queue() {
    let script = Script::default()
        .on("x", [Action::hold(), done()])
        .on("y", [done()]);
    let (fake, client) = running(script).await;
    let held = hold(&client, &fake, 7).await;
    drop(held);
    let limit = Duration::from_secs(1);
    let error = client.execute(Execute::new("y").timeout(limit)).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error.error, ExecuteError::Busy { .. }),
        "{error:?}"
    );
    fake.release("x");
    soon(client.execute("y")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_place_are_told_that_nothing_was_sent() {
    let script = Script::default().on("x", [Action::hold(), Action::Close]);
    let (fake, client) = running(script).await;
    let mut callers = JoinSet::new();
    for _ in 0..7 {
        let client = client.clone();
        callers.spawn(async move { client.execute("x").await.unwrap_err() });
    }
    fake.received(8).await.unwrap();
    let mut waits = Box::pin(client.execute("y"));
    assert!((&mut waits).now_or_never().is_none());
    fake.release("x");
    let error = soon(waits).await.unwrap_err();
    assert!(matches!(error.error, ExecuteError::State(_)), "{error:?}");
    let mut causes = Vec::new();
    while let Some(error) = soon(callers.join_next()).await {
        let ExecuteError::Interrupted { cause } = error.unwrap().error else {
            panic!("not interrupted");
        };
        causes.push(cause);
    }
    assert_eq!(causes.len(), 7);
    assert!(causes.iter().all(|cause| Arc::ptr_eq(cause, &causes[0])));
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_that_no_clock_reaches_is_none() {
    let (_fake, client) = running(Script::default()).await;
    let command = Execute::new("query-version").timeout(Duration::MAX);
    assert!(soon(client.execute(command)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_events_is_heard_in_order() {
    let flood = Action::Flood {
        event: "E".into(),
        count: 20_000,
    };
    let (_fake, client) = running(Script::default().on("x", [flood, done()])).await;
    let mut listener = client.listen(EventFilter::names(["E"]).unwrap());
    soon(client.execute("x")).await.unwrap();
    let events = listener.clear();
    assert_eq!((events.len(), listener.dropped()), (20_000, 0));
    let numbers = events.iter().map(|event| event.data().unwrap().get());
    assert!(numbers.eq((0..20_000).map(|n| format!("{{\"n\":{n}}}"))));
}

#[tokio::test(start_paused = true)]
async fn a_typed_reply_is_read_or_said_to_be_something_else() {
    let script = Script::default().on("x", [Action::Return(json!({"n": 7}))]);
    let (_fake, client) = running(script).await;
    let typed: std::collections::BTreeMap<String, u8> = soon(client.execute_as("x")).await.unwrap();
    assert_eq!(typed["n"], 7);
    let error = soon(client.execute_as::<Vec<u8>>("x")).await.unwrap_err();
    assert!(!error.outcome_unknown());
    let text = chain(&error);
    assert!(
        text.contains(r#"not what was expected: {"n":7}: invalid type: map"#),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_is_a_command_with_an_id_of_our_own() {
    use qmp_shared::message::Message;
    let script = Script::default().on("x", [Action::Return(json!({}))]);
    let (fake, client) = running(script).await;
    let message = Message::parse(r#"{"exec-oob":"x","arguments":{"a":1},"id":"theirs"}"#).unwrap();
    soon(client.execute(Execute::from_message(&message).unwrap()))
        .await
        .unwrap();
    let received = soon(fake.received(2)).await.unwrap();
    let text = received[1].text.get();
    assert!(
        text.starts_with(r#"{"exec-oob":"x","arguments":{"a":1},"id":"#),
        "{text}"
    );
    assert!(!text.contains("theirs"));
    for none in [
        r#"{"return":{}}"#,
        r#"{"execute":1}"#,
        r#"{"execute":"a","exec-oob":"b"}"#,
    ] {
        assert!(
            Execute::from_message(&Message::parse(none).unwrap()).is_none(),
            "{none}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn hooks_see_and_change_every_message_of_their_direction() {
    use std::sync::{Arc, Mutex};
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hook = |direction: &'static str, from: &'static str, to: &'static str| {
        let seen = Arc::clone(&seen);
        let hook = move |message: qmp_shared::message::Message| {
            let text = message.as_str().replace(from, to);
            seen.lock().unwrap().push((direction, message.kind()));
            qmp_shared::message::Message::parse(text).unwrap()
        };
        Some(Arc::new(hook) as qmp_client::client::Hook)
    };
    let script = Script::default().on("real", [Action::Return(json!("cold"))]);
    let (fake, stream) = start(script);
    let client = Client::new(Options {
        on_outbound: hook("out", "alias", "real"),
        on_inbound: hook("in", "cold", "warm"),
        ..Options::default()
    });
    soon(client.establish(stream)).await.unwrap();
    let value = soon(client.execute("alias")).await.unwrap();
    assert_eq!(value.get(), r#""warm""#);
    assert_eq!(soon(fake.received(2)).await.unwrap()[1].name, "real");
    use qmp_shared::message::MessageKind::{Command, Greeting, Return};
    let negotiation = [("in", Greeting), ("out", Command), ("in", Return)];
    let command = [("out", Command), ("in", Return)];
    assert_eq!(*seen.lock().unwrap(), [&negotiation[..], &command].concat());
}
