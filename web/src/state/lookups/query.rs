//! What can be asked, of whom, and for which argument.

use qmp_shared::command::{Form, Path, Step};
use qmp_shared::rest::Role;
use qmp_shared::schema::Schema;
use serde::Deserialize;

use super::known::Known;
use super::listed::Listed;
use super::property::Property;

/// The container of the objects that users made.
pub(crate) const OBJECTS: &str = "/objects";

/// A question to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Query {
    /// The devices that there may be.
    DeviceTypes,
    /// All types, also those that nothing can be made of.
    Types,
    /// The properties of devices of this type.
    DeviceProperties(String),
    /// What is in the object at this path.
    Tree(String),
    /// What the endpoint has of these.
    Listed(Listed),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Names, sorted.
    Names(Vec<String>),
    /// Properties, sorted by name.
    Properties(Vec<Property>),
}

impl Query {
    /// The command and its arguments, JSON.
    pub(crate) fn request(&self) -> (&'static str, String) {
        let of = |name: &str, value: &str| {
            let value = serde_json::Value::from(value).to_string();
            ["{\"", name, "\":", &value, "}"].concat()
        };
        match self {
            Self::DeviceTypes => (
                "qom-list-types",
                r#"{"implements":"device","abstract":false}"#.to_owned(),
            ),
            Self::Types => ("qom-list-types", r#"{"abstract":true}"#.to_owned()),
            Self::DeviceProperties(driver) => ("device-list-properties", of("typename", driver)),
            Self::Tree(path) => ("qom-list", of("path", path)),
            Self::Listed(listed) => {
                let (command, arguments) = listed.request();
                (command, arguments.to_owned())
            }
        }
    }

    /// Who may ask. The console decides by its own table; this one keeps the
    /// page from asking for what it would be refused.
    pub(crate) fn role(&self) -> Role {
        match self {
            Self::DeviceProperties(_) | Self::Listed(Listed::Buses) => Role::Operator,
            Self::DeviceTypes | Self::Types | Self::Tree(_) | Self::Listed(_) => Role::Viewer,
        }
    }

    /// Whether the answer may be another after a while on the same connection.
    pub(crate) fn changes(&self) -> bool {
        matches!(self, Self::Tree(_) | Self::Listed(_))
    }

    /// What is asked for, in words.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::DeviceTypes | Self::Types => "types",
            Self::DeviceProperties(_) => "properties",
            Self::Tree(_) => "objects",
            Self::Listed(listed) => listed.words(),
        }
    }

    /// What the endpoint returned.
    ///
    /// # Errors
    ///
    /// When that is not what the command returns.
    pub(crate) fn read(&self, json: &str) -> Result<Answer, serde_json::Error> {
        match self {
            Self::DeviceTypes | Self::Types => {
                #[derive(Deserialize)]
                struct Named {
                    name: String,
                }
                let types: Vec<Named> = serde_json::from_str(json)?;
                let mut names: Vec<_> = types.into_iter().map(|ty| ty.name).collect();
                names.sort();
                Ok(Answer::Names(names))
            }
            Self::Listed(listed) => listed.read(json).map(Answer::Names),
            Self::DeviceProperties(_) | Self::Tree(_) => {
                let mut properties: Vec<Property> = serde_json::from_str(json)?;
                properties.sort_by(|a, b| numbered(&a.name).cmp(&numbered(&b.name)));
                Ok(Answer::Properties(properties))
            }
        }
    }
}

/// A name and the number in brackets at its end: `device[10]` is after
/// `device[9]`.
fn numbered(name: &str) -> (&str, u64) {
    let split = name.strip_suffix(']').and_then(|name| {
        let (name, number) = name.rsplit_once('[')?;
        Some((name, number.parse().ok()?))
    });
    split.unwrap_or((name, 0))
}

/// Whether asking for the properties of this device can end a QEMU of which a
/// part is not installed. QEMU makes such a device for a moment, and the ones
/// that show pictures consist of others, which are modules of their own: with
/// one of them missing, QEMU 7.2 exits. Only a deliberate click asks for these.
pub(crate) fn is_risky(driver: &str) -> bool {
    ["gpu", "vga"].iter().any(|part| driver.contains(part))
}

/// Whether the properties of this device may be asked for as soon as they could
/// be needed: it is one of `types`, and asking ends nothing.
pub(crate) fn is_asked_unbidden(driver: &str, types: &Known) -> bool {
    let Known::Answer(types) = types else {
        return false;
    };
    let Answer::Names(types) = &**types else {
        return false;
    };
    let is_one = types.binary_search_by(|ty| ty.as_str().cmp(driver)).is_ok();
    is_one && !is_risky(driver)
}

/// Where the suggestions for an argument come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The names that this returns.
    Names(Query),
    /// The tree of objects, part by part.
    Paths,
    /// The names of the objects in this one.
    Inside(&'static str),
    /// The names of the properties of the object at the path in this argument.
    PropertyNames(&'static str),
    /// The value of a property of the object that two arguments name.
    PropertyValue,
    /// The words that a device's property may be.
    Words,
}

/// What completes the argument at the path, if anything does.
pub(crate) fn source(schema: &Schema, form: &Form, path: &Path) -> Option<Source> {
    let [Step::Member(name)] = path.0.as_slice() else {
        return None;
    };
    let found = match (form.command(), name.as_str()) {
        ("device_add", "driver") | ("device-list-properties", "typename") => {
            Source::Names(Query::DeviceTypes)
        }
        ("qom-list-properties", "typename") | ("qom-list-types", "implements") => {
            Source::Names(Query::Types)
        }
        ("qom-list" | "qom-get" | "qom-set", "path") => Source::Paths,
        ("qom-get" | "qom-set", "property") => Source::PropertyNames("path"),
        ("qom-set", "value") => Source::PropertyValue,
        ("device_del", "id") => Source::Inside("/machine/peripheral"),
        ("object-del", "id") => Source::Inside(OBJECTS),
        (command, name) if Listed::of(command, name).is_some() => {
            Source::Names(Query::Listed(Listed::of(command, name)?))
        }
        ("device_add", _) => {
            let mut fields = form.fields().iter();
            let is_property = fields.any(|field| field.name == *name && !field.described);
            return is_property.then_some(Source::Words);
        }
        _ => return None,
    };
    let command = match &found {
        Source::Names(query) => query.request().0,
        _ => "qom-list",
    };
    schema.command(command)?;
    Some(found)
}

/// The device whose properties the form takes, as far as it says.
pub(crate) fn driver_of(form: &Form) -> Option<String> {
    if form.command() != "device_add" {
        return None;
    }
    let driver = form.get(&Path::root().member("driver"))?.text().trim();
    (!driver.is_empty()).then(|| driver.to_owned())
}
