//! A value of an event as a condition on events: what a click on it adds to
//! the filter.

use qmp_shared::command::Step;
use qmp_shared::filter::{EventFilter, Expression, ExpressionError, MAX_EXPRESSION_BYTES, Verdict};

use super::query::{FilterText, conjuncts};
use crate::state::text::{is_hidden, push_escaped};
use crate::state::tree::{Kind, NodeId, Tree};

/// Why events are not filtered by a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is an object or an array, or the time, which no two events share.
    NotOffered,
    /// It is too long for an expression.
    Long,
    /// What is written already leaves no room for it.
    Full,
    /// What is written already is no expression.
    Faulty,
    /// No expression says what this value is.
    Unspeakable,
}

impl Refusal {
    /// Says so.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NotOffered => "Events are filtered by a single value other than the time.",
            Self::Long => "This value is too long to filter by.",
            Self::Full => "The filter is too long already to add this value.",
            Self::Faulty => "The filter is not valid: correct it first.",
            Self::Unspeakable => "No expression can tell this value.",
        }
    }
}

/// Whether a value of an event can be filtered by, as far as that is told at a
/// glance.
///
/// # Errors
///
/// [`Refusal::NotOffered`] or [`Refusal::Long`].
pub(crate) fn offered(event: &Tree, id: NodeId) -> Result<(), Refusal> {
    let steps = event.steps(id);
    let is_time = matches!(steps.first(), Some(Step::Member(name)) if name == "timestamp");
    if is_time || matches!(event.kind(id), Kind::Object | Kind::Array) {
        return Err(Refusal::NotOffered);
    }
    match path_of(&steps).len() + event.value(id).len() > MAX_EXPRESSION_BYTES {
        true => Err(Refusal::Long),
        false => Ok(()),
    }
}

impl FilterText {
    /// The same filter, and of what passes it only events in which this value is
    /// the same, or is another one. A number is said exactly; those beyond 2^53
    /// are compared as the nearest doubles, as RFC 9535 leaves open.
    ///
    /// # Errors
    ///
    /// [`Refusal`], in which case nothing is to be changed.
    pub(crate) fn by_value(&self, event: &Tree, id: NodeId, equal: bool) -> Result<Self, Refusal> {
        offered(event, id)?;
        let path = path_of(&event.steps(id));
        let json = match event.string(id) {
            Some(text) => quoted(&text),
            None => event.value(id).to_owned(),
        };
        let it = parsed(&path, &json, true)?;
        // Of two members with one name an expression sees one.
        if it.evaluate(event.text()) != Verdict::Accepted {
            return Err(Refusal::Unspeakable);
        }
        self.and_comparison(&path, &json, equal)
    }
}

impl FilterText {
    /// The same filter, and only events of this name.
    ///
    /// # Errors
    ///
    /// [`Refusal`], in which case nothing is to be changed.
    pub(crate) fn only_name(&self, name: &str) -> Result<Self, Refusal> {
        let is_itself = !name.is_empty()
            && name.trim() == name
            && !name.contains([',', '*'])
            && !name.chars().any(is_hidden)
            && name.parse::<EventFilter>().is_ok();
        let names = match is_itself {
            true => name.to_owned(),
            false => String::new(),
        };
        let only = Self {
            names,
            ..self.clone()
        };
        match is_itself {
            true => Ok(only.without_comparisons("@.event", None)),
            false => only.by_name(name, true),
        }
    }

    /// The same filter, and no event of this name.
    ///
    /// # Errors
    ///
    /// [`Refusal`], in which case nothing is to be changed.
    pub(crate) fn without_name(&self, name: &str) -> Result<Self, Refusal> {
        self.by_name(name, false)
    }

    fn by_name(&self, name: &str, equal: bool) -> Result<Self, Refusal> {
        self.and_comparison("@.event", &quoted(name), equal)
    }

    /// The same filter with a comparison more, which takes the place of those
    /// that it makes needless or that could not be met with it.
    fn and_comparison(&self, path: &str, json: &str, equal: bool) -> Result<Self, Refusal> {
        let condition = parsed(path, json, equal)?;
        if self.parse_expression().is_err() {
            return Err(Refusal::Faulty);
        }
        // What is equal to one value is told by that alone.
        let value = (!equal).then_some(json);
        let mut before = self.without_comparisons(path, value);
        if path == "@.event" && !equal && quoted(before.names.trim()) == json {
            before.names.clear();
        }
        let both = before.and(condition.as_str());
        match both.parse_expression() {
            Ok(_) => Ok(both),
            Err(_) => Err(Refusal::Full),
        }
    }

    /// The same filter, and what is at `path` is not compared any more with this
    /// value, or with any.
    fn without_comparisons(&self, path: &str, json: Option<&str>) -> Self {
        let compares = |condition: &str| {
            let rest = condition.strip_prefix(path).unwrap_or_default().trim();
            let value = rest.strip_prefix("==").or(rest.strip_prefix("!="));
            value.is_some_and(|value| json.is_none_or(|json| value.trim() == json))
        };
        let Ok(Some(_)) = self.parse_expression() else {
            return self.clone();
        };
        let mut conditions = conjuncts(&self.expression).unwrap_or_default();
        let count = conditions.len();
        conditions.retain(|condition| !compares(condition));
        if conditions.len() == count {
            return self.clone();
        }
        Self {
            expression: conditions.join(" && "),
            ..self.clone()
        }
    }
}

fn parsed(path: &str, json: &str, equal: bool) -> Result<Expression, Refusal> {
    comparison(path, json, equal)
        .parse()
        .map_err(|error| match error {
            ExpressionError::TooLong(_) => Refusal::Long,
            _ => Refusal::Unspeakable,
        })
}

fn comparison(path: &str, json: &str, equal: bool) -> String {
    let operator = if equal { " == " } else { " != " };
    path.to_owned() + operator + json
}

/// Where the steps lead from the event, as an expression names it.
fn path_of(steps: &[Step]) -> String {
    steps.iter().fold("@".to_owned(), |path, step| match step {
        Step::Member(name) => member_path(&path, name),
        Step::Index(index) => path + "[" + &index.to_string() + "]",
    })
}

/// A member of what is at `path`, as an expression names it.
pub(crate) fn member_path(path: &str, member: &str) -> String {
    let is_plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let is_name = member.chars().all(is_plain) && member.starts_with(|c: char| !c.is_ascii_digit());
    if is_name {
        return path.to_owned() + "." + member;
    }
    path.to_owned() + "[" + &literal(member, '\'') + "]"
}

/// A string as an expression has it, with nothing hidden in it.
fn quoted(text: &str) -> String {
    literal(text, '"')
}

fn literal(text: &str, quote: char) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push(quote);
    for c in text.chars() {
        match c {
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            c if c == '\\' || c == quote => literal.extend(['\\', c]),
            c if is_hidden(c) => push_escaped(&mut literal, c),
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::new(text.into())
    }

    /// The node of that value, and what the filter says then.
    fn by(text: &str, value: &str, equal: bool) -> Result<String, Refusal> {
        let tree = tree(text);
        let mut ids = 0..tree.len() as NodeId;
        let id = ids.find(|id| tree.value(*id) == value).unwrap();
        let filtered = FilterText::default().by_value(&tree, id, equal)?;
        Ok(filtered.expression)
    }

    #[test]
    fn every_kind_of_value_is_said_as_it_is() {
        let event = r#"{"event":"X","data":{"id":"a\"b\\","n":18446744073709551615,"i":-9223372036854775808,
            "f":1.50,"z":null,"on":true,"node-name":"d","1":2,"it's":3,"l":[5,{"deep":6}],"bidi\u202e":"\ud83d\ude00\u202e\u0007\n",
            "":7}}"#;
        for (value, expected) in [
            (r#""X""#, r#"@.event == "X""#),
            (r#""a\"b\\""#, r#"@.data.id == "a\"b\\""#),
            ("18446744073709551615", "@.data.n == 18446744073709551615"),
            ("-9223372036854775808", "@.data.i == -9223372036854775808"),
            ("1.50", "@.data.f == 1.50"),
            ("null", "@.data.z == null"),
            ("true", "@.data.on == true"),
            (r#""d""#, r#"@.data['node-name'] == "d""#),
            ("2", "@.data['1'] == 2"),
            ("3", r"@.data['it\'s'] == 3"),
            ("5", "@.data.l[0] == 5"),
            ("6", "@.data.l[1].deep == 6"),
            (
                r#""\ud83d\ude00\u202e\u0007\n""#,
                r#"@.data['bidi\u202e'] == "😀\u202e\u0007\n""#,
            ),
            ("7", "@.data[''] == 7"),
        ] {
            assert_eq!(by(event, value, true).as_deref(), Ok(expected));
            let not = expected.replacen(" == ", " != ", 1);
            assert_eq!(by(event, value, false), Ok(not));
        }
    }

    #[test]
    fn what_no_expression_says_is_refused() {
        let long = format!(r#"{{"event":"X","data":{{"t":"{}"}}}}"#, "x".repeat(1024));
        let value = format!("\"{}\"", "x".repeat(1024));
        assert_eq!(by(&long, &value, true), Err(Refusal::Long));
        for (event, value, refusal) in [
            (r#"{"data":{"a":1}}"#, r#"{"a":1}"#, Refusal::NotOffered),
            (r#"{"data":[1]}"#, "[1]", Refusal::NotOffered),
            (r#"{"timestamp":{"seconds":1}}"#, "1", Refusal::NotOffered),
            (r#"{"a":"\ud800"}"#, r#""\ud800""#, Refusal::Unspeakable),
            (r#"{"a":1,"a":2}"#, "1", Refusal::Unspeakable),
            (r#"{"a":1e999}"#, "1e999", Refusal::Unspeakable),
        ] {
            assert_eq!(by(event, value, true), Err(refusal), "{event}");
        }
        // A member that is called so elsewhere is not the time.
        let inside = r#"{"data":{"timestamp":1}}"#;
        assert_eq!(
            by(inside, "1", true).as_deref(),
            Ok("@.data.timestamp == 1")
        );
    }

    #[test]
    fn what_is_written_already_stays_in_force() {
        let event = tree(r#"{"event":"X"}"#);
        let with = |expression: &str| FilterText {
            expression: expression.into(),
            names: "X, Y".into(),
            ..FilterText::default()
        };
        let both = with("@.a || @.b").by_value(&event, 1, false).unwrap();
        assert_eq!(both.expression, r#"(@.a || @.b) && @.event != "X""#);
        assert_eq!(both.names, "X, Y");
        let faulty = with("@.a ==").by_value(&event, 1, true);
        assert_eq!(faulty, Err(Refusal::Faulty));
        let full = with(&format!("@.a == \"{}\"", "y".repeat(1000)));
        assert_eq!(full.by_value(&event, 1, true), Err(Refusal::Full));
    }

    #[test]
    fn the_newer_of_two_comparisons_replaces_the_older() {
        let event = tree(r#"{"event":"X","data":{"n":1}}"#);
        let by = |filter: &FilterText, value: &str, equal| {
            let mut ids = 0..event.len() as NodeId;
            let id = ids.find(|id| event.value(*id) == value).unwrap();
            filter.by_value(&event, id, equal).unwrap()
        };
        let other = r#"@.a == "b && c" && @['d'] && @.data.n == 2"#;
        let first = FilterText {
            expression: other.into(),
            ..FilterText::default()
        };
        let without = by(&first, "1", false);
        assert_eq!(without.expression, other.to_owned() + " && @.data.n != 1");
        assert_eq!(by(&without, "1", false), without);
        let only = by(&without, "1", true);
        let rest = r#"@.a == "b && c" && @['d'] && "#;
        assert_eq!(only.expression, rest.to_owned() + "@.data.n == 1");
        assert_eq!(by(&only, "1", true), only);
        assert_eq!(
            by(&only, "1", false).expression,
            rest.to_owned() + "@.data.n != 1"
        );
        // The name stands in a field of its own.
        let stop = FilterText::default().only_name("X").unwrap();
        let not = by(&stop, r#""X""#, false);
        assert_eq!((&*not.names, &*not.expression), ("", r#"@.event != "X""#));
        assert_eq!(not.only_name("X"), Ok(stop));
        // Where one of several is enough, nothing is taken out.
        let any = FilterText {
            expression: "@.data.n == 1 || @.a".into(),
            ..FilterText::default()
        };
        let not = by(&any, "1", false).expression;
        assert_eq!(not, "(@.data.n == 1 || @.a) && @.data.n != 1");
    }

    #[test]
    fn any_name_that_an_expression_can_hold_is_shown_alone_or_left_out() {
        let with = |names: &str, expression: &str| FilterText {
            names: names.into(),
            expression: expression.into(),
            ..FilterText::default()
        };
        let before = with("OLD", "@.a");
        assert_eq!(before.only_name("STOP"), Ok(with("STOP", "@.a")));
        assert_eq!(
            before.without_name("STOP"),
            Ok(with("OLD", r#"@.a && @.event != "STOP""#))
        );
        let long = "L".repeat(257);
        for name in [&*long, "A,B", "A*", " A", "", "A\u{202e}", "\n"] {
            let only = before.only_name(name).unwrap();
            assert_eq!(only.names, "");
            let query = only.query().unwrap();
            let event = |name: &str| json!({"event": name, "a": 1}).to_string();
            let expression = query.filter.expression().unwrap();
            assert_eq!(
                expression.evaluate(&event(name)),
                Verdict::Accepted,
                "{name:?}"
            );
            assert_eq!(expression.evaluate(&event("AB")), Verdict::Rejected);
        }
        let longer = "L".repeat(MAX_EXPRESSION_BYTES);
        assert_eq!(before.only_name(&longer), Err(Refusal::Long));
        assert_eq!(before.without_name(&longer), Err(Refusal::Long));
        let full = with("", &format!("@.a == \"{}\"", "y".repeat(1000)));
        assert_eq!(full.only_name(&long), Err(Refusal::Full));
        assert_eq!(with("", "@.a ==").without_name("A"), Err(Refusal::Faulty));
    }

    /// Any string; with what needs an escape or hides more often than not.
    fn any_text() -> impl Strategy<Value = String> {
        let awkward = prop::sample::select(vec![
            "'", "\"", "\\", "\n", "\u{0}", "\u{202e}", "]", "..", "?", "$", "||", "😀",
            "\u{feff}", "/",
        ]);
        let part = prop_oneof![
            awkward.prop_map(str::to_owned),
            any::<char>().prop_map(String::from)
        ];
        vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let number = |n: f64| serde_json::Number::from_f64(n).map_or(Value::Null, Value::Number);
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(number),
            any_text().prop_map(Value::from),
        ];
        scalar.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                btree_map(any_text(), inner, 0..4).prop_map(|members| json!(members)),
            ]
        })
    }

    proptest! {
        /// What is filtered by a value passes, and what is filtered without it
        /// does not.
        #[test]
        fn the_event_itself_matches(name in any_text(), data in any_value()) {
            let text = json!({"event": name, "data": data, "timestamp": {"seconds": 1}}).to_string();
            let tree = tree(&text);
            for id in 0..tree.len() as NodeId {
                let filter = FilterText { expression: "@.no || @.event".into(), ..FilterText::default() };
                let by = |equal| filter.by_value(&tree, id, equal).map(|filter| filter.parse_expression().unwrap().unwrap());
                match offered(&tree, id) {
                    Ok(()) => {
                        prop_assert_eq!(by(true).map(|it| it.evaluate(&text)), Ok(Verdict::Accepted));
                        prop_assert_eq!(by(false).map(|it| it.evaluate(&text)), Ok(Verdict::Rejected));
                    }
                    Err(refusal) => prop_assert_eq!(by(true).map(|_| ()), Err(refusal)),
                }
            }
        }
    }
}
