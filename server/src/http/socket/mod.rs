//! The console WebSocket: one task for each browser.
//!
//! The task owns the socket, its subscriptions and the commands it waits for,
//! in one `select!`. Events are read from the sessions' logs when there is
//! room to send them, so that a slow browser has no queue here that could
//! overflow; commands wait in a set of futures, so that a slow one never
//! blocks a browser.

mod subscriptions;

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_buffered::FuturesUnorderedBounded;
use futures_util::future::{AbortHandle, Abortable, Aborted, BoxFuture};
use futures_util::stream::StreamExt;
use futures_util::{FutureExt, SinkExt};
use qmp_shared::rest::{Outcome, Problem, ProblemKind};
use qmp_shared::wire::{
    self, CLOSE_NOT_JSON, CLOSE_UNAUTHORIZED, ClientFrame, ClientId, FrameError, Hello, Pong,
    Reply, SUBPROTOCOL, ServerFrame, Subscribed,
};
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{Instant, interval_at, timeout};
use tracing::debug;

use super::execute::{self, Request};
use super::guard::{Caller, subprotocols};
use super::problem::{Faults, Refusal};
use super::{CHECK_EVERY, Console, MAX_REQUEST_BYTES, STALLED_PEER};
use crate::journal::StoreError;
use crate::session::{Counted, Roster, Session};
use subscriptions::{Subscriptions, text};

/// Most commands that one socket waits for at a time; one more is refused.
const MAX_IN_FLIGHT: usize = 256;

/// Most bytes of the frames of those commands; one more is refused.
const MAX_IN_FLIGHT_BYTES: usize = 4 * MAX_REQUEST_BYTES;

/// Largest frame that is read at all. One over [`MAX_REQUEST_BYTES`] is refused,
/// and the socket goes on; one over this ends it.
const MAX_READ_BYTES: usize = 4 * MAX_REQUEST_BYTES;

/// What is read from a socket at once, and kept for it: browsers send little.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// Most batches of events that are sent before a reply that is ready.
const CATCH_UP_BATCHES: usize = 64;

/// How often a quiet peer is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Close code for a frame over the limit (RFC 6455, section 7.4.1).
const TOO_BIG: u16 = 1009;

/// Close code for a server that stops (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// `GET /api/v1/ws`: authenticated and checked for its origin by [`Caller`],
/// before the upgrade.
#[utoipa::path(get, operation_id = "open_socket", path = "/ws", tag = "socket", responses((status = 101, description = "The console socket, subprotocol `qmp-console.v1`"), Faults))]
pub(super) async fn upgrade(
    State(console): State<Arc<Console>>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|error| Refusal::invalid(error.to_string()))?;
    let mut offered = subprotocols(&headers).filter(|name| !name.starts_with("bearer."));
    let offers_others = offered.next().is_some();
    if offers_others && !subprotocols(&headers).any(|name| name == SUBPROTOCOL) {
        return Err(Refusal::invalid(format!(
            "this socket speaks the subprotocol {SUBPROTOCOL:?} only"
        )));
    }
    Ok(upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(MAX_READ_BYTES)
        .max_frame_size(MAX_READ_BYTES)
        .on_upgrade(move |socket| async move {
            let activity = console.sessions.activity().watch();
            let roster = console.sessions.roster();
            let browser = Browser {
                console,
                caller,
                socket,
                activity,
                roster,
                roster_is_old: false,
                seen: Counted::default(),
                more: false,
                subscriptions: Subscriptions::default(),
                in_flight: HashMap::new(),
                in_flight_bytes: 0,
                replies: FuturesUnorderedBounded::new(MAX_IN_FLIGHT),
            };
            if let Err(error) = browser.run().await {
                debug!(%error, "a browser's socket ended");
            }
        }))
}

fn cancelled(session: &str) -> Problem {
    let detail = "cancelled; whether the command was executed is unknown";
    Problem::new(ProblemKind::Cancelled, detail)
        .outcome(Outcome::Unknown)
        .session(session)
}

/// One connected browser.
struct Browser {
    console: Arc<Console>,
    caller: Caller,
    socket: WebSocket,
    activity: watch::Receiver<Counted>,
    /// The sessions that are followed.
    roster: Arc<Roster>,
    /// Whether there is another roster already.
    roster_is_old: bool,
    /// What had happened when sessions were shown last.
    seen: Counted,
    /// Whether a log may hold more events right away.
    more: bool,
    subscriptions: Subscriptions,
    /// The commands in `replies`, by their ids.
    in_flight: HashMap<ClientId, InFlight>,
    /// Bytes of their frames.
    in_flight_bytes: usize,
    /// As many as there are ids in `in_flight`. Polled in the order in which they
    /// were added or woken; that of `futures_util` would wake this task once
    /// more for each command.
    replies: FuturesUnorderedBounded<BoxFuture<'static, Reply>>,
}

/// A command that waits for its reply.
struct InFlight {
    /// Cancels it.
    abort: AbortHandle,
    /// Bytes of its frame.
    bytes: usize,
}

/// Why a socket is over.
#[derive(Debug, thiserror::Error)]
enum SocketError {
    #[error("the peer took no bytes for {STALLED_PEER:?}")]
    Stalled,
    #[error(transparent)]
    Socket(#[from] axum::Error),
    #[error("the journal cannot be read")]
    Journal(#[from] StoreError),
}

impl Browser {
    async fn run(mut self) -> Result<(), SocketError> {
        self.hello().await?;
        let stopping = self.console.stopping.clone();
        // One for all turns, as all sockets wait in one list.
        let mut stopping = std::pin::pin!(stopping.cancelled());
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut check = interval_at(Instant::now() + CHECK_EVERY, CHECK_EVERY);
        loop {
            // Every arm but the first is cancel safe: `recv`, `next`,
            // `changed` and `tick` lose nothing when another one is ready.
            // Whether it may stay goes first, then the browser's own frames, or
            // a flood of events would keep its unsubscribe waiting.
            tokio::select! {
                biased;
                () = &mut stopping => {
                    return self.close(GOING_AWAY, "the console is stopping").await;
                }
                _ = check.tick() => {
                    if let Err(why) = self.may_stay() {
                        return self.close(CLOSE_UNAUTHORIZED, why).await;
                    }
                    for frame in self.subscriptions.bookmarks() {
                        self.send(&frame).await?;
                    }
                }
                _ = ping.tick() => {
                    self.write(Message::Ping(Default::default())).await?;
                }
                received = self.socket.recv() => match received {
                    None => return Ok(()),
                    Some(Ok(Message::Text(text))) => {
                        if let Err(why) = self.may_stay() {
                            return self.close(CLOSE_UNAUTHORIZED, why).await;
                        }
                        if let Err(fault) = self.handle(&text).await? {
                            return self.close(CLOSE_NOT_JSON, &fault).await;
                        }
                    }
                    Some(Ok(Message::Binary(_))) => {
                        return self.close(CLOSE_NOT_JSON, "frames are text, not binary").await;
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_))) => {}
                    Some(Err(error)) => return self.unreadable(error).await,
                },
                Some(reply) = self.replies.next() => {
                    // An event that the command caused is in the log by now,
                    // and is shown before the reply.
                    self.catch_up().await?;
                    let command = self.in_flight.remove(&reply.id);
                    self.in_flight_bytes -= command.map_or(0, |command| command.bytes);
                    self.send(&ServerFrame::Reply(reply)).await?;
                }
                () = std::future::ready(()), if self.more => self.follow().await?,
                changed = self.activity.changed(), if !self.more => {
                    if changed.is_err() {
                        return self.close(GOING_AWAY, "the console is stopping").await;
                    }
                    self.follow().await?;
                }
            }
        }
    }

    /// Whether what has let the browser in still counts, or else why not.
    fn may_stay(&self) -> Result<(), &'static str> {
        self.caller.may_stay(&self.console)
    }

    async fn hello(&mut self) -> Result<(), SocketError> {
        self.seen = *self.activity.borrow_and_update();
        let hello = Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            journal: self.console.journal.id().to_owned(),
            role: self.caller.identity.role,
            sessions: self.roster.values().map(Session::info).collect(),
        };
        self.send(&ServerFrame::Hello(hello)).await
    }

    /// Sends the next events and the sessions that changed.
    async fn follow(&mut self) -> Result<(), SocketError> {
        let before = self.seen;
        self.seen = *self.activity.borrow_and_update();
        let changed = self.seen.changed > before.changed;
        // Until all of a removed session's events are out, it is still here.
        let latest = (changed || self.roster_is_old).then(|| self.console.sessions.roster());
        let shown: Vec<_> = latest
            .iter()
            .flat_map(|latest| latest.values())
            .filter(|session| session.changed() > before.changed)
            .map(Session::info)
            .collect();
        let (events, more) = self.subscriptions.next_frames(&self.roster).await?;
        self.more = more;
        // Events first: a STOP is shown before the `paused` that it caused, and
        // the last event of a session before its end.
        self.write_all(events).await?;
        let Some(latest) = latest else {
            return Ok(());
        };
        for session in shown {
            self.send(&ServerFrame::Session(wire::Session { session }))
                .await?;
        }
        self.roster_is_old = self.more && !Arc::ptr_eq(&self.roster, &latest);
        if self.roster_is_old {
            return Ok(());
        }
        let removed: Vec<_> = self
            .roster
            .iter()
            .filter(|(name, session)| latest.get(*name).is_none_or(|now| !now.is(session)))
            .map(|(name, _)| name.clone())
            .collect();
        for name in removed {
            self.send(&ServerFrame::Removed(wire::Removed { name }))
                .await?;
        }
        if !Arc::ptr_eq(&self.roster, &latest) {
            self.roster = latest;
            self.more = true;
        }
        Ok(())
    }

    /// Sends the events that are in the logs now. Those that arrive meanwhile
    /// may have to wait, or a flood of them would hold up a reply for ever.
    async fn catch_up(&mut self) -> Result<(), SocketError> {
        for _ in 0..CATCH_UP_BATCHES {
            self.follow().await?;
            if !self.more {
                break;
            }
        }
        Ok(())
    }

    /// Handles a text frame. The inner error is the reason to close.
    async fn handle(&mut self, text: &Utf8Bytes) -> Result<Result<(), String>, SocketError> {
        if text.len() > MAX_REQUEST_BYTES {
            let detail = format!("the frame has more than {MAX_REQUEST_BYTES} bytes");
            let problem = Problem::new(ProblemKind::TooLarge, detail);
            self.refuse(None, None, problem).await?;
            return Ok(Ok(()));
        }
        let frame = match ClientFrame::decode(text) {
            Ok(frame) => frame,
            Err(FrameError::NotJson(fault)) => return Ok(Err(fault.to_string())),
            Err(FrameError::Malformed { detail, sub, id }) => {
                let problem = Problem::new(ProblemKind::InvalidRequest, detail);
                self.refuse(sub, id, problem).await?;
                return Ok(Ok(()));
            }
        };
        match frame {
            ClientFrame::Subscribe(frame) => {
                let sub = frame.sub.clone();
                // A session is there as soon as REST says so, though this socket
                // may be far from having told it.
                let roster = self.console.sessions.roster();
                let added = self.subscriptions.add(&roster, &self.roster, frame);
                match added.await {
                    Ok(()) => {
                        self.send(&ServerFrame::Subscribed(Subscribed { sub }))
                            .await?;
                        self.catch_up().await?;
                    }
                    Err(problem) => self.refuse(Some(sub), None, problem).await?,
                }
            }
            ClientFrame::Unsubscribe(frame) => {
                if let Err(problem) = self.subscriptions.remove(&frame.sub) {
                    self.refuse(Some(frame.sub), None, problem).await?;
                }
            }
            ClientFrame::Execute(frame) => self.execute(frame, text.len()).await?,
            ClientFrame::Cancel(frame) => match self.in_flight.get(&frame.id) {
                Some(command) => command.abort.abort(),
                None => {
                    let detail = format!("no command of `id` {} waits for its reply", frame.id);
                    let problem = Problem::new(ProblemKind::InvalidRequest, detail);
                    self.refuse(None, Some(frame.id), problem).await?;
                }
            },
            ClientFrame::Ping(ping) => self.send(&ServerFrame::Pong(Pong { id: ping.id })).await?,
        }
        Ok(Ok(()))
    }

    /// Executes the command of a frame of so many bytes.
    async fn execute(&mut self, frame: wire::Execute, bytes: usize) -> Result<(), SocketError> {
        let id = frame.id;
        if self.in_flight.contains_key(&id) {
            let detail = format!("`id` {id} is in use by a command that has no reply yet");
            let problem = Problem::new(ProblemKind::StateError, detail);
            return self.refuse(None, Some(id), problem).await;
        }
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            let detail = format!("this socket waits for {MAX_IN_FLIGHT} replies already");
            let problem = Problem::new(ProblemKind::RateLimited, detail);
            return self.refuse(None, Some(id), problem).await;
        }
        if self.in_flight_bytes + bytes > MAX_IN_FLIGHT_BYTES {
            let detail = format!(
                "this frame and those of the {} commands that this socket waits for have more \
                 than {MAX_IN_FLIGHT_BYTES} bytes",
                self.in_flight.len()
            );
            let problem = Problem::new(ProblemKind::RateLimited, detail);
            return self.refuse(None, Some(id), problem).await;
        }
        let (abort, aborted) = AbortHandle::new_pair();
        self.in_flight.insert(id.clone(), InFlight { abort, bytes });
        self.in_flight_bytes += bytes;
        let console = Arc::clone(&self.console);
        let caller = self.caller.clone();
        // Commands take their places on the monitor in the order of their
        // frames. With tokio's budget the first that finds it spent would come
        // after the rest; there are too few of them to need one.
        self.replies.push(Box::pin(unconstrained(async move {
            let request = Request {
                execute: frame.execute,
                exec_oob: frame.exec_oob,
                arguments: frame.arguments,
                timeout: frame.timeout,
                expect: frame.expect,
            };
            let run = execute::run(&console, &caller, &frame.session, request);
            let result = Abortable::new(run, aborted).await;
            Reply::new(
                id,
                result.unwrap_or_else(|Aborted| Err(cancelled(&frame.session))),
            )
        })));
        Ok(())
    }

    /// What cannot be read is said, and ends the socket: where the next frame
    /// begins is not known.
    async fn unreadable(&mut self, error: axum::Error) -> Result<(), SocketError> {
        use tokio_tungstenite::tungstenite::Error;
        let error = error.into_inner();
        match error.downcast_ref() {
            Some(Error::Capacity(_)) => {
                let detail = format!("the frame has more than {MAX_READ_BYTES} bytes");
                self.close(TOO_BIG, &detail).await
            }
            Some(Error::Utf8(_)) => self.close(CLOSE_NOT_JSON, "the frame is not UTF-8").await,
            _ => Err(SocketError::Socket(axum::Error::new(error))),
        }
    }

    async fn refuse(
        &mut self,
        sub: Option<ClientId>,
        id: Option<ClientId>,
        problem: Problem,
    ) -> Result<(), SocketError> {
        let error = wire::Error { sub, id, problem };
        self.send(&ServerFrame::Error(error)).await
    }

    async fn send(&mut self, frame: &ServerFrame) -> Result<(), SocketError> {
        self.write(Message::Text(text(frame))).await
    }

    async fn close(&mut self, code: u16, reason: &str) -> Result<(), SocketError> {
        // RFC 6455, section 5.5: a control frame has at most 125 bytes.
        let reason = &reason[..reason.floor_char_boundary(120)];
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        self.write(Message::Close(Some(frame))).await
    }

    /// Sends some frames at once.
    async fn write_all(&mut self, frames: Vec<Utf8Bytes>) -> Result<(), SocketError> {
        if frames.is_empty() {
            return Ok(());
        }
        for text in frames {
            // It mostly takes one at once, and then needs no timer.
            let mut ready = poll_fn(|cx| self.socket.poll_ready_unpin(cx));
            match (&mut ready).now_or_never() {
                Some(ready) => ready?,
                None => taken(ready).await?,
            }
            self.socket.start_send_unpin(Message::Text(text))?;
        }
        taken(self.socket.flush()).await
    }

    async fn write(&mut self, message: Message) -> Result<(), SocketError> {
        taken(self.socket.send(message)).await
    }
}

/// Gives up on a peer that takes no bytes.
async fn taken(write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), SocketError> {
    match timeout(STALLED_PEER, write).await {
        Ok(written) => Ok(written?),
        Err(_) => Err(SocketError::Stalled),
    }
}
