//! The configuration file.
//!
//! What is wrong in it is told with the file, the line and the key; a key that
//! this version does not know is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use qmp_client::address::Address;
use qmp_shared::rest::Role;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::Usage;
use super::address::Listen;
use crate::access::Policy;
use crate::journal;
use crate::session::{RegistryError, Sessions};

/// All that the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default, deserialize_with = "parsed")]
    pub(super) listen: Option<Listen>,
    #[serde(default)]
    pub(super) allowed_hosts: Vec<String>,
    #[serde(default)]
    retention: Retention,
    #[serde(default)]
    pub(super) session: Vec<Session>,
    #[serde(default)]
    policy: BTreeMap<String, Role>,
}

/// `[retention]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retention {
    #[serde(default, deserialize_with = "parsed")]
    age: Option<Age>,
    #[serde(default, deserialize_with = "parsed")]
    size: Option<Size>,
}

/// `[[session]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    name: Spanned<String>,
    #[serde(deserialize_with = "one")]
    pub(super) address: Address,
}

impl Session {
    pub(super) fn name(&self) -> &str {
        self.name.get_ref()
    }
}

impl Config {
    /// Reads the file. Besides its sessions there are those of these names.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what it should be.
    pub(super) fn read(path: &Path, others: &BTreeSet<String>) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Usage(format!("configuration {}: {error}", path.display())))?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| Usage(format!("configuration {}: {error}", path.display())))?;
        // For its errors.
        config.policy().map_err(|error| {
            Usage(format!(
                "configuration {}: [policy]: {error}",
                path.display()
            ))
        })?;
        let mut names = others.clone();
        for Session { name, .. } in &config.session {
            check_session(name.get_ref(), &mut names).map_err(|error| {
                let before = text.get(..name.span().start).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                Usage(format!(
                    "configuration {}: line {line}, `name`: {error}",
                    path.display()
                ))
            })?;
        }
        Ok(config)
    }

    /// How much is kept.
    pub(super) fn retention(&self) -> journal::Retention {
        let default = journal::Retention::default();
        journal::Retention {
            age: self.retention.age.map_or(default.age, |age| age.0),
            size: self.retention.size.map_or(default.size, |size| size.0),
        }
    }

    /// The built-in policy with what the file overrides.
    ///
    /// # Errors
    ///
    /// When an override is for no command.
    pub(super) fn policy(&self) -> Result<Policy, crate::access::PolicyError> {
        Policy::with_overrides(self.policy.clone())
    }
}

/// Adds a session's name to those that there are.
///
/// # Errors
///
/// When it is none, or is one of them.
pub(super) fn check_session(name: &str, names: &mut BTreeSet<String>) -> Result<(), RegistryError> {
    Sessions::check_name(name)?;
    match names.insert(name.to_owned()) {
        true => Ok(()),
        false => Err(RegistryError::Taken(name.to_owned())),
    }
}

/// A time as `30d`, `12h`, `15m` or `90s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(pub(super) Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: &[(&str, u64)] = &[("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
        let seconds = scaled(text, UNITS);
        let seconds =
            seconds.ok_or_else(|| format!("{text:?} is not a time as 30d, 12h, 15m or 90s"))?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

/// Bytes as `1GiB`, `500MiB`, `64KiB`, or a number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: &[(&str, u64)] = &[
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("TiB", 1 << 40),
            ("", 1),
        ];
        let bytes = scaled(text, UNITS);
        bytes.map(Self).ok_or_else(|| {
            format!("{text:?} is not a size as 1GiB, 500MiB or 64KiB, or a number of bytes")
        })
    }
}

/// A whole number with one of the units; `None` for anything else, and for 0.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (unit, factor) = units.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: u64 = text[..text.len() - unit.len()].trim_end().parse().ok()?;
    number.checked_mul(*factor).filter(|value| *value > 0)
}

fn one<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: std::fmt::Display>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn parsed<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: std::fmt::Display>,
    D: Deserializer<'de>,
{
    one(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Config> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::read(file.path(), &BTreeSet::new())
    }

    #[test]
    fn everything_is_read() {
        let config = read(
            r#"
            listen = "127.0.0.1:8090"
            allowed_hosts = ["console.example"]
            [retention]
            age = "12h"
            size = "500MiB"
            [[session]]
            name = "vm"
            address = "unix:/run/vm.qmp"
            [policy]
            "system_reset" = "admin"
            "#,
        );
        let config = config.unwrap();
        assert_eq!(config.listen, Some("127.0.0.1:8090".parse().unwrap()));
        assert_eq!(config.allowed_hosts, ["console.example"]);
        let retention = config.retention();
        assert_eq!(retention.age, Duration::from_secs(12 * 3600));
        assert_eq!(retention.size, 500 << 20);
        assert_eq!(config.session[0].name(), "vm");
        let policy = config.policy().unwrap();
        assert_eq!(policy.judge("system_reset", None).role, Role::Admin);
        let empty = read("").unwrap();
        assert_eq!(empty.retention(), journal::Retention::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_key() {
        for (text, parts) in [
            ("a = 1", &["line 1", "unknown field `a`"][..]),
            ("\n[[session]]\nname = \"x\"", &["line 2", "address"]),
            (
                "[[session]]\nname = \"x\"\naddress = \"tcp:x:44x\"",
                &["line 3", "44x"],
            ),
            (
                "[[session]]\nname=\"x\"\naddress=\"/x\"\nshare=\"/y\"",
                &["line 4", "share"],
            ),
            ("[retention]\nage = \"3 weeks\"", &["line 2", "3 weeks"]),
            ("[retention]\nsize = \"-1\"", &["line 2", "-1"]),
            ("[retention]\nsize = \"0\"", &["line 2", "\"0\""]),
            ("[policy]\nstop = \"root\"", &["line 2", "root"]),
            ("[policy]\n\"a b\" = \"admin\"", &["[policy]", "a b"]),
            ("listen = \"nowhere\"", &["line 1", "nowhere"]),
            ("listen = ", &["line 1"]),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            for part in parts {
                assert!(error.contains(part), "no {part:?} in {error}");
            }
        }
    }
}
