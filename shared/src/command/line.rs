//! Arguments from a command line: `key=value`, typed by the schema.
//!
//! `a.b=1 a.c=2` is one object `a` with two members. What a value means is the
//! schema's to say, where there is one; else it is JSON if it is that, and a
//! string if not. A value that its type cannot have is refused here, with its
//! key. The way back is in [`super::line_write`].

use super::number;
use super::path::{Fault, Path, quoted};
use crate::json;
use crate::schema::{Builtin, Object, Schema, Type, TypeId};

/// What has been given for one member, in the order given.
enum Given {
    Value(String),
    Members(Vec<(String, Given)>),
}

/// The `arguments` of a command as compact JSON, from its `key=value` words.
/// The schema may be that of another version, or know nothing of the command;
/// what it does not describe is taken as without a schema.
///
/// ```
/// use qmp_shared::command::arguments_from_words;
///
/// let words = ["id=job1", "backing.driver=null-co", "backing.size=4096"];
/// assert_eq!(
///     arguments_from_words(None, "any", &words)?,
///     r#"{"id":"job1","backing":{"driver":"null-co","size":4096}}"#
/// );
/// # Ok::<(), qmp_shared::command::Fault>(())
/// ```
///
/// # Errors
///
/// The first word that is wrong.
pub fn arguments_from_words<S: AsRef<str>>(
    schema: Option<&Schema>,
    command: &str,
    words: &[S],
) -> Result<String, Fault> {
    let mut root = Vec::new();
    for word in words {
        let word = word.as_ref();
        let Some((key, value)) = word.split_once('=') else {
            let message = format!("{} is not KEY=VALUE", quoted(word));
            return Err(at(&Path::root(), message));
        };
        insert(&mut root, key, value)?;
    }
    let ty = schema.and_then(|schema| Some((schema, schema.command(command)?.arguments)));
    let mut text = String::new();
    write_members(&mut text, &Path::root(), ty, &root)?;
    json::check_arguments(&text).map_err(|fault| at(&Path::root(), fault.kind.to_string()))?;
    Ok(text)
}

fn at(path: &Path, message: impl Into<String>) -> Fault {
    Fault {
        path: path.clone(),
        message: message.into(),
    }
}

fn insert(root: &mut Vec<(String, Given)>, key: &str, value: &str) -> Result<(), Fault> {
    let mut path = Path::root();
    let mut members = root;
    let mut names = key.split('.').peekable();
    while let Some(name) = names.next() {
        if name.is_empty() {
            let message = format!("the key {} has an empty name in it", quoted(key));
            return Err(at(&Path::root(), message));
        }
        path = path.member(name);
        let index = members.iter().position(|(known, _)| known == name);
        let is_last = names.peek().is_none();
        let index = match (index, is_last) {
            (Some(_), true) => return Err(at(&path, "given twice")),
            (Some(index), false) => index,
            (None, true) => {
                members.push((name.to_owned(), Given::Value(value.to_owned())));
                return Ok(());
            }
            (None, false) => {
                members.push((name.to_owned(), Given::Members(Vec::new())));
                members.len() - 1
            }
        };
        members = match &mut members[index].1 {
            Given::Members(members) => members,
            Given::Value(_) => {
                return Err(at(&path, "given both as a value and by its members"));
            }
        };
    }
    Ok(())
}

/// The type of a value, if it is described.
pub(super) type Known<'a> = Option<(&'a Schema, TypeId)>;

fn write_members(
    text: &mut String,
    path: &Path,
    ty: Known<'_>,
    members: &[(String, Given)],
) -> Result<(), Fault> {
    let object = ty.and_then(|(schema, ty)| Some((schema, object(schema, ty)?)));
    let case = |tag: &str| {
        members.iter().find_map(|(name, given)| match given {
            Given::Value(value) if name == tag => Some(value.as_str()),
            _ => None,
        })
    };
    text.push('{');
    for (index, (name, given)) in members.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        let path = path.member(name);
        text.push_str(&string(&path, name)?);
        text.push(':');
        let ty =
            object.and_then(|(schema, object)| Some((schema, member(schema, object, case, name)?)));
        match given {
            Given::Members(members) => write_members(text, &path, ty, members)?,
            Given::Value(value) => text.push_str(&write_value(&path, ty, value)?),
        }
    }
    text.push('}');
    Ok(())
}

/// The object type of a value that is given by its members.
pub(super) fn object(schema: &Schema, ty: TypeId) -> Option<&Object> {
    match schema.ty(ty) {
        Type::Alternate { choices } => choices.iter().find_map(|choice| schema.object(*choice)),
        _ => schema.object(ty),
    }
}

/// The type of a member, which may be one of the variant that another member
/// chooses; `case` is the value of that one.
pub(super) fn member<'a, 'g>(
    schema: &'a Schema,
    mut object: &'a Object,
    case: impl Fn(&str) -> Option<&'g str>,
    name: &str,
) -> Option<TypeId> {
    // In QEMU, the variants of unions are unions themselves at most once.
    for _ in 0..16 {
        if let Some(member) = object.members.iter().find(|member| member.name == name) {
            return Some(member.ty);
        }
        let tag = &object.members.get(object.union.as_ref()?.tag)?.name;
        object = schema.object(object.variant(case(tag)?)?.ty)?;
    }
    None
}

/// The JSON of one value.
pub(super) fn write_value(path: &Path, ty: Known<'_>, value: &str) -> Result<String, Fault> {
    let Some((schema, ty)) = ty else {
        return json_or_string(path, value);
    };
    let expected = || at(path, format!("expected {}", schema.describe(ty)));
    match schema.ty(ty) {
        Type::Enum { .. } | Type::Builtin(Builtin::String) => string(path, value),
        Type::Builtin(Builtin::Int) => number::integer(value).map_err(|why| at(path, why)),
        Type::Builtin(Builtin::Number) => match number::number(value) {
            Ok(number) => Ok(number.to_owned()),
            Err(why) => Err(at(path, why)),
        },
        Type::Builtin(Builtin::Boolean) => match value {
            "true" | "on" | "yes" => Ok("true".to_owned()),
            "false" | "off" | "no" => Ok("false".to_owned()),
            _ => Err(at(path, "expected a boolean: true, false, on or off")),
        },
        Type::Builtin(Builtin::Null) => match value {
            "null" | "" => Ok("null".to_owned()),
            _ => Err(expected()),
        },
        Type::Builtin(Builtin::Value) => json_or_string(path, value),
        Type::Builtin(Builtin::Object) | Type::Object(_) => json_of(path, value, '{'),
        Type::Builtin(Builtin::Array) | Type::Array(_) => json_of(path, value, '['),
        // The first of its types that the value can be; a string can be anything,
        // and is in quotes where another type would take it.
        Type::Alternate { choices } => {
            let is_string = |ty: TypeId| {
                matches!(
                    schema.ty(ty),
                    Type::Enum { .. } | Type::Builtin(Builtin::String)
                )
            };
            let (strings, others): (Vec<TypeId>, Vec<TypeId>) = choices
                .iter()
                .copied()
                .partition(|choice| is_string(*choice));
            let quoted = || serde_json::from_str::<String>(value).ok();
            if let (Some(string), Some(text)) = (strings.first(), quoted()) {
                return write_value(path, Some((schema, *string)), &text);
            }
            let mut all = others.into_iter().chain(strings);
            all.find_map(|choice| write_value(path, Some((schema, choice)), value).ok())
                .ok_or_else(expected)
        }
    }
}

fn json_or_string(path: &Path, value: &str) -> Result<String, Fault> {
    match json::check(value) {
        Ok(()) => Ok(json::compact(value.trim_ascii()).into_owned()),
        Err(fault) if fault.is_syntax() => string(path, value),
        Err(fault) => Err(at(path, fault.to_string())),
    }
}

fn json_of(path: &Path, value: &str, begins: char) -> Result<String, Fault> {
    let expected = match begins {
        '{' => "expected a JSON object, or its members as KEY.MEMBER=VALUE",
        _ => "expected a JSON array",
    };
    if !value.trim_ascii().starts_with(begins) {
        return Err(at(path, expected));
    }
    json::check(value).map_err(|fault| at(path, fault.to_string()))?;
    Ok(json::compact(value.trim_ascii()).into_owned())
}

fn string(path: &Path, value: &str) -> Result<String, Fault> {
    let encoded = serde_json::Value::from(value).to_string();
    json::check(&encoded).map_err(|fault| at(path, fault.kind.to_string()))?;
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let text = r#"[
            {"name": "add", "meta-type": "command", "arg-type": "0", "ret-type": "0"},
            {"name": "0", "meta-type": "object", "tag": "driver",
             "members": [
                {"name": "driver", "type": "drivers"}, {"name": "name", "type": "str"},
                {"name": "n", "type": "int"}, {"name": "x", "type": "number"},
                {"name": "ro", "type": "bool"}, {"name": "any", "type": "any"},
                {"name": "list", "type": "[int]"}, {"name": "on", "type": "onoff"}],
             "variants": [{"case": "file", "type": "1"}, {"case": "raw", "type": "2"}]},
            {"name": "1", "meta-type": "object", "members": [{"name": "filename", "type": "str"}]},
            {"name": "2", "meta-type": "object", "members": [{"name": "file", "type": "ref"}]},
            {"name": "ref", "meta-type": "alternate", "members": [{"type": "0"}, {"type": "str"}]},
            {"name": "onoff", "meta-type": "alternate", "members": [{"type": "str"}, {"type": "int"}]},
            {"name": "drivers", "meta-type": "enum", "values": ["file", "raw"]},
            {"name": "[int]", "meta-type": "array", "element-type": "int"},
            {"name": "str", "meta-type": "builtin", "json-type": "string"},
            {"name": "int", "meta-type": "builtin", "json-type": "int"},
            {"name": "number", "meta-type": "builtin", "json-type": "number"},
            {"name": "any", "meta-type": "builtin", "json-type": "value"},
            {"name": "bool", "meta-type": "builtin", "json-type": "boolean"}]"#;
        Schema::parse(text).unwrap()
    }

    fn with_schema(words: &[&str]) -> Result<String, String> {
        let schema = schema();
        arguments_from_words(Some(&schema), "add", words).map_err(|fault| fault.to_string())
    }

    fn without(words: &[&str]) -> Result<String, String> {
        arguments_from_words(None, "add", words).map_err(|fault| fault.to_string())
    }

    #[test]
    fn without_a_schema_json_or_a_string() {
        for (word, json) in [
            ("a=1", r#"{"a":1}"#),
            ("a=18446744073709551616", r#"{"a":18446744073709551616}"#),
            ("a=1.50", r#"{"a":1.50}"#),
            ("a=null", r#"{"a":null}"#),
            ("a=tru", r#"{"a":"tru"}"#),
            ("a=", r#"{"a":""}"#),
            ("a=x=y", r#"{"a":"x=y"}"#),
            (r#"a={"b": [1, 2]}"#, r#"{"a":{"b":[1,2]}}"#),
            (r#"a="1""#, r#"{"a":"1"}"#),
            ("a.b.c=d e", r#"{"a":{"b":{"c":"d e"}}}"#),
        ] {
            assert_eq!(without(&[word]).as_deref(), Ok(json), "{word}");
        }
        assert_eq!(without(&[]).as_deref(), Ok("{}"));
        let words = ["a.b=1", "x=2", "a.c=3"];
        assert_eq!(
            without(&words).as_deref(),
            Ok(r#"{"a":{"b":1,"c":3},"x":2}"#)
        );
    }

    #[test]
    fn the_schema_says_what_a_value_means() {
        let words = [
            "driver=raw",
            "name=12",
            "n=64K",
            "x=1",
            "ro=on",
            "list=[1, 2]",
            "any=1",
        ];
        assert_eq!(
            with_schema(&words).as_deref(),
            Ok(r#"{"driver":"raw","name":"12","n":65536,"x":1,"ro":true,"list":[1,2],"any":1}"#)
        );
        // Members of the variant, and of an alternate's object in it.
        let words = [
            "file.driver=file",
            "file.filename=7",
            "driver=raw",
            "on=5",
            "new=5",
        ];
        assert_eq!(
            with_schema(&words).as_deref(),
            Ok(r#"{"file":{"driver":"file","filename":"7"},"driver":"raw","on":5,"new":5}"#)
        );
        let words = ["driver=raw", "file=node0", "on=off"];
        assert_eq!(
            with_schema(&words).as_deref(),
            Ok(r#"{"driver":"raw","file":"node0","on":"off"}"#)
        );
        // A string that looks like something else.
        let words = [r#"on="5""#, r#"name="5""#];
        assert_eq!(
            with_schema(&words).as_deref(),
            Ok(r#"{"on":"5","name":"\"5\""}"#)
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        for (words, fault) in [
            (&["n=many"][..], "n: not an integer"),
            (
                &["ro=maybe"],
                "ro: expected a boolean: true, false, on or off",
            ),
            (&["list=1"], "list: expected a JSON array"),
            (
                &["list=[1,"],
                "list: the JSON text ends too early at line 1 column 4",
            ),
            (&["word"], r#""word" is not KEY=VALUE"#),
            (&["a..b=1"], r#"the key "a..b" has an empty name in it"#),
            (&["=1"], r#"the key "" has an empty name in it"#),
            (&["a=1", "a=2"], "a: given twice"),
            (
                &["a=1", "a.b=2"],
                "a: given both as a value and by its members",
            ),
            (&["a.b=2", "a=1"], "a: given twice"),
            (
                &[r#"any={"a":1,"a":2}"#],
                r#"any: duplicate key "a" at line 1 column 8"#,
            ),
        ] {
            assert_eq!(with_schema(words).unwrap_err(), fault, "{words:?}");
        }
    }
}
