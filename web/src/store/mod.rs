//! Signals around the plain state, the one WebSocket, and the REST calls.
//!
//! Data flow: [`socket`] decodes frames → [`Store::apply`] reduces them at
//! once, which is cheap → the revisions of the parts that changed are raised,
//! at most once per [`REST`] → whatever view reads a part runs again.
//! Nothing here decides anything that a test would want to see: that is in
//! [`crate::state`].

pub(crate) mod api;
pub(crate) mod browser;
mod execute;
pub(crate) mod keep;
mod lookups;
mod marks;
mod schemas;
mod socket;
mod tab;
mod unsent;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::rest::Role;
use qmp_shared::wire::{ClientFrame, ServerFrame};

use crate::state::editor::Drafts;
use crate::state::events::File;
use crate::state::history::{FilledIn, Unnoted};
use crate::state::link::{Auth, Link};
use crate::state::login::{Farewell, Identity, refusal};
use crate::state::lookups::Lookups;
use crate::state::missed::{Away, Missed};
use crate::state::theme::Theme;
use crate::state::time::Instant;
use crate::state::transaction::Composed;
use crate::state::{App, Changes};

pub(crate) use schemas::{ManualState, SchemaState};

/// How often the console is asked whether it is ready.
const READINESS: Duration = Duration::from_secs(30);

/// Everything that views share. A handle: copies are the same store.
#[derive(Clone, Copy)]
pub(crate) struct Store {
    /// Who is signed in.
    pub(crate) auth: RwSignal<Auth>,
    /// Who that is.
    pub(crate) identity: RwSignal<Option<Identity>>,
    /// Why the console says that it is not ready; empty when it is.
    pub(crate) not_ready: RwSignal<Vec<String>>,
    /// The connection to the console.
    pub(crate) link: RwSignal<Link>,
    /// What happened while it was gone, until the user has read it.
    pub(crate) missed: RwSignal<Option<Missed>>,
    /// Why the last attempt to reach the console failed.
    pub(crate) trouble: RwSignal<Option<String>>,
    /// Light or dark.
    pub(crate) theme: RwSignal<Theme>,
    /// What a screen reader is told next.
    pub(crate) announcement: RwSignal<String>,
    /// Whether the window is too narrow for tables.
    pub(crate) is_narrow: RwSignal<bool>,
    /// Rises once a second, for whatever shows an age.
    pub(crate) clock: RwSignal<u32>,
    app: StoredValue<App>,
    revisions: Revisions,
    schemas: StoredValue<schemas::Cache>,
    manuals: RwSignal<schemas::Manuals>,
    /// What completes what is typed.
    pub(crate) lookups: RwSignal<Lookups>,
    /// What was entered for commands that are not shown now.
    pub(crate) drafts: StoredValue<Drafts>,
    /// A command that was chosen to be filled in, for when its page is shown
    /// already.
    pub(crate) filled_in: RwSignal<Option<FilledIn>>,
    /// Commands that were sent here and whose end the history has not yet.
    pub(crate) unnoted: StoredValue<Vec<Unnoted>>,
    /// Transactions that are being composed, by session.
    pub(crate) transactions: RwSignal<HashMap<String, Composed>>,
    /// Where the events page was left.
    events_address: RwSignal<String>,
    /// The commands of the session that was chosen last.
    commands_address: RwSignal<String>,
    /// A file of events that is looked at instead of the console's.
    pub(crate) opened_file: RwSignal<Option<Arc<File>>>,
    pending: StoredValue<Pending>,
    /// How many tokens of addresses the console has accepted.
    logins: StoredValue<u64>,
    /// When the next awaited event is late, as the clock is set.
    deadline: StoredValue<Option<f64>>,
    away: StoredValue<Option<Away>>,
    outgoing: StoredValue<Option<mpsc::Sender<socket::Outgoing>>>,
    wake: StoredValue<Option<oneshot::Sender<()>>>,
}

/// Rise when a part of the state changed; reading one subscribes to it.
#[derive(Clone, Copy)]
struct Revisions {
    sessions: RwSignal<u64>,
    events: RwSignal<u64>,
    exchanges: RwSignal<u64>,
}

/// Changes that the views were not told of yet.
#[derive(Default)]
struct Pending {
    changes: Changes,
    is_scheduled: bool,
    /// When the views were told last, in milliseconds of the page's clock.
    told: f64,
}

/// Shortest time between two times that the views are told, in milliseconds:
/// under a flood of events the page is not drawn anew with every frame.
const REST: f64 = 50.0;

/// The store, from anywhere below the root while a component is made or drawn
/// anew; what is called later, as by the window, keeps what it got then.
pub(crate) fn use_store() -> Store {
    expect_context()
}

impl Store {
    /// A store that knows nothing yet.
    pub(crate) fn new() -> Self {
        let revision = || RwSignal::new(0);
        Self {
            auth: RwSignal::new(Auth::default()),
            identity: RwSignal::new(None),
            not_ready: RwSignal::new(Vec::new()),
            link: RwSignal::new(Link::default()),
            missed: RwSignal::new(None),
            trouble: RwSignal::new(None),
            theme: RwSignal::new(browser::stored_theme()),
            filled_in: RwSignal::new(None),
            announcement: RwSignal::new(String::new()),
            is_narrow: RwSignal::new(browser::is_narrow()),
            clock: RwSignal::new(0),
            app: StoredValue::new(App::default()),
            revisions: Revisions {
                sessions: revision(),
                events: revision(),
                exchanges: revision(),
            },
            schemas: StoredValue::new(schemas::Cache::default()),
            manuals: RwSignal::new(schemas::Manuals::default()),
            lookups: RwSignal::new(Lookups::default()),
            drafts: StoredValue::new(Drafts::default()),
            unnoted: StoredValue::new(Vec::new()),
            transactions: RwSignal::new(HashMap::new()),
            events_address: RwSignal::new(tab::events_address()),
            commands_address: RwSignal::new(tab::commands_address()),
            opened_file: RwSignal::new(None),
            pending: StoredValue::new(Pending::default()),
            deadline: StoredValue::new(None),
            logins: StoredValue::new(0),
            away: StoredValue::new(None),
            outgoing: StoredValue::new(None),
            wake: StoredValue::new(None),
        }
    }

    /// Signs in with the token of the address, if it carries one, and connects.
    pub(crate) fn start(self) {
        let tick = move || self.clock.update(|ticks| *ticks = ticks.wrapping_add(1));
        set_interval(tick, Duration::from_secs(1));
        let ask = move || {
            if self.link.get_untracked() == Link::Connected && !document().hidden() {
                self.check_readiness();
            }
        };
        set_interval(ask, READINESS);
        spawn_local(async move {
            self.sign_in_by_address().await;
            self.connect();
        });
    }

    /// The address changed under an open page: it may carry a token now.
    pub(crate) fn start_again(self) {
        spawn_local(async move {
            if self.sign_in_by_address().await && self.auth.get_untracked() == Auth::SignedOut {
                self.connect();
            }
        });
    }

    /// Whether the address carried a token, and the console accepted it.
    async fn sign_in_by_address(self) -> bool {
        let Some(token) = browser::take_token() else {
            return false;
        };
        let outcome = api::login(&token).await;
        let is_in = outcome.is_ok();
        if is_in {
            self.logins.update_value(|logins| *logins += 1);
        }
        self.trouble
            .set(outcome.err().map(|problem| refusal(&problem)));
        is_in
    }

    /// Keeps a connection to the console until nobody is signed in.
    pub(crate) fn connect(self) {
        spawn_local(socket::run(self));
    }

    /// What the one who is signed in may do; `None` for nobody.
    pub(crate) fn role(self) -> Option<Role> {
        self.identity
            .with(|identity| identity.as_ref().map(|identity| identity.role))
    }

    /// The name of who is signed in; does not follow it.
    fn who(self) -> Option<String> {
        self.identity
            .with_untracked(|identity| Some(identity.as_ref()?.name.clone()))
    }

    /// Asks whether the console is ready.
    fn check_readiness(self) {
        spawn_local(async move {
            if let Some(reasons) = api::readiness().await
                && self.not_ready.with_untracked(|before| *before != reasons)
            {
                self.not_ready.set(reasons);
            }
        });
    }

    /// Ends the login here and at the console.
    pub(crate) fn sign_out(self) {
        spawn_local(async move {
            match api::logout().await {
                Ok(()) => self.forget(None),
                Err(problem) => self.announcement.set(problem.detail),
            }
        });
    }

    /// The console knows who we are.
    fn somebody_is_signed_in(self, identity: Identity) {
        self.trouble.set(None);
        let before = self.identity.get_untracked();
        let identity = Some(identity);
        if before != identity {
            // Signed in anew in another tab, as somebody else.
            if before.is_some() {
                self.clear();
            }
            self.identity.set(identity);
        }
        if self.auth.get_untracked() != Auth::SignedIn {
            self.auth.set(Auth::SignedIn);
        }
    }

    /// The console does not let us in; who was in is told why he is not.
    fn nobody_is_signed_in(self, farewell: Farewell) {
        match self.auth.get_untracked() {
            Auth::SignedIn => self.forget(Some(farewell.words().to_owned())),
            Auth::Unknown | Auth::SignedOut => self.auth.set(Auth::SignedOut),
        }
    }

    /// The next one to sign in here may be somebody else.
    fn forget(self, why: Option<String>) {
        self.trouble.set(why);
        self.auth.set(Auth::SignedOut);
        self.identity.set(None);
        self.not_ready.set(Vec::new());
        self.outgoing.set_value(None);
        self.wake();
        self.clear();
    }

    /// The connection is gone; the last word on it came at `heard`.
    fn goes_away(self, heard: Instant) {
        let away = self.peek(|app| Away::from(&app.sessions, heard));
        self.away.set_value(Some(away));
    }

    /// The console greeted: says what is not as it was before, if anything.
    fn is_back(self) {
        let away = self.away.try_update_value(Option::take).flatten();
        let now = browser::wall_clock();
        let missed = away.and_then(|away| self.peek(|app| away.until(&app.sessions, now)));
        if missed.is_some() {
            self.missed.set(missed);
        }
    }

    /// Forgets what the console told, and what was entered.
    fn clear(self) {
        self.away.set_value(None);
        self.opened_file.set(None);
        self.missed.set(None);
        self.app.set_value(App::default());
        self.schemas.set_value(schemas::Cache::default());
        self.manuals.set(schemas::Manuals::default());
        self.lookups.set(Lookups::default());
        self.drafts.set_value(Drafts::default());
        self.unnoted.set_value(Vec::new());
        self.transactions.set(HashMap::new());
        self.forget_unsent();
        self.forget_pages();
        self.notify(Changes {
            sessions: true,
            events: true,
            exchanges: true,
        });
    }

    /// Does not wait any longer before the next attempt to connect; on a
    /// connection that stands, asks whether it still does.
    pub(crate) fn wake(self) {
        self.wake.update_value(|wake| {
            if let Some(wake) = wake.take() {
                // The waiting task may have been woken by its own timer.
                let _ = wake.send(());
            }
        });
        self.send(socket::Outgoing::Probe);
    }

    /// Reads the state, and again whenever the sessions change.
    pub(crate) fn with_sessions<T>(self, read: impl FnOnce(&App) -> T) -> T {
        self.revisions.sessions.track();
        self.app.with_value(read)
    }

    /// Reads the state, and again whenever events came.
    pub(crate) fn with_events<T>(self, read: impl FnOnce(&App) -> T) -> T {
        self.revisions.events.track();
        self.app.with_value(read)
    }

    /// Reads the state, and again whenever a command was sent or answered.
    pub(crate) fn with_exchanges<T>(self, read: impl FnOnce(&App) -> T) -> T {
        self.revisions.exchanges.track();
        self.app.with_value(read)
    }

    /// Reads the state once.
    pub(crate) fn peek<T>(self, read: impl FnOnce(&App) -> T) -> T {
        self.app.with_value(read)
    }

    /// Forgets the events of this tab.
    pub(crate) fn clear_events(self) {
        self.app.update_value(|app| app.log.clear());
        self.notify(Changes {
            events: true,
            ..Changes::default()
        });
    }

    /// Reduces one frame and tells the views, replies at once, the rest with
    /// an animation frame, [`REST`] after the one before.
    fn apply(self, frame: ServerFrame) {
        let now = browser::now();
        let changes = self
            .app
            .try_update_value(|app| app.apply(frame, now))
            .unwrap_or_default();
        if changes.exchanges {
            self.watch_on();
            self.notify(changes);
        } else if changes.any() {
            self.schedule(changes);
        }
    }

    fn notify(self, changes: Changes) {
        if changes.sessions {
            self.revisions.sessions.update(|revision| *revision += 1);
        }
        if changes.events {
            self.revisions.events.update(|revision| *revision += 1);
        }
        if changes.exchanges {
            self.revisions.exchanges.update(|revision| *revision += 1);
        }
    }

    fn schedule(self, changes: Changes) {
        let told = self.pending.try_update_value(|pending| {
            pending.changes = pending.changes.and(changes);
            (!std::mem::replace(&mut pending.is_scheduled, true)).then_some(pending.told)
        });
        let Some(told) = told.flatten() else {
            return;
        };
        let tell = move || {
            let changes = self.pending.try_update_value(|pending| {
                pending.is_scheduled = false;
                pending.told = browser::now();
                std::mem::take(&mut pending.changes)
            });
            self.notify(changes.unwrap_or_default());
        };
        match told + REST - browser::now() {
            rest if rest > 0.0 => set_timeout(
                move || browser::next_frame(tell),
                Duration::from_micros((rest * 1_000.0) as u64),
            ),
            _ => browser::next_frame(tell),
        }
    }

    /// Whether the frame was taken; it was not when there is no connection or
    /// its queue is full.
    fn send_frame(self, frame: &ClientFrame) -> bool {
        match serde_json::to_string(frame) {
            Ok(text) => self.send(socket::Outgoing::Frame(text)),
            Err(error) => {
                browser::warn(&error.to_string());
                false
            }
        }
    }

    fn send(self, outgoing: socket::Outgoing) -> bool {
        let sent = self.outgoing.try_update_value(|sender| {
            sender
                .as_mut()
                .is_some_and(|sender| sender.try_send(outgoing).is_ok())
        });
        sent == Some(true)
    }
}
