//! Greeting, negotiation, and the synchronisation with an agent.

use std::sync::{Arc, Mutex};

use qmp_client::client::Runstate;
use qmp_client::error::{DisconnectCause, GreetingError};
use qmp_shared::model::EndpointKind;

use super::*;

#[tokio::test(start_paused = true)]
async fn without_a_greeting_the_monitor_may_be_in_use() {
    let error = refused(Script::default().greeting([]), Options::default()).await;
    assert!(matches!(error, ConnectError::GreetingTimeout { .. }));
    assert_eq!(
        error.to_string(),
        "no greeting within 5 s: the monitor may be in use by another client"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_may_wait_for_the_greeting_for_ever() {
    let (_fake, stream) = start(Script::default().greeting([]));
    let client = Client::new(Options {
        greeting_timeout: None,
        ..Options::default()
    });
    let day = Duration::from_secs(24 * 60 * 60);
    assert!(timeout(day, client.establish(stream)).await.is_err());
    assert_eq!(client.runstate(), Runstate::Idle);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_greeting_is_shown() {
    for (sent, shown) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "the message is not JSON"),
        ("220 mail ready\r\n", "not a JSON object but 220"),
        ("[{\"QMP\": {}}]", "not a JSON object"),
        (
            "{\"return\": 7}",
            "instead of a greeting it sent {\"return\": 7}",
        ),
        ("{\"QMP\": {}}", "greeting has no member `QMP.version`"),
        (
            "{\"QMP\": {\"version\": {\"qemu\": {\"major\": \"7\"}}}}",
            "greeting: member `QMP.version.qemu.major` is not an integer",
        ),
    ] {
        let script = Script::default().greeting([Action::send(sent)]);
        let error = refused(script, Options::default()).await;
        assert!(chain(&error).contains(shown), "{}", chain(&error));
    }
    let script = Script::default().greeting([Action::send("{\"QMP\": {}}")]);
    let error = refused(script, Options::default()).await;
    assert!(matches!(
        error,
        ConnectError::Greeting(GreetingError::Model(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_refused_negotiation_keeps_the_servers_words() {
    let error = Action::error("BrandNew", "not with you");
    let script = Script::default().on("qmp_capabilities", [error]);
    let error = refused(script, Options::default()).await;
    let ConnectError::Negotiation(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!((&*error.class, &*error.desc), ("BrandNew", "not with you"));
}

#[tokio::test(start_paused = true)]
async fn a_negotiation_without_a_proper_reply_fails() {
    for (reply, shown) in [
        ("{\"id\": $id, \"error\": 7}", "`error` is not an object"),
        ("{\"id\": $id}", "neither `return` nor `error`"),
    ] {
        let script = Script::default().on("qmp_capabilities", [Action::send(reply)]);
        let error = refused(script, Options::default()).await;
        assert!(matches!(error, ConnectError::BadNegotiation(_)));
        assert!(chain(&error).contains(shown), "{}", chain(&error));
    }
    let script = Script::default().on("qmp_capabilities", [Action::Silence]);
    let error = refused(script, Options::default()).await;
    assert!(matches!(error, ConnectError::NegotiationTimeout { .. }));
    let script = Script::default().on("qmp_capabilities", [Action::Close]);
    let error = refused(script, Options::default()).await;
    let ConnectError::Disconnected(DisconnectCause::Eof) = error else {
        panic!("{error:?}");
    };
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_reply_is_not_the_negotiations() {
    let replies = r#"{"return": {}, "id": 5} {"error": {"class": "C", "desc": "d"}, "id": "0"}"#;
    let script = Script::default().on("qmp_capabilities", [Action::send(replies), done()]);
    let (_fake, client) = running(script).await;
    assert!(soon(client.execute("query-version")).await.is_ok());

    let refusal = Action::error("GenericError", "no");
    let script = Script::default().on("qmp_capabilities", [Action::send(replies), refusal]);
    let error = refused(script, Options::default()).await;
    assert!(matches!(error, ConnectError::Negotiation(error) if error.desc == "no"));
}

#[tokio::test(start_paused = true)]
async fn events_before_the_greeting_and_the_negotiations_reply_are_events() {
    let script = Script::default()
        .greeting([Action::event("EARLY"), Action::Greet])
        .on("qmp_capabilities", [Action::event("STOP"), done()]);
    let (_fake, stream) = start(script);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let client = Client::new(Options {
        on_event: Some(Arc::new(move |event| {
            hears.lock().unwrap().push(event.name().to_owned());
        })),
        ..Options::default()
    });
    soon(client.establish(stream)).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["EARLY", "STOP"]);
}

#[tokio::test(start_paused = true)]
async fn out_of_band_is_enabled_where_offered_and_wanted() {
    let without = r#"{"QMP": {"capabilities": [],
        "version": {"qemu": {"major": 2, "minor": 0, "micro": 0}, "package": ""}}}"#;
    let without = || Script::default().greeting([Action::send(without)]);
    for (script, oob, enabled) in [
        (Script::default(), true, true),
        (Script::default(), false, false),
        (without(), true, false),
    ] {
        let (fake, stream) = start(script);
        let client = Client::new(Options {
            capabilities: if oob {
                vec!["oob".to_owned()]
            } else {
                Vec::new()
            },
            ..Options::default()
        });
        soon(client.establish(stream)).await.unwrap();
        assert_eq!(client.oob_enabled(), enabled);
        let negotiation = &fake.received(1).await.unwrap()[0];
        assert_eq!(negotiation.text.get().contains("enable"), enabled);
    }
}

fn agent() -> Options {
    Options {
        kind: EndpointKind::Qga,
        ..Options::default()
    }
}

#[tokio::test(start_paused = true)]
async fn an_agents_stale_replies_are_skipped() {
    let stale = [
        b"{\"return\": 7}\n{\"return\": {\"half\": \"".as_slice(),
        b"\xff{\"return\": 7}\n",
        b"\xff{\"return\": {\"half\"",
    ];
    let stale = stale.map(|bytes| Action::Bytes(bytes.into()));
    let script = Script::default()
        .greeting(stale)
        .on("guest-sync-delimited", [Action::Sync])
        .on("guest-ping", [done()]);
    let (_fake, stream) = start(script);
    let client = Client::new(agent());
    soon(client.establish(stream)).await.unwrap();
    assert_eq!(
        soon(client.execute("guest-ping")).await.unwrap().get(),
        "{}"
    );
    assert!(client.greeting().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_follows_somebody_elses_synchronisation_is_stale() {
    let script = Script::default().greeting([]).on(
        "guest-sync-delimited",
        [
            Action::Bytes(b"\xff{\"return\": 7}\n".into()),
            Action::hold(),
            Action::send("rest of a reply\"}\n"),
            Action::hold(),
            Action::Sync,
        ],
    );
    let (fake, stream) = start(script);
    let client = Client::new(agent());
    let mut establish = Box::pin(client.establish(stream));
    for _ in 0..2 {
        let a_second = Duration::from_secs(1);
        assert!(timeout(a_second, &mut establish).await.is_err());
        fake.release("guest-sync-delimited");
    }
    soon(establish).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_answers_nothing_fresh_is_not_there() {
    let script = Script::default().greeting([]);
    let stale = Action::Bytes(b"\xff{\"return\": 7}\n".into());
    for answer in [Action::Silence, Action::send("{\"return\": 7}"), stale] {
        let script = script.clone().on("guest-sync-delimited", [answer]);
        let error = refused(script, agent()).await;
        assert!(matches!(error, ConnectError::GreetingTimeout { .. }));
        assert!(
            error
                .to_string()
                .contains("no answer from the agent within 5 s")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_is_left_out_of_the_handshake() {
    // No greeting at all, and so no negotiation.
    let (fake, stream) = start(
        Script::default()
            .greeting([])
            .on("x", [Action::Return(json!(1))]),
    );
    let client = Client::new(Options {
        await_greeting: false,
        ..Options::default()
    });
    soon(client.establish(stream)).await.unwrap();
    assert!(client.greeting().is_none());
    soon(client.execute("x")).await.unwrap();
    assert_eq!(soon(fake.received(1)).await.unwrap()[0].name, "x");

    // A greeting, and no negotiation.
    let (fake, stream) = start(Script::default().on("x", [Action::Return(json!(1))]));
    let client = Client::new(Options {
        negotiate: false,
        ..Options::default()
    });
    soon(client.establish(stream)).await.unwrap();
    assert!(client.greeting().is_some() && !client.oob_enabled());
    soon(client.execute("x")).await.unwrap();
    assert_eq!(soon(fake.received(1)).await.unwrap()[0].name, "x");

    // Only what is wanted and offered is enabled.
    for (wanted, enabled, oob) in [
        (
            &["oob", "flight"][..],
            r#","arguments":{"enable":["oob"]}"#,
            true,
        ),
        (&["flight"], "", false),
        (&[], "", false),
    ] {
        let (fake, stream) = start(Script::default());
        let client = Client::new(Options {
            capabilities: wanted.iter().map(ToString::to_string).collect(),
            ..Options::default()
        });
        soon(client.establish(stream)).await.unwrap();
        assert_eq!(client.oob_enabled(), oob);
        let received = soon(fake.received(1)).await.unwrap();
        let expected = format!(r#"{{"execute":"qmp_capabilities"{enabled},"id":0}}"#);
        assert_eq!(received[0].text.get(), expected);
    }
}
