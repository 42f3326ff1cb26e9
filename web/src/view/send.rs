//! Send: what is asked before, what it waits for, and giving up.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use qmp_shared::command::Fault;
use qmp_shared::rest::Problem;

use super::copy_as::CopyAs;
use super::form::{Desk, INCLUDE, control_id};
use super::history::Lists;
use super::json_tree::JsonTree;
use super::parts::{CopyButton, focus_id};
use super::transaction::{AddToTransaction, Transaction};
use crate::state::commands::{MAX_RECENT, put_first};
use crate::state::danger::consequence;
use crate::state::editor::{Editor, Mode};
use crate::state::exchanges::{Exchange, Key, Progress, Purpose};
use crate::state::history::{Ended, KeptCommand};
use crate::state::send::{OptionFaults, Options, Waits};
use crate::state::sessions::Down;
use crate::state::text::{counted, visible};
use crate::store::keep::Kept;
use crate::store::{Store, browser};

/// The id of its button.
const SEND: &str = "send";

/// What Send needs.
#[derive(Clone, Copy)]
pub(super) struct Sender {
    store: Store,
    pub(super) desk: Desk,
    pub(super) session: StoredValue<String>,
    /// What it can be collected into.
    pub(super) transaction: Transaction,
    /// Whose reply is shown.
    pub(super) sent: RwSignal<Option<Key>>,
    /// Why the command was not even sent.
    pub(super) refused: RwSignal<Option<Problem>>,
    /// The command that waits for a deliberate yes, and what it does.
    pub(super) question: RwSignal<Option<(String, String)>>,
    dialog: NodeRef<html::Dialog>,
    is_down: Memo<Option<Down>>,
    /// What is typed beside Send.
    pub(super) options: RwSignal<Options>,
    lists: Lists,
    /// The names of the commands that were sent last.
    recent: Kept<String>,
    /// The command that was sent last and when, until its end is noted.
    unnoted: StoredValue<Option<(String, f64)>>,
}

impl Sender {
    pub(super) fn new(
        desk: Desk,
        session: StoredValue<String>,
        sent: RwSignal<Option<Key>>,
        is_down: Memo<Option<Down>>,
        lists: Lists,
    ) -> Self {
        let sender = Self {
            store: desk.store,
            desk,
            session,
            transaction: Transaction::new(desk.store, &session.get_value()),
            sent,
            refused: RwSignal::new(None),
            question: RwSignal::new(None),
            dialog: NodeRef::new(),
            is_down,
            options: RwSignal::new(Options::default()),
            lists,
            recent: desk.store.kept("recent-commands"),
            unnoted: StoredValue::new(None),
        };
        Effect::new(move || sender.note_its_end());
        sender
    }

    /// Sends what has been entered; asks first where that is dangerous.
    pub(super) fn send(self) {
        if self.is_down.with_untracked(Option::is_some) {
            return;
        }
        self.desk.attempted.set(true);
        let request = self.desk.editor.with_value(Editor::request);
        let options = self.options.with_untracked(Options::read);
        match (request, options) {
            (Err(faults), _) => self.show_faults("Nothing was sent: ", &faults),
            (Ok(_), Err(faults)) => {
                self.say_nothing_was_sent("what it waits for is not clear");
                request_animation_frame(move || focus_id(option_at_fault(&faults)));
            }
            (Ok(request), Ok(_)) => {
                let arguments = request.arguments.as_ref().map(|arguments| arguments.get());
                let question = consequence(&request.command, arguments);
                // What will be refused anyway disturbs nothing.
                let is_refused = untrack(|| self.desk.need.lack()).is_some();
                match question.filter(|_| !is_refused) {
                    None => self.dispatch(),
                    Some(what) => {
                        self.question.set(Some((request.command, what)));
                        if let Some(dialog) = self.dialog.get_untracked()
                            && dialog.show_modal().is_err()
                        {
                            self.question.set(None);
                        }
                    }
                }
            }
        }
    }

    /// Brings the user to what is wrong; `words` say what was not done.
    pub(super) fn show_faults(self, words: &str, faults: &[Fault]) {
        let count = counted(faults.len() as u64, "fault");
        self.store.announcement.set(words.to_owned() + &count);
        let first = faults.first().cloned();
        request_animation_frame(move || focus_fault(first.as_ref()));
    }

    fn say_nothing_was_sent(self, why: &str) {
        let words = "Nothing was sent: ".to_owned() + why;
        self.store.announcement.set(words);
    }

    /// What it waits for, as far as that is clear.
    pub(super) fn waits(self) -> Waits {
        self.options.with(Options::read).unwrap_or_default()
    }

    /// Sends it without a question.
    fn dispatch(self) {
        let Ok(request) = self.desk.editor.with_value(Editor::request) else {
            return;
        };
        let waits = untrack(|| self.waits());
        let key = Key {
            session: self.session.get_value(),
            command: request.command,
            purpose: Purpose::User,
        };
        let arguments = request.arguments.as_ref().map(|arguments| arguments.get());
        let at = browser::wall_clock().millis();
        let kept = KeptCommand::new(&key.session, &key.command, request.oob, arguments, at);
        self.recent
            .change(MAX_RECENT, |names| put_first(names, &key.command));
        self.sent.set(Some(key.clone()));
        let command = key.command.clone();
        let outcome = self
            .store
            .execute_waiting(key, request.oob, request.arguments, waits);
        if outcome.is_ok() {
            self.lists.remember(kept);
            self.unnoted.set_value(Some((command, at)));
        }
        self.refused.set(outcome.err());
        self.desk.attempted.set(false);
        self.note_its_end();
    }

    /// The newest exchange of the command that is shown.
    pub(super) fn exchange(self) -> Option<Exchange> {
        let key = self.sent.get()?;
        self.store
            .with_exchanges(|app| app.exchanges.latest(&key).cloned())
    }

    /// The history gets to know what became of the command that was sent last.
    fn note_its_end(self) {
        let Some(exchange) = self.exchange() else {
            return;
        };
        let Some(ended) = Ended::of(&exchange.progress) else {
            return;
        };
        let unnoted = self.unnoted.try_update_value(Option::take).flatten();
        if let Some((command, at)) = unnoted {
            self.lists.note(&command, at, ended);
        }
    }

    fn answer(self, yes: bool) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
        if yes && self.question.with_untracked(Option::is_some) {
            self.dispatch();
        }
        self.question.set(None);
    }
}

/// The message, and what can be done with it.
#[component]
pub(super) fn Actions(sender: Sender) -> impl IntoView {
    let desk = sender.desk;
    let is_form = Memo::new(move |_| desk.drawn(Editor::mode) == Mode::Form);
    let allows_oob = desk.editor.with_value(Editor::allows_oob);
    let message = Memo::new(move |_| desk.typed(Editor::message));
    let pending = Memo::new(move |_| {
        let exchange = sender.exchange()?;
        (exchange.progress == Progress::Pending).then_some(exchange.id)
    });
    let reset = move |_| {
        desk.editor.update_value(Editor::reset);
        desk.attempted.set(false);
        sender.refused.set(None);
        desk.changed();
    };
    let cancel = move |_| {
        if let Some(id) = pending.get_untracked() {
            sender.store.cancel(id);
            // Its own button goes away.
            focus_id(SEND);
        }
    };
    view! {
        <Show when=move || is_form.get()>
            <div class="message">
                <code class="mono" aria-label="Message">{move || visible(&message.get()).into_owned()}</code>
                <CopyButton label="Copy message" text=message.into()/>
            </div>
        </Show>
        <div class="actions">
            <button
                type="button"
                id=SEND
                class="primary"
                title="Ctrl+Enter"
                disabled=move || sender.is_down.with(Option::is_some)
                on:keydown=not_held
                on:click=move |_| sender.send()
            >
                "Send"
            </button>
            <Show when=move || pending.with(Option::is_some)>
                <button type="button" title="Wait no more for the reply" on:click=cancel>"Cancel"</button>
            </Show>
            <button type="button" class="quiet" on:click=reset>"Reset"</button>
            <Show when=move || allows_oob && is_form.get()>
                <label class="oob">
                    <input
                        type="checkbox"
                        prop:checked=move || desk.drawn(Editor::is_oob)
                        on:change=move |event| {
                            let oob = event_target_checked(&event);
                            desk.editor.update_value(|editor| editor.set_oob(oob));
                            desk.changed();
                        }
                    />
                    "out of band (" <span class="mono">"exec-oob"</span> ")"
                </label>
            </Show>
            <AddToTransaction sender/>
            <CopyAs sender/>
        </div>
        <SendOptions sender/>
    }
}

/// Enter that is held down sends once: it may be held since another button.
fn not_held(event: KeyboardEvent) {
    if event.repeat() && event.key() == "Enter" {
        event.prevent_default();
    }
}

/// How long it waits, and for what.
#[component]
fn SendOptions(sender: Sender) -> impl IntoView {
    let options = sender.options;
    let faults = Memo::new(move |_| options.with(Options::read).err().unwrap_or_default());
    let expects = Memo::new(move |_| options.with(|options| options.expects));
    view! {
        <fieldset class="send-options">
            <legend class="visually-hidden">"Waiting"</legend>
            {option_field(
                "option-timeout", "Timeout in seconds", "30",
                move || options.with(|options| options.timeout.clone()),
                move |text| options.update(|options| options.timeout = text),
                move || faults.with(|faults| faults.timeout.clone()),
            )}
            <label class="expect">
                <input
                    type="checkbox"
                    prop:checked=move || expects.get()
                    on:change=move |event| {
                        let expects = event_target_checked(&event);
                        options.update(|options| options.expects = expects);
                    }
                />
                "Expect an event"
            </label>
            <Show when=move || expects.get()>
                <div class="expect-fields">
                    {option_field(
                        "option-names", "Event names", "JOB_*, SHUTDOWN",
                        move || options.with(|options| options.names.clone()),
                        move |text| options.update(|options| options.names = text),
                        move || faults.with(|faults| faults.names.clone()),
                    )}
                    {option_field(
                        "option-where", "Where", "@.data.id == 'job0'",
                        move || options.with(|options| options.expression.clone()),
                        move |text| options.update(|options| options.expression = text),
                        move || faults.with(|faults| faults.expression.clone()),
                    )}
                    {option_field(
                        "option-within", "Seconds after the reply", "30",
                        move || options.with(|options| options.within.clone()),
                        move |text| options.update(|options| options.within = text),
                        move || faults.with(|faults| faults.within.clone()),
                    )}
                </div>
            </Show>
        </fieldset>
    }
}

fn option_field(
    id: &'static str,
    label: &'static str,
    placeholder: &'static str,
    text: impl Fn() -> String + Send + Sync + 'static,
    set: impl Fn(String) + 'static,
    fault: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let fault_id = id.to_owned() + "-fault";
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                type="text"
                class="mono"
                placeholder=placeholder
                autocomplete="off"
                spellcheck="false"
                aria-describedby=fault_id.clone()
                aria-invalid=move || fault().is_some().to_string()
                prop:value=text
                on:input=move |event| set(event_target_value(&event))
            />
            <p class="fault" id=fault_id>{fault}</p>
        </div>
    }
}

/// The event that was awaited with the reply.
#[component]
pub(super) fn AwaitedEvent(sender: Sender) -> impl IntoView {
    let exchange = Memo::new(move |_| {
        let exchange = sender.exchange()?;
        let is_pending = exchange.progress == Progress::Pending;
        Some((exchange.awaited?, is_pending))
    });
    move || {
        exchange.get().map(|(awaited, is_pending)| {
            let what = visible(&awaited.what).into_owned();
            view! {
                <section class="awaited" aria-label="Expected event">
                    {match awaited.event {
                        Some(text) => {
                            let copied = Signal::stored(text.to_string());
                            view! {
                                <div class="reply-head">
                                    <h2>"Expected event"</h2>
                                    <CopyButton label="Copy event" text=copied/>
                                </div>
                                <JsonTree text label="Expected event"/>
                            }
                            .into_any()
                        }
                        None if is_pending => view! {
                            <p class="muted" role="status">"Waiting for " <span class="mono">{what}</span> "."</p>
                        }
                        .into_any(),
                        None => view! {
                            <p class="muted">"No event came for " <span class="mono">{what}</span> "."</p>
                        }
                        .into_any(),
                    }}
                </section>
            }
        })
    }
}

/// Asks before a command that ends or disturbs something is sent.
#[component]
pub(super) fn Question(sender: Sender) -> impl IntoView {
    let question = move || sender.question.get().unwrap_or_default();
    view! {
        <dialog
            class="question"
            node_ref=sender.dialog
            aria-labelledby="question-title"
            on:cancel=move |_: leptos::ev::Event| sender.question.set(None)
        >
            <h2 id="question-title">
                "Send " <span class="mono">{move || visible(&question().0).into_owned()}</span>
                " to " {move || visible(&sender.session.get_value()).into_owned()} "?"
            </h2>
            <p class="verbatim">{move || question().1}</p>
            <div class="actions">
                <button type="button" class="danger" on:click=move |_| sender.answer(true)>"Send"</button>
                // The safe answer has the focus.
                <button type="button" autofocus on:click=move |_| sender.answer(false)>"Cancel"</button>
            </div>
        </dialog>
    }
}

/// Brings the user to what is wrong.
fn focus_fault(fault: Option<&Fault>) {
    let Some(fault) = fault else { return };
    let id = control_id(&fault.path);
    let ids = [id.clone(), id + INCLUDE, "entered-text".to_owned()];
    let is_there = |id: &&String| document().get_element_by_id(id).is_some();
    if let Some(id) = ids.iter().find(is_there) {
        focus_id(id);
    }
}

/// The id of the field that is wrong.
fn option_at_fault(faults: &OptionFaults) -> &'static str {
    match faults {
        OptionFaults {
            timeout: Some(_), ..
        } => "option-timeout",
        OptionFaults { names: Some(_), .. } => "option-names",
        OptionFaults {
            expression: Some(_),
            ..
        } => "option-where",
        _ => "option-within",
    }
}
