//! [`Schema`]: what `query-qmp-schema` says, resolved.
//!
//! The reply is a flat array of entries that refer to each other by name. Here
//! the references are resolved once, into commands, events and types by index,
//! so that recursive types need no care. The command forms
//! ([`crate::command`]) and the front end's lists read it; it knows nothing of
//! values, and of the commands it knows only what the endpoint said, with one
//! exception: [`Command::open`].

mod parse;

pub use parse::{EntryProblem, SchemaError};

/// The schema of one endpoint.
///
/// ```
/// use qmp_shared::schema::Schema;
///
/// let schema = Schema::parse(r#"[
///     {"name": "stop", "meta-type": "command", "arg-type": "0", "ret-type": "0"},
///     {"name": "0", "meta-type": "object", "members": []}
/// ]"#)?;
/// assert_eq!(schema.commands().len(), 1);
/// assert!(!schema.command("stop").unwrap().allow_oob);
/// # Ok::<(), qmp_shared::schema::SchemaError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    types: Vec<(Type, Features)>,
    commands: Vec<Command>,
    events: Vec<Event>,
}

/// A type of one [`Schema`]; it means nothing to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(u32);

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What to `execute`.
    pub name: String,
    /// Its arguments: a [`Type::Object`].
    pub arguments: TypeId,
    /// What it returns.
    pub returns: TypeId,
    /// Whether `exec-oob` takes it.
    pub allow_oob: bool,
    /// Whether it takes members of any name beside those of `arguments`. The
    /// schema cannot say so; it is known of `device_add`, whose other
    /// arguments are the device's properties.
    pub open: bool,
    /// The command's own.
    pub features: Features,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// As in `event`.
    pub name: String,
    /// Its `data`: a [`Type::Object`].
    pub data: TypeId,
    /// The event's own.
    pub features: Features,
}

/// Special features of an entity, a member or an enum's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Meant to go.
    pub deprecated: bool,
    /// May change or go without notice.
    pub unstable: bool,
    /// Any others, as named.
    pub other: Vec<String>,
}

/// What values there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// By JSON type alone.
    Builtin(Builtin),
    /// One of some strings; there may be none.
    Enum {
        /// In the schema's order.
        values: Vec<EnumValue>,
    },
    /// An array of values of one type.
    Array(TypeId),
    /// An object with named members.
    Object(Object),
    /// A value of one of several types, told apart by its JSON type.
    Alternate {
        /// At least one; none is itself an alternate. Of two of one JSON type,
        /// which QAPI does not allow, only the first could be meant, and is here.
        choices: Vec<TypeId>,
    },
}

impl Type {
    /// The JSON type of all its values, if they have one in common.
    pub(crate) fn json_type(&self) -> Option<JsonType> {
        Some(match self {
            Self::Builtin(Builtin::Value) | Self::Alternate { .. } => return None,
            Self::Builtin(Builtin::String) | Self::Enum { .. } => JsonType::String,
            Self::Builtin(Builtin::Int | Builtin::Number) => JsonType::Number,
            Self::Builtin(Builtin::Boolean) => JsonType::Boolean,
            Self::Builtin(Builtin::Null) => JsonType::Null,
            Self::Builtin(Builtin::Array) | Self::Array(_) => JsonType::Array,
            Self::Builtin(Builtin::Object) | Self::Object(_) => JsonType::Object,
        })
    }
}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonType {
    Null,
    Boolean,
    String,
    Number,
    Array,
    Object,
}

impl JsonType {
    /// By the first character of a value that is JSON.
    pub(crate) fn of(text: &str) -> Self {
        match text.as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }

    /// The type in words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// The JSON types of built-in types. QEMU folds all integer types into `Int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// `string`.
    String,
    /// `number`: an integer or not.
    Number,
    /// `int`: an integer, signed or unsigned 64 bit.
    Int,
    /// `boolean`.
    Boolean,
    /// `null`.
    Null,
    /// `object`: any object.
    Object,
    /// `array`: any array.
    Array,
    /// `value`: anything.
    Value,
}

/// A value of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumValue {
    /// The string.
    pub name: String,
    /// The value's own; QEMU says them since 6.2.
    pub features: Features,
}

/// The members of an object type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// Those that every value has, in the schema's order.
    pub members: Vec<Member>,
    /// More members, by the value of one of `members`.
    pub union: Option<Union>,
}

/// A member of an object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Unique within its object.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Whether it may be left out.
    pub optional: bool,
    /// The member's own.
    pub features: Features,
}

/// The variable part of an object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Union {
    /// Which of the object's members decides, by index. It is of an enum type.
    pub tag: usize,
    /// The cases; a value of the enum that has none adds nothing.
    pub variants: Vec<Variant>,
}

/// One case of a [`Union`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The tag's value.
    pub case: String,
    /// The members it adds: a [`Type::Object`], maybe a union again.
    pub ty: TypeId,
}

/// How many of an enum's values or an alternate's types [`Schema::describe`]
/// names.
const DESCRIBED_CHOICES: usize = 6;

/// How deep [`Schema::describe`] looks into arrays and alternates.
const DESCRIBED_DEPTH: usize = 4;

impl Schema {
    /// Resolves the value that `query-qmp-schema` returns. Keys that it does
    /// not know are ignored, and both ways of listing an enum's values are
    /// understood.
    ///
    /// # Errors
    ///
    /// [`SchemaError`], which names the first entry that makes no sense.
    pub fn parse(json: &str) -> Result<Self, SchemaError> {
        parse::parse(json)
    }

    /// The commands, sorted by name.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The command of this name.
    pub fn command(&self, name: &str) -> Option<&Command> {
        let found = self
            .commands
            .binary_search_by(|known| known.name.as_str().cmp(name));
        found.ok().map(|index| &self.commands[index])
    }

    /// The events, sorted by name.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The event of this name.
    pub fn event(&self, name: &str) -> Option<&Event> {
        let found = self
            .events
            .binary_search_by(|known| known.name.as_str().cmp(name));
        found.ok().map(|index| &self.events[index])
    }

    /// The type. An id that is not of this schema is some other type or, out
    /// of its range, any value.
    pub fn ty(&self, id: TypeId) -> &Type {
        const ANY: &Type = &Type::Builtin(Builtin::Value);
        self.types.get(id.0 as usize).map_or(ANY, |(ty, _)| ty)
    }

    /// The type's own features.
    pub fn type_features(&self, id: TypeId) -> &Features {
        const NONE: &Features = &Features {
            deprecated: false,
            unstable: false,
            other: Vec::new(),
        };
        self.types
            .get(id.0 as usize)
            .map_or(NONE, |(_, features)| features)
    }

    /// The type's members, of an object type.
    pub fn object(&self, id: TypeId) -> Option<&Object> {
        match self.ty(id) {
            Type::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What a label says of the type: `string`, `array of object`,
    /// `enum: a | b | …`, `string or null`.
    pub fn describe(&self, id: TypeId) -> String {
        let mut text = String::new();
        self.describe_into(&mut text, id, DESCRIBED_DEPTH);
        text
    }

    fn describe_into(&self, text: &mut String, id: TypeId, depth: usize) {
        if depth == 0 {
            text.push('…');
            return;
        }
        match self.ty(id) {
            Type::Builtin(builtin) => text.push_str(builtin.describe()),
            Type::Enum { values } => {
                text.push_str("enum:");
                for (index, value) in values.iter().take(DESCRIBED_CHOICES).enumerate() {
                    text.push_str(if index == 0 { " " } else { " | " });
                    text.push_str(&value.name);
                }
                if values.len() > DESCRIBED_CHOICES {
                    text.push_str(" | …");
                }
            }
            Type::Array(element) => {
                text.push_str("array of ");
                self.describe_into(text, *element, depth - 1);
            }
            Type::Object(object) if object.members.is_empty() => text.push_str("empty object"),
            Type::Object(_) => text.push_str("object"),
            Type::Alternate { choices } => {
                for (index, choice) in choices.iter().take(DESCRIBED_CHOICES).enumerate() {
                    if index > 0 {
                        text.push_str(" or ");
                    }
                    self.describe_into(text, *choice, depth - 1);
                }
                if choices.len() > DESCRIBED_CHOICES {
                    text.push_str(" or …");
                }
            }
        }
    }
}

impl TypeId {
    /// Of what the schema does not describe: any value, in every schema.
    pub(crate) const UNDESCRIBED: Self = Self(u32::MAX);
}

impl Builtin {
    /// What a label says of it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Int => "integer",
            Self::Boolean => "boolean",
            Self::Null => "null",
            Self::Object => "any object",
            Self::Array => "any array",
            Self::Value => "any value",
        }
    }
}

impl Object {
    /// The case of the union that this value of the tag selects.
    pub fn variant(&self, case: &str) -> Option<&Variant> {
        let variants = &self.union.as_ref()?.variants;
        variants.iter().find(|variant| variant.case == case)
    }
}

impl Features {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
