//! Snippets of the shapes, and pages that mean harm.

use std::time::{Duration, Instant};

use crate::manual::{Entry, Manual, parse};

/// A page as QEMU 10 and later write it, with what else they write.
const NESTED: &str = r#"'\" t
.TH "QEMU-QMP-REF" "7" "Aug 29, 2026" "10.0.13" "QEMU"
.SH NAME
qemu-qmp-ref \- QEMU QMP Reference Manual
.INDENT 0.0
.IP \(bu 2
Block devices
.INDENT 2.0
.IP \(bu 2
VNC
.UNINDENT
.UNINDENT
.SH BLOCK DEVICES
.sp
About blocks.
.INDENT 0.0
.TP
.B Command block\-try (Since: 1.1; later (Linux only))
This command is unstable/experimental.\fIAvailability\fP: \fBCONFIG_TRY\fP.INDENT 7.0
.TP
.B Arguments
.INDENT 7.0
.IP \(bu 2
\fBjob\-id\fP (\fBstring\fP, \fIoptional\fP) \-\- identifier for the job.  If
omitted, the device name is used.
.IP \(bu 2
\fBbacking\-file\fP (\fB[\fP\fBstring\fP\fB]\fP, \fIoptional\fP) \-\- 
.sp
The string to write.
.INDENT 2.0
.IP \(bu 2
one
.IP \(bu 2
two
.UNINDENT

.IP \(bu 2
\fBname\fP (\fBstring\fP) \-\- .INDENT 2.0
.IP \(bu 2
POSIX
.UNINDENT
.IP \(bu 2
\fBnone\fP (\fBint\fP) \-\- Not documented
.IP \(bu 2
When \fBdriver\fP is \fBfile\fP: The members of \fBBlockdevOptionsFile\fP\&.
.IP \(bu 2
The members of \fBBlockCommon\fP\&.
.UNINDENT
.TP
.B Features
.INDENT 7.0
.IP \(bu 2
\fBunstable\fP \-\- This is for debugging.
.UNINDENT
.TP
.B Return
\fBTried\fP \-\- a result
.TP
.B Errors
.INDENT 7.0
.IP \(bu 2
If \fBname\fP does not exist, DeviceNotFound
.IP \(bu 2
Others
.UNINDENT

.UNINDENT
.sp
More text.
.sp
\fBNote:\fP
.INDENT 7.0
.INDENT 3.5
A note, see \%<#note>\&.
.UNINDENT
.UNINDENT
.sp
Text after it.
.sp
\fBCaution:\fP
.INDENT 7.0
.INDENT 3.5
Hot.
.UNINDENT
.UNINDENT
.INDENT 7.0
.INDENT 3.5
.IP "Notes"
.INDENT 0.0
.IP 1. 3
First.
.UNINDENT
.UNINDENT
.UNINDENT
.INDENT 7.0
.INDENT 3.5
.IP "Example: Try it"
.INDENT 0.0
.INDENT 3.5
.sp
.EX
\-> { \(dqexecute\(dq: \(dqblock\-try\(dq }

<\- { \(dqreturn\(dq: {} }
.EE
.UNINDENT
.UNINDENT
.UNINDENT
.UNINDENT
.INDENT 7.0
.INDENT 3.5
.IP "Example:"
.INDENT 0.0
.INDENT 3.5
.sp
.EX
second
.EE
.UNINDENT
.UNINDENT
.UNINDENT
.UNINDENT
.SH Parameters
.TS
box center;
l|l.
T{
a
T}	T{
b
T}
.TE
.UNINDENT
.SS VNC
.INDENT 0.0
.TP
.B Event TRIED
.INDENT 7.0
.TP
.B Members
.INDENT 7.0
.IP \(bu 2
\fBok\fP (\fBboolean\fP) \-\- whether
.UNINDENT
.UNINDENT
.UNINDENT
.INDENT 0.0
.TP
.B Enum Tried (Since: 2.2)
.INDENT 7.0
.TP
.B Values
\fByes\fP \-\- It was.
.UNINDENT
.UNINDENT
"#;

#[test]
fn the_shape_of_qemu_10() {
    let manual = parse(NESTED);
    let json = serde_json::to_value(&manual).unwrap();
    let expected = serde_json::json!({
        "version": "10.0.13",
        "groups": [{
            "title": "Block devices",
            "text": ["About blocks."],
            "commands": ["block-try"],
            "events": ["TRIED"],
        }],
        "commands": {"block-try": {
            "text": [
                "This command is unstable/experimental.",
                "More text.",
                "Text after it.",
                "Parameters",
                "a | b",
            ],
            "members": {
                "job-id": {
                    "text": ["identifier for the job. If omitted, the device name is used."],
                    "type_name": "string",
                    "optional": true,
                },
                "backing-file": {
                    "text": ["The string to write.", "• one", "• two"],
                    "type_name": "[string]",
                    "optional": true,
                },
                "name": {"text": ["• POSIX"], "type_name": "string"},
                "none": {"type_name": "int"},
            },
            "also": [
                {
                    "type_name": "BlockdevOptionsFile",
                    "when": {"member": "driver", "value": "file"},
                },
                {"type_name": "BlockCommon"},
            ],
            "features": {"unstable": ["This is for debugging."]},
            "returns": ["Tried -- a result"],
            "errors": ["If name does not exist, DeviceNotFound", "Others"],
            "since": "1.1; later (Linux only)",
            "notes": ["A note, see.", "Caution: Hot.", "1. First."],
            "examples": [
                {
                    "title": ["Try it"],
                    "text": "-> { \"execute\": \"block-try\" }\n\n<- { \"return\": {} }",
                },
                {"text": "second"},
            ],
            "condition": "CONFIG_TRY",
        }},
        "events": {
            "TRIED": {"members": {"ok": {"text": ["whether"], "type_name": "boolean"}}},
        },
        "types": {"Tried": {"members": {"yes": {"text": ["It was."]}}, "since": "2.2"}},
    });
    assert_eq!(json, expected);
}

#[test]
fn the_older_shape_without_contents() {
    let manual = parse(concat!(
        ".TH X 7 d \"5.2.0\" QEMU\n.SH NAME\nx \\- y\n.SH REMOTE DESKTOP\n.SS Spice\n.SS Sub\n",
        ".SS \\fBa\\fP (Command)\n.SS If\n\\fBdefined(X)\\fP.SS \\fBb\\fP (Object)\n.SS Members\n",
        ".INDENT 0.0\n.TP\n.B \\fBm\\fP: \\fBint\\fP\nNot documented\n.UNINDENT\nTail.\n",
        ".SS Odd title\n.sp\nOdd.\n.SS Note\n.sp\nKept.\n.SS VNC\n",
        ".SS \\fBa\\fP (Command)\n.sp\nA second one.\n",
        ".SS \\fBc\\fP (Event)\n.SS Since\n.sp\n1.2\n.sp\n\\(aqx\\(aq since 2\n",
        ".SS Examples\nOne:\n.nf\n1\n.fi\nTwo:\n.nf\n2\n.fi\nNo more.\n",
    ));
    assert_eq!(manual.groups.len(), 1);
    assert_eq!(manual.groups[0].title, "REMOTE DESKTOP");
    assert_eq!(manual.groups[0].commands, ["a"]);
    let a = Entry {
        condition: Some("defined(X)".to_owned()),
        ..Entry::default()
    };
    assert_eq!(manual.commands["a"], a);
    let b = &manual.types["b"];
    assert_eq!(b.text, ["Tail.", "Odd title", "Odd."]);
    assert!(b.members["m"].text.is_empty());
    assert_eq!(b.notes, ["Kept."]);
    let c = &manual.events["c"];
    assert_eq!(c.since.as_deref(), Some("1.2"));
    assert_eq!(c.notes, ["'x' since 2"]);
    let examples: Vec<_> = c
        .examples
        .iter()
        .map(|example| (example.title.concat(), example.text.as_str()))
        .collect();
    assert_eq!(
        examples,
        [
            ("One:".to_owned(), "1"),
            ("Two:".to_owned(), "2"),
            ("No more.".to_owned(), "")
        ]
    );
}

/// QEMU 9.1 and 9.2 write notes and examples as later ones do, in entries as
/// earlier ones do.
#[test]
fn the_older_shape_with_newer_notes() {
    let manual = parse(concat!(
        ".SH X\n.SS \\fBa\\fP (Command)\n.sp\nText.\n.SS Arguments\n.INDENT 0.0\n.TP\n",
        ".B \\fBm\\fP: \\fBint\\fP\nAbout it.\n.sp\n\\fBNOTE:\\fP\n.INDENT 7.0\n.INDENT 3.5\nIts own.\n",
        ".UNINDENT\n.UNINDENT\n.UNINDENT\n.sp\n\\fBNOTE:\\fP\n.INDENT 0.0\n.INDENT 3.5\nNoted.\n",
        ".UNINDENT\n.UNINDENT\n.sp\nMore text.\n.INDENT 0.0\n.INDENT 3.5\n.IP \"Example: x\"\n",
        ".INDENT 0.0\n.INDENT 3.5\n.sp\n.EX\n1\n.EE\n.UNINDENT\n.UNINDENT\n.UNINDENT\n.UNINDENT\n",
        ".SS Since\n.sp\n9.1\n",
    ));
    let a = &manual.commands["a"];
    assert_eq!(a.text, ["Text.", "More text."]);
    assert_eq!(a.members["m"].text, ["About it.", "NOTE:", "Its own."]);
    assert_eq!(a.notes, ["Noted."]);
    assert_eq!(a.examples.len(), 1);
    assert_eq!(a.examples[0].title, ["x"]);
    assert_eq!(a.since.as_deref(), Some("9.1"));
}

#[test]
fn pages_of_another_shape_have_no_entries() {
    for page in [
        "",
        "plain text\nwithout roff",
        ".TH LS 1\n.SH NAME\nls \\- list\n.SH OPTIONS\n.TP\n.B \\-a\nall\n.SS Notes\n.TP\n.B Object of desire\nno",
        ".TP\n.B Command\n.TP\n.B Event a b\n.SS \\fB\\fP (Command)\n.SS (Command)\n",
    ] {
        assert_eq!(parse(page), Manual::default(), "{page}");
    }
}

#[test]
fn hostile_pages_neither_panic_nor_take_long() {
    let many = 100_000;
    let start = Instant::now();
    for page in [
        ".INDENT 0.0\n".repeat(many) + ".TP\n.B Command a\ntext",
        ".UNINDENT\n".repeat(many),
        ".TP\n".repeat(many),
        ".IP \\(bu 2\n".repeat(many),
        ".INDENT 1\n.TP\n.B Command a\n.INDENT 1\n.TP\n.B Arguments\n.IP x\n".repeat(many / 10),
        ".SS \\fBa\\fP (Command)\n.SS Arguments\n.TP\n.B m\nx\n".repeat(many / 10),
        ".SH A\n".repeat(many),
        ".SS Since\n".repeat(many),
        ".nf\n".repeat(many),
        ".TS\n.\n".repeat(many),
        ".TS\nl.\n".to_owned() + &"T{\n\tT{".repeat(many),
        "\\".repeat(many),
        "\\[".repeat(many),
        "\\Xa\\Xb\\X'".repeat(many / 3),
        "\\%<#".repeat(many),
        ".INDENT 1".repeat(many),
        "(If: ".repeat(many),
        format!(
            ".TP\n.B Command a\n.TP\n.B Arguments\n.IP x\n{}",
            " -- (".repeat(many)
        ),
        format!(".SH {}", "\" \"".repeat(many)),
        format!("{}\0\u{202e}\u{7f}", ".de x\n".repeat(many)),
        "\u{202e}\u{1b}[2J\n".repeat(many),
        "a ".repeat(many) + "\n.TP",
    ] {
        let json = serde_json::to_string(&parse(&page)).unwrap();
        assert!(json.len() < 8 * page.len());
    }
    assert!(
        start.elapsed() < Duration::from_mins(1),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn any_prefix_of_a_page_is_a_page() {
    for end in (0..NESTED.len()).filter(|end| NESTED.is_char_boundary(*end)) {
        let manual = parse(&NESTED[..end]);
        assert!(
            manual
                .commands
                .keys()
                .all(|name| "block-try".starts_with(name))
        );
    }
}

#[test]
fn text_is_plain_whatever_the_page_says() {
    let manual = parse(concat!(
        ".SH X\n.SS \\fBa\\fP (Command)\n.sp\n\u{202e}evil\u{2066} \u{1b}[1mtext\\[u202E]\0\n",
        ".nf\na\u{200f}\r\n\tb\u{7}\n.fi\n",
    ));
    assert_eq!(manual.commands["a"].text, ["evil [1mtext", "a\n\tb"]);
}
