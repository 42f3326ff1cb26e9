//! How arguments raise the role that a command needs.
//!
//! Everything here errs upwards: what is not understood needs admin. Arguments
//! come as JSON text and are read one level at a time, values staying text, so
//! that nesting costs neither stack nor memory.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::access::policy::table::{MIGRATION_TUNING, PLAIN_DEVICES, PLAIN_PROPERTIES};

/// How a command's arguments are judged. All but [`Rule::Transaction`] and
/// [`Rule::HumanMonitor`], which have judges of their own, raise to admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// They do not matter.
    Any,
    /// It always names something of the host: raised whatever they are.
    Host,
    /// Raised by any of these members.
    Raised(&'static [&'static str]),
    /// Raised by any other member.
    Only(&'static [&'static str]),
    /// `device_add`: raised unless model and properties are plain.
    Device,
    /// `qom-get`: raised unless it reads a property below `/machine/` that
    /// does not sound like a secret.
    QomRead,
    /// `transaction`: the strongest of its actions.
    Transaction,
    /// `human-monitor-command`: the verb of its line.
    HumanMonitor,
}

impl Rule {
    /// Why these arguments need admin, if they do.
    pub(crate) fn raises(self, arguments: Option<&str>) -> Option<&'static str> {
        match self {
            Self::Any | Self::Transaction | Self::HumanMonitor => None,
            Self::Host => Some("it names something of the host, so no override lowers it"),
            Self::Raised(_) | Self::Only(_) | Self::Device | Self::QomRead => {
                let members = match arguments.map(Members::parse) {
                    None => Members::default(),
                    Some(Some(members)) => members,
                    Some(None) => return Some(MALFORMED),
                };
                self.raised_by(&members)
            }
        }
    }

    fn raised_by(self, members: &Members<'_>) -> Option<&'static str> {
        match self {
            Self::Raised(names) => {
                let raised = members.names().any(|name| names.contains(&name));
                raised.then_some("an argument names something of the host")
            }
            Self::Only(names) => {
                let plain = members.names().all(|name| names.contains(&name));
                (!plain).then_some("an argument is not among the harmless ones")
            }
            Self::Device => device_raises(
                members.string("driver").as_deref(),
                members.names(),
                members.0.iter().all(|(_, value)| is_scalar(value)),
            ),
            Self::QomRead => {
                let (path, property) = (members.string("path"), members.string("property"));
                match (path, property) {
                    (Some(path), Some(property)) => qom_read_raises(&path, &property),
                    _ => Some(MALFORMED),
                }
            }
            Self::Any | Self::Host | Self::Transaction | Self::HumanMonitor => None,
        }
    }
}

/// Why arguments that cannot be read need admin.
pub(crate) const MALFORMED: &str = "the arguments are not what the command takes";

/// Why plugging this device needs admin, if it does.
pub(crate) fn device_raises<'a>(
    driver: Option<&str>,
    mut properties: impl Iterator<Item = &'a str>,
    scalars: bool,
) -> Option<&'static str> {
    let Some(driver) = driver else {
        return Some(MALFORMED);
    };
    if !PLAIN_DEVICES.contains(&driver) && !driver.ends_with("-cpu") {
        return Some("the device model is not known to leave the host alone");
    }
    if !scalars || !properties.all(|name| PLAIN_PROPERTIES.contains(&name)) {
        return Some("a device property is not known to leave the host alone");
    }
    None
}

/// Why reading this property needs admin, if it does.
///
/// Only absolute paths below `/machine/` are followed: `/objects/` holds the
/// secrets, and QEMU looks for a path without a leading slash everywhere.
pub(crate) fn qom_read_raises(path: &str, property: &str) -> Option<&'static str> {
    if !path.starts_with("/machine/") {
        return Some("the path is not below /machine/, and objects hold secrets");
    }
    let property = property.to_ascii_lowercase();
    let secret = ["pass", "secret", "key", "data", "osk", "cookie", "token"];
    let secret = secret.iter().any(|word| property.contains(word));
    secret.then_some("the property may be a secret")
}

/// Why setting this migration parameter needs admin, if it does.
pub(crate) fn parameter_raises(parameter: &str) -> Option<&'static str> {
    let tuning = MIGRATION_TUNING.contains(&parameter);
    (!tuning).then_some("the parameter is not among the harmless ones")
}

/// The members of a JSON object in their order; values stay text.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(Vec<(String, &'a str)>);

impl<'a> Members<'a> {
    /// Those of this text. None when it is no JSON object, or has a name twice
    /// or one that is no Unicode text.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The text of this member's value.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        let member = self.0.iter().find(|(candidate, _)| candidate == name);
        member.map(|(_, value)| *value)
    }

    /// This member's value, if that is a string.
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.value(name)?).ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object without duplicate names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut names = HashSet::new();
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom("duplicate name"));
                    }
                    members.push((name, value.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

fn is_scalar(value: &str) -> bool {
    !value.starts_with(['{', '['])
}

/// The elements of a JSON array as text.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}
