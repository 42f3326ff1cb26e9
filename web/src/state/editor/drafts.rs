//! What was entered for commands that are not shown now. In writing it outlives
//! a reload of the page, but for what speaks of a secret.

use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::schema::Schema;
use serde::{Deserialize, Serialize};

use super::{Editor, LeftOut, Mode};
use crate::state::secrets::seems_secret;
use crate::state::send::Options;

/// Most commands whose entered arguments are kept while others are shown.
pub(super) const MAX_DRAFTS: usize = 32;

/// What was entered for commands that are not shown now. When full, the one
/// that was put away first goes.
#[derive(Debug, Default)]
pub(crate) struct Drafts(VecDeque<Draft>);

/// What was entered for one command.
#[derive(Debug)]
struct Draft {
    session: String,
    command: String,
    entered: Entered,
    options: Options,
}

#[derive(Debug)]
enum Entered {
    Live(Box<Editor>),
    Written(Text),
}

/// What was entered for one command, in writing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    session: String,
    command: String,
    #[serde(flatten)]
    text: Text,
    #[serde(default)]
    options: Options,
}

/// The text of a view, of the form that of the JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Text {
    mode: Mode,
    text: String,
    /// The link that it was filled in by.
    prefilled: Option<String>,
    /// What was typed into the form and is in no message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<LeftOut>,
}

impl Drafts {
    /// Puts away what was entered for a command of the session.
    pub(crate) fn put(&mut self, session: String, editor: Editor, options: Options) {
        let command = editor.command().to_owned();
        let entered = Entered::Live(Box::new(editor));
        self.insert(Draft {
            session,
            command,
            entered,
            options,
        });
    }

    fn insert(&mut self, draft: Draft) {
        self.forget(&draft.session, &draft.command);
        if self.0.len() >= MAX_DRAFTS {
            self.0.pop_front();
        }
        self.0.push_back(draft);
    }

    /// Forgets what was entered for the command.
    pub(crate) fn forget(&mut self, session: &str, command: &str) {
        self.0.retain(|draft| !draft.is_of(session, command));
    }

    /// What comes next fills the command in, also if it is what filled it in
    /// before.
    pub(crate) fn forget_link(&mut self, session: &str, command: &str) {
        let it = self
            .0
            .iter_mut()
            .find(|draft| draft.is_of(session, command));
        match it.map(|draft| &mut draft.entered) {
            Some(Entered::Live(editor)) => editor.forget_link(),
            Some(Entered::Written(text)) => text.prefilled = None,
            None => (),
        }
    }

    /// What was entered for the command, if it was with the same schema or is
    /// in writing.
    pub(crate) fn take(
        &mut self,
        session: &str,
        command: &str,
        schema: Option<&Arc<Schema>>,
    ) -> Option<(Editor, Options)> {
        let at = self.0.iter().position(|it| it.is_of(session, command))?;
        let draft = self.0.remove(at)?;
        let editor = match draft.entered {
            Entered::Live(editor) => Some(*editor).filter(|editor| editor.schema() == schema),
            Entered::Written(text) => Some(text.read(schema.cloned(), command)),
        };
        Some((editor?, draft.options))
    }

    /// All of it in writing, but for what speaks of a secret.
    pub(crate) fn write(&self) -> Vec<Written> {
        let all = self.0.iter().map(|draft| Written {
            session: draft.session.clone(),
            command: draft.command.clone(),
            text: match &draft.entered {
                Entered::Live(editor) => Text::of(editor),
                Entered::Written(text) => text.clone(),
            },
            options: draft.options.clone(),
        });
        all.filter(|it| !it.text.is_secret()).collect()
    }

    /// Takes back what was put in writing; what was entered since stays.
    pub(crate) fn read(&mut self, written: Vec<Written>) {
        for it in written {
            let is_known = |draft: &Draft| draft.is_of(&it.session, &it.command);
            if !self.0.iter().any(is_known) {
                self.insert(Draft {
                    session: it.session,
                    command: it.command,
                    entered: Entered::Written(it.text),
                    options: it.options,
                });
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Draft {
    fn is_of(&self, session: &str, command: &str) -> bool {
        self.session == session && self.command == command
    }
}

impl Text {
    fn of(editor: &Editor) -> Self {
        let mode = editor.mode();
        let text = match mode {
            Mode::Form => editor.message(),
            Mode::Json | Mode::Line => editor.view_text(mode).to_owned(),
        };
        Self {
            mode,
            text,
            prefilled: editor.prefilled.clone(),
            left_out: editor.left_out(),
        }
    }

    fn is_secret(&self) -> bool {
        let mut typed = self.left_out.iter();
        seems_secret(&self.text, None) || typed.any(|left| seems_secret(&left.typed, None))
    }

    /// What was entered. Where the form cannot show it any more, the JSON does.
    fn read(self, schema: Option<Arc<Schema>>, command: &str) -> Editor {
        let mut editor = Editor::new(schema, command);
        editor.prefilled = self.prefilled;
        editor.left_out = self.left_out;
        editor.mode = match self.mode {
            Mode::Form => Mode::Json,
            mode => mode,
        };
        editor.set_text(editor.mode, self.text);
        if self.mode == Mode::Form {
            // The text is there all the same.
            let _ = editor.show(Mode::Form);
        }
        editor
    }
}
