//! The tab's memory of events, and its rows.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use qmp_shared::model::Seq;
use qmp_shared::rest::{DISCONNECTED_BY_OPERATOR, LinkMark, SessionInfo, SessionState};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::commands::{self, CommandRow};
use crate::state::text::{counted, grouped, visible};
use crate::state::time::Instant;
use crate::state::tree::one_line;

/// Most rows that a tab keeps. When full, the oldest goes and is counted.
pub(crate) const MAX_ROWS: usize = 100_000;

/// Most bytes of event text that a tab keeps, for endpoints that send large
/// events. When full, the oldest rows go and are counted.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// Most rows of commands: each has one, and its reply another.
const MAX_COMMANDS: usize = 2 * commands::MOST;

/// Longest one-line summary, in bytes.
const SUMMARY: usize = 400;

/// Number of the first row, so that older ones can be put before it.
const FIRST: u64 = 1 << 40;

/// One row of the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Unique in a feed, rising.
    pub(crate) number: u64,
    /// The session it belongs to; empty for all of them.
    pub(crate) session: Arc<str>,
    /// What happened.
    pub(crate) what: What,
}

/// What a row tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// An event.
    Event(EventRow),
    /// Events that were lost on the way here.
    Gap {
        /// The first that is missing.
        from: Seq,
        /// The last that is missing.
        to: Seq,
    },
    /// Events that the console has, and this tab did not ask for.
    NotLoaded {
        /// The first of them.
        from: Seq,
        /// The last of them.
        to: Seq,
    },
    /// The endpoint was lost or regained.
    Link(LinkRow),
    /// The console lost its numbering: what is above counts anew.
    Renumbered,
    /// A command that this tab sent, or its reply.
    Command(CommandRow),
}

/// An event, as the table shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventRow {
    /// Its number in the session's log.
    pub(crate) seq: Seq,
    /// Its name, as it was sent.
    pub(crate) name: Box<str>,
    /// When the console received it.
    pub(crate) received: Option<Instant>,
    /// The whole object, verbatim.
    pub(crate) text: Arc<str>,
}

/// The endpoint was lost or regained.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LinkRow {
    /// Whether the session is running from then on.
    pub(crate) running: bool,
    /// When.
    pub(crate) at: Option<Instant>,
    /// Why it is not running.
    pub(crate) cause: Option<String>,
}

impl EventRow {
    /// Makes a row of what the console sent.
    pub(crate) fn new(seq: Seq, received: &str, event: Box<RawValue>) -> Self {
        let text: Arc<str> = Box::<str>::from(event).into();
        Self {
            seq,
            name: name_of(&text),
            received: Instant::parse(received),
            text,
        }
    }

    /// Its `data` on one line, cut off when long.
    pub(crate) fn summary(&self) -> String {
        match outline(&self.text) {
            Some(outline) => {
                let data = outline.data.map(|data| one_line(data.get(), SUMMARY));
                data.unwrap_or_default()
            }
            None => one_line(&self.text, SUMMARY),
        }
    }
}

impl LinkRow {
    /// Makes a row of what has become of a session.
    pub(crate) fn of_session(session: &SessionInfo) -> Self {
        Self {
            running: session.state == SessionState::Running,
            at: Instant::parse(&session.since),
            cause: session.cause.clone(),
        }
    }

    /// Whether the endpoint was let go of on purpose.
    pub(crate) fn is_wished(&self) -> bool {
        self.cause.as_deref() == Some(DISCONNECTED_BY_OPERATOR)
    }

    /// Makes a row of a mark in the console's log.
    pub(super) fn new(mark: &LinkMark) -> Self {
        Self {
            running: mark.running,
            at: Instant::parse(&mark.time),
            cause: mark.cause.clone(),
        }
    }
}

impl What {
    /// When it happened, as far as that is known.
    pub(crate) fn time(&self) -> Option<Instant> {
        match self {
            Self::Event(event) => event.received,
            Self::Link(link) => link.at,
            Self::Command(command) => command.at,
            Self::Gap { .. } | Self::NotLoaded { .. } | Self::Renumbered => None,
        }
    }

    /// Whether there is more to show of it than its row.
    pub(crate) fn has_detail(&self) -> bool {
        matches!(self, Self::Event(_) | Self::Command(_))
    }

    /// The first and the last of its session's numbers that it stands for.
    pub(super) fn numbers(&self) -> Option<(Seq, Seq)> {
        match self {
            Self::Event(event) => Some((event.seq, event.seq)),
            Self::Gap { from, to } | Self::NotLoaded { from, to } => Some((*from, *to)),
            Self::Link(_) | Self::Renumbered | Self::Command(_) => None,
        }
    }

    /// Bytes that it takes, as far as an endpoint decides about them.
    fn weight(&self) -> usize {
        match self {
            Self::Event(event) => event.text.len() + event.name.len(),
            Self::Link(link) => link.cause.as_ref().map_or(0, String::len),
            Self::Command(command) => command.weight(),
            Self::Gap { .. } | Self::NotLoaded { .. } | Self::Renumbered => 0,
        }
    }
}

/// The bounded memory of this tab.
#[derive(Debug)]
pub(crate) struct Log {
    rows: VecDeque<Arc<Row>>,
    /// Numbers of the rows of commands.
    commands: VecDeque<u64>,
    bytes: usize,
    next: u64,
    dropped: u64,
    was_cleared: bool,
    /// For each session, before which number the console's log goes on.
    starts: BTreeMap<Arc<str>, Seq>,
    /// For each session that has older rows in the console's log than were asked
    /// for, the first row that is here.
    floors: BTreeMap<Arc<str>, u64>,
    /// The first row whose number in its session means what the console's does.
    renumbered: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            commands: VecDeque::new(),
            bytes: 0,
            next: FIRST,
            dropped: 0,
            was_cleared: false,
            starts: BTreeMap::new(),
            floors: BTreeMap::new(),
            renumbered: 0,
        }
    }
}

impl Log {
    /// Appends a row; what no longer fits goes at the other end.
    pub(crate) fn push(&mut self, session: &str, what: What) {
        let session = match self.starts.get_key_value(session) {
            Some((session, _)) => Arc::clone(session),
            None => session.into(),
        };
        if let What::Event(event) = &what {
            self.starts.entry(Arc::clone(&session)).or_insert(event.seq);
        }
        self.bytes += what.weight();
        let number = self.next;
        self.next += 1;
        if matches!(what, What::Command(_)) {
            self.commands.push_back(number);
        }
        self.rows.push_back(Arc::new(Row {
            number,
            session,
            what,
        }));
        if self.commands.len() > MAX_COMMANDS {
            self.drop_oldest_command();
        }
        while self.rows.len() > MAX_ROWS || (self.bytes > MAX_BYTES && self.rows.len() > 1) {
            self.drop_oldest();
        }
    }

    /// Commands make room for commands, and not for events.
    fn drop_oldest_command(&mut self) {
        let oldest = self.commands.pop_front();
        let index = oldest.and_then(|number| self.index(number));
        let row = index.and_then(|index| self.rows.remove(index));
        if let Some(row) = row {
            self.bytes -= row.what.weight();
        }
    }

    pub(super) fn drop_oldest(&mut self) {
        let Some(oldest) = self.rows.pop_front() else {
            return;
        };
        if self.commands.front() == Some(&oldest.number) {
            self.commands.pop_front();
        }
        self.bytes -= oldest.what.weight();
        self.dropped += 1;
        if let Some((_, last)) = oldest.what.numbers() {
            self.starts
                .insert(Arc::clone(&oldest.session), Seq(last.0 + 1));
        }
    }

    /// Of this session only what is pushed from now on is here, and there may be
    /// older rows in the console's log.
    pub(crate) fn set_floor(&mut self, session: &str) {
        self.floors.insert(session.into(), self.next);
    }

    /// A session is gone, and with it the console's log of it: no row that is here
    /// is told by that any more.
    pub(crate) fn forget_floors(&mut self) {
        self.floors.clear();
    }

    /// The row from which all of these sessions is here. Those before it are among
    /// others that are not, and the console's log tells all of them.
    pub(super) fn floor(&self, is_wanted: impl Fn(&str) -> bool) -> u64 {
        let floors = self.floors.iter();
        let wanted = floors.filter(|(session, _)| is_wanted(session));
        wanted.map(|(_, floor)| *floor).max().unwrap_or(0)
    }

    /// Forgets all rows, by the user's wish: they do not count as dropped.
    pub(crate) fn clear(&mut self) {
        while !self.rows.is_empty() {
            self.drop_oldest();
        }
        self.dropped = 0;
        self.was_cleared = true;
    }

    /// Whether the user wished once to forget all rows.
    pub(crate) fn was_cleared(&self) -> bool {
        self.was_cleared
    }

    /// Whether there is any event among the rows.
    pub(crate) fn has_events(&self) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| matches!(row.what, What::Event(_)))
    }

    /// Numbers mean other events from here on.
    pub(crate) fn renumber(&mut self) {
        self.starts.clear();
        self.floors.clear();
        self.push("", What::Renumbered);
        self.renumbered = self.next;
    }

    /// Rows that had to go to make room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Before which number the console's log of a session goes on, where the rows
    /// below `floor` do not count; `None` when no event of it was ever here.
    pub(crate) fn start(&self, session: &str, floor: u64) -> Option<Seq> {
        let below = self.rows.iter().take(self.below(floor)).rev();
        let below = below.take_while(|row| row.number >= self.renumbered);
        let mut below = below.filter(|row| &*row.session == session);
        let last = below.find_map(|row| row.what.numbers());
        last.map(|(_, last)| Seq(last.0 + 1))
            .or_else(|| self.starts.get(session).copied())
    }

    /// When what became of a session's endpoint is told first from `floor` on, if
    /// that is before the first of its events that are still there.
    pub(super) fn told_at_start(&self, session: &str, floor: u64) -> Option<Instant> {
        let mut rows = self.since(floor).filter(|row| &*row.session == session);
        let first = rows.find(|row| matches!(row.what, What::Event(_) | What::Link(_)));
        match &first?.what {
            What::Link(link) => link.at,
            _ => None,
        }
    }

    /// Number of the next row.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Number of the first row still there.
    pub(super) fn first(&self) -> u64 {
        self.rows.front().map_or(self.next, |row| row.number)
    }

    /// The row of this number, if it is still there.
    pub(super) fn row(&self, number: u64) -> Option<&Arc<Row>> {
        self.rows.get(self.index(number)?)
    }

    fn index(&self, number: u64) -> Option<usize> {
        let index = number.checked_sub(self.first())? as usize;
        // No number is missing, unless there were many commands.
        if self.rows.get(index).is_some_and(|row| row.number == number) {
            return Some(index);
        }
        self.rows
            .binary_search_by_key(&number, |row| row.number)
            .ok()
    }

    /// The rows numbered `from` and later, oldest first.
    pub(super) fn since(&self, from: u64) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.range(self.below(from)..)
    }

    /// How many rows have a number below this one.
    fn below(&self, number: u64) -> usize {
        self.rows.partition_point(|row| row.number < number)
    }
}

/// The name of an event as it is shown; one may be empty.
pub(crate) fn shown_name(name: &str) -> String {
    match name {
        "" => "(no name)".to_owned(),
        name => visible(name).into_owned(),
    }
}

/// Most missing numbers that are called events. After a crash the console does
/// not know which numbers it had handed out, and leaves out whole blocks.
const COUNTABLE: u64 = 10_000;

/// A gap in words. How many of its numbers were events nobody knows.
pub(crate) fn gap_words(from: Seq, to: Seq) -> String {
    let missing = to.0.saturating_sub(from.0).saturating_add(1);
    let mut text = match missing {
        ..=COUNTABLE => "Up to ".to_owned() + &counted(missing, "event") + " missing",
        _ => "Events may be missing: up to ".to_owned() + &grouped(missing) + " numbers",
    };
    text.push_str(", seq ");
    text.push_str(&from.0.to_string());
    if missing > 1 {
        text.push_str(" to ");
        text.push_str(&to.0.to_string());
    }
    text
}

/// Events that were not asked for, in words.
pub(crate) fn not_loaded_words(from: Seq, to: Seq) -> String {
    let count = to.0.saturating_sub(from.0).saturating_add(1);
    [
        &counted(count, "event"),
        " not loaded, seq ",
        &from.0.to_string(),
        " to ",
        &to.0.to_string(),
        ": choose a time to see them",
    ]
    .concat()
}

/// What became of an endpoint, in words.
pub(crate) fn link_words(link: &LinkRow) -> String {
    match (link.running, &link.cause) {
        (true, _) => "Connected to the endpoint".to_owned(),
        _ if link.is_wished() => "Disconnected by an operator".to_owned(),
        (false, None) => "The connection to the endpoint was lost".to_owned(),
        (false, Some(cause)) => {
            "The connection to the endpoint was lost: ".to_owned() + &visible(cause)
        }
    }
}

#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

fn outline(text: &str) -> Option<Outline<'_>> {
    serde_json::from_str(text).ok()
}

fn name_of(text: &str) -> Box<str> {
    match outline(text) {
        Some(outline) => outline.event.into(),
        // The server classified it as an event, yet Rust cannot hold its name.
        None => "?".into(),
    }
}
