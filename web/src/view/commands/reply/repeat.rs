//! Sends a command again and again, as it was sent first.

use std::time::Duration;

use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use qmp_shared::rest::Problem;
use serde_json::value::RawValue;

use crate::state::danger::consequence;
use crate::state::exchanges::{Exchange, Key, Progress, Sent};
use crate::state::send::Waits;
use crate::state::text::counted;
use crate::store::{Store, use_store};

/// How often, in seconds.
const CHOICES: [u64; 5] = [1, 2, 5, 10, 30];

/// A command that is sent again and again. A handle.
#[derive(Clone, Copy)]
pub(super) struct Repeat {
    store: Store,
    seconds: RwSignal<u64>,
    what: RwSignal<Option<(Key, Sent)>>,
    timer: StoredValue<Option<IntervalHandle>>,
    /// Why it ended by itself.
    ended: RwSignal<Option<&'static str>>,
}

impl Repeat {
    /// Nothing is sent until somebody says so. It ends with the page.
    pub(super) fn new() -> Self {
        let repeat = Self {
            store: use_store(),
            seconds: RwSignal::new(CHOICES[0]),
            what: RwSignal::new(None),
            timer: StoredValue::new(None),
            ended: RwSignal::new(None),
        };
        on_cleanup(move || repeat.clear());
        let on_hidden = document_event_listener("visibilitychange", move || {
            if document().hidden() {
                repeat.stop("the page was hidden");
            }
        });
        on_cleanup(on_hidden);
        repeat
    }

    /// Whether it goes on; tracked.
    pub(super) fn is_on(self) -> bool {
        self.what.with(Option::is_some)
    }

    /// Whether this exchange is one of those that are repeated.
    pub(super) fn has_sent(self, exchange: &Exchange) -> bool {
        self.what.with_untracked(|what| {
            let what = what.as_ref();
            what.is_some_and(|(key, sent)| *key == exchange.key && *sent == exchange.request)
        })
    }

    /// Sends that command every so many seconds from now on.
    fn start(self, exchange: &Exchange) {
        self.clear();
        self.ended.set(None);
        let what = (exchange.key.clone(), exchange.request.clone());
        self.what.set(Some(what));
        let every = Duration::from_secs(self.seconds.get_untracked());
        let timer = set_interval_with_handle(move || self.tick(), every);
        self.timer.set_value(timer.ok());
        self.tick();
    }

    /// Ends it for that reason, if it goes on.
    pub(super) fn stop(self, why: &'static str) {
        if self.what.with_untracked(Option::is_some) {
            self.clear();
            self.what.set(None);
            self.ended.set(Some(why));
        }
    }

    /// Why it ended need not be said any longer.
    pub(super) fn forget(self) {
        self.ended.set(None);
    }

    fn clear(self) {
        let timer = self.timer.try_update_value(Option::take);
        if let Some(timer) = timer.flatten() {
            timer.clear();
        }
    }

    fn tick(self) {
        let Some((key, sent)) = self.what.get_untracked() else {
            return;
        };
        let is_pending = self.store.peek(|app| {
            let latest = app.exchanges.latest(&key);
            latest.is_some_and(|exchange| exchange.progress == Progress::Pending)
        });
        // A slow endpoint is not asked again before it has answered.
        if !is_pending && self.send(key, &sent).is_err() {
            self.stop("nothing could be sent");
        }
    }

    fn send(self, key: Key, sent: &Sent) -> Result<u64, Problem> {
        let arguments = sent.arguments.as_ref().map(|text| text.to_string());
        let arguments = arguments.and_then(|text| RawValue::from_string(text).ok());
        // The event was awaited by the first one.
        let waits = Waits {
            expect: None,
            ..sent.waits.clone()
        };
        self.store.execute_waiting(key, sent.oob, arguments, waits)
    }
}

fn document_event_listener(name: &'static str, listen: impl Fn() + 'static) -> impl FnOnce() {
    let handle = window_event_listener_untyped(name, move |_| listen());
    move || handle.remove()
}

/// Starts and stops it.
#[component]
pub(super) fn RepeatTools(
    repeat: Repeat,
    /// What would be repeated.
    exchange: Memo<Option<Exchange>>,
    /// Called when it starts.
    started: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    // What wants a question each time is not sent again without one.
    let is_offered = Memo::new(move |_| {
        exchange.with(|exchange| {
            let exchange = exchange.as_ref();
            exchange.is_some_and(|exchange| {
                let arguments = exchange.request.arguments.as_deref();
                consequence(&exchange.key.command, arguments).is_none()
            })
        })
    });
    let toggle = move |_| {
        if repeat.what.with_untracked(Option::is_some) {
            repeat.clear();
            repeat.what.set(None);
            repeat.ended.set(None);
            return;
        }
        exchange.with_untracked(|exchange| {
            if let Some(exchange) = exchange {
                started();
                repeat.start(exchange);
            }
        });
    };
    let option = move |seconds: u64| {
        let words = counted(seconds, "second");
        view! {
            <option value=seconds.to_string() prop:selected=move || repeat.seconds.get() == seconds>
                {words}
            </option>
        }
    };
    view! {
        <Show when=move || is_offered.get()>
            <div class="repeat" role="group" aria-label="Repeat">
                <label for="repeat-every">"Every"</label>
                <select
                    id="repeat-every"
                    disabled=move || repeat.is_on()
                    on:change=move |event| {
                        if let Ok(seconds) = event_target_value(&event).parse() {
                            repeat.seconds.set(seconds);
                        }
                    }
                >
                    {CHOICES.map(option).into_iter().collect_view()}
                </select>
                <button type="button" class="small" aria-pressed=move || repeat.is_on().to_string() on:click=toggle>
                    {move || if repeat.is_on() { "Stop repeating" } else { "Repeat" }}
                </button>
            </div>
        </Show>
    }
}

/// Why it ended by itself, whatever the reply is.
pub(super) fn ended(repeat: Repeat) -> impl IntoView {
    view! {
        <p class="repeat-ended small-text" role="status">
            {move || repeat.ended.get().map(|why| "Repeating stopped: ".to_owned() + why + ".")}
        </p>
    }
}
