//! One command: its form or its JSON, Send, and the reply.

use std::sync::Arc;

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::html;
use leptos::prelude::*;
use qmp_shared::command::Fault;
use qmp_shared::rest::Problem;
use qmp_shared::schema::Schema;
use wasm_bindgen::JsCast;

use super::commands::{address, tag};
use super::documentation::{Documentation, lead};
use super::form::{ArgumentsForm, Desk, control_id, feature_tags};
use super::parts::{CopyButton, ProblemBox, all_sessions};
use super::reply::ReplyPane;
use crate::state::commands::{MAX_RECENT, put_first};
use crate::state::danger::consequence;
use crate::state::editor::{Editor, Mode};
use crate::state::exchanges::{Key, Purpose};
use crate::state::sessions::Down;
use crate::state::text::{counted, visible};
use crate::store::keep::Kept;
use crate::store::{Store, browser, use_store};

/// Most faults that are listed at once.
const LISTED: usize = 12;

/// A command of a session. Without a schema it is entered as JSON.
#[component]
pub(super) fn CommandDesk(
    session: String,
    command: String,
    schema: Option<Arc<Schema>>,
    /// Why no command can be sent now.
    is_down: Memo<Option<Down>>,
) -> impl IntoView {
    let store = use_store();
    let draft = store
        .drafts
        .try_update_value(|drafts| drafts.take(&session, &command, schema.as_ref()));
    let editor = draft
        .flatten()
        .unwrap_or_else(|| Editor::new(schema.clone(), &command));
    let revision = RwSignal::new(0_u64);
    let editor = StoredValue::new(editor);
    let desk = Desk {
        store,
        editor,
        structure: RwSignal::new(0),
        revision,
        faults: Memo::new(move |_| {
            revision.track();
            editor.with_value(Editor::faults)
        }),
        attempted: RwSignal::new(false),
        manual: {
            let session = session.clone();
            Memo::new(move |_| store.manual(&session))
        },
        blamed: RwSignal::new(None),
    };
    let sent = RwSignal::new(Some(Key {
        session: session.clone(),
        command: command.clone(),
        purpose: Purpose::User,
    }));
    let place = StoredValue::new(session.clone());
    on_cleanup(move || {
        let put_away = (place.try_get_value(), editor.try_get_value());
        if let (Some(session), Some(editor)) = put_away {
            store
                .drafts
                .update_value(|drafts| drafts.put(session, editor));
        }
    });
    let sender = Sender {
        store,
        desk,
        session: place,
        sent,
        refused: RwSignal::new(None),
        question: RwSignal::new(None),
        dialog: NodeRef::new(),
        is_down,
        recent: store.kept("recent-commands"),
    };
    // Wherever the focus is: also in the list, right after a command was chosen.
    let on_key = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
        let is_asking = sender.question.with_untracked(Option::is_some);
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && !is_asking {
            event.prevent_default();
            sender.send();
        }
    });
    on_cleanup(move || on_key.remove());
    view! {
        <div class="desk">
            <form
                class="desk-form"
                novalidate
                aria-label="Command"
                on:submit=move |event: SubmitEvent| {
                    event.prevent_default();
                    sender.send();
                }
            >
                <a class="back" href=browser::at(&address(&session, ""))>"‹ All commands"</a>
                {head(&command, schema.as_deref())}
                {lead(desk)}
                <ModeSwitch desk/>
                {move || match desk.drawn(Editor::mode) {
                    Mode::Form => view! { <ArgumentsForm desk/> }.into_any(),
                    Mode::Json => view! { <JsonPane desk/> }.into_any(),
                }}
                <FaultList desk/>
                {move || is_down.get().map(|down| view! {
                    <div class="notice" role="status">
                        <p class="verbatim">{down.words().to_owned()}</p>
                        {matches!(down, Down::Gone(_)).then(|| view! {
                            {all_sessions()}
                        })}
                    </div>
                })}
                {move || sender.refused.get().map(|problem| view! { <ProblemBox problem/> })}
                <Actions sender/>
            </form>
            <Documentation desk session=session.clone()/>
            <ReplyPane key=sent blamed=desk.blamed/>
            <Question sender/>
        </div>
    }
}

/// What Send needs.
#[derive(Clone, Copy)]
struct Sender {
    store: Store,
    desk: Desk,
    session: StoredValue<String>,
    /// Whose reply is shown.
    sent: RwSignal<Option<Key>>,
    /// Why the command was not even sent.
    refused: RwSignal<Option<Problem>>,
    /// The command that waits for a deliberate yes, and what it does.
    question: RwSignal<Option<(String, &'static str)>>,
    dialog: NodeRef<html::Dialog>,
    is_down: Memo<Option<Down>>,
    /// The names of the commands that were sent last.
    recent: Kept<String>,
}

impl Sender {
    /// Sends what has been entered; asks first where that is dangerous.
    fn send(self) {
        if self.is_down.with_untracked(Option::is_some) {
            return;
        }
        self.desk.attempted.set(true);
        match self.desk.editor.with_value(Editor::request) {
            Err(faults) => {
                let count = counted(faults.len() as u64, "fault");
                self.store
                    .announcement
                    .set("Nothing was sent: ".to_owned() + &count);
                request_animation_frame(move || focus_fault(faults.first()));
            }
            Ok(request) => match consequence(&request.command) {
                None => self.dispatch(),
                Some(what) => {
                    self.question.set(Some((request.command, what)));
                    if let Some(dialog) = self.dialog.get_untracked()
                        && dialog.show_modal().is_err()
                    {
                        self.question.set(None);
                    }
                }
            },
        }
    }

    /// Sends it without a question.
    fn dispatch(self) {
        let Ok(request) = self.desk.editor.with_value(Editor::request) else {
            return;
        };
        let key = Key {
            session: self.session.get_value(),
            command: request.command,
            purpose: Purpose::User,
        };
        self.recent
            .change(MAX_RECENT, |names| put_first(names, &key.command));
        self.sent.set(Some(key.clone()));
        let outcome = self.store.execute(key, request.oob, request.arguments);
        self.refused.set(outcome.err());
        self.desk.attempted.set(false);
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

fn head(command: &str, schema: Option<&Schema>) -> impl IntoView + use<> {
    let known = schema.and_then(|schema| Some((schema, schema.command(command)?)));
    let facts = known.map(|(schema, known)| {
        let returns = "returns ".to_owned() + &visible(&schema.describe(known.returns));
        view! {
            {feature_tags(&known.features)}
            {known.allow_oob.then(|| tag("oob"))}
            <span class="type">{returns}</span>
        }
    });
    view! {
        <div class="desk-head">
            <h1 class="mono">{visible(command).into_owned()}</h1>
            {facts}
        </div>
    }
}

#[component]
fn ModeSwitch(desk: Desk) -> impl IntoView {
    let mode = Memo::new(move |_| desk.drawn(Editor::mode));
    let no_form = desk
        .editor
        .with_value(|editor| editor.no_form().map(str::to_owned));
    let has_form = no_form.is_none();
    let trouble = RwSignal::new(Vec::<Fault>::new());
    let show_form = move |_| {
        let shown = desk.editor.try_update_value(Editor::show_form);
        trouble.set(shown.and_then(Result::err).unwrap_or_default());
        desk.changed();
    };
    let show_json = move |_| {
        desk.editor.update_value(Editor::show_json);
        trouble.set(Vec::new());
        desk.changed();
    };
    // What was wrong with an earlier text is not wrong with this one.
    Effect::new(move |before: Option<u64>| {
        let revision = desk.revision.get();
        if mode.get() == Mode::Json && before.is_some_and(|before| revision > before + 1) {
            trouble.set(Vec::new());
        }
        revision
    });
    let pressed = move |is: Mode| move || if mode.get() == is { "true" } else { "false" };
    view! {
        <div class="segments" role="group" aria-label="Enter as">
            <button
                type="button"
                aria-pressed=pressed(Mode::Form)
                disabled=!has_form
                title=no_form.clone()
                on:click=show_form
            >
                "Form"
            </button>
            <button type="button" aria-pressed=pressed(Mode::Json) on:click=show_json>"JSON"</button>
        </div>
        {no_form.map(|why| view! {
            <p class="muted small-text">"No form: " {visible(&why).into_owned()} "."</p>
        })}
        {move || {
            let trouble = trouble.get();
            (!trouble.is_empty()).then(|| view! {
                <div class="notice" role="alert">
                    <p>"The form cannot show this JSON:"</p>
                    {fault_items(&trouble)}
                </div>
            })
        }}
    }
}

#[component]
fn JsonPane(desk: Desk) -> impl IntoView {
    let has_doubts = move || desk.faults.with(|faults| !faults.doubts.is_empty());
    view! {
        <div class="json-pane">
            <label for="json-message">"Message"</label>
            <textarea
                id="json-message"
                class="mono"
                rows="8"
                autocapitalize="off"
                spellcheck="false"
                aria-describedby="json-faults"
                prop:value=move || desk.drawn(|editor| editor.json().to_owned())
                on:input=move |event| {
                    let text = event_target_value(&event);
                    desk.editor.update_value(|editor| editor.set_json(text));
                    desk.revision.update(|revision| *revision += 1);
                }
            ></textarea>
            <div id="json-faults" role="status">
                {move || has_doubts().then(|| {
                    let doubts = desk.faults.with(|faults| faults.doubts.clone());
                    view! {
                        <div class="notice">
                            <p>"The schema says otherwise; it can be sent all the same:"</p>
                            {fault_items(&doubts)}
                        </div>
                    }
                })}
            </div>
        </div>
    }
}

/// What keeps the message from being sent, once the user tried; in JSON at once.
#[component]
fn FaultList(desk: Desk) -> impl IntoView {
    let faults = Memo::new(move |_| {
        let is_json = desk.drawn(Editor::mode) == Mode::Json;
        if desk.attempted.get() || is_json {
            desk.faults.with(|faults| faults.blocking.clone())
        } else {
            Vec::new()
        }
    });
    move || {
        let faults = faults.get();
        (!faults.is_empty()).then(|| {
            view! {
                <div class="problem" id="send-faults">
                    <p class="problem-title">"This cannot be sent"</p>
                    {fault_items(&faults)}
                </div>
            }
        })
    }
}

fn fault_items(faults: &[Fault]) -> impl IntoView + use<> {
    let rest = faults.len().saturating_sub(LISTED);
    let lines = faults.iter().take(LISTED).map(|fault| {
        let words = visible(&fault.to_string()).into_owned();
        view! { <li class="verbatim">{words}</li> }
    });
    view! {
        <ul class="fault-items mono">
            {lines.collect_view()}
            {(rest > 0).then(|| view! { <li>"and " {rest} " more"</li> })}
        </ul>
    }
}

#[component]
fn Actions(sender: Sender) -> impl IntoView {
    let desk = sender.desk;
    let is_form = Memo::new(move |_| desk.drawn(Editor::mode) == Mode::Form);
    let allows_oob = desk.editor.with_value(Editor::allows_oob);
    let message = Memo::new(move |_| desk.typed(Editor::message));
    let reset = move |_| {
        desk.editor.update_value(Editor::reset);
        desk.attempted.set(false);
        sender.refused.set(None);
        desk.changed();
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
                type="submit"
                class="primary"
                title="Ctrl+Enter"
                disabled=move || sender.is_down.with(Option::is_some)
            >
                "Send"
            </button>
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
        </div>
    }
}

/// Asks before a command that ends or disturbs something is sent.
#[component]
fn Question(sender: Sender) -> impl IntoView {
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
            <p>"This " {move || question().1} "."</p>
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
    let element = document()
        .get_element_by_id(&control_id(&fault.path))
        .or_else(|| document().get_element_by_id("json-message"));
    if let Some(element) = element.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Nothing depends on whether the browser grants the focus.
        let _ = element.focus();
    }
}
