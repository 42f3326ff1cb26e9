//! The commands of an endpoint, as their list shows them.

use qmp_shared::schema::Schema;
use serde::Deserialize;

/// One command in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name, as in `execute`.
    pub(crate) name: String,
    /// Words about it: `deprecated`, `unstable`, `oob`, `disabled`.
    pub(crate) tags: Vec<&'static str>,
}

/// The command of an agent that lists the others.
pub(crate) const GUEST_INFO: &str = "guest-info";

/// All commands of a schema, sorted by name.
pub(crate) fn of_schema(schema: &Schema) -> Vec<Entry> {
    let entry = |command: &qmp_shared::schema::Command| {
        let tags = [
            (command.features.deprecated, "deprecated"),
            (command.features.unstable, "unstable"),
            (command.allow_oob, "oob"),
        ];
        let tags = tags.into_iter().filter_map(|(has, tag)| has.then_some(tag));
        Entry {
            name: command.name.clone(),
            tags: tags.collect(),
        }
    };
    schema.commands().iter().map(entry).collect()
}

/// All commands that an agent's `guest-info` lists, sorted by name.
///
/// # Errors
///
/// When that is not what `guest-info` returns.
pub(crate) fn of_guest_info(json: &str) -> Result<Vec<Entry>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Info {
        supported_commands: Vec<Command>,
    }
    #[derive(Deserialize)]
    struct Command {
        name: String,
        enabled: bool,
    }
    let info: Info = serde_json::from_str(json)?;
    let entry = |command: Command| {
        let tags = if command.enabled {
            Vec::new()
        } else {
            vec!["disabled"]
        };
        Entry {
            name: command.name,
            tags,
        }
    };
    let mut entries: Vec<Entry> = info.supported_commands.into_iter().map(entry).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_lists_commands_and_what_is_said_of_them() {
        let schema = Schema::parse(
            r#"[{"name": "yank", "meta-type": "command", "arg-type": "0", "ret-type": "0",
                 "allow-oob": true},
                {"name": "old", "meta-type": "command", "arg-type": "0", "ret-type": "0",
                 "features": ["deprecated", "unstable"]},
                {"name": "E", "meta-type": "event", "arg-type": "0"},
                {"name": "0", "meta-type": "object", "members": []}]"#,
        );
        let entries = of_schema(&schema.unwrap());
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].name, "old");
        assert_eq!(entries[0].tags, ["deprecated", "unstable"]);
        assert_eq!(entries[1].tags, ["oob"]);
    }

    #[test]
    fn an_agent_lists_its_own() {
        let entries = of_guest_info(
            r#"{"version": "7.2.22", "supported_commands": [
                {"enabled": true, "name": "guest-ping", "success-response": true},
                {"enabled": false, "name": "guest-exec", "success-response": true}]}"#,
        );
        let entries = entries.unwrap();
        assert_eq!(entries[0].name, "guest-exec");
        assert_eq!(entries[0].tags, ["disabled"]);
        assert!(entries[1].tags.is_empty());
        assert!(of_guest_info("{}").is_err());
    }
}
