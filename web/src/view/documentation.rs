//! What the manual says of a command: beside its form, and within it; and of
//! an event.
//!
//! Types are shown when they are asked for: their members have types, too.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use qmp_shared::command::Path;
use qmp_shared::manual::{Entry, Example, Manual, Member, MembersOf};
use qmp_shared::rest::SessionState;
use qmp_shared::schema::{EnumValue, Schema};
use wasm_bindgen::JsCast;

use super::commands::tag;
use super::form::{Desk, control_id};
use super::parts::focus_id;
use crate::state::editor::Editor;
use crate::state::manual::{
    Prose, brief, choices, is_of_another, item_type, literal, member, page, prose, requests,
};
use crate::state::text::visible;
use crate::store::{ManualState, SchemaState, Store, browser, use_store};

/// How many types deep members of other types count as a command's own.
const MAX_INLINE: usize = 3;

/// What a command does, in brief; where its documentation is not beside it.
pub(super) fn lead(desk: Desk) -> impl IntoView {
    let command = desk.editor.with_value(|editor| editor.command().to_owned());
    move || {
        let ManualState::Ready(manual) = desk.manual.get() else {
            return None;
        };
        let (text, _) = brief(&manual.commands.get(&command)?.text);
        (!text.is_empty()).then(|| view! { <p class="desk-lead muted">{text}</p> })
    }
}

/// What is said of an argument: the start, and the rest on demand.
pub(super) fn argument_text(desk: Desk, path: Path) -> impl IntoView {
    let id = control_id(&path) + "-text";
    let about = " about ".to_owned() + &visible(&path.to_string());
    let text = Memo::new(move |_| {
        let ManualState::Ready(manual) = desk.manual.get() else {
            return Vec::new();
        };
        let member = desk.drawn(|editor| member(&manual, editor.form()?, &path).cloned());
        member.map(|member| member.text).unwrap_or_default()
    });
    let is_whole = RwSignal::new(false);
    move || {
        let (start, has_more) = text.with(|text| brief(text));
        let more = has_more.then(|| {
            let about = about.clone();
            let word = move || if is_whole.get() { "Less" } else { "More" };
            view! {
                <button
                    type="button"
                    class="more"
                    aria-label=move || word().to_owned() + &about
                    aria-expanded=move || is_whole.get().to_string()
                    on:click=move |_| is_whole.update(|is_whole| *is_whole = !*is_whole)
                >
                    {word}
                </button>
            }
        });
        (!start.is_empty()).then(|| {
            view! {
                <div class="argument-text">
                    <div id=id.clone()>
                        {move || match is_whole.get() {
                            true => text.with(|text| paragraphs(text)),
                            false => start.clone().into_any(),
                        }}
                    </div>
                    {more}
                </div>
            }
        })
    }
}

/// What is said of each value of the enum at the path, by name.
pub(super) fn texts_of_values(
    desk: Desk,
    path: StoredValue<Path>,
    values: &[EnumValue],
) -> HashMap<String, String> {
    let (ManualState::Ready(manual), Some(first)) = (desk.manual.get_untracked(), values.first())
    else {
        return HashMap::new();
    };
    let entry = path.with_value(|path| {
        let of_form = |editor: &Editor| choices(&manual, editor.form()?, path, &first.name);
        desk.editor.with_value(of_form)
    });
    let said = entry.into_iter().flat_map(|entry| &entry.members);
    let said = said.filter(|(_, member)| !member.text.is_empty());
    said.map(|(name, member)| {
        let text = member.text.iter().map(|text| visible(text).into_owned());
        (name.clone(), text.collect::<Vec<_>>().join(" "))
    })
    .collect()
}

/// What is said of the chosen value, under that id.
pub(super) fn chosen_text(
    chosen: Memo<String>,
    texts: &HashMap<String, String>,
    id: String,
) -> impl IntoView + use<> {
    let texts = texts.clone();
    move || {
        let text = chosen.with(|chosen| texts.get(chosen).cloned());
        text.map(|text| view! { <p class="hint" id=id.clone()>{text}</p> })
    }
}

/// All that the manual says of the command.
#[component]
pub(super) fn Documentation(desk: Desk, session: String) -> impl IntoView {
    let command = desk.editor.with_value(|editor| editor.command().to_owned());
    let has_machine = desk.editor.with_value(|editor| {
        let schema = editor.schema();
        schema.is_some_and(|schema| has_machine(schema))
    });
    let place = Place {
        store: desk.store,
        session,
        manual: desk.manual,
        has_machine: Signal::stored(has_machine),
        kept: "documentation",
        opens: browser::is_wide(),
        is_open: RwSignal::new(false),
    };
    let said = move |manual: &Arc<Manual>| match manual.commands.get(&command) {
        Some(entry) => of_command(desk, manual, entry, &command),
        None => view! { <p class="muted">"The manual does not have this command."</p> }.into_any(),
    };
    folded(place, said, || None)
}

/// All that the manual says of an event.
#[component]
pub(super) fn EventDocumentation(
    session: String,
    event: String,
    /// The schema of the session, with which the manual comes.
    schema: RwSignal<SchemaState>,
    /// Asks for the schema.
    load: impl Fn() + 'static,
) -> impl IntoView {
    let store = use_store();
    let manual = {
        let session = session.clone();
        Memo::new(move |_| store.manual(&session))
    };
    let has_machine = Signal::derive(move || {
        schema.with(|schema| matches!(schema, SchemaState::Ready(schema) if has_machine(schema)))
    });
    let place = Place {
        store,
        session: session.clone(),
        manual,
        has_machine,
        kept: "event-documentation",
        opens: false,
        is_open: RwSignal::new(false),
    };
    let is_open = place.is_open;
    Effect::new(move || {
        if is_open.get() && manual.get() == ManualState::Unknown {
            load();
        }
    });
    let said = move |manual: &Arc<Manual>| {
        let Some(entry) = manual.events.get(&event) else {
            return view! { <p class="muted">"The manual does not have this event."</p> }
                .into_any();
        };
        let examples = entry.examples.iter().map(|example| {
            view! { {paragraphs(&example.title)} <pre>{literal(&example.text)}</pre> }
        });
        let examples = examples.collect_view();
        let is_shown = !entry.examples.is_empty();
        view! {
            {of_entry(manual, entry, "Data")}
            {is_shown.then_some(view! { <h3>"Examples"</h3> {examples} })}
        }
        .into_any()
    };
    let waiting = move || {
        let state = store.with_sessions(|app| app.sessions.get(&session).map(|info| info.state));
        let words = match (state, schema.get()) {
            (None, _) => {
                "The console has no such session, so there is no documentation.".to_owned()
            }
            (_, SchemaState::Unavailable(problem)) => visible(&problem.detail).into_owned(),
            (Some(SessionState::Running), _) => "Asking for the documentation…".to_owned(),
            (Some(_), _) => "The documentation is there when the session is running.".to_owned(),
        };
        Some(view! { <p class="muted" role="status">{words}</p> }.into_any())
    };
    folded(place, said, waiting)
}

fn has_machine(schema: &Schema) -> bool {
    schema.command("query-status").is_some()
}

/// Where documentation is shown, and of what it is.
struct Place {
    store: Store,
    session: String,
    manual: Memo<ManualState>,
    /// Whether the endpoint has a machine, and not only storage.
    has_machine: Signal<bool>,
    /// The name by which it is remembered whether it is open.
    kept: &'static str,
    /// Whether it is open as long as nobody said.
    opens: bool,
    is_open: RwSignal<bool>,
}

/// A title that folds out what is `said` by the manual, or why it is not.
fn folded(
    place: Place,
    said: impl Fn(&Arc<Manual>) -> AnyView + Clone + Send + Sync + 'static,
    waiting: impl Fn() -> Option<AnyView> + Clone + Send + Sync + 'static,
) -> impl IntoView {
    let Place {
        store,
        session,
        manual,
        has_machine,
        is_open,
        ..
    } = place;
    let kept = store.kept::<bool>(place.kept);
    let was_open = untrack(|| kept.with(|kept| kept.first().copied()));
    is_open.set(was_open.unwrap_or(place.opens));
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

fn of_command(desk: Desk, manual: &Arc<Manual>, entry: &Entry, command: &str) -> AnyView {
    let examples = entry.examples.iter();
    let examples = examples
        .map(|shown| example(desk, shown, command))
        .collect_view();
    let is_shown = !entry.examples.is_empty();
    view! {
        {of_entry(manual, entry, "Arguments")}
        {is_shown.then_some(view! { <h3>"Examples"</h3> {examples} })}
    }
    .into_any()
}

/// What is said of a command or type; `members` is what its members are called.
fn of_entry(manual: &Arc<Manual>, entry: &Entry, members: &'static str) -> AnyView {
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

/// An exchange on the wire; what it sends can be edited.
fn example(desk: Desk, example: &Example, command: &str) -> impl IntoView + use<> {
    let found = requests(&example.text, command);
    let count = found.len();
    let buttons = found.into_iter().enumerate().map(|(index, text)| {
        let label = match count {
            1 => "Use this example".to_owned(),
            _ => "Use message ".to_owned() + &(index + 1).to_string(),
        };
        let take = move |_| {
            let text = text.clone();
            desk.editor.update_value(|editor| editor.fill_in_json(text));
            desk.changed();
            let words = "The example can be edited as JSON. Nothing was sent.";
            desk.store.announcement.set(words.to_owned());
            request_animation_frame(|| focus_id("entered-text"));
        };
        view! { <button type="button" class="small" on:click=take>{label}</button> }
    });
    let text = (!example.text.is_empty()).then(|| literal(&example.text));
    view! {
        {paragraphs(&example.title)}
        {(count > 0).then(|| view! { <div class="actions">{buttons.collect_view()}</div> })}
        {text.map(|text| view! { <pre>{text}</pre> })}
    }
}

fn paragraphs(text: &[String]) -> AnyView {
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
