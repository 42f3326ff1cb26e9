//! Return values and ids: nothing in them is changed on the way.

use qmp_fake::{Action, Fake, Script};
use serde_json::json;

use crate::common::TestServer;

/// A reply with this text as its return value.
fn returns(value: &str) -> Vec<Action> {
    vec![Action::send(format!(
        "{{\"return\": {value}, \"id\": $id}}\r\n"
    ))]
}

#[tokio::test]
async fn a_return_value_is_verbatim() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let values = [
        "{}",
        "null",
        "false",
        "\"text\"",
        "18446744073709551616",
        "-0",
        "1.50",
        "1E400",
        r#"{"z": 1, "a": 2, "m": {"b":[],  "a":[ ]}}"#,
        r#"{"a": 1, "a": 2}"#,
        r#""\u00e4\/ä\ud800""#,
        "{\r\n    \"pretty\": [\r\n        1\r\n    ]\r\n}",
        r#"{"return": 1, "id": 2, "error": {}, "event": "X"}"#,
        &deep,
    ];
    let mut script = Script::default();
    for (index, value) in values.iter().enumerate() {
        script = script.on(format!("get-{index}"), returns(value));
    }
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    for (index, value) in values.iter().enumerate() {
        let body = format!(r#"{{"execute":"get-{index}"}}"#);
        let reply = server.execute("vm", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.text, format!(r#"{{"return":{value}}}"#));
    }
}

#[tokio::test]
async fn a_long_return_value_is_whole() {
    let text: String = ('a'..='z').cycle().take(1 << 20).collect();
    let value = format!(r#"{{"text": "{text}"}}"#);
    let script = Script::default().on("get", returns(&value));
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let reply = server.execute("vm", r#"{"execute":"get"}"#).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text == format!(r#"{{"return":{value}}}"#));
}

#[tokio::test]
async fn the_id_comes_back_verbatim_and_only_if_there_was_one() {
    let script = Script::default().on("get", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let reply = server.execute("vm", r#"{"execute":"get"}"#).await;
    assert_eq!(reply.text, r#"{"return":{}}"#);
    for id in [
        "null",
        "1.50",
        "\"\\u0061\"",
        "18446744073709551616",
        r#"{"z": [ ],  "a": null}"#,
    ] {
        let body = format!(r#"{{"id": {id}, "execute": "get"}}"#);
        let reply = server.execute("vm", &body).await;
        assert_eq!(reply.text, format!(r#"{{"return":{{}},"id":{id}}}"#));
    }
    // The endpoint gets ids of the console's own.
    let received = fake.received(8).await.unwrap();
    let mut ids: Vec<_> = received
        .iter()
        .filter(|command| command.name == "get")
        .map(|command| {
            let start = r#"{"execute":"get","id":"#;
            let rest = command.text.get().strip_prefix(start).unwrap();
            rest.strip_suffix('}').unwrap().parse::<u64>().unwrap()
        })
        .collect();
    assert_eq!(ids.len(), 6);
    ids.dedup();
    assert_eq!(ids.len(), 6, "{ids:?}");
}

#[tokio::test]
async fn arguments_arrive_verbatim_in_band_and_out_of_band() {
    let script = Script::default().on("set", [Action::Return(json!({}))]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    let mut count = fake.received(2).await.unwrap().len();
    for way in ["execute", "exec-oob"] {
        for arguments in [
            "{}",
            r#"{"n":  18446744073709551616, "b": 1.50, "a": {"ä\u00e4": [ -0 ]}}"#,
        ] {
            let body = format!(r#"{{"arguments": {arguments}, "{way}": "set"}}"#);
            let reply = server.execute("vm", &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            count += 1;
            let received = fake.received(count).await.unwrap();
            let text = received.last().unwrap().text.get();
            let start = format!(r#"{{"{way}":"set","arguments":{arguments},"id":"#);
            assert!(text.starts_with(&start), "{text}");
        }
    }
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["commands"], 4, "{vm}");
}
