//! The dialog over every page, which shows the palette or the keys, and the
//! global keys that open it.

use leptos::ev::{self, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

use super::keys::AllKeys;
use super::pages::Overlaid;
use super::palette::Palette;
use crate::state::keys::{Action, Keys, Press, takes_text};
use crate::store::{browser, use_store};

/// What the dialog shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// A search over everything.
    Palette,
    /// All keys.
    Keys,
}

/// The one dialog. A handle.
#[derive(Clone, Copy)]
pub(super) struct Overlay {
    shown: RwSignal<Option<Shown>>,
    dialog: NodeRef<html::Dialog>,
}

impl Overlay {
    /// It shows nothing yet. To be provided as a context.
    pub(super) fn new() -> Self {
        Self {
            shown: RwSignal::new(None),
            dialog: NodeRef::new(),
        }
    }

    /// Opens it, or shows something else in it.
    pub(super) fn open(self, shown: Shown) {
        self.shown.set(Some(shown));
        if let Some(dialog) = self.dialog.get_untracked()
            && !dialog.open()
            && let Err(error) = dialog.show_modal()
        {
            web_sys::console::warn_1(&error);
            self.shown.set(None);
        }
    }

    /// What the browser's `close` event says comes later than the closing
    /// itself: by then it may have been opened again.
    fn on_close(self) {
        let is_open = self.dialog.get_untracked().is_some_and(|it| it.open());
        if !is_open {
            self.shown.set(None);
        }
    }

    /// Closes it; the focus goes back to where it was.
    pub(super) fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
        self.shown.set(None);
    }
}

/// The dialog, and the keys that work everywhere.
#[component]
pub(super) fn OverlayDialog() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    global_keys(overlay);
    let label = move || match overlay.shown.get() {
        Some(Shown::Keys) => "Keys",
        Some(Shown::Palette) | None => "Search everything",
    };
    let is_open = Memo::new(move |_| overlay.shown.with(Option::is_some));
    // What lies under the dialog must not hear its keys.
    let on_key = move |event: KeyboardEvent| {
        event.stop_propagation();
        let is_command = event.ctrl_key() || event.meta_key();
        if is_command && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            overlay.close();
        }
    };
    view! {
        <dialog
            class="overlay"
            class:keys=move || overlay.shown.get() == Some(Shown::Keys)
            node_ref=overlay.dialog
            aria-label=label
            on:keydown=on_key
            on:close=move |_: ev::Event| overlay.on_close()
            on:click=move |event| {
                // The dialog itself is hit only beside what it shows.
                let dialog = overlay.dialog.get_untracked();
                if dialog.is_some_and(|dialog| event.target().as_ref() == Some(dialog.as_ref())) {
                    overlay.close();
                }
            }
        >
            <Show when=move || is_open.get()>
                <div class="overlay-content">
                    <Overlaid/>
                </div>
            </Show>
        </dialog>
    }
}

/// What is in the dialog, once it is loaded.
#[component]
pub(super) fn OverlayContent() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    move || match overlay.shown.get() {
        Some(Shown::Palette) => view! { <Palette overlay/> }.into_any(),
        Some(Shown::Keys) => view! { <AllKeys overlay/> }.into_any(),
        None => ().into_any(),
    }
}

fn global_keys(overlay: Overlay) {
    let store = use_store();
    let navigate = use_navigate();
    let keys = StoredValue::new(Keys::default());
    let on_key = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        if event.default_prevented() || event.is_composing() || event.repeat() {
            return;
        }
        let key = event.key();
        let press = Press {
            key: &key,
            is_command: event.ctrl_key() || event.meta_key(),
            is_alt: event.alt_key(),
            is_shift: event.shift_key(),
            is_typing: is_typing(&event),
            in_dialog: browser::has_dialog(),
        };
        let now = browser::now();
        let action = keys.try_update_value(|keys| keys.press(press, now));
        let Some(action) = action.flatten() else {
            return;
        };
        event.prevent_default();
        match action {
            Action::Palette => overlay.open(Shown::Palette),
            Action::Keys => overlay.open(Shown::Keys),
            Action::Find if browser::focus_search() => {}
            // A page without a search box: everything is searched instead.
            Action::Find => overlay.open(Shown::Palette),
            Action::Go(page) => {
                let address = untrack(|| store.address_of(page));
                navigate(&address, NavigateOptions::default());
            }
        }
    });
    on_cleanup(move || on_key.remove());
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target();
    let Some(target) = target.and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok())
    else {
        return false;
    };
    let kind = target
        .dyn_ref::<web_sys::HtmlInputElement>()
        .map(web_sys::HtmlInputElement::type_)
        .unwrap_or_default();
    takes_text(&target.tag_name(), &kind, target.is_content_editable())
}
