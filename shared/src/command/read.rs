//! From the JSON of the arguments to a form.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::build::{Builder, undescribed};
use super::form::{Form, FormError, MAX_PARTS, Node, NodeKind};
use super::number;
use super::path::{Fault, Faults, Step, quoted};
use super::write::write;
use crate::json;
use crate::schema::{Builtin, Command, JsonType, Schema, Type, TypeId};

impl Form {
    /// The form that shows these `arguments`. Written again, it is the same
    /// JSON in the schema's order.
    ///
    /// # Errors
    ///
    /// All that is missing or wrong; or, when the text may not be sent at all
    /// ([`json::check_arguments`]), that alone.
    pub fn from_json(schema: &Schema, command: &str, text: &str) -> Result<Self, Vec<Fault>> {
        read(schema, command, text, Missing::IsWrong, MAX_PARTS)
    }

    /// The form that shows these `arguments` as far as they go: required
    /// members may be missing, also within. [`Self::to_draft`] is the same
    /// JSON in the schema's order.
    ///
    /// # Errors
    ///
    /// As [`Self::from_json`], but for what is missing.
    pub fn from_draft(schema: &Schema, command: &str, text: &str) -> Result<Self, Vec<Fault>> {
        read(schema, command, text, Missing::IsEmpty, MAX_PARTS)
    }
}

/// What a required member is that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// A fault.
    IsWrong,
    /// To be entered.
    IsEmpty,
}

/// What is wrong with the `arguments` of a command by its schema. Of numbers
/// it looks at the type and the range, of nothing at what it would do.
/// Arguments may be larger than a form may be, but not nested deeper.
pub fn validate(schema: &Schema, command: &str, arguments: &str) -> Vec<Fault> {
    match read(
        schema,
        command,
        arguments,
        Missing::IsWrong,
        json::MAX_TOKENS,
    ) {
        Ok(_) => Vec::new(),
        Err(faults) => faults,
    }
}

fn read(
    schema: &Schema,
    command: &str,
    text: &str,
    missing: Missing,
    parts: usize,
) -> Result<Form, Vec<Fault>> {
    let mut faults = Faults::default();
    let reader = Reader {
        faults: &mut faults,
        missing,
    };
    match read_arguments(schema, command, text, parts, reader) {
        Ok(form) if faults.is_empty() => return Ok(form),
        Ok(_) => (),
        Err(message) => faults.add(message),
    }
    Err(faults.into_vec())
}

/// The form is no good if there are faults.
fn read_arguments(
    schema: &Schema,
    command: &str,
    text: &str,
    parts: usize,
    reader: Reader<'_>,
) -> Result<Form, String> {
    let unknown = || FormError::UnknownCommand(command.to_owned()).to_string();
    let known = schema.command(command).ok_or_else(unknown)?;
    json::check_arguments(text).map_err(|fault| fault.to_string())?;
    let root = reader.arguments(&mut Builder::new(schema, parts), known, text.trim_ascii());
    Ok(Form {
        command: known.name.clone(),
        root: root.map_err(|error| error.to_string())?,
    })
}

/// Reads JSON that has been checked. What is wrong by the schema becomes a
/// fault and no node; what makes it pointless to go on, an error.
struct Reader<'f> {
    faults: &'f mut Faults,
    missing: Missing,
}

impl Reader<'_> {
    fn arguments(
        mut self,
        builder: &mut Builder<'_>,
        command: &Command,
        text: &str,
    ) -> Result<Node, FormError> {
        let ty = command.arguments;
        builder.part(0)?;
        let kind = self.object(builder, ty, text, command.open, 0)?;
        Ok(Node { ty, kind })
    }

    fn node(
        &mut self,
        builder: &mut Builder<'_>,
        ty: TypeId,
        text: &str,
        depth: usize,
    ) -> Result<Option<Node>, FormError> {
        builder.part(depth)?;
        let schema = builder.schema();
        let found = JsonType::of(text);
        let known = schema.ty(ty);
        if !accepts(schema, known, found) {
            let expected = schema.describe(ty);
            self.faults
                .add(format!("expected {expected}, found {}", found.name()));
            return Ok(None);
        }
        let kind = match known {
            Type::Builtin(builtin) => self.builtin(*builtin, text),
            Type::Enum { values } => {
                let value = decoded(text);
                if values.iter().any(|known| known.name == value) {
                    let chosen = Some(value);
                    Some(NodeKind::Choice { chosen })
                } else {
                    let expected = schema.describe(ty);
                    self.faults
                        .add(format!("{} is not of {expected}", quoted(&value)));
                    None
                }
            }
            Type::Array(element) => Some(self.array(builder, *element, text, depth)?),
            Type::Object(_) => Some(self.object(builder, ty, text, false, depth)?),
            Type::Alternate { choices } => {
                let branch = choices
                    .iter()
                    .position(|choice| accepts(schema, schema.ty(*choice), found));
                let Some((branch, choice)) = branch.map(|branch| (branch, choices[branch])) else {
                    return Ok(None);
                };
                let node = self.node(builder, choice, text, depth + 1)?;
                node.map(|node| NodeKind::Alternate {
                    branch,
                    node: Box::new(node),
                })
            }
        };
        Ok(kind.map(|kind| Node { ty, kind }))
    }

    fn builtin(&mut self, builtin: Builtin, text: &str) -> Option<NodeKind> {
        let text = match builtin {
            Builtin::Boolean => return Some(NodeKind::Bool(text == "true")),
            Builtin::Null => return Some(NodeKind::Null),
            Builtin::Object | Builtin::Array | Builtin::Value => {
                // Not with the indentation of where it comes from.
                let text = json::compact(text).into_owned();
                return Some(NodeKind::Raw { builtin, text });
            }
            Builtin::String => decoded(text),
            Builtin::Int | Builtin::Number => {
                let checked = match builtin {
                    Builtin::Int => number::check_integer(text),
                    _ => number::number(text).map(drop),
                };
                if let Err(message) = checked {
                    self.faults.add(message);
                    return None;
                }
                text.to_owned()
            }
        };
        let text = Some(text);
        Some(NodeKind::Text { builtin, text })
    }

    fn array(
        &mut self,
        builder: &mut Builder<'_>,
        element: TypeId,
        text: &str,
        depth: usize,
    ) -> Result<NodeKind, FormError> {
        let mut items = Vec::new();
        for (index, item) in items_of(text).into_iter().enumerate() {
            let item = self.within(Step::Index(index), |reader| {
                reader.node(builder, element, item.get(), depth + 1)
            })?;
            items.extend(item);
        }
        Ok(NodeKind::Array { items })
    }

    fn object(
        &mut self,
        builder: &mut Builder<'_>,
        ty: TypeId,
        text: &str,
        open: bool,
        depth: usize,
    ) -> Result<NodeKind, FormError> {
        let given = members_of(text);
        let by_name: HashMap<&str, usize> = given
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.as_ref(), index))
            .collect();
        let mut used = vec![false; given.len()];
        let mut fields = builder.fields(ty, &mut |builder, member| {
            let Some(&index) = by_name.get(member.name.as_str()) else {
                if member.optional {
                    return Ok(None);
                }
                if self.missing == Missing::IsEmpty {
                    return to_be_entered(builder, member.ty, depth + 1);
                }
                self.faults.add_at(&member.name, "required");
                return Ok(None);
            };
            used[index] = true;
            let text = given[index].1.get();
            self.within(Step::Member(member.name.clone()), |reader| {
                reader.node(builder, member.ty, text, depth + 1)
            })
        })?;

        // Without a tag, which has its own fault, nobody knows the members.
        let tags = || fields.iter().filter(|field| field.tag);
        let tag_missing = tags().any(|tag| tag.node.is_none() && by_name.contains_key(&*tag.name))
            || self.missing == Missing::IsWrong
                && tags().any(|tag| tag.node.is_none() && !tag.optional);
        let union = tags()
            .filter_map(|tag| {
                Some(format!(
                    "{} is {:?}",
                    tag.name,
                    tag.node.as_ref()?.chosen()?
                ))
            })
            .next_back();
        let mut extra = Vec::new();
        for ((name, value), _) in given.iter().zip(&used).filter(|(_, used)| !**used) {
            if open {
                builder.part(depth)?;
                let value = json::compact(value.get()).into_owned();
                extra.push(undescribed(name.as_ref().into(), value));
            } else if !tag_missing {
                self.faults.add_at(
                    name,
                    match &union {
                        Some(union) => format!("no such member where {union}"),
                        None => "no such member".to_owned(),
                    },
                );
            }
        }
        fields.append(&mut extra);
        Ok(NodeKind::Object { fields, open })
    }

    fn within<T>(&mut self, step: Step, walk: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let missing = self.missing;
        self.faults
            .within(step, |faults| walk(&mut Reader { faults, missing }))
    }
}

/// An empty value in the place of one that is missing; none if it would be sent
/// as it is, since nobody has entered it.
fn to_be_entered(
    builder: &mut Builder<'_>,
    ty: TypeId,
    depth: usize,
) -> Result<Option<Node>, FormError> {
    if matches!(builder.schema().ty(ty), Type::Object(_) | Type::Array(_)) {
        return Ok(None);
    }
    let node = builder.node(ty, depth)?;
    let is_sent = write(&mut String::new(), &mut Faults::default(), &node);
    Ok((!is_sent).then_some(node))
}

fn accepts(schema: &Schema, ty: &Type, found: JsonType) -> bool {
    match (ty, ty.json_type()) {
        (_, Some(wanted)) => wanted == found,
        // Its choices are none themselves.
        (Type::Alternate { choices }, None) => choices.iter().any(|choice| {
            let choice = schema.ty(*choice);
            !matches!(choice, Type::Alternate { .. }) && accepts(schema, choice, found)
        }),
        (_, None) => true,
    }
}

/// The text has been checked, as everywhere below.
fn decoded(string: &str) -> String {
    serde_json::from_str(string).unwrap_or_default()
}

fn items_of(array: &str) -> Vec<&RawValue> {
    serde_json::from_str(array).unwrap_or_default()
}

/// The members of an object, in order.
pub(super) fn members_of(object: &str) -> Vec<(Cow<'_, str>, &RawValue)> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(object)
        .deserialize_map(Members)
        .unwrap_or_default()
}
