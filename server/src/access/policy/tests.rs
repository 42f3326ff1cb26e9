use super::*;

use proptest::prelude::*;
use std::collections::HashSet;

use crate::access::policy::table::{HMP, HMP_INFO, MIGRATION_TUNING, PLAIN_DEVICES};
use Role::{Admin, Operator, Viewer};

/// Commands of QEMU, qemu-storage-daemon and qemu-ga 7.2, as `query-commands`
/// and `guest-info` list them.
const COMMANDS_7_2: &str = include_str!("fixtures/commands-7.2.txt");
/// Verbs of 7.2, as `help` lists them.
const HMP_7_2: &str = include_str!("fixtures/hmp-7.2.txt");
/// Subcommands of 7.2, as `help info` lists them.
const HMP_INFO_7_2: &str = include_str!("fixtures/hmp-info-7.2.txt");

fn role(command: &str, arguments: &str) -> Role {
    Policy::default().judge(command, Some(arguments)).role
}

fn with(command: &str, role: Role) -> Policy {
    Policy::with_overrides([(command.to_owned(), role)]).unwrap()
}

#[test]
fn every_command_of_the_real_programs_has_a_row() {
    let policy = Policy::default();
    for command in COMMANDS_7_2.lines() {
        assert!(policy.rows.contains_key(command), "{command}");
    }
    let names = |rows: &[crate::access::policy::table::HmpRow]| -> Vec<&str> {
        rows.iter().flat_map(|row| row.names).copied().collect()
    };
    for (names, listed) in [(names(HMP), HMP_7_2), (names(HMP_INFO), HMP_INFO_7_2)] {
        for name in listed.lines() {
            assert!(names.contains(&name), "{name}");
        }
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }
}

#[test]
fn the_table_is_consistent() {
    assert_eq!(Policy::default().rows.len(), COMMANDS.len(), "a name twice");
    let commands: HashSet<_> = COMMANDS.iter().map(|row| row.command).collect();
    for row in COMMANDS {
        assert!(is_command_name(row.command));
        assert!(!row.reason.is_empty() && !row.reason.contains('\n'));
        assert!(
            row.rule != Rule::Host || row.role == Admin,
            "{}",
            row.command
        );
        if row.command.starts_with("guest-exec") || row.command.starts_with("guest-file") {
            assert_eq!(row.role, Admin);
            assert!(row.reason.ends_with("in the guest") || row.reason.contains("in the guest"));
        }
    }
    for action in TRANSACTION_ACTIONS {
        assert!(commands.contains(action), "{action}");
    }
    // A verb is never weaker than the command that does the same.
    let own = Policy::default();
    for row in HMP.iter().chain(HMP_INFO) {
        if let Some(qmp) = row.qmp {
            let entry = own.rows.get(qmp).unwrap_or_else(|| panic!("{qmp}"));
            assert!(row.role >= entry.role, "{:?}", row.names);
        }
    }
    assert!(MIGRATION_TUNING.iter().all(|name| !name.contains("tls")));
    assert!(
        PLAIN_DEVICES
            .iter()
            .all(|name| !name.contains("vfio") && !name.contains("host"))
    );
}

#[test]
fn what_is_not_in_the_table_needs_admin() {
    for command in [
        "",
        " stop",
        "stop ",
        "Stop",
        "STOP",
        "st\u{43e}p",
        "stop\0",
        "query_status",
        "x-new",
        "guest-new",
        "\u{ff53}top",
        "system-reset",
        "qom_get",
    ] {
        let requirement = Policy::default().judge(command, None);
        assert_eq!(requirement.role, Admin, "{command:?}");
        assert_eq!(requirement.reason, "the command is not in the table");
    }
}

#[test]
fn names_decide_most() {
    for (command, expected) in [
        ("query-status", Viewer),
        ("guest-ping", Viewer),
        ("query-rx-filter", Operator),
        ("system_reset", Operator),
        ("guest-fsfreeze-freeze", Operator),
        ("migrate", Admin),
        ("blockdev-add", Admin),
        ("guest-exec", Admin),
        ("guest-exec-status", Admin),
        ("xen-load-devices-state", Admin),
    ] {
        assert_eq!(
            Policy::default().judge(command, None).role,
            expected,
            "{command}"
        );
    }
    for command in ["quit", "system_reset", "device_del", "blockdev-del"] {
        assert!(Policy::default().judge(command, None).destructive);
    }
}

#[test]
fn arguments_raise() {
    for (command, arguments) in [
        ("device_add", r#"{"driver":"vfio-pci","host":"01:00.0"}"#),
        ("device_add", r#"{"driver":"usb-host"}"#),
        (
            "device_add",
            r#"{"driver":"loader","file":"/etc/shadow","addr":0}"#,
        ),
        (
            "device_add",
            r#"{"driver":"virtio-net-pci","romfile":"/etc/shadow"}"#,
        ),
        (
            "device_add",
            r#"{"driver":"virtio-net-pci","rom\u0066ile":"/etc/shadow"}"#,
        ),
        (
            "device_add",
            r#"{"driver":"virtio-blk-pci","drive":{"file":"/x"}}"#,
        ),
        ("device_add", r#"{"driver":"virtio-blk-pci","drive": [1]}"#),
        (
            "device_add",
            r#"{"driver":"virtio-blk-pci","driver":"usb-host"}"#,
        ),
        ("device_add", r#"{"driver":1}"#),
        ("device_add", r#"{"Driver":"virtio-blk-pci"}"#),
        ("device_add", "{}"),
        ("device_add", "[]"),
        ("device_add", "{"),
        ("device_add", ""),
        ("block-stream", r#"{"device":"d","base":"/x"}"#),
        ("block-stream", r#"{"device":"d","backing-file":"/x"}"#),
        ("block-stream", r#"{"device":"d","\u0062ase":"/x"}"#),
        ("block-stream", r#"{"device":"d","base":null}"#),
        (
            "migrate-set-parameters",
            r#"{"max-bandwidth":1,"tls-creds":"x"}"#,
        ),
        ("migrate-set-parameters", r#"{"cpr-exec-command":["sh"]}"#),
        ("qom-get", r#"{"path":"/objects/s","property":"data"}"#),
        ("qom-get", r#"{"path":"s","property":"size"}"#),
        ("qom-get", r#"{"path":"objects/s","property":"size"}"#),
        ("qom-get", r#"{"path":"/machine","property":"kernel"}"#),
        ("qom-get", r#"{"path":"/machine/a","property":"Password"}"#),
        ("qom-get", r#"{"path":"/machine/a"}"#),
        ("qom-get", r#"{"path":1,"property":"x"}"#),
    ] {
        assert_eq!(role(command, arguments), Admin, "{command} {arguments}");
    }
    for (command, arguments) in [
        (
            "device_add",
            r#"{"driver":"virtio-blk-pci","drive":"d","id":"x","bootindex":1}"#,
        ),
        ("device_add", r#"{"driver":"host-x86_64-cpu","core-id":1}"#),
        ("block-stream", r#"{"device":"d","base-node":"n"}"#),
        ("migrate-set-parameters", r#"{"max-bandwidth":1}"#),
        (
            "qom-get",
            r#"{"path":"/machine/peripheral/b","property":"guest-stats"}"#,
        ),
        ("eject", r#"{"id":"x","anything":[[]]}"#),
    ] {
        assert_eq!(role(command, arguments), Operator, "{command} {arguments}");
    }
    let judged = Policy::default().judge("block-stream", Some(r#"{"base":"/x"}"#));
    assert_eq!(
        judged.reason,
        "copies data up from the backing file: an argument names something of the host"
    );
}

#[test]
fn transactions_need_what_their_strongest_action_needs() {
    let add = r#"{"type":"block-dirty-bitmap-add","data":{"node":"n","name":"b"}}"#;
    let clear = r#"{"type":"block-dirty-bitmap-clear","data":{"node":"n","name":"b"}}"#;
    let snapshot = r#"{"type":"blockdev-snapshot-sync","data":{"snapshot-file":"/x"}}"#;
    let judge = |actions: &str| {
        let arguments = format!("{{\"actions\":[{actions}]}}");
        Policy::default().judge("transaction", Some(&arguments))
    };
    assert_eq!(judge("").role, Operator);
    assert_eq!(judge(add).role, Operator);
    assert!(!judge(add).destructive);
    assert!(judge(&format!("{clear},{add}")).destructive);
    assert_eq!(judge(&format!("{add},{snapshot},{add}")).role, Admin);
    for action in [
        r#"{"type":"drive-backup","data":{}}"#,
        r#"{"type":"Abort"}"#,
        r#"{"type":"stop","data":{}}"#,
        r#"{"type":"transaction","data":{"actions":[]}}"#,
        r#"{"type":"human-monitor-command","data":{"command-line":"info name"}}"#,
        r#"{"type":"abort","type":"abort"}"#,
        r#"{"type":["abort"]}"#,
        r#"{"data":{}}"#,
        "[]",
        "1",
        "\"abort\"",
    ] {
        assert_eq!(judge(action).role, Admin, "{action}");
    }
    for arguments in [
        "{}",
        "[]",
        "",
        "{\"actions\":{}}",
        "{\"actions\":null}",
        "{\"Actions\":[]}",
    ] {
        assert_eq!(role("transaction", arguments), Admin, "{arguments}");
    }
    assert_eq!(Policy::default().judge("transaction", None).role, Admin);
}

#[test]
fn overrides_replace_the_role_and_not_the_judgement_of_arguments() {
    let policy = with("system_reset", Admin);
    let judged = policy.judge("system_reset", None);
    assert_eq!(judged.role, Admin);
    assert!(judged.reason.ends_with("(role set in the configuration)"));
    // The human monitor is no way around it.
    let line = |policy: &Policy, line: &str| {
        let arguments = format!("{{\"command-line\":\"{line}\"}}");
        policy.judge("human-monitor-command", Some(&arguments)).role
    };
    assert_eq!(line(&policy, "system_reset"), Admin);
    assert_eq!(line(&with("query-block", Admin), "info block"), Admin);
    assert_eq!(line(&with("human-monitor-command", Admin), "help"), Admin);
    assert_eq!(
        line(&with("human-monitor-command", Viewer), "quit"),
        Operator
    );
    assert_eq!(line(&with("quit", Viewer), "quit"), Operator);
    // What names the host stays with admins.
    for command in [
        "migrate",
        "blockdev-add",
        "screendump",
        "object-add",
        "qom-set",
    ] {
        assert_eq!(
            with(command, Viewer).judge(command, None).role,
            Admin,
            "{command}"
        );
    }
    let policy = with("device_add", Viewer);
    let plain = r#"{"driver":"virtio-blk-pci"}"#;
    assert_eq!(policy.judge("device_add", Some(plain)).role, Viewer);
    let host = r#"{"driver":"vfio-pci"}"#;
    assert_eq!(policy.judge("device_add", Some(host)).role, Admin);
    // Others go down, and so do actions of their name.
    assert_eq!(
        with("guest-exec", Operator).judge("guest-exec", None).role,
        Operator
    );
    let action = r#"{"actions":[{"type":"blockdev-backup","data":{}}]}"#;
    let policy = with("blockdev-backup", Operator);
    assert_eq!(policy.judge("transaction", Some(action)).role, Operator);
    let policy = with("block-dirty-bitmap-add", Admin);
    let action = r#"{"actions":[{"type":"block-dirty-bitmap-add","data":{}}]}"#;
    assert_eq!(policy.judge("transaction", Some(action)).role, Admin);
    assert_eq!(
        with("transaction", Admin)
            .judge("transaction", Some("{\"actions\":[]}"))
            .role,
        Admin
    );
    // Commands of the endpoint's own get a row.
    let policy = with("__com.example_frob", Viewer);
    assert_eq!(policy.judge("__com.example_frob", Some("1")).role, Viewer);
    assert!(
        policy
            .rows()
            .any(|row| row.command == "__com.example_frob" && row.overridden)
    );
}

#[test]
fn overrides_of_no_command_are_refused() {
    for name in [
        "",
        " ",
        "a b",
        "stop\n",
        "st\u{f6}p",
        "a/b",
        &"x".repeat(256),
    ] {
        let error = Policy::with_overrides([(name.to_owned(), Viewer)]).unwrap_err();
        assert_eq!(error, PolicyError::BadName(name.to_owned()));
    }
    let error = PolicyError::BadName("a b".into());
    assert_eq!(error.to_string(), "\"a b\" is no command name");
}

#[test]
fn rows_tell_what_applies() {
    let policy = with("quit", Admin);
    let quit = policy.rows().find(|row| row.command == "quit").unwrap();
    assert_eq!(
        (quit.role, quit.destructive, quit.overridden),
        (Admin, true, true)
    );
    let (_, requirement) = policy.hmp_rows().find(|(name, _)| name == "q").unwrap();
    assert_eq!(requirement.role, Admin);
    assert!(policy.hmp_rows().any(|(name, _)| name == "info block"));
}

#[test]
fn depth_and_length_cost_no_stack() {
    let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
    let long = "x".repeat(4 << 20);
    assert_eq!(
        role("qom-get", &format!("{{\"path\":{deep},\"property\":1}}")),
        Admin
    );
    assert_eq!(
        role("transaction", &format!("{{\"actions\":{deep}}}")),
        Admin
    );
    assert_eq!(
        role(
            "transaction",
            &format!("{{\"actions\":[{{\"type\":\"{long}\"}}]}}")
        ),
        Admin
    );
    assert_eq!(
        role(
            "device_add",
            &format!("{{\"driver\":\"nvme\",\"serial\":\"{long}\"}}")
        ),
        Operator
    );
    let deep_object = "{\"a\":".repeat(1 << 18);
    assert_eq!(role("block-stream", &deep_object), Admin);
}

proptest! {
    #[test]
    fn judging_never_panics_and_never_weakens(
        index in 0..COMMANDS.len(),
        text in "\\PC*|[\\[\\]{}\",:a1 \\\\]{0,40}|\\{\"(actions|command-line|driver|path)\":[\\[\\]{}\",:a]{0,20}\\}",
    ) {
        let row = &COMMANDS[index];
        let policy = Policy::default();
        prop_assert!(policy.judge(row.command, Some(&text)).role >= row.role);
        policy.judge(&text, Some(&text));
    }
}
