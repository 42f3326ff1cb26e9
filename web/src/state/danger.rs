//! Commands that deserve a second look before they are sent.
//!
//! This guards against a slip of the hand and nothing else: what a token may
//! do is decided by the server.

/// Commands that end or disturb a guest or lose data, and what they do. Small
/// and deliberate: a question asked too often is answered without reading.
const TABLE: &[(&str, &str)] = &[
    ("blockdev-del", "removes the block node"),
    ("blockdev-reopen", "replaces the block node's options"),
    ("block-job-cancel", "gives up the job"),
    ("chardev-remove", "removes the character device"),
    ("device_del", "unplugs the device from the guest"),
    ("guest-exec", "runs a program inside the guest"),
    (
        "guest-set-user-password",
        "changes a password inside the guest",
    ),
    ("guest-shutdown", "shuts the guest down"),
    ("guest-suspend-disk", "suspends the guest"),
    ("guest-suspend-hybrid", "suspends the guest"),
    ("guest-suspend-ram", "suspends the guest"),
    (
        "inject-nmi",
        "injects a non-maskable interrupt into the guest",
    ),
    ("job-cancel", "gives up the job"),
    ("migrate", "moves the guest away"),
    ("migrate_cancel", "gives up the migration"),
    ("netdev_del", "removes the network backend"),
    ("object-del", "removes the object"),
    ("quit", "ends the process at once, without asking the guest"),
    ("snapshot-delete", "deletes the snapshot for good"),
    ("snapshot-load", "discards the guest's current state"),
    ("system_powerdown", "asks the guest to power down"),
    ("system_reset", "resets the guest as if by its reset button"),
    ("x-exit-preconfig", "starts the machine, for good"),
];

/// What makes the command worth a deliberate confirmation, as the end of the
/// sentence "This ..."; `None` where none is asked.
pub(crate) fn consequence(command: &str) -> Option<&'static str> {
    let entry = TABLE.iter().find(|(name, _)| *name == command);
    entry.map(|(_, consequence)| *consequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_where_it_matters_and_only_there() {
        for command in [
            "quit",
            "system_reset",
            "device_del",
            "object-del",
            "guest-shutdown",
        ] {
            assert!(consequence(command).is_some(), "{command}");
        }
        for command in ["query-status", "stop", "cont", "quits", ""] {
            assert!(consequence(command).is_none(), "{command}");
        }
    }
}
