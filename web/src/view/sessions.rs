//! The list of sessions, with their live state.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::manage::{AddSession, Desk, RemoveQuestion, steering};
use super::parts::{Empty, ProblemBox, badge};
use crate::state::manage::may_change;
use crate::state::sessions::{advice, endpoint, state_tone, status_tone};
use crate::state::text::{grouped, percent_encoded, visible};
use crate::state::time::Instant;
use crate::store::{browser, use_store};

/// `/`
#[component]
pub(super) fn SessionsPage() -> impl IntoView {
    let store = use_store();
    // The heading takes its place in the document whatever comes below.
    let _ = use_location();
    let names = Memo::new(move |_| {
        store.with_sessions(|app| app.sessions.keys().cloned().collect::<Vec<_>>())
    });
    let is_known = Memo::new(move |_| store.with_sessions(|app| !app.version.is_empty()));
    let version = Memo::new(move |_| store.with_sessions(|app| visible(&app.version).into_owned()));
    let refused = move || store.with_events(|app| app.refused.clone());
    let desk = Desk::new();
    let may_add = Memo::new(move |_| is_known.get() && may_change(store.role()));
    view! {
        <div class="page">
            <div class="page-head">
                <h1>"Sessions"</h1>
                <Show when=move || is_known.get()>
                    <span class="muted small-text">"console " {version}</span>
                </Show>
            </div>
            {move || refused().map(|problem| view! { <ProblemBox problem/> })}
            {move || desk.problem.get().map(|problem| view! { <ProblemBox problem/> })}
            {move || match (is_known.get(), names.with(Vec::is_empty)) {
                (false, _) => view! { <p class="loading">"Waiting for the console…"</p> }.into_any(),
                (true, true) => view! { <NoSessions may_add/> }.into_any(),
                (true, false) => view! { <SessionTable names desk/> }.into_any(),
            }}
            <Show when=move || may_add.get()>
                <AddSession/>
            </Show>
            <RemoveQuestion desk/>
        </div>
    }
}

#[component]
fn NoSessions(may_add: Memo<bool>) -> impl IntoView {
    let first = move || match may_add.get() {
        true => "Add one below, or start the console with the QMP socket of a virtual machine:",
        false => {
            "Ask an admin to add one, or start the console with the QMP socket of a virtual machine:"
        }
    };
    view! {
        <Empty title="No sessions yet">
            <p>{first}</p>
            <pre class="mono example">"qmp-console serve --session vm=unix:/run/vm.qmp"</pre>
            <p>"and give QEMU that socket:"</p>
            <pre class="mono example">"qemu-system-x86_64 … -qmp unix:/run/vm.qmp,server=on,wait=off"</pre>
        </Empty>
    }
}

#[component]
fn SessionTable(names: Memo<Vec<String>>, desk: Desk) -> impl IntoView {
    view! {
        <table class="sessions" aria-label="Sessions">
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"VM"</th>
                    <th scope="col">"Endpoint"</th>
                    <th scope="col">"Since"</th>
                    <th scope="col" class="number">"Commands"</th>
                    <th scope="col" class="number">"Events"</th>
                    <th scope="col"><span class="visually-hidden">"Pages and actions"</span></th>
                </tr>
            </thead>
            <tbody>
                <For each=move || names.get() key=Clone::clone let:name>
                    <SessionRow name desk/>
                </For>
            </tbody>
        </table>
    }
}

#[component]
fn SessionRow(name: String, desk: Desk) -> impl IntoView {
    let store = use_store();
    let encoded = percent_encoded(&name);
    let commands = browser::at("/commands/") + &encoded;
    let events = browser::at("/events?session=") + &encoded;
    let shown_name = visible(&name).into_owned();
    let labels = [
        "Commands of ".to_owned() + &shown_name,
        "Events of ".to_owned() + &shown_name,
    ];
    let steered = name.clone();
    let info = Memo::new(move |_| store.with_sessions(|app| app.sessions.get(&name).cloned()));
    let state = move || {
        info.with(|info| {
            info.as_ref()
                .map(|info| badge(state_tone(info.state), info.state.as_str().to_owned()))
        })
    };
    let status = move || {
        info.with(|info| {
            let status = info.as_ref()?.status.as_deref()?;
            Some(badge(status_tone(status), visible(status).into_owned()))
        })
    };
    let address = move || {
        info.with(|info| {
            info.as_ref()
                .map(|info| visible(&info.address).into_owned())
        })
    };
    let what = move || info.with(|info| info.as_ref().map(endpoint).unwrap_or_default());
    let cause = move || {
        info.with(|info| {
            let cause = info.as_ref()?.cause.as_deref()?;
            Some(view! { <p class="cause verbatim">{visible(cause).into_owned()}</p> })
        })
    };
    let advice = move || {
        info.with(|info| advice(info.as_ref()?))
            .map(|advice| view! { <p class="advice">{advice}</p> })
    };
    let since = move || info.with(|info| Instant::parse(&info.as_ref()?.since));
    let count = move |of: fn(&qmp_shared::rest::Counters) -> u64| {
        move || info.with(|info| info.as_ref().map(|info| grouped(of(&info.counters))))
    };
    view! {
        <tr>
            <th scope="row" data-label="Name">{shown_name}</th>
            <td data-label="State">{state}</td>
            <td data-label="VM" class="vm">{status}</td>
            <td data-label="Endpoint" class="endpoint">
                <span class="mono address">{address}</span>
                <span class="muted version">{what}</span>
                {cause}
                {advice}
            </td>
            <td data-label="Since"><Since instant=Signal::derive(since)/></td>
            <td data-label="Commands" class="number">{count(|counters| counters.commands)}</td>
            <td data-label="Events" class="number">{count(|counters| counters.events)}</td>
            <td class="links">
                <div>
                    <a class="button" href=commands aria-label=labels[0].clone()>"Commands"</a>
                    <a class="button" href=events aria-label=labels[1].clone()>"Events"</a>
                </div>
                {steering(desk, steered, info)}
            </td>
        </tr>
    }
}

/// How long ago, with the exact time in its title.
#[component]
fn Since(instant: Signal<Option<Instant>>) -> impl IntoView {
    let store = use_store();
    let ago = move || {
        store.clock.track();
        instant
            .get()
            .map(|instant| instant.ago(browser::wall_clock()))
    };
    let exact = move || instant.get().map(|at| at.local(browser::offset(at)));
    view! { <span class="nowrap" title=exact>{ago}</span> }
}
