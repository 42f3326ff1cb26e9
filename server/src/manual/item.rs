//! Lines that declare something: a member, a reference to members, an entry.

use super::{Member, MembersOf, When};

/// What a line in a list of members or features declares.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A member or a feature of some name.
    Named(String, Member),
    /// The members of a type.
    MembersOf(MembersOf),
}

/// The kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Command,
    Event,
    Type,
}

/// A term as QEMU before 10.0 writes it: `job-id: string (optional) (If: COND)`,
/// or an enum's value or a feature, `zstd (If: COND)`; the text is apart.
pub(super) fn term(line: &str) -> Option<Item> {
    let (line, condition) = split_condition(line);
    if let Some(of) = members_of(line, condition.as_deref()) {
        return Some(Item::MembersOf(of));
    }
    let (rest, optional) = match line.strip_suffix("(optional)") {
        Some(rest) => (rest.trim_end(), true),
        None => (line, false),
    };
    let (name, type_name) = match rest.split_once(": ") {
        // Before 6.1 a branch of a simple union: `data: T when type is "x"`.
        // There is one such line for each branch, so none has the type.
        Some((name, type_name)) if type_name.contains(" when ") => (name, None),
        Some((name, type_name)) => (name, Some(type_name.trim().to_owned())),
        None => (rest, None),
    };
    let member = Member {
        type_name,
        optional,
        condition,
        ..Member::default()
    };
    is_name(name).then(|| Item::Named(name.to_owned(), member))
}

/// A list item as QEMU since 10.0 writes it: `job-id (string, optional) -- text`,
/// or an enum's value or a feature, `zstd -- text`.
pub(super) fn line(line: &str) -> Option<Item> {
    if let Some(of) = members_of(line, None) {
        return Some(Item::MembersOf(of));
    }
    let (head, text) = match line.split_once(" -- ") {
        Some(parts) => parts,
        None => (line.strip_suffix("--")?.trim_end(), ""),
    };
    let (head, condition) = split_condition(head);
    let (name, of) = match head.split_once(" (") {
        Some((name, of)) => (name, Some(of.strip_suffix(')')?)),
        None => (head, None),
    };
    let (type_name, optional) = match of {
        Some("optional") => (None, true),
        Some(of) => match of.strip_suffix(", optional") {
            Some(of) => (Some(of), true),
            None => (Some(of), false),
        },
        None => (None, false),
    };
    let text = Some(text.trim()).filter(|text| is_documented(text));
    let member = Member {
        text: text.map(str::to_owned).into_iter().collect(),
        type_name: type_name.map(str::to_owned),
        optional,
        condition,
    };
    is_name(name).then(|| Item::Named(name.to_owned(), member))
}

/// `The members of T`, `The members of T when M is "V"` or
/// `When M is V: The members of T.`
fn members_of(line: &str, condition: Option<&str>) -> Option<MembersOf> {
    const OF: &str = "The members of ";
    let (type_name, when) = match line.strip_prefix("When ") {
        Some(rest) => {
            let (when, of) = rest.split_once(": ")?;
            (of.strip_prefix(OF)?, Some(when))
        }
        None => match line.strip_prefix(OF)?.split_once(" when ") {
            Some((type_name, when)) => (type_name, Some(when)),
            None => (line.strip_prefix(OF)?, None),
        },
    };
    let when = match when {
        Some(when) => {
            let (member, value) = when.split_once(" is ")?;
            let value = value.trim_matches('"');
            Some(When {
                member: member.to_owned(),
                value: value.to_owned(),
            })
        }
        None => None,
    };
    let type_name = type_name.trim_end_matches('.');
    is_name(type_name).then(|| MembersOf {
        type_name: type_name.to_owned(),
        when,
        condition: condition.map(str::to_owned),
    })
}

/// Takes `(If: COND)` off the end.
fn split_condition(line: &str) -> (&str, Option<String>) {
    let found = line
        .rsplit_once(" (If: ")
        .and_then(|(head, condition)| Some((head, condition.trim_end().strip_suffix(')')?)));
    match found {
        Some((head, condition)) => (head.trim_end(), Some(condition.trim().to_owned())),
        None => (line, None),
    }
}

/// The heading of an entry before QEMU 10.0: `block-stream (Command)`.
pub(super) fn heading(line: &str) -> Option<(EntryKind, &str)> {
    let (name, kind) = line.strip_suffix(')')?.split_once(" (")?;
    Some((entry_kind(kind)?, name)).filter(|_| is_name(name))
}

/// The term of an entry since QEMU 10.0: `Command block-stream (Since: 1.1)`,
/// with what is in the parentheses.
pub(super) fn entry_term(line: &str) -> Option<(EntryKind, &str, Option<&str>)> {
    let (kind, rest) = line.split_once(' ')?;
    let kind = entry_kind(kind)?;
    let (name, since) = match rest.split_once(" (Since: ") {
        Some((name, since)) => (name, Some(since.strip_suffix(')')?)),
        None => (rest, None),
    };
    is_name(name).then_some((kind, name, since))
}

fn entry_kind(word: &str) -> Option<EntryKind> {
    match word {
        "Command" => Some(EntryKind::Command),
        "Event" => Some(EntryKind::Event),
        "Object" | "Struct" | "Union" | "Enum" | "Alternate" => Some(EntryKind::Type),
        _ => None,
    }
}

/// Whether there is text other than the tool's own `Not documented`.
pub(super) fn is_documented(text: &str) -> bool {
    !text.is_empty() && text != "Not documented"
}

/// Names in schemas are words of ASCII; a sentence or punctuation is none.
fn is_name(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::{EntryKind, Item, entry_term, heading, line, term};
    use crate::manual::{Member, MembersOf, When};

    fn member(
        type_name: Option<&str>,
        optional: bool,
        condition: Option<&str>,
        text: &[&str],
    ) -> Member {
        Member {
            text: text.iter().map(ToString::to_string).collect(),
            type_name: type_name.map(str::to_owned),
            optional,
            condition: condition.map(str::to_owned),
        }
    }

    fn of(type_name: &str, when: Option<(&str, &str)>, condition: Option<&str>) -> Item {
        Item::MembersOf(MembersOf {
            type_name: type_name.to_owned(),
            when: when.map(|(member, value)| When {
                member: member.to_owned(),
                value: value.to_owned(),
            }),
            condition: condition.map(str::to_owned),
        })
    }

    #[test]
    fn terms_of_the_older_shape() {
        for (text, name, expected) in [
            (
                "device: string",
                "device",
                member(Some("string"), false, None, &[]),
            ),
            (
                "arg: array of string (optional)",
                "arg",
                member(Some("array of string"), true, None, &[]),
            ),
            (
                "tight: boolean (optional) (If: CONFIG_LINUX)",
                "tight",
                member(Some("boolean"), true, Some("CONFIG_LINUX"), &[]),
            ),
            (
                "io_uring (If: defined(CONFIG_X))",
                "io_uring",
                member(None, false, Some("defined(CONFIG_X)"), &[]),
            ),
            (
                "data: ChardevFile when type is \"file\"",
                "data",
                member(None, false, None, &[]),
            ),
            ("2_5", "2_5", member(None, false, None, &[])),
        ] {
            assert_eq!(
                term(text),
                Some(Item::Named(name.to_owned(), expected)),
                "{text}"
            );
        }
        assert_eq!(
            term("The members of BlockdevOptions"),
            Some(of("BlockdevOptions", None, None))
        );
        assert_eq!(
            term("The members of SpiceX when type is \"spicevmc\" (If: CONFIG_SPICE)"),
            Some(of(
                "SpiceX",
                Some(("type", "spicevmc")),
                Some("CONFIG_SPICE")
            ))
        );
        for text in [
            "",
            "some words",
            "a,",
            "•",
            "The members of it all",
            "The members of X when it rains",
        ] {
            assert_eq!(term(text), None, "{text}");
        }
    }

    #[test]
    fn lines_of_the_newer_shape() {
        for (text, name, expected) in [
            (
                "device (string) -- the top",
                "device",
                member(Some("string"), false, None, &["the top"]),
            ),
            (
                "n ([string], optional) -- a -- b",
                "n",
                member(Some("[string]"), true, None, &["a -- b"]),
            ),
            (
                "backing-file (string, optional) --",
                "backing-file",
                member(Some("string"), true, None, &[]),
            ),
            (
                "stream -- block job",
                "stream",
                member(None, false, None, &["block job"]),
            ),
            (
                "nic -- Not documented",
                "nic",
                member(None, false, None, &[]),
            ),
        ] {
            assert_eq!(
                line(text),
                Some(Item::Named(name.to_owned(), expected)),
                "{text}"
            );
        }
        assert_eq!(
            line("The members of BlockdevOptions."),
            Some(of("BlockdevOptions", None, None))
        );
        assert_eq!(
            line("When driver is file: The members of BlockdevOptionsFile."),
            Some(of("BlockdevOptionsFile", Some(("driver", "file")), None))
        );
        for text in [
            "",
            "--",
            "two words -- text",
            "x (open -- text",
            "no dashes",
            "When: The members of X.",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    #[test]
    fn entries_of_both_shapes() {
        assert_eq!(
            heading("block-stream (Command)"),
            Some((EntryKind::Command, "block-stream"))
        );
        assert_eq!(
            heading("BlockdevRef (Alternate)"),
            Some((EntryKind::Type, "BlockdevRef"))
        );
        for text in [
            "Block core (VM unrelated)",
            "Since",
            "a b (Command)",
            " (Event)",
            "x (Command",
        ] {
            assert_eq!(heading(text), None, "{text}");
        }
        assert_eq!(
            entry_term("Event RESET (Since: 0.12)"),
            Some((EntryKind::Event, "RESET", Some("0.12")))
        );
        assert_eq!(
            entry_term("Object R (Since: 9.1 (Linux only); 11.0)"),
            Some((EntryKind::Type, "R", Some("9.1 (Linux only); 11.0")))
        );
        assert_eq!(
            entry_term("Command stop"),
            Some((EntryKind::Command, "stop", None))
        );
        for text in [
            "Command",
            "Object of desire",
            "Command stop (Since: 1",
            "Arguments",
        ] {
            assert_eq!(entry_term(text), None, "{text}");
        }
    }
}
