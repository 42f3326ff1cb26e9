//! A property of a device or an object, as QEMU describes it.

use qmp_shared::schema::Builtin;
use serde::Deserialize;
use serde_json::Value;

/// One property.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Property {
    /// Its name.
    pub(crate) name: String,
    /// The type's name in QEMU: `bool`, `uint32`, `str`, `link<rng-backend>`.
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// What it is for.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// What it is when it is not set.
    #[serde(default, rename = "default-value")]
    pub(crate) default_value: Option<Value>,
}

impl Property {
    /// Whether it is a part of the object, which nobody sets.
    pub(crate) fn is_child(&self) -> bool {
        self.ty.starts_with("child<")
    }

    /// The JSON type that a value of it has.
    pub(crate) fn builtin(&self) -> Builtin {
        let ty = self.ty.as_str();
        let is_sized = |prefix: &str| {
            ty.strip_prefix(prefix)
                .is_some_and(|bits| bits.trim_end_matches("_t").parse::<u8>().is_ok())
        };
        if ty == "bool" {
            return Builtin::Boolean;
        }
        if ty == "int" || ty == "size" || is_sized("int") || is_sized("uint") {
            // As `addr`: a number to QEMU, and `06.0` to people.
            let has_example = self
                .description
                .as_ref()
                .is_some_and(|text| text.contains("example: "));
            return match has_example {
                true => Builtin::String,
                false => Builtin::Int,
            };
        }
        if matches!(ty, "number" | "double") {
            return Builtin::Number;
        }
        let is_text = matches!(ty, "str" | "string" | "QemuUUID")
            || ty.starts_with("link<")
            || matches!(self.default_value, Some(Value::String(_)))
            || !value_words(self).is_empty();
        match is_text {
            true => Builtin::String,
            false => Builtin::Value,
        }
    }

    /// What is said of it beside its type.
    pub(crate) fn text(&self) -> String {
        let mut text = self.description.clone().unwrap_or_default();
        if let Some(value) = &self.default_value {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str("default ");
            text.push_str(&value.to_string());
        }
        text
    }

    /// Its type and what is said of it, on a line.
    pub(crate) fn detail(&self) -> String {
        let text = self.text();
        match text.is_empty() {
            true => self.ty.clone(),
            false => [&self.ty, " · ", &text].concat(),
        }
    }
}

/// The words that a property of some enum may be, as its description lists them:
/// `on/off/auto`, `Error handling policy, report/ignore/auto`.
pub(crate) fn value_words(property: &Property) -> Vec<&str> {
    if property.ty == "bool" {
        return Vec::new();
    }
    let description = property.description.as_deref().unwrap_or_default();
    let listed = description.rsplit(", ").next().unwrap_or_default();
    let words: Vec<&str> = listed.split('/').collect();
    let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(part);
    match words.len() > 1 && words.iter().all(is_word) {
        true => words,
        false => Vec::new(),
    }
}
