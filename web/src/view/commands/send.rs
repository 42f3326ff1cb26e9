//! Send: what is asked before, what it waits for, and giving up.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use qmp_shared::command::{Fault, Layout, message_text};
use qmp_shared::rest::{Problem, ProblemKind};

use super::copy_as::CopyAs;
use super::form::{Desk, INCLUDE, control_id};
use super::history::Lists;
use super::send_options::{SendOptions, option_at_fault};
use super::transaction::{AddToTransaction, Transaction};
use crate::state::awaited::Fate;
use crate::state::commands::{MAX_RECENT, put_first};
use crate::state::danger::consequence;
use crate::state::editor::{Editor, Mode, Request};
use crate::state::exchanges::{Exchange, Key, Progress, Purpose};
use crate::state::history::{KeptCommand, Unnoted};
use crate::state::send::{Options, Waits};
use crate::state::sessions::Down;
use crate::state::text::{clip, counted, visible};
use crate::store::keep::Kept;
use crate::store::{Store, browser};
use crate::view::json_tree::JsonTree;
use crate::view::parts::{CopyButton, focus_id, keep_focus, waited};

/// The id of its button.
const SEND: &str = "send";

/// The id of the button that gives up.
const CANCEL: &str = "cancel";

/// Longest message that a question shows, in bytes.
const ASKED: usize = 1000;

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
    pub(super) question: RwSignal<Option<(Ready, String)>>,
    dialog: NodeRef<html::Dialog>,
    is_down: Memo<Option<Down>>,
    /// What is typed beside Send.
    pub(super) options: RwSignal<Options>,
    lists: Lists,
    /// The names of the commands that were sent last.
    recent: Kept<String>,
}

/// A command that can be sent as it is.
#[derive(Clone)]
pub(super) struct Ready {
    session: String,
    request: Request,
    options: Options,
    waits: Waits,
}

impl Ready {
    /// The message, on one line.
    fn message(&self) -> String {
        let Request {
            command,
            oob,
            arguments,
        } = &self.request;
        let arguments = arguments.as_ref().map(|arguments| arguments.get());
        message_text(command, *oob, arguments, Layout::Compact)
    }
}

impl Sender {
    pub(super) fn new(
        desk: Desk,
        session: StoredValue<String>,
        sent: RwSignal<Option<Key>>,
        is_down: Memo<Option<Down>>,
        lists: Lists,
    ) -> Self {
        Self {
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
        }
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
            (Ok(request), Ok(waits)) => {
                let lack = untrack(|| self.desk.need.lack());
                let arguments = request.arguments.as_ref().map(|it| it.get());
                // Nobody is asked whether to do what will be refused.
                if let Some(lack) = lack
                    && consequence(&request.command, arguments).is_some()
                {
                    let problem = Problem::new(ProblemKind::Forbidden, lack.words());
                    self.refused.set(Some(problem));
                    self.desk.need.ask_again();
                    return;
                }
                self.ask_or_send(Ready {
                    session: self.session.get_value(),
                    request,
                    options: self.options.get_untracked(),
                    waits,
                });
            }
        }
    }

    /// Sends a command of the history once more.
    pub(super) fn resend(self, kept: &KeptCommand) {
        match (kept.request(), kept.options.read()) {
            (Some(request), Ok(waits)) => self.ask_or_send(Ready {
                session: kept.session.clone(),
                request,
                options: kept.options.clone(),
                waits,
            }),
            _ => self.say_nothing_was_sent("what is kept of it is not whole"),
        }
    }

    /// Asks first where it is dangerous.
    fn ask_or_send(self, ready: Ready) {
        let arguments = ready.request.arguments.as_ref().map(|it| it.get());
        match consequence(&ready.request.command, arguments) {
            None => self.dispatch(ready),
            Some(what) => {
                self.question.set(Some((ready, what)));
                if let Some(dialog) = self.dialog.get_untracked()
                    && dialog.show_modal().is_err()
                {
                    self.question.set(None);
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
    fn dispatch(self, ready: Ready) {
        let Request {
            command,
            oob,
            arguments,
        } = ready.request;
        let text = arguments.as_ref().map(|arguments| arguments.get());
        let at = browser::wall_clock().millis();
        let kept = KeptCommand {
            options: ready.options,
            ..KeptCommand::new(&ready.session, &command, oob, text, at)
        };
        self.recent
            .change(MAX_RECENT, |names| put_first(names, &command));
        let key = Key {
            session: ready.session,
            command: command.clone(),
            purpose: Purpose::User,
        };
        self.sent.set(Some(key.clone()));
        let outcome = self.store.execute_waiting(key, oob, arguments, ready.waits);
        if let Ok(id) = outcome {
            self.lists.remember(kept);
            let sent = Unnoted { id, command, at };
            self.store.unnoted.update_value(|all| all.push(sent));
            self.lists.note_ends();
        }
        self.refused.set(outcome.err());
        self.desk.attempted.set(false);
    }

    /// The newest exchange of the command that is shown.
    pub(super) fn exchange(self) -> Option<Exchange> {
        let key = self.sent.get()?;
        self.store
            .with_exchanges(|app| app.exchanges.latest(&key).cloned())
    }

    fn answer(self, yes: bool) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
        let question = self.question.get_untracked();
        self.question.set(None);
        if let Some((ready, _)) = question.filter(|_| yes) {
            self.dispatch(ready);
        }
    }
}

/// The message, and what can be done with it.
#[component]
pub(super) fn Actions(sender: Sender) -> impl IntoView {
    let desk = sender.desk;
    let is_form = Memo::new(move |_| desk.drawn(Editor::mode) == Mode::Form);
    let offers_oob = Memo::new(move |_| desk.drawn(Editor::offers_oob));
    let message = Memo::new(move |_| desk.typed(Editor::message));
    let awaits = Memo::new(move |_| Awaits::of(&sender.exchange()?));
    let reset = move |_| {
        desk.editor.update_value(Editor::reset);
        sender.options.set(Options::default());
        desk.attempted.set(false);
        sender.refused.set(None);
        desk.changed();
    };
    let can_undo = Memo::new(move |_| desk.typed(Editor::can_undo));
    let undo = move |_| {
        desk.editor.update_value(Editor::undo);
        desk.attempted.set(false);
        desk.changed();
        // Its own button may be gone.
        keep_focus(SEND.to_owned());
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
            <Show when=move || awaits.with(Option::is_some)>
                <Cancel store=sender.store awaits/>
            </Show>
            <button type="button" class="quiet" on:click=reset>"Reset"</button>
            <Show when=move || can_undo.get()>
                <button
                    type="button"
                    class="quiet"
                    title="Back to what there was before something was replaced"
                    on:click=undo
                >
                    "Undo"
                </button>
            </Show>
            <Show when=move || offers_oob.get() && is_form.get()>
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

/// What can be waited for no longer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// The reply of that exchange.
    Reply(u64),
    /// Its event.
    Event(u64),
}

impl Awaits {
    /// What an exchange waits for, if anything.
    fn of(exchange: &Exchange) -> Option<Self> {
        if exchange.progress == Progress::Pending {
            return Some(Self::Reply(exchange.id));
        }
        exchange.is_waiting().then_some(Self::Event(exchange.id))
    }
}

/// Waits no longer.
#[component]
fn Cancel(store: Store, awaits: Memo<Option<Awaits>>) -> impl IntoView {
    let title = move || match awaits.get() {
        Some(Awaits::Event(_)) => "Wait no more for the event",
        _ => "Wait no more for the reply",
    };
    let cancel = move |_| match awaits.get_untracked() {
        Some(Awaits::Reply(id)) => store.cancel(id),
        Some(Awaits::Event(id)) => store.give_up(id),
        None => (),
    };
    // When it goes away with the focus, that stays near.
    on_cleanup(|| {
        let focused = document().active_element();
        if focused.is_some_and(|element| element.id() == CANCEL) {
            focus_id(SEND);
        }
    });
    view! {
        <button type="button" id=CANCEL title=title on:click=cancel>"Cancel"</button>
    }
}

/// Enter that is held down sends once: it may be held since another button.
fn not_held(event: KeyboardEvent) {
    if event.repeat() && event.key() == "Enter" {
        event.prevent_default();
    }
}

/// The event that is awaited too.
#[component]
pub(super) fn AwaitedEvent(sender: Sender) -> impl IntoView {
    let awaited = Memo::new(move |_| {
        let exchange = sender.exchange()?;
        let replied = exchange.replied();
        exchange.awaited.map(|awaited| (awaited, replied))
    });
    Effect::new(move |waited: Option<bool>| {
        let fate = awaited.with(|it| it.as_ref().map(|(awaited, _)| awaited.fate.clone()));
        if waited == Some(true) && matches!(fate, Some(Fate::Came(_))) {
            let words = "The expected event came";
            sender.store.announcement.set(words.to_owned());
        }
        fate == Some(Fate::Waiting)
    });
    move || {
        let (awaited, replied) = awaited.get()?;
        let what = visible(&awaited.what()).into_owned();
        let shown = match (awaited.why_not(), awaited.fate) {
            (None, Fate::Came(text)) => {
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
            (None, _) => view! {
                <p class="muted">
                    <span role="status">"Waiting for " <span class="mono">{what}</span></span>
                    {replied.map(|since| view! { " for " {waited(sender.store, since)} })}
                    "."
                </p>
            }
            .into_any(),
            (Some(why), _) => view! {
                <p class="muted" role="status"><span class="mono">{what}</span> " " {why} "."</p>
            }
            .into_any(),
        };
        Some(view! { <section class="awaited" aria-label="Expected event">{shown}</section> })
    }
}

/// Asks before a command that ends or disturbs something is sent.
#[component]
pub(super) fn Question(sender: Sender) -> impl IntoView {
    let question = move |read: fn(&(Ready, String)) -> &str| {
        let shown =
            |question: &Option<_>| question.as_ref().map(|it| visible(read(it)).into_owned());
        sender.question.with(shown)
    };
    let message = move || {
        sender.question.with(|question| {
            let text = question.as_ref().map(|(ready, _)| ready.message())?;
            let (shown, more) = clip(&text, ASKED);
            let end = if more > 0 { "…" } else { "" };
            Some(visible(shown).into_owned() + end)
        })
    };
    view! {
        <dialog
            class="question"
            node_ref=sender.dialog
            aria-labelledby="question-title"
            on:cancel=move |_: leptos::ev::Event| sender.question.set(None)
        >
            <h2 id="question-title">
                "Send " <span class="mono">{move || question(|(ready, _)| &ready.request.command)}</span>
                " to " {move || question(|(ready, _)| &ready.session)} "?"
            </h2>
            <p class="verbatim">{move || question(|(_, what)| what)}</p>
            <code class="mono asked" aria-label="What is sent">{message}</code>
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
