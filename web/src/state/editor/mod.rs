//! The command that is being entered: as a form, as JSON, or as a line.
//!
//! The three are views of one thing and the user may change between them at any
//! time. A form that is not complete becomes the JSON, or the line, of what
//! there is. As long as a view is not touched, the way back leads to the one it
//! was made of as that was. What a view cannot show stays where it is, also what
//! is not valid in the form ([`LeftOut`]).

mod before;
mod controls;
mod drafts;
mod left_out;
mod properties;
mod text_view;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use qmp_shared::command::{
    Action, Edit, EditError, Execute, Fault, Form, Layout, Path, line_text, message_text,
    parse_line, parse_message, validate,
};
use qmp_shared::schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) use controls::{Control, FieldShape};
pub(crate) use drafts::{Drafts, Written};
pub(crate) use left_out::LeftOut;
use text_view::TextView;

use super::address::Link;
use super::lookups::Answer;

/// How a command is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// By the schema's form.
    Form,
    /// As the JSON of the whole message.
    Json,
    /// As `command key=value`.
    Line,
}

impl Mode {
    /// Its name, within a sentence.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "JSON",
            Self::Line => "line",
        }
    }
}

/// One command that is being entered.
#[derive(Clone, Debug)]
pub(crate) struct Editor {
    command: String,
    schema: Option<Arc<Schema>>,
    form: Option<Form>,
    /// Why there is no form, for people.
    no_form: Option<String>,
    mode: Mode,
    /// Whether the form sends out of band.
    oob: bool,
    /// Which entry the form shows. Views with the same number show the same.
    entry: Option<u64>,
    json: TextView,
    line: TextView,
    /// The number of the newest entry.
    newest: u64,
    /// The link that it was filled in by.
    prefilled: Option<String>,
    /// What describes the arguments that the schema does not.
    properties: Option<Arc<Answer>>,
    /// What there was before it was replaced, the latest last.
    before: Vec<Editor>,
    /// What is in the form that was left, and in no other view.
    left_out: Vec<LeftOut>,
}

/// What is sent when the user says so.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The command's name.
    pub(crate) command: String,
    /// Whether it is sent out of band.
    pub(crate) oob: bool,
    /// Its arguments, verbatim.
    pub(crate) arguments: Option<Box<RawValue>>,
}

/// What is wrong with what has been entered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Nothing can be sent because of these.
    pub(crate) blocking: Vec<Fault>,
    /// The endpoint will probably refuse it because of these.
    pub(crate) doubts: Vec<Fault>,
}

impl Editor {
    /// Nothing entered yet. Without a schema, or where it has no form for the
    /// command, there is JSON only.
    pub(crate) fn new(schema: Option<Arc<Schema>>, command: &str) -> Self {
        let form = schema.as_ref().map(|schema| Form::new(schema, command));
        let (form, no_form) = match form {
            Some(Ok(form)) => (Some(form), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, Some("the endpoint has no schema".to_owned())),
        };
        let mode = if form.is_some() {
            Mode::Form
        } else {
            Mode::Json
        };
        let arguments = form.as_ref().map(Form::to_draft);
        let arguments = arguments.as_deref().filter(|draft| *draft != "{}");
        let json = message_text(command, false, arguments, Layout::Pretty);
        Self {
            command: command.to_owned(),
            schema,
            form,
            no_form,
            mode,
            oob: false,
            entry: Some(0),
            json: TextView::made(0, json),
            line: TextView::default(),
            newest: 0,
            prefilled: None,
            properties: None,
            left_out: Vec::new(),
            before: Vec::new(),
        }
    }

    /// The command that it was made for.
    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// The form, where there is one.
    pub(crate) fn form(&self) -> Option<&Form> {
        self.form.as_ref()
    }

    /// The schema that it was made with.
    pub(crate) fn schema(&self) -> Option<&Arc<Schema>> {
        self.schema.as_ref()
    }

    /// How it is entered.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Why there is no form; `None` where there is one.
    pub(crate) fn no_form(&self) -> Option<&str> {
        self.no_form.as_deref()
    }

    /// Whether the schema says that the command may be sent out of band.
    fn allows_oob(&self) -> bool {
        let known = self
            .schema
            .as_ref()
            .and_then(|schema| schema.command(&self.command));
        known.is_some_and(|command| command.allow_oob)
    }

    /// Whether there is something to choose: how it is sent, where the schema
    /// leaves that open, or the way back where it was chosen elsewhere.
    pub(crate) fn offers_oob(&self) -> bool {
        self.allows_oob() || self.oob
    }

    /// Whether the form sends out of band.
    pub(crate) fn is_oob(&self) -> bool {
        self.oob
    }

    /// Makes the form send out of band, or not.
    pub(crate) fn set_oob(&mut self, oob: bool) {
        self.oob = oob;
        self.form_changed();
    }

    /// The text of a view that is text; empty for the form.
    pub(crate) fn view_text(&self, mode: Mode) -> &str {
        match mode {
            Mode::Form => "",
            Mode::Json => self.json.text(),
            Mode::Line => self.line.text(),
        }
    }

    /// A view that is text was typed into.
    pub(crate) fn set_text(&mut self, mode: Mode, text: String) {
        self.newest += 1;
        match mode {
            Mode::Form => (),
            Mode::Json => self.json.set(text, self.newest),
            Mode::Line => self.line.set(text, self.newest),
        }
    }

    /// Changes the form. Answers whether what is drawn changes, and not only a
    /// text in it.
    ///
    /// # Errors
    ///
    /// [`EditError`]; the form is then as it was.
    pub(crate) fn apply(&mut self, edit: Edit) -> Result<bool, EditError> {
        let (Some(form), Some(schema)) = (&mut self.form, &self.schema) else {
            return Ok(false);
        };
        let is_text = matches!(edit.action, Action::SetText(_));
        let is_property = matches!(edit.action, Action::AddUndescribed(_));
        let may_lose = matches!(
            edit.action,
            Action::Remove | Action::Choose(_) | Action::Branch(_) | Action::Reset
        );
        let before = may_lose.then(|| form.clone());
        form.apply(schema, edit)?;
        if let Some(before) = before {
            self.remember(before);
        }
        if is_property {
            self.retype();
        }
        self.form_changed();
        Ok(!is_text)
    }

    /// Empties everything that has been entered.
    pub(crate) fn reset(&mut self) {
        self.remember_all();
        let mode = self.mode;
        let before = std::mem::take(&mut self.before);
        let prefilled = self.prefilled.take();
        let properties = self.properties.take();
        *self = Self::new(self.schema.clone(), &self.command);
        self.prefilled = prefilled;
        self.properties = properties;
        self.before = before;
        // An empty form can be shown as anything, but a form there must be.
        let _ = self.show(mode);
    }

    /// Fills in what a link or an earlier command says, in the form if that can
    /// show it, else as JSON. Answers whether it did: the same link does so once.
    ///
    /// # Errors
    ///
    /// Why the form cannot show it.
    pub(crate) fn prefill(&mut self, link: &Link) -> Result<bool, Vec<Fault>> {
        let name = link.query();
        if self.prefilled.as_ref() == Some(&name) {
            return Ok(false);
        }
        self.remember_all();
        self.prefilled = Some(name);
        self.fill_in_json(link.message(&self.command));
        if self.no_form.is_none() {
            self.show(Mode::Form)?;
        }
        Ok(true)
    }

    /// Shows this message as JSON, in place of what has been entered.
    pub(crate) fn fill_in_json(&mut self, text: String) {
        self.set_text(Mode::Json, text);
        self.mode = Mode::Json;
        self.left_out.clear();
    }

    /// The same, from elsewhere; one can go back.
    pub(crate) fn replace_by_json(&mut self, text: String) {
        self.remember_all();
        self.fill_in_json(text);
    }

    /// The same link fills it in once more.
    pub(crate) fn forget_link(&mut self) {
        self.prefilled = None;
    }

    /// Shows what has been entered in another view.
    ///
    /// # Errors
    ///
    /// Why that view cannot show it; everything stays as it is.
    pub(crate) fn show(&mut self, mode: Mode) -> Result<(), Vec<Fault>> {
        let entry = self.entry_of(self.mode);
        if entry != self.entry_of(mode) {
            let entered = self.entered()?;
            self.take_over(mode, &entered)?;
            match mode {
                Mode::Form => self.entry = entry,
                Mode::Json => self.json.stands_for(entry),
                Mode::Line => self.line.stands_for(entry),
            }
        }
        if mode == Mode::Form && self.form.is_none() {
            let why = self.no_form.as_deref().unwrap_or_default();
            return Err(vec![fault(why)]);
        }
        match (self.mode, mode) {
            (Mode::Form, Mode::Json | Mode::Line) => self.keep_left_out(),
            // It is there again, or never was away.
            (_, Mode::Form) => self.left_out.clear(),
            _ => (),
        }
        self.mode = mode;
        Ok(())
    }

    fn entry_of(&self, mode: Mode) -> Option<u64> {
        match mode {
            Mode::Form => self.entry,
            Mode::Json => self.json.entry(),
            Mode::Line => self.line.entry(),
        }
    }

    /// What the view that is shown says, of a form what there is.
    ///
    /// # Errors
    ///
    /// Why that is no command.
    pub(crate) fn entered(&self) -> Result<Execute, Vec<Fault>> {
        let entered = match (&self.form, self.mode) {
            (form, Mode::Form) => {
                let draft = form.as_ref().map(Form::to_draft);
                return Ok(Execute {
                    command: self.command.clone(),
                    oob: self.oob,
                    arguments: draft.filter(|draft| draft != "{}"),
                    id: None,
                });
            }
            (_, Mode::Json) => parse_message(self.json.text()),
            (_, Mode::Line) => parse_line(self.schema.as_deref(), self.line.text()),
        };
        let entered = entered.map_err(|fault| vec![fault])?;
        if entered.id.is_some() {
            let path = Path::root().member("id");
            let message = "the console gives each command an id of its own".to_owned();
            return Err(vec![Fault { path, message }]);
        }
        Ok(entered)
    }

    /// Makes a view of what was entered in another one.
    fn take_over(&mut self, mode: Mode, entered: &Execute) -> Result<(), Vec<Fault>> {
        let (command, oob) = (&entered.command, entered.oob);
        let arguments = entered.arguments.as_deref();
        match mode {
            Mode::Form => {
                let Some(schema) = &self.schema else {
                    return Err(vec![fault("the endpoint has no schema")]);
                };
                if *command != self.command {
                    let text = "this is the form of “".to_owned() + &self.command + "”";
                    return Err(vec![Fault {
                        path: Path::root().member("execute"),
                        message: text,
                    }]);
                }
                let form = Form::from_draft(schema, command, arguments.unwrap_or("{}"))?;
                self.form = Some(form);
                self.retype();
                self.put_back_left_out();
                self.oob = oob;
            }
            Mode::Json => {
                let text = message_text(command, oob, arguments, Layout::Pretty);
                self.json.make(text);
            }
            Mode::Line => {
                let text = line_text(self.schema.as_deref(), command, oob, arguments);
                self.line.make(text.map_err(|fault| vec![fault])?);
            }
        }
        Ok(())
    }

    fn form_changed(&mut self) {
        self.newest += 1;
        self.entry = Some(self.newest);
    }

    /// What is to be sent.
    ///
    /// # Errors
    ///
    /// Why nothing can be.
    pub(crate) fn request(&self) -> Result<Request, Vec<Fault>> {
        let Execute {
            command,
            oob,
            mut arguments,
            ..
        } = self.entered()?;
        if let (Some(form), Mode::Form) = (&self.form, self.mode) {
            let complete = form.to_json()?;
            arguments = (complete != "{}").then_some(complete);
        }
        let arguments = arguments.map(RawValue::from_string).transpose();
        let arguments = arguments.map_err(|error| vec![fault(&error.to_string())])?;
        Ok(Request {
            command,
            oob,
            arguments,
        })
    }

    /// What is wrong with what has been entered.
    pub(crate) fn faults(&self) -> Faults {
        let request = match self.request() {
            Ok(request) => request,
            Err(blocking) => {
                return Faults {
                    blocking,
                    doubts: Vec::new(),
                };
            }
        };
        let mut faults = Faults::default();
        if let (Mode::Json | Mode::Line, Some(schema)) = (self.mode, &self.schema) {
            let arguments = request
                .arguments
                .as_ref()
                .map_or("{}", |arguments| arguments.get());
            faults.doubts = validate(schema, &request.command, arguments);
        }
        let known = self
            .schema
            .as_ref()
            .map(|schema| schema.command(&request.command));
        if request.oob && known.flatten().is_some_and(|command| !command.allow_oob) {
            faults.doubts.push(Fault {
                path: Path::root().member("exec-oob"),
                message: "the command cannot be sent out of band".to_owned(),
            });
        }
        faults
    }

    /// The message on one line, without what is missing or wrong in the form;
    /// empty when a text is no command.
    pub(crate) fn message(&self) -> String {
        self.entered().map_or_else(
            |_| String::new(),
            |entered| {
                let arguments = entered.arguments.as_deref();
                message_text(&entered.command, entered.oob, arguments, Layout::Compact)
            },
        )
    }
}

fn fault(message: &str) -> Fault {
    Fault {
        path: Path::root(),
        message: message.to_owned(),
    }
}
