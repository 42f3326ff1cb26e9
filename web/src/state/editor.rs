//! The command that is being entered, as a form or as JSON.
//!
//! The two are views of one thing and the user may change between them at any
//! time. A form that is not complete becomes the JSON of what there is; as long
//! as that is not touched, the way back leads to the form as it was.

use std::collections::VecDeque;
use std::sync::Arc;

use qmp_shared::command::{Action, Node};
use qmp_shared::command::{
    Edit, EditError, Fault, Form, Layout, NodeKind, Path, message_text, parse_message, validate,
};
use qmp_shared::schema::{Builtin, Features, Schema, TypeId};
use serde_json::value::RawValue;

/// Most commands whose entered arguments are kept while others are shown.
const MAX_DRAFTS: usize = 32;

/// How a command is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By the schema's form.
    Form,
    /// As the JSON of the whole message.
    Json,
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
    oob: bool,
    json: String,
    /// The JSON that was made of the form, which still stands for it.
    made_of_form: Option<String>,
}

/// What is sent when the user says so.
#[derive(Debug)]
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

/// Which control shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// A line of text: a string or a number.
    Text(Builtin),
    /// Yes or no.
    Bool,
    /// Nothing to enter.
    Null,
    /// One of an enum's values.
    Choice,
    /// Fields.
    Object,
    /// Items.
    Array,
    /// One of several types, and its control.
    Alternate,
    /// A piece of JSON.
    Raw(Builtin),
}

/// A field as far as it decides what is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldShape {
    /// The member's name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: TypeId,
    /// Whether it may be left out.
    pub(crate) optional: bool,
    /// Whether the schema has it.
    pub(crate) described: bool,
    /// What the schema says of it besides.
    pub(crate) features: Features,
    /// Whether it is there.
    pub(crate) present: bool,
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
        let mut editor = Self {
            command: command.to_owned(),
            schema,
            form,
            no_form,
            mode,
            oob: false,
            json: String::new(),
            made_of_form: None,
        };
        editor.write_json();
        editor
    }

    /// The command that it was made for.
    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// The schema that it was made with.
    pub(crate) fn schema(&self) -> Option<&Arc<Schema>> {
        self.schema.as_ref()
    }

    /// The form, where there is one.
    pub(crate) fn form(&self) -> Option<&Form> {
        self.form.as_ref()
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
    pub(crate) fn allows_oob(&self) -> bool {
        let known = self
            .schema
            .as_ref()
            .and_then(|schema| schema.command(&self.command));
        known.is_some_and(|command| command.allow_oob)
    }

    /// Whether the form sends out of band.
    pub(crate) fn is_oob(&self) -> bool {
        self.oob
    }

    /// Makes the form send out of band, or not.
    pub(crate) fn set_oob(&mut self, oob: bool) {
        self.oob = oob;
    }

    /// The text of the JSON view.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// The JSON view was typed into.
    pub(crate) fn set_json(&mut self, text: String) {
        self.json = text;
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
        form.apply(schema, edit)?;
        Ok(!is_text)
    }

    /// Empties everything that has been entered.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            mode: self.mode,
            ..Self::new(self.schema.clone(), &self.command)
        };
        if self.form.is_none() {
            self.mode = Mode::Json;
        }
    }

    /// Shows the JSON.
    pub(crate) fn show_json(&mut self) {
        if self.mode == Mode::Form {
            self.write_json();
            self.mode = Mode::Json;
        }
    }

    /// Shows the form of what the JSON says.
    ///
    /// # Errors
    ///
    /// Why no form can show that; the JSON stays.
    pub(crate) fn show_form(&mut self) -> Result<(), Vec<Fault>> {
        let Some(schema) = &self.schema else {
            return Err(vec![fault("the endpoint has no schema")]);
        };
        if self.made_of_form.as_ref() != Some(&self.json) {
            let message = parse_message(&self.json).map_err(|fault| vec![fault])?;
            if message.command != self.command {
                let text = "this is the form of “".to_owned() + &self.command + "”";
                return Err(vec![Fault {
                    path: Path::root().member("execute"),
                    message: text,
                }]);
            }
            let arguments = message.arguments.as_deref().unwrap_or("{}");
            self.form = Some(Form::from_json(schema, &self.command, arguments)?);
            self.oob = message.oob;
        }
        self.mode = Mode::Form;
        Ok(())
    }

    /// What is to be sent.
    ///
    /// # Errors
    ///
    /// Why nothing can be.
    pub(crate) fn request(&self) -> Result<Request, Vec<Fault>> {
        let (command, oob, arguments) = match (&self.form, self.mode) {
            (Some(form), Mode::Form) => {
                let arguments = form.to_json()?;
                let arguments = (arguments != "{}").then_some(arguments);
                (self.command.clone(), self.oob, arguments)
            }
            _ => {
                let message = parse_message(&self.json).map_err(|fault| vec![fault])?;
                if message.id.is_some() {
                    let path = Path::root().member("id");
                    let message = "the console gives each command an id of its own".to_owned();
                    return Err(vec![Fault { path, message }]);
                }
                (message.command, message.oob, message.arguments)
            }
        };
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
        if let (Mode::Json, Some(schema)) = (self.mode, &self.schema) {
            let arguments = request
                .arguments
                .as_ref()
                .map_or("{}", |arguments| arguments.get());
            faults.doubts = validate(schema, &request.command, arguments);
        }
        faults
    }

    /// The message on one line, without what is missing or wrong.
    pub(crate) fn message(&self) -> String {
        let draft = self
            .form
            .as_ref()
            .map(Form::to_draft)
            .filter(|draft| draft != "{}");
        message_text(&self.command, self.oob, draft.as_deref(), Layout::Compact)
    }

    fn write_json(&mut self) {
        let draft = self
            .form
            .as_ref()
            .map(Form::to_draft)
            .filter(|draft| draft != "{}");
        self.json = message_text(&self.command, self.oob, draft.as_deref(), Layout::Pretty);
        self.made_of_form = self.form.is_some().then(|| self.json.clone());
    }

    /// The type and control of a value; `inside` is past an alternate.
    pub(crate) fn control(&self, path: &Path, inside: bool) -> Option<(TypeId, Control)> {
        let node = self.node(path, inside)?;
        let control = match &node.kind {
            NodeKind::Text { builtin, .. } => Control::Text(*builtin),
            NodeKind::Bool(_) => Control::Bool,
            NodeKind::Null => Control::Null,
            NodeKind::Choice { .. } => Control::Choice,
            NodeKind::Object { .. } => Control::Object,
            NodeKind::Array { .. } => Control::Array,
            NodeKind::Alternate { .. } => Control::Alternate,
            NodeKind::Raw { builtin, .. } => Control::Raw(*builtin),
        };
        Some((node.ty, control))
    }

    /// The fields of an object, and whether more may be added.
    pub(crate) fn fields(&self, path: &Path) -> (Vec<FieldShape>, bool) {
        let Some(NodeKind::Object { fields, open }) = self.node(path, true).map(|node| &node.kind)
        else {
            return (Vec::new(), false);
        };
        let shape = |field: &qmp_shared::command::Field| FieldShape {
            name: field.name.clone(),
            ty: field.ty,
            optional: field.optional,
            described: field.described,
            features: field.features.clone(),
            present: field.node.is_some(),
        };
        (fields.iter().map(shape).collect(), *open)
    }

    /// How many items an array has.
    pub(crate) fn items(&self, path: &Path) -> usize {
        match self.node(path, true).map(|node| &node.kind) {
            Some(NodeKind::Array { items }) => items.len(),
            _ => 0,
        }
    }

    /// Which type of an alternate is chosen.
    pub(crate) fn branch(&self, path: &Path) -> usize {
        match self.node(path, false).map(|node| &node.kind) {
            Some(NodeKind::Alternate { branch, .. }) => *branch,
            _ => 0,
        }
    }

    /// What an input shows.
    pub(crate) fn text(&self, path: &Path) -> String {
        self.node(path, true)
            .map(Node::text)
            .unwrap_or_default()
            .to_owned()
    }

    /// Whether a boolean is true.
    pub(crate) fn is_true(&self, path: &Path) -> bool {
        matches!(
            self.node(path, true).map(|node| &node.kind),
            Some(NodeKind::Bool(true))
        )
    }

    /// Whether an empty string was entered, as opposed to nothing.
    pub(crate) fn is_empty_string(&self, path: &Path) -> bool {
        let kind = self.node(path, true).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Text { builtin: Builtin::String, text: Some(text) })
            if text.is_empty())
    }

    fn node(&self, path: &Path, inside: bool) -> Option<&Node> {
        let node = self.form.as_ref()?.get(path)?;
        Some(if inside { node.value() } else { node })
    }
}

fn fault(message: &str) -> Fault {
    Fault {
        path: Path::root(),
        message: message.to_owned(),
    }
}

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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Arc<Schema> {
        let text = r#"[
            {"name": "set_link", "meta-type": "command", "arg-type": "0", "ret-type": "1"},
            {"name": "yank", "meta-type": "command", "arg-type": "1", "ret-type": "1",
             "allow-oob": true},
            {"name": "0", "meta-type": "object", "members": [
                {"name": "name", "type": "str"}, {"name": "up", "type": "bool"},
                {"name": "n", "type": "int", "default": null}]},
            {"name": "1", "meta-type": "object", "members": []},
            {"name": "str", "meta-type": "builtin", "json-type": "string"},
            {"name": "int", "meta-type": "builtin", "json-type": "int"},
            {"name": "bool", "meta-type": "builtin", "json-type": "boolean"}]"#;
        Arc::new(Schema::parse(text).unwrap())
    }

    fn editor(command: &str) -> Editor {
        Editor::new(Some(schema()), command)
    }

    fn edit(editor: &mut Editor, member: &str, action: Action) -> bool {
        editor
            .apply(Edit {
                path: Path::root().member(member),
                action,
            })
            .unwrap()
    }

    #[test]
    fn a_form_sends_what_was_entered() {
        let mut editor = editor("set_link");
        assert_eq!(editor.faults().blocking.len(), 1);
        assert!(!edit(&mut editor, "name", Action::SetText("net0".into())));
        assert!(edit(&mut editor, "n", Action::Add));
        edit(
            &mut editor,
            "n",
            Action::SetText("18446744073709551615".into()),
        );
        let request = editor.request().unwrap();
        let arguments = request.arguments.unwrap();
        assert_eq!(
            arguments.get(),
            r#"{"name":"net0","up":false,"n":18446744073709551615}"#
        );
        assert_eq!(editor.faults(), Faults::default());
        editor.reset();
        assert_eq!(
            editor.message(),
            r#"{"execute":"set_link","arguments":{"up":false}}"#
        );
    }

    #[test]
    fn without_arguments_there_is_no_such_member() {
        let mut editor = editor("yank");
        assert!(editor.allows_oob());
        editor.set_oob(true);
        let request = editor.request().unwrap();
        assert!(request.oob && request.arguments.is_none());
        assert_eq!(editor.message(), r#"{"exec-oob":"yank"}"#);
    }

    #[test]
    fn json_that_was_not_touched_leads_back_to_the_same_form() {
        let mut editor = editor("set_link");
        edit(&mut editor, "n", Action::Add);
        edit(&mut editor, "n", Action::SetText("not a number".into()));
        editor.show_json();
        assert!(!editor.json().contains("not a number"));
        editor.show_form().unwrap();
        assert_eq!(editor.text(&Path::root().member("n")), "not a number");
    }

    #[test]
    fn json_becomes_a_form_or_says_why_not() {
        let mut editor = editor("set_link");
        editor.show_json();
        editor
            .set_json(r#"{"exec-oob": "set_link", "arguments": {"up": true, "name": "x"}}"#.into());
        editor.show_form().unwrap();
        assert!(editor.is_oob() && editor.is_true(&Path::root().member("up")));
        for (text, place) in [
            (r#"{"execute": "yank"}"#, "execute: "),
            (
                r#"{"execute": "set_link", "arguments": {"up": 1}}"#,
                "name: ",
            ),
            ("{", ""),
        ] {
            editor.show_json();
            editor.set_json(text.into());
            let faults = editor.show_form().unwrap_err();
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.to_string().starts_with(place)),
                "{text}"
            );
            assert_eq!((editor.mode(), editor.json()), (Mode::Json, text));
        }
    }

    #[test]
    fn json_may_be_sent_although_the_schema_says_otherwise() {
        let mut editor = editor("set_link");
        editor.show_json();
        editor.set_json(r#"{"execute": "set_link", "arguments": {"up": 1}}"#.into());
        let faults = editor.faults();
        assert!(
            faults.blocking.is_empty() && faults.doubts.len() == 2,
            "{faults:?}"
        );
        assert_eq!(
            editor.request().unwrap().arguments.unwrap().get(),
            r#"{"up": 1}"#
        );
        for blocked in [
            "",
            "{}",
            r#"{"execute": "x", "id": 1}"#,
            r#"{"execute":"a","execute":"b"}"#,
        ] {
            editor.set_json(blocked.into());
            assert!(!editor.faults().blocking.is_empty(), "{blocked}");
        }
    }

    #[test]
    fn without_a_schema_there_is_json() {
        let mut editor = Editor::new(None, "guest-ping");
        assert_eq!(editor.mode(), Mode::Json);
        assert_eq!(editor.request().unwrap().command, "guest-ping");
        assert!(editor.show_form().is_err());
        editor.set_json("{".into());
        editor.reset();
        assert_eq!(editor.request().unwrap().command, "guest-ping");
        let unknown = self::editor("no-such");
        assert!(unknown.no_form().unwrap().contains("no-such"));
    }

    #[test]
    fn drafts_come_back_with_the_same_schema_only() {
        let mut drafts = Drafts::default();
        let mut entered = editor("set_link");
        edit(&mut entered, "name", Action::SetText("net0".into()));
        drafts.put("vm".into(), entered.clone());
        assert!(drafts.take("qsd", "set_link", Some(&schema())).is_none());
        let back = drafts.take("vm", "set_link", Some(&schema())).unwrap();
        assert_eq!(back.text(&Path::root().member("name")), "net0");
        assert!(drafts.take("vm", "set_link", Some(&schema())).is_none());
        drafts.put("vm".into(), entered.clone());
        assert!(drafts.take("vm", "set_link", None).is_none());
        for _ in 0..2 * MAX_DRAFTS {
            drafts.put("vm".into(), entered.clone());
        }
        assert_eq!(drafts.0.len(), MAX_DRAFTS);
    }
}
