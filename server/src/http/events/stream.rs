//! Events as streams: NDJSON of what there is, Server-Sent Events of what comes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use qmp_shared::model::Seq;
use qmp_shared::rest::{LoggedEvent, Problem, ProblemKind};
use tokio::time::sleep;

use super::scan::{STEP, logged, scan};
use super::{LINES, Parameters, Range, Request, request};
use crate::http::guard::Caller;
use crate::http::problem::invalid;
use crate::http::{CHECK_EVERY, Console};
use crate::journal::Item;
use crate::session::Session;

/// How often a quiet stream says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// All that is asked for, one event a line, read from the log as it is taken.
/// Bounded without a start it is the newest, as a page has them.
pub(super) async fn ndjson(
    console: Arc<Console>,
    caller: Caller,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    if parameters.marks.is_some() || parameters.wait.is_some() {
        return Err(invalid("`marks` and `wait` are for pages"));
    }
    let request = request(session, &parameters, usize::MAX).await?;
    let (after, upto) = match request.range {
        Range::Forward(after, upto) => (after, upto),
        Range::Backward(before) if request.limit == usize::MAX => {
            (Seq(0), Seq(before.0.saturating_sub(1)))
        }
        // No more than a page has, and known from its end only.
        Range::Backward(_) => {
            let page = scan(&console, &request).await?;
            return Ok(lines(stream::iter(page.events).map(Ok)));
        }
    };
    let limit = request.limit;
    let state = (console, caller, request, after, upto);
    let pages = stream::try_unfold(
        state,
        async |(console, caller, mut request, after, upto)| {
            if after >= upto {
                return Ok::<_, axum::BoxError>(None);
            }
            // Cut off, and not ended as if it were whole.
            if console.stopping.is_cancelled() || caller.may_stay(&console).is_err() {
                return Err("the console is stopping, or the token has ended".into());
            }
            request.range = Range::Forward(after, upto);
            request.limit = STEP;
            let page = scan(&console, &request).await?;
            let state = (console, caller, request, page.next, upto);
            Ok(Some((page.events, state)))
        },
    );
    let events = pages.map_ok(|events| stream::iter(events).map(Ok::<_, axum::BoxError>));
    Ok(lines(events.try_flatten().take(limit)))
}

/// The answer of one event a line.
fn lines(
    events: impl Stream<Item = Result<LoggedEvent, axum::BoxError>> + Send + 'static,
) -> Response {
    let lines = events.and_then(async |event| {
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        Ok(line)
    });
    let body = Body::from_stream(lines);
    ([(CONTENT_TYPE, LINES)], body).into_response()
}

/// What comes, and before that what came after a number.
pub(super) async fn sse(
    console: Arc<Console>,
    caller: Caller,
    session: Session,
    parameters: Parameters,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id");
    let last = last.map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
    let parameters = match last {
        None => parameters,
        Some(Some(after)) => Parameters {
            after: Some(after),
            since: None,
            ..parameters
        },
        Some(None) => {
            let detail = "`Last-Event-ID` is not a number of this log";
            return Err(Problem::new(ProblemKind::InvalidRequest, detail));
        }
    };
    let of_pages = [
        parameters.before.is_some(),
        parameters.until.is_some(),
        parameters.wait.is_some(),
        parameters.marks.is_some(),
    ];
    if of_pages.contains(&true) {
        let detail = "a stream has no end: `before`, `until`, `wait` and `marks` are for pages";
        return Err(Problem::new(ProblemKind::InvalidRequest, detail));
    }
    let newest = session.log().newest();
    let request = request(session, &parameters, usize::MAX).await?;
    let after = match request.range {
        Range::Forward(after, _) => after,
        // Without a start: from now on.
        Range::Backward(_) => newest,
    };
    let left = request.limit;
    let events = following(console, caller, request, after).take(left);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// The events after a number that are accepted, as they come. Ends when the
/// session, the console or the caller's token does.
fn following(
    console: Arc<Console>,
    caller: Caller,
    request: Request,
    after: Seq,
) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    let activity = console.sessions.activity().watch();
    let state = (console, caller, activity, request, after);
    let pages = stream::unfold(
        state,
        async |(console, caller, mut activity, request, after)| {
            if caller.may_stay(&console).is_err() {
                return None;
            }
            activity.mark_unchanged();
            let page = request.session.log().read(after, STEP).await.ok()?;
            let mut events = Vec::new();
            for item in &page.items {
                match item {
                    Item::Gap(from, to) => {
                        let data = format!(r#"{{"from":{},"to":{}}}"#, from.0, to.0);
                        let event = SseEvent::default().event("gap").id(to.0.to_string());
                        events.push(Ok(event.data(data)));
                    }
                    Item::Entry(entry)
                        if request.session.matches(&request.filter, &entry.event) =>
                    {
                        let data = serde_json::to_string(&logged(entry)).unwrap_or_default();
                        let event = SseEvent::default().id(entry.seq.0.to_string());
                        events.push(Ok(event.data(data)));
                    }
                    Item::Entry(_) => {}
                }
            }
            if !page.more && events.is_empty() {
                tokio::select! {
                    biased;
                    () = console.stopping.cancelled() => return None,
                    changed = activity.changed() => changed.ok()?,
                    () = sleep(CHECK_EVERY) => {}
                }
                let current = console.sessions.get(request.session.name())?;
                if !current.is(&request.session) {
                    return None;
                }
            }
            Some((
                stream::iter(events),
                (console, caller, activity, request, page.next),
            ))
        },
    );
    pages.flatten()
}
