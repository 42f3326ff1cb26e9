//! [`Entry`]: one event of a log, and what its readers share of it.

use std::any::Any;
use std::sync::OnceLock;

use jiff::Timestamp;
use qmp_shared::model::{Event, Seq};

/// Most bytes that readers leave beside an entry, over the length of its event:
/// what a frame has around an event, with a short key.
const MAX_SHARED_BYTES: usize = 512;

/// One event in the log.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its number: strictly increasing, never used twice.
    pub(crate) seq: Seq,
    /// When it was received.
    pub(crate) received: Timestamp,
    /// The event.
    pub(crate) event: Event,
    shared: OnceLock<Shared>,
}

/// What one of the readers has made of an entry, for the others. The log does
/// not know what it is.
#[derive(Debug)]
struct Shared {
    key: Box<str>,
    made: Box<dyn Any + Send + Sync>,
}

impl Entry {
    pub(super) fn new(seq: Seq, received: Timestamp, event: Event) -> Self {
        Self {
            seq,
            received,
            event,
            shared: OnceLock::new(),
        }
    }

    /// When it was received: RFC 3339 in UTC with microseconds.
    pub(crate) fn received_text(&self) -> String {
        format!("{:.6}", self.received)
    }

    /// What a reader has shared under this key.
    pub(crate) fn shared<T: Any>(&self, key: &str) -> Option<&T> {
        let shared = self.shared.get()?;
        (*shared.key == *key)
            .then(|| shared.made.downcast_ref())
            .flatten()
    }

    /// Leaves something of that many bytes for the other readers. It stays as
    /// long as the entry: so only the first is kept, and none that is much
    /// longer than the event, key included, whoever chose it.
    pub(crate) fn share<T: Any + Send + Sync>(
        &self,
        key: &str,
        bytes: usize,
        make: impl FnOnce() -> T,
    ) {
        if key.len() + bytes > self.event.as_str().len() + MAX_SHARED_BYTES {
            return;
        }
        self.shared.get_or_init(|| Shared {
            key: key.into(),
            made: Box::new(make()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let text = r#"{"event":"STOP","timestamp":{"seconds":1,"microseconds":2}}"#;
        let message = qmp_shared::message::Message::parse(text.as_bytes().to_vec()).unwrap();
        let event = Event::from_message(message).unwrap();
        Entry::new(Seq(1), Timestamp::UNIX_EPOCH, event)
    }

    #[test]
    fn the_first_shares_with_those_who_ask_for_the_same() {
        let entry = entry();
        assert_eq!(entry.shared::<u8>("a"), None);
        entry.share("a", 1, || 1_u8);
        entry.share("b", 1, || 2_u8);
        assert_eq!(entry.shared::<u8>("a"), Some(&1));
        assert_eq!(entry.shared::<u8>("b"), None);
        assert_eq!(entry.shared::<u16>("a"), None);
    }

    #[test]
    fn what_stays_beside_an_event_has_a_bound() {
        let most = entry().event.as_str().len() + MAX_SHARED_BYTES;
        for (key, bytes, stays) in [(1, most - 1, true), (1, most, false), (most, 1, false)] {
            let entry = entry();
            let key = "k".repeat(key);
            entry.share(&key, bytes, || ());
            assert_eq!(entry.shared::<()>(&key).is_some(), stays, "{bytes}");
        }
    }
}
