//! How many commands may be outstanding, and in which order they are sent.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore};

/// Most in-band commands outstanding on a monitor with out-of-band execution.
/// QEMU's queue holds 8, and a full queue blocks out-of-band commands too.
pub(super) const WITH_OOB: usize = 7;

/// Most in-band commands outstanding elsewhere.
pub(super) const WITHOUT_OOB: usize = 1024;

/// Most out-of-band commands outstanding. They have places of their own, and
/// so many that they never wait unless their replies do not come at all.
pub(super) const OUT_OF_BAND: usize = 1024;

/// Places for commands that are outstanding, given in order of arrival.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) capacity: usize,
    /// Closed when the connection is over.
    free: Arc<Semaphore>,
    /// Held from before a place is given until its command is sent. Otherwise
    /// one that comes later and finds a free place could be sent before.
    order: Mutex<()>,
}

/// A place for a command, which is the next one to be sent.
pub(in crate::client) struct Place<'a> {
    /// To be dropped when the reply is there.
    pub(in crate::client) permit: OwnedSemaphorePermit,
    /// To be dropped when the command is sent.
    pub(in crate::client) order: MutexGuard<'a, ()>,
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            free: Arc::new(Semaphore::new(capacity)),
            order: Mutex::default(),
        }
    }

    /// Waits for a place. `None` when the connection is over.
    pub(super) async fn next(&self) -> Option<Place<'_>> {
        let order = self.order.lock().await;
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(Place { permit, order })
    }

    /// There is no place any more.
    pub(super) fn close(&self) {
        self.free.close();
    }
}
