//! From the flat array to the resolved [`Schema`], in two passes: the names
//! first, since entries refer to later ones.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    Builtin, Command, EnumValue, Event, Features, JsonType, Member, Object, Schema, Type, TypeId,
    Union, Variant,
};

/// Commands that take members which the schema does not list.
const OPEN_COMMANDS: &[&str] = &["device_add"];

/// Why there is no schema in a text.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// Not JSON.
    #[error("the schema is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but not an array.
    #[error("the schema is not a JSON array")]
    NotAnArray,
    /// An entry makes no sense.
    #[error("schema entry {index}{}: {problem}", of_name(.name))]
    Entry {
        /// Its place, from 0.
        index: usize,
        /// Its name, if it has one.
        name: Option<String>,
        /// What is wrong.
        problem: EntryProblem,
    },
}

fn of_name(name: &Option<String>) -> String {
    match name {
        Some(name) => format!(" ({name:?})"),
        None => String::new(),
    }
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryProblem {
    /// It is not an object.
    #[error("not an object")]
    NotAnObject,
    /// Something it must have is not there.
    #[error("{0:?} is missing")]
    Missing(&'static str),
    /// Something is of another JSON type.
    #[error("{field:?} is not {expected}")]
    WrongType {
        /// The field, which may be one of a member of the entry.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Of no kind that we know.
    #[error("unknown meta-type {0:?}")]
    UnknownMetaType(String),
    /// A built-in type of no JSON type that we know.
    #[error("unknown json-type {0:?}")]
    UnknownJsonType(String),
    /// A type is referred to that is not there.
    #[error("{field:?} refers to type {ty:?}, which is not there")]
    UnknownType {
        /// Where it is referred to.
        field: String,
        /// The type's name.
        ty: String,
    },
    /// A type is referred to that must not stand there.
    #[error("{field:?} refers to {ty:?}, which is not {expected}")]
    WrongMetaType {
        /// Where it is referred to.
        field: String,
        /// The type's name.
        ty: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An earlier entry, or an earlier part of this one, has the same name.
    #[error("duplicate name {0:?}")]
    Duplicate(String),
    /// The tag is none of the members.
    #[error("the tag {0:?} is not a member")]
    TagNotAMember(String),
    /// The tag is a member, but of no enum type.
    #[error("the tag {0:?} is not of an enum type")]
    TagNotAnEnum(String),
    /// An alternate between nothing.
    #[error("no choices")]
    NoChoices,
    /// More types than can be counted.
    #[error("too many types")]
    TooManyTypes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meta {
    Builtin,
    Enum,
    Array,
    Object,
    Alternate,
    Command,
    Event,
}

struct Entry<'a> {
    name: &'a str,
    meta: Meta,
    fields: &'a Map<String, Value>,
}

/// The types by name.
type Names<'a> = HashMap<&'a str, (TypeId, Meta)>;

pub(super) fn parse(json: &str) -> Result<Schema, SchemaError> {
    let value: Value = serde_json::from_str(json).map_err(SchemaError::NotJson)?;
    let Value::Array(values) = &value else {
        return Err(SchemaError::NotAnArray);
    };
    let at = |index: usize| {
        let value = &values[index];
        move |problem| SchemaError::Entry {
            index,
            name: value.get("name").and_then(Value::as_str).map(str::to_owned),
            problem,
        }
    };

    let mut entries = Vec::with_capacity(values.len());
    let mut names = Names::new();
    let mut taken = HashSet::new();
    for (index, value) in values.iter().enumerate() {
        let entry = entry(value).map_err(at(index))?;
        if !taken.insert(entry.name) {
            return Err(at(index)(EntryProblem::Duplicate(entry.name.to_owned())));
        }
        if !matches!(entry.meta, Meta::Command | Meta::Event) {
            let id = u32::try_from(names.len()).ok();
            // The last number is that of what is not described.
            let Some(id) = id.map(TypeId).filter(|id| *id != TypeId::UNDESCRIBED) else {
                return Err(at(index)(EntryProblem::TooManyTypes));
            };
            names.insert(entry.name, (id, entry.meta));
        }
        entries.push(entry);
    }

    let mut schema = Schema {
        types: Vec::with_capacity(names.len()),
        commands: Vec::new(),
        events: Vec::new(),
    };
    for (index, entry) in entries.iter().enumerate() {
        resolve(&mut schema, &names, entry).map_err(at(index))?;
    }
    tell_choices_apart(&mut schema);
    schema.commands.sort_by(|a, b| a.name.cmp(&b.name));
    schema.events.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(schema)
}

fn entry(value: &Value) -> Result<Entry<'_>, EntryProblem> {
    let fields = value.as_object().ok_or(EntryProblem::NotAnObject)?;
    let meta = match string(fields, "meta-type")? {
        "builtin" => Meta::Builtin,
        "enum" => Meta::Enum,
        "array" => Meta::Array,
        "object" => Meta::Object,
        "alternate" => Meta::Alternate,
        "command" => Meta::Command,
        "event" => Meta::Event,
        other => return Err(EntryProblem::UnknownMetaType(other.to_owned())),
    };
    let name = string(fields, "name")?;
    Ok(Entry { name, meta, fields })
}

fn resolve(schema: &mut Schema, names: &Names<'_>, entry: &Entry<'_>) -> Result<(), EntryProblem> {
    let features = features(entry.fields)?;
    let ty = match entry.meta {
        Meta::Command => {
            schema.commands.push(Command {
                name: entry.name.to_owned(),
                arguments: object_ref(names, entry.fields, "arg-type")?,
                returns: reference(names, entry.fields, "ret-type")?.0,
                allow_oob: optional_bool(entry.fields, "allow-oob")?,
                open: OPEN_COMMANDS.contains(&entry.name),
                features,
            });
            return Ok(());
        }
        Meta::Event => {
            schema.events.push(Event {
                name: entry.name.to_owned(),
                data: object_ref(names, entry.fields, "arg-type")?,
                features,
            });
            return Ok(());
        }
        Meta::Builtin => Type::Builtin(builtin(string(entry.fields, "json-type")?)?),
        Meta::Enum => Type::Enum {
            values: enum_values(entry.fields)?,
        },
        Meta::Array => Type::Array(reference(names, entry.fields, "element-type")?.0),
        Meta::Object => Type::Object(object(names, entry.fields)?),
        Meta::Alternate => Type::Alternate {
            choices: choices(names, entry.fields)?,
        },
    };
    schema.types.push((ty, features));
    Ok(())
}

fn builtin(json_type: &str) -> Result<Builtin, EntryProblem> {
    Ok(match json_type {
        "string" => Builtin::String,
        "number" => Builtin::Number,
        "int" => Builtin::Int,
        "boolean" => Builtin::Boolean,
        "null" => Builtin::Null,
        "object" => Builtin::Object,
        "array" => Builtin::Array,
        "value" => Builtin::Value,
        other => return Err(EntryProblem::UnknownJsonType(other.to_owned())),
    })
}

/// From `members`, or from `values` as before QEMU 6.2.
fn enum_values(entry: &Map<String, Value>) -> Result<Vec<EnumValue>, EntryProblem> {
    let mut values = Vec::new();
    if entry.contains_key("members") {
        for member in objects(entry, "members")? {
            let member = member?;
            values.push(EnumValue {
                name: string(member, "name")?.to_owned(),
                features: features(member)?,
            });
        }
    } else {
        for name in strings(entry, "values")? {
            values.push(EnumValue {
                name: name?.to_owned(),
                features: Features::default(),
            });
        }
    }
    unique(values.iter().map(|value| value.name.as_str()))?;
    Ok(values)
}

fn object(names: &Names<'_>, entry: &Map<String, Value>) -> Result<Object, EntryProblem> {
    let mut members = Vec::new();
    let mut metas = Vec::new();
    for member in objects(entry, "members")? {
        let member = member?;
        let name = string(member, "name")?.to_owned();
        let (ty, meta) = reference_of(names, string(member, "type")?, &name)?;
        metas.push(meta);
        members.push(Member {
            ty,
            // Its value is always null: presence is what counts.
            optional: member.contains_key("default"),
            features: features(member)?,
            name,
        });
    }
    unique(members.iter().map(|member| member.name.as_str()))?;
    let union = match entry.contains_key("tag") || entry.contains_key("variants") {
        true => Some(union(names, entry, &members, &metas)?),
        false => None,
    };
    Ok(Object { members, union })
}

fn union(
    names: &Names<'_>,
    entry: &Map<String, Value>,
    members: &[Member],
    metas: &[Meta],
) -> Result<Union, EntryProblem> {
    let name = string(entry, "tag")?;
    let tag = members.iter().position(|member| member.name == name);
    let tag = tag.ok_or_else(|| EntryProblem::TagNotAMember(name.to_owned()))?;
    if metas[tag] != Meta::Enum {
        return Err(EntryProblem::TagNotAnEnum(name.to_owned()));
    }
    let mut variants = Vec::new();
    for variant in objects(entry, "variants")? {
        let variant = variant?;
        variants.push(Variant {
            case: string(variant, "case")?.to_owned(),
            ty: object_ref(names, variant, "type")?,
        });
    }
    unique(variants.iter().map(|variant| variant.case.as_str()))?;
    Ok(Union { tag, variants })
}

fn choices(names: &Names<'_>, entry: &Map<String, Value>) -> Result<Vec<TypeId>, EntryProblem> {
    let mut choices = Vec::new();
    for member in objects(entry, "members")? {
        let member = member?;
        let (ty, meta) = reference(names, member, "type")?;
        if meta == Meta::Alternate {
            return Err(EntryProblem::WrongMetaType {
                field: "type".to_owned(),
                ty: string(member, "type")?.to_owned(),
                expected: "told apart by its JSON type",
            });
        }
        choices.push(ty);
    }
    if choices.is_empty() {
        return Err(EntryProblem::NoChoices);
    }
    Ok(choices)
}

/// Leaves in alternates the types that their JSON type tells apart.
fn tell_choices_apart(schema: &mut Schema) {
    let of: Vec<Option<JsonType>> = schema.types.iter().map(|(ty, _)| ty.json_type()).collect();
    for (ty, _) in &mut schema.types {
        if let Type::Alternate { choices } = ty {
            let mut seen = Vec::new();
            choices.retain(|choice| {
                let of = of.get(choice.0 as usize).copied().flatten();
                // One of any type takes what the others left.
                let distinct = !seen.contains(&of) && !seen.contains(&None);
                seen.push(of);
                distinct
            });
        }
    }
}

fn features(entry: &Map<String, Value>) -> Result<Features, EntryProblem> {
    let mut features = Features::default();
    if !entry.contains_key("features") {
        return Ok(features);
    }
    for feature in strings(entry, "features")? {
        match feature? {
            "deprecated" => features.deprecated = true,
            "unstable" => features.unstable = true,
            other => features.other.push(other.to_owned()),
        }
    }
    Ok(features)
}

fn reference(
    names: &Names<'_>,
    entry: &Map<String, Value>,
    field: &'static str,
) -> Result<(TypeId, Meta), EntryProblem> {
    reference_of(names, string(entry, field)?, field)
}

fn reference_of(names: &Names<'_>, ty: &str, field: &str) -> Result<(TypeId, Meta), EntryProblem> {
    let found = names.get(ty).copied();
    found.ok_or_else(|| EntryProblem::UnknownType {
        field: field.to_owned(),
        ty: ty.to_owned(),
    })
}

fn object_ref(
    names: &Names<'_>,
    entry: &Map<String, Value>,
    field: &'static str,
) -> Result<TypeId, EntryProblem> {
    let (id, meta) = reference(names, entry, field)?;
    if meta != Meta::Object {
        return Err(EntryProblem::WrongMetaType {
            field: field.to_owned(),
            ty: string(entry, field)?.to_owned(),
            expected: "an object type",
        });
    }
    Ok(id)
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), EntryProblem> {
    let mut taken = HashSet::new();
    for name in names {
        if !taken.insert(name) {
            return Err(EntryProblem::Duplicate(name.to_owned()));
        }
    }
    Ok(())
}

fn string<'a>(entry: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, EntryProblem> {
    let value = entry.get(field).ok_or(EntryProblem::Missing(field))?;
    value.as_str().ok_or(EntryProblem::WrongType {
        field,
        expected: "a string",
    })
}

fn array<'a>(
    entry: &'a Map<String, Value>,
    field: &'static str,
) -> Result<&'a [Value], EntryProblem> {
    let value = entry.get(field).ok_or(EntryProblem::Missing(field))?;
    let array = value.as_array().ok_or(EntryProblem::WrongType {
        field,
        expected: "an array",
    })?;
    Ok(array)
}

fn objects<'a>(
    entry: &'a Map<String, Value>,
    field: &'static str,
) -> Result<impl Iterator<Item = Result<&'a Map<String, Value>, EntryProblem>>, EntryProblem> {
    let expected = "an array of objects";
    let items = array(entry, field)?.iter();
    Ok(items.map(move |item| {
        item.as_object()
            .ok_or(EntryProblem::WrongType { field, expected })
    }))
}

fn strings<'a>(
    entry: &'a Map<String, Value>,
    field: &'static str,
) -> Result<impl Iterator<Item = Result<&'a str, EntryProblem>>, EntryProblem> {
    let expected = "an array of strings";
    let items = array(entry, field)?.iter();
    Ok(items.map(move |item| {
        item.as_str()
            .ok_or(EntryProblem::WrongType { field, expected })
    }))
}

fn optional_bool(entry: &Map<String, Value>, field: &'static str) -> Result<bool, EntryProblem> {
    match entry.get(field) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or(EntryProblem::WrongType {
            field,
            expected: "a boolean",
        }),
    }
}
