//! SIGINT, SIGTERM and SIGHUP as a flag that every wait looks at.
//!
//! Nothing is ended here: whoever waits gets [`Cancelled`], and the guards on
//! the way out end what was started.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How often a wait looks again at what it waits for.
const TICK: Duration = Duration::from_millis(20);

/// Whether we were asked to stop. Clones share the answer.
#[derive(Clone, Debug)]
pub(crate) struct Cancel {
    /// The signal's number; 0 while there was none.
    signal: Arc<AtomicUsize>,
}

impl Cancel {
    /// Is set by the three signals from now on; they do not end us any more.
    pub(crate) fn on_signals() -> anyhow::Result<Self> {
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let value = usize::try_from(number).context("a signal's number")?;
            signal_hook::flag::register_usize(number, Arc::clone(&signal), value)
                .with_context(|| format!("cannot handle signal {number}"))?;
        }
        Ok(Self { signal })
    }

    /// # Errors
    ///
    /// [`Cancelled`] when we were asked to stop.
    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        match self.signal.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => Err(Cancelled { signal }),
        }
    }

    /// Asks again and again until there is an answer, or `None` at the deadline.
    ///
    /// # Errors
    ///
    /// The question's own error, or [`Cancelled`].
    pub(crate) fn wait_for<T>(
        &self,
        deadline: Option<Instant>,
        mut question: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<Option<T>> {
        loop {
            self.check()?;
            if let Some(answer) = question()? {
                return Ok(Some(answer));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(None);
            }
            tick();
        }
    }
}

/// The pause between two looks.
pub(crate) fn tick() {
    thread::sleep(TICK);
}

/// We were asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cancelled {
    signal: usize,
}

impl Cancelled {
    /// As shells count it.
    pub(crate) fn exit_code(self) -> u8 {
        u8::try_from(128 + self.signal).unwrap_or(u8::MAX)
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = i32::try_from(self.signal)
            .ok()
            .and_then(signal_hook::low_level::signal_name);
        write!(f, "stopped by {}", name.unwrap_or("a signal"))
    }
}

impl Error for Cancelled {}
