//! [`Edit`]: one change to a form.

use std::collections::HashMap;

use thiserror::Error;

use super::build::{Builder, undescribed};
use super::form::{Field, Form, FormError, MAX_PARTS, Node, NodeKind};
use super::path::{Path, Step};
use crate::schema::{Schema, Type, TypeId};

/// One change to a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What it changes.
    pub path: Path,
    /// How.
    pub action: Action,
}

/// How an [`Edit`] changes what its path leads to. The path leads through
/// alternates, except for `Branch` and `Reset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Enters the text of a string, a number or raw JSON, valid or not.
    SetText(String),
    /// Enters a boolean.
    SetBool(bool),
    /// Chooses a value of an enum. That of a union's tag exchanges the
    /// variant's members; those of the same name and type keep their values.
    Choose(String),
    /// Chooses a type of an alternate, by its index. The value is lost.
    Branch(usize),
    /// Puts a member in that is not there, empty. One that is there stays as it is.
    Add,
    /// Puts in an empty member of this name that the schema does not describe,
    /// into an object that is open.
    AddUndescribed(String),
    /// Leaves an optional member out, or removes an item of an array.
    Remove,
    /// Appends an empty item to an array.
    Push,
    /// Moves an item of an array to this index, as it is after the move.
    MoveTo(usize),
    /// Empties it.
    Reset,
}

/// Why an edit is not possible. The form is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cannot {action} {}: {problem}", place(.path))]
pub struct EditError {
    /// The edit's path.
    pub path: Path,
    /// What the edit does, in words.
    pub action: &'static str,
    /// What is in the way.
    pub problem: EditProblem,
}

/// What is in the way of an [`Edit`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditProblem {
    /// The path leads nowhere.
    #[error("there is nothing there")]
    NothingThere,
    /// The path leads to something of another kind.
    #[error("not possible with what is there")]
    WrongKind,
    /// A member that must be there.
    #[error("it is required")]
    Required,
    /// Not one of the enum's values.
    #[error("there is no value {0:?}")]
    NoSuchValue(String),
    /// Not one of the alternate's types.
    #[error("there is no type {0}")]
    NoSuchBranch(usize),
    /// No index of the array.
    #[error("there is no item {0}")]
    NoSuchItem(usize),
    /// There is a member of this name already.
    #[error("there is a member {0:?} already")]
    Duplicate(String),
    /// What it would make.
    #[error(transparent)]
    Form(#[from] FormError),
}

fn place(path: &Path) -> String {
    if path.is_root() {
        return "the arguments".to_owned();
    }
    path.to_string()
}

impl Form {
    /// Makes one change. The schema must be the one that the form was made
    /// from; with another one, what comes of it may be no good.
    ///
    /// # Errors
    ///
    /// [`EditError`], when it is not possible; the form is then unchanged.
    pub fn apply(&mut self, schema: &Schema, edit: Edit) -> Result<(), EditError> {
        let Edit { path, action } = edit;
        let name = action.name();
        let mut builder = Builder::new(schema, MAX_PARTS);
        apply(&mut builder, &mut self.root, &path.0, action, 0).map_err(|problem| EditError {
            path,
            action: name,
            problem,
        })
    }
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::SetText(_) | Self::SetBool(_) => "set",
            Self::Choose(_) => "choose a value of",
            Self::Branch(_) => "choose a type of",
            Self::Add => "add",
            Self::AddUndescribed(_) => "add a member to",
            Self::Remove => "remove",
            Self::Push => "add an item to",
            Self::MoveTo(_) => "move",
            Self::Reset => "reset",
        }
    }
}

/// `depth` is that of `node`.
fn apply(
    builder: &mut Builder<'_>,
    node: &mut Node,
    steps: &[Step],
    action: Action,
    depth: usize,
) -> Result<(), EditProblem> {
    let Some((step, rest)) = steps.split_first() else {
        return act(builder, node, action, depth);
    };
    let ty = node.ty;
    match (&mut node.kind, step) {
        (NodeKind::Alternate { node, .. }, _) => apply(builder, node, steps, action, depth + 1),
        (NodeKind::Object { fields, .. }, Step::Member(name)) => {
            let index = fields.iter().position(|field| field.name == *name);
            let index = index.ok_or(EditProblem::NothingThere)?;
            edit_field(builder, ty, fields, index, rest, action, depth)
        }
        (NodeKind::Array { items }, Step::Index(index)) => {
            if *index >= items.len() {
                return Err(EditProblem::NothingThere);
            }
            match action {
                Action::Remove if rest.is_empty() => {
                    items.remove(*index);
                }
                Action::MoveTo(to) if rest.is_empty() => {
                    if to >= items.len() {
                        return Err(EditProblem::NoSuchItem(to));
                    }
                    let item = items.remove(*index);
                    items.insert(to, item);
                }
                action => apply(builder, &mut items[*index], rest, action, depth + 1)?,
            }
            Ok(())
        }
        _ => Err(EditProblem::NothingThere),
    }
}

/// Edits the field at the index, or something within.
fn edit_field(
    builder: &mut Builder<'_>,
    ty: TypeId,
    fields: &mut Vec<Field>,
    index: usize,
    rest: &[Step],
    action: Action,
    depth: usize,
) -> Result<(), EditProblem> {
    let field = &mut fields[index];
    // A tag is small; of anything else nothing has to be taken back.
    let before = field.tag.then(|| field.node.clone());
    match action {
        Action::Add if rest.is_empty() => {
            if field.node.is_none() {
                field.node = Some(builder.node(field.ty, depth + 1)?);
            }
        }
        Action::Remove if rest.is_empty() => {
            if !field.optional {
                return Err(EditProblem::Required);
            }
            if !field.described {
                fields.remove(index);
                return Ok(());
            }
            field.node = None;
        }
        action => {
            let node = field.node.as_mut().ok_or(EditProblem::NothingThere)?;
            apply(builder, node, rest, action, depth + 1)?;
        }
    }
    let Some(before) = before else {
        return Ok(());
    };
    match refit(builder, ty, fields, depth) {
        Ok(refitted) => *fields = refitted,
        Err(error) => {
            fields[index].node = before;
            return Err(error.into());
        }
    }
    Ok(())
}

/// The fields that an object has now that a tag has changed.
fn refit(
    builder: &mut Builder<'_>,
    ty: TypeId,
    fields: &[Field],
    depth: usize,
) -> Result<Vec<Field>, FormError> {
    let old: HashMap<&str, &Field> = fields
        .iter()
        .map(|field| (field.name.as_str(), field))
        .collect();
    let mut refitted = builder.fields(ty, &mut |builder, member| {
        let same = old.get(member.name.as_str());
        let same = same.filter(|field| field.described && field.ty == member.ty);
        match same.and_then(|field| field.node.as_ref()) {
            Some(node) => Ok(Some(node.clone())),
            None if member.optional => Ok(None),
            None => builder.node(member.ty, depth + 1).map(Some),
        }
    })?;
    let known: std::collections::HashSet<&str> =
        refitted.iter().map(|field| field.name.as_str()).collect();
    let undescribed: Vec<Field> = fields
        .iter()
        .filter(|field| !field.described && !known.contains(field.name.as_str()))
        .cloned()
        .collect();
    refitted.extend(undescribed);
    Ok(refitted)
}

/// Changes the node itself.
fn act(
    builder: &mut Builder<'_>,
    node: &mut Node,
    action: Action,
    depth: usize,
) -> Result<(), EditProblem> {
    let schema = builder.schema();
    match (&mut node.kind, action) {
        (NodeKind::Object { open, .. }, Action::Reset) => {
            let was_open = *open;
            *node = builder.node(node.ty, depth)?;
            if let NodeKind::Object { open, .. } = &mut node.kind {
                *open = was_open;
            }
        }
        (_, Action::Reset) => *node = builder.node(node.ty, depth)?,
        (
            NodeKind::Alternate {
                branch,
                node: value,
            },
            Action::Branch(index),
        ) => {
            let choices = match schema.ty(node.ty) {
                Type::Alternate { choices } => choices.as_slice(),
                _ => &[],
            };
            let ty = choices.get(index);
            let ty = *ty.ok_or(EditProblem::NoSuchBranch(index))?;
            **value = builder.node(ty, depth + 1)?;
            *branch = index;
        }
        (NodeKind::Alternate { node, .. }, action) => {
            return act(builder, node, action, depth + 1);
        }
        (NodeKind::Text { text, .. }, Action::SetText(new)) => *text = Some(new),
        (NodeKind::Raw { text, .. }, Action::SetText(new)) => *text = new,
        (NodeKind::Bool(value), Action::SetBool(new)) => *value = new,
        (NodeKind::Choice { chosen }, Action::Choose(new)) => {
            let values = match schema.ty(node.ty) {
                Type::Enum { values } => values.as_slice(),
                _ => &[],
            };
            if !values.iter().any(|value| value.name == new) {
                return Err(EditProblem::NoSuchValue(new));
            }
            *chosen = Some(new);
        }
        (NodeKind::Array { items }, Action::Push) => {
            let Type::Array(element) = schema.ty(node.ty) else {
                return Err(EditProblem::WrongKind);
            };
            items.push(builder.node(*element, depth + 1)?);
        }
        (NodeKind::Object { fields, open: true }, Action::AddUndescribed(name)) => {
            if fields.iter().any(|field| field.name == name) {
                return Err(EditProblem::Duplicate(name));
            }
            fields.push(undescribed(name, String::new()));
        }
        _ => return Err(EditProblem::WrongKind),
    }
    Ok(())
}
