//! What was entered for commands that are not shown now.

use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::schema::Schema;

use super::Editor;

/// Most commands whose entered arguments are kept while others are shown.
pub(super) const MAX_DRAFTS: usize = 32;

/// What was entered for commands that are not shown now. When full, the one
/// that was put away first goes.
#[derive(Debug, Default)]
pub(crate) struct Drafts(VecDeque<(String, Editor)>);

impl Drafts {
    /// Puts away what was entered for a command of the session.
    pub(crate) fn put(&mut self, session: String, editor: Editor) {
        if self.0.len() >= MAX_DRAFTS {
            self.0.pop_front();
        }
        self.0.push_back((session, editor));
    }

    /// Forgets what was entered for the command.
    pub(crate) fn forget(&mut self, session: &str, command: &str) {
        let is_it = |(of, editor): &(String, Editor)| of == session && editor.command() == command;
        self.0.retain(|draft| !is_it(draft));
    }

    /// What was entered for the command, if it was with the same schema.
    pub(crate) fn take(
        &mut self,
        session: &str,
        command: &str,
        schema: Option<&Arc<Schema>>,
    ) -> Option<Editor> {
        let at = self
            .0
            .iter()
            .position(|(of, editor)| of == session && editor.command() == command)?;
        let (_, editor) = self.0.remove(at)?;
        (editor.schema() == schema).then_some(editor)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
