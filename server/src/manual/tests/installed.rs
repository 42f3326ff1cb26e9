//! The pages that Debian 12 installs, whole.

use std::path::PathBuf;

use crate::manual::{Manual, MembersOf, Page, SIZE_LIMIT, When, find, parse};

/// What `query-qmp-schema` of `qemu-system-x86_64` 7.2 lists.
const COMMANDS: &str = "
    add-fd add_client announce-self balloon block-commit block-dirty-bitmap-add
    block-dirty-bitmap-clear block-dirty-bitmap-disable block-dirty-bitmap-enable
    block-dirty-bitmap-merge block-dirty-bitmap-remove block-export-add block-export-del
    block-job-cancel block-job-complete block-job-dismiss block-job-finalize block-job-pause
    block-job-resume block-job-set-speed block-latency-histogram-set block-set-write-threshold
    block-stream block_resize block_set_io_throttle blockdev-add blockdev-backup
    blockdev-change-medium blockdev-close-tray blockdev-create blockdev-del blockdev-insert-medium
    blockdev-mirror blockdev-open-tray blockdev-remove-medium blockdev-reopen blockdev-snapshot
    blockdev-snapshot-delete-internal-sync blockdev-snapshot-internal-sync blockdev-snapshot-sync
    calc-dirty-rate cancel-vcpu-dirty-limit change-backing-file change-vnc-password chardev-add
    chardev-change chardev-remove chardev-send-break client_migrate_info closefd cont
    device-list-properties device_add device_del display-reload display-update drive-backup
    drive-mirror dump-guest-memory dumpdtb eject expire_password getfd human-monitor-command
    inject-nmi input-send-event job-cancel job-complete job-dismiss job-finalize job-pause
    job-resume memsave migrate migrate-continue migrate-incoming migrate-pause migrate-recover
    migrate-set-capabilities migrate-set-parameters migrate-start-postcopy migrate_cancel
    nbd-server-add nbd-server-remove nbd-server-start nbd-server-stop netdev_add netdev_del
    object-add object-del pmemsave qmp_capabilities qom-get qom-list qom-list-properties
    qom-list-types qom-set query-acpi-ospm-status query-balloon query-block query-block-exports
    query-block-jobs query-blockstats query-chardev query-chardev-backends query-colo-status
    query-command-line-options query-commands query-cpu-definitions query-cpu-model-expansion
    query-cpus-fast query-current-machine query-dirty-rate query-display-options query-dump
    query-dump-guest-memory-capability query-fdsets query-hotpluggable-cpus query-iothreads
    query-jobs query-kvm query-machines query-memdev query-memory-devices query-memory-size-summary
    query-mice query-migrate query-migrate-capabilities query-migrate-parameters query-name
    query-named-block-nodes query-pci query-pr-managers query-qmp-schema query-replay query-rocker
    query-rocker-of-dpa-flows query-rocker-of-dpa-groups query-rocker-ports query-rx-filter
    query-sev query-sev-attestation-report query-sev-capabilities query-sev-launch-measure
    query-sgx query-sgx-capabilities query-spice query-stats query-stats-schemas query-status
    query-target query-tpm query-tpm-models query-tpm-types query-uuid query-vcpu-dirty-limit
    query-version query-vm-generation-id query-vnc query-vnc-servers query-xen-replication-status
    query-yank quit remove-fd replay-break replay-delete-break replay-seek ringbuf-read
    ringbuf-write rtc-reset-reinjection screendump send-key set-action set-numa-node
    set-vcpu-dirty-limit set_link set_password sev-inject-launch-secret snapshot-delete
    snapshot-load snapshot-save stop system_powerdown system_reset system_wakeup
    trace-event-get-state trace-event-set-state transaction watchdog-set-action x-blockdev-amend
    x-blockdev-change x-blockdev-set-iothread x-colo-lost-heartbeat
    x-debug-block-dirty-bitmap-sha256 x-debug-query-block-graph x-exit-preconfig x-query-irq
    x-query-jit x-query-numa x-query-opcount x-query-profile x-query-ramblock x-query-rdma
    x-query-roms x-query-usb x-query-virtio x-query-virtio-queue-element
    x-query-virtio-queue-status x-query-virtio-status x-query-virtio-vhost-queue-status
    xen-colo-do-checkpoint xen-load-devices-state xen-save-devices-state xen-set-global-dirty-log
    xen-set-replication yank
";

/// Likewise.
const EVENTS: &str = "
    ACPI_DEVICE_OST BALLOON_CHANGE BLOCK_EXPORT_DELETED BLOCK_IMAGE_CORRUPTED BLOCK_IO_ERROR
    BLOCK_JOB_CANCELLED BLOCK_JOB_COMPLETED BLOCK_JOB_ERROR BLOCK_JOB_PENDING BLOCK_JOB_READY
    BLOCK_WRITE_THRESHOLD COLO_EXIT DEVICE_DELETED DEVICE_TRAY_MOVED DEVICE_UNPLUG_GUEST_ERROR
    DUMP_COMPLETED FAILOVER_NEGOTIATED GUEST_CRASHLOADED GUEST_PANICKED JOB_STATUS_CHANGE
    MEMORY_DEVICE_SIZE_CHANGE MEMORY_FAILURE MEM_UNPLUG_ERROR MIGRATION MIGRATION_PASS
    NETDEV_STREAM_CONNECTED NETDEV_STREAM_DISCONNECTED NIC_RX_FILTER_CHANGED POWERDOWN
    PR_MANAGER_STATUS_CHANGED QUORUM_FAILURE QUORUM_REPORT_BAD RDMA_GID_STATUS_CHANGED RESET RESUME
    RTC_CHANGE SHUTDOWN SPICE_CONNECTED SPICE_DISCONNECTED SPICE_INITIALIZED
    SPICE_MIGRATE_COMPLETED STOP SUSPEND SUSPEND_DISK UNPLUG_PRIMARY VFU_CLIENT_HANGUP
    VNC_CONNECTED VNC_DISCONNECTED VNC_INITIALIZED VSERPORT_CHANGE WAKEUP WATCHDOG
";

/// What the page documents beyond that: commands of other targets.
const OTHER_TARGETS: [&str; 4] = [
    "dump-skeys",
    "query-cpu-model-baseline",
    "query-cpu-model-comparison",
    "query-gic-capabilities",
];

/// The page as installed.
fn installed(page: Page) -> Manual {
    let found = find(page, &[PathBuf::from("/usr/share/man")], SIZE_LIMIT).unwrap();
    let Some(found) = found else {
        panic!(
            "{}(7) is not in /usr/share/man: this test needs Debian's qemu-system-common and qemu-guest-agent \
             with their man pages (see path-exclude in dpkg.cfg)",
            page.name()
        );
    };
    assert!(!found.cut);
    parse(&found.text)
}

/// The number of members with text, and of those without.
fn documented(manual: &Manual) -> (usize, usize) {
    let entries = manual
        .commands
        .values()
        .chain(manual.events.values())
        .chain(manual.types.values());
    let members: Vec<_> = entries.flat_map(|entry| entry.members.values()).collect();
    let with = members
        .iter()
        .filter(|member| !member.text.is_empty())
        .count();
    (with, members.len() - with)
}

#[test]
fn every_command_and_event_of_qemu_has_an_entry() {
    let manual = installed(Page::Qemu);
    let mut commands: Vec<_> = COMMANDS.split_whitespace().chain(OTHER_TARGETS).collect();
    commands.sort_unstable();
    assert_eq!(manual.commands.keys().collect::<Vec<_>>(), commands);
    assert_eq!(
        manual.events.keys().collect::<Vec<_>>(),
        EVENTS.split_whitespace().collect::<Vec<_>>()
    );
    assert_eq!(manual.types.len(), 618);
    assert!(manual.version.unwrap().starts_with("7.2"));
}

#[test]
fn all_pages_have_their_members_text() {
    for (page, entries, members) in [
        (Page::Qemu, (220, 52, 618), (2529, 517)),
        (Page::StorageDaemon, (74, 13, 339), (1230, 240)),
        (Page::GuestAgent, (42, 0, 43), (195, 36)),
    ] {
        let manual = installed(page);
        let counts = (
            manual.commands.len(),
            manual.events.len(),
            manual.types.len(),
        );
        assert_eq!(counts, entries, "{page:?}");
        assert_eq!(documented(&manual), members, "{page:?}");
    }
}

#[test]
fn groups_have_every_command_and_event_once() {
    let manual = installed(Page::Qemu);
    let group = |title: &str| {
        manual
            .groups
            .iter()
            .find(|group| group.title == title)
            .unwrap()
    };
    assert_eq!(manual.groups[0].title, "VM run state");
    assert_eq!(
        manual.groups[0].commands,
        ["query-status", "watchdog-set-action", "set-action"]
    );
    assert_eq!(manual.groups[0].events[0], "SHUTDOWN");
    assert!(
        group("Block devices")
            .commands
            .iter()
            .any(|name| name == "blockdev-add")
    );
    assert!(
        group("Remote desktop")
            .events
            .iter()
            .any(|name| name == "VNC_CONNECTED")
    );
    let mut commands: Vec<_> = manual
        .groups
        .iter()
        .flat_map(|group| &group.commands)
        .collect();
    commands.sort_unstable();
    assert_eq!(commands, manual.commands.keys().collect::<Vec<_>>());
    let mut events: Vec<_> = manual
        .groups
        .iter()
        .flat_map(|group| &group.events)
        .collect();
    events.sort_unstable();
    assert_eq!(events, manual.events.keys().collect::<Vec<_>>());
}

#[test]
fn the_arguments_of_block_stream() {
    let manual = installed(Page::Qemu);
    let entry = &manual.commands["block-stream"];
    assert_eq!(entry.members.len(), 11);
    for (name, member) in &entry.members {
        assert!(
            !member.text.is_empty() && member.type_name.is_some(),
            "{name}"
        );
        assert_eq!(member.optional, name != "device");
    }
    let backing = &entry.members["backing-file"];
    assert_eq!(
        backing.text[0],
        "The backing file string to write into the top image. This filename is not validated."
    );
    assert_eq!(backing.text.len(), 3);
    assert_eq!(
        entry.members["on-error"].type_name.as_deref(),
        Some("BlockdevOnError")
    );
    assert_eq!(
        entry.members["filter-node-name"].text,
        [
            "the node name that should be assigned to the filter driver that the stream job inserts into the \
          graph above device. If this option is not given, a node name is autogenerated. (Since: 6.0)"
        ]
    );
    assert_eq!(
        entry.text[0],
        "Copy data from a backing file into a block device."
    );
    assert_eq!(entry.text.len(), 6);
    assert_eq!(
        entry.returns,
        [
            "• Nothing on success.",
            "• If device does not exist, DeviceNotFound."
        ]
    );
    assert_eq!(entry.since.as_deref(), Some("1.1"));
    assert_eq!(
        entry.examples[0].text,
        "-> { \"execute\": \"block-stream\",\n     \"arguments\": { \"device\": \"virtio0\",\n                    \
         \"base\": \"/tmp/master.qcow2\" } }\n<- { \"return\": {} }"
    );
}

#[test]
fn members_that_stand_in_other_entries() {
    let manual = installed(Page::Qemu);
    let options = MembersOf {
        type_name: "BlockdevOptions".to_owned(),
        ..MembersOf::default()
    };
    let add = &manual.commands["blockdev-add"];
    assert_eq!(
        (add.members.len(), add.also.as_slice()),
        (0, [options].as_slice())
    );
    let options = &manual.types["BlockdevOptions"];
    let when = When {
        member: "driver".to_owned(),
        value: "file".to_owned(),
    };
    let file = options
        .also
        .iter()
        .find(|of| of.when.as_ref() == Some(&when))
        .unwrap();
    assert_eq!(file.type_name, "BlockdevOptionsFile");
    let conditions: Vec<_> = options
        .also
        .iter()
        .filter_map(|of| of.condition.as_deref())
        .collect();
    assert!(conditions.contains(&"CONFIG_BLKIO"));
    // All that are named are there.
    for entry in manual
        .commands
        .values()
        .chain(manual.events.values())
        .chain(manual.types.values())
    {
        for of in &entry.also {
            assert!(manual.types.contains_key(&of.type_name), "{}", of.type_name);
        }
    }
}

#[test]
fn enums_objects_features_and_conditions() {
    let manual = installed(Page::Qemu);
    let run = &manual.types["RunState"];
    assert_eq!(run.members.len(), 16);
    assert!(
        run.members["inmigrate"].text[0].starts_with("guest is paused waiting for an incoming")
    );
    assert_eq!(run.members["inmigrate"].type_name, None);
    assert_eq!(run.since, None);

    let status = &manual.types["StatusInfo"];
    assert_eq!(
        status.members["running"].text,
        ["true if all VCPUs are runnable, false if not runnable"]
    );
    assert_eq!(status.notes, ["singlestep is enabled through the GDB stub"]);

    let commit = &manual.commands["block-commit"].features["deprecated"];
    assert_eq!(
        commit,
        &["Members base and top are deprecated. Use base-node and top-node instead."]
    );
    assert_eq!(
        manual.commands["query-spice"].condition.as_deref(),
        Some("CONFIG_SPICE")
    );
    let tight = &manual.types["UnixSocketAddress"].members["tight"];
    assert_eq!(
        (tight.condition.as_deref(), tight.optional),
        (Some("CONFIG_LINUX"), true)
    );
    assert_eq!(tight.type_name.as_deref(), Some("boolean"));

    let query = &manual.commands["query-block"].examples;
    assert_eq!(query.len(), 1);
    assert!(
        query[0]
            .text
            .starts_with("-> { \"execute\": \"query-block\" }\n<- {\n      \"return\":[")
    );

    let add = &manual.commands["device_add"];
    assert_eq!(add.notes[0], "Additional arguments depend on the type.");
    assert!(add.notes[1].starts_with("1. For detailed information"));
    assert!(add.notes[3].starts_with("TODO: This command effectively"));
    // Text that the tool lost the shape of: a term and its definition.
    assert_eq!(
        manual.types["BlockIOThrottle"].members["bps_max"].text,
        ["total throughput limit during bursts, in bytes (Since 1.7)"]
    );
    // Text and a heading after the members.
    let dgram = &manual.types["NetdevDgramOptions"].text;
    assert_eq!(dgram[3], "Valid parameters combination table");
    assert!(dgram[4].starts_with("remote | local | okay?\nabsent | absent | no\n"));
}

#[test]
fn the_guest_agents_page() {
    let manual = installed(Page::GuestAgent);
    let exec = &manual.commands["guest-exec"];
    let names: Vec<_> = exec.members.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["arg", "capture-output", "env", "input-data", "path"]
    );
    assert_eq!(
        exec.members["arg"].type_name.as_deref(),
        Some("array of string")
    );
    assert_eq!(
        exec.members["path"].text,
        ["path or executable name to execute"]
    );
    assert_eq!(exec.returns, ["PID on success."]);
}

#[test]
fn no_text_has_markup_or_control_characters() {
    for page in [Page::Qemu, Page::StorageDaemon, Page::GuestAgent] {
        let json = serde_json::to_string(&installed(page)).unwrap();
        let manual: Manual = serde_json::from_str(&json).unwrap();
        assert_eq!(manual, installed(page));
        let markup = [
            r"\\f",
            r"\\(",
            r"\\-",
            r"\\&",
            ".INDENT",
            ".TP",
            "Not documented\"",
        ];
        for wrong in markup {
            assert_eq!(json.find(wrong), None, "{wrong}");
        }
        assert!(!json.contains("\\u0"));
    }
}
