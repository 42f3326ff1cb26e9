//! The schemas of a real QEMU and its storage daemon: every command of them
//! opens as a form, and with each choice that there is, all that is required
//! can be entered, written and read again, as JSON and as a line.

#![allow(clippy::unwrap_used, reason = "tests may panic, their helpers too")]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::time::Duration;

use qmp_client::client::{Client, Options};
use qmp_shared::command::{
    Action, Edit, Form, Layout, Node, NodeKind, Path, Step, line_text, message_text, parse_line,
    parse_message, validate,
};
use qmp_shared::schema::{Builtin, Schema, Type, TypeId};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// For something that must not take long, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// The option for a socket that is the standard input.
const SOCKET: &str = "socket,id=m,fd=0,server=on,wait=off";

/// A program with a monitor, which ends with this.
struct Server {
    _child: Child,
    _directory: TempDir,
    client: Client,
}

impl Server {
    /// Starts a program that takes the socket of its monitor as its standard
    /// input. It listens before the program runs, so that nobody has to wait
    /// for that.
    async fn start(program: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("qmp");
        let socket = OwnedFd::from(UnixListener::bind(&path).unwrap());
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::from(socket))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let client = Client::new(Options {
            greeting_timeout: Some(LONG),
            ..Options::named(program)
        });
        let address = format!("unix:{}", path.display()).parse().unwrap();
        client.connect(&address).await.unwrap();
        Self {
            _child: child,
            _directory: directory,
            client,
        }
    }

    async fn qemu() -> Self {
        let machine = ["-machine", "none", "-nodefaults", "-display", "none"];
        let monitor = ["-chardev", SOCKET, "-mon", "chardev=m,mode=control"];
        Self::start(
            "qemu-system-x86_64",
            &[machine.as_slice(), &monitor].concat(),
        )
        .await
    }

    async fn storage_daemon() -> Self {
        let monitor = ["--chardev", SOCKET, "--monitor", "chardev=m"];
        Self::start("qemu-storage-daemon", &monitor).await
    }

    async fn execute(&self, command: &str) -> String {
        let returned = timeout(LONG, self.client.execute(command)).await;
        returned.expect("a reply").unwrap().get().to_owned()
    }

    async fn schema(&self) -> Schema {
        let schema = self.execute("query-qmp-schema").await;
        Schema::parse(&schema).unwrap()
    }
}

/// The commands of the schema are those that there are.
async fn same_commands(server: &Server, schema: &Schema) {
    let told: Vec<Value> = serde_json::from_str(&server.execute("query-commands").await).unwrap();
    let told: BTreeSet<_> = told.iter().map(|it| it["name"].as_str().unwrap()).collect();
    let described: BTreeSet<_> = schema
        .commands()
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(described, told);
}

#[tokio::test]
async fn the_schema_of_qemu_is_resolved() {
    let qemu = Server::qemu().await;
    let schema = qemu.schema().await;
    same_commands(&qemu, &schema).await;
    assert!(schema.events().len() > 30, "{}", schema.events().len());
    assert!(schema.event("SHUTDOWN").is_some());
    assert!(schema.command("migrate-pause").unwrap().allow_oob);
    assert!(!schema.command("stop").unwrap().allow_oob);
    assert!(schema.command("device_add").unwrap().open);

    let add = schema.command("blockdev-add").unwrap();
    let union = schema
        .object(add.arguments)
        .unwrap()
        .union
        .as_ref()
        .unwrap();
    assert!(union.variants.len() > 20, "{}", union.variants.len());
    let qcow2 = schema
        .object(add.arguments)
        .unwrap()
        .variant("qcow2")
        .unwrap();
    let members = &schema.object(qcow2.ty).unwrap().members;
    let described = |name: &str| {
        let member = members.iter().find(|member| member.name == name).unwrap();
        (member.optional, schema.describe(member.ty))
    };
    assert_eq!(described("file"), (false, "object or string".into()));
    assert_eq!(
        described("backing"),
        (true, "object or string or null".into())
    );
    assert_eq!(described("cache-size"), (true, "integer".into()));
}

#[tokio::test]
async fn every_command_of_qemu_has_a_form() {
    let schema = Server::qemu().await.schema().await;
    let tried = every_form(&schema);
    assert!(tried > 2000, "only {tried} forms");
}

#[tokio::test]
async fn every_command_of_the_storage_daemon_has_a_form() {
    let daemon = Server::storage_daemon().await;
    let schema = daemon.schema().await;
    same_commands(&daemon, &schema).await;
    let tried = every_form(&schema);
    assert!(tried > 1000, "only {tried} forms");
}

/// Fills in the form of every command in all ways, and counts them.
fn every_form(schema: &Schema) -> usize {
    schema
        .commands()
        .iter()
        .map(|command| every_choice(schema, &command.name))
        .sum()
}

/// Something that is entered instead of what is entered first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Choice {
    /// Another value of an enum.
    Value(String),
    /// Another type of an alternate.
    Branch(usize),
    /// An item of an array.
    Item,
    /// A member that may be left out.
    Optional(String),
}

/// A place in the schema: a type, or what this step leads to from there.
type Place = (TypeId, Option<Step>);

/// What is chosen where, apart from what is entered first.
type Choices = HashMap<Path, Vec<Choice>>;

/// Fills in the form of a command, and again with each choice that there was
/// then, until each one has been made in each place.
fn every_choice(schema: &Schema, command: &str) -> usize {
    let mut made = HashSet::new();
    let mut left = vec![Choices::new()];
    let mut count = 0;
    while let Some(choices) = left.pop() {
        count += 1;
        let mut filler = Filler::new(schema, command, &choices);
        filler.fill(&Path::root(), filler.form.root().ty);
        filler.check();
        for (path, place, choice) in filler.others {
            if made.insert((place, choice.clone())) {
                let mut choices = choices.clone();
                choices.entry(path).or_default().push(choice);
                left.push(choices);
            }
        }
    }
    count
}

/// A form that is being filled in by edits.
struct Filler<'a> {
    schema: &'a Schema,
    form: Form,
    choices: &'a Choices,
    /// What could have been chosen instead.
    others: Vec<(Path, Place, Choice)>,
}

impl<'a> Filler<'a> {
    fn new(schema: &'a Schema, command: &str, choices: &'a Choices) -> Self {
        let form = Form::new(schema, command).unwrap_or_else(|error| panic!("{command}: {error}"));
        Self {
            schema,
            form,
            choices,
            others: Vec::new(),
        }
    }

    fn edit(&mut self, path: &Path, action: Action) {
        let path = path.clone();
        self.form.apply(self.schema, Edit { path, action }).unwrap();
    }

    fn node(&self, path: &Path) -> &Node {
        self.form.get(path).unwrap()
    }

    /// Which of the choices of this sort was made at the path, if any.
    fn chosen<T>(&self, path: &Path, of: impl FnMut(&Choice) -> Option<T>) -> Option<T> {
        self.choices.get(path)?.iter().find_map(of)
    }

    fn other(&mut self, path: &Path, place: Place, choice: Choice) {
        self.others.push((path.clone(), place, choice));
    }

    /// Enters what is required at the path, which belongs to this type,
    /// and within.
    fn fill(&mut self, path: &Path, of: TypeId) {
        let ty = self.node(path).ty;
        if let Type::Alternate { choices } = self.schema.ty(ty) {
            self.branch(path, ty, choices);
        }
        let value = self.node(path).value();
        let ty = value.ty;
        match &value.kind {
            NodeKind::Text { builtin, .. } => {
                let typed = match builtin {
                    Builtin::String => "a \"string\"",
                    Builtin::Int => "18446744073709551615",
                    _ => "-1.50",
                };
                self.edit(path, Action::SetText(typed.to_owned()));
            }
            NodeKind::Raw { builtin, .. } => {
                let typed = match builtin {
                    Builtin::Array => "[]",
                    _ => "{\"raw\":[1,null]}",
                };
                self.edit(path, Action::SetText(typed.to_owned()));
            }
            NodeKind::Bool(_) => self.edit(path, Action::SetBool(true)),
            NodeKind::Null => (),
            NodeKind::Choice { .. } => self.value(path, ty, of),
            NodeKind::Array { .. } => {
                if self
                    .chosen(path, |it| (*it == Choice::Item).then_some(()))
                    .is_some()
                {
                    self.edit(path, Action::Push);
                    self.fill(&path.index(0), ty);
                }
                self.other(path, (ty, None), Choice::Item);
            }
            NodeKind::Object { .. } => self.fields(path, ty),
            NodeKind::Alternate { .. } => panic!("an alternate in an alternate at {path}"),
        }
    }

    fn value(&mut self, path: &Path, ty: TypeId, of: TypeId) {
        let Type::Enum { values } = self.schema.ty(ty) else {
            panic!("a choice at {path} that is of no enum");
        };
        let value = self.chosen(path, |choice| match choice {
            Choice::Value(value) => Some(value.clone()),
            _ => None,
        });
        let value = value.unwrap_or_else(|| values[0].name.clone());
        self.edit(path, Action::Choose(value));
        for value in values {
            let place = (of, path.0.last().cloned());
            self.other(path, place, Choice::Value(value.name.clone()));
        }
    }

    /// Chooses what is no object first, since an object may need another
    /// alternate of the same type, and so on.
    fn branch(&mut self, path: &Path, ty: TypeId, choices: &[TypeId]) {
        let branch = self.chosen(path, |choice| match choice {
            Choice::Branch(branch) => Some(*branch),
            _ => None,
        });
        let scalar = || {
            choices
                .iter()
                .position(|ty| self.schema.object(*ty).is_none())
        };
        let branch = branch.or_else(scalar).unwrap_or(0);
        self.edit(path, Action::Branch(branch));
        for branch in 0..choices.len() {
            self.other(path, (ty, None), Choice::Branch(branch));
        }
    }

    /// The fields of an object, of which a tag brings new ones.
    fn fields(&mut self, path: &Path, ty: TypeId) {
        let mut filled = HashSet::new();
        while let Some((name, there)) = self.next_field(path, &filled) {
            let member = path.member(&name);
            let optional = Choice::Optional(name.clone());
            let wanted = self.chosen(path, |choice| (*choice == optional).then_some(()));
            if !there && wanted.is_some() {
                self.edit(&member, Action::Add);
            }
            if there || wanted.is_some() {
                self.fill(&member, ty);
            } else {
                self.other(path, (ty, None), optional);
            }
            filled.insert(name);
        }
    }

    /// The first field that is not filled in, and whether it is there.
    fn next_field(&self, path: &Path, filled: &HashSet<String>) -> Option<(String, bool)> {
        let NodeKind::Object { fields, .. } = &self.node(path).value().kind else {
            panic!("no object at {path}");
        };
        let mut fields = fields.iter();
        let next = fields.find(|field| !filled.contains(&field.name))?;
        Some((next.name.clone(), next.node.is_some()))
    }

    /// What has been entered is right, and the same when it is read.
    fn check(&self) {
        let command = self.form.command();
        let text = self.form.to_json();
        let text = text.unwrap_or_else(|faults| panic!("{command}: {faults:?}"));
        assert_eq!(
            validate(self.schema, command, &text),
            [],
            "{command}: {text}"
        );
        let read = Form::from_json(self.schema, command, &text).unwrap();
        assert_eq!(read.to_json().as_ref(), Ok(&text), "{command}");
        assert_eq!(read, self.form, "{command}: {text}");
        self.check_line(&text);
    }

    /// The line says the same, and so does the message.
    fn check_line(&self, arguments: &str) {
        let (schema, command) = (Some(self.schema), self.form.command());
        let line = line_text(schema, command, false, Some(arguments));
        let line = line.unwrap_or_else(|fault| panic!("{command}: {fault}: {arguments}"));
        let read = parse_line(schema, &line);
        let read = read.unwrap_or_else(|fault| panic!("{fault}: {line}"));
        assert_eq!(read.command, command);
        let read_arguments = read.arguments.as_deref().unwrap_or("{}");
        assert_eq!(read_arguments, arguments, "{line}");
        let message = message_text(command, false, Some(read_arguments), Layout::Pretty);
        let message = parse_message(&message).unwrap();
        let form = Form::from_json(self.schema, command, message.arguments.as_deref().unwrap());
        assert_eq!(form.unwrap(), self.form, "{line}");
    }
}
