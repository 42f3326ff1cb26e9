//! What the manual says of a command: beside its form, and within it.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use qmp_shared::command::Path;
use qmp_shared::manual::{Entry, Example, Manual, MembersOf};
use qmp_shared::schema::EnumValue;

use super::form::{Desk, control_id};
use crate::state::editor::Editor;
use crate::state::manual::{brief, choices, literal, member, requests, type_of_arguments};
use crate::state::text::visible;
use crate::store::{ManualState, browser};
use crate::view::documentation::{Place, folded, has_machine, of_entry, paragraphs};
use crate::view::parts::focus_id;

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
        opens: browser::is_wide,
        is_open: RwSignal::new(false),
    };
    let said = move |manual: &Arc<Manual>| match manual.commands.get(&command) {
        Some(entry) => of_command(desk, manual, entry, &command),
        None => view! { <p class="muted">"The manual does not have this command."</p> }.into_any(),
    };
    folded(place, said, || None)
}

fn of_command(desk: Desk, manual: &Arc<Manual>, entry: &Entry, command: &str) -> AnyView {
    let examples = entry.examples.iter();
    let examples = examples
        .map(|shown| example(desk, shown, command))
        .collect_view();
    let is_shown = !entry.examples.is_empty();
    let of_type = desk.editor.with_value(|editor| {
        let schema = editor.schema()?;
        let arguments = schema.object(schema.command(command)?.arguments)?;
        let names = arguments.members.iter().map(|member| member.name.as_str());
        type_of_arguments(manual, command, &names.collect::<Vec<_>>())
    });
    let of_type = of_type.map(|name| MembersOf {
        type_name: name.to_owned(),
        ..MembersOf::default()
    });
    let mut entry = entry.clone();
    entry.also.extend(of_type);
    view! {
        {of_entry(manual, &entry, "Arguments")}
        {is_shown.then_some(view! { <h3>"Examples"</h3> {examples} })}
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
            desk.editor
                .update_value(|editor| editor.replace_by_json(text));
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
