//! The table of the command policy: command → least role, and why.
//!
//! Judged row by row against the QEMU QMP reference manual
//! (`qemu-qmp-ref(7)`), the guest agent's (`qemu-ga-ref(7)`) and QEMU's
//! `hmp-commands*.hx`, for 7.2 and what later versions add. What stands nowhere
//! here needs admin.
//!
//! - Viewer: reads without side effects and without secrets.
//! - Operator: runs a virtual machine day by day, and can be undone or ends as
//!   a power button would.
//! - Admin: names host files, addresses, backends or descriptors; reads or
//!   writes guest memory; loses data; opens the console to others. A monitor
//!   has the privileges of the user that QEMU runs as: whoever may `migrate`
//!   or `blockdev-add` has a shell.
//!
//! The file is longer than others because the table is to be read as one.

use crate::access::policy::arguments::Rule;
use qmp_shared::rest::Role;

/// What the policy says about a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The command's name.
    pub(crate) command: &'static str,
    /// Who may execute it, its arguments aside.
    pub(crate) role: Role,
    /// Why.
    pub(crate) reason: &'static str,
    /// Whether a user interface should ask first.
    pub(crate) destructive: bool,
    /// What its arguments may raise.
    pub(crate) rule: Rule,
}

/// What the policy says about a verb of the human monitor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HmpRow {
    /// The verb and its aliases. QEMU accepts no abbreviations.
    pub(crate) names: &'static [&'static str],
    /// Who may execute it, its arguments aside.
    pub(crate) role: Role,
    /// Why.
    pub(crate) reason: &'static str,
    /// Whether a user interface should ask first.
    pub(crate) destructive: bool,
    /// The QMP command that does the same, whose role is needed too.
    pub(crate) qmp: Option<&'static str>,
    /// What its arguments may raise.
    pub(crate) rule: HmpRule,
}

/// How the arguments of a human monitor verb are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HmpRule {
    /// They do not matter.
    Any,
    /// More words than this name a host file.
    Words(usize),
    /// `driver,property=value,...`, as for `device_add`.
    Device,
    /// A migration parameter and its value.
    Parameter,
    /// A path and a property, as for `qom-get`.
    QomRead,
}

const fn row(role: Role, command: &'static str, reason: &'static str) -> Row {
    Row {
        command,
        role,
        reason,
        destructive: false,
        rule: Rule::Any,
    }
}

const fn viewer(command: &'static str, reason: &'static str) -> Row {
    row(Role::Viewer, command, reason)
}

const fn operator(command: &'static str, reason: &'static str) -> Row {
    row(Role::Operator, command, reason)
}

const fn admin(command: &'static str, reason: &'static str) -> Row {
    row(Role::Admin, command, reason)
}

impl Row {
    const fn destructive(mut self) -> Self {
        self.destructive = true;
        self
    }

    const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// Always names something of the host: no override lowers it.
    const fn host(self) -> Self {
        self.rule(Rule::Host)
    }
}

const fn hmp(role: Role, names: &'static [&'static str], reason: &'static str) -> HmpRow {
    HmpRow {
        names,
        role,
        reason,
        destructive: false,
        qmp: None,
        rule: HmpRule::Any,
    }
}

impl HmpRow {
    const fn destructive(mut self) -> Self {
        self.destructive = true;
        self
    }

    const fn qmp(mut self, command: &'static str) -> Self {
        self.qmp = Some(command);
        self
    }

    const fn rule(mut self, rule: HmpRule) -> Self {
        self.rule = rule;
        self
    }
}

/// Commands of QEMU, qemu-storage-daemon and the guest agent.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[Row] = &[
    // The monitor itself.
    admin("qmp_capabilities", "the console negotiates; nobody else needs to"),
    viewer("query-version", "reads the version"),
    viewer("query-commands", "reads the command list"),
    viewer("query-events", "reads the event list"),
    viewer("query-qmp-schema", "reads the schema"),
    viewer("query-command-line-options", "reads which options QEMU has, not their values"),
    viewer("human-monitor-command", "judged by its HMP verb").rule(Rule::HumanMonitor),
    admin("add-fd", "takes a host descriptor"),
    admin("remove-fd", "closes a host descriptor"),
    admin("getfd", "takes a host descriptor"),
    admin("closefd", "closes a host descriptor"),
    admin("get-win32-socket", "takes a host socket"),
    viewer("query-fdsets", "reads which descriptor sets there are"),
    admin("add_client", "lets a client into the display or a character device by descriptor").host(),
    viewer("query-yank", "reads which connections can be cut"),
    admin("yank", "cuts storage and migration connections for good").destructive(),

    // Run state.
    viewer("query-status", "reads the run state"),
    viewer("query-name", "reads the name"),
    viewer("query-uuid", "reads the UUID"),
    viewer("query-vm-generation-id", "reads an identifier that the guest sees too"),
    viewer("query-kvm", "reads whether KVM is on"),
    viewer("query-accelerators", "reads which accelerators there are"),
    viewer("query-target", "reads the architecture"),
    operator("stop", "pauses; `cont` undoes it"),
    operator("cont", "resumes"),
    operator("system_wakeup", "wakes a suspended guest"),
    operator("system_powerdown", "presses the power button").destructive(),
    operator("system_reset", "presses the reset button: unsaved data is lost, disks stay").destructive(),
    operator("quit", "pulls the plug; the same end as a powerdown that the guest obeys").destructive(),
    operator("inject-nmi", "interrupts the guest, which may dump or panic").destructive(),
    operator("set-action", "says what follows a shutdown, reset, panic or watchdog"),
    operator("watchdog-set-action", "says what follows a watchdog"),
    operator("x-exit-preconfig", "begins to run"),
    admin("set-numa-node", "configures the machine before it runs"),
    operator("rtc-reset-reinjection", "drops late clock ticks"),
    operator("balloon", "asks the guest for memory; can be undone"),
    viewer("query-balloon", "reads the balloon's size"),
    viewer("query-hv-balloon-status-report", "reads the balloon's report"),

    // Machine and processors.
    viewer("query-machines", "reads which machines QEMU has"),
    viewer("query-current-machine", "reads the machine's traits"),
    viewer("query-cpu-definitions", "reads which CPU models QEMU has"),
    operator("query-cpu-model-expansion", "creates a CPU object with the given properties for a moment"),
    operator("query-cpu-model-baseline", "creates CPU objects with the given properties for a moment"),
    operator("query-cpu-model-comparison", "creates CPU objects with the given properties for a moment"),
    viewer("query-cpus-fast", "reads the processors and their threads"),
    operator("query-cpus", "reads the processors, and interrupts each for it"),
    viewer("query-hotpluggable-cpus", "reads the processor slots"),
    operator("cpu-add", "plugs a processor"),
    operator("set-cpu-topology", "moves a virtual processor; can be undone"),
    viewer("query-s390x-cpu-polarization", "reads the polarization"),
    viewer("query-memdev", "reads the memory backends"),
    viewer("query-memory-devices", "reads the memory devices"),
    viewer("query-memory-size-summary", "reads memory sizes"),
    viewer("query-iothreads", "reads the I/O threads"),
    viewer("query-acpi-ospm-status", "reads the ACPI device status"),
    viewer("query-gic-capabilities", "reads the interrupt controller's traits"),
    viewer("query-stats", "reads statistics"),
    viewer("query-stats-schemas", "reads which statistics there are"),
    viewer("x-accel-stats", "reads accelerator statistics"),
    viewer("x-query-irq", "reads interrupt counts"),
    viewer("x-query-interrupt-controllers", "reads interrupt controllers"),
    viewer("x-query-jit", "reads translator statistics"),
    viewer("x-query-opcount", "reads translator statistics"),
    viewer("x-query-profile", "reads translator statistics"),
    viewer("x-query-numa", "reads the NUMA nodes"),
    operator("x-query-ramblock", "reads host addresses of guest memory"),
    viewer("x-query-rdma", "reads RDMA counters"),
    viewer("x-query-roms", "reads which ROMs are loaded"),
    viewer("x-query-usb", "reads the USB devices"),
    operator("query-firmware-log", "reads a log out of guest memory"),

    // Confidential computing.
    viewer("query-sev", "reads the SEV state"),
    operator("query-sev-capabilities", "asks the host's firmware; names the host's processor"),
    operator("query-sev-launch-measure", "reads what a guest's owner attests"),
    operator("query-sev-attestation-report", "asks the host's firmware for a report"),
    admin("sev-inject-launch-secret", "writes a secret into guest memory"),
    viewer("query-sgx", "reads the SGX state"),
    viewer("query-sgx-capabilities", "reads the host's SGX traits"),

    // Memory, dumps, debugging.
    admin("memsave", "writes guest memory to a host file").host(),
    admin("pmemsave", "writes guest memory to a host file").host(),
    admin("dump-guest-memory", "writes guest memory to a host file or descriptor").host(),
    admin("dumpdtb", "writes a host file").host(),
    admin("dump-skeys", "writes a host file").host(),
    viewer("query-dump", "reads a dump's progress"),
    viewer("query-dump-guest-memory-capability", "reads the dump formats"),
    viewer("trace-event-get-state", "reads which trace events are on"),
    admin("trace-event-set-state", "fills the host's logs, with what the guest does"),
    operator("replay-break", "stops a replay at a point"),
    operator("replay-delete-break", "undoes `replay-break`"),
    operator("replay-seek", "moves a replay; it can be moved back"),
    viewer("query-replay", "reads the replay's state"),
    admin("inject-ghes-v2-error", "injects a hardware error").destructive(),
    admin("cxl-inject-correctable-error", "injects a hardware error").destructive(),
    admin("cxl-inject-uncorrectable-errors", "injects a hardware error").destructive(),
    admin("cxl-inject-dram-event", "injects a hardware error").destructive(),
    admin("cxl-inject-general-media-event", "injects a hardware error").destructive(),
    admin("cxl-inject-memory-module-event", "injects a hardware error").destructive(),
    admin("cxl-inject-poison", "poisons guest memory").destructive(),
    admin("cxl-add-dynamic-capacity", "adds memory to the guest's device"),
    admin("cxl-release-dynamic-capacity", "takes memory from the guest").destructive(),

    // Devices and objects.
    operator("device_add", "plugs a device; raised unless model and properties are known to name nothing of the host").rule(Rule::Device),
    operator("device_del", "unplugs a device").destructive(),
    operator("device-sync-config", "tells the guest of a changed configuration"),
    operator("device-list-properties", "creates a device of the type for a moment; QEMU ends where a module of it is missing"),
    viewer("qom-list", "reads names and types of properties, not values"),
    viewer("qom-list-types", "reads which types there are"),
    operator("qom-list-properties", "creates an object of the type for a moment"),
    operator("qom-get", "reads any property; raised outside /machine/").rule(Rule::QomRead),
    admin("qom-list-get", "reads every property; objects hold secrets").host(),
    admin("qom-set", "writes any property").host(),
    admin("object-add", "opens host files; holds secrets").host(),
    admin("object-del", "an operator cannot add it again").destructive(),
    viewer("query-pci", "reads the PCI devices"),
    viewer("query-tpm", "reads the TPM"),
    viewer("query-tpm-models", "reads which TPM models there are"),
    viewer("query-tpm-types", "reads which TPM backends there are"),
    viewer("query-cryptodev", "reads the crypto devices"),
    viewer("query-pr-managers", "reads the reservation managers"),
    viewer("x-query-virtio", "reads the virtio devices"),
    viewer("x-query-virtio-status", "reads a virtio device's status"),
    viewer("x-query-virtio-queue-status", "reads a virtio queue's status"),
    viewer("x-query-virtio-vhost-queue-status", "reads a vhost queue's status"),
    operator("x-query-virtio-queue-element", "reads a request out of guest memory"),
    viewer("request-ebpf", "reads a program that QEMU ships"),

    // Display, input, sound.
    viewer("query-vnc", "reads who is connected"),
    viewer("query-vnc-servers", "reads the VNC servers"),
    viewer("query-spice", "reads who is connected"),
    viewer("query-display-options", "reads the display's options"),
    viewer("query-audiodevs", "reads the audio backends"),
    viewer("query-mice", "reads the pointing devices"),
    operator("send-key", "types into the guest"),
    operator("input-send-event", "types and points into the guest"),
    admin("screendump", "writes a host file").host(),
    admin("set_password", "sets the display's password"),
    admin("change-vnc-password", "sets the display's password"),
    admin("expire_password", "decides how long the display's password opens it"),
    operator("display-reload", "reads the configured certificates again"),
    admin("display-update", "changes where the display listens").host(),
    admin("client_migrate_info", "names a host that display clients go to").host(),

    // Network.
    admin("netdev_add", "opens host interfaces, sockets and files").host(),
    admin("netdev_del", "an operator cannot add it again").destructive(),
    operator("set_link", "plugs or pulls a network cable"),
    operator("announce-self", "announces the guest to its switches"),
    operator("query-rx-filter", "reads the filter, and lets its event come again"),
    viewer("query-rocker", "reads a switch"),
    viewer("query-rocker-ports", "reads a switch's ports"),
    viewer("query-rocker-of-dpa-flows", "reads a switch's flows"),
    viewer("query-rocker-of-dpa-groups", "reads a switch's groups"),

    // Character devices.
    viewer("query-chardev", "reads the character devices; names host sockets"),
    viewer("query-chardev-backends", "reads which backends there are"),
    admin("chardev-add", "opens host files and sockets").host(),
    admin("chardev-change", "opens host files and sockets").host(),
    admin("chardev-remove", "an operator cannot add it again").destructive(),
    operator("chardev-send-break", "types a break into the guest"),
    operator("ringbuf-read", "reads the guest's serial output, and takes it away"),
    operator("ringbuf-write", "types into the guest"),

    // Block devices.
    viewer("query-block", "reads the disks; names image files"),
    viewer("query-blockstats", "reads disk statistics"),
    viewer("query-named-block-nodes", "reads the block nodes; names image files"),
    viewer("query-block-jobs", "reads the jobs"),
    viewer("query-jobs", "reads the jobs"),
    viewer("query-block-exports", "reads the exports"),
    viewer("x-debug-query-block-graph", "reads the block graph"),
    viewer("x-debug-block-dirty-bitmap-sha256", "reads a bitmap's hash"),
    admin("blockdev-add", "opens any host file or address").host(),
    admin("blockdev-reopen", "opens any host file or address").host(),
    admin("blockdev-create", "formats an image").host().destructive(),
    admin("x-blockdev-amend", "rewrites an image's header").host().destructive(),
    admin("x-blockdev-change", "rewires the block graph"),
    admin("x-blockdev-set-iothread", "moves a disk under the guest"),
    admin("blockdev-set-active", "two active writers spoil an image"),
    admin("blockdev-del", "an operator cannot add it again").destructive(),
    admin("block_resize", "cuts off data when it shrinks").destructive(),
    operator("block_set_io_throttle", "limits a disk; can be undone"),
    operator("block-latency-histogram-set", "chooses what is measured"),
    operator("block-set-write-threshold", "chooses when an event comes"),
    operator("eject", "opens a drive's tray and takes the medium"),
    operator("blockdev-open-tray", "opens a drive's tray"),
    operator("blockdev-close-tray", "closes a drive's tray"),
    operator("blockdev-remove-medium", "takes a medium that is open already"),
    operator("blockdev-insert-medium", "inserts a node that is open already"),
    admin("blockdev-change-medium", "opens a host file").host(),
    admin("change", "opens a host file, or sets the display's password").host(),
    admin("block_passwd", "gives an image's password"),
    admin("change-backing-file", "writes a file name that QEMU will open into an image").host(),
    admin("blockdev-snapshot", "changes which image the guest writes to"),
    admin("blockdev-snapshot-sync", "creates or overwrites a host file").host().destructive(),
    operator("blockdev-snapshot-internal-sync", "adds a snapshot to the image"),
    admin("blockdev-snapshot-delete-internal-sync", "loses a snapshot").destructive(),
    operator("snapshot-save", "adds a snapshot to the images"),
    admin("snapshot-load", "loses what came after the snapshot").destructive(),
    admin("snapshot-delete", "loses a snapshot").destructive(),
    operator("block-dirty-bitmap-add", "tracks writes"),
    operator("block-dirty-bitmap-enable", "tracks writes"),
    operator("block-dirty-bitmap-disable", "tracks writes no more; gaps make backups incomplete").destructive(),
    operator("block-dirty-bitmap-merge", "adds up bitmaps"),
    operator("block-dirty-bitmap-clear", "the next backup must be a full one").destructive(),
    operator("block-dirty-bitmap-remove", "the next backup must be a full one").destructive(),
    admin("block-commit", "changes a backing file that other images may share").destructive()
        .rule(Rule::Raised(&["base", "top", "backing-file"])),
    operator("block-stream", "copies data up from the backing file")
        .rule(Rule::Raised(&["base", "backing-file"])),
    admin("blockdev-mirror", "overwrites another node, and moves the guest to it").destructive(),
    admin("blockdev-backup", "overwrites another node").destructive(),
    admin("drive-mirror", "creates or overwrites a host file or address").host().destructive(),
    admin("drive-backup", "creates or overwrites a host file or address").host().destructive(),
    operator("transaction", "judged by its strongest action").rule(Rule::Transaction),
    admin("block-export-add", "gives a disk to others").rule(Rule::Raised(&["mountpoint", "addr"])),
    admin("block-export-del", "an operator cannot add it again").destructive(),
    admin("nbd-server-start", "listens on the host").host(),
    admin("nbd-server-stop", "an operator cannot start it again").destructive(),
    admin("nbd-server-add", "gives a disk to others"),
    admin("nbd-server-remove", "an operator cannot add it again").destructive(),

    // Jobs.
    operator("block-job-cancel", "ends a job; it can be begun again"),
    operator("block-job-complete", "ends a job as it was meant to end"),
    operator("block-job-dismiss", "forgets an ended job"),
    operator("block-job-finalize", "ends a job as it was meant to end"),
    operator("block-job-pause", "pauses a job"),
    operator("block-job-resume", "resumes a job"),
    operator("block-job-set-speed", "limits a job"),
    operator("block-job-change", "changes how a job copies"),
    operator("job-cancel", "ends a job; it can be begun again"),
    operator("job-complete", "ends a job as it was meant to end"),
    operator("job-dismiss", "forgets an ended job"),
    operator("job-finalize", "ends a job as it was meant to end"),
    operator("job-pause", "pauses a job"),
    operator("job-resume", "resumes a job"),

    // Migration.
    viewer("query-migrate", "reads the migration's progress"),
    viewer("query-migrate-capabilities", "reads the migration's settings"),
    viewer("query-migrate-parameters", "reads the migration's settings"),
    viewer("query-migrate-cache-size", "reads the migration's settings"),
    viewer("query-migrationthreads", "reads the migration's threads"),
    viewer("query-dirty-rate", "reads a measurement"),
    viewer("query-vcpu-dirty-limit", "reads the limits"),
    admin("migrate", "sends guest memory anywhere; `exec:` runs host commands").host(),
    admin("migrate-incoming", "listens on the host; `exec:` runs host commands").host(),
    admin("migrate-recover", "listens on the host; `exec:` runs host commands").host(),
    operator("migrate_cancel", "the guest runs on where it is"),
    operator("migrate-pause", "pauses a migration; it can be resumed"),
    operator("migrate-continue", "lets a paused migration go on"),
    admin("migrate-start-postcopy", "from here on a lost connection loses the guest").destructive(),
    admin("migrate-set-capabilities", "changes how and what is sent"),
    operator("migrate-set-parameters", "tunes; raised for other parameters than speeds and limits")
        .rule(Rule::Only(MIGRATION_TUNING)),
    operator("migrate_set_speed", "tunes"),
    operator("migrate_set_downtime", "tunes"),
    operator("migrate-set-cache-size", "tunes"),
    operator("calc-dirty-rate", "measures; costs the guest some speed"),
    operator("set-vcpu-dirty-limit", "slows processors; can be undone"),
    operator("cancel-vcpu-dirty-limit", "undoes `set-vcpu-dirty-limit`"),
    viewer("query-colo-status", "reads the replication's state"),
    admin("x-colo-lost-heartbeat", "fails over").destructive(),
    viewer("query-xen-replication-status", "reads the replication's state"),
    admin("xen-set-replication", "begins or ends replication"),
    admin("xen-colo-do-checkpoint", "takes a checkpoint"),
    admin("xen-set-global-dirty-log", "changes how memory is tracked"),
    admin("xen-save-devices-state", "writes a host file").host(),
    admin("xen-load-devices-state", "reads a host file").host(),
    viewer("xen-event-list", "reads the event channels"),
    admin("xen-event-inject", "interrupts the guest"),

    // The guest agent.
    viewer("guest-sync", "synchronises"),
    viewer("guest-sync-delimited", "synchronises"),
    viewer("guest-ping", "asks whether the agent is there"),
    viewer("guest-info", "reads the agent's commands"),
    viewer("guest-get-time", "reads the guest's clock"),
    viewer("guest-get-timezone", "reads the guest's time zone"),
    viewer("guest-get-host-name", "reads the guest's name"),
    viewer("guest-get-osinfo", "reads the guest's system"),
    viewer("guest-get-users", "reads who is logged in"),
    viewer("guest-get-load", "reads the guest's load"),
    viewer("guest-get-cpustats", "reads the guest's processor statistics"),
    viewer("guest-get-diskstats", "reads the guest's disk statistics"),
    viewer("guest-get-vcpus", "reads the guest's processors"),
    viewer("guest-get-disks", "reads the guest's disks"),
    viewer("guest-get-fsinfo", "reads the guest's file systems"),
    viewer("guest-get-devices", "reads the guest's devices"),
    viewer("guest-get-memory-blocks", "reads the guest's memory blocks"),
    viewer("guest-get-memory-block-info", "reads the guest's memory block size"),
    viewer("guest-network-get-interfaces", "reads the guest's addresses"),
    viewer("guest-network-get-route", "reads the guest's routes"),
    viewer("guest-fsfreeze-status", "reads whether file systems are frozen"),
    operator("guest-fsfreeze-freeze", "holds the guest's writes until thawed").destructive(),
    operator("guest-fsfreeze-freeze-list", "holds the guest's writes until thawed").destructive(),
    operator("guest-fsfreeze-thaw", "undoes a freeze"),
    operator("guest-fstrim", "gives unused blocks back"),
    operator("guest-set-time", "sets the guest's clock"),
    operator("guest-set-vcpus", "turns processors on and off"),
    operator("guest-set-memory-blocks", "turns memory on and off"),
    operator("guest-suspend-disk", "suspends the guest").destructive(),
    operator("guest-suspend-ram", "suspends the guest"),
    operator("guest-suspend-hybrid", "suspends the guest"),
    operator("guest-shutdown", "shuts the guest down").destructive(),
    admin("guest-exec", "runs code in the guest").destructive(),
    admin("guest-exec-status", "reads what code run in the guest says"),
    admin("guest-file-open", "reads and writes files in the guest"),
    admin("guest-file-read", "reads and writes files in the guest"),
    admin("guest-file-write", "reads and writes files in the guest"),
    admin("guest-file-seek", "reads and writes files in the guest"),
    admin("guest-file-flush", "reads and writes files in the guest"),
    admin("guest-file-close", "reads and writes files in the guest"),
    admin("guest-set-user-password", "lets its caller into the guest").destructive(),
    admin("guest-ssh-get-authorized-keys", "reads who may log in to the guest"),
    admin("guest-ssh-add-authorized-keys", "lets its caller into the guest"),
    admin("guest-ssh-remove-authorized-keys", "locks others out of the guest").destructive(),
];

/// Migration parameters that set speeds and limits and nothing else; others
/// name credentials, hosts, or commands to run.
#[rustfmt::skip]
pub(crate) const MIGRATION_TUNING: &[&str] = &[
    "max-bandwidth", "avail-switchover-bandwidth", "max-postcopy-bandwidth", "downtime-limit",
    "throttle-trigger-threshold", "cpu-throttle-initial", "cpu-throttle-increment",
    "cpu-throttle-tailslow", "max-cpu-throttle", "vcpu-dirty-limit", "x-vcpu-dirty-limit-period",
];

/// Action types of `transaction` that are commands too, and have their row.
/// `abort` is the one that is not.
#[rustfmt::skip]
pub(crate) const TRANSACTION_ACTIONS: &[&str] = &[
    "block-dirty-bitmap-add", "block-dirty-bitmap-clear", "block-dirty-bitmap-disable",
    "block-dirty-bitmap-enable", "block-dirty-bitmap-merge", "block-dirty-bitmap-remove",
    "blockdev-backup", "blockdev-snapshot", "blockdev-snapshot-internal-sync",
    "blockdev-snapshot-sync", "drive-backup",
];

/// Device models that only connect what an admin has opened before. Others
/// pass host devices through (`vfio-pci`, `usb-host`, `scsi-generic`), read
/// host files (`loader`, `usb-mtp`), or are not known.
#[rustfmt::skip]
pub(crate) const PLAIN_DEVICES: &[&str] = &[
    "virtio-blk", "virtio-blk-pci", "virtio-blk-ccw", "virtio-blk-device", "virtio-scsi",
    "virtio-scsi-pci", "virtio-scsi-ccw", "virtio-scsi-device", "virtio-net", "virtio-net-pci",
    "virtio-net-ccw", "virtio-net-device", "virtio-serial", "virtio-serial-pci",
    "virtio-serial-ccw", "virtserialport", "virtconsole", "virtio-rng-pci", "virtio-balloon-pci",
    "virtio-keyboard-pci", "virtio-mouse-pci", "virtio-tablet-pci", "scsi-hd", "scsi-cd", "ide-hd",
    "ide-cd", "nvme", "nvme-ns", "usb-storage", "usb-kbd", "usb-mouse", "usb-tablet", "usb-hub",
    "usb-serial", "qemu-xhci", "nec-usb-xhci", "usb-ehci", "e1000", "e1000e", "igb", "rtl8139",
    "vmxnet3", "pcie-root-port", "pc-dimm", "virtio-mem-pci",
];

/// Device properties that name nothing of the host: guest-visible traits, and
/// identifiers of what is there already. `romfile` is the counterexample.
#[rustfmt::skip]
pub(crate) const PLAIN_PROPERTIES: &[&str] = &[
    "driver", "id", "bus", "addr", "multifunction", "chassis", "port", "slot", "nr", "name",
    "drive", "netdev", "chardev", "rng", "memdev", "iothread", "mac", "serial", "wwn", "port_wwn",
    "product", "model", "ver", "vendor", "bootindex", "channel", "scsi-id", "lun", "unit", "nsid",
    "removable", "logical_block_size", "physical_block_size", "min_io_size", "opt_io_size",
    "discard_granularity", "rotation_rate", "write-cache", "num-queues", "queue-size", "queues",
    "max_ioqpairs", "max_ports", "mq", "vectors", "rx_queue_size", "tx_queue_size", "host_mtu",
    "speed", "duplex", "disable-legacy", "disable-modern", "node", "requested-size", "block-size",
    "socket-id", "die-id", "cluster-id", "module-id", "core-id", "thread-id", "node-id",
];

const V: Role = Role::Viewer;
const O: Role = Role::Operator;
const A: Role = Role::Admin;

/// Verbs of the human monitor, for `human-monitor-command`.
#[rustfmt::skip]
pub(crate) const HMP: &[HmpRow] = &[
    hmp(V, &["help", "?"], "shows the help"),
    hmp(V, &["info"], "judged by its subcommand"),
    hmp(O, &["quit", "q"], "pulls the plug").qmp("quit").destructive(),
    hmp(O, &["stop", "s"], "pauses").qmp("stop"),
    hmp(O, &["cont", "c"], "resumes").qmp("cont"),
    hmp(O, &["system_reset"], "presses the reset button").qmp("system_reset").destructive(),
    hmp(O, &["system_powerdown"], "presses the power button").qmp("system_powerdown").destructive(),
    hmp(O, &["system_wakeup"], "wakes a suspended guest").qmp("system_wakeup"),
    hmp(O, &["nmi"], "interrupts the guest, which may dump or panic").qmp("inject-nmi").destructive(),
    hmp(O, &["exit_preconfig"], "begins to run").qmp("x-exit-preconfig"),
    hmp(O, &["watchdog_action"], "says what follows a watchdog").qmp("watchdog-set-action"),
    hmp(O, &["boot_set"], "chooses the boot device"),
    hmp(O, &["cpu"], "chooses the default processor"),
    hmp(O, &["balloon"], "asks the guest for memory").qmp("balloon"),
    hmp(O, &["sync-profile"], "measures locks"),
    hmp(O, &["replay_break"], "stops a replay at a point").qmp("replay-break"),
    hmp(O, &["replay_delete_break"], "undoes `replay_break`").qmp("replay-delete-break"),
    hmp(O, &["replay_seek"], "moves a replay").qmp("replay-seek"),

    hmp(O, &["sendkey"], "types into the guest").qmp("send-key"),
    hmp(O, &["mouse_move"], "points into the guest").qmp("input-send-event"),
    hmp(O, &["mouse_button"], "points into the guest").qmp("input-send-event"),
    hmp(O, &["mouse_set"], "chooses the pointing device"),
    hmp(O, &["ringbuf_read"], "reads the guest's serial output, and takes it away").qmp("ringbuf-read"),
    hmp(O, &["ringbuf_write"], "types into the guest").qmp("ringbuf-write"),
    hmp(O, &["chardev-send-break"], "types a break into the guest").qmp("chardev-send-break"),
    hmp(A, &["chardev-add"], "opens host files and sockets").qmp("chardev-add"),
    hmp(A, &["chardev-change"], "opens host files and sockets").qmp("chardev-change"),
    hmp(A, &["chardev-remove"], "an operator cannot add it again").qmp("chardev-remove").destructive(),
    hmp(A, &["screendump"], "writes a host file").qmp("screendump"),
    hmp(A, &["set_password"], "sets the display's password").qmp("set_password"),
    hmp(A, &["expire_password"], "decides how long the display's password opens it").qmp("expire_password"),
    hmp(A, &["client_migrate_info"], "names a host that display clients go to").qmp("client_migrate_info"),
    hmp(A, &["wavcapture"], "writes a host file"),
    hmp(O, &["stopcapture"], "ends a capture"),

    hmp(O, &["device_add"], "plugs a device").qmp("device_add").rule(HmpRule::Device),
    hmp(O, &["device_del"], "unplugs a device").qmp("device_del").destructive(),
    hmp(O, &["cpu-add"], "plugs a processor").qmp("cpu-add"),
    hmp(A, &["usb_add"], "passes host devices through"),
    hmp(O, &["usb_del"], "unplugs a device").destructive(),
    hmp(A, &["object_add"], "opens host files; holds secrets").qmp("object-add"),
    hmp(A, &["object_del"], "an operator cannot add it again").qmp("object-del").destructive(),
    hmp(V, &["qom-list"], "reads names and types of properties").qmp("qom-list"),
    hmp(O, &["qom-get"], "reads any property").qmp("qom-get").rule(HmpRule::QomRead),
    hmp(A, &["qom-set"], "writes any property").qmp("qom-set"),
    hmp(A, &["pcie_aer_inject_error"], "injects a hardware error").destructive(),
    hmp(A, &["mce"], "injects a hardware error").destructive(),
    hmp(V, &["xen-event-list"], "reads the event channels").qmp("xen-event-list"),
    hmp(A, &["xen-event-inject"], "interrupts the guest").qmp("xen-event-inject"),

    hmp(A, &["netdev_add"], "opens host interfaces, sockets and files").qmp("netdev_add"),
    hmp(A, &["netdev_del"], "an operator cannot add it again").qmp("netdev_del").destructive(),
    hmp(O, &["set_link"], "plugs or pulls a network cable").qmp("set_link"),
    hmp(O, &["announce_self"], "announces the guest to its switches").qmp("announce-self"),
    hmp(A, &["hostfwd_add"], "listens on the host"),
    hmp(A, &["hostfwd_remove"], "an operator cannot add it again").destructive(),

    hmp(A, &["change"], "opens a host file, or sets the display's password").qmp("change"),
    hmp(O, &["eject"], "takes a medium").qmp("eject"),
    hmp(A, &["drive_add"], "opens any host file or address").qmp("blockdev-add"),
    hmp(A, &["drive_del"], "takes a disk from the guest").qmp("blockdev-del").destructive(),
    hmp(A, &["block_resize"], "cuts off data when it shrinks").qmp("block_resize").destructive(),
    hmp(O, &["block_set_io_throttle"], "limits a disk").qmp("block_set_io_throttle"),
    hmp(A, &["block_passwd"], "gives an image's password").qmp("block_passwd"),
    hmp(O, &["block_stream"], "copies data up from the backing file").qmp("block-stream").rule(HmpRule::Words(2)),
    hmp(O, &["block_job_set_speed"], "limits a job").qmp("block-job-set-speed"),
    hmp(O, &["block_job_cancel"], "ends a job").qmp("block-job-cancel"),
    hmp(O, &["block_job_complete"], "ends a job as it was meant to end").qmp("block-job-complete"),
    hmp(O, &["block_job_pause"], "pauses a job").qmp("block-job-pause"),
    hmp(O, &["block_job_resume"], "resumes a job").qmp("block-job-resume"),
    hmp(A, &["commit"], "changes a backing file that other images may share").qmp("block-commit").destructive(),
    hmp(A, &["drive_mirror"], "creates or overwrites a host file").qmp("drive-mirror").destructive(),
    hmp(A, &["drive_backup"], "creates or overwrites a host file").qmp("drive-backup").destructive(),
    hmp(A, &["snapshot_blkdev"], "creates or overwrites a host file").qmp("blockdev-snapshot-sync").destructive(),
    hmp(O, &["snapshot_blkdev_internal"], "adds a snapshot to the image").qmp("blockdev-snapshot-internal-sync"),
    hmp(A, &["snapshot_delete_blkdev_internal"], "loses a snapshot").qmp("blockdev-snapshot-delete-internal-sync").destructive(),
    hmp(A, &["savevm"], "replaces the snapshot of that name; `snapshot-save` does not").qmp("snapshot-save").destructive(),
    hmp(A, &["loadvm"], "loses what came after the snapshot").qmp("snapshot-load").destructive(),
    hmp(A, &["delvm"], "loses a snapshot").qmp("snapshot-delete").destructive(),
    hmp(A, &["qemu-io"], "reads and writes disks").destructive(),
    hmp(A, &["nbd_server_start"], "listens on the host").qmp("nbd-server-start"),
    hmp(A, &["nbd_server_stop"], "an operator cannot start it again").qmp("nbd-server-stop").destructive(),
    hmp(A, &["nbd_server_add"], "gives a disk to others").qmp("nbd-server-add"),
    hmp(A, &["nbd_server_remove"], "an operator cannot add it again").qmp("nbd-server-remove").destructive(),

    hmp(A, &["migrate"], "sends guest memory anywhere; `exec:` runs host commands").qmp("migrate"),
    hmp(A, &["migrate_incoming"], "listens on the host; `exec:` runs host commands").qmp("migrate-incoming"),
    hmp(A, &["migrate_recover"], "listens on the host; `exec:` runs host commands").qmp("migrate-recover"),
    hmp(O, &["migrate_cancel"], "the guest runs on where it is").qmp("migrate_cancel"),
    hmp(O, &["migrate_pause"], "pauses a migration").qmp("migrate-pause"),
    hmp(O, &["migrate_continue"], "lets a paused migration go on").qmp("migrate-continue"),
    hmp(A, &["migrate_start_postcopy"], "a lost connection loses the guest").qmp("migrate-start-postcopy").destructive(),
    hmp(A, &["migrate_set_capability"], "changes how and what is sent").qmp("migrate-set-capabilities"),
    hmp(O, &["migrate_set_parameter"], "tunes").qmp("migrate-set-parameters").rule(HmpRule::Parameter),
    hmp(O, &["migrate_set_speed"], "tunes").qmp("migrate_set_speed"),
    hmp(O, &["migrate_set_downtime"], "tunes").qmp("migrate_set_downtime"),
    hmp(O, &["migrate_set_cache_size"], "tunes").qmp("migrate-set-cache-size"),
    hmp(O, &["calc_dirty_rate"], "measures").qmp("calc-dirty-rate"),
    hmp(O, &["set_vcpu_dirty_limit"], "slows processors").qmp("set-vcpu-dirty-limit"),
    hmp(O, &["cancel_vcpu_dirty_limit"], "undoes `set_vcpu_dirty_limit`").qmp("cancel-vcpu-dirty-limit"),
    hmp(A, &["x_colo_lost_heartbeat"], "fails over").qmp("x-colo-lost-heartbeat").destructive(),

    hmp(A, &["x"], "reads guest memory"),
    hmp(A, &["xp"], "reads guest memory"),
    hmp(A, &["sum"], "reads guest memory"),
    hmp(A, &["print", "p"], "reads guest registers"),
    hmp(A, &["i"], "reads an I/O port"),
    hmp(A, &["o"], "writes an I/O port").destructive(),
    hmp(A, &["memsave"], "writes guest memory to a host file").qmp("memsave"),
    hmp(A, &["pmemsave"], "writes guest memory to a host file").qmp("pmemsave"),
    hmp(A, &["dump-guest-memory"], "writes guest memory to a host file").qmp("dump-guest-memory"),
    hmp(A, &["dumpdtb"], "writes a host file").qmp("dumpdtb"),
    hmp(A, &["dump-skeys"], "writes a host file").qmp("dump-skeys"),
    hmp(A, &["gpa2hva"], "reads host addresses"),
    hmp(A, &["gpa2hpa"], "reads host addresses"),
    hmp(O, &["gva2gpa"], "reads guest page tables"),
    hmp(A, &["gdbserver"], "listens on the host, and gives the guest to whoever comes"),
    hmp(A, &["log"], "fills the host's logs"),
    hmp(A, &["logfile"], "writes a host file"),
    hmp(A, &["trace-event"], "fills the host's logs").qmp("trace-event-set-state"),
    hmp(A, &["trace-file"], "writes a host file"),
    hmp(A, &["singlestep", "one-insn-per-tb"], "slows the guest down a lot"),
    hmp(A, &["getfd"], "takes a host descriptor").qmp("getfd"),
    hmp(A, &["closefd"], "closes a host descriptor").qmp("closefd"),
];

/// Subcommands of the human monitor's `info`.
#[rustfmt::skip]
pub(crate) const HMP_INFO: &[HmpRow] = &[
    hmp(V, &["version"], "reads the version").qmp("query-version"),
    hmp(V, &["status"], "reads the run state").qmp("query-status"),
    hmp(V, &["name"], "reads the name").qmp("query-name"),
    hmp(V, &["uuid"], "reads the UUID").qmp("query-uuid"),
    hmp(V, &["vm-generation-id"], "reads an identifier that the guest sees too").qmp("query-vm-generation-id"),
    hmp(V, &["kvm"], "reads whether KVM is on").qmp("query-kvm"),
    hmp(V, &["accelerators"], "reads which accelerators there are").qmp("query-accelerators"),
    hmp(V, &["accel"], "reads accelerator statistics").qmp("x-accel-stats"),
    hmp(V, &["history"], "reads the line's own history, which is empty"),
    hmp(V, &["network"], "reads the network devices"),
    hmp(V, &["usernet"], "reads the user network's connections"),
    hmp(V, &["chardev"], "reads the character devices").qmp("query-chardev"),
    hmp(V, &["block"], "reads the disks").qmp("query-block"),
    hmp(V, &["blockstats"], "reads disk statistics").qmp("query-blockstats"),
    hmp(V, &["block-jobs"], "reads the jobs").qmp("query-block-jobs"),
    hmp(V, &["snapshots"], "reads the snapshots"),
    hmp(V, &["cpus"], "reads the processors").qmp("query-cpus-fast"),
    hmp(V, &["hotpluggable-cpus"], "reads the processor slots").qmp("query-hotpluggable-cpus"),
    hmp(V, &["iothreads"], "reads the I/O threads").qmp("query-iothreads"),
    hmp(V, &["irq"], "reads interrupt counts").qmp("x-query-irq"),
    hmp(V, &["pic"], "reads interrupt controllers"),
    hmp(V, &["ioapic"], "reads interrupt controllers"),
    hmp(V, &["lapic"], "reads interrupt controllers"),
    hmp(V, &["via"], "reads interrupt controllers"),
    hmp(V, &["pci"], "reads the PCI devices").qmp("query-pci"),
    hmp(V, &["usb"], "reads the USB devices").qmp("x-query-usb"),
    hmp(O, &["usbhost"], "reads the host's USB devices"),
    hmp(V, &["mice"], "reads the pointing devices").qmp("query-mice"),
    hmp(V, &["vnc"], "reads who is connected").qmp("query-vnc"),
    hmp(V, &["spice"], "reads who is connected").qmp("query-spice"),
    hmp(V, &["capture"], "reads the captures"),
    hmp(V, &["balloon"], "reads the balloon's size").qmp("query-balloon"),
    hmp(V, &["numa"], "reads the NUMA nodes").qmp("x-query-numa"),
    hmp(V, &["memdev"], "reads the memory backends").qmp("query-memdev"),
    hmp(V, &["memory-devices"], "reads the memory devices").qmp("query-memory-devices"),
    hmp(V, &["memory_size_summary"], "reads memory sizes").qmp("query-memory-size-summary"),
    hmp(V, &["mtree"], "reads the memory map"),
    hmp(V, &["roms"], "reads which ROMs are loaded").qmp("x-query-roms"),
    hmp(O, &["ramblock"], "reads host addresses of guest memory").qmp("x-query-ramblock"),
    hmp(A, &["registers"], "reads guest registers, which hold keys"),
    hmp(O, &["tlb"], "reads guest page tables"),
    hmp(O, &["mem"], "reads guest page tables"),
    hmp(A, &["skeys"], "reads guest storage keys"),
    hmp(O, &["cmma"], "reads guest page states"),
    hmp(V, &["jit"], "reads translator statistics").qmp("x-query-jit"),
    hmp(V, &["opcount"], "reads translator statistics").qmp("x-query-opcount"),
    hmp(V, &["profile"], "reads translator statistics").qmp("x-query-profile"),
    hmp(V, &["sync-profile"], "reads a measurement of locks"),
    hmp(V, &["rdma"], "reads RDMA counters").qmp("x-query-rdma"),
    hmp(V, &["migrate"], "reads the migration's progress").qmp("query-migrate"),
    hmp(V, &["migrate_capabilities"], "reads the migration's settings").qmp("query-migrate-capabilities"),
    hmp(V, &["migrate_parameters"], "reads the migration's settings").qmp("query-migrate-parameters"),
    hmp(V, &["migrate_cache_size"], "reads the migration's settings").qmp("query-migrate-cache-size"),
    hmp(V, &["dirty_rate"], "reads a measurement").qmp("query-dirty-rate"),
    hmp(V, &["vcpu_dirty_limit"], "reads the limits").qmp("query-vcpu-dirty-limit"),
    hmp(V, &["dump"], "reads a dump's progress").qmp("query-dump"),
    hmp(V, &["replay"], "reads the replay's state").qmp("query-replay"),
    hmp(O, &["qtree"], "reads device properties, of which some are keys"),
    hmp(V, &["qdm"], "reads which device models there are"),
    hmp(V, &["qom-tree"], "reads names of objects"),
    hmp(V, &["trace-events"], "reads which trace events are on").qmp("trace-event-get-state"),
    hmp(V, &["tpm"], "reads the TPM").qmp("query-tpm"),
    hmp(V, &["cryptodev"], "reads the crypto devices").qmp("query-cryptodev"),
    hmp(V, &["rocker"], "reads a switch").qmp("query-rocker"),
    hmp(V, &["rocker-ports"], "reads a switch's ports").qmp("query-rocker-ports"),
    hmp(V, &["rocker-of-dpa-flows"], "reads a switch's flows").qmp("query-rocker-of-dpa-flows"),
    hmp(V, &["rocker-of-dpa-groups"], "reads a switch's groups").qmp("query-rocker-of-dpa-groups"),
    hmp(V, &["sev"], "reads the SEV state").qmp("query-sev"),
    hmp(V, &["sgx"], "reads the SGX state").qmp("query-sgx"),
    hmp(V, &["stats"], "reads statistics").qmp("query-stats"),
    hmp(V, &["virtio"], "reads the virtio devices").qmp("x-query-virtio"),
    hmp(V, &["virtio-status"], "reads a virtio device's status").qmp("x-query-virtio-status"),
    hmp(V, &["virtio-queue-status"], "reads a virtio queue's status").qmp("x-query-virtio-queue-status"),
    hmp(V, &["virtio-vhost-queue-status"], "reads a vhost queue's status").qmp("x-query-virtio-vhost-queue-status"),
    hmp(O, &["virtio-queue-element"], "reads a request out of guest memory").qmp("x-query-virtio-queue-element"),
    hmp(O, &["firmware-log"], "reads a log out of guest memory").qmp("query-firmware-log"),
];
