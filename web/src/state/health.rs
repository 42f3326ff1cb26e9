//! Whether the console says that it can do its work: `/readyz`, as text.

use super::text::{clip, visible};

/// Most reasons that are shown.
const MOST: usize = 4;

/// Longest reason that is shown, in bytes.
const LONGEST: usize = 400;

/// Why the console is not ready, one sentence each; empty when it is. `None`
/// when the answer says neither: it is some proxy's.
pub(crate) fn reasons(status: u16, body: &str) -> Option<Vec<String>> {
    match status {
        200 => Some(Vec::new()),
        503 => {
            let lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
            let reasons: Vec<String> = lines.take(MOST).map(sentence).collect();
            let is_ours = !reasons.is_empty() && !body.trim_start().starts_with('<');
            is_ours.then_some(reasons)
        }
        _ => None,
    }
}

/// What it means for those who work with the console, where that can be told.
pub(crate) fn consequence(reasons: &[String]) -> Option<&'static str> {
    let is_journal = |reason: &String| reason.starts_with("The journal cannot be written");
    reasons.iter().any(is_journal).then_some(
        "Until it can be, events and commands are on record in memory only, and lost when the console ends.",
    )
}

/// The line with a capital and a full stop.
fn sentence(line: &str) -> String {
    let (line, left_out) = clip(line, LONGEST);
    let mut characters = line.chars();
    let first = characters.next().map(char::to_uppercase);
    let text: String = first.into_iter().flatten().chain(characters).collect();
    let mut text = visible(&text).into_owned();
    if left_out > 0 {
        text.push('…');
    } else if !text.ends_with('.') {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_no_reason() {
        assert_eq!(reasons(200, "ok"), Some(Vec::new()));
    }

    #[test]
    fn each_line_is_a_reason() {
        let body =
            "the journal cannot be written: database or disk is full\nthe console is stopping\n";
        assert_eq!(
            reasons(503, body).unwrap(),
            [
                "The journal cannot be written: database or disk is full.",
                "The console is stopping."
            ]
        );
        let long = "x".repeat(1000) + &"\ny".repeat(100);
        let reasons = reasons(503, &long).unwrap();
        assert_eq!(reasons.len(), MOST);
        assert!(reasons[0].len() < LONGEST + 8 && reasons[0].ends_with('…'));
        assert_eq!(reasons[1], "Y.");
    }

    #[test]
    fn a_journal_in_memory_has_consequences() {
        let told = |text: &str| consequence(&reasons(503, text).unwrap());
        assert!(told("the journal cannot be written: no space").is_some());
        assert!(told("the console is stopping").is_none());
    }

    #[test]
    fn what_others_answer_is_no_news() {
        assert_eq!(reasons(502, "bad gateway"), None);
        assert_eq!(reasons(503, ""), None);
        assert_eq!(reasons(503, "<html><h1>503</h1></html>"), None);
    }
}
