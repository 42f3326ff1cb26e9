//! Which caller waits for which reply: a plain table, without channels or
//! clocks, between the thin tasks around it.

use std::collections::BTreeMap;

/// The id of a command on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(u64);

impl CommandId {
    /// The JSON text of the id.
    pub fn to_json(self) -> String {
        self.0.to_string()
    }
}

/// Commands that were sent and not yet replied to. `W` waits for the reply.
///
/// Bounded by its user, which registers no more than it has permits for.
#[derive(Debug)]
pub struct Pending<W> {
    next: u64,
    waiting: BTreeMap<u64, W>,
}

impl<W> Default for Pending<W> {
    fn default() -> Self {
        Self {
            next: 1,
            waiting: BTreeMap::new(),
        }
    }
}

impl<W> Pending<W> {
    /// Registers a command and gives it an id that was never used before.
    pub fn register(&mut self, waiter: W) -> CommandId {
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, waiter);
        CommandId(id)
    }

    /// Whoever waits for the reply of this id (its JSON text), at most once.
    pub fn complete(&mut self, id: &str) -> Option<W> {
        // Only our own spelling counts: `01` or `1.0` is nobody's id.
        if !id.starts_with(|first: char| matches!(first, '1'..='9')) {
            return None;
        }
        let number: u64 = id.parse().ok()?;
        self.waiting.remove(&number)
    }

    /// A waiter, while its reply is outstanding.
    pub fn get_mut(&mut self, id: CommandId) -> Option<&mut W> {
        self.waiting.get_mut(&id.0)
    }

    /// Everybody who still waits, in the order of registration.
    pub fn take_all(&mut self) -> impl Iterator<Item = W> + use<W> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_find_their_caller_in_any_order() {
        let mut pending = Pending::default();
        let [a, b] = ["a", "b"].map(|caller| pending.register(caller));
        assert_eq!(pending.complete(&b.to_json()), Some("b"));
        assert_eq!(pending.complete(&b.to_json()), None);
        assert_eq!(pending.complete(&a.to_json()), Some("a"));
    }

    #[test]
    fn foreign_ids_are_nobodys() {
        let mut pending = Pending::default();
        pending.register("a");
        for id in [
            "\"1\"",
            "1.0",
            "01",
            "+1",
            "null",
            "{}",
            "2",
            "18446744073709551616",
        ] {
            assert_eq!(pending.complete(id), None, "{id}");
        }
        assert_eq!(pending.complete("1"), Some("a"));
    }

    #[test]
    fn all_fail_in_the_order_issued_and_ids_go_on() {
        let mut pending = Pending::default();
        let callers = (0..100)
            .map(|n| (n, pending.register(n)))
            .collect::<Vec<_>>();
        assert!(pending.take_all().eq(0..100));
        let later = pending.register(100);
        assert!(callers.iter().all(|&(_, id)| id < later));
    }
}
