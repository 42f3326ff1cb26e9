//! The views of a command that is being entered: which one is shown, the two
//! that are text, and what is wrong.

use leptos::prelude::*;
use qmp_shared::command::Fault;

use super::form::Desk;
use crate::state::editor::{Editor, LeftOut, Mode};
use crate::state::text::{clip, visible};

/// Most faults that are listed at once.
const LISTED: usize = 12;

/// Longest part that is shown of what was typed, in bytes.
const TYPED: usize = 60;

/// A view that could not be shown, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trouble {
    wanted: Mode,
    shown: Mode,
    faults: Vec<Fault>,
    /// What was entered then.
    revision: u64,
}

/// The last view that could not be shown, as long as nothing else is entered.
#[derive(Clone, Copy)]
pub(super) struct Troubles {
    desk: Desk,
    last: RwSignal<Option<Trouble>>,
}

impl Troubles {
    pub(super) fn new(desk: Desk) -> Self {
        let last = RwSignal::new(None);
        Self { desk, last }
    }

    /// Tells the views that everything may be another now, and the user why it
    /// is not in the view that was wanted.
    pub(super) fn after(self, wanted: Mode, outcome: Result<(), Vec<Fault>>) {
        self.desk.changed();
        let shown = self.desk.editor.with_value(Editor::mode);
        let revision = self.desk.revision.get_untracked();
        self.last.set(outcome.err().map(|faults| Trouble {
            wanted,
            shown,
            faults,
            revision,
        }));
    }

    fn now(self) -> Option<Trouble> {
        let revision = self.desk.revision.get();
        self.last.get().filter(|last| last.revision == revision)
    }
}

/// Chooses the view.
#[component]
pub(super) fn ModeSwitch(desk: Desk, troubles: Troubles) -> impl IntoView {
    let mode = Memo::new(move |_| desk.drawn(Editor::mode));
    let no_form = desk
        .editor
        .with_value(|editor| editor.no_form().map(str::to_owned));
    let has_form = no_form.is_none();
    let trouble = Memo::new(move |_| troubles.now());
    let choice = |wanted: Mode, label: &'static str, title: Option<String>| {
        let is_possible = wanted != Mode::Form || has_form;
        let show = move |_| {
            let shown = desk.editor.try_update_value(|editor| editor.show(wanted));
            troubles.after(wanted, shown.unwrap_or(Ok(())));
        };
        view! {
            <button
                type="button"
                aria-pressed=move || if mode.get() == wanted { "true" } else { "false" }
                disabled=!is_possible
                title=title
                on:click=show
            >
                {label}
            </button>
        }
    };
    view! {
        <div class="segments" role="group" aria-label="Enter as">
            {choice(Mode::Form, "Form", no_form.clone())}
            {choice(Mode::Json, "JSON", None)}
            {choice(Mode::Line, "Line", None)}
        </div>
        {no_form.map(|why| view! {
            <p class="muted small-text">"No form: " {visible(&why).into_owned()} "."</p>
        })}
        {move || trouble.get().map(|trouble| {
            let Trouble { wanted, shown, faults, .. } = trouble;
            view! {
                <div class="notice" role="alert">
                    <p>"The " {wanted.word()} " cannot show this " {shown.word()} ":"</p>
                    {fault_items(&faults)}
                </div>
            }
        })}
    }
}

/// The message as JSON, or the command as a line.
#[component]
pub(super) fn TextPane(
    desk: Desk,
    /// Which of them.
    mode: Mode,
) -> impl IntoView {
    let is_line = mode == Mode::Line;
    let (label, rows) = match is_line {
        true => ("Command line", "2"),
        false => ("Message", "8"),
    };
    let has_doubts = move || desk.faults.with(|faults| !faults.doubts.is_empty());
    view! {
        <div class="json-pane" class:line-pane=is_line>
            <label for="entered-text">{label}</label>
            <textarea
                id="entered-text"
                class="mono"
                rows=rows
                autocapitalize="off"
                autocomplete="off"
                spellcheck="false"
                aria-describedby="text-faults"
                prop:value=move || desk.drawn(|editor| editor.view_text(mode).to_owned())
                on:input=move |event| {
                    let text = event_target_value(&event);
                    desk.editor.update_value(|editor| editor.set_text(mode, text));
                    desk.revision.update(|revision| *revision += 1);
                }
            ></textarea>
            {is_line.then(|| view! {
                <p class="hint">
                    <code>"command key=value key.member=value"</code>
                    ", words quoted as in a shell, values typed by the schema or as JSON; "
                    <code>"--oob"</code> " in front sends it out of band. "
                    "QEMU's own qmp-shell knows less: “Copy as” has a line for that."
                </p>
            })}
            <div id="text-faults" role="status">
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

/// What is in the form and not in the message, since it is not valid.
#[component]
pub(super) fn LeftOutNote(desk: Desk) -> impl IntoView {
    let left_out = Memo::new(move |_| {
        let is_form = desk.drawn(Editor::mode) == Mode::Form;
        // Then all that is wrong is said.
        if is_form && desk.attempted.get() {
            return Vec::new();
        }
        desk.typed(Editor::left_out)
    });
    let is_form = Memo::new(move |_| desk.drawn(Editor::mode) == Mode::Form);
    view! {
        <div class="left-out" role="status">
            {move || {
                let left_out = left_out.get();
                let words = match is_form.get() {
                    true => "Left out of the message, since it is not valid:",
                    false => "In the form there is more, which is not valid and not in here:",
                };
                (!left_out.is_empty()).then(|| view! {
                    <div class="notice">
                        <p>{words}</p>
                        {fault_items(&left_out.into_iter().map(with_typed).collect::<Vec<_>>())}
                    </div>
                })
            }}
        </div>
    }
}

/// The fault with what was typed in its words.
fn with_typed(left: LeftOut) -> Fault {
    let LeftOut { mut fault, typed } = left;
    let (start, more) = clip(&typed, TYPED);
    let rest = if more > 0 { "…" } else { "" };
    fault.message = ["“", start, rest, "” is ", &fault.message].concat();
    fault
}

/// What keeps the message from being sent, once the user tried; of a text at once.
#[component]
pub(super) fn FaultList(desk: Desk) -> impl IntoView {
    let faults = Memo::new(move |_| {
        let is_text = desk.drawn(Editor::mode) != Mode::Form;
        if desk.attempted.get() || is_text {
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
