//! Sessions added, removed, connected and disconnected from their page.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::rest::{Problem, ProblemKind, SessionInfo};

use super::parts::{ProblemBox, focus_id};
use crate::state::manage::{AddFaults, Offers, add_faults, missing, offers};
use crate::state::text::visible;
use crate::store::{Store, api, use_store};

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    store: Store,
    /// Why the last action did not work.
    pub(super) problem: RwSignal<Option<Problem>>,
    /// The session that somebody wants to remove; empty for none.
    removing: RwSignal<String>,
    dialog: NodeRef<html::Dialog>,
}

impl Desk {
    /// Nothing was tried yet.
    pub(super) fn new() -> Self {
        Self {
            store: use_store(),
            problem: RwSignal::new(None),
            removing: RwSignal::new(String::new()),
            dialog: NodeRef::new(),
        }
    }

    fn steer(self, name: String, connect: bool) {
        self.problem.set(None);
        spawn_local(async move {
            match api::steer_session(&name, connect).await {
                Ok(()) => {
                    let verb = if connect {
                        "Connecting "
                    } else {
                        "Disconnecting "
                    };
                    let words = verb.to_owned() + &visible(&name);
                    self.store.announcement.set(words);
                }
                Err(problem) => self.failed(problem),
            }
        });
    }

    fn ask(self, name: String) {
        self.problem.set(None);
        self.removing.set(name);
        if let Some(dialog) = self.dialog.get_untracked()
            && dialog.show_modal().is_err()
        {
            self.removing.set(String::new());
        }
    }

    fn answer(self, yes: bool) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
        let name = self.removing.get_untracked();
        self.removing.set(String::new());
        if !yes || name.is_empty() {
            return;
        }
        spawn_local(async move {
            match api::remove_session(&name).await {
                // What somebody else has removed meanwhile is removed.
                Err(problem) if problem.kind != ProblemKind::NotFound => self.failed(problem),
                _ => {
                    let words = "Removed ".to_owned() + &visible(&name);
                    self.store.announcement.set(words);
                    // The button that had the focus goes with its row.
                    focus_id("main");
                }
            }
        });
    }

    fn failed(self, problem: Problem) {
        is_login_over(self.store, &problem);
        self.problem.try_set(Some(problem));
    }
}

/// The buttons of a session that this role may press in its state.
pub(super) fn steering(desk: Desk, name: String, info: Memo<Option<SessionInfo>>) -> impl IntoView {
    let offers = Memo::new(move |_| {
        let role = desk.store.role();
        info.with(|info| info.as_ref().map(|info| offers(role, info.state)))
            .unwrap_or_default()
    });
    let shown = visible(&name).into_owned();
    let button =
        move |word: &'static str, is_offered: fn(Offers) -> bool, press: fn(Desk, String)| {
            let name = name.clone();
            let label = word.to_owned() + " " + &shown;
            move || {
                let (name, label) = (name.clone(), label.clone());
                is_offered(offers.get()).then(|| {
                    view! {
                        <button
                            type="button"
                            class="small"
                            aria-label=label
                            on:click=move |_| press(desk, name.clone())
                        >
                            {word}
                        </button>
                    }
                })
            }
        };
    let connect = button(
        "Connect",
        |offers| offers.connect,
        |desk, name| desk.steer(name, true),
    );
    let disconnect = button(
        "Disconnect",
        |offers| offers.disconnect,
        |desk, name| desk.steer(name, false),
    );
    let remove = button(
        "Remove",
        |offers| offers.remove,
        |desk, name| desk.ask(name),
    );
    view! { <div class="steering">{connect}{disconnect}{remove}</div> }
}

/// Asks before a session is removed.
#[component]
pub(super) fn RemoveQuestion(desk: Desk) -> impl IntoView {
    view! {
        <dialog
            class="question"
            node_ref=desk.dialog
            aria-labelledby="remove-title"
            on:cancel=move |_: leptos::ev::Event| desk.removing.set(String::new())
        >
            <h2 id="remove-title">
                "Remove the session " <span class="mono">{move || visible(&desk.removing.get()).into_owned()}</span> "?"
            </h2>
            <p>
                "The console hangs up and forgets its address, for everybody. The endpoint itself goes on."
            </p>
            <p>"Its recorded events stay in the journal."</p>
            <div class="actions">
                <button type="button" class="danger" on:click=move |_| desk.answer(true)>"Remove"</button>
                // The safe answer has the focus.
                <button type="button" autofocus on:click=move |_| desk.answer(false)>"Cancel"</button>
            </div>
        </dialog>
    }
}

/// Adds a session.
#[component]
pub(super) fn AddSession() -> impl IntoView {
    let store = use_store();
    let (name, address) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let faults = RwSignal::new(AddFaults::default());
    let is_busy = RwSignal::new(false);
    let refuse = move |found: AddFaults| {
        let at = if found.name.is_some() {
            "add-name"
        } else {
            "add-address"
        };
        let is_of_a_field = found.form.is_none();
        faults.try_set(found);
        if is_of_a_field {
            focus_id(at);
        }
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        let new_name = name.with_untracked(|name| name.trim().to_owned());
        let new_address = address.with_untracked(|address| address.trim().to_owned());
        if let Some(found) = missing(&new_name, &new_address) {
            refuse(found);
            return;
        }
        faults.set(AddFaults::default());
        is_busy.set(true);
        spawn_local(async move {
            let words = "Added ".to_owned() + &visible(&new_name);
            match api::add_session(new_name, new_address).await {
                Ok(()) => {
                    store.announcement.set(words);
                    name.try_set(String::new());
                    address.try_set(String::new());
                    focus_id("add-name");
                }
                Err(problem) => {
                    is_login_over(store, &problem);
                    refuse(add_faults(&problem));
                }
            }
            is_busy.try_set(false);
        });
    };
    let field = move |id: &'static str,
                      label: &'static str,
                      example: &'static str,
                      value: RwSignal<String>,
                      fault: fn(&AddFaults) -> Option<String>| {
        let fault = Memo::new(move |_| faults.with(fault));
        let fault_id = id.to_owned() + "-fault";
        view! {
            <div class="field">
                <label for=id>{label}</label>
                <input
                    id=id
                    type="text"
                    class="mono"
                    placeholder=example
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    prop:value=value
                    aria-invalid=move || fault.with(Option::is_some).then_some("true")
                    aria-describedby=fault_id.clone()
                    on:input=move |event| value.set(event_target_value(&event))
                />
                <p id=fault_id.clone() class="fault verbatim" role="alert">{fault}</p>
            </div>
        }
    };
    let form_problem = move || {
        let text = faults.with(|faults| faults.form.clone())?;
        let problem = Problem {
            title: "The session was not added".to_owned(),
            ..Problem::new(ProblemKind::InvalidRequest, text)
        };
        Some(view! { <ProblemBox problem/> })
    };
    view! {
        <section class="card add-session" aria-labelledby="add-title">
            <h2 id="add-title">"Add a session"</h2>
            <form novalidate on:submit=submit aria-labelledby="add-title">
                {field("add-name", "Name", "vm", name, |faults| faults.name.clone())}
                {field("add-address", "Address", "unix:/run/vm.qmp", address, |faults| {
                    faults.address.clone()
                })}
                <button type="submit" class="primary" disabled=is_busy>"Add session"</button>
            </form>
            <p class="muted small-text">
                "A unix socket or " <span class="mono">"HOST:PORT"</span> "; with "
                <span class="mono">",kind=qga"</span> " a guest agent. It stays until the console ends or it is removed."
            </p>
            {form_problem}
        </section>
    }
}

/// A login that has ended meanwhile ends the page's connection too, which then
/// says so.
fn is_login_over(store: Store, problem: &Problem) {
    if problem.kind == ProblemKind::Unauthorized {
        store.wake();
    }
}
