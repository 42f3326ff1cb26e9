//! Events of a session of a console: those that it has kept, and those to come.
//!
//! One subscription on the console's WebSocket, which begins after a number. A
//! connection that is lost is made again, and goes on after the last number
//! that was seen: [`Progress`] is all that is carried over.

use std::borrow::Cow;
use std::future::pending;

use anyhow::Context;
use qmp_shared::filter::EventFilter;
use qmp_shared::json;
use qmp_shared::model::Seq;
use qmp_shared::rest::{EventPage, LoggedEvent, Problem, ProblemKind};
use qmp_shared::wire::{After, ClientFrame, ClientId, Event, ServerFrame, Subscribe};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::progress::Progress;
use super::{Args, print as print_line};
use crate::cli::console::{Console, Fault, Location, Socket, failure};
use crate::cli::tell;
use crate::error::chain;
use crate::session::{Backoff, random};

/// Prints the session's events. Without `--follow` those that there are; with
/// it, for ever.
///
/// # Errors
///
/// Why they cannot be had.
pub(super) async fn print(location: Location, args: Args) -> anyhow::Result<()> {
    let follower = Follower {
        console: Console::new(location, &args.console)?,
        names: args.names,
        expression: args.expression.map(|expression| expression.to_string()),
        asked: args.after.is_some(),
        follow: args.follow,
        progress: Progress::new(args.after.map(Seq)),
        backoff: Backoff::default(),
        lost: false,
    };
    // Both arms are cancel safe for what is left to do after the other: nothing.
    tokio::select! {
        biased;
        () = nobody_reads() => Ok(()),
        ended = follower.run() => ended,
    }
}

/// A reader of one session's events.
struct Follower {
    console: Console,
    names: EventFilter,
    expression: Option<String>,
    /// Whether a start was asked for.
    asked: bool,
    follow: bool,
    progress: Progress,
    backoff: Backoff,
    /// Whether it was told that the connection is lost.
    lost: bool,
}

/// Why a connection's events are not read on.
enum Stop {
    /// Something with the console.
    Fault(Fault),
    /// Something with the output.
    Output(anyhow::Error),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Follower {
    async fn run(mut self) -> anyhow::Result<()> {
        loop {
            let fault = match self.connection().await {
                Ok(()) => return Ok(()),
                Err(Stop::Output(error)) => return Err(error),
                Err(Stop::Fault(fault)) => fault,
            };
            match self.progress.has_begun() {
                // Whoever calls this can put it right.
                false => return Err(failure(fault)),
                true if !self.follow || !fault.is_passing() => return Err(fault.into()),
                true => {}
            }
            if !self.lost {
                tell(&format!("{}; connecting again", chain(&fault)));
                self.lost = true;
            }
            sleep(self.backoff.next(random())).await;
        }
    }

    /// Prints the events of one connection, until there are no more to print.
    async fn connection(&mut self) -> Result<(), Stop> {
        let (mut socket, hello) = self.console.open().await?;
        let end = self.begin().await?;
        // The first time the journal is taken note of below, when nothing can
        // be refused any more that was asked for.
        if self.progress.has_begun() && self.progress.enter(&hello.journal) {
            tell("the console has another journal now: its events are read from the beginning");
        }
        if end.is_some() && end == self.progress.seen() {
            return Ok(());
        }
        self.subscribe(&mut socket).await?;
        self.progress.enter(&hello.journal);
        self.backoff.reset();
        if std::mem::take(&mut self.lost) {
            tell("connected again");
        }
        while !end.is_some_and(|end| self.progress.has_reached(end)) {
            match socket.receive().await? {
                ServerFrame::Event(event) => {
                    let new = self.progress.advance(event.seq);
                    if new && !print_line(&line(event)?).map_err(Stop::Output)? {
                        return Ok(());
                    }
                }
                ServerFrame::Gap(gap) => {
                    let missed = self.progress.skip(gap.from, gap.to);
                    // What was gone before anybody asked for it is not missed.
                    if let Some((from, to)) = missed.filter(|(from, _)| self.asked || from.0 > 1) {
                        tell(&format!("missed {} to {}", from.0, to.0));
                    }
                }
                ServerFrame::Bookmark(bookmark) => {
                    self.progress.advance(bookmark.seq);
                }
                ServerFrame::Removed(removed) if removed.name == self.console.session() => {
                    let detail = format!("the session {:?} was removed", removed.name);
                    let problem = Problem::new(ProblemKind::NotFound, detail);
                    return Err(Fault::Refused(Box::new(problem)).into());
                }
                ServerFrame::Error(error) => {
                    return Err(Fault::Refused(Box::new(error.problem)).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Finds out where to start, unless that is known, and where to end, unless
    /// the events are followed.
    async fn begin(&mut self) -> Result<Option<Seq>, Fault> {
        if !self.follow {
            let end = self.newest().await?;
            if self.progress.seen().is_none() {
                self.progress.advance(Seq(0));
            }
            return Ok(Some(end));
        }
        if self.progress.seen().is_none() {
            // A number, and not just "from now on": there it can go on after the
            // connection is lost, though nothing came before that.
            let now = self.newest().await?;
            self.progress.advance(now);
        }
        Ok(None)
    }

    /// Subscribes from where the output is, and waits until that stands.
    async fn subscribe(&self, socket: &mut Socket) -> Result<(), Fault> {
        let subscribe = ClientFrame::Subscribe(Subscribe {
            sub: ClientId::from(1),
            session: Some(self.console.session().to_owned()),
            names: self.names.clone(),
            expression: self.expression.clone(),
            after: self.progress.seen().map(After::One),
            limit: None,
        });
        socket.send(&subscribe).await?;
        loop {
            match socket.receive().await? {
                ServerFrame::Subscribed(_) => return Ok(()),
                ServerFrame::Error(error) => {
                    return Err(Fault::Refused(Box::new(error.problem)));
                }
                _ => {}
            }
        }
    }

    /// The newest number of the session.
    async fn newest(&self) -> Result<Seq, Fault> {
        let page: EventPage = self.console.get("/events?limit=1").await?;
        Ok(page.next)
    }
}

/// The line of an event.
fn line(event: Event) -> Result<LoggedEvent, Stop> {
    let text = event.event;
    let text = match json::compact(text.get()) {
        Cow::Borrowed(_) => text,
        // Only blanks were left out.
        Cow::Owned(compact) => RawValue::from_string(compact)
            .context("an event")
            .map_err(Stop::Output)?,
    };
    Ok(LoggedEvent {
        seq: event.seq,
        received: event.received,
        event: text,
    })
}

/// Ready when the reader of standard output has left, as `head` does; nothing
/// need be printed to find out. Never, where the output is a file, which nobody
/// leaves.
async fn nobody_reads() {
    let (left, leaves) = oneshot::channel();
    // A thread of its own, that ends with the process: a runtime would wait for
    // it. Errors and hang-ups are always looked for.
    std::thread::spawn(move || {
        let stdout = std::io::stdout();
        let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut polled, None) == Err(Errno::INTR) {}
        if polled[0]
            .revents()
            .intersects(PollFlags::ERR | PollFlags::HUP)
        {
            // Nobody waits for it any more when the output has ended first.
            let (Ok(()) | Err(())) = left.send(());
        }
    });
    if leaves.await.is_err() {
        pending().await
    }
}
