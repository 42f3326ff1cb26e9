//! What a running endpoint has, of which commands take a name: jobs, block
//! nodes, buses.

use serde::Deserialize;

/// Things that have names, and which command lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Listed {
    /// Jobs.
    Jobs,
    /// Block nodes.
    Nodes,
    /// Block exports.
    Exports,
    /// Character devices.
    Characters,
    /// I/O threads.
    IoThreads,
    /// The buses that devices are on. Only the human monitor lists them.
    Buses,
    /// Network backends; so are these.
    Backends,
}

impl Listed {
    /// The things that the argument of the command names.
    pub(super) fn of(command: &str, argument: &str) -> Option<Self> {
        let is_of_jobs = command.starts_with("job-") || command.starts_with("block-job-");
        Some(match (command, argument) {
            ("device_add", "bus") => Self::Buses,
            ("device_add", "netdev") | ("netdev_del", "id") => Self::Backends,
            ("device_add", "drive") => Self::Nodes,
            ("device_add", "chardev") => Self::Characters,
            (_, "id" | "device") if is_of_jobs => Self::Jobs,
            ("block-export-del", "id") | ("nbd-server-remove", "name") => Self::Exports,
            ("chardev-remove" | "chardev-change" | "chardev-send-break", "id")
            | ("ringbuf-read" | "ringbuf-write", "device") => Self::Characters,
            ("x-blockdev-set-iothread", "iothread") => Self::IoThreads,
            // It names a new one.
            ("blockdev-add", "node-name") => return None,
            ("blockdev-add", "file" | "backing") | (_, "node-name") => Self::Nodes,
            ("nbd-server-add", "device") => Self::Nodes,
            (_, "node" | "device" | "target" | "overlay" | "base-node" | "top-node" | "bottom")
                if command.starts_with("block") =>
            {
                Self::Nodes
            }
            _ => return None,
        })
    }

    /// The command and its arguments, JSON.
    pub(super) fn request(self) -> (&'static str, &'static str) {
        match self {
            Self::Jobs => ("query-jobs", "{}"),
            Self::Nodes => ("query-named-block-nodes", r#"{"flat":true}"#),
            Self::Exports => ("query-block-exports", "{}"),
            Self::Characters => ("query-chardev", "{}"),
            Self::IoThreads => ("query-iothreads", "{}"),
            Self::Buses => ("human-monitor-command", r#"{"command-line":"info qtree"}"#),
            Self::Backends => (
                "human-monitor-command",
                r#"{"command-line":"info network"}"#,
            ),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Nodes => "block nodes",
            Self::Exports => "exports",
            Self::Characters => "character devices",
            Self::IoThreads => "I/O threads",
            Self::Buses => "buses",
            Self::Backends => "network backends",
        }
    }

    /// The names in what the endpoint returned, sorted.
    pub(super) fn read(self, json: &str) -> Result<Vec<String>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(alias = "node-name", alias = "label")]
            id: Option<String>,
        }
        let mut names: Vec<String> = match self {
            Self::Buses => {
                let text: String = serde_json::from_str(json)?;
                let lines = text.lines().map(str::trim);
                lines
                    .filter_map(|line| line.strip_prefix("bus: ").map(str::to_owned))
                    .collect()
            }
            Self::Backends => {
                let text: String = serde_json::from_str(json)?;
                text.lines().filter_map(backend).collect()
            }
            _ => {
                let listed: Vec<Named> = serde_json::from_str(json)?;
                listed.into_iter().filter_map(|named| named.id).collect()
            }
        };
        names.retain(|name| !name.is_empty());
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// The backend in a line of `info network`: ` \ net0: index=0,type=user,...`, of
/// a hub ` \ port0`. Those of the type `nic` are the devices.
fn backend(line: &str) -> Option<String> {
    let name = line.trim_start_matches([' ', '\\']);
    let Some((name, rest)) = name.split_once(": index=") else {
        let is_port = line.starts_with(" \\ ") && !name.contains(' ');
        return is_port.then(|| name.to_owned());
    };
    let mut facts = rest.split(',');
    let is_device = facts.any(|fact| fact.trim() == "type=nic");
    (!is_device).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_what_lists_them() {
        let read = |listed: Listed, json: &str| listed.read(json).unwrap();
        let jobs = r#"[{"id": "b", "type": "backup"}, {"id": "a"}, {"id": "b"}]"#;
        assert_eq!(read(Listed::Jobs, jobs), ["a", "b"]);
        let nodes = r##"[{"node-name": "#block1", "file": "x"}, {"drv": "raw"}]"##;
        assert_eq!(read(Listed::Nodes, nodes), ["#block1"]);
        assert_eq!(read(Listed::Characters, r#"[{"label": "mon"}]"#), ["mon"]);
        let tree = r#""bus: main-system-bus\r\n  type System\r\n      bus: pci.0\r\n  dev: x, id \"bus: y\"\r\n""#;
        assert_eq!(read(Listed::Buses, tree), ["main-system-bus", "pci.0"]);
        let network = r#""e1000.0: index=0,type=nic,model=e1000\r\n \\ net0: index=0,type=user,net=10\r\nnet1: index=0,type=tap\r\nhub 7\r\n \\ port\r\n""#;
        assert_eq!(read(Listed::Backends, network), ["net0", "net1", "port"]);
        assert!(Listed::Jobs.read("{}").is_err());
    }

    #[test]
    fn arguments_that_name_what_there_is() {
        for (command, argument, listed) in [
            ("job-cancel", "id", Some(Listed::Jobs)),
            ("block-job-set-speed", "device", Some(Listed::Jobs)),
            ("blockdev-del", "node-name", Some(Listed::Nodes)),
            ("blockdev-backup", "target", Some(Listed::Nodes)),
            ("blockdev-add", "node-name", None),
            ("blockdev-add", "backing", Some(Listed::Nodes)),
            ("device_add", "bus", Some(Listed::Buses)),
            ("device_add", "id", None),
            ("netdev_del", "id", Some(Listed::Backends)),
            ("netdev_add", "id", None),
            ("chardev-add", "id", None),
            ("chardev-remove", "id", Some(Listed::Characters)),
            ("eject", "id", None),
        ] {
            assert_eq!(
                Listed::of(command, argument),
                listed,
                "{command} {argument}"
            );
        }
    }
}
