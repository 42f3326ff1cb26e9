//! Every frame, in both directions, beside its frozen JSON: a change here is a
//! change for programs that we cannot see.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use std::collections::BTreeMap;

use qmp_shared::filter::EventFilter;
use qmp_shared::model::{EndpointKind, Seq};
use qmp_shared::rest::{
    Counters, Expect, Outcome, Problem, ProblemKind, Role, SessionInfo, SessionState,
};
use qmp_shared::wire::{
    After, Bookmark, Cancel, ClientFrame, ClientId, Error, Event, Execute, FrameError, Gap, Hello,
    MAX_ID_BYTES, Ping, Pong, Removed, Reply, Returned, ServerFrame, Session, Subscribe,
    Subscribed, Unsubscribe,
};
use serde_json::value::RawValue;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn session() -> SessionInfo {
    SessionInfo {
        name: "vm".into(),
        kind: EndpointKind::Qmp,
        address: "unix:/run/vm.qmp".into(),
        state: SessionState::Running,
        cause: None,
        status: Some("running".into()),
        since: "2026-01-02T03:04:05.000006Z".into(),
        greeting: None,
        counters: Counters::default(),
    }
}

const SESSION: &str = concat!(
    r#"{"name":"vm","kind":"qmp","address":"unix:/run/vm.qmp","state":"running","#,
    r#""status":"running","since":"2026-01-02T03:04:05.000006Z","#,
    r#""counters":{"connections":0,"commands":0,"events":0,"dropped":0,"unstored":0,"unevaluable":0}}"#
);

/// Written as the frozen text, and what is read from that is written as the
/// same text again.
fn client_frame(frame: ClientFrame, frozen: &str) {
    assert_eq!(serde_json::to_string(&frame).unwrap(), frozen);
    let read = ClientFrame::decode(frozen).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), frozen);
}

fn server_frame(frame: ServerFrame, frozen: &str) {
    assert_eq!(serde_json::to_string(&frame).unwrap(), frozen);
    let read = ServerFrame::decode(frozen).unwrap().expect("a known type");
    assert_eq!(serde_json::to_string(&read).unwrap(), frozen);
}

#[test]
fn client_frames_are_frozen() {
    client_frame(
        ClientFrame::Subscribe(Subscribe {
            sub: 1.into(),
            session: Some("vm".into()),
            names: EventFilter::names(["STOP", "BLOCK_*"]).unwrap(),
            expression: Some("@.data.a == 1".into()),
            after: Some(After::One(Seq(7))),
            limit: Some(100),
        }),
        concat!(
            r#"{"type":"subscribe","sub":1,"session":"vm","names":["STOP","BLOCK_*"],"#,
            r#""where":"@.data.a == 1","after":7,"limit":100}"#
        ),
    );
    client_frame(
        ClientFrame::Subscribe(Subscribe {
            sub: 2.into(),
            session: None,
            names: EventFilter::all(),
            expression: None,
            after: Some(After::Each(BTreeMap::from([("vm".into(), Seq(7))]))),
            limit: None,
        }),
        r#"{"type":"subscribe","sub":2,"after":{"vm":7}}"#,
    );
    client_frame(
        ClientFrame::Unsubscribe(Unsubscribe { sub: 1.into() }),
        r#"{"type":"unsubscribe","sub":1}"#,
    );
    client_frame(
        ClientFrame::Execute(Execute {
            id: 3.into(),
            session: "vm".into(),
            execute: Some("device_del".into()),
            exec_oob: None,
            arguments: Some(raw(r#"{"n":18446744073709551616}"#)),
            timeout: Some(1.5),
            expect: Some(Expect {
                names: EventFilter::names(["DEVICE_DELETED"]).unwrap(),
                expression: Some("@.data.device == 'd'".into()),
                timeout: Some(5.0),
            }),
        }),
        concat!(
            r#"{"type":"execute","id":3,"session":"vm","execute":"device_del","#,
            r#""arguments":{"n":18446744073709551616},"timeout":1.5,"#,
            r#""expect":{"names":["DEVICE_DELETED"],"where":"@.data.device == 'd'","timeout":5.0}}"#
        ),
    );
    client_frame(
        ClientFrame::Execute(Execute {
            id: 4.into(),
            session: "vm".into(),
            execute: None,
            exec_oob: Some("migrate-pause".into()),
            arguments: None,
            timeout: None,
            expect: None,
        }),
        r#"{"type":"execute","id":4,"session":"vm","exec-oob":"migrate-pause"}"#,
    );
    client_frame(
        ClientFrame::Cancel(Cancel { id: 3.into() }),
        r#"{"type":"cancel","id":3}"#,
    );
    client_frame(
        ClientFrame::Ping(Ping { id: 5.into() }),
        r#"{"type":"ping","id":5}"#,
    );
}

#[test]
fn server_frames_are_frozen() {
    server_frame(
        ServerFrame::Hello(Hello {
            version: "1.2.3".into(),
            journal: "0123456789abcdef".into(),
            role: Role::Admin,
            sessions: vec![session()],
        }),
        &format!(
            r#"{{"type":"hello","version":"1.2.3","journal":"0123456789abcdef","role":"admin","sessions":[{SESSION}]}}"#
        ),
    );
    server_frame(
        ServerFrame::Session(Session { session: session() }),
        &format!(r#"{{"type":"session","session":{SESSION}}}"#),
    );
    server_frame(
        ServerFrame::Subscribed(Subscribed { sub: 1.into() }),
        r#"{"type":"subscribed","sub":1}"#,
    );
    server_frame(
        ServerFrame::Event(Event {
            subs: vec![1.into(), 2.into()],
            session: "vm".into(),
            seq: Seq(9),
            received: "2026-01-02T03:04:05.000006Z".into(),
            event: raw(r#"{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}"#),
        }),
        concat!(
            r#"{"type":"event","subs":[1,2],"session":"vm","seq":9,"#,
            r#""received":"2026-01-02T03:04:05.000006Z","#,
            r#""event":{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}}"#
        ),
    );
    server_frame(
        ServerFrame::Gap(Gap {
            sub: 1.into(),
            session: "vm".into(),
            from: Seq(2),
            to: Seq(5),
        }),
        r#"{"type":"gap","sub":1,"session":"vm","from":2,"to":5}"#,
    );
    server_frame(
        ServerFrame::Bookmark(Bookmark {
            sub: 1.into(),
            session: "vm".into(),
            seq: Seq(9),
        }),
        r#"{"type":"bookmark","sub":1,"session":"vm","seq":9}"#,
    );
    server_frame(
        ServerFrame::Removed(Removed { name: "vm".into() }),
        r#"{"type":"removed","name":"vm"}"#,
    );
    let returned = |expected: Option<&str>| Returned {
        value: raw("null"),
        expected: expected.map(raw),
    };
    server_frame(
        ServerFrame::Reply(Reply::new(3.into(), Ok(returned(None)))),
        r#"{"type":"reply","id":3,"return":null}"#,
    );
    server_frame(
        ServerFrame::Reply(Reply::new(
            3.into(),
            Ok(returned(Some(r#"{"event": "X"}"#))),
        )),
        r#"{"type":"reply","id":3,"return":null,"expected":{"event": "X"}}"#,
    );
    let problem = || Problem::new(ProblemKind::Timeout, "no reply").outcome(Outcome::Unknown);
    const PROBLEM: &str = concat!(
        r#"{"type":"/problems/timeout","status":504,"title":"Timed out","#,
        r#""detail":"no reply","outcome":"unknown"}"#
    );
    server_frame(
        ServerFrame::Reply(Reply::new(3.into(), Err(problem()))),
        &format!(r#"{{"type":"reply","id":3,"problem":{PROBLEM}}}"#),
    );
    server_frame(
        ServerFrame::Error(Error {
            sub: Some(1.into()),
            id: None,
            problem: problem(),
        }),
        &format!(r#"{{"type":"error","sub":1,"problem":{PROBLEM}}}"#),
    );
    server_frame(
        ServerFrame::Pong(Pong { id: 5.into() }),
        r#"{"type":"pong","id":5}"#,
    );
}

#[test]
fn a_client_id_is_any_json_and_comes_back_verbatim() {
    for id in ["null", "\"a\\u0041\"", "-1", "1.50", r#"{"b": 1,"a":[]}"#] {
        let text = format!(r#"{{"type":"ping","id":{id}}}"#);
        let ClientFrame::Ping(ping) = ClientFrame::decode(&text).unwrap() else {
            panic!("{text} is not a ping");
        };
        assert_eq!(ping.id.get(), id);
    }
}

#[test]
fn a_null_return_is_a_success() {
    let Some(ServerFrame::Reply(reply)) =
        ServerFrame::decode(r#"{"type":"reply","id":3,"return":null}"#).unwrap()
    else {
        panic!("not a reply");
    };
    assert_eq!(reply.into_result().unwrap().get(), "null");
}

#[test]
fn what_is_not_json_is_told_from_what_is_not_a_frame() {
    for text in ["", "{", "stop", "{'a':1}", "{\"type\":}"] {
        let error = ClientFrame::decode(text).unwrap_err();
        assert!(matches!(error, FrameError::NotJson(_)), "{text}: {error}");
    }
    for (text, expected) in [
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ("{}", "no `type`"),
        (r#"{"type":1}"#, "not a known string"),
        (r#"{"type":"launch"}"#, "\"launch\" is not known"),
        (r#"{"type":"subscribe"}"#, "missing field `sub`"),
        (
            r#"{"type":"subscribe","sub":1,"were":"@.x"}"#,
            "unknown field `were`",
        ),
        (
            r#"{"type":"subscribe","sub":1,"names":[""]}"#,
            "name 1 of the event filter is empty",
        ),
        (
            r#"{"type":"subscribe","sub":1,"limit":-1}"#,
            "`limit`: invalid value: integer `-1`",
        ),
        (r#"{"type":"execute","id":1}"#, "missing field `session`"),
        (r#"{"type":"execute","id":1,"id":2,"session":"vm"}"#, "id"),
        (
            r#"{"type":"execute","id":1,"session":"vm","execute":"x","arguments":{"a":1,"a":2}}"#,
            "a",
        ),
    ] {
        match ClientFrame::decode(text).unwrap_err() {
            FrameError::Malformed { detail, .. } => {
                assert!(detail.contains(expected), "{text}: {detail}");
            }
            error => panic!("{text}: {error}"),
        }
    }
}

#[test]
fn a_malformed_frame_still_names_its_id() {
    let text = r#"{"type":"execute","id":[7],"session":"vm","arguments":{"a":1,"a":2}}"#;
    let Err(FrameError::Malformed { id, sub, .. }) = ClientFrame::decode(text) else {
        panic!("{text} is malformed");
    };
    assert_eq!(id.as_ref().map(ClientId::get), Some("[7]"));
    assert_eq!(sub, None);
}

#[test]
fn an_id_has_a_bound() {
    let frame = |name: &str, length: usize| {
        let id = format!("[{}]", " ".repeat(length - 2));
        let kind = if name == "sub" { "unsubscribe" } else { "ping" };
        ClientFrame::decode(&format!(r#"{{"type":"{kind}","{name}":{id}}}"#))
    };
    for name in ["sub", "id"] {
        frame(name, MAX_ID_BYTES).unwrap();
        let Err(FrameError::Malformed { detail, sub, id }) = frame(name, MAX_ID_BYTES + 1) else {
            panic!("`{name}` is too long");
        };
        assert_eq!(detail, format!("`{name}` has 257 bytes, more than 256"));
        assert_eq!((sub, id), (None, None));
    }
    // Nor is it named where something else is wrong.
    let text = format!(r#"{{"type":1,"sub":"{}","id":7}}"#, "x".repeat(300));
    let Err(FrameError::Malformed { sub, id, .. }) = ClientFrame::decode(&text) else {
        panic!("{text} is malformed");
    };
    assert_eq!((sub, id), (None, Some(7.into())));
}

#[test]
fn a_newer_server_is_understood() {
    assert!(
        ServerFrame::decode(r#"{"type":"unheard-of","seq":1}"#)
            .unwrap()
            .is_none()
    );
    let text = r#"{"type":"pong","id":1,"new":true}"#;
    assert!(matches!(
        ServerFrame::decode(text),
        Ok(Some(ServerFrame::Pong(_)))
    ));
}
