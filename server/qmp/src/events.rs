//! Listeners: each hears its own copy of the events that its filter accepts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use qmp_shared::filter::EventFilter;
use qmp_shared::model::Event;
use tokio::sync::Notify;

/// Most events that a listener holds for its reader.
const CAPACITY: usize = 65_536;

/// Hears the events of a client until it is dropped, across reconnects.
///
/// A bounded queue: when its reader is 65,536 events behind, the oldest is
/// dropped for each that arrives, and counted in [`dropped`](Self::dropped).
#[derive(Debug)]
pub struct EventListener(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    filter: EventFilter,
    state: Mutex<QueueState>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct QueueState {
    events: VecDeque<Event>,
    dropped: u64,
}

impl EventListener {
    /// The next event; waits for it as long as it takes, whatever becomes of
    /// the connection.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.try_next() {
                return event;
            }
            self.0.arrived.notified().await;
        }
    }

    /// The next event, if it has arrived.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.lock().events.pop_front()
    }

    /// Takes all events that have arrived.
    pub fn clear(&mut self) -> Vec<Event> {
        self.0.lock().events.drain(..).collect()
    }

    /// How many events were dropped because their reader was too slow.
    pub fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }
}

impl Queue {
    fn put(&self, event: &Event) {
        if !self.filter.matches_name(event.name()) {
            return;
        }
        let mut state = self.lock();
        if state.events.len() >= CAPACITY {
            state.events.pop_front();
            state.dropped += 1;
        }
        state.events.push_back(event.clone());
        drop(state);
        self.arrived.notify_one();
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listeners of a client. Those that were dropped are forgotten with the
/// next event or the next listener.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<Vec<Weak<Queue>>>);

impl Listeners {
    pub(crate) fn listen(&self, filter: EventFilter) -> EventListener {
        let queue = Arc::new(Queue {
            filter,
            state: Mutex::default(),
            arrived: Notify::new(),
        });
        let mut listeners = self.lock();
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&queue));
        drop(listeners);
        EventListener(queue)
    }

    pub(crate) fn put(&self, event: &Event) {
        self.lock().retain(|listener| match listener.upgrade() {
            Some(queue) => {
                queue.put(event);
                true
            }
            None => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmp_shared::message::Message;

    fn event(name: &str) -> Event {
        let text = format!(r#"{{"event":"{name}","timestamp":{{"seconds":1,"microseconds":2}}}}"#);
        Event::from_message(Message::parse(text).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn each_listener_hears_its_own_copy() {
        let listeners = Listeners::default();
        let mut all = listeners.listen(EventFilter::all());
        let mut stops = listeners.listen(EventFilter::names(["STOP"]).unwrap());
        for name in ["STOP", "RESUME"] {
            listeners.put(&event(name));
        }
        assert_eq!(all.next().await.name(), "STOP");
        assert_eq!(all.next().await.name(), "RESUME");
        assert_eq!(stops.next().await.name(), "STOP");
        assert!(stops.try_next().is_none());
    }

    #[test]
    fn the_oldest_is_dropped_and_counted() {
        let listeners = Listeners::default();
        let mut listener = listeners.listen(EventFilter::all());
        listeners.put(&event("FIRST"));
        for _ in 0..CAPACITY {
            listeners.put(&event("LATER"));
        }
        assert_eq!(listener.dropped(), 1);
        let events = listener.clear();
        assert_eq!(events.len(), CAPACITY);
        assert_eq!(events[0].name(), "LATER");
    }

    #[test]
    fn a_dropped_listener_is_forgotten() {
        let listeners = Listeners::default();
        drop(listeners.listen(EventFilter::all()));
        drop(listeners.listen(EventFilter::all()));
        assert_eq!(listeners.lock().len(), 1);
        listeners.put(&event("STOP"));
        assert!(listeners.lock().is_empty());
    }
}
