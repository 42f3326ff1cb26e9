//! A command's arguments as a form: one control for each value, made from the
//! types of the schema, to any depth.
//!
//! Each control reads its own value by its path and draws itself anew only when
//! that changes, so that whoever types keeps the focus. What has been entered is
//! in [`crate::state::editor`]; here are no decisions.

use leptos::prelude::*;
use qmp_shared::command::{Action, Edit, Path};
use qmp_shared::schema::{Features, TypeId};

use super::controls::value;
use super::documentation::argument_text;
use super::need::Need;
use super::properties::{AddMember, property_text, property_type};
use super::tag;
use crate::state::editor::{Editor, Faults, FieldShape};
use crate::state::text::visible;
use crate::store::{ManualState, Store};
use crate::view::parts::keep_focus;

/// The form's side of one command that is being entered.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    /// Told what cannot be done.
    pub(super) store: Store,
    /// Whose command it is.
    pub(super) session: StoredValue<String>,
    /// What has been entered.
    pub(super) editor: StoredValue<Editor>,
    /// Rises when something came, went or moved, or was entered elsewhere.
    pub(super) structure: RwSignal<u64>,
    /// Rises with every change.
    pub(super) revision: RwSignal<u64>,
    /// What is wrong with what has been entered.
    pub(super) faults: Memo<Faults>,
    /// Whether the user tried to send it: from then on, what is missing is
    /// wrong.
    pub(super) attempted: RwSignal<bool>,
    /// What the manual says of it.
    pub(super) manual: Memo<ManualState>,
    /// The argument that the endpoint's last error speaks of, and the error.
    pub(super) blamed: RwSignal<Option<(Path, String)>>,
    /// What the console's policy asks for it.
    pub(super) need: Need,
}

impl Desk {
    /// Reads what has been entered, and again when something came or went.
    pub(super) fn drawn<T>(self, read: impl FnOnce(&Editor) -> T) -> T {
        self.structure.track();
        self.editor.with_value(read)
    }

    /// Reads what has been entered, and again with every change.
    pub(super) fn typed<T>(self, read: impl FnOnce(&Editor) -> T) -> T {
        self.revision.track();
        self.editor.with_value(read)
    }

    /// Everything may be another now.
    pub(super) fn changed(self) {
        self.blamed.set(None);
        self.structure.update(|structure| *structure += 1);
        self.revision.update(|revision| *revision += 1);
    }

    pub(super) fn edit(self, path: Path, action: Action) {
        self.blamed.set(None);
        let edit = Edit { path, action };
        match self.editor.try_update_value(|editor| editor.apply(edit)) {
            Some(Ok(true)) => self.changed(),
            Some(Ok(false)) => self.revision.update(|revision| *revision += 1),
            Some(Err(error)) => self.store.announcement.set(error.to_string()),
            None => {}
        }
    }

    /// What is wrong with the value itself. What was not entered yet is not
    /// wrong before the user tries to send it.
    pub(super) fn fault(self, path: &Path) -> Option<String> {
        let blamed = self.blamed.with(|blamed| {
            let blamed = blamed.as_ref().filter(|(argument, _)| argument == path);
            blamed.map(|(_, error)| visible(error).into_owned())
        });
        if blamed.is_some() {
            return blamed;
        }
        let is_told = self.attempted.get() || self.typed(|editor| !editor.text(path).is_empty());
        if !is_told {
            return None;
        }
        self.faults.with(|faults| {
            let fault = faults.blocking.iter().find(|fault| fault.path == *path);
            fault.map(|fault| fault.message.clone())
        })
    }

    pub(super) fn describe(self, ty: TypeId) -> String {
        let text = self
            .editor
            .with_value(|editor| editor.schema().map(|schema| schema.describe(ty)));
        visible(&text.unwrap_or_default()).into_owned()
    }
}

/// The id of a value's control.
pub(super) fn control_id(path: &Path) -> String {
    "argument-".to_owned() + &path.to_string()
}

/// What the id of the box that includes a member ends with.
pub(super) const INCLUDE: &str = "-include";

/// What the id of the box that adds members to an object ends with.
pub(super) const ADD: &str = "-add";

/// What the id of the text ends with that is about the chosen value.
pub(super) const CHOSEN: &str = "-chosen";

/// The ids of what describes a control: what is wrong, and what is said of it.
pub(super) fn described_by(path: &Path) -> String {
    let id = control_id(path);
    id.clone() + "-fault " + &id + "-text"
}

/// The arguments of the command.
#[component]
pub(super) fn ArgumentsForm(desk: Desk) -> impl IntoView {
    let is_empty = Memo::new(move |_| {
        let (fields, open) = desk.drawn(|editor| editor.fields(&Path::root()));
        fields.is_empty() && !open
    });
    view! {
        <Show
            when=move || !is_empty.get()
            fallback=|| view! { <p class="muted">"This command takes no arguments."</p> }
        >
            {object(desk, Path::root())}
        </Show>
    }
}

/// The fields of an object.
pub(super) fn object(desk: Desk, path: Path) -> AnyView {
    let path = StoredValue::new(path);
    let shape =
        Memo::new(move |_| path.with_value(|path| desk.drawn(|editor| editor.fields(path))));
    let fields = move || shape.with(|(fields, _)| fields.clone());
    let is_open = Memo::new(move |_| shape.with(|(_, open)| *open));
    view! {
        <div class="fields">
            <For
                each=fields
                key=|field| (field.name.clone(), field.ty, field.present)
                children=move |shape| field(desk, path.get_value(), shape)
            />
            <Show when=move || is_open.get()>
                <AddMember desk path/>
            </Show>
        </div>
    }
    .into_any()
}

fn field(desk: Desk, parent: Path, shape: FieldShape) -> impl IntoView {
    let path = StoredValue::new(parent.member(&shape.name));
    let id = control_id(&path.get_value());
    let include_id = id.clone() + INCLUDE;
    let fault_id = id.clone() + "-fault";
    let described_by = described_by(&path.get_value());
    let name = visible(&shape.name).into_owned();
    let described = match shape.described {
        true => desk.describe(shape.ty).into_any(),
        false => property_type(desk, shape.name.clone()).into_any(),
    };
    let text = match shape.described {
        true => argument_text(desk, path.get_value()).into_any(),
        false => property_text(desk, &path.get_value(), shape.name.clone()).into_any(),
    };
    let label_for = if shape.present {
        id
    } else {
        include_id.clone()
    };
    // A required one may be missing in what was entered elsewhere.
    let can_include = shape.described && (shape.optional || !shape.present);
    let include = can_include.then(|| {
        let title = match shape.optional {
            true => "Include this optional argument",
            false => "Include this argument",
        };
        // Of one that is there, its control says what is wrong.
        let is_missing = !shape.optional;
        let is_wrong = move || {
            let fault = is_missing.then(|| path.with_value(|path| desk.fault(path)));
            fault.flatten().map(|_| "true")
        };
        let (id, control) = (include_id.clone(), control_id(&path.get_value()));
        let is_optional = shape.optional;
        let toggle = move |event| {
            let action = if event_target_checked(&event) {
                Action::Add
            } else {
                Action::Remove
            };
            desk.edit(path.get_value(), action);
            // That of a required one goes away.
            keep_focus(if is_optional { &include_id } else { &control }.clone());
        };
        view! {
            <input
                type="checkbox"
                class="include"
                id=id
                aria-label="Include ".to_owned() + &name
                title=title
                aria-invalid=is_wrong
                aria-describedby=described_by.clone()
                prop:checked=shape.present
                on:change=toggle
            />
        }
    });
    let remove = (!shape.described).then(|| {
        let label = "Remove ".to_owned() + &name;
        let next = control_id(&parent) + ADD;
        let remove = move |_| {
            desk.edit(path.get_value(), Action::Remove);
            keep_focus(next.clone());
        };
        view! {
            <button type="button" class="quiet small" aria-label=label on:click=remove>"Remove"</button>
        }
    });
    let is_required = shape.described && !shape.optional;
    let missing = (is_required && !shape.present).then(|| {
        let fault = Memo::new(move |_| path.with_value(|path| desk.fault(path)));
        view! { <p class="fault" id=fault_id>{fault}</p> }
    });
    let label = name.clone();
    let control = shape.present.then(|| {
        view! { <div class="control">{value(desk, path.get_value(), name)}</div> }
    });
    view! {
        <div class="argument" class:absent=!shape.present>
            <div class="argument-head">
                {include}
                <label for=label_for class="mono">{label}</label>
                {is_required.then(|| view! { <span class="required">"required"</span> })}
                <span class="type">{described}</span>
                {feature_tags(&shape.features)}
                {remove}
            </div>
            {text}
            {missing}
            {control}
        </div>
    }
}

pub(super) fn feature_tags(features: &Features) -> impl IntoView + use<> {
    let known = [
        (features.deprecated, "deprecated"),
        (features.unstable, "unstable"),
    ];
    known
        .into_iter()
        .filter(|(has, _)| *has)
        .map(|(_, word)| tag(word))
        .collect_view()
}
