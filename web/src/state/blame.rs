//! Which argument an error of the endpoint speaks of, where that can be told.
//!
//! QEMU's errors are texts for people. Many name the argument in quotes in a
//! few phrases that have not changed for years (`include/qapi/qmp/qerror.h` and
//! `qapi/qobject-input-visitor.c` of QEMU); others quote its value.

use std::ops::Range;

use qmp_shared::command::{Path, Step};
use qmp_shared::schema::{Builtin, Schema, Type, TypeId};

use super::tree::{NodeId, Tree};

/// Phrases around the quoted name of an argument: what is before the quote and
/// how what follows it begins.
const PHRASES: &[(&str, &str)] = &[
    ("Parameter ", " is missing"),
    ("Parameter ", " is unexpected"),
    ("Parameter ", " expects "),
    ("Parameter ", " does not accept value "),
    ("Invalid parameter ", ""),
    ("Invalid parameter type for ", ", expected: "),
    ("Property ", " not found"),
    ("Property ", " doesn't take value "),
    ("Property ", " can't find value "),
    ("Property ", " is not writable"),
    ("property ", " of "),
    ("", " must be specified "),
];

/// Most types that are looked at for an argument.
const MAX_LOOKED_AT: usize = 1_000;

/// The argument that an error's text speaks of; `arguments` are those that were
/// sent, as JSON. One that was not sent is only meant where `can_be` says that
/// there is such an argument.
pub(crate) fn argument_of(
    desc: &str,
    arguments: &str,
    can_be: impl Fn(&Path) -> bool,
) -> Option<Path> {
    let sent = Tree::new(arguments.into());
    named(desc, &sent, can_be).or_else(|| by_value(desc, &sent))
}

/// Whether the command has an argument at that path, as far as the schema says.
pub(crate) fn is_argument(schema: &Schema, command: &str, path: &Path) -> bool {
    let command = schema.command(command);
    let mut left = MAX_LOOKED_AT;
    command.is_some_and(|command| has(schema, command.arguments, &path.0, &mut left))
}

fn has(schema: &Schema, ty: TypeId, steps: &[Step], left: &mut usize) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match (schema.ty(ty), step) {
        (Type::Object(object), Step::Member(name)) => {
            let member = object.members.iter().find(|member| member.name == *name);
            if let Some(member) = member {
                return has(schema, member.ty, rest, left);
            }
            let mut variants = object.union.iter().flat_map(|union| &union.variants);
            variants.any(|variant| has(schema, variant.ty, steps, left))
        }
        (Type::Array(item), Step::Index(_)) => has(schema, *item, rest, left),
        (Type::Alternate { choices }, _) => choices.iter().any(|&ty| has(schema, ty, steps, left)),
        (Type::Builtin(Builtin::Value), _) => true,
        _ => false,
    }
}

/// Where a command that is written as JSON or as a line names the argument, in
/// UTF-16 code units as browsers count.
pub(crate) fn place_in_text(text: &str, path: &Path) -> Option<Range<u32>> {
    let units = |to: usize| text[..to].encode_utf16().count() as u32;
    let (start, length) = if text.trim_start().starts_with('{') {
        let tree = Tree::new(text.into());
        let root = Step::Member("arguments".to_owned());
        let steps: Vec<_> = std::iter::once(root)
            .chain(path.0.iter().cloned())
            .collect();
        let id = tree.find(&steps)?;
        let named = match tree.quoted_name(id) {
            "" => tree.value(id),
            name => name,
        };
        let start = named.as_ptr() as usize - tree.text().as_ptr() as usize;
        (start, named.len())
    } else {
        let name = path.to_string();
        let start = text.find(&(" ".to_owned() + &name + "="))? + 1;
        (start, name.len())
    };
    Some(units(start)..units(start + length))
}

fn named(desc: &str, sent: &Tree, can_be: impl Fn(&Path) -> bool) -> Option<Path> {
    let (before, rest) = desc.split_once('\'')?;
    let (name, after) = rest.split_once('\'')?;
    let is_phrase = |(start, end): &&(&str, &str)| *start == before && after.starts_with(end);
    let (phrase, end) = PHRASES.iter().find(is_phrase)?;
    if *phrase == "Property " {
        // The type of the object, which may have dots, then the property.
        let (_, property) = name.rsplit_once('.')?;
        return only(sent, |id| is_called(sent, id, property));
    }
    let whole = [Step::Member(name.to_owned())];
    let way = steps_of(name);
    for steps in [whole.as_slice(), way.as_slice()] {
        if sent.find(steps).is_some() {
            return Some(Path(steps.to_vec()));
        }
    }
    // What sets a property is told its name where an argument's would be.
    let [property, set] = ["property", "value"].map(|name| [Step::Member(name.to_owned())]);
    let is_set = |id| sent.string(id).as_deref() == Some(name);
    if sent.find(&property).is_some_and(is_set) && sent.find(&set).is_some() {
        return Some(Path(set.to_vec()));
    }
    // The text may have the last step alone, and underscores for hyphens.
    let value = quoted(after).next();
    let fits = |id| {
        is_called(sent, id, name)
            && value.is_none_or(|value| sent.string(id).as_deref() == Some(value))
    };
    let is_there = *end != " is missing";
    is_there
        .then(|| only(sent, fits))
        .flatten()
        .or_else(|| Some(Path(way)).filter(can_be))
}

/// The one string among the arguments that the text quotes.
fn by_value(desc: &str, sent: &Tree) -> Option<Path> {
    let words = quoted(desc).filter(|word| !word.is_empty());
    let mut found = words.filter_map(|word| {
        let word = match desc.starts_with("Property ") {
            true => word.rsplit('.').next().unwrap_or(word),
            false => word,
        };
        only(sent, |id| sent.string(id).as_deref() == Some(word))
    });
    found.next()
}

/// The one node below the root that is so.
fn only(sent: &Tree, is_so: impl Fn(NodeId) -> bool) -> Option<Path> {
    let mut found = (1..sent.len() as NodeId).filter(|&id| is_so(id));
    let first = found.next()?;
    found.next().is_none().then(|| Path(sent.steps(first)))
}

fn is_called(sent: &Tree, id: NodeId, name: &str) -> bool {
    let own = sent.quoted_name(id).trim_matches('"');
    let same = |a: u8, b: u8| a == b || (a == b'-' && b == b'_');
    own.len() == name.len() && own.bytes().zip(name.bytes()).all(|(a, b)| same(a, b))
}

/// What stands in quotes, single or double.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(['\'', '"'])?;
        let quote = char::from(rest.as_bytes()[start]);
        let (word, after) = rest[start + 1..].split_once(quote)?;
        rest = after;
        Some(word)
    })
}

/// `a.b[2].c` as steps.
fn steps_of(name: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in name.split('.') {
        let (member, indices) = part.split_once('[').unwrap_or((part, ""));
        steps.push(Step::Member(member.to_owned()));
        let indices = indices.split(['[', ']']);
        steps.extend(
            indices
                .filter_map(|index| index.parse().ok())
                .map(Step::Index),
        );
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(desc: &str, arguments: &str) -> String {
        let can_be = |_: &Path| desc.ends_with(" is missing");
        let found = argument_of(desc, arguments, can_be);
        found.map_or_else(|| "-".to_owned(), |path| path.to_string())
    }

    /// Arguments, what QEMU 7.2 answered to them, and the argument it means.
    const TOLD: &[(&str, &str, &str)] = &[
        ("{}", "Parameter 'node-name' is missing", "node-name"),
        (
            r#"{"node-name":1}"#,
            "Invalid parameter type for 'node-name', expected: string",
            "node-name",
        ),
        (
            r#"{"node-name":"a","x":1}"#,
            "Parameter 'x' is unexpected",
            "x",
        ),
        (
            r#"{"node-name":"nothing"}"#,
            "Failed to find node with node-name='nothing'",
            "node-name",
        ),
        (
            r#"{"driver":"qcow2","node-name":"a","file":{"driver":"file"}}"#,
            "Parameter 'file.filename' is missing",
            "file.filename",
        ),
        (
            r#"{"driver":"qcow2","node-name":"a","file":{"driver":"nofile"}}"#,
            "Parameter 'driver' does not accept value 'nofile'",
            "driver",
        ),
        (
            r#"{"driver":"qcow2","node-name":"a","file":"nowhere"}"#,
            "Cannot find device='nowhere' nor node-name='nowhere'",
            "file",
        ),
        (
            r#"{"driver":"file","node-name":"a","filename":"/nonexistent"}"#,
            "Could not open '/nonexistent': No such file or directory",
            "filename",
        ),
        (
            r#"{"driver":"file","node-name":"a!"}"#,
            "Invalid node-name: 'a!'",
            "node-name",
        ),
        (
            r#"{"driver":"null-co","cache":{"direct":1}}"#,
            "Invalid parameter type for 'cache.direct', expected: boolean",
            "cache.direct",
        ),
        (
            r#"{"capabilities":[{"capability":"events","state":true},{"capability":"nope","state":true}]}"#,
            "Parameter 'capability' does not accept value 'nope'",
            "capabilities[1].capability",
        ),
        (
            r#"{"capabilities":[{"capability":"events"}]}"#,
            "Parameter 'capabilities[0].state' is missing",
            "capabilities[0].state",
        ),
        (
            r#"{"cpu-throttle-initial":100}"#,
            "Parameter 'cpu_throttle_initial' expects an integer in the range of 1 to 99",
            "cpu-throttle-initial",
        ),
        (
            r#"{"driver":"nope"}"#,
            "'nope' is not a valid device model name",
            "driver",
        ),
        (
            r#"{"driver":"virtio-rng-pci","bus":"nobus","id":"r"}"#,
            "Bus 'nobus' not found",
            "bus",
        ),
        (
            r#"{"driver":"virtio-rng-pci","id":"1r"}"#,
            "Parameter 'id' expects an identifier",
            "id",
        ),
        (
            r#"{"driver":"virtio-rng-pci","foo":"x"}"#,
            "Property 'virtio-rng-pci.foo' not found",
            "foo",
        ),
        (r#"{"id":"q"}"#, "Device 'q' not found", "id"),
        (
            r#"{"qom-type":"memory-backend-ram","id":"a","size":0}"#,
            "property 'size' of memory-backend-ram doesn't take value '0'",
            "size",
        ),
        (
            r#"{"path":"/machine","property":"nope"}"#,
            "Property 'pc-q35-7.2-machine.nope' not found",
            "property",
        ),
        (
            r#"{"path":"/machine","property":"type","value":1}"#,
            "Property 'pc-q35-7.2-machine.type' is not writable",
            "property",
        ),
        (
            r#"{"id":"c","backend":{"type":"socket","data":{"addr":{"type":"inet","data":{"host":"h"}}}}}"#,
            "Parameter 'backend.data.addr.data.port' is missing",
            "backend.data.addr.data.port",
        ),
        (
            r#"{"command-line":"info cpus","cpu-index":7}"#,
            "Parameter 'cpu-index' expects a CPU number",
            "cpu-index",
        ),
        (
            r#"{"filename":"x","head":3}"#,
            "'head' must be specified together with 'device'",
            "head",
        ),
        (
            r#"{"type":"full","model":{"name":"nocpu"}}"#,
            "CPU model 'nocpu' not found",
            "model.name",
        ),
        (r#"{"name":"nope"}"#, "unknown event \"nope\"", "name"),
        (r#"{"a.b":1}"#, "Parameter 'a.b' is unexpected", "a.b"),
        (
            r#"{"actions":[{"type":"abort","data":{}},{"type":"blockdev-snapshot-sync","data":{"device":"d"}}]}"#,
            "Parameter 'actions[1].data.snapshot-file' is missing",
            "actions[1].data.snapshot-file",
        ),
        (r#"{"x":1}"#, "Invalid parameter 'x'", "x"),
        (
            r#"{"path":"/m","property":"guest-stats-polling-interval","value":"x"}"#,
            "Invalid parameter type for 'guest-stats-polling-interval', expected: integer",
            "value",
        ),
    ];

    /// Texts that speak of no argument, or of none for sure.
    const UNTOLD: &[(&str, &str)] = &[
        (
            r#"{"driver":"virtio-rng-pci","id":"r"}"#,
            "Bus 'pcie.0' does not support hotplugging",
        ),
        (r#"{"value":100}"#, "No balloon device has been activated"),
        (r#"{"value":0}"#, "Parameter 'target' expects a size"),
        (
            r#"{"path":"/m"}"#,
            "Invalid parameter type for 'size', expected: integer",
        ),
        (r#"{"id":"j"}"#, "Job not found"),
        (r#"{"size":1}"#, "Cannot find device='' nor node-name=''"),
        (
            r#"{"device":"q","node-name":"q"}"#,
            "Cannot find device='q' nor node-name='q'",
        ),
        ("{}", "The command 'no-such' has not been found"),
        ("{}", "it's odd"),
        ("", ""),
    ];

    #[test]
    fn what_qemu_says_leads_to_the_argument() {
        for (arguments, desc, path) in TOLD {
            assert_eq!(blamed(desc, arguments), *path, "{desc}");
        }
    }

    #[test]
    fn nothing_is_blamed_on_a_guess() {
        for (arguments, desc) in UNTOLD {
            assert_eq!(blamed(desc, arguments), "-", "{desc}");
        }
    }

    #[test]
    fn what_was_not_sent_must_be_in_the_schema() {
        let schema = r#"[
            {"name": "add", "meta-type": "command", "arg-type": "0", "ret-type": "0"},
            {"name": "0", "meta-type": "object", "tag": "driver",
             "members": [{"name": "driver", "type": "1"}, {"name": "list", "type": "[0]"}],
             "variants": [{"case": "a", "type": "2"}, {"case": "b", "type": "0"}]},
            {"name": "1", "meta-type": "enum", "values": ["a", "b"]},
            {"name": "2", "meta-type": "object", "members": [{"name": "file", "type": "3"}]},
            {"name": "3", "meta-type": "alternate", "members": [{"type": "0"}, {"type": "str"}]},
            {"name": "[0]", "meta-type": "array", "element-type": "0"},
            {"name": "str", "meta-type": "builtin", "json-type": "string"}]"#;
        let schema = Schema::parse(schema).unwrap();
        let has = |name: &str| is_argument(&schema, "add", &Path(steps_of(name)));
        for name in ["driver", "file", "list[3].file", "file.file.driver"] {
            assert!(has(name), "{name}");
        }
        for name in ["target", "list.file", "driver.x", "file.nothing"] {
            assert!(!has(name), "{name}");
        }
        assert!(!is_argument(&schema, "other", &Path(steps_of("driver"))));
    }

    #[test]
    fn texts_name_arguments() {
        let place = |text: &str, name: &str| {
            let place = place_in_text(text, &Path(steps_of(name)))?;
            let (start, end) = (place.start as usize, place.end as usize);
            let units: Vec<_> = text.encode_utf16().collect();
            Some(String::from_utf16(&units[start..end]).unwrap())
        };
        let json = r#"{"execute": "é𝕏", "arguments": {"a": {"id": 1}, "id": [2]}}"#;
        assert_eq!(place(json, "id").unwrap(), r#""id""#);
        let after = place_in_text(json, &Path(steps_of("id"))).unwrap();
        let units = |text: &str| text.encode_utf16().count() as u32;
        assert_eq!(units(json) - after.start, units(r#""id": [2]}}"#));
        assert_eq!(place(json, "id[0]").unwrap(), "2");
        assert_eq!(place(json, "b"), None);
        assert_eq!(place("add id=a a.id=b", "a.id").unwrap(), "a.id");
        assert_eq!(place("add id=a", "d"), None);
    }
}
