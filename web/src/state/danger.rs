//! Commands that deserve a second look before they are sent.
//!
//! This guards against a slip of the hand and nothing else: what a token may
//! do is decided by the server. Everything is in here that the server's policy
//! calls destructive, which a test holds it to.

use serde_json::Value;

/// Commands that end or disturb a guest or lose data, and what they do, also as
/// the actions of a `transaction`. Small and deliberate: a question asked too
/// often is answered without reading.
const TABLE: &[(&str, &str)] = &[
    ("block-commit", "changes a backing file for good"),
    (
        "block-dirty-bitmap-clear",
        "forgets what changed since the last backup",
    ),
    ("block-dirty-bitmap-disable", "tracks writes no more"),
    (
        "block-dirty-bitmap-remove",
        "forgets what changed since the last backup",
    ),
    ("block-export-del", "takes the export from its clients"),
    ("block-job-cancel", "gives up the job"),
    ("block_resize", "cuts off data when the image shrinks"),
    ("blockdev-backup", "overwrites the target node"),
    ("blockdev-create", "formats the image"),
    ("blockdev-del", "removes the block node"),
    ("blockdev-mirror", "overwrites the target node"),
    ("blockdev-reopen", "replaces the block node's options"),
    (
        "blockdev-snapshot-delete-internal-sync",
        "deletes the snapshot for good",
    ),
    (
        "blockdev-snapshot-sync",
        "overwrites the file when there is one",
    ),
    ("chardev-remove", "removes the character device"),
    ("cxl-inject-correctable-error", "injects a hardware error"),
    ("cxl-inject-dram-event", "injects a hardware error"),
    ("cxl-inject-general-media-event", "injects a hardware error"),
    ("cxl-inject-memory-module-event", "injects a hardware error"),
    ("cxl-inject-poison", "poisons guest memory"),
    (
        "cxl-inject-uncorrectable-errors",
        "injects a hardware error",
    ),
    (
        "cxl-release-dynamic-capacity",
        "takes memory from the guest",
    ),
    ("device_del", "unplugs the device from the guest"),
    ("drive-backup", "overwrites the file when there is one"),
    ("drive-mirror", "overwrites the file when there is one"),
    ("dump-guest-memory", "overwrites the file when there is one"),
    ("eject", "takes the medium from the guest"),
    ("guest-exec", "runs a program inside the guest"),
    (
        "guest-fsfreeze-freeze",
        "holds the guest's writes until thawed",
    ),
    (
        "guest-fsfreeze-freeze-list",
        "holds the guest's writes until thawed",
    ),
    (
        "guest-set-user-password",
        "changes a password inside the guest",
    ),
    ("guest-shutdown", "shuts the guest down"),
    (
        "guest-ssh-remove-authorized-keys",
        "locks others out of the guest",
    ),
    ("guest-suspend-disk", "suspends the guest"),
    ("guest-suspend-hybrid", "suspends the guest"),
    ("guest-suspend-ram", "suspends the guest"),
    ("inject-ghes-v2-error", "injects a hardware error"),
    (
        "inject-nmi",
        "injects a non-maskable interrupt into the guest",
    ),
    ("job-cancel", "gives up the job"),
    ("memsave", "overwrites the file when there is one"),
    ("migrate", "moves the guest away"),
    (
        "migrate-start-postcopy",
        "loses the guest if the connection is lost from here on",
    ),
    ("migrate_cancel", "gives up the migration"),
    ("nbd-server-remove", "takes the export from its clients"),
    ("nbd-server-stop", "takes all exports from their clients"),
    ("netdev_del", "removes the network backend"),
    ("object-del", "removes the object"),
    ("pmemsave", "overwrites the file when there is one"),
    ("quit", "ends the process at once, without asking the guest"),
    ("snapshot-delete", "deletes the snapshot for good"),
    ("snapshot-load", "discards the guest's current state"),
    ("system_powerdown", "asks the guest to power down"),
    ("system_reset", "resets the guest as if by its reset button"),
    ("x-blockdev-amend", "rewrites the image's header"),
    ("x-colo-lost-heartbeat", "fails over"),
    ("x-exit-preconfig", "starts the machine, for good"),
    ("yank", "cuts connections for good"),
];

/// Verbs of the human monitor that do, and what they do.
const HUMAN: &[(&str, &str)] = &[
    ("block_job_cancel", "gives up the job"),
    ("block_resize", "cuts off data when the image shrinks"),
    ("change", "replaces the guest's medium, or the password"),
    ("chardev-remove", "removes the character device"),
    ("commit", "changes a backing file for good"),
    ("delvm", "deletes the snapshot for good"),
    ("device_del", "unplugs the device from the guest"),
    ("drive_backup", "overwrites the file when there is one"),
    ("drive_del", "takes a disk from the guest"),
    ("drive_mirror", "overwrites the file when there is one"),
    ("dump-guest-memory", "overwrites the file when there is one"),
    ("eject", "takes the medium from the guest"),
    ("hostfwd_remove", "removes a forwarding"),
    ("loadvm", "discards the guest's current state"),
    ("mce", "injects a hardware error"),
    ("memsave", "overwrites the file when there is one"),
    ("migrate", "moves the guest away"),
    ("migrate_cancel", "gives up the migration"),
    (
        "migrate_start_postcopy",
        "loses the guest if the connection is lost from here on",
    ),
    ("nbd_server_remove", "takes the export from its clients"),
    ("nbd_server_stop", "takes all exports from their clients"),
    ("netdev_del", "removes the network backend"),
    ("nmi", "injects a non-maskable interrupt into the guest"),
    ("o", "writes to an I/O port"),
    ("object_del", "removes the object"),
    ("pcie_aer_inject_error", "injects a hardware error"),
    ("pmemsave", "overwrites the file when there is one"),
    ("q", "ends the process at once, without asking the guest"),
    ("qemu-io", "reads and writes disks directly"),
    ("quit", "ends the process at once, without asking the guest"),
    ("savevm", "replaces the snapshot of that name"),
    ("snapshot_blkdev", "overwrites the file when there is one"),
    (
        "snapshot_delete_blkdev_internal",
        "deletes the snapshot for good",
    ),
    ("system_powerdown", "asks the guest to power down"),
    ("system_reset", "resets the guest as if by its reset button"),
    ("usb_del", "unplugs the device from the guest"),
    ("x_colo_lost_heartbeat", "fails over"),
];

/// What makes a command with these arguments, JSON, worth a deliberate
/// confirmation, as a sentence; `None` where none is asked.
pub(crate) fn consequence(command: &str, arguments: Option<&str>) -> Option<String> {
    if let Some(what) = look_up(TABLE, command) {
        return Some(["This ", what, "."].concat());
    }
    let arguments: Value = serde_json::from_str(arguments?).ok()?;
    let within = match command {
        "human-monitor-command" => {
            let line = arguments.get("command-line")?.as_str()?.trim_start();
            let ends = |c: char| c == '/' || c.is_ascii_whitespace() || c == '\u{b}';
            let verb = line.split(ends).next().unwrap_or_default();
            look_up(HUMAN, verb).map(|what| [verb, " ", what].concat())?
        }
        "transaction" => {
            let actions = arguments.get("actions")?.as_array()?;
            let types = actions
                .iter()
                .filter_map(|action| action.get("type")?.as_str());
            let mut said: Vec<String> = Vec::new();
            for ty in types {
                let what = look_up(TABLE, ty).map(|what| [ty, " ", what].concat());
                said.extend(what.filter(|what| !said.contains(what)));
            }
            said.join("; ")
        }
        _ => return None,
    };
    (!within.is_empty()).then(|| ["In it, ", &within, "."].concat())
}

fn look_up(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let entry = table.iter().find(|(known, _)| *known == name);
    entry.map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's table, as it is written.
    const POLICY: &str = include_str!("../../../server/src/access/policy/table.rs");

    #[test]
    fn asks_for_all_that_the_policy_calls_destructive() {
        let mut seen = 0;
        let rows = POLICY
            .split("\n    ")
            .filter(|row| row.contains(".destructive()"));
        for row in rows {
            let (kind, rest) = row.split_once('(').unwrap();
            let quoted = rest.split('"').skip(1).step_by(2);
            let table = if kind == "hmp" { HUMAN } else { TABLE };
            let names = match kind {
                "hmp" => rest[..rest.find(']').unwrap()].matches('"').count() / 2,
                "viewer" | "operator" | "admin" => 1,
                _ => continue,
            };
            for name in quoted.take(names) {
                assert!(look_up(table, name).is_some(), "{name}");
                seen += 1;
            }
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn asks_where_it_matters_and_only_there() {
        let this = consequence("object-del", None).unwrap();
        assert_eq!(this, "This removes the object.");
        for command in ["query-status", "stop", "cont", "quits", "", "transaction"] {
            assert_eq!(consequence(command, None), None, "{command}");
        }
    }

    #[test]
    fn looks_into_transactions_and_lines() {
        let actions = r#"{"actions": [{"type": "abort", "data": {}},
            {"type": "block-dirty-bitmap-clear", "data": {}},
            {"type": "block-dirty-bitmap-clear", "data": {}}, 5]}"#;
        assert_eq!(
            consequence("transaction", Some(actions)).unwrap(),
            "In it, block-dirty-bitmap-clear forgets what changed since the last backup."
        );
        let harmless = r#"{"actions": [{"type": "abort", "data": {}}]}"#;
        assert_eq!(consequence("transaction", Some(harmless)), None);
        for (line, asks) in [
            (" quit", true),
            ("q", true),
            ("o/b 1 2", true),
            ("system_reset\tx", true),
            ("info status", false),
            ("quits", false),
            ("", false),
        ] {
            let arguments = serde_json::json!({"command-line": line}).to_string();
            let said = consequence("human-monitor-command", Some(&arguments));
            assert_eq!(said.is_some(), asks, "{line}");
        }
        assert_eq!(consequence("human-monitor-command", Some("{oops")), None);
    }
}
