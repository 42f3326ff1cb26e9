//! Arguments to a command line: the `key=value` words that
//! [`super::arguments_from_words`] reads as these arguments.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::line::{Known, arguments_from_words, member, object, write_value};
use super::path::{Fault, Path};
use super::read::members_of;
use crate::json;
use crate::schema::Schema;

/// How many names a key may have. What is nested deeper is written as JSON.
const MAX_NAMES: usize = 24;

/// The `key=value` words of the `arguments` of a command, which must be an
/// object. Read with the same schema they are the same arguments: members in
/// their order, numbers as written; only the escapes in strings may be others.
///
/// ```
/// use qmp_shared::command::words_from_arguments;
///
/// let arguments = r#"{"id":"job1","backing":{"driver":"null-co","size":4096}}"#;
/// assert_eq!(
///     words_from_arguments(None, "any", arguments)?,
///     ["id=job1", "backing.driver=null-co", "backing.size=4096"]
/// );
/// # Ok::<(), qmp_shared::command::Fault>(())
/// ```
///
/// # Errors
///
/// The first value that such words cannot say.
pub fn words_from_arguments(
    schema: Option<&Schema>,
    command: &str,
    arguments: &str,
) -> Result<Vec<String>, Fault> {
    let arguments = arguments.trim_ascii();
    json::check_arguments(arguments).map_err(|fault| at(&Path::root(), fault.to_string()))?;
    let ty = schema.and_then(|schema| Some((schema, schema.command(command)?.arguments)));
    let mut words = Vec::new();
    write_members(&mut words, &Path::root(), &Key::default(), ty, arguments)?;
    // All of them together, as they will be read.
    let read = arguments_from_words(schema, command, &words)?;
    if !is_same(&read, arguments) {
        let message = "a line would say something else";
        return Err(at(&Path::root(), message));
    }
    Ok(words)
}

/// The names that lead to a value, with dots between them.
#[derive(Default)]
struct Key {
    text: String,
    names: usize,
}

impl Key {
    /// The way on to a member, if a key can say its name.
    fn then(&self, path: &Path, name: &str) -> Result<Self, Fault> {
        let problem = match name {
            "" => "a line has no keys without a name",
            _ if name.contains('.') => "a line takes the dot in this name for two names",
            _ if name.contains('=') => "a line takes what follows the = in this name for the value",
            _ if self.names == MAX_NAMES => "nested too deep for the keys of a line",
            _ => {
                let dot = if self.names == 0 { "" } else { "." };
                return Ok(Self {
                    text: [&self.text, dot, name].concat(),
                    names: self.names + 1,
                });
            }
        };
        Err(at(path, problem))
    }
}

fn at(path: &Path, message: impl Into<String>) -> Fault {
    Fault {
        path: path.clone(),
        message: message.into(),
    }
}

/// Appends the words of an object's members.
fn write_members(
    words: &mut Vec<String>,
    path: &Path,
    key: &Key,
    ty: Known<'_>,
    text: &str,
) -> Result<(), Fault> {
    let object = ty.and_then(|(schema, ty)| Some((schema, object(schema, ty)?)));
    let members = members_of(text);
    let cases: Vec<(&str, String)> = members
        .iter()
        .filter_map(|(name, value)| Some((name.as_ref(), decoded(value)?)))
        .collect();
    let case = |tag: &str| {
        let known = cases.iter().find(|(name, _)| *name == tag);
        known.map(|(_, value)| value.as_str())
    };
    for (name, value) in &members {
        let path = path.member(name);
        let key = key.then(&path, name)?;
        let ty =
            object.and_then(|(schema, object)| Some((schema, member(schema, object, case, name)?)));
        write_member(words, &path, &key, ty, value.get())?;
    }
    Ok(())
}

/// Appends the words of one member: those of its members, or one with its
/// value, as text or as JSON.
fn write_member(
    words: &mut Vec<String>,
    path: &Path,
    key: &Key,
    ty: Known<'_>,
    text: &str,
) -> Result<(), Fault> {
    if text.starts_with('{') && !members_of(text).is_empty() {
        let before = words.len();
        if write_members(words, path, key, ty, text).is_ok() {
            return Ok(());
        }
        words.truncate(before);
    }
    let string = serde_json::from_str::<String>(text).ok();
    let text_as_json = json::compact(text);
    let mut ways = string.into_iter().map(Cow::Owned).chain([text_as_json]);
    let way = ways.find(|way| write_value(path, ty, way).is_ok_and(|read| is_same(&read, text)));
    let Some(way) = way else {
        let message = match ty {
            Some((schema, ty)) => "a line can only give this as ".to_owned() + &schema.describe(ty),
            None => "a line cannot say this".to_owned(),
        };
        return Err(at(path, message));
    };
    words.push([&key.text, "=", &way].concat());
    Ok(())
}

/// Whether two JSON texts are of the same value, with the same order of members
/// and the same digits of numbers.
fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (json::compact(a), json::compact(b));
    if a == b {
        return true;
    }
    match (a.as_bytes().first(), b.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => {
            let (a, b) = (members_of(&a), members_of(&b));
            let same = |((a_name, a), (b_name, b)): (&Member<'_>, &Member<'_>)| {
                a_name == b_name && is_same(a.get(), b.get())
            };
            a.len() == b.len() && a.iter().zip(&b).all(same)
        }
        (Some(b'['), Some(b'[')) => {
            let items = |text| serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default();
            let (a, b) = (items(&a), items(&b));
            let same = |(a, b): (&&RawValue, &&RawValue)| is_same(a.get(), b.get());
            a.len() == b.len() && a.iter().zip(&b).all(same)
        }
        (Some(b'"'), Some(b'"')) => {
            let string = |text| serde_json::from_str::<String>(text).ok();
            string(&a) == string(&b)
        }
        _ => false,
    }
}

type Member<'a> = (Cow<'a, str>, &'a RawValue);

fn decoded(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}
