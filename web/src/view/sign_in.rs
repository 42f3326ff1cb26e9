//! Asks for a token.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::state::login::refusal;
use crate::store::{api, browser, use_store};

/// The page that nobody who is signed in sees.
#[component]
pub(super) fn SignIn() -> impl IntoView {
    let store = use_store();
    let token = RwSignal::new(String::new());
    let is_busy = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            // Nothing depends on whether the browser grants the focus.
            let _ = field.focus();
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let secret = token.get_untracked().trim().to_owned();
        if secret.is_empty() || is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        spawn_local(async move {
            match api::login(&secret).await {
                Ok(()) => {
                    store.trouble.set(None);
                    store.connect();
                }
                Err(problem) => store.trouble.set(Some(refusal(&problem))),
            }
            is_busy.try_set(false);
        });
    };
    view! {
        <main class="sign-in" id="main">
            <form class="card sign-in-card" on:submit=submit>
                <img src=browser::at("/favicon.svg") width="40" height="40" alt=""/>
                <h1>"Sign in"</h1>
                <p class="muted">
                    "The console prints a ready address with a token when it starts."
                </p>
                <label for="token">"Token"</label>
                <input
                    id="token"
                    class="mono secret"
                    type="text"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-describedby="sign-in-problem"
                    node_ref=field
                    prop:value=token
                    on:input=move |event| token.set(event_target_value(&event))
                />
                <div id="sign-in-problem" role="alert" class="fault sign-in-fault">
                    {move || store.trouble.get()}
                </div>
                <button type="submit" class="primary" disabled=is_busy>"Sign in"</button>
            </form>
        </main>
    }
}
