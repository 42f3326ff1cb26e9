use qmp_shared::command::Action;
use qmp_shared::schema::Builtin;

use super::drafts::MAX_DRAFTS;
use super::*;
use crate::state::lookups::Query;
use crate::state::send::Options;

fn schema() -> Arc<Schema> {
    let text = r#"[
        {"name": "set_link", "meta-type": "command", "arg-type": "0", "ret-type": "1"},
        {"name": "yank", "meta-type": "command", "arg-type": "1", "ret-type": "1",
         "allow-oob": true},
        {"name": "0", "meta-type": "object", "members": [
            {"name": "name", "type": "str"}, {"name": "up", "type": "bool"},
            {"name": "n", "type": "int", "default": null}]},
        {"name": "1", "meta-type": "object", "members": []},
        {"name": "str", "meta-type": "builtin", "json-type": "string"},
        {"name": "int", "meta-type": "builtin", "json-type": "int"},
        {"name": "bool", "meta-type": "builtin", "json-type": "boolean"}]"#;
    Arc::new(Schema::parse(text).unwrap())
}

fn editor(command: &str) -> Editor {
    Editor::new(Some(schema()), command)
}

fn edit(editor: &mut Editor, member: &str, action: Action) -> bool {
    editor
        .apply(Edit {
            path: Path::root().member(member),
            action,
        })
        .unwrap()
}

fn json(editor: &mut Editor, text: &str) {
    editor.set_text(Mode::Json, text.to_owned());
}

fn line(editor: &mut Editor, text: &str) {
    editor.set_text(Mode::Line, text.to_owned());
}

#[test]
fn a_form_sends_what_was_entered() {
    let mut editor = editor("set_link");
    assert_eq!(editor.faults().blocking.len(), 1);
    assert!(!edit(&mut editor, "name", Action::SetText("net0".into())));
    assert!(edit(&mut editor, "n", Action::Add));
    edit(
        &mut editor,
        "n",
        Action::SetText("18446744073709551615".into()),
    );
    let request = editor.request().unwrap();
    let arguments = request.arguments.unwrap();
    assert_eq!(
        arguments.get(),
        r#"{"name":"net0","up":false,"n":18446744073709551615}"#
    );
    assert_eq!(editor.faults(), Faults::default());
    editor.reset();
    assert_eq!(
        editor.message(),
        r#"{"execute":"set_link","arguments":{"up":false}}"#
    );
}

#[test]
fn without_arguments_there_is_no_such_member() {
    let mut editor = editor("yank");
    assert!(editor.offers_oob());
    editor.set_oob(true);
    let request = editor.request().unwrap();
    assert!(request.oob && request.arguments.is_none());
    assert_eq!(editor.message(), r#"{"exec-oob":"yank"}"#);
}

#[test]
fn json_that_was_not_touched_leads_back_to_the_same_form() {
    let mut editor = editor("set_link");
    edit(&mut editor, "n", Action::Add);
    edit(&mut editor, "n", Action::SetText("not a number".into()));
    editor.show(Mode::Json).unwrap();
    assert!(!editor.view_text(Mode::Json).contains("not a number"));
    editor.show(Mode::Form).unwrap();
    assert_eq!(editor.text(&Path::root().member("n")), "not a number");
}

#[test]
fn json_becomes_a_form_or_says_why_not() {
    let mut editor = editor("set_link");
    editor.show(Mode::Json).unwrap();
    json(
        &mut editor,
        r#"{"exec-oob": "set_link", "arguments": {"up": true, "name": "x"}}"#,
    );
    editor.show(Mode::Form).unwrap();
    assert!(editor.is_oob() && editor.is_true(&Path::root().member("up")));
    for (text, place) in [
        (r#"{"execute": "yank"}"#, "execute: "),
        (r#"{"execute": "set_link", "arguments": {"up": 1}}"#, "up: "),
        ("{", ""),
    ] {
        editor.show(Mode::Json).unwrap();
        json(&mut editor, text);
        let faults = editor.show(Mode::Form).unwrap_err();
        assert!(
            faults
                .iter()
                .any(|fault| fault.to_string().starts_with(place)),
            "{text}"
        );
        assert_eq!(
            (editor.mode(), editor.view_text(Mode::Json)),
            (Mode::Json, text)
        );
    }
}

#[test]
fn json_may_be_sent_although_the_schema_says_otherwise() {
    let mut editor = editor("set_link");
    editor.show(Mode::Json).unwrap();
    json(
        &mut editor,
        r#"{"execute": "set_link", "arguments": {"up": 1}}"#,
    );
    let faults = editor.faults();
    assert!(
        faults.blocking.is_empty() && faults.doubts.len() == 2,
        "{faults:?}"
    );
    assert_eq!(
        editor.request().unwrap().arguments.unwrap().get(),
        r#"{"up": 1}"#
    );
    for blocked in [
        "",
        "{}",
        r#"{"execute": "x", "id": 1}"#,
        r#"{"execute":"a","execute":"b"}"#,
    ] {
        json(&mut editor, blocked);
        assert!(!editor.faults().blocking.is_empty(), "{blocked}");
    }
}

#[test]
fn without_a_schema_there_is_json() {
    let mut editor = Editor::new(None, "guest-ping");
    assert_eq!(editor.mode(), Mode::Json);
    assert_eq!(editor.request().unwrap().command, "guest-ping");
    assert!(editor.show(Mode::Form).is_err());
    json(&mut editor, "{");
    editor.reset();
    assert_eq!(editor.request().unwrap().command, "guest-ping");
    let unknown = self::editor("no-such");
    assert!(unknown.no_form().unwrap().contains("no-such"));
}

#[test]
fn drafts_come_back_with_the_same_schema_only() {
    let mut drafts = Drafts::default();
    let mut entered = editor("set_link");
    edit(&mut entered, "name", Action::SetText("net0".into()));
    let options = Options {
        timeout: "60".into(),
        ..Options::default()
    };
    drafts.put("vm".into(), entered.clone(), options.clone());
    assert!(drafts.take("qsd", "set_link", Some(&schema())).is_none());
    let (back, waits) = drafts.take("vm", "set_link", Some(&schema())).unwrap();
    assert_eq!(waits, options);
    assert_eq!(back.text(&Path::root().member("name")), "net0");
    assert!(drafts.take("vm", "set_link", Some(&schema())).is_none());
    drafts.put("vm".into(), entered.clone(), Options::default());
    assert!(drafts.take("vm", "set_link", None).is_none());
    for n in 0..2 * MAX_DRAFTS {
        // Each command is there once.
        for _ in 0..2 {
            drafts.put((n / 2).to_string(), entered.clone(), Options::default());
        }
    }
    assert_eq!(drafts.len(), MAX_DRAFTS);
}

#[test]
fn drafts_in_writing_outlive_a_reload() {
    let reloaded = |drafts: &Drafts| {
        let text = serde_json::to_string(&drafts.write()).unwrap();
        let mut drafts = Drafts::default();
        drafts.read(serde_json::from_str(&text).unwrap());
        (drafts, text)
    };
    let options = Options {
        expects: true,
        names: "STOP".into(),
        ..Options::default()
    };
    let mut drafts = Drafts::default();
    let mut form = editor("set_link");
    edit(&mut form, "name", Action::SetText("net0".into()));
    drafts.put("form".into(), form, options.clone());
    let mut text = editor("set_link");
    text.show(Mode::Json).unwrap();
    json(&mut text, "{oops");
    drafts.put("json".into(), text, Options::default());
    let mut typed = editor("set_link");
    typed.show(Mode::Line).unwrap();
    line(&mut typed, "set_link name=");
    drafts.put("line".into(), typed, Options::default());
    let mut invalid = editor("set_link");
    edit(&mut invalid, "n", Action::Add);
    edit(&mut invalid, "n", Action::SetText("lots".into()));
    drafts.put("invalid".into(), invalid, Options::default());
    let mut secret = editor("set_link");
    edit(&mut secret, "name", Action::SetText("my-secret".into()));
    drafts.put("secret".into(), secret, Options::default());

    // Twice, as what is not looked at stays in writing.
    let (drafts, _) = reloaded(&drafts);
    let (mut drafts, text) = reloaded(&drafts);
    assert!(!text.contains("secret"), "{text}");
    let mut take = |session: &str| drafts.take(session, "set_link", Some(&schema()));
    let (form, waits) = take("form").unwrap();
    assert_eq!((form.mode(), waits), (Mode::Form, options));
    assert_eq!(form.text(&Path::root().member("name")), "net0");
    let (json, _) = take("json").unwrap();
    assert_eq!(
        (json.mode(), json.view_text(Mode::Json)),
        (Mode::Json, "{oops")
    );
    let (line, _) = take("line").unwrap();
    assert_eq!(line.view_text(Mode::Line), "set_link name=");
    let (invalid, _) = take("invalid").unwrap();
    assert_eq!(invalid.text(&Path::root().member("n")), "lots");
    assert!(take("secret").is_none());
}

#[test]
fn a_line_is_a_third_view_of_it() {
    let mut editor = editor("set_link");
    edit(&mut editor, "name", Action::SetText("net 0".into()));
    editor.show(Mode::Line).unwrap();
    assert_eq!(
        editor.view_text(Mode::Line),
        "set_link name='net 0' up=false"
    );
    line(&mut editor, "--oob set_link up=on n=4K name=net1");
    editor.show(Mode::Json).unwrap();
    assert!(editor.request().unwrap().oob);
    assert_eq!(
        editor.message(),
        r#"{"exec-oob":"set_link","arguments":{"up":true,"n":4096,"name":"net1"}}"#
    );
    editor.show(Mode::Form).unwrap();
    assert!(editor.is_oob() && editor.is_true(&Path::root().member("up")));
    assert_eq!(editor.text(&Path::root().member("n")), "4096");
    // As long as nothing is touched, each is as it was.
    editor.show(Mode::Line).unwrap();
    assert_eq!(
        editor.view_text(Mode::Line),
        "--oob set_link up=on n=4K name=net1"
    );
}

#[test]
fn what_a_view_cannot_show_stays_where_it_is() {
    let mut editor = editor("set_link");
    editor.show(Mode::Json).unwrap();
    let strange = r#"{"execute": "set_link", "arguments": {"a.b": 1, "name": 5}}"#;
    json(&mut editor, strange);
    let faults = editor.show(Mode::Line).unwrap_err();
    assert_eq!(faults[0].path, Path::root().member("a.b"));
    assert_eq!(editor.mode(), Mode::Json);
    assert_eq!(editor.view_text(Mode::Json), strange);
    json(
        &mut editor,
        r#"{"execute": "set_link", "arguments": {"name": 5}}"#,
    );
    let faults = editor.show(Mode::Line).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "name: a line can only give this as string"
    );
    for wrong in ["", "set_link name", "set_link 'name=x", "set_link n=many"] {
        editor.reset();
        editor.show(Mode::Line).unwrap();
        line(&mut editor, wrong);
        assert!(editor.show(Mode::Json).is_err(), "{wrong}");
        assert!(editor.show(Mode::Form).is_err(), "{wrong}");
        assert!(!editor.faults().blocking.is_empty(), "{wrong}");
        assert_eq!(editor.view_text(Mode::Line), wrong);
    }
    line(&mut editor, "yank");
    assert!(editor.show(Mode::Form).is_err());
    editor.show(Mode::Json).unwrap();
    assert_eq!(editor.request().unwrap().command, "yank");
}

#[test]
fn a_form_that_is_not_complete_survives_the_other_two() {
    let mut editor = editor("set_link");
    edit(&mut editor, "n", Action::Add);
    edit(&mut editor, "n", Action::SetText("many".into()));
    editor.show(Mode::Json).unwrap();
    editor.show(Mode::Line).unwrap();
    assert_eq!(editor.view_text(Mode::Line), "set_link up=false");
    // Typed, and taken back.
    line(&mut editor, "set_link up=fals");
    line(&mut editor, "set_link up=false");
    editor.show(Mode::Json).unwrap();
    editor.show(Mode::Form).unwrap();
    assert_eq!(editor.text(&Path::root().member("n")), "many");
}

#[test]
fn what_is_missing_is_shown_in_the_form() {
    let mut editor = editor("set_link");
    editor.show(Mode::Json).unwrap();
    let text = r#"{"execute": "set_link", "arguments": {}}"#;
    json(&mut editor, text);
    editor.show(Mode::Form).unwrap();
    let (fields, _) = editor.fields(&Path::root());
    let there = fields.iter().map(|field| (&*field.name, field.present));
    let there: Vec<_> = there.collect();
    // No boolean is false by itself.
    assert_eq!(there, [("name", true), ("up", false), ("n", false)]);
    let faults = editor.faults().blocking;
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, ["name: required", "up: required"]);
    editor.show(Mode::Json).unwrap();
    assert_eq!(editor.view_text(Mode::Json), text);
    editor.show(Mode::Form).unwrap();
    edit(&mut editor, "name", Action::SetText("x".into()));
    edit(&mut editor, "up", Action::Add);
    assert!(editor.faults().blocking.is_empty());
}

#[test]
fn a_link_fills_in_once() {
    let link = |arguments: &str| Link {
        options: Options::default(),
        arguments: Some(arguments.to_owned()),
        oob: false,
    };
    let mut editor = editor("set_link");
    editor.prefill(&link(r#"{"name":"x","up":true}"#)).unwrap();
    assert_eq!(editor.mode(), Mode::Form);
    assert_eq!(editor.text(&Path::root().member("name")), "x");
    edit(&mut editor, "name", Action::SetText("y".into()));
    editor.prefill(&link(r#"{"name":"x","up":true}"#)).unwrap();
    assert_eq!(editor.text(&Path::root().member("name")), "y");
    editor.forget_link();
    editor.prefill(&link(r#"{"name":"x","up":true}"#)).unwrap();
    assert_eq!(editor.text(&Path::root().member("name")), "x");
    // What a form cannot show is there as JSON.
    assert!(editor.prefill(&link(r#"{"name":1}"#)).is_err());
    assert_eq!(editor.mode(), Mode::Json);
    assert!(editor.prefill(&link("{oops")).is_err());
    assert!(editor.view_text(Mode::Json).contains("{oops}"));
    assert!(!editor.faults().blocking.is_empty());
}

#[test]
fn properties_are_shown_as_what_they_are_once_that_is_known() {
    let text = r#"[
        {"name": "device_add", "meta-type": "command", "arg-type": "0", "ret-type": "1"},
        {"name": "0", "meta-type": "object", "members": [{"name": "driver", "type": "str"}]},
        {"name": "1", "meta-type": "object", "members": []},
        {"name": "str", "meta-type": "builtin", "json-type": "string"}]"#;
    let schema = Arc::new(Schema::parse(text).unwrap());
    let mut editor = Editor::new(Some(schema), "device_add");
    let answer = r#"[{"name": "on", "type": "bool"}, {"name": "n", "type": "uint32"}]"#;
    let answer = Query::DeviceProperties("d".into()).read(answer).unwrap();
    let answer = Some(Arc::new(answer));
    editor.show(Mode::Json).unwrap();
    json(
        &mut editor,
        r#"{"execute":"device_add","arguments":{"driver":"d","on":true,"x":[1]}}"#,
    );
    editor.show(Mode::Form).unwrap();
    let control = |editor: &Editor, name: &str| {
        let control = editor.control(&Path::root().member(name), true);
        control.unwrap().1
    };
    assert_eq!(control(&editor, "on"), Control::Raw(Builtin::Value));
    let message = editor.message();
    assert!(editor.describe(answer.clone()));
    assert!(!editor.describe(answer));
    assert_eq!(control(&editor, "on"), Control::Bool);
    assert_eq!(control(&editor, "x"), Control::Raw(Builtin::Value));
    assert_eq!(editor.property("n").unwrap().ty, "uint32");
    assert_eq!(editor.message(), message);
    // Added, and read from another view.
    let path = Path::root();
    let action = Action::AddUndescribed("n".into());
    editor.apply(Edit { path, action }).unwrap();
    assert_eq!(control(&editor, "n"), Control::Text(Builtin::Int));
    editor.show(Mode::Line).unwrap();
    line(&mut editor, "device_add driver=d n=7 on=false");
    editor.show(Mode::Form).unwrap();
    assert_eq!(control(&editor, "n"), Control::Text(Builtin::Int));
    assert_eq!(editor.text(&Path::root().member("n")), "7");
    assert!(editor.describe(None));
    assert_eq!(control(&editor, "on"), Control::Raw(Builtin::Value));
    editor.reset();
    assert!(editor.properties().is_empty());
}

fn names(left_out: &[LeftOut]) -> Vec<(String, String)> {
    let name = |left: &LeftOut| (left.fault.path.to_string(), left.typed.clone());
    left_out.iter().map(name).collect()
}

#[test]
fn what_is_not_valid_is_told_and_comes_back() {
    let mut editor = editor("set_link");
    edit(&mut editor, "name", Action::SetText("a".into()));
    edit(&mut editor, "n", Action::Add);
    assert!(editor.left_out().is_empty());
    edit(&mut editor, "n", Action::SetText("1x".into()));
    let left_out = vec![("n".to_owned(), "1x".to_owned())];
    assert_eq!(names(&editor.left_out()), left_out);
    let n = Path::root().member("n");
    for mode in [Mode::Json, Mode::Line] {
        editor.show(mode).unwrap();
        assert!(!editor.view_text(mode).contains("1x"));
        assert_eq!(names(&editor.left_out()), left_out);
        editor.show(Mode::Form).unwrap();
        assert_eq!(editor.text(&n), "1x");
    }
    // Also when the other view was typed into, or two of them.
    editor.show(Mode::Json).unwrap();
    json(
        &mut editor,
        r#"{"execute":"set_link","arguments":{"name":"b","up":true}}"#,
    );
    assert_eq!(names(&editor.left_out()), left_out);
    editor.show(Mode::Line).unwrap();
    line(&mut editor, "set_link name=c up=on");
    editor.show(Mode::Form).unwrap();
    assert_eq!(editor.text(&Path::root().member("name")), "c");
    assert_eq!(editor.text(&n), "1x");
    assert_eq!(names(&editor.left_out()), left_out);
    // What is said there now counts.
    editor.show(Mode::Line).unwrap();
    line(&mut editor, "set_link name=c up=on n=5");
    assert!(editor.left_out().is_empty());
    editor.show(Mode::Form).unwrap();
    assert_eq!(editor.text(&n), "5");
    // A link is something else.
    edit(&mut editor, "n", Action::SetText("2x".into()));
    editor.show(Mode::Json).unwrap();
    let link = Link {
        arguments: Some(r#"{"name":"d","up":true}"#.into()),
        ..Link::default()
    };
    editor.prefill(&link).unwrap();
    assert!(editor.left_out().is_empty() && editor.text(&n).is_empty());
}

#[test]
fn items_that_are_not_valid_come_back_to_their_places() {
    let text = r#"[
        {"name": "c", "meta-type": "command", "arg-type": "0", "ret-type": "1"},
        {"name": "0", "meta-type": "object", "members": [
            {"name": "l", "type": "[int]"}, {"name": "o", "type": "2", "default": null}]},
        {"name": "1", "meta-type": "object", "members": []},
        {"name": "2", "meta-type": "object", "members": [{"name": "n", "type": "int"}]},
        {"name": "[int]", "meta-type": "array", "element-type": "int"},
        {"name": "int", "meta-type": "builtin", "json-type": "int"}]"#;
    let mut editor = Editor::new(Some(Arc::new(Schema::parse(text).unwrap())), "c");
    let list = Path::root().member("l");
    let mut act = |path: &Path, action| {
        let path = path.clone();
        editor.apply(Edit { path, action }).unwrap();
    };
    for (index, typed) in ["1", "x", "3", "y"].into_iter().enumerate() {
        act(&list, Action::Push);
        act(&list.index(index), Action::SetText(typed.into()));
    }
    let object = Path::root().member("o");
    act(&object, Action::Add);
    act(&object.member("n"), Action::SetText("z".into()));
    editor.show(Mode::Json).unwrap();
    json(&mut editor, r#"{"execute":"c","arguments":{"l":[1,3,4]}}"#);
    assert_eq!(editor.left_out().len(), 3);
    editor.show(Mode::Form).unwrap();
    let items = (0..5).map(|index| editor.text(&list.index(index)));
    assert_eq!(items.collect::<Vec<_>>(), ["1", "x", "3", "y", "4"]);
    // What it was in is gone.
    assert!(editor.form().unwrap().get(&object).is_none());
}

#[test]
fn a_size_is_said_in_bytes() {
    let mut editor = editor("set_link");
    let n = Path::root().member("n");
    edit(&mut editor, "n", Action::Add);
    for (typed, said) in [
        (
            "1.5 GiB",
            Some("Sent as 1,610,612,736: units are powers of 1,024."),
        ),
        (
            "-64MB",
            Some("Sent as -67,108,864: units are powers of 1,024."),
        ),
        ("0x10", Some("Sent as 16.")),
        ("16", None),
        ("16x", None),
        ("1.3K", None),
    ] {
        edit(&mut editor, "n", Action::SetText(typed.into()));
        assert_eq!(editor.understood(&n).as_deref(), said, "{typed}");
    }
}

#[test]
fn what_was_replaced_comes_back() {
    let mut editor = editor("set_link");
    assert!(!editor.can_undo());
    let n = Path::root().member("n");
    edit(&mut editor, "name", Action::SetText("net0".into()));
    edit(&mut editor, "n", Action::Add);
    edit(&mut editor, "n", Action::SetText("7".into()));
    assert!(!editor.can_undo());
    // Taken out of the form.
    edit(&mut editor, "n", Action::Remove);
    edit(&mut editor, "n", Action::Add);
    assert_eq!(editor.text(&n), "");
    editor.undo();
    assert_eq!(editor.text(&n), "7");
    assert!(!editor.can_undo());
    // The other views are of what is there now.
    editor.show(Mode::Json).unwrap();
    assert!(editor.view_text(Mode::Json).contains("\"n\": 7"));
    editor.show(Mode::Form).unwrap();
    // Emptied, and replaced by a link and an example.
    editor.reset();
    assert_eq!(editor.text(&n), "");
    editor.undo();
    let link = Link {
        arguments: Some(r#"{"name":"d","up":true}"#.into()),
        ..Link::default()
    };
    editor.prefill(&link).unwrap();
    editor.replace_by_json("{}".into());
    editor.undo();
    assert_eq!((editor.mode(), editor.text(&n).as_str()), (Mode::Form, ""));
    editor.undo();
    assert_eq!(editor.text(&n), "7");
    for n in 0..40 {
        edit(&mut editor, "name", Action::SetText(n.to_string()));
        editor.reset();
    }
    assert_eq!(editor.before.len(), 16);
}
