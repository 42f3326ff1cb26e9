//! Arguments that the schema does not describe: the properties of a device.

use std::sync::Arc;

use qmp_shared::command::Form;
use qmp_shared::schema::Builtin;

use super::Editor;
use crate::state::lookups::{Answer, Property};

impl Editor {
    /// Takes the description of the arguments that the schema does not describe,
    /// or that there is none. Answers whether the form looks different now.
    pub(crate) fn describe(&mut self, properties: Option<Arc<Answer>>) -> bool {
        if self.properties == properties {
            return false;
        }
        self.properties = properties;
        let before = self.form.as_ref().map(Form::to_draft);
        self.retype();
        if self.form.as_ref().map(Form::to_draft) != before {
            self.form_changed();
        }
        true
    }

    /// The description of an argument that the schema does not describe.
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties().iter().find(|known| known.name == name)
    }

    /// All the descriptions that there are.
    pub(crate) fn properties(&self) -> &[Property] {
        match self.properties.as_deref() {
            Some(Answer::Properties(properties)) => properties,
            _ => &[],
        }
    }

    /// Shows the form's arguments as what they are described.
    pub(super) fn retype(&mut self) {
        let Some(mut form) = self.form.take() else {
            return;
        };
        form.retype_undescribed(|name| {
            let property = self.property(name);
            property.map_or(Builtin::Value, Property::builtin)
        });
        self.form = Some(form);
    }
}
