//! What a real server cannot be made to do, on purpose: against a fake one.
//!
//! Most connections are in memory and most clocks stand still, so that a
//! timeout takes no time and a thing that does not happen is seen not to.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

mod agent;
mod ends;
mod handshake;
mod replies;
mod sockets;
mod states;

use std::time::Duration;

use qmp_client::client::{Client, Options};
use qmp_client::error::ConnectError;
use qmp_client::stream::Stream;
use qmp_fake::{Action, Fake, Script};
use serde_json::json;
use tokio::time::timeout;

/// The result of something that must not take long.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future)
        .await
        .expect("it takes too long")
}

/// An endpoint in memory, and a connection to it.
fn start(script: Script) -> (Fake, Stream) {
    let (fake, stream) = Fake::in_memory(script);
    let (reader, writer) = tokio::io::split(stream);
    (fake, Stream::from_parts(reader, writer))
}

/// An endpoint in memory, and a client that runs on it.
async fn running(script: Script) -> (Fake, Client) {
    let (fake, stream) = start(script);
    let client = Client::new(Options::default());
    soon(client.establish(stream)).await.unwrap();
    (fake, client)
}

/// The error of an attempt to establish a session.
async fn refused(script: Script, options: Options) -> ConnectError {
    let (_fake, stream) = start(script);
    let client = Client::new(options);
    soon(client.establish(stream)).await.unwrap_err().error
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}

fn returns(value: serde_json::Value) -> Action {
    Action::Return(value)
}

fn done() -> Action {
    returns(json!({}))
}
