//! Parts of a form from their types, empty.

use std::collections::HashSet;

use super::form::{Field, FormError, MAX_DEPTH, Node, NodeKind};
use crate::schema::{Builtin, Features, Member, Schema, Type, TypeId};

/// How far the variants of a union may themselves be unions. In QEMU, once.
const MAX_UNIONS: usize = 16;

/// Makes parts of forms, within a budget: hostile schemas, and JSON made for
/// the purpose, can ask for far more than their own size.
pub(super) struct Builder<'a> {
    schema: &'a Schema,
    left: usize,
}

/// Makes the value of a member: `None` leaves it out.
pub(super) type MakeNode<'m, 'a> =
    dyn FnMut(&mut Builder<'a>, &Member) -> Result<Option<Node>, FormError> + 'm;

impl<'a> Builder<'a> {
    pub(super) fn new(schema: &'a Schema, parts: usize) -> Self {
        let left = parts;
        Self { schema, left }
    }

    pub(super) fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// Takes what one part costs.
    pub(super) fn part(&mut self, depth: usize) -> Result<(), FormError> {
        if depth > MAX_DEPTH {
            return Err(FormError::TooDeep);
        }
        self.left = self.left.checked_sub(1).ok_or(FormError::TooLarge)?;
        Ok(())
    }

    /// An empty value, at the depth.
    pub(super) fn node(&mut self, ty: TypeId, depth: usize) -> Result<Node, FormError> {
        self.part(depth)?;
        let kind = match self.schema.ty(ty) {
            Type::Builtin(builtin) => builtin_node(*builtin),
            Type::Enum { values } => NodeKind::Choice {
                // There is nothing to ask where there is nothing to choose.
                chosen: match values.as_slice() {
                    [only] => Some(only.name.clone()),
                    _ => None,
                },
            },
            Type::Array(_) => NodeKind::Array { items: Vec::new() },
            Type::Object(_) => NodeKind::Object {
                fields: self.fields(ty, &mut |builder, member| {
                    if member.optional {
                        return Ok(None);
                    }
                    builder.node(member.ty, depth + 1).map(Some)
                })?,
                open: false,
            },
            Type::Alternate { choices } => match choices.first() {
                Some(first) => NodeKind::Alternate {
                    branch: 0,
                    node: Box::new(self.node(*first, depth + 1)?),
                },
                None => builtin_node(Builtin::Value),
            },
        };
        Ok(Node { ty, kind })
    }

    /// The fields of an object: the members of the type, and as long as that
    /// is a union, of the variant that the tag's value selects.
    pub(super) fn fields(
        &mut self,
        ty: TypeId,
        make: &mut MakeNode<'_, 'a>,
    ) -> Result<Vec<Field>, FormError> {
        let schema = self.schema;
        let mut fields: Vec<Field> = Vec::new();
        let mut names = HashSet::new();
        let mut next = Some(ty);
        let mut unions = 0;
        while let Some(object) = next.take().and_then(|ty| schema.object(ty)) {
            if unions > MAX_UNIONS {
                return Err(FormError::TooDeep);
            }
            unions += 1;
            for (index, member) in object.members.iter().enumerate() {
                self.part(0)?;
                if !names.insert(member.name.as_str()) {
                    return Err(FormError::AmbiguousMember(member.name.clone()));
                }
                let tag = matches!(&object.union, Some(union) if union.tag == index);
                let node = make(self, member)?;
                if let (true, Some(case)) = (tag, node.as_ref().and_then(Node::chosen)) {
                    next = object.variant(case).map(|variant| variant.ty);
                }
                fields.push(Field {
                    name: member.name.clone(),
                    ty: member.ty,
                    optional: member.optional,
                    described: true,
                    tag,
                    features: member.features.clone(),
                    node,
                });
            }
        }
        Ok(fields)
    }
}

impl Node {
    pub(super) fn chosen(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Choice { chosen } => chosen.as_deref(),
            _ => None,
        }
    }
}

/// A field for a member that the schema does not have.
pub(super) fn undescribed(name: String, text: String) -> Field {
    let ty = TypeId::UNDESCRIBED;
    let builtin = Builtin::Value;
    let kind = NodeKind::Raw { builtin, text };
    Field {
        name,
        ty,
        optional: true,
        described: false,
        tag: false,
        features: Features::default(),
        node: Some(Node { ty, kind }),
    }
}

fn builtin_node(builtin: Builtin) -> NodeKind {
    match builtin {
        Builtin::String | Builtin::Int | Builtin::Number => NodeKind::Text {
            builtin,
            text: None,
        },
        Builtin::Boolean => NodeKind::Bool(false),
        Builtin::Null => NodeKind::Null,
        Builtin::Object | Builtin::Array | Builtin::Value => NodeKind::Raw {
            builtin,
            text: String::new(),
        },
    }
}
