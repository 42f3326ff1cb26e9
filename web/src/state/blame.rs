//! Which argument an error of the endpoint speaks of, where that can be told.
//!
//! QEMU's errors are texts for people. Many name the argument in quotes in a
//! few phrases that have not changed for years (`include/qapi/qmp/qerror.h` and
//! `qapi/qobject-input-visitor.c` of QEMU); others quote its value.

use qmp_shared::command::{Path, Step};

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

/// The argument that an error's text speaks of; `arguments` are those that were
/// sent, as JSON.
pub(crate) fn argument_of(desc: &str, arguments: &str) -> Option<Path> {
    let sent = Tree::new(arguments.into());
    named(desc, &sent).or_else(|| by_value(desc, &sent))
}

fn named(desc: &str, sent: &Tree) -> Option<Path> {
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
        .or(Some(Path(way)))
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
        argument_of(desc, arguments).map_or_else(|| "-".to_owned(), |path| path.to_string())
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
    ];

    /// Texts that speak of no argument, or of none for sure.
    const UNTOLD: &[(&str, &str)] = &[
        (
            r#"{"driver":"virtio-rng-pci","id":"r"}"#,
            "Bus 'pcie.0' does not support hotplugging",
        ),
        (r#"{"value":100}"#, "No balloon device has been activated"),
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
}
