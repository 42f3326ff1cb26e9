//! Commands on their way and the replies that came: request and response
//! joined by the id that this tab gave them.

use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::rest::{Outcome, Problem, ProblemKind};
use serde_json::value::RawValue;

use super::awaited::{Awaited, Fate};
use super::send::Waits;

/// Most exchanges kept. When full, the oldest finished one goes; while all of
/// them are pending, no other can begin.
const CAPACITY: usize = 64;

/// Most bytes of return values kept, but for the newest one and the one before
/// it in its place, and what the page needs itself.
const MOST_BYTES: usize = 32 << 20;

/// Return values kept in one place: the newest, and the one to compare it with.
const KEPT: usize = 2;

/// Which commands share one place on the page: a new exchange takes the place
/// of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The session.
    pub(crate) session: String,
    /// The command's name.
    pub(crate) command: String,
    /// Who wanted it.
    pub(crate) purpose: Purpose,
}

/// Who wanted an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// Somebody pressed Send.
    User,
    /// The page needs the reply itself.
    Page,
}

/// What was sent besides the command's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sent {
    /// Whether it was sent out of band.
    pub(crate) oob: bool,
    /// The arguments verbatim.
    pub(crate) arguments: Option<Arc<str>>,
    /// What it waits for.
    pub(crate) waits: Waits,
}

/// One command and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exchange {
    /// Its id on the socket.
    pub(crate) id: u64,
    /// Where it belongs.
    pub(crate) key: Key,
    /// What was sent.
    pub(crate) request: Sent,
    /// When it was sent, in milliseconds of the page's clock.
    pub(crate) sent: f64,
    /// How far it is.
    pub(crate) progress: Progress,
    /// The event that is awaited too.
    pub(crate) awaited: Option<Awaited>,
}

/// How far an exchange is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Progress {
    /// Sent.
    Pending,
    /// Answered.
    Finished {
        /// From sending to the answer, in milliseconds.
        elapsed: f64,
        /// The return value verbatim, or what went wrong.
        result: Result<Arc<str>, Arc<Problem>>,
    },
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// From sending to the answer, in milliseconds.
    pub(crate) elapsed: f64,
    /// The return value verbatim, or what went wrong.
    pub(crate) result: Result<Arc<str>, Arc<Problem>>,
}

/// Whether the console kept the command to itself, since the token does not
/// allow it.
pub(crate) fn was_refused(problem: &Problem) -> bool {
    problem.kind == ProblemKind::Forbidden
}

/// The exchanges of this tab.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    next: u64,
    list: VecDeque<Exchange>,
}

impl Exchanges {
    /// Begins an exchange and answers its id; `None` when as many as can be
    /// kept are pending, or wait for an event.
    pub(crate) fn begin(&mut self, key: Key, request: Sent, now: f64) -> Option<u64> {
        if self.list.len() >= CAPACITY {
            let oldest = self.list.iter().position(Exchange::is_over)?;
            self.list.remove(oldest);
        }
        self.next += 1;
        let id = self.next;
        let awaited = request.waits.expect.clone().map(Awaited::new);
        self.list.push_back(Exchange {
            id,
            key,
            request,
            sent: now,
            progress: Progress::Pending,
            awaited,
        });
        Some(id)
    }

    /// The event that the exchange waits for; `None` when it waits for none, or
    /// no longer.
    pub(crate) fn awaited(&mut self, id: u64) -> Option<&mut Awaited> {
        let exchange = self.list.iter_mut().find(|exchange| exchange.id == id)?;
        exchange
            .awaited
            .as_mut()
            .filter(|it| it.fate == Fate::Waiting)
    }

    /// Events of the session may be lost from here on.
    pub(crate) fn may_miss(&mut self, session: &str) {
        let waiting = self.list.iter_mut().filter(|it| it.key.session == session);
        for awaited in waiting.filter_map(|it| it.awaited.as_mut()) {
            awaited.has_gap |= awaited.fate == Fate::Waiting;
        }
    }

    /// The exchanges that wait for an event.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Exchange> {
        self.list.iter().filter(|exchange| exchange.is_waiting())
    }

    /// The answer to `id` came: returns it. One to an id that nobody waits for
    /// is dropped.
    pub(crate) fn finish(
        &mut self,
        id: u64,
        result: Result<Box<RawValue>, Problem>,
        now: f64,
    ) -> Option<Answer> {
        let pending =
            |exchange: &&mut Exchange| exchange.id == id && exchange.progress == Progress::Pending;
        let exchange = self.list.iter_mut().find(pending)?;
        let elapsed = now - exchange.sent;
        let result = match result {
            Ok(value) => Ok(Box::<str>::from(value).into()),
            Err(problem) => Err(Arc::new(problem)),
        };
        let answer = Answer { elapsed, result };
        exchange.progress = Progress::Finished {
            elapsed,
            result: answer.result.clone(),
        };
        let key = exchange.key.clone();
        self.forget_what_is_old(&key);
        Some(answer)
    }

    /// After something came for `key`: keeps few replies in one place, and few
    /// bytes in all.
    fn forget_what_is_old(&mut self, key: &Key) {
        let is_old = |exchange: &Exchange, kept: &mut usize| {
            let counts = exchange.key == *key && exchange.bytes() > 0 && exchange.is_over();
            *kept += usize::from(counts);
            counts && *kept > KEPT
        };
        let mut kept = 0;
        while let Some(at) = self.list.iter().rposition(|it| is_old(it, &mut kept)) {
            self.list.remove(at);
            kept = 0;
        }
        while self.list.iter().map(Exchange::bytes).sum::<usize>() > MOST_BYTES {
            let is_other = |it: &Exchange| {
                it.bytes() > 0 && it.key != *key && it.key.purpose == Purpose::User && it.is_over()
            };
            let Some(oldest) = self.list.iter().position(is_other) else {
                break;
            };
            self.list.remove(oldest);
        }
    }

    /// The connection to the console is gone: nobody can tell any more what
    /// became of the commands on their way. Returns them and their answers.
    pub(crate) fn interrupt(&mut self, now: f64) -> Vec<(u64, Answer)> {
        let ids = self
            .list
            .iter()
            .filter(|exchange| exchange.progress == Progress::Pending);
        let ids: Vec<_> = ids.map(|exchange| exchange.id).collect();
        let interrupted = ids.into_iter().filter_map(|id| {
            let problem = Problem::new(
                ProblemKind::ExecuteInterrupted,
                "the connection to the console was lost before the reply",
            );
            let answer = self.finish(id, Err(problem.outcome(Outcome::Unknown)), now)?;
            Some((id, answer))
        });
        interrupted.collect()
    }

    /// The exchange, if it is kept.
    pub(crate) fn get(&self, id: u64) -> Option<&Exchange> {
        self.list.iter().find(|exchange| exchange.id == id)
    }

    /// What the exchange returned, if that is kept.
    pub(crate) fn returned(&self, id: u64) -> Option<&Arc<str>> {
        match &self.get(id)?.progress {
            Progress::Finished {
                result: Ok(text), ..
            } => Some(text),
            _ => None,
        }
    }

    /// The newest exchange in that place.
    pub(crate) fn latest(&self, key: &Key) -> Option<&Exchange> {
        self.list.iter().rev().find(|exchange| exchange.key == *key)
    }

    /// The newest return value in that place before the exchange `id`.
    pub(crate) fn returned_before(&self, key: &Key, id: u64) -> Option<&Arc<str>> {
        self.before(key, id).map(|(_, text)| text)
    }

    /// What was sent with the exchange `id`.
    pub(crate) fn sent(&self, id: u64) -> Option<&Sent> {
        self.get(id).map(|exchange| &exchange.request)
    }

    /// What was sent for [`returned_before`](Self::returned_before).
    pub(crate) fn sent_before(&self, key: &Key, id: u64) -> Option<&Sent> {
        self.before(key, id).map(|(exchange, _)| &exchange.request)
    }

    fn before(&self, key: &Key, id: u64) -> Option<(&Exchange, &Arc<str>)> {
        let mut before = self.list.iter().rev();
        before.find_map(|exchange| match &exchange.progress {
            Progress::Finished {
                result: Ok(text), ..
            } if exchange.key == *key && exchange.id < id => Some((exchange, text)),
            _ => None,
        })
    }
}

impl Exchange {
    /// Whether it waits for an event, with its reply or without.
    pub(crate) fn is_waiting(&self) -> bool {
        let awaited = self.awaited.as_ref();
        awaited.is_some_and(|awaited| awaited.fate == Fate::Waiting)
    }

    /// Whether nothing comes for it any more.
    fn is_over(&self) -> bool {
        self.progress != Progress::Pending && !self.is_waiting()
    }

    /// When the event that it waits for is late, in milliseconds of the page's
    /// clock; `None` before the reply, and when it waits for none.
    pub(crate) fn deadline(&self) -> Option<f64> {
        let awaited = self.awaited.as_ref().filter(|_| self.is_waiting())?;
        Some(self.replied()? + awaited.within())
    }

    /// When it was answered, in milliseconds of the page's clock.
    pub(crate) fn replied(&self) -> Option<f64> {
        match &self.progress {
            Progress::Pending => None,
            Progress::Finished { elapsed, .. } => Some(self.sent + elapsed),
        }
    }

    /// How much its reply holds in memory.
    fn bytes(&self) -> usize {
        match &self.progress {
            Progress::Finished {
                result: Ok(text), ..
            } => text.len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmp_shared::rest::Expect;

    fn key(command: &str) -> Key {
        Key {
            session: "vm".into(),
            command: command.into(),
            purpose: Purpose::User,
        }
    }

    fn value(text: &str) -> Result<Box<RawValue>, Problem> {
        Ok(RawValue::from_string(text.into()).unwrap())
    }

    fn returned(exchanges: &Exchanges, command: &str) -> Option<String> {
        match &exchanges.latest(&key(command))?.progress {
            Progress::Finished {
                result: Ok(text), ..
            } => Some(text.to_string()),
            _ => None,
        }
    }

    #[test]
    fn what_the_policy_refused_never_reached_the_endpoint() {
        let problem = |kind| Problem::new(kind, "d");
        assert!(was_refused(&problem(ProblemKind::Forbidden)));
        assert!(!was_refused(&problem(ProblemKind::ExecuteError)));
        assert!(!was_refused(&problem(ProblemKind::Timeout)));
    }

    #[test]
    fn replies_in_any_order_go_to_their_own() {
        let mut exchanges = Exchanges::default();
        let a = exchanges.begin(key("a"), Sent::default(), 10.0).unwrap();
        let b = exchanges.begin(key("b"), Sent::default(), 11.0).unwrap();
        exchanges.finish(b, value("2"), 12.0);
        exchanges.finish(a, value("1"), 15.0);
        exchanges.finish(a, value("8"), 16.0);
        exchanges.finish(99, value("9"), 16.0);
        assert_eq!(returned(&exchanges, "a").unwrap(), "1");
        assert_eq!(returned(&exchanges, "b").unwrap(), "2");
        let Progress::Finished { elapsed, .. } = exchanges.latest(&key("a")).unwrap().progress
        else {
            panic!()
        };
        assert_eq!(elapsed, 5.0);
    }

    #[test]
    fn the_newest_takes_the_place_of_the_one_before() {
        let mut exchanges = Exchanges::default();
        let first = exchanges.begin(key("a"), Sent::default(), 0.0).unwrap();
        exchanges.finish(first, value("1"), 0.0);
        exchanges.begin(key("a"), Sent::default(), 0.0);
        assert_eq!(
            exchanges.latest(&key("a")).unwrap().progress,
            Progress::Pending
        );
        exchanges.finish(first, value("7"), 0.0);
        assert_eq!(
            exchanges.latest(&key("a")).unwrap().progress,
            Progress::Pending
        );
    }

    fn expecting(timeout: f64) -> Sent {
        let expect = Expect {
            names: "JOB_*".parse().unwrap(),
            expression: None,
            timeout: Some(timeout),
        };
        let waits = Waits {
            timeout: None,
            expect: Some(expect),
        };
        Sent {
            waits,
            ..Sent::default()
        }
    }

    #[test]
    fn an_event_is_awaited_until_some_time_after_the_reply() {
        let mut exchanges = Exchanges::default();
        let plain = exchanges.begin(key("a"), Sent::default(), 0.0).unwrap();
        assert!(exchanges.awaited(plain).is_none());
        let id = exchanges.begin(key("a"), expecting(2.0), 0.0).unwrap();
        let deadline = |exchanges: &Exchanges| exchanges.waiting().next().unwrap().deadline();
        assert_eq!(deadline(&exchanges), None);
        exchanges.finish(id, value("1"), 500.0);
        assert_eq!(deadline(&exchanges), Some(2500.0));
        assert_eq!(returned(&exchanges, "a").unwrap(), "1");
        exchanges.awaited(id).unwrap().fate = Fate::Late;
        assert!(exchanges.awaited(id).is_none() && exchanges.waiting().next().is_none());
    }

    #[test]
    fn what_waits_for_an_event_is_kept() {
        let mut exchanges = Exchanges::default();
        let id = exchanges.begin(key("a"), expecting(2.0), 0.0).unwrap();
        exchanges.finish(id, value("1"), 1.0);
        for n in 0..2 * CAPACITY {
            let id = exchanges.begin(key("a"), Sent::default(), 2.0).unwrap();
            exchanges.finish(id, value(&n.to_string()), 3.0);
        }
        assert!(exchanges.awaited(id).is_some());
    }

    #[test]
    fn a_lost_connection_leaves_the_outcome_unknown() {
        let mut exchanges = Exchanges::default();
        exchanges.begin(key("a"), Sent::default(), 0.0);
        exchanges.interrupt(1.0);
        let Progress::Finished {
            result: Err(problem),
            ..
        } = &exchanges.latest(&key("a")).unwrap().progress
        else {
            panic!()
        };
        assert_eq!(problem.outcome, Some(Outcome::Unknown));
        assert_eq!(problem.kind, ProblemKind::ExecuteInterrupted);
    }

    #[test]
    fn bounded_but_never_at_the_cost_of_a_pending_one() {
        let mut exchanges = Exchanges::default();
        let first = exchanges.begin(key("0"), Sent::default(), 0.0).unwrap();
        for n in 1..CAPACITY {
            exchanges
                .begin(key(&n.to_string()), Sent::default(), 0.0)
                .unwrap();
        }
        assert_eq!(exchanges.begin(key("x"), Sent::default(), 0.0), None);
        exchanges.finish(first, value("1"), 0.0);
        assert!(exchanges.begin(key("x"), Sent::default(), 0.0).is_some());
        assert!(exchanges.latest(&key("0")).is_none());
        assert!(exchanges.latest(&key("1")).is_some());
    }

    #[test]
    fn the_reply_before_is_kept_and_no_more() {
        let mut exchanges = Exchanges::default();
        let mut last = 0;
        for n in ["1", "2", "3"] {
            last = exchanges.begin(key("a"), Sent::default(), 0.0).unwrap();
            exchanges.finish(last, value(n), 1.0);
        }
        let before = exchanges.returned_before(&key("a"), last).unwrap();
        assert_eq!(before.as_ref(), "2");
        assert_eq!(exchanges.list.len(), KEPT);
        assert!(exchanges.returned_before(&key("a"), last - 1).is_none());
    }

    #[test]
    fn large_replies_make_room_for_newer_ones() {
        let mut exchanges = Exchanges::default();
        let large = "[".to_owned() + &" ".repeat(MOST_BYTES / 3) + "]";
        for n in 0..8 {
            let id = exchanges
                .begin(key(&(n / 2).to_string()), Sent::default(), 0.0)
                .unwrap();
            exchanges.finish(id, value(&large), 1.0);
        }
        assert_eq!(exchanges.list.iter().filter(|it| it.bytes() > 0).count(), 2);
        assert!(returned(&exchanges, "3").is_some());
        assert!(returned(&exchanges, "0").is_none());
    }
}
