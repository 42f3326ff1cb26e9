//! The whole command as JSON, for a raw view of it.

use super::path::{Fault, Path};
use super::read::members_of;
use crate::json;

/// A command as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute {
    /// The command's name.
    pub command: String,
    /// Whether it is `exec-oob`.
    pub oob: bool,
    /// The `arguments`, an object, verbatim.
    pub arguments: Option<String>,
    /// The `id`, any value, verbatim.
    pub id: Option<String>,
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Without whitespace.
    Compact,
    /// One member or item a line, indented by four.
    Pretty,
}

/// The QMP message that executes a command with these `arguments`, which must
/// be JSON. Without them there is no such member.
pub fn message_text(command: &str, oob: bool, arguments: Option<&str>, layout: Layout) -> String {
    let mut text = String::from(if oob {
        "{\"exec-oob\":"
    } else {
        "{\"execute\":"
    });
    text.push_str(&serde_json::Value::from(command).to_string());
    if let Some(arguments) = arguments {
        text.push_str(",\"arguments\":");
        text.push_str(&json::compact(arguments));
    }
    text.push('}');
    match layout {
        Layout::Compact => text,
        Layout::Pretty => json::pretty(&text),
    }
}

/// Reads a command that is to be sent.
///
/// # Errors
///
/// Why the text is no command, or must not be sent. The path is of the message
/// here, not of its arguments.
pub fn parse_message(text: &str) -> Result<Execute, Fault> {
    let text = text.trim_ascii();
    json::check(text).map_err(|fault| at("", fault.to_string()))?;
    if !text.starts_with('{') {
        return Err(at("", "not a JSON object"));
    }
    let (mut name, mut arguments, mut id) = (None, None, None);
    for (member, value) in members_of(text) {
        let value = value.get();
        match member.as_ref() {
            "execute" | "exec-oob" => {
                let command: Result<String, _> = serde_json::from_str(value);
                let command = command.map_err(|_| at(&member, "not a string"))?;
                let oob = member == "exec-oob";
                if name.replace((command, oob)).is_some() {
                    return Err(at(&member, "there is both execute and exec-oob"));
                }
            }
            "arguments" if value.starts_with('{') => arguments = Some(value.to_owned()),
            "arguments" => return Err(at(&member, "not a JSON object")),
            "id" => id = Some(value.to_owned()),
            _ => return Err(at(&member, "no such member in a command")),
        }
    }
    let (command, oob) = name.ok_or_else(|| at("execute", "required"))?;
    Ok(Execute {
        command,
        oob,
        arguments,
        id,
    })
}

fn at(member: &str, message: impl Into<String>) -> Fault {
    let path = match member {
        "" => Path::root(),
        member => Path::root().member(member),
    };
    let message = message.into();
    Fault { path, message }
}
