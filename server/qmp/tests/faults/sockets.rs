//! What needs a real socket: who is there, and who is not.

use futures_util::FutureExt;
use qmp_client::address::Address;
use qmp_client::client::{Execute, Runstate};
use qmp_client::error::{DisconnectCause, ExecuteError};
use qmp_client::framing::Framer;
use qmp_fake::Listen;
use qmp_shared::message::Message;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::*;

fn address(fake: &Fake) -> Address {
    fake.address().parse().unwrap()
}

#[tokio::test]
async fn nobody_there_is_the_systems_error_and_the_address() {
    let directory = tempfile::tempdir().unwrap();
    let missing = format!("unix:{}", directory.path().join("s").display());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = format!("tcp:{}", listener.local_addr().unwrap());
    drop(listener);
    for (address, kind) in [
        (&*missing, std::io::ErrorKind::NotFound),
        ("unix:/dev/null", std::io::ErrorKind::ConnectionRefused),
        (&*free, std::io::ErrorKind::ConnectionRefused),
    ] {
        let client = Client::new(Options::default());
        let error = soon(client.connect(&address.parse().unwrap())).await;
        let error = error.unwrap_err();
        assert_eq!(
            error.error.to_string(),
            format!("cannot connect to {address}")
        );
        let ConnectError::Open { source, .. } = error.error else {
            panic!("{error:?}");
        };
        assert_eq!(source.kind(), kind);
        assert_eq!(client.runstate(), Runstate::Idle);
    }
}

#[tokio::test]
async fn tcp_is_like_unix() {
    let listen = Listen::Tcp("127.0.0.1:0".to_owned());
    let fake = Fake::listen(&listen, Script::default()).await.unwrap();
    let client = Client::new(Options::default());
    soon(client.connect(&address(&fake))).await.unwrap();
    soon(client.execute("query-status")).await.unwrap();
    soon(client.disconnect()).await.unwrap();
}

#[tokio::test]
async fn a_busy_monitor_greets_when_its_client_has_left() {
    let fake = Fake::start(Script::default()).await.unwrap();
    let first = Client::new(Options::named("first"));
    soon(first.connect(&address(&fake))).await.unwrap();
    let second = Client::new(Options {
        greeting_timeout: None,
        ..Options::named("second")
    });
    let mut connects = Box::pin({
        let (second, address) = (second.clone(), address(&fake));
        async move { second.connect(&address).await }
    });
    assert!(connects.as_mut().now_or_never().is_none());
    soon(first.execute("query-status")).await.unwrap();
    assert_eq!(second.runstate(), Runstate::Connecting);
    soon(first.disconnect()).await.unwrap();
    soon(connects).await.unwrap();
    soon(second.execute("query-status")).await.unwrap();
}

#[tokio::test]
async fn a_full_queue_of_connections_is_not_a_puzzle() {
    let script = Script {
        backlog: 0,
        ..Script::default()
    };
    let fake = Fake::start(script).await.unwrap();
    let client = Client::new(Options::default());
    soon(client.connect(&address(&fake))).await.unwrap();
    // The queue has one place.
    let path = fake.address().strip_prefix("unix:").unwrap();
    let waits = UnixStream::connect(path).await.unwrap();
    let full = UnixStream::connect(path).await.unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::WouldBlock);

    let error = Stream::connect(&address(&fake), Duration::from_millis(250)).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, ConnectError::BacklogFull { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("in use by another client"));

    let later = address(&fake);
    let later = Stream::connect(&later, Duration::from_secs(10));
    let mut later = Box::pin(later);
    let early = later.as_mut().now_or_never();
    assert!(early.is_none(), "{early:?}");
    drop(waits);
    soon(client.disconnect()).await.unwrap();
    soon(later).await.unwrap();
}

#[tokio::test]
async fn a_write_after_the_peer_has_gone_is_an_interruption() {
    let fake = Fake::start(Script::default()).await.unwrap();
    let client = Client::new(Options::default());
    soon(client.connect(&address(&fake))).await.unwrap();
    soon(fake.stop()).await;
    let error = soon(client.execute("query-status")).await.unwrap_err();
    match &error.error {
        // Whichever of reading and writing sees it first.
        ExecuteError::Interrupted { cause } => {
            assert!(matches!(**cause, DisconnectCause::Eof), "{cause:?}");
        }
        ExecuteError::State(_) => {}
        _ => panic!("{error:?}"),
    }
    let cause = soon(client.closed()).await.unwrap();
    assert!(matches!(*cause, DisconnectCause::Eof), "{cause:?}");
}

#[tokio::test]
async fn what_the_socket_does_not_take_at_once_is_written_in_order() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let ours = ours.into_std().unwrap().into();
    let client = Client::new(Options {
        await_greeting: false,
        ..Options::default()
    });
    let stream = Stream::from_descriptor(ours).unwrap();
    soon(client.establish(stream)).await.unwrap();
    // More than any socket holds.
    let long = format!("{{\"data\":\"{}\"}}", "x".repeat(4 << 20));
    let long = RawValue::from_string(long).unwrap();
    let commands = (1..=20).map(|n| {
        let command = Execute::new(format!("c{n}"));
        client.execute(match n % 4 {
            1 => command.arguments(long.clone()),
            _ => command,
        })
    });
    let mut commands = Box::pin(futures_util::future::join_all(commands));
    assert!((&mut commands).now_or_never().is_none());
    let server = async {
        let mut framer = Framer::new(8 << 20);
        for n in 1..=20 {
            let message = loop {
                match framer.next_value().unwrap() {
                    Some(value) => break Message::parse(value).unwrap(),
                    None => assert!(theirs.read_buf(framer.buffer()).await.unwrap() > 0),
                };
            };
            assert_eq!(message.get_text("execute"), Some(&*format!("\"c{n}\"")));
            let arguments = message.get_text("arguments");
            assert_eq!(arguments, (n % 4 == 1).then(|| long.get()));
            let reply = format!("{{\"return\":{n},\"id\":{}}}", message.id().unwrap());
            theirs.write_all(reply.as_bytes()).await.unwrap();
        }
    };
    let (replies, ()) = soon(async { tokio::join!(commands, server) }).await;
    for (reply, n) in replies.into_iter().zip(1..) {
        assert_eq!(reply.unwrap().get(), i32::to_string(&n));
    }
}

#[tokio::test]
async fn dropping_the_last_client_frees_the_monitor() {
    let fake = Fake::start(Script::default()).await.unwrap();
    for _ in 0..3 {
        let client = Client::new(Options::default());
        soon(client.connect(&address(&fake))).await.unwrap();
        soon(client.execute("query-status")).await.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_attempt_frees_the_monitor() {
    let fake = Fake::start(Script::default()).await.unwrap();
    let client = Client::new(Options::default());
    let to = address(&fake);
    {
        let mut connect = Box::pin(client.connect(&to));
        assert!(connect.as_mut().now_or_never().is_none());
        assert_eq!(client.runstate(), Runstate::Connecting);
    }
    assert_eq!(client.runstate(), Runstate::Idle);
    soon(client.connect(&to)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_endpoint_can_end_without_it() {
    use qmp_client::listener::Listener;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let address: Address = format!("unix:{},listen=on", path.display())
        .parse()
        .unwrap();
    let client = Client::new(Options::default());
    let mut watch = client.watch();

    // Timed out.
    let listener = soon(Listener::bind(&address)).await.unwrap();
    let listener = listener.timeout(Duration::from_secs(3));
    let error = client.accept(listener).await.unwrap_err();
    assert_eq!(
        error.error.to_string(),
        format!("nobody connected to {address} within 3 s")
    );
    assert!(!path.exists());

    // Cancelled; meanwhile another attempt is one too many.
    let mut connects = Box::pin(client.connect(&address));
    assert!(connects.as_mut().now_or_never().is_none());
    assert_eq!(client.runstate(), Runstate::Connecting);
    let second = soon(client.connect(&address)).await.unwrap_err();
    assert!(matches!(second.error, ConnectError::State(_)), "{second:?}");
    drop(connects);
    assert_eq!(client.runstate(), Runstate::Idle);
    assert!(!path.exists());

    // A live socket is not taken away from whoever listens there.
    let owner = tokio::net::UnixListener::bind(&path).unwrap();
    let error = soon(client.connect(&address)).await.unwrap_err();
    let ConnectError::Listen { source, .. } = error.error else {
        panic!("{error:?}");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
    drop(owner);

    let steps = [
        Runstate::Connecting,
        Runstate::Disconnecting,
        Runstate::Idle,
    ];
    for expected in steps.iter().cycle().take(9) {
        assert_eq!(soon(watch.changed()).await.unwrap(), *expected);
    }
}
