//! Arguments that are completed by what the endpoint says of its types and
//! objects, and the properties of a device, which its driver describes.

use std::sync::Arc;

use leptos::prelude::*;
use qmp_shared::command::{Action, Form, Path, Step};

use super::form::{ADD, Desk, control_id, described_by};
use crate::state::completion::{Completion, MOST};
use crate::state::editor::Editor;
use crate::state::lookups::{
    Answer, Known, OBJECTS, Property, Query, Source, directory, driver_of, is_asked_unbidden,
    is_risky, source, suggest_names, suggest_paths, suggest_properties, value_words,
};
use crate::state::text::visible;
use crate::view::completing::CompletedInput;

impl Desk {
    /// What completes the argument.
    pub(super) fn source(self, path: &Path) -> Option<Source> {
        let of_form = |editor: &Editor| source(editor.schema()?, editor.form()?, path);
        self.editor.with_value(of_form)
    }

    fn look_up(self, query: Query) {
        let session = self.session.get_value();
        self.store.look_up(&session, query);
    }

    fn looked_up(self, query: &Query) -> Known {
        let looked_up = |session: &String| self.store.looked_up(session, query);
        self.session.with_value(looked_up)
    }

    /// What another argument says, of the ones at the top.
    fn argument(self, name: &str) -> String {
        let path = Path::root().member(name);
        let text = self.typed(|editor| editor.text(&path));
        text.trim().to_owned()
    }

    /// Has the properties of the device that is entered asked for while
    /// `is_wanted`, if that is harmless; as soon as that can be told.
    fn ask_for_properties(self, is_wanted: RwSignal<bool>) {
        let types = Memo::new(move |_| self.looked_up(&Query::DeviceTypes));
        Effect::new(move || {
            let is_wanted = is_wanted.get();
            let types = types.get();
            let driver = self
                .editor
                .with_value(|editor| editor.form().and_then(driver_of));
            let driver = driver.filter(|driver| is_wanted && is_asked_unbidden(driver, &types));
            if let Some(driver) = driver {
                self.look_up(Query::DeviceProperties(driver));
            }
        });
    }

    /// The property that the arguments speak of, once it is known.
    fn named_property(self, of: &str) -> Option<Property> {
        let name = self.argument("property");
        let Known::Answer(answer) = self.looked_up(&Query::Tree(self.argument(of))) else {
            return None;
        };
        let Answer::Properties(properties) = &*answer else {
            return None;
        };
        properties.iter().find(|known| known.name == name).cloned()
    }
}

/// A line of text that is completed.
pub(super) fn completed_text(
    desk: Desk,
    path: Path,
    label: String,
    source: Source,
    value: Signal<String>,
    is_wrong: Signal<bool>,
) -> AnyView {
    let id = control_id(&path);
    let hint_id = id.clone() + "-lookup";
    let described_by = described_by(&path) + " " + &hint_id;
    let source = StoredValue::new(source);
    let path = StoredValue::new(path);
    let query = move |typed: &str, caret: usize| {
        source.with_value(|source| match source {
            Source::Names(query) => Some(query.clone()),
            Source::Paths => directory(typed, caret).map(|path| Query::Tree(path.to_owned())),
            Source::PropertyNames(of) => {
                let path = untrack(|| desk.argument(of));
                (!path.is_empty()).then_some(Query::Tree(path))
            }
            Source::Inside(path) => Some(Query::Tree((*path).to_owned())),
            Source::PropertyValue => None,
            Source::Words => {
                let is_link = property_of(desk, path).is_some_and(|it| it.ty.starts_with("link<"));
                is_link.then(|| Query::Tree(OBJECTS.to_owned()))
            }
        })
    };
    // Of what the hint speaks: it changes with the text.
    let asked = RwSignal::new(None::<Query>);
    let ask = move |typed: &str, caret: usize| {
        let query = query(typed, caret);
        asked.set(query.clone());
        if let Some(query) = query {
            desk.look_up(query);
        }
    };
    let complete = move |typed: &str, caret: usize| {
        let known = query(typed, caret).map(|query| untrack(|| desk.looked_up(&query)));
        let answer = match known {
            Some(Known::Answer(answer)) => Some(answer),
            _ => None,
        };
        source.with_value(|source| complete(desk, path, source, answer.as_deref(), typed, caret))
    };
    let is_driver = path.with_value(|path| *path == Path::root().member("driver"));
    // Once a device is chosen.
    let is_left = RwSignal::new(false);
    if is_driver {
        desk.ask_for_properties(is_left);
    }
    let hint = move || {
        let known = asked.get().map(|query| (desk.looked_up(&query), query));
        let lookup = match known {
            Some((Known::Asked, query)) => Some("Asking for ".to_owned() + query.words() + "…"),
            Some((Known::Failed(why), query)) => {
                let failed = [query.words(), " could not be asked for: ", &visible(&why)];
                Some(failed.concat())
            }
            Some((Known::Answer(answer), _)) => many(&answer),
            _ => None,
        };
        lookup.or_else(|| match source.get_value() {
            Source::PropertyNames(of) => desk.named_property(of).map(|it| type_words(&it)),
            _ => None,
        })
    };
    view! {
        <div on:focusin=move |_| is_left.set(false) on:focusout=move |_| is_left.set(true)>
            <CompletedInput
                id=id
                label=label
                placeholder=""
                described_by=described_by
                value=value
                is_wrong=is_wrong
                set=move |text| desk.edit(path.get_value(), Action::SetText(text))
                complete=complete
                ask=ask
                news=Signal::derive(move || desk.store.lookups.track())
            />
        </div>
        <p class="hint lookup" id=hint_id role="status">{hint}</p>
    }
    .into_any()
}

/// Says that a list does not show all names, or that there are none.
fn many(answer: &Answer) -> Option<String> {
    let Answer::Names(names) = answer else {
        return None;
    };
    let words = " names are known: type a part of one.";
    match names.len() {
        0 => Some("There are none now.".to_owned()),
        count => (count > MOST).then(|| count.to_string() + words),
    }
}

fn complete(
    desk: Desk,
    path: StoredValue<Path>,
    source: &Source,
    answer: Option<&Answer>,
    typed: &str,
    caret: usize,
) -> Completion {
    match (source, answer) {
        (Source::Names(_), Some(Answer::Names(names))) => suggest_names(
            typed,
            names.iter().map(|name| (name.as_str(), String::new())),
        ),
        (Source::Paths, Some(Answer::Properties(inside))) => suggest_paths(typed, caret, inside),
        (Source::PropertyNames(_), Some(Answer::Properties(properties))) => {
            suggest_properties(typed, properties, |_| false)
        }
        (Source::Words | Source::Inside(_), Some(Answer::Properties(objects))) => {
            let objects = objects.iter().filter(|object| object.is_child());
            let objects = objects.map(|object| (object.name.as_str(), object.ty.clone()));
            suggest_names(typed, objects)
        }
        (Source::Words, None) => {
            let property = property_of(desk, path);
            let words = property.as_ref().map(value_words).unwrap_or_default();
            suggest_names(typed, words.into_iter().map(|word| (word, String::new())))
        }
        _ => Completion::default(),
    }
}

/// What describes the argument at the path, which the schema does not describe.
fn property_of(desk: Desk, path: StoredValue<Path>) -> Option<Property> {
    let of_path = |path: &Path| match path.0.as_slice() {
        [Step::Member(name)] => desk
            .editor
            .with_value(|editor| editor.property(name).cloned()),
        _ => None,
    };
    path.with_value(of_path)
}

fn type_words(property: &Property) -> String {
    let (ty, json) = (&property.ty, property.builtin().describe());
    let words = ["Of type ", &visible(ty)];
    let words = words.concat();
    match json == ty || json == "any value" {
        true => words,
        false => words + ", in JSON: " + json,
    }
}

/// What the value of `qom-set` has to be.
pub(super) fn value_hint(desk: Desk, path: &Path) -> Option<AnyView> {
    if desk.source(path)? != Source::PropertyValue {
        return None;
    }
    let hint = move || desk.named_property("path").map(|it| type_words(&it));
    Some(view! { <p class="hint" role="status">{hint}</p> }.into_any())
}

/// The type of an argument that the schema does not describe.
pub(super) fn property_type(desk: Desk, name: String) -> impl IntoView {
    move || {
        let ty = desk.drawn(|editor| editor.property(&name).map(|it| it.ty.clone()));
        ty.map_or_else(|| "any value".to_owned(), |ty| visible(&ty).into_owned())
    }
}

/// What is said of an argument that the schema does not describe.
pub(super) fn property_text(desk: Desk, path: &Path, name: String) -> impl IntoView + use<> {
    let id = control_id(path) + "-text";
    move || {
        let text = desk.drawn(|editor| editor.property(&name).map(Property::text));
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| {
            view! { <p class="argument-text" id=id.clone()>{visible(&text).into_owned()}</p> }
        })
    }
}

/// Adds a member that the schema does not describe: a property of a device.
#[component]
pub(super) fn AddMember(desk: Desk, path: StoredValue<Path>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let id = path.with_value(control_id) + ADD;
    let hint_id = id.clone() + "-hint";
    let add = move || {
        let entered = name.get_untracked().trim().to_owned();
        if !entered.is_empty() {
            desk.edit(path.get_value(), Action::AddUndescribed(entered));
            name.set(String::new());
        }
    };
    let driver = Memo::new(move |_| desk.typed(|editor| editor.form().and_then(driver_of)));
    let is_used = RwSignal::new(false);
    desk.ask_for_properties(is_used);
    let known = Memo::new(move |_| {
        let driver = driver.get()?;
        Some(desk.looked_up(&Query::DeviceProperties(driver)))
    });
    Effect::new(move || {
        let answer = match known.get() {
            Some(Known::Answer(answer)) => Some(answer),
            _ => None,
        };
        let is_other = desk
            .editor
            .try_update_value(|editor| editor.describe(answer));
        if is_other == Some(true) {
            desk.changed();
        }
    });
    let complete = move |typed: &str, _: usize| {
        desk.editor.with_value(|editor| {
            let there = editor.form().map(Form::fields).unwrap_or_default();
            let is_there = |name: &str| there.iter().any(|field| field.name == name);
            suggest_properties(typed, editor.properties(), is_there)
        })
    };
    view! {
        <div class="add-member">
            <label for=id.clone()>"Another argument"</label>
            <div
                class="add-member-row"
                on:focusout=move |_| is_used.set(false)
                on:keydown=move |event| {
                    let is_plain = !event.ctrl_key() && !event.meta_key();
                    // Unless it has chosen a suggestion.
                    if event.key() == "Enter" && is_plain && !event.default_prevented() {
                        event.prevent_default();
                        add();
                    }
                }
            >
                <CompletedInput
                    id=id
                    label="Another argument".to_owned()
                    placeholder="name of a property"
                    described_by=hint_id.clone()
                    value=name.into()
                    is_wrong=Signal::stored(false)
                    set=move |text| name.set(text)
                    complete=complete
                    ask=move |_: &str, _: usize| {
                        desk.look_up(Query::DeviceTypes);
                        is_used.set(true);
                    }
                    // The form has what is known, and says so.
                    news=Signal::derive(move || desk.structure.track())
                />
                <button type="button" on:click=move |_| add()>"Add"</button>
            </div>
            <div class="hint lookup" id=hint_id role="status">
                {move || lookup_state(desk, driver.get(), known.get())}
            </div>
        </div>
    }
}

/// How far the properties of the device are known, and how to ask for them.
fn lookup_state(desk: Desk, driver: Option<String>, known: Option<Known>) -> AnyView {
    let can_ask = desk.editor.with_value(|editor| {
        let schema = editor.schema();
        schema.is_some_and(|schema| schema.command("device-list-properties").is_some())
    });
    if !can_ask {
        return "The schema does not describe the properties of devices.".into_any();
    }
    let Some(driver) = driver else {
        return "Choose a driver: its properties can be added then.".into_any();
    };
    let shown = visible(&driver).into_owned();
    let query = Query::DeviceProperties(driver.clone());
    if !desk.store.may_ask(&query) {
        return "An operator may ask for the properties of a device: QEMU makes one for a moment."
            .into_any();
    }
    let query = Arc::new(query);
    let button = move |label: String| {
        let query = Arc::clone(&query);
        let ask = move |_| desk.look_up((*query).clone());
        view! { <button type="button" class="small" on:click=ask>{label}</button> }
    };
    match known.unwrap_or_default() {
        Known::NotAsked => {
            let label = "Ask for the properties of ".to_owned() + &shown;
            let risk = is_risky(&driver).then(|| {
                view! {
                    <p>
                        "QEMU makes such a device for a moment. If a module that the device "
                        "consists of is not installed, QEMU 7.2 ends at that, as at device_add."
                    </p>
                }
            });
            view! { {risk} {button(label)} }.into_any()
        }
        Known::Asked => ["Asking for the properties of ", &shown, "…"]
            .concat()
            .into_any(),
        Known::Answer(answer) => {
            let count = match &*answer {
                Answer::Properties(all) => all.iter().filter(|it| !it.is_child()).count(),
                Answer::Names(_) => 0,
            };
            let count = match count {
                1 => "1 property".to_owned(),
                count => count.to_string() + " properties",
            };
            let words = [
                &count,
                " of ",
                &shown,
                ": type a part of a name, or press ↓.",
            ];
            words.concat().into_any()
        }
        Known::Failed(why) => {
            let words = ["The properties could not be asked for: ", &visible(&why)];
            view! { <p>{words.concat()}</p> {button("Ask again".to_owned())} }.into_any()
        }
    }
}
