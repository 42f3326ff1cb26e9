//! A guest agent that stops to answer, and the byte that is no text.

use futures_util::FutureExt;
use qmp_client::client::Execute;
use qmp_client::error::{Backlog, ExecuteError, Named};
use qmp_shared::model::EndpointKind;
use serde_json::value::RawValue;

use super::*;

const SYNC: &str = "guest-sync-delimited";

async fn agent(script: Script) -> (Fake, Client) {
    let (fake, stream) = start(script.greeting([]));
    let client = Client::new(Options {
        kind: EndpointKind::Qga,
        ..Options::default()
    });
    // For scripts that hold it; the others have no use for it.
    fake.release(SYNC);
    soon(client.establish(stream)).await.unwrap();
    (fake, client)
}

/// An agent that never answers `slow`, and then nothing until its
/// synchronisation is released.
async fn stuck() -> (Fake, Client) {
    let script = Script::default()
        .on(SYNC, [Action::hold(), Action::Sync])
        .on("slow", [Action::Silence])
        .on("guest-ping", [done()]);
    let (fake, client) = agent(script).await;
    let error = within_a_second(&client, "slow").await.unwrap_err();
    assert!(
        matches!(error.error, ExecuteError::Timeout { .. }),
        "{error:?}"
    );
    (fake, client)
}

async fn within_a_second(
    client: &Client,
    command: &str,
) -> Result<Box<RawValue>, Named<ExecuteError>> {
    let command = Execute::new(command).timeout(Duration::from_secs(1));
    soon(client.execute(command)).await
}

async fn names(fake: &Fake, at_least: usize) -> Vec<String> {
    let received = fake.received(at_least).await.unwrap();
    received.into_iter().map(|it| it.name).collect()
}

#[tokio::test(start_paused = true)]
async fn after_a_timeout_an_agent_is_sent_nothing_until_it_is_synchronised() {
    let (fake, client) = stuck().await;
    for _ in 0..2 {
        let error = within_a_second(&client, "guest-ping").await.unwrap_err();
        let backlog = Backlog::Unsynchronised;
        assert!(
            matches!(&error.error, ExecuteError::Busy { backlog: it, .. } if *it == backlog),
            "{error:?}"
        );
        assert!(!error.outcome_unknown());
    }
    // It is asked once, whoever gives up waiting.
    assert_eq!(names(&fake, 3).await, [SYNC, "slow", SYNC]);

    let mut waits = Box::pin(client.execute("guest-ping"));
    assert!((&mut waits).now_or_never().is_none());
    fake.release(SYNC);
    soon(waits).await.unwrap();
    within_a_second(&client, "guest-ping").await.unwrap();
    let pings = ["guest-ping", "guest-ping"];
    assert_eq!(names(&fake, 5).await[3..], pings);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_the_synchronisation_see_the_connection_end() {
    let script = Script::default().on("slow", [Action::Silence]).on(
        SYNC,
        [Action::hold(), Action::Sync, Action::hold(), Action::Close],
    );
    let (fake, client) = agent(script).await;
    within_a_second(&client, "slow").await.unwrap_err();
    let mut waits = Box::pin(client.execute("guest-ping"));
    assert!((&mut waits).now_or_never().is_none());
    names(&fake, 3).await;
    fake.release(SYNC);
    let error = soon(waits).await.unwrap_err();
    assert!(matches!(error.error, ExecuteError::State(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_monitor_is_not_synchronised_after_a_timeout() {
    let script = Script::default().on("slow", [Action::Silence]);
    let (fake, client) = running(script).await;
    within_a_second(&client, "slow").await.unwrap_err();
    within_a_second(&client, "query-status").await.unwrap();
    let expected = ["qmp_capabilities", "slow", "query-status"];
    assert_eq!(names(&fake, 3).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_synchronise_too_and_half_a_reply_before_that_is_dropped() {
    let half = Action::Bytes(b"{\"return\": \"half".into());
    let script = Script::default()
        .on("reboot", [half])
        .on("guest-ping", [done()]);
    let (_fake, client) = agent(script).await;
    let lost = client.clone();
    let lost = tokio::spawn(async move { lost.execute("reboot").await });
    let arguments = RawValue::from_string("{\"id\": 7}".to_owned()).unwrap();
    tokio::task::yield_now().await;
    let sync = Execute::new(SYNC).arguments(arguments);
    assert_eq!(soon(client.execute(sync)).await.unwrap().get(), "7");
    soon(client.execute("guest-ping")).await.unwrap();
    assert!(!lost.is_finished());
    lost.abort();
}
