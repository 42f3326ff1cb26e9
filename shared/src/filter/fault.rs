//! Where an expression that does not parse goes wrong, and what was probably
//! meant. The parser of the expressions itself gives up at the last place that
//! it understood, which is often before the fault.

/// What quotes text elsewhere, and what is said of it.
const QUOTES: [char; 6] = ['“', '”', '‘', '’', '„', '`'];
const STRAIGHT: &str = "text stands in straight quotes, `\"` or `'`";

/// What is wrong, and at which byte it is.
type Fault = (usize, String);

/// Said where something has to follow.
const ENDS: &str = "the expression ends too early";

/// The functions of RFC 9535, section 2.4: name, what its arguments are, and
/// what it returns.
const FUNCTIONS: [(&str, &[Operand], Operand); 5] = [
    ("length", &[Operand::Value], Operand::Value),
    ("count", &[Operand::Nodes], Operand::Value),
    ("value", &[Operand::Nodes], Operand::Value),
    (
        "match",
        &[Operand::Value, Operand::Value],
        Operand::Condition,
    ),
    (
        "search",
        &[Operand::Value, Operand::Value],
        Operand::Condition,
    ),
];

/// The operators of a comparison, longer ones first.
const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// What begins like one of those and is none.
const NO_COMPARISONS: [&str; 4] = ["===", "!==", "=~", "<>"];

/// What stands for an operator elsewhere, and what to write.
const OTHER_OPERATORS: [(&str, &str); 15] = [
    ("===", "`==`"),
    ("!==", "`!=`"),
    ("=>", "`>=`"),
    ("=<", "`<=`"),
    ("=~", "`match(…)` or `search(…)`"),
    ("<>", "`!=`"),
    ("=", "`==`"),
    ("&", "`&&`"),
    ("|", "`||`"),
    ("and", "`&&`"),
    ("or", "`||`"),
    ("is", "`==`"),
    ("in", "`==` for each, with `||` between"),
    ("contains", "`search(…)`"),
    ("like", "`match(…)` or `search(…)`"),
];

/// Words for values elsewhere, and what to write.
const OTHER_VALUES: [(&str, &str); 5] = [
    ("true", "true"),
    ("false", "false"),
    ("null", "null"),
    ("none", "null"),
    ("nil", "null"),
];

/// What an operand is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// A value that is written there.
    Literal,
    /// One value, or nothing: a path to one place, or a function's.
    Value,
    /// A path to one place.
    Path,
    /// A path to any number of places.
    Nodes,
    /// True or false by itself, and no value.
    Condition,
}

/// What is wrong with an expression, and at which byte. `None` where it seems
/// right.
pub(super) fn find(text: &str) -> Option<Fault> {
    let mut walk = Walk { text, at: 0 };
    let walked = walk.any().and_then(|()| walk.end());
    walked.err()
}

/// What stands at a byte does not belong there.
pub(super) fn unexpected(text: &str, at: usize) -> Fault {
    match text.get(at..).unwrap_or_default() {
        "" => (at.min(text.len()), ENDS.to_owned()),
        rest => {
            let start: String = rest.chars().take(20).collect();
            (at, format!("unexpected {start:?}"))
        }
    }
}

/// Walks through an expression by its grammar (RFC 9535, section 2.3.5.1).
struct Walk<'a> {
    text: &'a str,
    /// The next byte.
    at: usize,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        if is_there {
            self.at += token.len();
        }
        is_there
    }

    /// The word that begins here; empty where none does.
    fn word(&self) -> &'a str {
        word(self.rest())
    }

    /// What stands here does not belong here.
    fn unexpected(&self) -> Fault {
        unexpected(self.text, self.at)
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err((self.at, message.into()))
    }

    /// Conditions of which one has to hold.
    fn any(&mut self) -> Result<(), Fault> {
        loop {
            self.all()?;
            if !self.eat("||") {
                return Ok(());
            }
        }
    }

    /// Conditions that all have to hold.
    fn all(&mut self) -> Result<(), Fault> {
        loop {
            self.condition()?;
            if !self.eat("&&") {
                return Ok(());
            }
        }
    }

    fn condition(&mut self) -> Result<(), Fault> {
        self.skip_blanks();
        let is_negated = self.eat("!");
        self.skip_blanks();
        if self.eat("(") {
            self.any()?;
            match self.next() {
                Some(')') => self.at += 1,
                None => return self.fault("`)` is missing"),
                Some(_) => return Err(self.between()),
            }
            self.skip_blanks();
            if self.comparison().is_some() {
                return self.fault("what stands in parentheses cannot be compared");
            }
        } else {
            self.test_or_comparison(is_negated)?;
        }
        self.skip_blanks();
        Ok(())
    }

    fn test_or_comparison(&mut self, is_negated: bool) -> Result<(), Fault> {
        let start = self.at;
        let word = self.word();
        if word.eq_ignore_ascii_case("not") && !self.text[self.at + word.len()..].starts_with('(') {
            return self.fault("write `!` for `not`");
        }
        let left = self.operand(true)?;
        self.skip_blanks();
        let Some(comparison) = self.comparison() else {
            return match left {
                Operand::Path | Operand::Nodes | Operand::Condition => Ok(()),
                // Said of what follows, where that is no operator.
                _ if !self.is_at_end_of_condition() => Err(self.between()),
                Operand::Literal => Err((start, "a value by itself is no condition".into())),
                Operand::Value => {
                    Err((start, "this is a value, to be compared with another".into()))
                }
            };
        };
        self.at += comparison.len();
        if is_negated {
            return Err((start, "what `!` negates stands in parentheses".into()));
        }
        self.skip_blanks();
        let middle = self.at;
        let right = self.operand(false)?;
        for (start, operand) in [(start, left), (middle, right)] {
            let message = match operand {
                Operand::Nodes => "this may be several values, which cannot be compared",
                Operand::Condition => "this is true or false by itself, and cannot be compared",
                _ => continue,
            };
            return Err((start, message.to_owned()));
        }
        Ok(())
    }

    fn is_at_end_of_condition(&self) -> bool {
        let rest = self.rest();
        rest.is_empty()
            || ["&&", "||", ")", ","]
                .iter()
                .any(|end| rest.starts_with(end))
    }

    /// The operator of a comparison that stands here.
    fn comparison(&self) -> Option<&'static str> {
        let is_here = |it: &&str| self.rest().starts_with(it);
        let is_other = NO_COMPARISONS.iter().any(&is_here);
        COMPARISONS.into_iter().find(|it| !is_other && is_here(it))
    }

    /// All has to be read.
    fn end(&self) -> Result<(), Fault> {
        match self.rest() {
            "" => Ok(()),
            rest if rest.starts_with(')') => self.fault("`)` closes nothing"),
            _ => Err(self.between()),
        }
    }

    /// What is wrong between two operands.
    fn between(&self) -> Fault {
        if self.comparison().is_some() {
            return (self.at, "write `&&` between two comparisons".into());
        }
        let word = self.word();
        for (other, instead) in OTHER_OPERATORS {
            let is_it = match word {
                "" => self.rest().starts_with(other),
                word => word.eq_ignore_ascii_case(other),
            };
            if is_it {
                return (
                    self.at,
                    format!("`{other}` is no operator: write {instead}"),
                );
            }
        }
        self.unexpected()
    }

    fn operand(&mut self, is_left: bool) -> Result<Operand, Fault> {
        match self.next() {
            None => self.fault(ENDS),
            Some('@') => {
                self.at += 1;
                self.segments()
            }
            Some('"' | '\'') => self.string().map(|()| Operand::Literal),
            Some('.') if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let name = word(&self.rest()[1..]);
                self.fault(format!("a path begins with `@`: write `@.{name}`"))
            }
            Some('0'..='9' | '-' | '+' | '.') => self.number(),
            Some(c) if QUOTES.contains(&c) => self.fault(STRAIGHT),
            Some('[' | '{') if !is_left => {
                self.fault("an array or an object cannot be compared with")
            }
            Some('/') => self.fault("a pattern stands in quotes, in `match(…)` or `search(…)`"),
            Some(c) if is_in_name(c) => self.name(is_left),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// A function, or a word for a value.
    fn name(&mut self, is_left: bool) -> Result<Operand, Fault> {
        let word = self.word();
        let after = &self.text[self.at + word.len()..];
        if after.starts_with('(') {
            return self.function(word);
        }
        let is_function = FUNCTIONS.iter().any(|(name, ..)| *name == word);
        if is_function && after.trim_start().starts_with('(') {
            return self.fault(format!("no blank stands between `{word}` and `(`"));
        }
        let known = OTHER_VALUES
            .iter()
            .find(|(other, _)| word.eq_ignore_ascii_case(other));
        match known {
            Some((_, value)) if *value == word => {
                self.at += word.len();
                Ok(Operand::Literal)
            }
            Some((_, value)) => self.fault(format!("write `{value}`")),
            None if is_left && word.chars().all(|c| c.is_ascii_uppercase() || c == '_') => self
                .fault(format!(
                    "a name of an event stands beside this, or here as `@.event == \"{word}\"`"
                )),
            None if is_left || after.starts_with(['.', '[']) => {
                self.fault(format!("a path begins with `@`: write `@.{word}`"))
            }
            None => self.fault(format!("text stands in quotes: write `\"{word}\"`")),
        }
    }

    fn function(&mut self, name: &str) -> Result<Operand, Fault> {
        let Some((name, parameters, returns)) = FUNCTIONS.iter().find(|(known, ..)| *known == name)
        else {
            let names: Vec<_> = FUNCTIONS.iter().map(|(name, ..)| *name).collect();
            let (last, others) = names.split_last().unwrap_or((&"", &[]));
            let others = others.join(", ");
            return self.fault(format!(
                "no function `{name}`: there are {others} and {last}"
            ));
        };
        let start = self.at;
        self.at += name.len() + 1;
        let mut count = 0;
        loop {
            self.skip_blanks();
            if count == 0 && self.next() == Some(')') {
                break;
            }
            let before = self.at;
            let argument = self.operand(false)?;
            let message = match (parameters.get(count), argument) {
                (Some(Operand::Nodes), Operand::Path | Operand::Nodes) | (None, _) => None,
                (Some(Operand::Nodes), _) => Some("takes a path"),
                (Some(_), Operand::Nodes) => Some("takes one value, and this may be several"),
                (Some(_), Operand::Condition) => Some("takes a value, and this is a condition"),
                (Some(_), _) => None,
            };
            if let Some(message) = message {
                return Err((before, format!("`{name}` {message}")));
            }
            count += 1;
            self.skip_blanks();
            if !self.eat(",") {
                break;
            }
        }
        match self.next() {
            Some(')') => self.at += 1,
            None => return self.fault("`)` is missing"),
            Some(_) => return Err(self.unexpected()),
        }
        let wanted = parameters.len();
        if count != wanted {
            let arguments = if wanted == 1 { "argument" } else { "arguments" };
            let message = format!("`{name}` takes {wanted} {arguments}, and here are {count}");
            return Err((start, message));
        }
        Ok(*returns)
    }

    /// What follows `@`, or a member of it.
    fn segments(&mut self) -> Result<Operand, Fault> {
        let mut is_one = true;
        loop {
            let before = self.at;
            self.skip_blanks();
            if self.eat(".") {
                if self.eat("*") {
                    is_one = false;
                    continue;
                }
                let name = self.word();
                match name.chars().next() {
                    None if self.rest().trim_start().starts_with(is_in_name) => {
                        return self.fault("no blank stands after `.`");
                    }
                    None => return self.fault("a name is missing after `.`"),
                    Some('0'..='9') => {
                        return self.fault("what begins with a digit stands in brackets");
                    }
                    Some(_) => self.at += name.len(),
                }
                if self.next() == Some('-') && self.text[self.at + 1..].starts_with(is_in_name) {
                    return self.fault(format!(
                        "a name with `-` stands in brackets: `['{name}-…']`"
                    ));
                }
            } else if self.eat("[") {
                is_one &= self.selectors()?;
            } else {
                if before == self.at && self.next().is_some_and(is_in_name) {
                    let message = format!("`.` is missing before `{}`", self.word());
                    return self.fault(message);
                }
                self.at = before;
                return Ok(if is_one {
                    Operand::Path
                } else {
                    Operand::Nodes
                });
            }
        }
    }

    /// What stands in brackets; answers whether it is one place.
    fn selectors(&mut self) -> Result<bool, Fault> {
        let start = self.at - 1;
        let mut is_one = true;
        loop {
            self.skip_blanks();
            match self.next() {
                None => return Err((start, "`[` is not closed".into())),
                Some('"' | '\'') => self.string()?,
                Some('*') => {
                    self.at += 1;
                    is_one = false;
                }
                Some('0'..='9' | '-' | '+' | '.' | ':') => is_one &= self.index()?,
                Some(c) if QUOTES.contains(&c) => return self.fault(STRAIGHT),
                Some(c) if is_in_name(c) => {
                    let message =
                        format!("a name in brackets stands in quotes: `['{}']`", self.word());
                    return self.fault(message);
                }
                Some(_) => return Err(self.unexpected()),
            }
            self.skip_blanks();
            match self.next() {
                Some(']') => {
                    self.at += 1;
                    return Ok(is_one);
                }
                Some(',') => {
                    self.at += 1;
                    is_one = false;
                }
                Some(_) if self.rest().contains(']') => return Err(self.unexpected()),
                _ => return Err((start, "`[` is not closed".into())),
            }
        }
    }

    /// An index or a slice (RFC 9535, sections 2.3.3 and 2.3.4); answers whether
    /// it is one place.
    fn index(&mut self) -> Result<bool, Fault> {
        let rest = self.rest();
        let end = rest.find([',', ']']).unwrap_or(rest.len());
        let text = rest[..end].trim_end();
        let is_number = |part: &str| {
            let part = part.trim();
            let digits = part.strip_prefix('-').unwrap_or(part);
            let is_short = digits == "0" || !digits.starts_with('0');
            let is_digits = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
            is_digits && is_short && part != "-0"
        };
        let parts: Vec<_> = text.split(':').collect();
        let is_right = match &*parts {
            [index] => is_number(index),
            parts => {
                parts.len() <= 3 && parts.iter().all(|it| it.trim().is_empty() || is_number(it))
            }
        };
        if !is_right {
            let start: String = text.chars().take(20).collect();
            return self.fault(format!("`{start}` is no index"));
        }
        self.at += text.len();
        Ok(parts.len() == 1)
    }

    /// A string, with its escapes (RFC 9535, section 2.3.1.1).
    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let quote = self.next();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            match c {
                _ if Some(c) == quote => {
                    self.at = start + at + 1;
                    return Ok(());
                }
                '\\' => match characters.next() {
                    Some((_, 'b' | 'f' | 'n' | 'r' | 't' | '/' | '\\')) => {}
                    Some((_, 'u')) => {
                        let escapes = &self.text[start + at..];
                        let Some(length) = escaped(escapes) else {
                            let message =
                                "`\\u` takes four hexadecimal digits, of a whole character";
                            return Err((start + at, message.into()));
                        };
                        // Without the two that were taken.
                        characters.by_ref().take(length - 2).for_each(drop);
                    }
                    Some((_, c)) if Some(c) == quote => {}
                    Some((_, c)) => return Err((start + at, format!("`\\{c}` is no escape"))),
                    None => break,
                },
                '\0'..='\x1f' => {
                    let message = "a control character stands as an escape in a string";
                    return Err((start + at, message.into()));
                }
                _ => {}
            }
        }
        Err((start, "the string is not closed".into()))
    }

    /// A number (RFC 9535, section 2.3.5.1).
    fn number(&mut self) -> Result<Operand, Fault> {
        let rest = self.rest();
        let is_part = |c: char| is_in_name(c) || matches!(c, '.' | '-' | '+');
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let number = &rest[..end];
        if number != "-0" && serde_json::from_str::<serde_json::Number>(number).is_err() {
            return self.fault(format!("`{number}` is no number"));
        }
        self.at += end;
        Ok(Operand::Literal)
    }
}

/// How many bytes of escapes (`\uXXXX`) the character takes that these begin
/// with; `None` where they are none.
fn escaped(escapes: &str) -> Option<usize> {
    let unit = |at: usize| {
        let escape = escapes.get(at..at + 6)?.strip_prefix("\\u")?;
        let is_hex = escape.bytes().all(|it| it.is_ascii_hexdigit());
        u16::from_str_radix(escape, 16).ok().filter(|_| is_hex)
    };
    match unit(0)? {
        0xD800..=0xDBFF => matches!(unit(6), Some(0xDC00..=0xDFFF)).then_some(12),
        0xDC00..=0xDFFF => None,
        _ => Some(6),
    }
}

/// The word that a text begins with; empty where it begins with none.
fn word(text: &str) -> &str {
    text.split(|c: char| !is_in_name(c))
        .next()
        .unwrap_or_default()
}

/// Whether a name that stands after a dot has this character.
fn is_in_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::{Expression, ExpressionError};

    #[test]
    fn the_fault_is_where_it_is_and_says_what_was_meant() {
        for (text, column, words) in [
            ("@.data.status == concluded", 18, "write `\"concluded\"`"),
            ("@.a == ", 8, ENDS),
            ("@.a == 'x", 8, "the string is not closed"),
            ("@.a == 'it's'", 12, "unexpected"),
            (r"@.a == 'x\d'", 10, r"`\d` is no escape"),
            ("@.a == “x”", 8, "straight quotes"),
            ("@[“a”]", 3, "straight quotes"),
            (r#"@.a == "\u12""#, 9, "four hexadecimal digits"),
            (r#"@.a == "\ud800x""#, 9, "a whole character"),
            (".data.x == 1", 1, "write `@.data`"),
            ("@.a == .b", 8, "write `@.b`"),
            ("@. a", 3, "no blank"),
            (
                "length (@.a) > 1",
                1,
                "no blank stands between `length` and `(`",
            ),
            ("1 < length (@.a)", 5, "no blank stands between"),
            ("(@.a) == 1", 7, "in parentheses cannot be compared"),
            ("@.n => 5", 5, "write `>=`"),
            ("@.n =< 5", 5, "write `<=`"),
            ("@.n !== 5", 5, "write `!=`"),
            ("@.a[01] == 1", 5, "`01` is no index"),
            ("@.a[1 2]", 5, "`1 2` is no index"),
            ("@.a[1.5]", 5, "`1.5` is no index"),
            ("@.a[-]", 5, "`-` is no index"),
            ("@.a[1:2:3:4]", 5, "is no index"),
            ("@['it's']", 7, "unexpected"),
            ("@.a == True", 8, "write `true`"),
            ("@.a == None", 8, "write `null`"),
            ("@.a == 5k", 8, "`5k` is no number"),
            ("@.a == [1]", 8, "cannot be compared with"),
            ("@.a == /x/", 8, "a pattern stands in quotes"),
            ("data.x == 1", 1, "write `@.data`"),
            ("@.a && (data.x == 1)", 9, "write `@.data`"),
            ("!data.x", 2, "write `@.data`"),
            ("STOP", 1, "`@.event == \"STOP\"`"),
            ("@data.x", 2, "`.` is missing before `data`"),
            ("@.data.", 8, "a name is missing"),
            ("@.data. == 1", 8, "a name is missing"),
            ("@.a.0", 5, "in brackets"),
            ("@.a-b == 1", 4, "in brackets"),
            ("@[a] == 1", 3, "`['a']`"),
            ("@['a' == 1", 2, "`[` is not closed"),
            ("@.a = 1", 5, "`=` is no operator: write `==`"),
            ("@.a === 1", 5, "`===` is no operator"),
            ("@.a =~ 'x'", 5, "`search(…)`"),
            ("@.a <> 1", 5, "write `!=`"),
            ("@.a == 1 and @.b", 10, "write `&&`"),
            ("@.a | @.b", 5, "write `||`"),
            ("@.a == 1 == 2", 10, "between two comparisons"),
            ("(@.a && @.b", 12, "`)` is missing"),
            ("(@.a) && @.b)", 13, "`)` closes nothing"),
            ("not @.a", 1, "write `!`"),
            ("!@.a == 1", 2, "parentheses"),
            ("@.list[*] == 1", 1, "several values"),
            ("1 == @.b[0:1]", 6, "several values"),
            ("length(@.a)", 1, "to be compared"),
            ("length(@.a[*]) > 1", 8, "`length` takes one value"),
            ("count(1) > 1", 7, "`count` takes a path"),
            ("match(@.a)", 1, "`match` takes 2 arguments, and here are 1"),
            ("match(@.a, 'x') == true", 1, "true or false by itself"),
            ("Length(@.a) > 1", 1, "no function `Length`"),
            ("'x'", 1, "a value by itself"),
        ] {
            let error = text.parse::<Expression>().unwrap_err();
            assert_eq!(error.column(), Some(column), "{text}: {error}");
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }

    /// Parts of expressions, put together in any order.
    fn parts() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "@", ".a", "['b']", "[0]", "[-1]", "[*]", ".*", "[1:2]", "['a', 0]", " ", "==", "!=",
            "<", ">=", "=", "&&", "||", "!", "(", ")", "'x'", "\"y\"", "1", "-2.5e3", "01", "true",
            "null", "length(", "count(", "value(", "match(", ",", "and", "x", ".", "[", "]", "'",
            "ü",
        ]);
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn what_parses_has_no_fault_and_no_text_is_too_strange(text in parts(), any in "\\PC{0,24}") {
            for text in [text, any] {
                let fault = find(&text);
                if let Ok(expression) = text.parse::<Expression>() {
                    prop_assert!(fault.is_none(), "{expression}: {fault:?}");
                } else if let Some((at, message)) = fault {
                    prop_assert!(text.is_char_boundary(at) && !message.is_empty(), "{text}");
                } else if let Err(error) = text.parse::<Expression>() {
                    // What is not found is said by the one place that is known.
                    let is_explained = !matches!(error, ExpressionError::Syntax { .. })
                        || ["unexpected", ENDS, "closes nothing", "separates nothing", "are open"]
                            .iter()
                            .any(|words| error.to_string().contains(words));
                    prop_assert!(is_explained, "{text}: {error}");
                }
            }
        }
    }
}
