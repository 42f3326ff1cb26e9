//! `GET /api/v1/sessions/{name}/events`: a session's log as pages, as a long
//! poll, as Server-Sent Events and as NDJSON.
//!
//! All four are one cursor over the log, and one filter.

mod scan;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use qmp_shared::filter::{EventFilter, Expression};
use qmp_shared::model::Seq;
use qmp_shared::rest::{EventPage, Problem, ProblemKind};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use scan::scan;
use stream::{ndjson, sse};

use super::accept::preferred;
use super::guard::Caller;
use super::problem::{Faults, Refusal, invalid, of_store};
use super::sessions::SessionName;
use super::{CHECK_EVERY, Console};
use crate::session::Session;

/// What events are answered as.
const JSON: &str = "application/json";
const STREAM: &str = "text/event-stream";
const LINES: &str = "application/x-ndjson";

/// Most events of a page.
const MAX_LIMIT: usize = 10_000;

/// Events of a page, unless said otherwise.
const DEFAULT_LIMIT: usize = 1000;

/// Longest a request waits, in seconds.
const MAX_WAIT: f64 = 60.0;

/// Most scans of logs at a time; others wait.
pub(super) const MAX_SCANS: usize = 4;

/// The query, as it comes.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// Event names with `*` globs, separated by commas; all when empty.
    names: Option<String>,
    /// An expression on the event (RFC 9535), evaluated after the names.
    r#where: Option<String>,
    /// A sequence number: events after it.
    after: Option<u64>,
    /// A sequence number: events before it, the latest of them unless `after` or
    /// `since` says where to begin.
    before: Option<u64>,
    /// Events received at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Events received at this time or before.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Most events of the page: 1 to 10000, 1000 when absent.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
    /// Of a page, with `after`: seconds to wait for an event, 0 to 60.
    #[param(minimum = 0, maximum = 60)]
    wait: Option<f64>,
    /// Of a page: tell its gaps, and when the endpoint was lost and regained.
    marks: Option<bool>,
}

/// The filter of these names and this expression.
///
/// # Errors
///
/// The problem of the expression, with the column of its fault.
pub(super) fn filter(names: EventFilter, expression: Option<&str>) -> Result<EventFilter, Problem> {
    let Some(text) = expression else {
        return Ok(names);
    };
    match text.parse::<Expression>() {
        Ok(expression) => Ok(names.with_expression(expression)),
        Err(error) => {
            let detail = format!("`where`: {error}");
            let problem = Problem::new(ProblemKind::InvalidRequest, detail);
            Err(match error.column() {
                Some(column) => problem.column(column),
                None => problem,
            })
        }
    }
}

/// What is asked for.
struct Request {
    session: Session,
    filter: EventFilter,
    range: Range,
    limit: usize,
    /// Whether gaps are told too, and what became of the endpoint.
    marks: bool,
}

/// Where to look.
enum Range {
    /// From after this number on, up to a number.
    Forward(Seq, Seq),
    /// The latest before a number.
    Backward(Seq),
}

/// `GET /api/v1/sessions/{name}/events`.
#[utoipa::path(get, operation_id = "list_events", path = "/sessions/{name}/events", tag = "events", params(("name" = String, Path, description = "The session's name"), Parameters), responses((status = 200, description = "A page, or what comes, or an event a line", content((EventPage = "application/json"), (String = "text/event-stream"), (String = "application/x-ndjson"))), Faults))]
pub(super) async fn events(
    State(console): State<Arc<Console>>,
    caller: Caller,
    SessionName(name): SessionName,
    headers: HeaderMap,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(parameters) = query.map_err(|rejection| Refusal::query(&rejection))?;
    let session = console.session(&name)?;
    let of_it = |problem: Problem| Refusal(problem.session(&name));
    match preferred(&headers, &[JSON, STREAM, LINES]) {
        STREAM => {
            let stream = sse(console, caller, session, parameters, &headers);
            stream.await.map_err(of_it)
        }
        LINES => {
            let lines = ndjson(console, caller, session, parameters);
            lines.await.map_err(of_it)
        }
        _ => {
            let page = page(&console, &caller, session, &parameters);
            page.await.map_err(of_it)
        }
    }
}

/// Reads the query. `all` is the limit where none is given.
async fn request(
    session: Session,
    parameters: &Parameters,
    all: usize,
) -> Result<Request, Problem> {
    let names = parameters.names.as_deref().unwrap_or_default();
    let names: EventFilter = names
        .parse()
        .map_err(|error| invalid(format!("`names`: {error}")))?;
    let filter = filter(names, parameters.r#where.as_deref())?;
    let limit = match parameters.limit {
        None => all,
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(limit) => {
            return Err(invalid(format!(
                "`limit` is {limit}, not from 1 to {MAX_LIMIT}"
            )));
        }
    };
    let log = session.log();
    let newest = log.newest();
    if let Some(after) = parameters.after {
        check_after(&session, Seq(after))?;
    }
    let since = match parameters.since {
        Some(time) => Some(log.before_time(time).await.map_err(of_store)?),
        None => None,
    };
    let until = match parameters.until {
        // What was received in that microsecond is meant too.
        Some(time) => {
            let next = time.checked_add(jiff::Span::new().microseconds(1));
            log.before_time(next.unwrap_or(time))
                .await
                .map_err(of_store)?
        }
        None => newest,
    };
    let after = parameters.after.map(Seq);
    let lower = after.into_iter().chain(since).max();
    let upper = match parameters.before {
        Some(before) => until.min(Seq(before.saturating_sub(1))),
        None => until,
    };
    let range = match lower {
        // With a start it goes on from there, so that `next` is a cursor.
        Some(lower) => Range::Forward(lower, upper),
        None => Range::Backward(Seq(upper.0.saturating_add(1))),
    };
    Ok(Request {
        session,
        filter,
        range,
        limit,
        marks: parameters.marks.unwrap_or_default(),
    })
}

/// A cursor is neither in the future nor past the retention.
///
/// # Errors
///
/// The problem that it is otherwise.
pub(super) fn check_after(session: &Session, after: Seq) -> Result<(), Problem> {
    let (newest, trimmed) = (session.log().newest(), session.log().trimmed());
    if after > newest {
        let detail = format!(
            "`after` is {}, beyond the newest number {}",
            after.0, newest.0
        );
        return Err(Problem::new(ProblemKind::InvalidRequest, detail));
    }
    if after < trimmed {
        let detail = format!(
            "`after` is {}, and nothing before {} is kept any more",
            after.0,
            trimmed.0 + 1
        );
        return Err(Problem::new(ProblemKind::Gone, detail));
    }
    Ok(())
}

async fn page(
    console: &Console,
    caller: &Caller,
    session: Session,
    parameters: &Parameters,
) -> Result<Response, Problem> {
    let wait = match parameters.wait {
        None => None,
        Some(wait) if !(0.0..=MAX_WAIT).contains(&wait) => {
            return Err(invalid(format!(
                "`wait` is {wait}, not from 0 to {MAX_WAIT} seconds"
            )));
        }
        Some(_) if parameters.before.is_some() || parameters.until.is_some() => {
            let detail = "`wait` is for what is still to come: neither `before` nor `until`";
            return Err(invalid(detail.to_owned()));
        }
        Some(_) if parameters.after.is_none() => {
            return Err(invalid(
                "`wait` is for what comes `after` a number".to_owned(),
            ));
        }
        Some(wait) => Some(Instant::now() + Duration::from_secs_f64(wait)),
    };
    let mut activity = console.sessions.activity().watch();
    let mut request = request(session, parameters, DEFAULT_LIMIT).await?;
    loop {
        activity.mark_unchanged();
        if wait.is_some()
            && let Range::Forward(_, upto) = &mut request.range
        {
            *upto = request.session.log().newest();
        }
        let page = scan(console, &request).await?;
        let Some(deadline) = wait.filter(|_| page.events.is_empty()) else {
            return Ok(Json(page).into_response());
        };
        if Instant::now() >= deadline {
            return Ok(Json(page).into_response());
        }
        // Of what was looked at once, nothing is looked at again.
        if let Range::Forward(after, _) = &mut request.range
            && !request.marks
        {
            *after = page.next;
        }
        let tick = deadline.min(Instant::now() + CHECK_EVERY);
        tokio::select! {
            biased;
            () = console.stopping.cancelled() => return Ok(Json(page).into_response()),
            changed = activity.changed() => {
                if changed.is_err() {
                    return Ok(Json(page).into_response());
                }
            }
            () = sleep_until(tick) => {}
        }
        caller
            .may_stay(console)
            .map_err(|why| Refusal::unauthorized(why).0)?;
    }
}
