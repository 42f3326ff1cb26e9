//! One command that this tab sent, and its reply.

use std::sync::Arc;

use leptos::prelude::*;
use qmp_shared::rest::Problem;

use super::Page;
use super::detail::close_button;
use crate::state::events::{CommandReply, Value};
use crate::state::history::{KeptCommand, LeftOut};
use crate::state::text::{counted, visible};
use crate::state::time::elapsed;
use crate::store::browser;
use crate::view::json_tree::JsonTree;
use crate::view::parts::ProblemBox;

#[component]
pub(super) fn CommandDetail(page: Page, id: u64, name: String) -> impl IntoView {
    let store = page.store;
    let told = store.peek(|app| app.commands.get(id).cloned());
    let body = told.map(|told| {
        let session = visible(&told.request.session).into_owned();
        let href = browser::at(&told.address());
        let reply = Memo::new(move |_| {
            store.with_exchanges(|app| app.commands.get(id).and_then(|told| told.reply.clone()))
        });
        let outcome = move || match reply.get() {
            None => "on its way".to_owned(),
            Some(reply) => reply.ended.word().to_owned() + " in " + &elapsed(reply.elapsed),
        };
        let result = move || match reply.get() {
            None => view! { <p class="muted">"No reply yet."</p> }.into_any(),
            Some(reply) => result(page, id, reply),
        };
        view! {
            <dl class="facts">
                <dt>"Session"</dt><dd>{session}</dd>
                <dt>"Sent"</dt>
                <dd><span class="mono">{told.sent.utc()}</span>" by this browser’s clock"</dd>
                {told.request.oob.then(|| view! { <dt>"Way"</dt><dd>"out of band"</dd> })}
                <dt>"Outcome"</dt><dd>{outcome}</dd>
            </dl>
            <p class="detail-links"><a href=href>"Open the command with this filled in"</a></p>
            <h3>"Arguments"</h3>
            {arguments(&told.request)}
            <h3>"Reply"</h3>
            <div>{result}</div>
        }
    });
    let forgotten = body
        .is_none()
        .then(|| view! { <p class="muted">"This command is not kept any more."</p> });
    view! {
        <section class="detail" aria-label="Command detail">
            <div class="detail-head">
                <h2 class="mono">{name}</h2>
                {close_button(page)}
            </div>
            {body}
            {forgotten}
        </section>
    }
}

fn arguments(request: &KeptCommand) -> AnyView {
    match (&request.arguments, request.left_out) {
        (Some(arguments), _) => {
            view! { <JsonTree text=Arc::from(&**arguments) label="Arguments"/> }.into_any()
        }
        (None, Some(LeftOut::Secret)) => {
            view! { <p class="muted">"Not kept: they seem to have a secret in them."</p> }
                .into_any()
        }
        (None, Some(LeftOut::Long)) => {
            view! { <p class="muted">"Not kept: they are longer than 4 KB."</p> }.into_any()
        }
        (None, None) => view! { <p class="muted">"None."</p> }.into_any(),
    }
}

fn result(page: Page, id: u64, reply: CommandReply) -> AnyView {
    let value = match reply.result {
        Ok(value) => value,
        Err(problem) => {
            let problem = Problem::clone(&problem);
            return view! { <ProblemBox problem/> }.into_any();
        }
    };
    let (text, size) = match value {
        Value::Whole(text) => (Some(text), 0),
        Value::Long(size) => {
            let kept = page.store.peek(|app| app.exchanges.returned(id).cloned());
            (kept, size)
        }
    };
    match text {
        Some(text) => view! { <JsonTree text label="Reply"/> }.into_any(),
        None => {
            let size = counted(size as u64, "byte");
            view! { <p class="muted">"Of " {size} ", and not kept any more."</p> }.into_any()
        }
    }
}
