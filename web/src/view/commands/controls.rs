//! The controls of a form, one for each kind of type.

use leptos::prelude::*;
use qmp_shared::command::{Action, Path};
use qmp_shared::schema::{Builtin, Type, TypeId};

use super::documentation::{chosen_text, texts_of_values};
use super::form::{CHOSEN, Desk, control_id, described_by, object};
use super::properties::{completed_text, value_hint};
use crate::state::editor::Control;
use crate::state::text::visible;
use crate::view::parts::keep_focus;

/// What the id of the hint ends with that says as what a value is sent.
const UNDERSTOOD: &str = "-understood";

/// A value and what is wrong with it; `label` is what its control is called.
pub(super) fn value(desk: Desk, path: Path, label: String) -> AnyView {
    let id = control_id(&path) + "-fault";
    let path_of_fault = path.clone();
    let fault = Memo::new(move |_| desk.fault(&path_of_fault));
    view! {
        {control(desk, path, label, false)}
        <p class="fault" id=id>{fault}</p>
    }
    .into_any()
}

/// The control of a value; `inside` is that of an alternate's chosen type.
fn control(desk: Desk, path: Path, label: String, inside: bool) -> AnyView {
    let path = StoredValue::new(path);
    let kind = Memo::new(move |_| {
        path.with_value(|path| desk.drawn(|editor| editor.control(path, inside)))
    });
    let draw = move || {
        let Some((ty, control)) = kind.get() else {
            return ().into_any();
        };
        let (path, label) = (path.get_value(), label.clone());
        match control {
            Control::Text(builtin) => text(desk, path, label, builtin),
            Control::Bool => boolean(desk, path, label),
            Control::Null => view! { <span class="mono muted">"null"</span> }.into_any(),
            Control::Choice => choice(desk, path, label, ty),
            Control::Object => nested(desk, path, label),
            Control::Array => array(desk, path, label),
            Control::Alternate => alternate(desk, path, label, ty),
            Control::Raw(builtin) => raw(desk, path, label, builtin),
        }
    };
    draw.into_any()
}

/// What the controls of single values have in common.
fn is_wrong(desk: Desk, path: StoredValue<Path>) -> impl Fn() -> Option<&'static str> + Copy {
    move || path.with_value(|path| desk.fault(path)).map(|_| "true")
}

fn text(desk: Desk, path: Path, label: String, builtin: Builtin) -> AnyView {
    let id = control_id(&path);
    let described_by = described_by(&path);
    let source = desk.source(&path).filter(|_| builtin == Builtin::String);
    let path = StoredValue::new(path);
    let entered = move || path.with_value(|path| desk.drawn(|editor| editor.text(path)));
    let is_empty = Memo::new(move |_| {
        path.with_value(|path| desk.typed(|editor| editor.is_empty_string(path)))
    });
    let empty_hint = move || {
        is_empty
            .get()
            .then(|| view! { <p class="hint">"Sent as the empty string."</p> })
    };
    if let Some(source) = source.filter(|_| !untrack(entered).contains(['\n', '\r'])) {
        let value = Signal::derive(entered);
        let is_wrong = is_wrong(desk, path);
        let is_wrong = Signal::derive(move || is_wrong().is_some());
        return view! {
            {completed_text(desk, path.get_value(), label, source, value, is_wrong)}
            {empty_hint}
        }
        .into_any();
    }
    let (placeholder, understood) = match builtin {
        Builtin::Int => ("42, 0x2a, 1.5 GiB", Some(understood_text(desk, path))),
        Builtin::Number => ("0.5", None),
        _ => ("", None),
    };
    let described_by = described_by + " " + &id + UNDERSTOOD;
    // The box of a line would take the ends of lines out.
    let has_lines =
        Memo::new(move |before| before == Some(&true) || entered().contains(['\n', '\r']));
    let is_text = builtin == Builtin::String;
    let edit = move |event| {
        desk.edit(
            path.get_value(),
            Action::SetText(event_target_value(&event)),
        )
    };
    let input = move || {
        if is_text && has_lines.get() {
            // A box of text has no carriage returns, and would lose them.
            let is_fixed = move || entered().contains('\r');
            return view! {
                <textarea
                    class="mono"
                    rows="4"
                    id=id.clone()
                    aria-label=label.clone()
                    aria-describedby=described_by.clone()
                    aria-invalid=is_wrong(desk, path)
                    spellcheck="false"
                    readonly=is_fixed
                    prop:value=entered
                    on:input=edit
                ></textarea>
                {move || is_fixed().then(|| view! {
                    <p class="hint">"It has carriage returns: the JSON view can change it."</p>
                })}
            }
            .into_any();
        }
        view! {
            <input
                type="text"
                class="mono"
                id=id.clone()
                aria-label=label.clone()
                aria-describedby=described_by.clone()
                aria-invalid=is_wrong(desk, path)
                placeholder=placeholder
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                prop:value=entered
                on:input=edit
            />
        }
        .into_any()
    };
    view! {
        {input}
        {empty_hint}
        {understood}
    }
    .into_any()
}

/// As what an integer is sent, where that is not as it was typed.
fn understood_text(desk: Desk, path: StoredValue<Path>) -> impl IntoView {
    let id = path.with_value(control_id) + UNDERSTOOD;
    let text =
        Memo::new(move |_| path.with_value(|path| desk.typed(|editor| editor.understood(path))));
    view! { <p class="hint" id=id role="status">{text}</p> }
}

fn raw(desk: Desk, path: Path, label: String, builtin: Builtin) -> AnyView {
    let id = control_id(&path);
    let described_by = described_by(&path);
    let hint = value_hint(desk, &path);
    let path = StoredValue::new(path);
    let placeholder = match builtin {
        Builtin::Object => "JSON: {\"key\": \"value\"}",
        Builtin::Array => "JSON: [1, 2]",
        _ => "JSON: 1, \"text\", true, {…}",
    };
    view! {
        <textarea
            class="mono"
            rows="2"
            id=id
            aria-label=label
            aria-describedby=described_by
            aria-invalid=is_wrong(desk, path)
            placeholder=placeholder
            autocapitalize="off"
            spellcheck="false"
            prop:value=move || path.with_value(|path| desk.drawn(|editor| editor.text(path)))
            on:input=move |event| {
                desk.edit(path.get_value(), Action::SetText(event_target_value(&event)));
            }
        ></textarea>
        {hint}
    }
    .into_any()
}

fn boolean(desk: Desk, path: Path, label: String) -> AnyView {
    let id = control_id(&path);
    let described_by = described_by(&path);
    let path = StoredValue::new(path);
    let is_true =
        Memo::new(move |_| path.with_value(|path| desk.drawn(|editor| editor.is_true(path))));
    view! {
        <span class="boolean">
            <input
                type="checkbox"
                id=id
                aria-label=label
                aria-describedby=described_by
                prop:checked=is_true
                on:change=move |event| {
                    desk.edit(path.get_value(), Action::SetBool(event_target_checked(&event)));
                }
            />
            <span class="mono" aria-hidden="true">
                {move || if is_true.get() { "true" } else { "false" }}
            </span>
        </span>
    }
    .into_any()
}

fn choice(desk: Desk, path: Path, label: String, ty: TypeId) -> AnyView {
    let id = control_id(&path);
    let described_by = described_by(&path);
    let path = StoredValue::new(path);
    let values =
        desk.editor
            .with_value(|editor| match editor.schema().map(|schema| schema.ty(ty)) {
                Some(Type::Enum { values }) => values.clone(),
                _ => Vec::new(),
            });
    let chosen = Memo::new(move |_| path.with_value(|path| desk.drawn(|editor| editor.text(path))));
    let texts = texts_of_values(desk, path, &values);
    let described_by = described_by + " " + &id + CHOSEN;
    let chosen_text = chosen_text(chosen, &texts, id.clone() + CHOSEN);
    let options = values.into_iter().map(|value| {
        let mut words = visible(&value.name).into_owned();
        if value.features.deprecated {
            words.push_str(" (deprecated)");
        }
        if value.features.unstable {
            words.push_str(" (unstable)");
        }
        let name = value.name.clone();
        let title = texts.get(&name).cloned();
        let is_it = move || chosen.with(|chosen| *chosen == name);
        view! { <option value=value.name title=title prop:selected=is_it>{words}</option> }
    });
    view! {
        <select
            class="mono"
            id=id
            aria-label=label
            aria-describedby=described_by
            aria-invalid=is_wrong(desk, path)
            on:change=move |event| {
                desk.edit(path.get_value(), Action::Choose(event_target_value(&event)));
            }
        >
            <option value="" disabled prop:selected=move || chosen.with(String::is_empty)>
                "choose…"
            </option>
            {options.collect_view()}
        </select>
        {chosen_text}
    }
    .into_any()
}

fn nested(desk: Desk, path: Path, label: String) -> AnyView {
    view! {
        <div class="nested" role="group" aria-label=label>
            {object(desk, path)}
        </div>
    }
    .into_any()
}

fn array(desk: Desk, path: Path, label: String) -> AnyView {
    let id = control_id(&path);
    let path = StoredValue::new(path);
    let count = Memo::new(move |_| path.with_value(|path| desk.drawn(|editor| editor.items(path))));
    let add_id = id.clone();
    let add = "Add an item to ".to_owned() + &label;
    let name = label.clone();
    view! {
        <div class="nested" role="group" aria-label=label>
            <For
                each=move || 0..count.get()
                key=|index| *index
                children=move |index| item(desk, path.get_value().index(index), index, count, (&name, &add_id))
            />
            <button
                type="button"
                class="small"
                id=id
                aria-label=add
                on:click=move |_| desk.edit(path.get_value(), Action::Push)
            >
                "Add item"
            </button>
        </div>
    }
    .into_any()
}

/// An item of an array; `array` is the array's name and the id of the button
/// that adds one.
fn item(desk: Desk, path: Path, index: usize, count: Memo<usize>, array: (&str, &str)) -> AnyView {
    let (array, add_id) = (array.0, array.1.to_owned());
    let id = control_id(&path);
    let label = array.to_owned() + "[" + &index.to_string() + "]";
    let button = |word: &'static str, glyph: &'static str| {
        let name = word.to_owned() + " " + &label;
        (name.clone(), name, glyph)
    };
    let (up, down, remove) = (
        button("Move up", "↑"),
        button("Move down", "↓"),
        button("Remove", "✕"),
    );
    let path = StoredValue::new(path);
    let act = move |action| desk.edit(path.get_value(), action);
    let is_last = move || index + 1 >= count.get();
    view! {
        <div class="item">
            <div class="item-head">
                <label for=id class="mono muted">"["{index}"]"</label>
                <button
                    type="button" class="quiet small icon" aria-label=up.0 title=up.1
                    disabled=index == 0
                    on:click=move |_| act(Action::MoveTo(index.saturating_sub(1)))
                >{up.2}</button>
                <button
                    type="button" class="quiet small icon" aria-label=down.0 title=down.1
                    disabled=is_last
                    on:click=move |_| act(Action::MoveTo(index + 1))
                >{down.2}</button>
                <button
                    type="button" class="quiet small icon" aria-label=remove.0 title=remove.1
                    on:click=move |_| {
                        act(Action::Remove);
                        // The next item has this place now, unless it was the last.
                        keep_focus(add_id.clone());
                    }
                >{remove.2}</button>
            </div>
            <div class="control">{value(desk, path.get_value(), label)}</div>
        </div>
    }
    .into_any()
}

fn alternate(desk: Desk, path: Path, label: String, ty: TypeId) -> AnyView {
    let choices =
        desk.editor
            .with_value(|editor| match editor.schema().map(|schema| schema.ty(ty)) {
                Some(Type::Alternate { choices }) => choices.clone(),
                _ => Vec::new(),
            });
    let path = StoredValue::new(path);
    let branch =
        Memo::new(move |_| path.with_value(|path| desk.drawn(|editor| editor.branch(path))));
    let options = choices.into_iter().enumerate().map(|(index, ty)| {
        let is_it = move || branch.get() == index;
        view! { <option value=index.to_string() prop:selected=is_it>{desk.describe(ty)}</option> }
    });
    let choose = move |event| {
        if let Ok(index) = event_target_value(&event).parse() {
            desk.edit(path.get_value(), Action::Branch(index));
        }
    };
    // Another type may have the same control; what it shows is another all the same.
    let chosen = move || {
        branch.track();
        control(desk, path.get_value(), label.clone(), true)
    };
    let name = "Type of ".to_owned() + &label_of(path);
    view! {
        <select class="branch" aria-label=name on:change=choose>{options.collect_view()}</select>
        {chosen}
    }
    .into_any()
}

fn label_of(path: StoredValue<Path>) -> String {
    visible(&path.with_value(Path::to_string)).into_owned()
}
