//! What was typed into the form and is in no message, since it is not valid.

use qmp_shared::command::{Action, Edit, Fault, Form, NodeKind, Path, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Editor, Mode};

/// A value that was typed into the form and is in no message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    /// Which, and why.
    pub(crate) fault: Fault,
    /// As it was typed.
    pub(crate) typed: String,
}

impl Editor {
    /// What was typed into the form and is not in what the view shows that is
    /// shown.
    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        if self.mode == Mode::Form {
            return self.form.as_ref().map(of_form).unwrap_or_default();
        }
        if self.left_out.is_empty() {
            return Vec::new();
        }
        let entered = self.entered().ok().and_then(|entered| entered.arguments);
        let entered = entered.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let is_there = |path: &Path| entered.as_ref().is_some_and(|value| has(value, path));
        let mut left_out = self.left_out.clone();
        left_out.retain(|left| !is_there(&left.fault.path));
        left_out
    }

    /// The form is left for another view, which shows none of it.
    pub(super) fn keep_left_out(&mut self) {
        self.left_out = self.form.as_ref().map(of_form).unwrap_or_default();
    }

    /// Types it into the form again that was made of another view, where that
    /// says nothing else there.
    pub(super) fn put_back_left_out(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        let (Some(form), Some(schema)) = (&mut self.form, &self.schema) else {
            return;
        };
        for left in left_out {
            let draft = form.to_draft();
            let mut with = form.clone();
            let Some(edits) = edits(&with, left) else {
                continue;
            };
            let mut edits = edits.into_iter();
            let done = edits.try_for_each(|edit| with.apply(schema, edit));
            // It must not come to mean something.
            if done.is_ok() && with.to_draft() == draft {
                *form = with;
            }
        }
    }
}

fn of_form(form: &Form) -> Vec<LeftOut> {
    let left_out = form.left_out().into_iter();
    let typed = |fault: Fault| {
        let typed = form.get(&fault.path)?.value().text().to_owned();
        Some(LeftOut { fault, typed })
    };
    left_out.filter_map(typed).collect()
}

/// What types it into the form again; `None` where something else is.
fn edits(form: &Form, left: LeftOut) -> Option<Vec<Edit>> {
    let LeftOut { fault, typed } = left;
    let path = fault.path;
    let edit = |path: &Path, action| Edit {
        path: path.clone(),
        action,
    };
    if let Some((Step::Index(index), within)) = path.0.split_last() {
        let array = Path(within.to_vec());
        let items = match &form.get(&array)?.value().kind {
            NodeKind::Array { items } => items.len(),
            _ => return None,
        };
        let last = array.index(items);
        return Some(vec![
            edit(&array, Action::Push),
            edit(&last, Action::SetText(typed)),
            edit(&last, Action::MoveTo((*index).min(items))),
        ]);
    }
    match form.get(&path) {
        Some(there) if !there.value().text().is_empty() => None,
        Some(_) => Some(vec![edit(&path, Action::SetText(typed))]),
        None => Some(vec![
            edit(&path, Action::Add),
            edit(&path, Action::SetText(typed)),
        ]),
    }
}

/// Whether the arguments have a value there. Items move when others are left
/// out, so that their place says nothing.
fn has(arguments: &Value, path: &Path) -> bool {
    if matches!(path.0.last(), Some(Step::Index(_))) {
        return false;
    }
    let found = path
        .0
        .iter()
        .try_fold(arguments, |value, step| match (value, step) {
            (Value::Object(members), Step::Member(name)) => members.get(name),
            (Value::Array(items), Step::Index(index)) => items.get(*index),
            _ => None,
        });
    found.is_some()
}
