//! What the manual says of what is in a form, and how its prose is shown.
//!
//! The manual is the console's host's and the schema the endpoint's: they need
//! not be of one version, and the schema masks the names of types. So what is
//! said of a member is found from the command on, member by member, and nothing
//! is said where the two part.

use qmp_shared::command::{Form, Layout, NodeKind, Path, Step, message_text, parse_message};
use qmp_shared::manual::{Entry, Manual, Member, MembersOf};
use qmp_shared::model::{EndpointKind, Release};
use serde_json::value::RawValue;

use super::text::{clip, visible};

/// Most types that stand for each other's members.
const MAX_DEPTH: usize = 8;

/// Most bytes of a member's text that are shown unasked.
const BRIEF: usize = 140;

/// What the manual says of the member at the path's end.
pub(crate) fn member<'a>(manual: &'a Manual, form: &Form, path: &Path) -> Option<&'a Member> {
    Reader { manual, form }.walk(path)?.0
}

/// What the manual says of the values of the enum at the path, which has the
/// value `sample`.
pub(crate) fn choices<'a>(
    manual: &'a Manual,
    form: &Form,
    path: &Path,
    sample: &str,
) -> Option<&'a Entry> {
    let (_, types) = Reader { manual, form }.walk(path)?;
    let mut entries = types.into_iter().filter_map(|name| manual.types.get(name));
    entries.find(|entry| entry.members.contains_key(sample))
}

/// The type whose members are the command's arguments, where its entry has
/// none: the one that its text refers to, the one that is called like the
/// command, or the only one that has just these arguments.
pub(crate) fn type_of_arguments<'a>(
    manual: &'a Manual,
    command: &str,
    arguments: &[&str],
) -> Option<&'a str> {
    let entry = manual.commands.get(command)?;
    if arguments.is_empty() || !entry.members.is_empty() || !entry.also.is_empty() {
        return None;
    }
    let of_text = |text: &'a String| {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.filter(|_| text.contains(" documentation of "))
    };
    let referred = entry.text.iter().flat_map(of_text);
    let own = camel_case(command);
    let names = referred.chain([own.as_str()]);
    let known = names.filter_map(|name| manual.types.get_key_value(name));
    let mut fitting = known.filter(|(_, entry)| {
        let mut arguments = arguments.iter();
        arguments.any(|name| entry.members.contains_key(*name))
    });
    if let Some((name, _)) = fitting.next() {
        return Some(name);
    }
    let is_same = |entry: &Entry| {
        entry.members.len() == arguments.len()
            && arguments
                .iter()
                .all(|name| entry.members.contains_key(*name))
    };
    // Of one name alone there may be many a meaning.
    let mut same = manual.types.iter().filter(|(_, entry)| is_same(entry));
    let (name, _) = same.next().filter(|_| arguments.len() > 1)?;
    same.next().is_none().then_some(name.as_str())
}

/// `block-dirty-bitmap-add` as QEMU calls a type: `BlockDirtyBitmapAdd`.
fn camel_case(command: &str) -> String {
    let mut name = String::with_capacity(command.len());
    for word in command.split(['-', '_']) {
        let mut rest = word.chars();
        name.extend(rest.next().map(|c| c.to_ascii_uppercase()));
        name.push_str(rest.as_str());
    }
    name
}

/// Reads the manual along with a form: which members a union has depends on
/// what has been entered.
struct Reader<'a, 'f> {
    manual: &'a Manual,
    form: &'f Form,
}

impl<'a> Reader<'a, '_> {
    /// The member at the path's end, if it ends with one, and the names of the
    /// types that the value may have.
    fn walk(&self, path: &Path) -> Option<(Option<&'a Member>, Vec<&'a str>)> {
        let command = self.manual.commands.get(self.form.command())?;
        let arguments = self.form.fields().iter();
        let arguments: Vec<_> = arguments.map(|field| field.name.as_str()).collect();
        let of_type = type_of_arguments(self.manual, self.form.command(), &arguments);
        let of_type = of_type.and_then(|name| self.manual.types.get(name));
        let mut scope = vec![command];
        scope.extend(of_type);
        let mut here = Path::root();
        let mut found = (None, Vec::new());
        for step in &path.0 {
            found = match step {
                Step::Member(name) => {
                    let mut members = scope.iter();
                    let member =
                        members.find_map(|entry| self.find(entry, name, &here, MAX_DEPTH))?;
                    here = here.member(name);
                    let name = member.type_name.as_deref();
                    (Some(member), self.types(name.into_iter().collect(), &here))
                }
                Step::Index(index) => {
                    let items = found.1.into_iter().filter_map(item_type).collect();
                    here = here.index(*index);
                    (None, self.types(items, &here))
                }
            };
            let types = found.1.iter();
            scope = types
                .filter_map(|name| self.manual.types.get(*name))
                .collect();
        }
        Some(found)
    }

    /// The types themselves, or of an alternate those that it may be.
    fn types(&self, names: Vec<&'a str>, here: &Path) -> Vec<&'a str> {
        let kind = self.form.get(here).map(|node| &node.kind);
        if !matches!(kind, Some(NodeKind::Alternate { .. })) {
            return names;
        }
        let branches = |name| {
            let entry = self.manual.types.get(name);
            entry.into_iter().flat_map(|entry| entry.members.values())
        };
        let branches = names.into_iter().flat_map(branches);
        branches
            .filter_map(|branch| branch.type_name.as_deref())
            .collect()
    }

    /// The member of that name, rather one that something is said of.
    fn find(&self, entry: &'a Entry, name: &str, here: &Path, depth: usize) -> Option<&'a Member> {
        let own = entry.members.get(name);
        if own.is_some_and(|own| !own.text.is_empty()) || depth == 0 {
            return own;
        }
        let also = entry.also.iter().filter(|of| self.is_chosen(of, here));
        let mut entries = also.filter_map(|of| self.manual.types.get(&of.type_name));
        entries
            .find_map(|entry| self.find(entry, name, here, depth - 1))
            .or(own)
    }

    fn is_chosen(&self, of: &MembersOf, here: &Path) -> bool {
        of.when.as_ref().is_none_or(|when| {
            let tag = self.form.get(&here.member(&when.member));
            tag.is_some_and(|tag| tag.value().text() == when.value)
        })
    }
}

/// Of an array's type that of its items: `array of string` or `[string]`.
pub(crate) fn item_type(name: &str) -> Option<&str> {
    let listed = || name.strip_prefix('[')?.strip_suffix(']');
    name.strip_prefix("array of ").or_else(listed)
}

/// A paragraph as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prose {
    /// Running text.
    Text(String),
    /// An item of a list, with its mark.
    Item(String),
    /// Lines as they are.
    Literal(String),
}

/// A paragraph with nothing hidden in it.
pub(crate) fn prose(paragraph: &str) -> Prose {
    if paragraph.contains('\n') {
        return Prose::Literal(literal(paragraph));
    }
    let text = visible(paragraph).into_owned();
    let number = paragraph.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = number.len() < paragraph.len() && number.starts_with(". ");
    match is_numbered || paragraph.starts_with("• ") {
        true => Prose::Item(text),
        false => Prose::Text(text),
    }
}

/// Lines as they are, with nothing hidden in them.
pub(crate) fn literal(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| visible(&line.replace('\t', "    ")).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// What is said first, on one line, and whether there is more to say.
pub(crate) fn brief(text: &[String]) -> (String, bool) {
    let Some(first) = text.first() else {
        return (String::new(), false);
    };
    let line = first.lines().next().unwrap_or_default();
    let (start, cut) = clip(line, BRIEF);
    let has_more = cut > 0 || line.len() < first.len() || text.len() > 1;
    let shown = match cut {
        0 => start.to_owned(),
        _ => shorten(start),
    };
    (visible(&shown).into_owned(), has_more)
}

/// Whole sentences where there is one, or else whole words.
fn shorten(start: &str) -> String {
    let is_end = |at: &usize| {
        let before = &start[..*at];
        !before.ends_with("e.g") && !before.ends_with("i.e")
    };
    let ends = start.match_indices(". ").map(|(at, _)| at);
    match ends.filter(is_end).last() {
        Some(at) => start[..=at].to_owned(),
        None => {
            let words = start.rfind(' ').map_or(start, |at| &start[..at]);
            words.to_owned() + " …"
        }
    }
}

/// The messages of this command that an example sends, as JSON laid out to be
/// edited.
pub(crate) fn requests(example: &str, command: &str) -> Vec<String> {
    let arrows = example.match_indices("-> ").filter(|(at, _)| {
        let line = example[..*at].rsplit('\n').next();
        line.is_some_and(|before| before.trim().is_empty())
    });
    let sent = arrows.filter_map(|(at, arrow)| {
        let text = &example[at + arrow.len()..];
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let message = parse_message(values.next()?.ok()?.get()).ok()?;
        let arguments = message.arguments.as_deref();
        (message.command == command)
            .then(|| message_text(command, message.oob, arguments, Layout::Pretty))
    });
    sent.collect()
}

/// Whether the manual is of another release than the endpoint.
pub(crate) fn is_of_another(manual: &Manual, endpoint: Release) -> bool {
    let Some(version) = &manual.version else {
        return false;
    };
    let release = endpoint.to_string();
    let rest = version.strip_prefix(&release);
    rest.is_none_or(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The man page that would tell, and the Debian package that has it.
pub(crate) fn page(kind: EndpointKind, has_machine: bool) -> (&'static str, &'static str) {
    match (kind, has_machine) {
        (EndpointKind::Qga, _) => ("qemu-ga-ref(7)", "qemu-guest-agent"),
        (EndpointKind::Qmp, false) => ("qemu-storage-daemon-qmp-ref(7)", "qemu-system-common"),
        (EndpointKind::Qmp, true) => ("qemu-qmp-ref(7)", "qemu-system-common"),
    }
}

#[cfg(test)]
mod tests {
    use qmp_shared::command::{Action, Edit};
    use qmp_shared::schema::Schema;

    use super::*;

    const SCHEMA: &str = r#"[
        {"name": "add", "meta-type": "command", "arg-type": "0", "ret-type": "9"},
        {"name": "9", "meta-type": "object", "members": []},
        {"name": "0", "meta-type": "object", "tag": "driver",
         "members": [{"name": "driver", "type": "1"}, {"name": "list", "type": "[4]", "default": null}],
         "variants": [{"case": "qcow2", "type": "2"}]},
        {"name": "1", "meta-type": "enum", "values": ["qcow2", "raw"]},
        {"name": "2", "meta-type": "object", "members": [{"name": "file", "type": "3"}]},
        {"name": "3", "meta-type": "alternate", "members": [{"type": "0"}, {"type": "str"}]},
        {"name": "[4]", "meta-type": "array", "element-type": "4"},
        {"name": "4", "meta-type": "object", "members": [{"name": "mode", "type": "1"}]},
        {"name": "str", "meta-type": "builtin", "json-type": "string"}]"#;

    const MANUAL: &str = r#"{
        "commands": {"add": {"also": [{"type_name": "Options"}]}},
        "types": {
            "Options": {
                "members": {"driver": {"text": ["which"], "type_name": "Driver"},
                            "list": {"text": ["many"], "type_name": "array of Thing"}},
                "also": [{"type_name": "Qcow2", "when": {"member": "driver", "value": "qcow2"}}]},
            "Driver": {"members": {"qcow2": {"text": ["layers"]}, "raw": {}}},
            "Qcow2": {"also": [{"type_name": "Format"}]},
            "Format": {"members": {"file": {"text": ["the data"], "type_name": "Ref"}}},
            "Ref": {"members": {"definition": {"type_name": "Options"}, "reference": {"type_name": "string"}}},
            "Thing": {"members": {"mode": {"text": ["how"], "type_name": "Driver"}}}
        }}"#;

    fn path(steps: &[&str]) -> Path {
        let add = |path: Path, step: &&str| match step.parse() {
            Ok(index) => path.index(index),
            Err(_) => path.member(step),
        };
        steps.iter().fold(Path::root(), add)
    }

    #[test]
    fn members_are_found_as_they_were_entered() {
        let schema = Schema::parse(SCHEMA).unwrap();
        let manual: Manual = serde_json::from_str(MANUAL).unwrap();
        let mut form = Form::new(&schema, "add").unwrap();
        let said = |form: &Form, steps: &[&str]| {
            let found = member(&manual, form, &path(steps));
            found.map(|member| member.text.concat())
        };
        assert_eq!(said(&form, &["driver"]).unwrap(), "which");
        assert_eq!(said(&form, &["list"]).unwrap(), "many");
        assert_eq!(said(&form, &["list", "0", "mode"]).unwrap(), "how");
        // Which members there are is not known yet.
        assert_eq!(said(&form, &["file"]), None);
        assert_eq!(said(&form, &["nothing"]), None);
        for steps in [&["driver"][..], &["file", "driver"]] {
            let action = Action::Choose("qcow2".to_owned());
            form.apply(
                &schema,
                Edit {
                    path: path(steps),
                    action,
                },
            )
            .unwrap();
        }
        assert_eq!(said(&form, &["file"]).unwrap(), "the data");
        // Past an alternate.
        assert_eq!(said(&form, &["file", "driver"]).unwrap(), "which");
        assert_eq!(said(&form, &["file", "file"]).unwrap(), "the data");
        for steps in [&["driver"][..], &["file", "driver"], &["list", "0", "mode"]] {
            let values = choices(&manual, &form, &path(steps), "raw").unwrap();
            assert_eq!(values.members["qcow2"].text, ["layers"]);
            assert_eq!(choices(&manual, &form, &path(steps), "vdi"), None);
        }
        assert_eq!(member(&Manual::default(), &form, &path(&["driver"])), None);
    }

    #[test]
    fn types_that_stand_for_themselves_end() {
        let schema = Schema::parse(SCHEMA).unwrap();
        let manual = r#"{"commands": {"add": {"also": [{"type_name": "A"}]}},
                         "types": {"A": {"also": [{"type_name": "A"}, {"type_name": "A"}]}}}"#;
        let manual: Manual = serde_json::from_str(manual).unwrap();
        let form = Form::new(&schema, "add").unwrap();
        assert_eq!(member(&manual, &form, &path(&["driver"])), None);
    }

    #[test]
    fn arguments_that_stand_in_a_type_alone() {
        let manual = r#"{
            "commands": {
                "block-add": {}, "snapshot-internal": {"text": ["For the arguments, see the documentation of Internal."]},
                "told": {"members": {"a": {}}}, "many": {}, "two": {}, "other": {}},
            "types": {
                "BlockAdd": {"members": {"node": {"text": ["a node"]}, "name": {}}},
                "Internal": {"members": {"device": {}, "name": {}}},
                "Other": {"members": {"x": {}}}, "Told": {"members": {"a": {}}},
                "Same": {"members": {"q": {}, "r": {}}},
                "A": {"members": {"t": {}, "u": {}}}, "B": {"members": {"t": {}, "u": {}}}
            }}"#;
        let manual: Manual = serde_json::from_str(manual).unwrap();
        for (command, arguments, expected) in [
            ("block-add", &["node", "name", "new"][..], Some("BlockAdd")),
            ("snapshot-internal", &["device", "name"], Some("Internal")),
            ("two", &["q", "r"], Some("Same")),
            ("two", &["t", "u"], None),
            ("two", &["x"], None),
            ("two", &[], None),
            // It is called so by chance.
            ("other", &["y"], None),
            ("told", &["a"], None),
            ("nothing", &["q", "r"], None),
        ] {
            let found = type_of_arguments(&manual, command, arguments);
            assert_eq!(found, expected, "{command}");
        }
        let schema = SCHEMA
            .replace("\"add\"", "\"block-add\"")
            .replace("\"driver\"", "\"node\"");
        let schema = Schema::parse(&schema).unwrap();
        let form = Form::new(&schema, "block-add").unwrap();
        let said = member(&manual, &form, &path(&["node"])).unwrap();
        assert_eq!(said.text, ["a node"]);
    }

    #[test]
    fn paragraphs() {
        assert_eq!(prose("a\u{202e}b"), Prose::Text("a\\u202eb".to_owned()));
        assert_eq!(prose("• a"), Prose::Item("• a".to_owned()));
        assert_eq!(prose("12. a"), Prose::Item("12. a".to_owned()));
        assert_eq!(prose("12 a"), Prose::Text("12 a".to_owned()));
        assert_eq!(
            prose("a\n\tb\u{1b}"),
            Prose::Literal("a\n    b\\u001b".to_owned())
        );
    }

    #[test]
    fn what_is_said_first() {
        let said = |text: &[&str]| brief(&text.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(said(&[]), (String::new(), false));
        assert_eq!(said(&["A name."]), ("A name.".to_owned(), false));
        assert_eq!(said(&["A name.", "More."]), ("A name.".to_owned(), true));
        assert_eq!(said(&["a\nb"]), ("a".to_owned(), true));
        let long = "word ".repeat(40);
        let (start, has_more) = said(&["Short, e.g. so. ".to_owned().as_str(), ""]);
        assert_eq!((start.as_str(), has_more), ("Short, e.g. so. ", true));
        let (start, has_more) = said(&[&("Short, e.g. so. ".to_owned() + &long)]);
        assert_eq!((start.as_str(), has_more), ("Short, e.g. so.", true));
        let (start, _) = said(&[&long]);
        assert!(start.len() < 150 && start.ends_with("word …"), "{start}");
    }

    #[test]
    fn what_an_example_sends() {
        let example = "1.\n-> { \"execute\": \"a\",\n  \"arguments\": { \"x\": \"-> {\" } }\n<- { \"return\": {} }\n\
                       -> { \"execute\": \"b\" }\n-> { \"execute\": \"a\", ... }\n-> {\"exec-oob\": \"a\"}";
        let compact = |text: String| text.split_whitespace().collect::<String>();
        let found: Vec<_> = requests(example, "a").into_iter().map(compact).collect();
        assert_eq!(
            found,
            [
                r#"{"execute":"a","arguments":{"x":"->{"}}"#,
                r#"{"exec-oob":"a"}"#
            ]
        );
    }

    #[test]
    fn the_manual_of_another_release() {
        let of = |version: &str| Manual {
            version: Some(version.to_owned()),
            ..Manual::default()
        };
        let endpoint = Release {
            major: 7,
            minor: 2,
            micro: 2,
        };
        assert!(!is_of_another(&of("7.2.2"), endpoint));
        assert!(!is_of_another(&of("7.2.2 (Debian)"), endpoint));
        assert!(is_of_another(&of("7.2.22"), endpoint));
        assert!(is_of_another(&of("8.0.0"), endpoint));
        assert!(!is_of_another(&Manual::default(), endpoint));
    }
}
