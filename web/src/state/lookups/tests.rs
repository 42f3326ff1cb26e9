use qmp_shared::command::{Form, Path};
use qmp_shared::rest::Role;
use qmp_shared::schema::{Builtin, Schema};

use super::*;
use crate::state::completion::Completion;

const RNG: &str = r#"[
    {"default-value": 9223372036854775807, "name": "max-bytes", "type": "uint64"},
    {"default-value": true, "name": "event_idx", "description": "on/off", "type": "bool"},
    {"name": "rng", "type": "link<rng-backend>"},
    {"name": "virtio-backend", "type": "child<virtio-rng-device>"},
    {"default-value": -1, "name": "addr", "type": "int32",
     "description": "Slot and optional function number, example: 06.0 or 06"},
    {"default-value": "auto", "name": "disable-legacy", "description": "on/off/auto", "type": "OnOffAuto"}]"#;

fn properties(json: &str) -> Vec<Property> {
    match Query::Tree("/".into()).read(json).unwrap() {
        Answer::Properties(properties) => properties,
        Answer::Names(_) => panic!(),
    }
}

fn texts(completion: &Completion) -> Vec<&str> {
    let suggestions = completion.suggestions.iter();
    suggestions.map(|suggestion| &*suggestion.text).collect()
}

#[test]
fn questions_are_commands_that_read() {
    let (command, arguments) = Query::Tree(r#"/a"b"#.into()).request();
    assert_eq!((command, &*arguments), ("qom-list", r#"{"path":"/a\"b"}"#));
    assert_eq!(Query::Types.role(), Role::Viewer);
    assert_eq!(Query::DeviceProperties("d".into()).role(), Role::Operator);
    let types = r#"[{"name": "b", "parent": "x"}, {"name": "a"}]"#;
    let names = Query::DeviceTypes.read(types).unwrap();
    assert_eq!(names, Answer::Names(vec!["a".into(), "b".into()]));
    assert!(Query::Types.read("{}").is_err());
    let devices = ["device[10]", "device[9]", "bus", "device"];
    let devices = devices.map(|name| format!(r#"{{"name": "{name}", "type": "x"}}"#));
    let sorted = properties(&format!("[{}]", devices.join(",")));
    let sorted: Vec<_> = sorted.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(sorted, ["bus", "device", "device[9]", "device[10]"]);
    let types = Known::Answer(names.into());
    assert!(is_asked_unbidden("a", &types) && !is_asked_unbidden("c", &types));
    assert!(!is_asked_unbidden("a", &Known::Asked));
    assert!(is_risky("virtio-gpu-gl-pci") && is_risky("virtio-vga-gl"));
    assert!(!is_risky("virtio-rng-pci"));
}

#[test]
fn types_of_qom_have_their_json_types() {
    let property = |ty: &str, rest: &str| {
        let text = format!(r#"[{{"name": "p", "type": "{ty}"{rest}}}]"#);
        properties(&text).remove(0)
    };
    for (ty, rest, builtin) in [
        ("bool", "", Builtin::Boolean),
        ("bool", r#","description":"on/off""#, Builtin::Boolean),
        ("int", "", Builtin::Int),
        ("uint4", "", Builtin::Int),
        ("uint64_t", "", Builtin::Int),
        ("size", "", Builtin::Int),
        ("number", "", Builtin::Number),
        ("str", "", Builtin::String),
        ("string", "", Builtin::String),
        ("link<memory-backend>", "", Builtin::String),
        (
            "LostTickPolicy",
            r#","default-value":"delay""#,
            Builtin::String,
        ),
        (
            "OnOffAuto",
            r#","description":"on/off/auto""#,
            Builtin::String,
        ),
        (
            "int32",
            r#","description":"Slot, example: 06.0""#,
            Builtin::String,
        ),
        ("GuestPanicInformation", "", Builtin::Value),
        ("interval", "", Builtin::Value),
        ("strList", "", Builtin::Value),
    ] {
        assert_eq!(property(ty, rest).builtin(), builtin, "{ty} {rest}");
    }
    let policy =
        r#","default-value":"auto","description":"Error handling policy, report/stop/auto""#;
    let policy = property("BlockdevOnError", policy);
    assert_eq!(value_words(&policy), ["report", "stop", "auto"]);
    assert_eq!(
        policy.detail(),
        r#"BlockdevOnError · Error handling policy, report/stop/auto; default "auto""#
    );
    let other = property("str", r#","description":"A power of two/three""#);
    assert!(value_words(&other).is_empty());
}

#[test]
fn properties_that_can_be_added_are_suggested() {
    let rng = properties(RNG);
    let all = suggest_properties("", &rng, |name| name == "rng");
    assert_eq!(
        texts(&all),
        ["addr", "disable-legacy", "event_idx", "max-bytes"]
    );
    let some = suggest_properties(" LE", &rng, |_| false);
    assert_eq!(texts(&some), ["disable-legacy"]);
    assert_eq!((some.from, some.to), (0, 3));
    assert_eq!(
        some.suggestions[0].detail,
        r#"OnOffAuto · on/off/auto; default "auto""#
    );
    let names = ["usb-kbd", "kbd", "usb-hub"];
    let names = names.into_iter().map(|name| (name, String::new()));
    assert_eq!(
        texts(&suggest_names("kb", names.clone())),
        ["kbd", "usb-kbd"]
    );
    assert!(suggest_names("usb-hub", names).suggestions.is_empty());
}

#[test]
fn paths_go_on_part_by_part() {
    assert_eq!(directory("", 0), Some("/"));
    assert_eq!(directory("/mach", 5), Some("/"));
    assert_eq!(directory("/machine/per", 12), Some("/machine"));
    assert_eq!(directory("/machine/per/x", 12), Some("/machine"));
    assert_eq!(directory("rng0", 4), None);
    assert_eq!(directory("rng0/a", 6), None);
    let inside = properties(
        r#"[{"name": "type", "type": "string"}, {"name": "peripheral", "type": "child<container>"},
            {"name": "peripheral-anon", "type": "child<container>"}]"#,
    );
    let found = suggest_paths("/machine/peri/x", 13, &inside);
    assert_eq!(texts(&found), ["peripheral", "peripheral-anon"]);
    assert_eq!(found.suggestions[0].detail, "container");
    let (text, caret) = found.apply("/machine/peri/x", &found.suggestions[0]);
    assert_eq!((&*text, caret), ("/machine/peripheral/x", 19));
    let first = suggest_paths("", 0, &inside);
    assert_eq!(texts(&first), ["/peripheral", "/peripheral-anon"]);
}

#[test]
fn an_answer_is_kept_for_its_connection() {
    let mut lookups = Lookups::default();
    let (first, second) = ((1, "x".to_owned()), (2, "x".to_owned()));
    let types = Query::DeviceTypes;
    let tree = Query::Tree("/".into());
    assert_eq!(lookups.known("vm", &types), Known::NotAsked);
    assert!(lookups.begin("vm", &first, &types, 0.0));
    assert!(!lookups.begin("vm", &first, &types, 0.0));
    assert_eq!(lookups.known("vm", &types), Known::Asked);
    lookups.finish("vm", &first, &types, Err("no".into()));
    assert_eq!(lookups.known("vm", &types), Known::Failed("no".into()));
    assert!(lookups.begin("vm", &first, &types, 1.0));
    let names = || Ok(Answer::Names(Vec::new()));
    lookups.finish("vm", &first, &types, names());
    assert!(!lookups.begin("vm", &first, &types, 1e9));

    // What may change is asked again, and stands until the answer is there.
    assert!(lookups.begin("vm", &first, &tree, 0.0));
    lookups.finish("vm", &first, &tree, names());
    assert!(!lookups.begin("vm", &first, &tree, 1.0));
    assert!(lookups.begin("vm", &first, &tree, 10_000.0));
    assert!(matches!(lookups.known("vm", &tree), Known::Answer(_)));

    assert!(lookups.begin("vm", &second, &types, 0.0));
    lookups.finish("vm", &first, &types, names());
    assert_eq!(lookups.known("vm", &types), Known::Asked);
    assert_eq!(lookups.known("vm", &tree), Known::NotAsked);
    for n in 0..2_000 {
        assert!(lookups.begin("vm", &second, &Query::Tree(n.to_string()), 0.0));
    }
}

#[test]
fn arguments_have_their_sources() {
    let text = |rest: &str| {
        r#"[{"name": "device_add", "meta-type": "command", "arg-type": "d", "ret-type": "0"},
            {"name": "qom-set", "meta-type": "command", "arg-type": "s", "ret-type": "0"},
            {"name": "d", "meta-type": "object", "members": [
                {"name": "driver", "type": "str"}, {"name": "bus", "type": "str", "default": null}]},
            {"name": "s", "meta-type": "object", "members": [
                {"name": "path", "type": "str"}, {"name": "property", "type": "str"},
                {"name": "value", "type": "str"}]},
            {"name": "0", "meta-type": "object", "members": []},
            {"name": "str", "meta-type": "builtin", "json-type": "string"}"#
            .to_owned()
            + rest
            + "]"
    };
    let without = Schema::parse(&text("")).unwrap();
    let lists = r#",{"name": "qom-list", "meta-type": "command", "arg-type": "0", "ret-type": "0"},
        {"name": "qom-list-types", "meta-type": "command", "arg-type": "0", "ret-type": "0"}"#;
    let schema = Schema::parse(&text(lists)).unwrap();
    let add = r#"{"driver":" x ","bus":"b","addr":"1"}"#;
    let add = Form::from_json(&schema, "device_add", add).unwrap();
    let set = Form::new(&schema, "qom-set").unwrap();
    let root = Path::root();
    let of = |form: &Form, name: &str| source(&schema, form, &root.member(name));
    assert_eq!(of(&add, "driver"), Some(Source::Names(Query::DeviceTypes)));
    assert_eq!(of(&add, "addr"), Some(Source::Words));
    assert_eq!(of(&add, "bus"), None);
    assert_eq!(of(&set, "path"), Some(Source::Paths));
    assert_eq!(of(&set, "property"), Some(Source::PropertyNames("path")));
    assert_eq!(of(&set, "value"), Some(Source::PropertyValue));
    assert_eq!(
        source(&schema, &set, &root.member("a").member("path")),
        None
    );
    assert_eq!(source(&without, &add, &root.member("driver")), None);
    assert_eq!(driver_of(&add).as_deref(), Some("x"));
    assert_eq!(driver_of(&set), None);
}
