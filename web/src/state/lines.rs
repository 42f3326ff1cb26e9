//! A text as lines, of which only those in sight are drawn; and where something
//! is in a text that is too long to be drawn.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::find::{contains, find};
use super::text::{clip, counted, visible};

/// Most lines that are shown: browsers have no higher page.
const MOST: usize = 700_000;

/// Longest part of a line that is shown, in bytes.
const LONGEST: usize = 4096;

/// Most places that are looked for in a text without lines.
const MOST_PLACES: usize = 100_000;

/// A text, taken apart at its line ends: `\n`, and `\r\n`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    text: Arc<str>,
    /// Where each line begins. Of 32 bits, as all that a browser's memory has.
    starts: Vec<u32>,
    /// All lines there are, also those that are not shown.
    total: usize,
}

impl Lines {
    /// The lines of a text.
    pub(crate) fn new(text: Arc<str>) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let after = ends.map(|(at, _)| at + 1).filter(|at| *at < text.len());
        let all = std::iter::once(0).chain(after);
        let mut starts = Vec::new();
        let mut total = 0;
        for start in all {
            total += 1;
            if total <= MOST {
                starts.push(start as u32);
            }
        }
        Self {
            text,
            starts,
            total,
        }
    }

    /// How many lines are shown; at least one.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// A line without its end; empty for one that is not there.
    fn line(&self, at: usize) -> &str {
        let start = self
            .starts
            .get(at)
            .map_or(self.text.len(), |at| *at as usize);
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// A line as it is shown: tabs stay, and whatever else hides is written out.
    pub(crate) fn shown(&self, at: usize) -> String {
        let (start, left_out) = clip(self.line(at), LONGEST);
        let mut shown = tabbed(start);
        if left_out > 0 {
            shown.push('…');
        }
        shown
    }

    /// How many lines and bytes it has, for people.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        if self.total > self.len() {
            words = "The first ".to_owned() + &counted(self.len() as u64, "line") + " of ";
        }
        let (lines, bytes) = (self.total as u64, self.text.len() as u64);
        words + &counted(lines, "line") + ", " + &counted(bytes, "byte")
    }

    /// The lines that the text before did not have, each as often as it is new.
    pub(crate) fn fresh(&self, before: &Self) -> Vec<u32> {
        let mut left: HashMap<&str, u32> = HashMap::new();
        for at in 0..before.len() {
            *left.entry(before.line(at)).or_default() += 1;
        }
        let is_fresh = |at: &u32| match left.get_mut(self.line(*at as usize)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        (0..self.len() as u32).filter(is_fresh).collect()
    }

    /// The lines that have the text in them, whatever the case of its ASCII
    /// letters. None has an empty text in it.
    pub(crate) fn search(&self, wanted: &str) -> Vec<u32> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let has = |at: &u32| contains(self.line(*at as usize), wanted);
        (0..self.len() as u32).filter(has).collect()
    }
}

fn tabbed(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (index, part) in text.split('\t').enumerate() {
        if index > 0 {
            shown.push('\t');
        }
        shown.push_str(&visible(part));
    }
    shown
}

/// Where the text is, in bytes, as [`Lines::search`] finds it; the first places.
pub(crate) fn places(text: &str, wanted: &str) -> Vec<u32> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| find(rest, wanted)) {
        places.push((from + at) as u32);
        from += at + wanted.len();
        if places.len() >= MOST_PLACES {
            break;
        }
    }
    places
}

/// The page of `size` bytes around a place that has it whole, if it is of
/// `length` bytes: from a character to a character.
pub(crate) fn page(text: &str, at: usize, length: usize, size: usize) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let number = at.min(text.len().saturating_sub(1)) / size;
    let end = ((number + 1) * size).max(at + length);
    floor(number * size)..floor(end)
}

/// What is shown of a text on several lines: their ends stay, whatever else
/// hides is written out.
pub(crate) fn shown(text: &str) -> String {
    let lines = text.split('\n');
    let lines = lines.map(|line| visible(line.trim_end_matches('\r')));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_lines(text: &str) -> Vec<String> {
        let lines = Lines::new(text.into());
        (0..lines.len()).map(|at| lines.shown(at)).collect()
    }

    #[test]
    fn a_text_is_its_lines() {
        assert_eq!(shown_lines("a\r\n\tb\n\nc"), ["a", "\tb", "", "c"]);
        assert_eq!(shown_lines("a\r\n"), ["a"]);
        assert_eq!(shown_lines("\n"), [""]);
        assert_eq!(shown_lines(""), [""]);
        assert_eq!(
            shown_lines("<b>\u{202e}\u{1b}[1m\r\n\r"),
            ["<b>\\u202e\\u001b[1m", ""]
        );
        let lines = Lines::new("é\r\nb".into());
        assert_eq!(lines.words(), "2 lines, 5 bytes");
        assert_eq!((lines.line(9), &**lines.text()), ("", "é\r\nb"));
    }

    #[test]
    fn long_lines_and_many_lines_have_an_end() {
        let shown = shown_lines(&("é".repeat(3000) + "\nb"));
        assert_eq!((shown[0].len(), shown[1].as_str()), (4096 + "…".len(), "b"));
        let many = Lines::new("\n".repeat(MOST + 5).into());
        assert_eq!(many.len(), MOST);
        assert_eq!(
            many.words(),
            "The first 700,000 lines of 700,005 lines, 700,005 bytes"
        );
    }

    #[test]
    fn lines_are_found() {
        let lines = Lines::new("bus: main\r\n dev: X\n  BUS 1\n".into());
        assert_eq!(lines.search("bus"), [0, 2]);
        assert!(lines.search("\r").is_empty());
        assert!(lines.search("").is_empty());
    }

    #[test]
    fn lines_that_are_new_are_found() {
        let lines = |text: &str| Lines::new(text.into());
        let now = lines("a\nb\r\nb\nc");
        assert_eq!(now.fresh(&lines("c\na\nb\n")), [2]);
        assert_eq!(now.fresh(&lines("")), [0, 1, 2, 3]);
        assert!(now.fresh(&now).is_empty());
    }

    #[test]
    fn places_are_on_pages() {
        assert_eq!(places("aXbx\u{e9}x", "x"), [1, 3, 6]);
        assert_eq!(places("aaa", "aa"), [0]);
        assert!(places("a", "").is_empty());
        let text = "é".repeat(10);
        assert_eq!(page(&text, 0, 0, 5), 0..4);
        assert_eq!(page(&text, 6, 2, 5), 4..10);
        // What goes over the end of its page is on it all the same.
        assert_eq!(page(&text, 8, 4, 5), 4..12);
        assert_eq!(page(&text, 99, 0, 5), 14..20);
        assert_eq!(page("", 0, 0, 5), 0..0);
        assert_eq!(shown("a\r\n\u{202e}"), "a\n\\u202e");
    }
}
