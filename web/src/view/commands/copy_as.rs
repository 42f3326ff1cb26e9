//! Copy as: the command for elsewhere.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::command::Fault;
use qmp_shared::json;
use wasm_bindgen::JsCast;

use super::send::Sender;
use crate::state::copy_as::{Kind, Subject};
use crate::state::editor::Editor;
use crate::state::text::visible;
use crate::store::{browser, use_store};
use crate::view::parts::focus;

/// One button, and its menu.
#[component]
pub(super) fn CopyAs(sender: Sender) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let button = NodeRef::<html::Button>::new();
    let menu = NodeRef::<html::Div>::new();
    let close = move || {
        is_open.set(false);
        if let Some(button) = button.get_untracked() {
            // Nothing depends on whether the browser grants the focus.
            let _ = button.focus();
        }
    };
    let toggle = move |_| {
        is_open.update(|is_open| *is_open = !*is_open);
        if is_open.get_untracked() {
            request_animation_frame(move || {
                let root = menu.get_untracked();
                let first = root.and_then(|root| root.first_element_child());
                focus(first.as_ref());
            });
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            close();
            return;
        }
        let target = event.target();
        let item = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let root = menu.get_untracked();
        let first = || root.as_ref().and_then(|root| root.first_element_child());
        let last = || root.as_ref().and_then(|root| root.last_element_child());
        let next = match event.key().as_str() {
            "ArrowDown" | "ArrowRight" => item
                .and_then(|item| item.next_element_sibling())
                .or_else(first),
            "ArrowUp" | "ArrowLeft" => item
                .and_then(|item| item.previous_element_sibling())
                .or_else(last),
            "Home" => first(),
            "End" => last(),
            _ => return,
        };
        event.prevent_default();
        focus(next.as_ref());
    };
    view! {
        <button
            type="button"
            class="quiet copy-as"
            node_ref=button
            aria-haspopup="menu"
            aria-expanded=move || is_open.get().to_string()
            on:click=toggle
        >
            "Copy as…"
        </button>
        <Show when=move || is_open.get()>
            <div class="copy-panel">
                <div
                    class="copy-menu"
                    role="menu"
                    aria-label="Copy as"
                    aria-describedby="copy-left-out"
                    node_ref=menu
                    on:keydown=on_key
                >
                    {move || items(sender, close)}
                </div>
                <p id="copy-left-out" class="why-not">{move || left_out_words(sender)}</p>
            </div>
        </Show>
    }
}

/// What no copy has in it, since it is not valid.
fn left_out_words(sender: Sender) -> Option<String> {
    let left_out = sender.desk.typed(Editor::left_out);
    let paths = left_out.iter().map(|left| left.fault.path.to_string());
    let paths = paths.collect::<Vec<_>>().join(", ");
    let words = "Without what is not valid: ".to_owned() + &visible(&paths);
    (!paths.is_empty()).then_some(words)
}

/// The entries of the menu for what is entered now.
fn items(sender: Sender, close: impl Fn() + Copy + 'static) -> impl IntoView {
    let store = use_store();
    let waits = sender.waits();
    let session = sender.session.get_value();
    let address = store.peek(|app| app.sessions.get(&session).map(|info| info.address.clone()));
    let (entered, schema) = sender
        .desk
        .typed(|editor| (Editor::entered(editor), editor.schema().cloned()));
    let subject = entered.map(|entered| Subject {
        console: browser::console_address(),
        session,
        address,
        command: entered.command,
        oob: entered.oob,
        arguments: entered
            .arguments
            .map(|arguments| json::compact(&arguments).into_owned()),
        waits,
    });
    let text_of = move |kind: Kind| match &subject {
        Ok(subject) => subject.copy(kind, schema.as_deref()),
        Err(faults) => Err(faults.first().map(Fault::to_string).unwrap_or_default()),
    };
    let left_out = untrack(|| left_out_words(sender));
    let item = |kind: Kind| {
        let left_out = left_out.clone();
        let text = text_of(kind);
        let why_not = text.as_ref().err().map(|why| visible(why).into_owned());
        let is_refused = why_not.is_some();
        let copy = move |_| {
            let Ok(text) = text.clone() else { return };
            let left_out = left_out.clone();
            spawn_local(async move {
                let word = match browser::copy(&text).await {
                    true => "Copied as ",
                    false => "The browser does not allow to copy as ",
                };
                let rest = left_out.map(|words| ". ".to_owned() + &words);
                let words = [word, kind.label(), &rest.unwrap_or_default()].concat();
                store.announcement.set(words);
            });
            close();
        };
        view! {
            <button
                type="button"
                role="menuitem"
                tabindex="-1"
                class="quiet"
                aria-disabled=is_refused.then_some("true")
                on:click=copy
            >
                <span>{kind.label()}</span>
                {why_not.map(|why| view! { <span class="why-not">{why}</span> })}
            </button>
        }
    };
    Kind::ALL.map(item).collect_view()
}
