//! Commands that are sent, and the events that are awaited with them.

use std::time::Duration;

use leptos::prelude::*;
use qmp_shared::rest::{Problem, ProblemKind};
use qmp_shared::wire::{self, ClientFrame, ClientId};
use serde_json::value::RawValue;

use super::{Store, browser};
use crate::state::exchanges::{Key, Sent};
use crate::state::send::Waits;
use crate::state::{App, Changes};

/// That exchanges changed.
const EXCHANGES: Changes = Changes {
    sessions: false,
    events: false,
    exchanges: true,
};

impl Store {
    /// Sends a command and answers the id of its exchange. What became of it is
    /// read by [`Self::with_exchanges`] under `key`.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when nothing was sent and there is no place to say so.
    pub(crate) fn execute(
        self,
        key: Key,
        oob: bool,
        arguments: Option<Box<RawValue>>,
    ) -> Result<u64, Problem> {
        self.execute_waiting(key, oob, arguments, Waits::default())
    }

    /// The same, with what it waits for.
    ///
    /// # Errors
    ///
    /// As [`Self::execute`].
    pub(crate) fn execute_waiting(
        self,
        key: Key,
        oob: bool,
        arguments: Option<Box<RawValue>>,
        waits: Waits,
    ) -> Result<u64, Problem> {
        let now = browser::now();
        let request = Sent {
            oob,
            arguments: arguments.as_ref().map(|arguments| arguments.get().into()),
            waits: waits.clone(),
        };
        let begun = self.app.try_update_value(|app| {
            let id = app.begin(key.clone(), request, now, browser::wall_clock())?;
            Some((id, app.watch(id, &key.session)))
        });
        let Some((id, watch)) = begun.flatten() else {
            let detail = "too many commands are waiting for their reply or their event";
            return Err(Problem::new(ProblemKind::RateLimited, detail));
        };
        let is_told = self.peek(|app| app.commands.get(id).is_some());
        let (in_band, out_of_band) = if oob {
            (None, Some(key.command))
        } else {
            (Some(key.command), None)
        };
        let frame = ClientFrame::Execute(wire::Execute {
            id: ClientId::from(id),
            session: key.session,
            execute: in_band,
            exec_oob: out_of_band,
            arguments,
            timeout: waits.timeout,
            // Watched for by a subscription, so that the reply comes at once.
            expect: None,
        });
        let is_watched = watch.is_none_or(|watch| self.send_frame(&watch));
        if !(is_watched && self.send_frame(&frame)) {
            let detail = "there is no connection to the console; nothing was sent";
            let problem = Problem::new(ProblemKind::StateError, detail);
            self.app
                .update_value(|app| _ = app.finish(id, Err(problem), now));
            self.watch_on();
        }
        self.notify(Changes {
            exchanges: true,
            events: is_told,
            ..Changes::default()
        });
        Ok(id)
    }

    /// Waits no more for the reply of the exchange with this id. Its answer
    /// comes all the same, and says so.
    pub(crate) fn cancel(self, id: u64) {
        let id = ClientId::from(id);
        // Without a connection it is over already.
        self.send_frame(&ClientFrame::Cancel(wire::Cancel { id }));
    }

    /// Waits no more for the event of the exchange with this id.
    pub(crate) fn give_up(self, id: u64) {
        self.app.update_value(|app| app.give_up(id));
        self.watch_on();
        self.notify(EXCHANGES);
    }

    /// Ends the subscriptions of events that are not awaited any more, and sets
    /// the clock for those that are.
    pub(super) fn watch_on(self) {
        let frames = self.app.try_update_value(App::unwatch).unwrap_or_default();
        for frame in frames {
            // Without a connection there is no subscription any more.
            self.send_frame(&frame);
        }
        let deadline = self.peek(App::deadline);
        if let Some(at) = deadline
            && deadline != self.deadline.get_value()
        {
            let ends = move || {
                let now = browser::now().max(at);
                if self.app.try_update_value(|app| app.expire(now)) == Some(true) {
                    self.watch_on();
                    self.notify(EXCHANGES);
                }
            };
            let left = Duration::from_secs_f64((at - browser::now()).max(0.0) / 1000.0);
            set_timeout(ends, left);
        }
        self.deadline.set_value(deadline);
    }
}
