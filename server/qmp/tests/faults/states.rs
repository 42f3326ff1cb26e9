//! The client's states, and calls at the wrong time.

use futures_util::FutureExt;
use qmp_client::client::{Runstate, RunstateWatcher};
use qmp_client::error::{ExecuteError, StateError};

use super::*;

async fn sees<const N: usize>(watcher: &mut RunstateWatcher, expected: [Runstate; N]) {
    for expected in expected {
        assert_eq!(soon(watcher.changed()).await, Some(expected));
    }
    assert!(watcher.changed().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_watcher_sees_each_state() {
    use Runstate::{Connecting, Disconnecting, Idle, Running};
    let client = Client::new(Options::default());
    let mut watcher = client.watch();
    assert_eq!(client.runstate(), Idle);

    let (_fake, stream) = start(Script::default().greeting([]));
    soon(client.establish(stream)).await.unwrap_err();
    sees(&mut watcher, [Connecting, Disconnecting, Idle]).await;

    let (_fake, stream) = start(Script::default());
    soon(client.establish(stream)).await.unwrap();
    sees(&mut watcher, [Connecting, Running]).await;
    let mut late = client.watch();
    soon(client.disconnect()).await.unwrap();
    sees(&mut watcher, [Disconnecting, Idle]).await;
    sees(&mut late, [Disconnecting, Idle]).await;

    let (fake, stream) = start(Script::default());
    soon(client.establish(stream)).await.unwrap();
    soon(fake.stop()).await;
    soon(client.closed()).await.unwrap();
    sees(&mut watcher, [Connecting, Running, Disconnecting]).await;
    soon(client.disconnect()).await.unwrap_err();
    sees(&mut watcher, [Idle]).await;
    drop(client);
    assert_eq!(soon(watcher.changed()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_at_the_wrong_time_says_which_state_it_needs() {
    use Runstate::{Connecting, Disconnecting, Idle, Running};
    let client = Client::new(Options::named("x"));
    let attempt = |actual| {
        let (client, required) = (&client, Idle);
        async move {
            let (_fake, stream) = start(Script::default());
            let error = soon(client.establish(stream)).await.unwrap_err();
            let expected = StateError { actual, required };
            assert!(matches!(error.error, ConnectError::State(error) if error == expected));
            let error = soon(client.connect(&"127.0.0.1:1".parse().unwrap())).await;
            let error = error.unwrap_err();
            let said = format!("x: the client is {actual}, and must be {required} for this");
            assert_eq!(error.to_string(), said);
            assert!(matches!(error.error, ConnectError::State(error) if error == expected));
        }
    };
    let execute = |actual| {
        let (client, required) = (&client, Running);
        async move {
            let error = soon(client.execute("query-version")).await.unwrap_err();
            let expected = StateError { actual, required };
            assert!(matches!(error.error, ExecuteError::State(error) if error == expected));
        }
    };

    execute(Idle).await;
    soon(client.disconnect()).await.unwrap();
    assert!(client.closed().await.is_none());

    let (_fake, stream) = start(Script::default().greeting([]));
    let mut establish = Box::pin(client.establish(stream));
    assert!(establish.as_mut().now_or_never().is_none());
    execute(Connecting).await;
    attempt(Connecting).await;
    drop(establish);
    assert_eq!(client.runstate(), Idle, "cancelled");

    let (fake, stream) = start(Script::default());
    soon(client.establish(stream)).await.unwrap();
    attempt(Running).await;
    assert!(client.greeting().is_some());

    soon(fake.stop()).await;
    soon(client.closed()).await.unwrap();
    execute(Disconnecting).await;
    attempt(Disconnecting).await;
    soon(client.disconnect()).await.unwrap_err();
    assert!(client.greeting().is_none());

    let error = soon(client.execute("x")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "x: the client is idle, and must be running for this"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_connects_again_and_its_ids_do_not_cross() {
    let client = Client::new(Options::default());
    for round in 0..3 {
        let script = Script::default().on("x", [returns(json!(round))]);
        let (_fake, stream) = start(script);
        soon(client.establish(stream)).await.unwrap();
        let reply = soon(client.execute("x")).await.unwrap();
        assert_eq!(reply.get(), round.to_string());
        soon(client.disconnect()).await.unwrap();
    }
}

/// A disconnect that is slow to notice must not take the next connection.
#[tokio::test(start_paused = true)]
async fn two_who_disconnect_do_not_take_a_later_connection() {
    let client = Client::new(Options::default());
    let (_fake, stream) = start(Script::default());
    soon(client.establish(stream)).await.unwrap();
    let mut slow = Box::pin(client.disconnect());
    assert!(slow.as_mut().now_or_never().is_none());
    soon(client.disconnect()).await.unwrap();
    let (_fake, stream) = start(Script::default());
    soon(client.establish(stream)).await.unwrap();
    soon(slow).await.unwrap();
    assert_eq!(client.runstate(), Runstate::Running);
    soon(client.execute("query-version")).await.unwrap();
}

/// The end may be seen before the connection is known to be running.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_that_is_over_at_once_is_not_running() {
    let script = Script::default().on("qmp_capabilities", [done(), Action::Close]);
    let client = Client::new(Options::default());
    for _ in 0..500 {
        let (_fake, stream) = start(script.clone());
        soon(client.establish(stream)).await.unwrap();
        soon(client.closed()).await.unwrap();
        assert_eq!(client.runstate(), Runstate::Disconnecting);
        soon(client.disconnect()).await.unwrap_err();
    }
}
