//! What is typed into a filter.

use qmp_shared::filter::EventFilter;
use qmp_shared::schema::Schema;

use super::*;
use crate::state::completion::Completion;

const SCHEMA: &str = r#"[
    {"name": "JOB_STATUS_CHANGE", "meta-type": "event", "arg-type": "1"},
    {"name": "STOP", "meta-type": "event", "arg-type": "0", "features": ["deprecated"]},
    {"name": "0", "meta-type": "object", "members": []},
    {"name": "1", "meta-type": "object", "members": [
        {"name": "id", "type": "str"}, {"name": "status", "type": "2"}, {"name": "node-name", "type": "3"}]},
    {"name": "2", "meta-type": "enum", "values": ["created", "concluded"]},
    {"name": "3", "meta-type": "object", "members": [{"name": "on", "type": "bool"}]},
    {"name": "bool", "meta-type": "builtin", "json-type": "boolean"},
    {"name": "str", "meta-type": "builtin", "json-type": "string"}]"#;

fn texts(completion: &Completion) -> Vec<&str> {
    completion
        .suggestions
        .iter()
        .map(|suggestion| &*suggestion.text)
        .collect()
}

#[test]
fn names_are_completed_where_the_caret_is() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let complete = |text: &str, caret| complete_names(text, caret, &[&schema]);
    assert_eq!(texts(&complete("", 0)), ["JOB_STATUS_CHANGE", "STOP"]);
    let completion = complete("RESUME, st, X", 10);
    assert_eq!(texts(&completion), ["STOP", "JOB_STATUS_CHANGE"]);
    assert_eq!(completion.suggestions[0].detail, "deprecated");
    let (text, caret) = completion.apply("RESUME, st, X", &completion.suggestions[0]);
    assert_eq!((&*text, caret), ("RESUME, STOP, X", 12));
    assert!(texts(&complete("STOP", 4)).is_empty());
}

#[test]
fn names_that_no_schema_knows_may_mean_others() {
    let schema = Schema::parse(SCHEMA).unwrap();
    for (typed, meant) in [
        ("stop", Some("STOP")),
        ("job-status-change", Some("JOB_STATUS_CHANGE")),
        ("STOP JOB_STATUS_CHANGE", Some("STOP, JOB_STATUS_CHANGE")),
        ("STOP,  job_*  stop", Some("STOP, JOB_*, STOP")),
        ("STOP, Job_*", Some("STOP, JOB_*")),
        ("", None),
        ("STOP", None),
        ("S*, JOB_STATUS_CHANGE", None),
        ("sto", Some("STOP")),
        ("STPO", Some("STOP")),
        ("JOB, STOPED", Some("JOB_STATUS_CHANGE, STOP")),
        ("st", None),
        ("NOTHING", None),
        ("stop NOTHING", None),
        ("stop,,", None),
    ] {
        assert_eq!(hint_names(typed, &[&schema]).as_deref(), meant, "{typed}");
    }
    let more = SCHEMA.replace("\"STOP\"", "\"JOB_READY\"");
    let schema = Schema::parse(&more).unwrap();
    assert_eq!(hint_names("JOB_", &[&schema]).as_deref(), Some("JOB_*"));
    // Without a schema nobody can tell.
    assert_eq!(hint_names("stop", &[]), None);
}

#[test]
fn fields_and_values_are_completed_where_the_caret_is() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let complete = |text: &str| complete_where(text, text.len(), &[&schema], &EventFilter::all());
    let all = [
        "@.data.id",
        "@.data['node-name']",
        "@.data['node-name'].on",
        "@.data.status",
        "@.event",
        "@.timestamp.seconds",
        "@.timestamp.microseconds",
    ];
    assert_eq!(texts(&complete("")), all);
    assert_eq!(texts(&complete("@.data.i")), ["@.data.id"]);
    assert_eq!(texts(&complete("@.stat")), ["@.data.status"]);
    assert_eq!(
        texts(&complete("@.data.status == ")),
        [r#""created""#, r#""concluded""#]
    );
    assert_eq!(
        texts(&complete(r#"@.data.status != "con"#)),
        [r#""concluded""#]
    );
    assert_eq!(texts(&complete("@.data['node-name'].on == t")), ["true"]);
    assert_eq!(
        texts(&complete("@.event == ")),
        [r#""JOB_STATUS_CHANGE""#, r#""STOP""#]
    );
    assert_eq!(
        texts(&complete("@.data.id == 'x y' && !@.data.st")),
        ["@.data.status"]
    );
    // After a whole condition there is nothing to say.
    assert!(texts(&complete("@.data.id ")).is_empty());
    assert!(texts(&complete("@.data.id == \"a\" ")).is_empty());
    let completion = complete("@.data.id == \"é\" || @.data.stat");
    let (text, _) = completion.apply(
        "@.data.id == \"é\" || @.data.stat",
        &completion.suggestions[0],
    );
    assert_eq!(text, "@.data.id == \"é\" || @.data.status");
    let stop = "STOP".parse().unwrap();
    let completion = complete_where("", 0, &[&schema], &stop);
    assert_eq!(texts(&completion), all[4..]);
}

#[test]
fn fields_that_no_event_has_may_mean_others() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let hint = |text: &str| hint_where(text, &[&schema], &EventFilter::all());
    for (typed, path, meant) in [
        (
            "@.data.statsu == \"a\"",
            "@.data.statsu",
            Some("@.data.status == \"a\""),
        ),
        ("!@.status", "@.status", Some("!@.data.status")),
        (
            "@.data.on || @.data.id",
            "@.data.on",
            Some("@.data['node-name'].on || @.data.id"),
        ),
        (
            "@.data.node_name.on",
            "@.data.node_name",
            Some("@.data['node-name'].on"),
        ),
        (
            "@.data[\"Node-name\"]['on']",
            "@.data[\"Node-name\"]",
            Some("@.data['node-name']['on']"),
        ),
        ("@.data.id.length == 1", "@.data.id.length", None),
        ("@.dta.id", "@.dta", None),
        ("@.data.id😀 == 1", "@.data.id😀", Some("@.data.id == 1")),
        (
            "@.timestamp.second > 1",
            "@.timestamp.second",
            Some("@.timestamp.seconds > 1"),
        ),
        ("@.data.none", "@.data.none", None),
    ] {
        let found = hint(typed).unwrap_or_else(|| panic!("{typed}"));
        assert_eq!(found.path, path);
        let found = found.meant.map(|meant| meant.expression);
        assert_eq!(found.as_deref(), meant, "{typed}");
    }
    for typed in [
        "",
        "@",
        "@.data",
        "@.event == \"@.no\" && @['data'].id == '@.no\\'@.no'",
        "@.data[?@.no == 1]",
        "@.data['node-name'].on == true",
        "@.data.id[0]",
        "@.data[\"node\\u002dname\"].no",
        "@..no",
    ] {
        assert_eq!(hint(typed), None, "{typed}");
    }
    // Nobody can tell.
    for names in ["VENDOR_*", "STOP, VENDOR_X"] {
        let names: EventFilter = names.parse().unwrap();
        assert_eq!(hint_where("@.data.no", &[&schema], &names), None);
    }
    assert_eq!(hint_where("@.data.no", &[], &EventFilter::all()), None);
    // Only of other events.
    let names: EventFilter = "STOP".parse().unwrap();
    assert!(hint_where("@.data.id", &[&schema], &names).is_some());
}

#[test]
fn what_may_have_any_member_has_this_one() {
    let schema = r#"[
        {"name": "E", "meta-type": "event", "arg-type": "0"},
        {"name": "0", "meta-type": "object", "members": [{"name": "any", "type": "any"}, {"name": "or", "type": "1"}]},
        {"name": "1", "meta-type": "alternate", "members": [{"type": "any"}, {"type": "str"}]},
        {"name": "any", "meta-type": "builtin", "json-type": "value"},
        {"name": "str", "meta-type": "builtin", "json-type": "string"}]"#;
    let schema = Schema::parse(schema).unwrap();
    for (text, is_known) in [
        ("@.data.any.a.b", true),
        ("@.data.or.a", true),
        ("@.data.x", false),
    ] {
        let hint = hint_where(text, &[&schema], &EventFilter::all());
        assert_eq!(hint.is_none(), is_known, "{text}");
    }
}
