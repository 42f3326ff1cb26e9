//! What was entered before it was replaced: by another choice in the form, by
//! an example, a link or a command of the history, or by Reset.

use qmp_shared::command::Form;

use super::{Editor, Mode};

/// Most states that one can go back to.
const MOST: usize = 16;

impl Editor {
    /// All of it is about to be replaced.
    pub(super) fn remember_all(&mut self) {
        // Nothing was entered yet.
        if self.newest > 0 {
            let form = self.form.clone();
            self.push(form);
        }
    }

    /// The form was this one, of which something may be gone.
    pub(super) fn remember(&mut self, form: Form) {
        let draft = form.to_draft();
        // A choice that replaces nothing is none to take back.
        let has_lost = self
            .form
            .as_ref()
            .is_some_and(|now| now.to_draft() != draft);
        if has_lost {
            self.push(Some(form));
        }
    }

    fn push(&mut self, form: Option<Form>) {
        let earlier = std::mem::take(&mut self.before);
        let mut state = self.clone();
        state.form = form;
        self.before = earlier;
        if self.before.len() >= MOST {
            self.before.remove(0);
        }
        self.before.push(state);
    }

    /// Whether there is something to go back to.
    pub(crate) fn can_undo(&self) -> bool {
        !self.before.is_empty()
    }

    /// Goes back to what there was before something was replaced last.
    pub(crate) fn undo(&mut self) {
        let Some(state) = self.before.pop() else {
            return;
        };
        let before = std::mem::take(&mut self.before);
        // Views that were made since are of something else.
        let newest = self.newest + 1;
        *self = state;
        self.before = before;
        self.newest = newest;
        if self.mode == Mode::Form {
            self.entry = Some(newest);
        }
    }
}
