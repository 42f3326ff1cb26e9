//! Looks for events in a log, from a number on or back from one.

use qmp_shared::model::Seq;
use qmp_shared::rest::{EventPage, Gap, LinkMark, LoggedEvent, Marks, Problem};
use tokio::task::yield_now;

use super::{Range, Request};
use crate::http::Console;
use crate::http::problem::of_store;
use crate::journal::{Entry, Item};

/// How many entries of a log are looked at in one step.
pub(super) const STEP: usize = 256;

/// The events of a page, as soon as there are few enough others who look for
/// some: what a filter costs is others' time.
pub(super) async fn scan(console: &Console, request: &Request) -> Result<EventPage, Problem> {
    // It is never closed.
    let _place = console.scans.acquire().await;
    read(request).await
}

/// The events of a page.
async fn read(request: &Request) -> Result<EventPage, Problem> {
    let found = match request.range {
        Range::Forward(after, upto) => forward(request, after, upto).await?,
        Range::Backward(before) => backward(request, before).await?,
    };
    let marks = if request.marks {
        let log = request.session.log();
        let links = log.links(found.from, found.next).await.map_err(of_store)?;
        let links = links.into_iter().map(|link| LinkMark {
            after: link.after,
            time: format!("{:.6}", link.time),
            running: link.running,
            cause: link.cause,
        });
        Some(Marks {
            gaps: found.gaps,
            links: links.collect(),
        })
    } else {
        None
    };
    Ok(EventPage {
        events: found.events,
        next: found.next,
        marks,
    })
}

/// What was looked at, after one number and up to another.
#[derive(Default)]
struct Found {
    events: Vec<LoggedEvent>,
    gaps: Vec<Gap>,
    from: Seq,
    next: Seq,
}

async fn forward(request: &Request, after: Seq, upto: Seq) -> Result<Found, Problem> {
    let log = request.session.log();
    let mut found = Found {
        from: after,
        next: after,
        ..Found::default()
    };
    while found.next < upto {
        // A filter may take its time.
        yield_now().await;
        let page = log.read(found.next, STEP).await.map_err(of_store)?;
        for item in page.items {
            match item {
                Item::Entry(entry) if entry.seq > upto => break,
                Item::Entry(entry) => {
                    found.next = entry.seq;
                    if request.session.matches(&request.filter, &entry.event) {
                        found.events.push(logged(&entry));
                    }
                    if found.events.len() == request.limit {
                        return Ok(found);
                    }
                }
                Item::Gap(from, to) if from <= upto => {
                    let to = to.min(upto);
                    found.gaps.push(Gap { from, to });
                }
                Item::Gap(..) => {}
            }
        }
        found.next = page.next.min(upto);
    }
    Ok(found)
}

async fn backward(request: &Request, before: Seq) -> Result<Found, Problem> {
    let log = request.session.log();
    // What retention has let go of is no gap.
    let end = log.trimmed();
    let mut found = Found::default();
    let mut first = before;
    while found.events.len() < request.limit && first.0 > end.0 + 1 {
        yield_now().await;
        let entries = log.read_before(first, STEP).await.map_err(of_store)?;
        let entries = entries.iter().rev().take_while(|entry| entry.seq > end);
        let step = first;
        for entry in entries {
            if entry.seq.0 + 1 < first.0 {
                let (from, to) = (Seq(entry.seq.0 + 1), Seq(first.0 - 1));
                found.gaps.push(Gap { from, to });
            }
            first = entry.seq;
            if request.session.matches(&request.filter, &entry.event) {
                found.events.push(logged(entry));
            }
            if found.events.len() == request.limit {
                break;
            }
        }
        if first == step {
            // There is nothing before it.
            let (from, to) = (Seq(end.0 + 1), Seq(first.0 - 1));
            found.gaps.push(Gap { from, to });
            first = from;
        }
    }
    found.events.reverse();
    found.gaps.reverse();
    found.from = Seq(first.0.saturating_sub(1));
    found.next = Seq(before.0.saturating_sub(1));
    Ok(found)
}

pub(super) fn logged(entry: &Entry) -> LoggedEvent {
    LoggedEvent {
        seq: entry.seq,
        received: entry.received_text(),
        event: entry.event.to_raw(),
    }
}
