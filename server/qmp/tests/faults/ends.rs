//! How a session ends, and what those who wait are told.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use qmp_client::client::Runstate;
use qmp_client::error::{DisconnectCause, ExecuteError};
use qmp_client::events::EventFilter;
use qmp_client::framing::FramingError;
use qmp_shared::message::{Message, MessageError, MessageProblem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// The cause of the end of a session whose server does this.
async fn end(actions: impl IntoIterator<Item = Action>, limit: usize) -> Arc<DisconnectCause> {
    let (_fake, stream) = start(Script::default().on("x", actions));
    let client = Client::new(Options {
        message_limit: limit,
        ..Options::default()
    });
    soon(client.establish(stream)).await.unwrap();
    let error = soon(client.execute("x")).await.unwrap_err();
    assert!(error.outcome_unknown());
    let ExecuteError::Interrupted { cause } = error.error else {
        panic!("{error:?}");
    };
    let closed = soon(client.closed()).await.unwrap();
    let disconnected = soon(client.disconnect()).await.unwrap_err();
    for other in [closed, disconnected.error] {
        assert!(Arc::ptr_eq(&cause, &other), "one cause for everybody");
    }
    assert!(soon(client.disconnect()).await.is_ok(), "once");
    cause
}

#[tokio::test(start_paused = true)]
async fn each_end_has_its_own_cause() {
    const LIMIT: usize = 4096;
    let sent = |bytes: &[u8]| [Action::Bytes(bytes.into()), Action::Close];

    let cause = end([Action::Close], LIMIT).await;
    assert!(matches!(*cause, DisconnectCause::Eof), "{cause:?}");
    let cause = end(sent(b" \r\n"), LIMIT).await;
    assert!(matches!(*cause, DisconnectCause::Eof), "{cause:?}");
    let cause = end(sent(b"{\"return\": "), LIMIT).await;
    let half = DisconnectCause::EofInMessage { received: 11 };
    assert_eq!(cause.to_string(), half.to_string());

    let cause = end([Action::send("oops {}")], LIMIT).await;
    let not_json = |cause: &_| {
        matches!(
            cause,
            DisconnectCause::Message(MessageError {
                problem: MessageProblem::NotJson(_),
                ..
            })
        )
    };
    assert!(not_json(&cause), "{cause:?}");
    let cause = end([Action::send("{\"return\": inf, \"id\": $id}")], LIMIT).await;
    assert!(not_json(&cause), "{cause:?}");
    let cause = end([Action::send("[1]")], LIMIT).await;
    assert_eq!(
        chain(&*cause),
        "the server sent something that is not QMP: the message is not a JSON object but [1]"
    );
    let cause = end([Action::Bytes(b"{\"return\": \"\xe9\"}".into())], LIMIT).await;
    assert!(
        matches!(
            *cause,
            DisconnectCause::Message(MessageError {
                problem: MessageProblem::NotUtf8(_),
                ..
            })
        ),
        "{cause:?}"
    );
    let long = format!("{{\"return\": \"{}\", \"id\": $id}}", "x".repeat(LIMIT));
    let cause = end([Action::send(long)], LIMIT).await;
    assert!(
        matches!(
            *cause,
            DisconnectCause::Framing(FramingError::TooLong { limit: LIMIT })
        ),
        "{cause:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_delivered_though_the_server_hangs_up_with_it() {
    let script = Script::default().on("quit", [done(), Action::Close]);
    let (_fake, client) = running(script).await;
    assert_eq!(soon(client.execute("quit")).await.unwrap().get(), "{}");
    let cause = soon(client.closed()).await.unwrap();
    assert!(matches!(*cause, DisconnectCause::Eof));
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_delivered_though_a_later_write_fails() {
    let (fake, stream) = Fake::in_memory(Script::default().on("x", [Action::hold(), done()]));
    let (reader, mut to_fake) = tokio::io::split(stream);
    // What the client writes goes through a pipe of ours, which breaks.
    let (writer, mut pipe) = tokio::io::duplex(1 << 16);
    let relay = tokio::spawn(async move {
        for commands in 0..2 {
            let mut bytes = vec![0; 1 << 16];
            let read = pipe.read(&mut bytes).await.unwrap();
            assert!(read > 0, "after {commands} commands");
            to_fake.write_all(&bytes[..read]).await.unwrap();
        }
        to_fake
    });
    let client = Client::new(Options::default());
    let establish = client.establish(Stream::from_parts(reader, writer));
    soon(establish).await.unwrap();
    let mut replied = Box::pin(client.execute("x"));
    assert!((&mut replied).now_or_never().is_none());
    let _to_fake = soon(relay).await.unwrap();
    let mut failed = Box::pin(client.execute("y"));
    // The write has failed by then, but the server may have more to say.
    let soon_after = Duration::from_millis(500);
    assert!(timeout(soon_after, &mut failed).await.is_err());
    fake.release("x");
    assert_eq!(soon(replied).await.unwrap().get(), "{}");
    let error = soon(failed).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_fail_in_the_order_issued() {
    let script = Script::default()
        .on("x", [Action::Silence])
        .on("last", [Action::Close]);
    let (_fake, client) = running(script).await;
    let order = Mutex::new(Vec::new());
    let caller = |n: usize| {
        let (client, order) = (&client, &order);
        async move {
            let error = client.execute("x").await.unwrap_err();
            order.lock().unwrap().push(n);
            let ExecuteError::Interrupted { cause } = error.error else {
                panic!("{error:?}");
            };
            cause
        }
    };
    // Those that were issued are polled in reverse, so that it is the order of
    // their failures which shows.
    let mut callers: Vec<_> = (0..5).map(|n| Box::pin(caller(n))).collect();
    for caller in &mut callers {
        assert!(caller.as_mut().now_or_never().is_none());
    }
    let mut set = futures_util::stream::FuturesUnordered::from_iter(callers.into_iter().rev());
    let last = client.execute("last");
    let rest = async {
        let mut causes = Vec::new();
        while let Some(cause) = futures_util::StreamExt::next(&mut set).await {
            causes.push(cause);
        }
        causes
    };
    let (last, causes) = soon(async { tokio::join!(last, rest) }).await;
    let ExecuteError::Interrupted { cause } = last.unwrap_err().error else {
        panic!("not interrupted");
    };
    assert!(causes.iter().all(|other| Arc::ptr_eq(other, &cause)));
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_clean_disconnect_is_no_error_though_somebody_waits() {
    let (_fake, client) = running(Script::default().on("x", [Action::Silence])).await;
    let mut waits = Box::pin(client.execute("x"));
    assert!((&mut waits).now_or_never().is_none());
    soon(client.disconnect()).await.unwrap();
    let ExecuteError::Interrupted { cause } = soon(waits).await.unwrap_err().error else {
        panic!("not interrupted");
    };
    assert!(matches!(*cause, DisconnectCause::Local));
    assert!(soon(client.closed()).await.is_none());
}

/// Both ends of a connection that was greeted and negotiated by hand.
async fn by_hand() -> (Client, tokio::io::DuplexStream) {
    let (ours, mut theirs) = tokio::io::duplex(256);
    let (reader, writer) = tokio::io::split(ours);
    let client = Client::new(Options::default());
    let server = async {
        let greeting = br#"{"QMP": {"capabilities": [],
            "version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}}}"#;
        theirs.write_all(greeting).await.unwrap();
        let mut negotiation = [0; 37];
        theirs.read_exact(&mut negotiation).await.unwrap();
        assert_eq!(&negotiation, br#"{"execute":"qmp_capabilities","id":0}"#);
        theirs
            .write_all(b"{\"return\": {}, \"id\": 0}")
            .await
            .unwrap();
    };
    let establish = client.establish(Stream::from_parts(reader, writer));
    let (established, ()) = soon(async { tokio::join!(establish, server) }).await;
    established.unwrap();
    (client, theirs)
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_client_closes_the_connection() {
    let (client, mut theirs) = by_hand().await;
    let other = client.clone();
    drop(client);
    let mut byte = [0];
    assert!(theirs.read(&mut byte).now_or_never().is_none());
    drop(other);
    assert_eq!(soon(theirs.read(&mut byte)).await.unwrap(), 0);
    soon(async { while theirs.write_all(&[b' '; 64]).await.is_ok() {} }).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_bytes_does_not_hold_up_the_end() {
    let (client, theirs) = by_hand().await;
    let commands = (0..20).map(|_| client.execute("a-command-with-a-long-name"));
    let commands = futures_util::future::join_all(commands);
    let mut commands = Box::pin(commands);
    assert!((&mut commands).now_or_never().is_none());
    soon(client.disconnect()).await.unwrap();
    assert!(soon(commands).await.iter().all(Result::is_err));
    // Nothing of ours is left to write the rest, once all tasks had their time.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut theirs = theirs;
    let mut bytes = Vec::new();
    soon(theirs.read_to_end(&mut bytes)).await.unwrap();
    assert_eq!(bytes.len(), 256, "what the connection itself holds");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_on_event_ends_the_session_and_nobody_hangs() {
    let script = Script::default().on("stop", [Action::event("STOP"), done()]);
    let (_fake, stream) = start(script);
    let client = Client::new(Options {
        on_event: Some(Arc::new(|_| panic!("on purpose"))),
        ..Options::default()
    });
    soon(client.establish(stream)).await.unwrap();
    let error = soon(client.execute("stop")).await.unwrap_err();
    assert!(
        matches!(error.error, ExecuteError::Interrupted { .. }),
        "{error:?}"
    );
    assert_eq!(client.runstate(), Runstate::Disconnecting);
    soon(client.disconnect()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_hook_ends_the_session_and_nobody_hangs() {
    let bad = |message: Message| {
        assert!(!message.as_str().contains("stop"), "on purpose");
        message
    };
    for options in [
        Options {
            on_outbound: Some(Arc::new(bad)),
            ..Options::default()
        },
        Options {
            on_inbound: Some(Arc::new(bad)),
            ..Options::default()
        },
    ] {
        let script = Script::default().on("stop", [Action::event("stopped"), done()]);
        let (_fake, stream) = start(script);
        let client = Client::new(options);
        soon(client.establish(stream)).await.unwrap();
        let error = soon(client.execute("stop")).await.unwrap_err();
        assert!(error.outcome_unknown(), "{error:?}");
        soon(client.closed()).await.unwrap();
        soon(client.disconnect()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn listeners_end_with_their_connection_and_go_on_with_the_next() {
    let script = Script::default().on("x", [Action::event("E"), Action::Close]);
    let (_fake, stream) = start(script.clone());
    let client = Client::new(Options::default());
    let mut listener = client.listen(EventFilter::all());
    soon(client.establish(stream)).await.unwrap();
    assert!(listener.next().now_or_never().is_none());
    soon(client.execute("x")).await.unwrap_err();
    assert_eq!(soon(listener.next()).await.unwrap().name(), "E");
    assert!(soon(listener.next()).await.is_none());
    soon(client.disconnect()).await.unwrap_err();

    let (_fake, stream) = start(script);
    soon(client.establish(stream)).await.unwrap();
    assert!(listener.next().now_or_never().is_none());
    // Ended by this side, and then by the last handle.
    soon(client.disconnect()).await.unwrap();
    assert!(soon(listener.next()).await.is_none());
    let mut late = client.listen(EventFilter::all());
    drop(client);
    assert!(soon(late.next()).await.is_none());
}
