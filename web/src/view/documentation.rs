//! What the manual says of something, as it is shown wherever it is.
//!
//! Types are shown when they are asked for: their members have types, too.

use std::sync::Arc;

use leptos::prelude::*;
use qmp_shared::manual::{Entry, Manual, Member, MembersOf};
use qmp_shared::schema::Schema;
use wasm_bindgen::JsCast;

use super::commands::tag;
use crate::state::manual::{Prose, is_of_another, item_type, page, prose};
use crate::state::text::visible;
use crate::store::{ManualState, Store};

/// How many types deep members of other types count as a command's own.
const MAX_INLINE: usize = 3;

/// Whether the endpoint has a machine.
pub(super) fn has_machine(schema: &Schema) -> bool {
    schema.command("query-status").is_some()
}

/// Where documentation is shown, and of what it is.
pub(super) struct Place {
    /// The store.
    pub(super) store: Store,
    /// The session.
    pub(super) session: String,
    /// Its manual.
    pub(super) manual: Memo<ManualState>,
    /// Whether the endpoint has a machine, and not only storage.
    pub(super) has_machine: Signal<bool>,
    /// The name by which it is remembered whether it is open.
    pub(super) kept: &'static str,
    /// Whether it is open as long as nobody said, asked again whenever the
    /// window has another size.
    pub(super) opens: fn() -> bool,
    /// Whether it is open.
    pub(super) is_open: RwSignal<bool>,
}

/// A title that folds out what is `said` by the manual, or why it is not.
pub(super) fn folded(
    place: Place,
    said: impl Fn(&Arc<Manual>) -> AnyView + Clone + Send + Sync + 'static,
    waiting: impl Fn() -> Option<AnyView> + Clone + Send + Sync + 'static,
) -> impl IntoView {
    let Place {
        store,
        session,
        manual,
        has_machine,
        opens,
        is_open,
        ..
    } = place;
    let kept = store.kept::<bool>(place.kept);
    let was_open = move || untrack(|| kept.with(|kept| kept.first().copied()));
    is_open.set(was_open().unwrap_or_else(opens));
    let on_resize = window_event_listener(leptos::ev::resize, move |_| {
        if was_open().is_none() && is_open.get_untracked() != opens() {
            is_open.set(opens());
        }
    });
    on_cleanup(move || on_resize.remove());
    let info = Memo::new(move |_| {
        store.with_sessions(|app| {
            let info = app.sessions.get(&session)?;
            let release = info.greeting.as_ref().map(|greeting| greeting.version.qemu);
            Some((info.kind, release))
        })
    });
    let version = move || match manual.get() {
        ManualState::Ready(manual) => {
            let version = manual.version.as_deref();
            version.map(|version| "QEMU ".to_owned() + &visible(version))
        }
        _ => None,
    };
    let body = move || match manual.get() {
        ManualState::Unknown => waiting(),
        ManualState::Missing => {
            let (page, package) = page(info.get()?.0, has_machine.get());
            Some(missing(page, package).into_any())
        }
        ManualState::Ready(manual) => {
            let other = info.get().and_then(|(_, release)| release);
            let other = other.filter(|release| is_of_another(&manual, *release));
            let other = other.map(|release| {
                view! {
                    <p class="notice">
                        "The endpoint is QEMU " {release.to_string()}
                        ": not all of this needs to hold for it."
                    </p>
                }
            });
            Some(view! { {other} {said(&manual)} }.into_any())
        }
    };
    let on_toggle = move |event: leptos::ev::Event| {
        let open = is_now_open(&event);
        if open != is_open.get_untracked() {
            is_open.set(open);
            kept.change(1, |kept| *kept = vec![open]);
        }
    };
    view! {
        <section class="documentation" aria-label="Documentation">
            <details prop:open=is_open on:toggle=on_toggle>
                <summary>
                    <h2>"Documentation"</h2>
                    <span class="muted small-text">{version}</span>
                </summary>
                <Show when=move || is_open.get()>
                    <div class="documentation-text">{body.clone()}</div>
                </Show>
            </details>
        </section>
    }
}

fn missing(page: &'static str, package: &'static str) -> impl IntoView {
    view! {
        <p>
            "The console's host has no manual page " <span class="mono">{page}</span>
            ", so there is no documentation of this endpoint."
        </p>
        <p class="muted">
            "Debian and Ubuntu have it in the package " <span class="mono">{package}</span>
            ". Install it where the console runs, and start the console again."
        </p>
    }
}

/// What is said of a command or type; `members` is what its members are called.
pub(super) fn of_entry(manual: &Arc<Manual>, entry: &Entry, members: &'static str) -> AnyView {
    let has_members = !entry.members.is_empty() || !entry.also.is_empty();
    let section = |title: &'static str, text: &[String]| {
        let shown = (!text.is_empty()).then(|| paragraphs(text));
        shown.map(|shown| view! { <h3>{title}</h3> {shown} })
    };
    let fact = |title: &'static str, text: &Option<String>| {
        let shown = text.as_deref().map(|text| visible(text).into_owned());
        shown.map(|shown| view! { <dt>{title}</dt> <dd>{shown}</dd> })
    };
    let has_facts = entry.since.is_some() || entry.condition.is_some();
    let facts = has_facts.then(|| {
        view! {
            <dl class="facts small-text">
                {fact("Since", &entry.since)}
                {fact("Built with", &entry.condition)}
            </dl>
        }
    });
    view! {
        {paragraphs(&entry.text)}
        {entry.features.iter().map(|(name, text)| feature(name, text)).collect_view()}
        {has_members.then(|| view! { <h3>{members}</h3> {of_members(manual, entry, MAX_INLINE)} })}
        {section("Returns", &entry.returns)}
        {section("Errors", &entry.errors)}
        {section("Notes", &entry.notes)}
        {facts}
    }
    .into_any()
}

fn feature(name: &str, text: &[String]) -> impl IntoView + use<> {
    let word = match name {
        "deprecated" => tag("deprecated").into_any(),
        "unstable" => tag("unstable").into_any(),
        _ => view! { <span class="tag">{visible(name).into_owned()}</span> }.into_any(),
    };
    view! { <div class="feature">{word} <div>{paragraphs(text)}</div></div> }
}

/// Members, required ones first, then those that stand in other types: at once,
/// `depth` types deep, or when they are asked for.
fn of_members(manual: &Arc<Manual>, entry: &Entry, depth: usize) -> AnyView {
    let mut members: Vec<_> = entry.members.iter().collect();
    members.sort_by_key(|(_, member)| member.optional);
    let own = (!members.is_empty()).then(|| {
        let shown = members
            .iter()
            .map(|(name, member)| of_member(manual, name, member));
        view! { <dl class="members">{shown.collect_view()}</dl> }
    });
    let also = entry.also.iter().map(|of| also(manual, of, depth));
    view! { {own} {also.collect_view()} }.into_any()
}

fn of_member(manual: &Arc<Manual>, name: &str, member: &Member) -> impl IntoView + use<> {
    let type_name = member.type_name.as_deref().unwrap_or_default();
    let mut base = type_name;
    while let Some(item) = item_type(base) {
        base = item;
    }
    let shown = visible(type_name).into_owned();
    let is_known = manual.types.contains_key(base);
    let details = is_known.then(|| of_type(manual, base, shown.clone()));
    let condition = member.condition.as_deref();
    let condition = condition.map(|text| "built with ".to_owned() + &visible(text));
    view! {
        <dt>
            <span class="mono">{visible(name).into_owned()}</span>
            {(!is_known).then_some(view! { <span class="type">{shown}</span> })}
            {member.optional.then(|| view! { <span class="type">"optional"</span> })}
            {condition.map(|words| view! { <span class="type">{words}</span> })}
        </dt>
        <dd>{paragraphs(&member.text)} {details}</dd>
    }
}

/// The members of another type; of a union's branch when they are asked for.
fn also(manual: &Arc<Manual>, of: &MembersOf, depth: usize) -> AnyView {
    let Some(entry) = manual.types.get(&of.type_name) else {
        return ().into_any();
    };
    let words = match &of.when {
        None if depth > 0 => return of_members(manual, entry, depth - 1),
        None => "and the members of ".to_owned() + &of.type_name,
        Some(when) => ["if ", &when.member, " is ", &when.value].concat(),
    };
    of_type(manual, &of.type_name, visible(&words).into_owned())
}

/// A type of the manual, shown when it is asked for.
fn of_type(manual: &Arc<Manual>, name: &str, words: String) -> AnyView {
    let (manual, name) = (Arc::clone(manual), name.to_owned());
    let is_open = RwSignal::new(false);
    let body = move || {
        let entry = manual.types.get(&name).filter(|_| is_open.get());
        entry.map(|entry| {
            // Of an enum they have no type.
            let is_enum = entry.also.is_empty()
                && entry
                    .members
                    .values()
                    .all(|member| member.type_name.is_none());
            let words = if is_enum { "Values" } else { "Members" };
            of_entry(&manual, entry, words)
        })
    };
    view! {
        <details class="type-text" on:toggle=move |event| is_open.set(is_now_open(&event))>
            <summary class="mono">{words}</summary>
            {body}
        </details>
    }
    .into_any()
}

/// Text of the manual.
pub(super) fn paragraphs(text: &[String]) -> AnyView {
    let shown = text.iter().map(|text| match prose(text) {
        Prose::Text(text) => view! { <p>{text}</p> }.into_any(),
        Prose::Item(text) => view! { <p class="list-item">{text}</p> }.into_any(),
        Prose::Literal(text) => view! { <pre>{text}</pre> }.into_any(),
    });
    shown.collect_view().into_any()
}

/// Whether the `details` that was toggled is open.
fn is_now_open(event: &leptos::ev::Event) -> bool {
    let target = event.target();
    let target = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| target.has_attribute("open"))
}
