//! Listeners: each hears its own copy of the events that its filter accepts.
//! The [tutorial](crate::tutorial) shows them at work.
//!
//! A listener is made with a filter and registered with a client;
//! [`Client::listen`](crate::client::Client::listen) does both. It hears events
//! for as long as it is registered, and is forgotten when it is dropped.
//! Everything here is called from the reader task and from whoever reads;
//! nothing waits for anybody.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use qmp_shared::filter::Verdict;
use qmp_shared::model::Event;
use thiserror::Error;
use tracing::warn;

pub use qmp_shared::filter::{EventFilter, Expression, ExpressionError, FilterError};

/// Most events that a listener holds for its reader.
pub const CAPACITY: usize = 65_536;

/// Most events that [`EventListener::history`] keeps.
pub const HISTORY: usize = 1_000;

/// Which events a listener hears: those that an [`EventFilter`] accepts, and of
/// these, if there is a closure, those of which it is true.
pub struct Filter {
    events: EventFilter,
    closure: Option<Closure>,
}

type Closure = Box<dyn Fn(&Event) -> bool + Send + Sync>;

impl Filter {
    /// Those of which the closure is true.
    ///
    /// It is called in the reader task, so it must be cheap and must not block.
    /// If it panics, its listener hears nothing any more; nobody else is harmed.
    pub fn closure(accepts: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Self {
        Self::from(EventFilter::all()).and(accepts)
    }

    /// Of the same events, those of which the closure is true; see
    /// [`Self::closure`].
    #[must_use]
    pub fn and(mut self, accepts: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Self {
        self.closure = Some(match self.closure {
            None => Box::new(accepts),
            Some(before) => Box::new(move |event| before(event) && accepts(event)),
        });
        self
    }

    /// What it says of an event; `None` when the closure panicked.
    fn evaluate(&self, event: &Event) -> Option<Verdict> {
        let verdict = self.events.evaluate(event);
        let Some(closure) = self
            .closure
            .as_ref()
            .filter(|_| verdict == Verdict::Accepted)
        else {
            return Some(verdict);
        };
        match catch_unwind(AssertUnwindSafe(|| closure(event))) {
            Ok(true) => Some(Verdict::Accepted),
            Ok(false) => Some(Verdict::Rejected),
            Err(_) => None,
        }
    }
}

impl From<EventFilter> for Filter {
    fn from(events: EventFilter) -> Self {
        let closure = None;
        Self { events, closure }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("events", &self.events)
            .field("closure", &self.closure.is_some())
            .finish()
    }
}

/// A listener is registered already, or is not (reference manual,
/// `ListenerError`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ListenerError {
    /// It would hear every event twice.
    #[error("the listener is registered with this client already")]
    Registered,
    /// There is nothing to remove.
    #[error("the listener is not registered with this client")]
    NotRegistered,
}

/// Hears the events of a client until it is removed or dropped, across
/// reconnects.
///
/// A bounded queue: when its reader is [`CAPACITY`] events behind, the oldest
/// is dropped for each that arrives, and counted in [`dropped`](Self::dropped).
///
/// It is a [`Stream`], which ends as [`next`](Self::next) does.
#[derive(Debug)]
pub struct EventListener(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    filter: Filter,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    /// The newest that were accepted, read or not.
    history: VecDeque<Event>,
    dropped: u64,
    unevaluable: u64,
    /// The connection is over, and none has followed.
    ended: bool,
    /// The filter has panicked.
    failed: bool,
    /// Whoever waits for the next event: one, as reading takes `&mut`.
    reader: Option<Waker>,
}

impl EventListener {
    /// A listener that is registered with no client yet.
    pub fn new(filter: impl Into<Filter>) -> Self {
        Self(Arc::new(Queue {
            filter: filter.into(),
            state: Mutex::default(),
        }))
    }

    /// The next event. `None` when all events that came have been read and the
    /// connection is over, or the filter has panicked; after the client has
    /// connected again, there may be more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.0.poll_next(context)).await
    }

    /// The next event, if it has arrived.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.lock().events.pop_front()
    }

    /// Whether no event waits to be read.
    pub fn is_empty(&self) -> bool {
        self.0.lock().events.is_empty()
    }

    /// Takes all events that have arrived.
    pub fn clear(&mut self) -> Vec<Event> {
        self.0.lock().events.drain(..).collect()
    }

    /// The newest events that the filter accepted, whether they have been read
    /// or not, oldest first; at most [`HISTORY`].
    pub fn history(&self) -> Vec<Event> {
        self.0.lock().history.iter().cloned().collect()
    }

    /// How many events were dropped because their reader was too slow.
    pub fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }

    /// How many events the filter's expression could not look into. They are
    /// not heard.
    pub fn unevaluable(&self) -> u64 {
        self.0.lock().unevaluable
    }

    /// Whether the filter has panicked, so that nothing is heard any more.
    pub fn has_failed(&self) -> bool {
        self.0.lock().failed
    }
}

impl Stream for EventListener {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.poll_next(context)
    }
}

impl Queue {
    fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut state = self.lock();
        match state.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if state.ended || state.failed => Poll::Ready(None),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Of the client of this name.
    fn put(&self, event: &Event, name: &str) {
        if self.lock().failed {
            return;
        }
        // Not under the lock: what a closure does is its own affair.
        let verdict = self.filter.evaluate(event);
        self.change(|state| match verdict {
            Some(Verdict::Rejected) => {}
            Some(Verdict::Unevaluable) => state.unevaluable += 1,
            Some(Verdict::Accepted) => {
                if state.events.len() >= CAPACITY {
                    state.events.pop_front();
                    state.dropped += 1;
                }
                if state.history.len() >= HISTORY {
                    state.history.pop_front();
                }
                state.events.push_back(event.clone());
                state.history.push_back(event.clone());
            }
            None => {
                warn!(
                    name,
                    "the filter of an event listener panicked; it hears nothing any more"
                );
                state.failed = true;
            }
        });
    }

    /// Changes the state, and wakes the reader if there is something to read.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let is_news = !state.events.is_empty() || state.ended || state.failed;
        let reader = if is_news { state.reader.take() } else { None };
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listeners of a client. Those that were dropped are forgotten with the
/// next event or the next listener.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    /// The client's name.
    name: String,
    registered: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    queues: Arc<Vec<Weak<Queue>>>,
    /// The connection whose events are heard, counted from 1.
    connection: u64,
}

impl Listeners {
    /// Those of a client of this name.
    pub(crate) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            registered: Mutex::default(),
        }
    }

    pub(crate) fn register(&self, listener: &EventListener) -> Result<(), ListenerError> {
        let mut registered = self.lock();
        if registered.queues.iter().any(|known| is(known, listener)) {
            return Err(ListenerError::Registered);
        }
        registered.forget();
        Arc::make_mut(&mut registered.queues).push(Arc::downgrade(&listener.0));
        Ok(())
    }

    pub(crate) fn remove(&self, listener: &EventListener) -> Result<(), ListenerError> {
        let queues = &mut self.lock().queues;
        match queues.iter().position(|known| is(known, listener)) {
            Some(index) => {
                Arc::make_mut(queues).remove(index);
                Ok(())
            }
            None => Err(ListenerError::NotRegistered),
        }
    }

    pub(crate) fn put(&self, event: &Event) {
        // Not under the lock: a filter may listen, or stop to.
        let queues = Arc::clone(&self.lock().queues);
        let mut living = true;
        for queue in queues.iter() {
            match queue.upgrade() {
                Some(queue) => queue.put(event, &self.name),
                None => living = false,
            }
        }
        if !living {
            self.lock().forget();
        }
    }

    /// A connection begins: there may be more events. Returns its number, for
    /// [`Self::end`].
    pub(crate) fn begin(&self) -> u64 {
        let mut registered = self.lock();
        registered.connection += 1;
        for queue in registered.living() {
            queue.change(|state| state.ended = false);
        }
        registered.connection
    }

    /// The connection is over: whoever waits for its next event is told, unless
    /// another connection has begun since.
    pub(crate) fn end(&self, connection: u64) {
        let registered = self.lock();
        if registered.connection == connection {
            for queue in registered.living() {
                queue.change(|state| state.ended = true);
            }
        }
    }

    /// There will be no connection any more.
    pub(crate) fn end_for_good(&self) {
        let latest = self.lock().connection;
        self.end(latest);
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    /// Forgets the listeners that are gone.
    fn forget(&mut self) {
        Arc::make_mut(&mut self.queues).retain(|queue| queue.strong_count() > 0);
    }

    /// The listeners that are still there.
    fn living(&self) -> impl Iterator<Item = Arc<Queue>> {
        self.queues.iter().filter_map(Weak::upgrade)
    }
}

fn is(known: &Weak<Queue>, listener: &EventListener) -> bool {
    std::ptr::eq(known.as_ptr(), Arc::as_ptr(&listener.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};
    use qmp_shared::message::Message;

    fn event(name: &str) -> Event {
        let text = format!(
            r#"{{"event":"{name}","data":{{"n":1}},"timestamp":{{"seconds":1,"microseconds":2}}}}"#
        );
        Event::from_message(Message::parse(text).unwrap()).unwrap()
    }

    fn listen(listeners: &Listeners, filter: impl Into<Filter>) -> EventListener {
        let listener = EventListener::new(filter);
        listeners.register(&listener).unwrap();
        listener
    }

    fn names(events: &[Event]) -> Vec<&str> {
        events.iter().map(Event::name).collect()
    }

    #[tokio::test]
    async fn each_listener_hears_its_own_copy() {
        let listeners = Listeners::default();
        let mut all = listen(&listeners, EventFilter::all());
        let mut stops = listen(&listeners, EventFilter::names(["STOP"]).unwrap());
        let mut closure = listen(&listeners, Filter::closure(|event| event.name() != "STOP"));
        let stop = EventFilter::names(["STOP"]).unwrap();
        let mut both = listen(
            &listeners,
            Filter::from(stop).and(|event| event.data().is_none()),
        );
        for name in ["STOP", "RESUME"] {
            listeners.put(&event(name));
        }
        assert!(both.clear().is_empty());
        assert_eq!(all.next().await.unwrap().name(), "STOP");
        assert_eq!(StreamExt::next(&mut all).await.unwrap().name(), "RESUME");
        assert_eq!(stops.next().await.unwrap().name(), "STOP");
        assert!(stops.try_next().is_none() && stops.is_empty());
        assert_eq!(names(&closure.clear()), ["RESUME"]);
        assert_eq!(names(&all.history()), ["STOP", "RESUME"]);
    }

    #[test]
    fn an_expression_is_judged_after_the_name() {
        let listeners = Listeners::default();
        let filter = |text: &str| EventFilter::all().with_expression(text.parse().unwrap());
        let mut ones = listen(&listeners, filter("@.data.n == 1"));
        let mut twos = listen(&listeners, filter("@.data.n == 2"));
        listeners.put(&event("X"));
        let deep = format!(
            r#"{{"event":"X","data":{}{},"timestamp":{{"seconds":1,"microseconds":2}}}}"#,
            "[".repeat(200),
            "]".repeat(200)
        );
        listeners.put(&Event::from_message(Message::parse(deep).unwrap()).unwrap());
        assert_eq!((ones.clear().len(), twos.clear().len()), (1, 0));
        assert_eq!(ones.unevaluable(), 1);
    }

    #[test]
    fn the_oldest_is_dropped_and_counted() {
        let listeners = Listeners::default();
        let mut listener = listen(&listeners, EventFilter::all());
        listeners.put(&event("FIRST"));
        for _ in 0..CAPACITY {
            listeners.put(&event("LATER"));
        }
        assert_eq!(listener.dropped(), 1);
        assert_eq!(listener.history().len(), HISTORY);
        let events = listener.clear();
        assert_eq!(events.len(), CAPACITY);
        assert_eq!(events[0].name(), "LATER");
    }

    #[test]
    fn a_dropped_listener_is_forgotten() {
        let listeners = Listeners::default();
        drop(listen(&listeners, EventFilter::all()));
        drop(listen(&listeners, EventFilter::all()));
        assert_eq!(listeners.lock().queues.len(), 1);
        listeners.put(&event("STOP"));
        assert!(listeners.lock().queues.is_empty());
    }

    #[test]
    fn registered_once_and_removed_once() {
        let listeners = Listeners::default();
        let mut listener = EventListener::new(EventFilter::all());
        assert_eq!(
            listeners.remove(&listener),
            Err(ListenerError::NotRegistered)
        );
        listeners.register(&listener).unwrap();
        assert_eq!(
            listeners.register(&listener),
            Err(ListenerError::Registered)
        );
        listeners.put(&event("HEARD"));
        listeners.remove(&listener).unwrap();
        listeners.put(&event("UNHEARD"));
        assert_eq!(names(&listener.clear()), ["HEARD"]);
        assert_eq!(
            listeners.remove(&listener),
            Err(ListenerError::NotRegistered)
        );
        listeners.register(&listener).unwrap();
    }

    #[tokio::test]
    async fn a_panicking_filter_harms_only_its_listener() {
        let listeners = Listeners::default();
        let mut faulty = listen(
            &listeners,
            Filter::closure(|event| {
                assert_ne!(event.name(), "BAD", "the filter's own fault");
                true
            }),
        );
        let mut sound = listen(&listeners, EventFilter::all());
        for name in ["GOOD", "BAD", "LATER"] {
            listeners.put(&event(name));
        }
        assert_eq!(faulty.next().await.unwrap().name(), "GOOD");
        assert!(faulty.next().await.is_none() && faulty.has_failed());
        assert_eq!(names(&sound.clear()), ["GOOD", "BAD", "LATER"]);
    }

    #[test]
    fn a_dead_connection_ends_a_listener_until_the_next_one() {
        let listeners = Listeners::default();
        let mut listener = listen(&listeners, EventFilter::all());
        assert!(listener.next().now_or_never().is_none());
        let first = listeners.begin();
        listeners.put(&event("LAST"));
        listeners.end(first);
        assert_eq!(
            listener.next().now_or_never().unwrap().unwrap().name(),
            "LAST"
        );
        assert!(listener.next().now_or_never().unwrap().is_none());
        listeners.begin();
        // The first one is ended late, and not the second one.
        listeners.end(first);
        assert!(listener.next().now_or_never().is_none());
        listeners.put(&event("FIRST"));
        assert!(listener.next().now_or_never().unwrap().is_some());
        listeners.end_for_good();
        assert!(listener.next().now_or_never().unwrap().is_none());
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let listeners = Arc::new(Listeners::default());
        let mut listener = listen(&listeners, EventFilter::all());
        let reader = tokio::spawn(async move { (listener.next().await, listener.next().await) });
        tokio::task::yield_now().await;
        listeners.put(&event("X"));
        tokio::task::yield_now().await;
        listeners.end_for_good();
        let (first, second) = reader.await.unwrap();
        assert!(first.is_some() && second.is_none());
    }
}
