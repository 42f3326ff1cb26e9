use super::*;

use proptest::prelude::*;

use crate::access::policy::Policy;
use qmp_shared::rest::Role::{self, Admin, Operator, Viewer};

fn role(command: &str, arguments: &str) -> Role {
    Policy::default().judge(command, Some(arguments)).role
}

fn line_role(line: &str) -> Role {
    let line = serde_json::to_string(line).unwrap();
    role(
        "human-monitor-command",
        &format!("{{\"command-line\":{line}}}"),
    )
}

fn parse(line: &str) -> (&str, Option<&str>, &str) {
    let Line {
        verb,
        subcommand,
        rest,
    } = Line::parse(line);
    (verb, subcommand, rest)
}

#[test]
fn lines_come_apart_as_in_qemu() {
    assert_eq!(parse("\n\t x/4i\x0b$pc"), ("x", None, "/4i\x0b$pc"));
    assert_eq!(
        parse("info \r\x0cversion x "),
        ("info", Some("version"), "x ")
    );
    assert_eq!(parse(" info "), ("info", None, ""));
    assert_eq!(parse("info/x version"), ("info", Some(""), "/x version"));
    assert_eq!(parse("stop;quit"), ("stop;quit", None, ""));
    assert_eq!(parse(" \t"), ("", None, ""));
    assert_eq!(
        parse("info\u{a0}version"),
        ("info\u{a0}version", None, ""),
        "only ASCII blanks"
    );
}

#[test]
fn names_are_exact() {
    for unknown in [
        "inf version",
        "INFO version",
        "stop;",
        "stop|s",
        "\u{ff49}nfo version",
        "info vers",
        "info/",
        "\"info\" version",
        "info\0version",
        "?stop",
        "st\u{200b}op",
    ] {
        assert!(Line::parse(unknown).row().is_none(), "{unknown:?}");
    }
    for (line, name) in [("? x", "help"), ("c", "cont"), ("p/x 1", "print")] {
        assert_eq!(Line::parse(line).row().unwrap().names[0], name);
    }
}

#[test]
fn device_options_are_plain_or_need_admin() {
    for plain in [
        "virtio-net-pci,netdev=n0,id=x",
        "driver=virtio-blk-pci,drive=d",
    ] {
        assert_eq!(options_raise(plain), None, "{plain}");
    }
    for raised in [
        "",
        "vfio-pci,host=01:00.0",
        "virtio-net-pci,romfile=/etc/shadow",
        "virtio-net-pci,driver=vfio-pci",
        "driver=virtio-net-pci,driver=vfio-pci",
        "virtio-net-pci,id=a,,romfile=/x",
        "virtio-net-pci,id=a,id=b",
        "virtio-net-pci, romfile=/x",
        "virtio-net-pci,romfile",
        "id=x,virtio-net-pci",
        "driver=virtio-net-pci,x",
    ] {
        assert!(options_raise(raised).is_some(), "{raised}");
    }
}

#[test]
fn lines_need_what_their_verb_needs() {
    for viewer in [
        "",
        " ",
        "help",
        "? quit",
        "info",
        "info status",
        "\t\ninfo\x0bstatus ",
        "info name\nquit",
    ] {
        assert_eq!(line_role(viewer), Viewer, "{viewer:?}");
    }
    for operator in [
        "stop",
        " s",
        "c",
        "q",
        "stop/x",
        "system_reset",
        "info usbhost",
        "sendkey ret",
        "qom-get /machine/x y",
        "device_add virtio-blk-pci,drive=d",
        "block_stream d 0",
        "migrate_set_parameter max-bandwidth 1",
    ] {
        assert_eq!(line_role(operator), Operator, "{operator:?}");
    }
    for admin in [
        "migrate exec:sh",
        " migrate\texec:sh",
        "x/4x 0",
        "xp /4x 0",
        "p $rax",
        "print 1",
        "memsave 0 1 f",
        "screendump f",
        "info registers",
        "INFO status",
        "Stop",
        "stop;",
        "stop; quit",
        "info\0status",
        "inf status",
        "info status; quit",
        "info stat",
        "info/x status",
        "info /x status",
        "info info status",
        "?quit",
        "\"stop\"",
        "{stop",
        "stop|s",
        "info\u{a0}status",
        "\u{2003}info status",
        "\u{feff}info status",
        "device_add vfio-pci,host=1",
        "device_add virtio-net-pci,romfile=/x",
        "device_add \"virtio-net-pci,romfile=/x\"",
        "block_stream d 0 /x",
        "block_stream d 0 \"/x\"",
        "block_stream \"d e\" 0",
        "balloon $rax",
        "block_job_set_speed d $rax",
        "migrate_set_parameter tls-creds x",
        "migrate_set_parameter",
        "qom-get /objects/s data",
        "qom-get s data",
        "qom-get \"/machine/../\" data",
        "qom-get",
        "/",
        "drive_add 0 file=/x",
        "savevm x",
        "change vnc password x",
    ] {
        assert_eq!(line_role(admin), Admin, "{admin:?}");
    }
}

#[test]
fn what_holds_no_line_needs_admin() {
    for arguments in [
        "{}",
        "",
        "[]",
        "{\"command-line\":1}",
        "{\"command-line\":[\"help\"]}",
        "{\"command_line\":\"help\"}",
        "{\"command-line\":\"help\",\"command-line\":\"quit\"}",
        "{\"command-line\":\"\\ud800\"}",
    ] {
        assert_eq!(
            role("human-monitor-command", arguments),
            Admin,
            "{arguments}"
        );
    }
    assert_eq!(
        Policy::default().judge("human-monitor-command", None).role,
        Admin
    );
    assert_eq!(
        role("human-monitor-command", "{\"command-line\":\"\\u0073top\"}"),
        Operator
    );
    let long = format!("device_add virtio-blk-pci,id={}", "x".repeat(1000));
    assert_eq!(line_role(&long), Admin);
}

proptest! {
    #[test]
    fn blanks_never_change_who_may(blanks in "[ \t\n\r\x0b\x0c]{0,4}", verb in "[a-z_]{1,12}|stop|migrate|x|info") {
        prop_assert_eq!(line_role(&format!("{blanks}{verb}{blanks}")), line_role(&verb));
    }

    #[test]
    fn lines_never_panic(line in "(info|device_add|qom-get|block_stream)?[ -~\t\n\r\x0b\x0c\u{0}\u{a0}\u{e9}]{0,30}") {
        line_role(&line);
    }
}
