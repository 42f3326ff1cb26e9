//! What became of the command that was sent last.

use leptos::prelude::*;

use super::json_tree::JsonTree;
use super::parts::{CopyButton, ProblemBox, badge};
use crate::state::exchanges::{Exchange, Key, Progress, was_refused};
use crate::state::sessions::Tone;
use crate::state::text::visible;
use crate::state::time::{elapsed, running};
use crate::store::{browser, use_store};

/// The newest exchange of that key: on its way, returned, or failed.
#[component]
pub(super) fn ReplyPane(#[prop(into)] key: Signal<Option<Key>>) -> impl IntoView {
    let store = use_store();
    let exchange = Memo::new(move |_| {
        let key = key.get()?;
        store.with_exchanges(|app| app.exchanges.latest(&key).cloned())
    });
    view! {
        <section class="reply" aria-label="Reply" aria-busy=move || {
            exchange.with(|exchange| {
                exchange.as_ref().is_some_and(|exchange| exchange.progress == Progress::Pending)
            }).to_string()
        }>
            {move || match exchange.get() {
                None => view! {
                    <p class="muted reply-hint">"The reply appears here. Ctrl+Enter sends."</p>
                }
                .into_any(),
                Some(exchange) => reply(exchange),
            }}
        </section>
    }
}

fn reply(exchange: Exchange) -> AnyView {
    let Exchange {
        key,
        sent,
        progress,
        ..
    } = exchange;
    let command = visible(&key.command).into_owned();
    let session = visible(&key.session).into_owned();
    let unsent = "Nothing was sent to ".to_owned() + &session + ".";
    let head = move |state: AnyView, copy: AnyView| {
        view! {
            <div class="reply-head">
                <h2>"Reply"</h2>
                {state}
                <span class="mono reply-command">{command}</span>
                <span class="muted small-text">"on " {session}</span>
                {copy}
            </div>
        }
    };
    match progress {
        Progress::Pending => {
            let state = badge(Tone::Busy, "pending".to_owned()).into_any();
            let clock = use_store().clock;
            let waited = move || {
                clock.track();
                running((browser::now() - sent).max(0.0))
            };
            view! {
                {head(state, ().into_any())}
                <p class="muted" role="status">"Waiting for the reply for " {waited} "."</p>
            }
            .into_any()
        }
        Progress::Finished {
            elapsed: time,
            result: Ok(text),
        } => {
            let words = "return in ".to_owned() + &elapsed(time);
            let state = view! { <span role="status">{badge(Tone::Good, words)}</span> }.into_any();
            let copied = Signal::stored(text.to_string());
            let copy = view! { <CopyButton label="Copy reply" text=copied/> }.into_any();
            view! {
                {head(state, copy)}
                <JsonTree text label="Return value"/>
            }
            .into_any()
        }
        Progress::Finished {
            elapsed: time,
            result: Err(problem),
        } => {
            let is_refused = was_refused(&problem);
            let words = match is_refused {
                true => "not allowed".to_owned(),
                false => "error in ".to_owned() + &elapsed(time),
            };
            let state = badge(Tone::Bad, words).into_any();
            let problem = (*problem).clone();
            view! {
                {head(state, ().into_any())}
                <ProblemBox problem/>
                {is_refused.then(|| view! { <p class="loud">{unsent}</p> })}
            }
            .into_any()
        }
    }
}
