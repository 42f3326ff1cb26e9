//! The one WebSocket: connects, keeps it, and connects again.
//!
//! A task for as long as somebody is signed in. It knows frames and time, and
//! hands every frame to [`Store::apply`].

use futures_channel::{mpsc, oneshot};
use futures_util::future;
use futures_util::{SinkExt, StreamExt, stream};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use gloo_timers::future::{IntervalStream, TimeoutFuture};
use leptos::prelude::*;
use qmp_shared::wire::{ClientFrame, ClientId, Ping, SUBPROTOCOL, ServerFrame};

use super::{Store, api, browser};
use crate::state::backoff::Backoff;
use crate::state::link::{Auth, Link};
use crate::state::login::{Farewell, Identity};
use crate::state::time::Instant;

/// Frames that may wait to be written. When full, a command fails and says
/// that nothing was sent.
const QUEUE: usize = 64;

/// How often silence is looked at, in milliseconds.
const TICK: u32 = 5_000;

/// Ticks without a frame after which the console is asked for a sign of life.
const QUIET: u32 = 3;

/// Ticks without a frame after which the connection counts as dead.
const DEAD: u32 = 5;

/// What the store hands to the connection.
pub(super) enum Outgoing {
    /// A frame to write.
    Frame(String),
    /// Asks the console for a sign of life, and soon gives up without one.
    Probe,
}

enum Input {
    Received(Result<Message, WebSocketError>),
    Send(Outgoing),
    Tick,
}

/// How a connection was.
struct Ended {
    /// Whether the console greeted on it.
    was_greeted: bool,
    /// When the last word came.
    heard: Instant,
    /// What it says of a login that is not known any more.
    farewell: Farewell,
}

/// Connects and reconnects until nobody is signed in.
pub(super) async fn run(store: Store) {
    let mut backoff = Backoff::default();
    let mut farewell = Farewell::NotKnown;
    loop {
        let failures = backoff.failures();
        store.link.set(Link::Connecting { failures });
        let logins = store.logins.get_value();
        match api::login_status().await {
            Ok(status) => {
                let Some(identity) = Identity::of(status) else {
                    // Not true any more.
                    if store.logins.get_value() != logins {
                        continue;
                    }
                    store.nobody_is_signed_in(farewell);
                    return;
                };
                store.somebody_is_signed_in(identity);
                let ended = converse(store).await;
                store.outgoing.set_value(None);
                if ended.was_greeted {
                    backoff.reset();
                    store.goes_away(ended.heard);
                }
                farewell = ended.farewell;
                let now = browser::now();
                let changes = store.app.try_update_value(|app| app.disconnected(now));
                store.notify(changes.unwrap_or_default());
                if store.auth.get_untracked() != Auth::SignedIn {
                    return;
                }
            }
            Err(problem) => store.trouble.set(Some(problem.detail)),
        }
        pause(store, &mut backoff).await;
    }
}

/// Waits, unless somebody is in a hurry.
async fn pause(store: Store, backoff: &mut Backoff) {
    let millis = backoff.next(js_sys::Math::random());
    let (sender, woken) = oneshot::channel();
    store.wake.set_value(Some(sender));
    store.link.set(Link::Retrying {
        failures: backoff.failures(),
        at: browser::now() + f64::from(millis),
    });
    future::select(TimeoutFuture::new(millis), woken).await;
    store.wake.set_value(None);
}

/// One connection from open to close.
async fn converse(store: Store) -> Ended {
    let mut ended = Ended {
        was_greeted: false,
        heard: browser::wall_clock(),
        farewell: Farewell::NotKnown,
    };
    let (socket, stream) = match open() {
        Ok(opened) => opened,
        Err(error) => {
            browser::warn(&error);
            return ended;
        }
    };
    let (mut writer, reader) = stream.split();
    let (sender, outgoing) = mpsc::channel(QUEUE);
    store.outgoing.set_value(Some(sender));
    let ticks = IntervalStream::new(TICK).map(|()| Input::Tick);
    let local = stream::select(outgoing.map(Input::Send), ticks);
    let mut inputs = stream::select(reader.map(Input::Received), local);
    let mut silence = 0;
    while let Some(input) = inputs.next().await {
        // Signing out takes the sender away; the socket goes with it.
        if store.auth.get_untracked() != Auth::SignedIn {
            break;
        }
        let reply = match input {
            Input::Received(Ok(Message::Text(text))) => {
                silence = 0;
                ended.heard = browser::wall_clock();
                receive(store, &text, &mut ended.was_greeted)
            }
            Input::Received(Ok(Message::Bytes(_))) => None,
            Input::Received(Err(error)) => {
                if let WebSocketError::ConnectionClose(close) = error {
                    ended.farewell = Farewell::after(close.code, &close.reason);
                }
                break;
            }
            Input::Send(Outgoing::Frame(text)) => Some(text),
            Input::Send(Outgoing::Probe) => {
                silence = DEAD - 1;
                ping()
            }
            Input::Tick => {
                silence += 1;
                match silence {
                    DEAD.. => break,
                    QUIET.. => ping(),
                    _ => None,
                }
            }
        };
        // On one that is closing the browser would complain; its last word is
        // on the way.
        if let Some(text) = reply
            && socket.ready_state() <= web_sys::WebSocket::OPEN
            && writer.send(Message::Text(text)).await.is_err()
        {
            break;
        }
    }
    ended
}

/// A socket that is being opened, and its frames.
fn open() -> Result<(web_sys::WebSocket, WebSocket), String> {
    let socket = web_sys::WebSocket::new_with_str(&browser::socket_address(), SUBPROTOCOL)
        .map_err(|thrown| String::from(js_sys::Object::from(thrown).to_string()))?;
    let frames = WebSocket::try_from(socket.clone()).map_err(|error| error.to_string())?;
    Ok((socket, frames))
}

/// Reduces a frame; answers what to write in return.
fn receive(store: Store, text: &str, was_greeted: &mut bool) -> Option<String> {
    let frame = match ServerFrame::decode(text) {
        Ok(frame) => frame?,
        Err(error) => {
            browser::warn(&error.to_string());
            return None;
        }
    };
    let is_hello = matches!(frame, ServerFrame::Hello(_));
    store.apply(frame);
    if is_hello {
        *was_greeted = true;
        store.link.set(Link::Connected);
        store.is_back();
        store.check_readiness();
    }
    store.ask_for_marks();
    let next = store.app.try_update_value(|app| app.next_frame())??;
    encode(&next)
}

fn ping() -> Option<String> {
    encode(&ClientFrame::Ping(Ping {
        id: ClientId::from(0),
    }))
}

fn encode(frame: &ClientFrame) -> Option<String> {
    serde_json::to_string(frame)
        .map_err(|error| browser::warn(&error.to_string()))
        .ok()
}
