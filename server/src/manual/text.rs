//! Roff's lines: escapes resolved to plain characters, arguments of requests.

/// How long, in bytes, the name or argument of an escape may be.
const ARGUMENT_LIMIT: usize = 256;

/// The plain text of a roff line.
///
/// Fonts, sizes and link targets are dropped. So are control characters and
/// those that turn the direction of text, which no manual needs and which could
/// make a page show something other than what it says. A tab stays.
pub(super) fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        out.extend(rest[..at].chars().filter(|c| shown(*c)));
        rest = escape(&rest[at + 1..], &mut out);
    }
    out.extend(rest.chars().filter(|c| shown(*c)));
    out
}

fn shown(c: char) -> bool {
    let directs = matches!(c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    c == '\t' || !(c.is_control() || directs)
}

/// Resolves the escape whose backslash stood before `whole`; returns what is
/// after it.
fn escape<'a>(whole: &'a str, out: &mut String) -> &'a str {
    let mut chars = whole.chars();
    let Some(kind) = chars.next() else {
        return whole;
    };
    let rest = chars.as_str();
    match kind {
        'e' | 'E' | '\\' => out.push('\\'),
        ' ' | '~' | '0' | 't' => out.push(' '),
        '\'' => out.push('´'),
        '%' => return link_target(rest, out),
        '&' | ':' | '/' | ',' | '|' | '^' | '!' | ')' | 'a' | 'c' | 'd' | 'p' | 'r' | 'u' | 'z'
        | '{' | '}' => {}
        // A comment: to the end of the line.
        '"' | '#' => return "",
        'f' | 'F' | 'g' | 'k' | 'M' | 'm' | 'n' | 'V' | 'Y' => return name(signed(rest)).1,
        's' => return size(rest),
        '*' => {
            let (string, after) = name(rest);
            out.push_str(glyph(string));
            return after;
        }
        '(' | '[' => {
            let (string, after) = name(whole);
            push_glyph(string, out);
            return after;
        }
        'C' => {
            let (string, after) = quoted(rest);
            push_glyph(string, out);
            return after;
        }
        'A' | 'B' | 'b' | 'D' | 'H' | 'h' | 'L' | 'l' | 'N' | 'o' | 'R' | 'S' | 'v' | 'w' | 'X'
        | 'x' | 'Z' => return quoted(rest).1,
        // The character itself: `\-`, `\.` and those that mean nothing.
        c if shown(c) => out.push(c),
        _ => {}
    }
    rest
}

/// After `\%`, which itself is nothing to see: a link within the documentation,
/// ` <#command-QMP-x.y>`, leads nowhere from here. A URL stays.
fn link_target<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let target = rest
        .strip_prefix('<')
        .filter(|inner| inner.starts_with(['#', '>']));
    match target.and_then(|inner| until(inner, '>')) {
        Some((_, after)) => {
            out.truncate(out.trim_end_matches(' ').len());
            after
        }
        None => rest,
    }
}

/// A name in one of its three forms, `x`, `(xx` or `[any]`, and what follows.
/// What is not closed in its line is no name.
fn name(rest: &str) -> (&str, &str) {
    if let Some(open) = rest.strip_prefix('[') {
        return until(open, ']').unwrap_or(("", open));
    }
    match rest.strip_prefix('(') {
        Some(open) => split_chars(open, 2),
        None => split_chars(rest, 1),
    }
}

/// An argument between two of the same character.
fn quoted(rest: &str) -> (&str, &str) {
    let mut chars = rest.chars();
    let Some(mark) = chars.next() else {
        return ("", rest);
    };
    let inner = chars.as_str();
    until(inner, mark).unwrap_or(("", inner))
}

/// What is before an ASCII character and what is after it, if that is near: a
/// line of many escapes that are not closed is not to be searched for each.
fn until(text: &str, mark: char) -> Option<(&str, &str)> {
    let mark = u8::try_from(mark).ok().filter(u8::is_ascii)?;
    let near = &text.as_bytes()[..text.len().min(ARGUMENT_LIMIT)];
    let at = near.iter().position(|byte| *byte == mark)?;
    Some((&text[..at], &text[at + 1..]))
}

/// After `\s`: `0`, `+1`, `(12`, `[12]` or `'12'`.
fn size(rest: &str) -> &str {
    let rest = signed(rest);
    if rest.starts_with('\'') {
        return quoted(rest).1;
    }
    name(rest).1
}

fn signed(rest: &str) -> &str {
    rest.strip_prefix(['+', '-']).unwrap_or(rest)
}

fn split_chars(text: &str, count: usize) -> (&str, &str) {
    let at = text
        .char_indices()
        .nth(count)
        .map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

fn push_glyph(name: &str, out: &mut String) {
    let numbered = name
        .strip_prefix('u')
        .filter(|hex| (4..=6).contains(&hex.len()))
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .and_then(char::from_u32);
    match numbered {
        Some(c) => out.extend(Some(c).filter(|c| shown(*c))),
        None => out.push_str(glyph(name)),
    }
}

/// The characters that a documentation tool's writer names, of `groff_char(7)`;
/// the empty string for all others.
fn glyph(name: &str) -> &'static str {
    match name {
        "Aq" | "aq" => "'",
        "dq" | "Dq" => "\"",
        "bu" => "•",
        "ci" => "○",
        "sq" => "□",
        "hy" => "‐",
        "mi" => "−",
        "en" => "–",
        "em" => "—",
        "lq" => "“",
        "rq" => "”",
        "oq" => "‘",
        "cq" => "’",
        "Bq" => "„",
        "bq" => "‚",
        "Fo" => "«",
        "Fc" => "»",
        "ga" => "`",
        "aa" => "´",
        "ha" | "a^" => "^",
        "ti" | "a~" => "~",
        "rs" => "\\",
        "sl" => "/",
        "ba" | "or" => "|",
        "at" => "@",
        "sh" => "#",
        "Do" => "$",
        "ul" => "_",
        "lB" => "[",
        "rB" => "]",
        "lC" => "{",
        "rC" => "}",
        "la" => "⟨",
        "ra" => "⟩",
        "co" => "©",
        "rg" | "R" => "®",
        "tm" | "Tm" => "™",
        "de" => "°",
        "mc" => "µ",
        "mu" => "×",
        "di" => "÷",
        "+-" => "±",
        "<=" => "≤",
        ">=" => "≥",
        "!=" => "≠",
        "==" => "≡",
        "->" => "→",
        "<-" => "←",
        "da" => "↓",
        "ua" => "↑",
        "sc" => "§",
        "ss" => "ß",
        ":a" => "ä",
        ":o" => "ö",
        ":u" => "ü",
        _ => "",
    }
}

/// The arguments of a request, plain: separated by spaces, quoted if they hold
/// some.
pub(super) fn arguments(rest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = rest.trim();
    while !rest.is_empty() && !rest.starts_with("\\\"") {
        let (argument, after) = match rest.strip_prefix('"') {
            Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
            None => split_word(rest),
        };
        found.push(plain(argument));
        rest = after.trim_start();
    }
    found
}

/// The first word, in which a space after a backslash is no end.
fn split_word(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && (c == ' ' || c == '\t') {
            return text.split_at(at);
        }
        escaped = c == '\\' && !escaped;
    }
    (text, "")
}

/// Some versions of the documentation tool forget a line feed: they leave
/// `.INDENT 7.0` at the end of the line of text before it, or a heading right
/// after what is bold.
pub(super) fn unglue(line: &str) -> (&str, Option<&str>) {
    const BOLD_END: &str = "\\fP";
    let indent = line.rfind(".INDENT ").filter(|at| {
        let amount = line[at + ".INDENT ".len()..].trim_end();
        !amount.is_empty() && amount.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    let heading = || {
        [r"\fP.SS ", r"\fP.SH "]
            .iter()
            .find_map(|glued| Some(line.find(glued)? + BOLD_END.len()))
    };
    match indent.or_else(heading) {
        Some(at) => (&line[..at], Some(&line[at..])),
        None => (line, None),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn escapes_become_characters() {
        for (roff, text) in [
            (
                r"\fBjob\-id\fP: \fBstring\fP (optional)",
                "job-id: string (optional)",
            ),
            (r"QEMU\(aqs \(dqkey\(dq \*(Aqx\*(Aq", "QEMU's \"key\" 'x'"),
            (r"\(bu \[u00E9]\C'bu' \[dq]", "• é• \""),
            (r"above \fBtop\fP\&.", "above top."),
            (r"enabled\er\en\\", r"enabled\r\n\"),
            (
                r"\X'tty: link http://a.b'\fI\%http://a.b\fP\X'tty: link'.",
                "http://a.b.",
            ),
            (r"a\s-2b\s0c\s+1d\s'3'e\s(10f\s[10]g", "abcdefg"),
            (
                r"the query\-status \%<#command-QMP-x.y> command, Index \%<>\&.",
                "the query-status command, Index.",
            ),
            (
                r"GnuTLS \%<https://a.b>, \%<#open",
                "GnuTLS <https://a.b>, <#open",
            ),
            (r"\f[B]bold\f[] \f(CWmono\fR \m[red]r\m[]", "bold mono r"),
            (r#"shown \" not shown"#, "shown "),
            (r"50\0%\ \~x", "50 %  x"),
        ] {
            assert_eq!(plain(roff), text, "{roff}");
        }
    }

    #[test]
    fn what_is_not_closed_ends_with_the_line() {
        for roff in [
            "\\", "\\f", "\\f(", "\\f[", "\\(", "\\(a", "\\[", "\\X", "\\X'", "\\*", "\\s", "\\s+",
            "\\C",
        ] {
            assert_eq!(plain(&format!("a{roff}")), "a", "{roff}");
        }
        assert_eq!(plain("\\X'lost? no"), "lost? no");
        assert_eq!(plain("\\[bu and on"), "bu and on");
        assert_eq!(plain("\\é\\fé\\(éé."), "é.");
    }

    #[test]
    fn controls_and_direction_marks_are_dropped() {
        assert_eq!(
            plain("a\u{202e}b\u{1b}[31mc\0\u{7f}\u{85}\td\\\u{202e}"),
            "ab[31mc\td"
        );
        assert_eq!(plain(r"\[u202E]x\[u0007]\[uD800]\[u110000]"), "x");
    }
}
