//! Ranks command names and their documentation against what was typed into the
//! search box.

use super::text::visible;

/// Most bytes of a snippet before its hit, and behind.
const AROUND: (usize, usize) = (32, 72);

/// Most letters of a query that are looked for at the beginnings of words.
const MAX_INITIALS: usize = 16;

/// Fewest letters of a query that is looked for in documentation.
const MIN_QUERY: usize = 3;

/// The names that match `query`, best first; all of them, in order, for an
/// empty query. Blanks, `-` and `_` are alike and case does not count: every
/// word of the query has to occur in the name, or its letters in order.
pub(crate) fn rank<'a>(names: impl Iterator<Item = &'a str>, query: &str) -> Vec<usize> {
    let query = fold(query);
    let query = query.trim_matches('-');
    if query.is_empty() {
        return (0..names.count()).collect();
    }
    let mut hits: Vec<(u32, usize)> = names
        .enumerate()
        .filter_map(|(index, name)| Some((score(&fold(name), query)?, index)))
        .collect();
    hits.sort_unstable();
    hits.into_iter().map(|(_, index)| index).collect()
}

/// Prose that can be searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// Each as it is, and folded, which leaves every byte at its place.
    paragraphs: Vec<(String, String)>,
}

/// A piece of prose around what was found in it, with nothing hidden in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Snippet {
    pub(crate) before: String,
    pub(crate) hit: String,
    pub(crate) after: String,
}

impl Text {
    /// Adds a paragraph; earlier ones count for more.
    pub(crate) fn push(&mut self, paragraph: String) {
        let folded = fold(&paragraph);
        self.paragraphs.push((paragraph, folded));
    }
}

/// The texts in which every word of `query` begins a word, best first.
pub(crate) fn rank_texts<'a>(
    texts: impl Iterator<Item = &'a Text>,
    query: &str,
) -> Vec<(usize, Snippet)> {
    let query = fold(query);
    let query = query.trim_matches('-');
    if query.len() < MIN_QUERY {
        return Vec::new();
    }
    let mut hits: Vec<((u32, usize), usize, Snippet)> = texts
        .enumerate()
        .filter_map(|(index, text)| {
            let (score, snippet) = text.find(query)?;
            Some((score, index, snippet))
        })
        .collect();
    hits.sort_by_key(|(score, index, _)| (*score, *index));
    let found = hits.into_iter();
    found.map(|(_, index, snippet)| (index, snippet)).collect()
}

impl Text {
    /// Smaller is better: the words in a row, or in one paragraph, or strewn;
    /// then the place of the paragraph.
    fn find(&self, query: &str) -> Option<((u32, usize), Snippet)> {
        let hit = |word: &str| {
            let mut paragraphs = self.paragraphs.iter().enumerate();
            paragraphs.find_map(|(index, (_, text))| Some((index, begins(text, word)?)))
        };
        if let Some((index, at)) = hit(query) {
            return Some(((0, index), self.snippet(index, at, query.len())));
        }
        let words: Vec<&str> = query.split('-').filter(|word| !word.is_empty()).collect();
        let together = self
            .paragraphs
            .iter()
            .position(|(_, text)| words.iter().all(|word| begins(text, word).is_some()));
        let first = *words.first()?;
        if let Some(index) = together {
            let at = begins(&self.paragraphs[index].1, first)?;
            return Some(((1, index), self.snippet(index, at, first.len())));
        }
        let (index, at) = hit(first)?;
        let is_everywhere = words.iter().all(|word| hit(word).is_some());
        is_everywhere.then(|| ((2, index), self.snippet(index, at, first.len())))
    }

    fn snippet(&self, paragraph: usize, at: usize, length: usize) -> Snippet {
        let text = &self.paragraphs[paragraph].0;
        let end = at + length;
        let mut from = at.saturating_sub(AROUND.0);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let mut to = text.len().min(end + AROUND.1);
        while !text.is_char_boundary(to) {
            to -= 1;
        }
        // Whole words, where there are blanks to tell.
        let (mut before, mut after) = (&text[from..at], &text[end..to]);
        let (mut start, mut rest) = ("", "");
        if from > 0 {
            start = "…";
            before = before.split_once(' ').map_or(before, |(_, words)| words);
        }
        if to < text.len() {
            rest = "…";
            after = after.rsplit_once(' ').map_or(after, |(words, _)| words);
        }
        let line = |text: &str| visible(&text.replace(['\n', '\t'], " ")).into_owned();
        Snippet {
            before: start.to_owned() + &line(before),
            hit: line(&text[at..end]),
            after: line(after) + rest,
        }
    }
}

/// Where `word` begins a word of the text, both folded.
fn begins(text: &str, word: &str) -> Option<usize> {
    let mut places = text.match_indices(word).map(|(at, _)| at);
    places.find(|&at| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric())
    })
}

/// Smaller is better; `None` is no match.
fn score(name: &str, query: &str) -> Option<u32> {
    let length = name.len().min(999) as u32;
    if name == query {
        return Some(0);
    }
    if name.starts_with(query) {
        return Some(1_000 + length);
    }
    if let Some(at) = name.find(query) {
        let at_word = name.as_bytes()[at - 1] == b'-';
        return Some(if at_word { 2_000 } else { 3_000 } + length);
    }
    if query.split('-').all(|word| name.contains(word)) {
        return Some(4_000 + length);
    }
    if let Some(cost) = initials(name, query) {
        return Some(5_000 + cost * 100 + length.min(99));
    }
    spread(name, query).map(|gaps| 10_000 + gaps.min(900))
}

/// The letters of `query` in order within `name`, the first and most others
/// where words begin: how many do not, those for more that stand alone. So
/// `bda` is a match of `blockdev-add`.
fn initials(name: &str, query: &str) -> Option<u32> {
    let letters: Vec<u8> = query.bytes().filter(|&byte| byte != b'-').collect();
    let (name, count) = (name.as_bytes(), letters.len());
    if !(2..=MAX_INITIALS).contains(&count) {
        return None;
    }
    // The cheapest way to have the letter here, by the places of the name.
    let mut costs: Vec<Option<u32>> = vec![None; name.len()];
    for (index, letter) in letters.iter().enumerate() {
        let mut next = vec![None; name.len()];
        // The cheapest way of the letters before, ending further left.
        let mut before: Option<u32> = None;
        for at in 0..name.len() {
            let is_start = at == 0 || name[at - 1] == b'-';
            let follows = at.checked_sub(1).and_then(|at| costs[at]);
            if name[at] == *letter {
                next[at] = match (index, is_start) {
                    (0, true) => Some(0),
                    (0, false) => None,
                    (_, true) => before,
                    (_, false) => {
                        let alone = before.map(|cost| cost + 2);
                        let in_a_row = follows.map(|cost| cost + 1);
                        alone.into_iter().chain(in_a_row).min()
                    }
                };
            }
            before = before.into_iter().chain(costs[at]).min();
        }
        costs = next;
    }
    let cheapest = costs.into_iter().flatten().min()?;
    (cheapest < count as u32).then_some(cheapest)
}

/// The letters of `query` in order within `name`: how many lie between.
/// Letters strewn all over a name are no match.
fn spread(name: &str, query: &str) -> Option<u32> {
    let mut letters = query.bytes().filter(|&byte| byte != b'-').peekable();
    let (mut gaps, mut started) = (0, false);
    for byte in name.bytes() {
        match letters.peek() {
            None => break,
            Some(&wanted) if wanted == byte => {
                letters.next();
                started = true;
            }
            Some(_) if started => gaps += 1,
            Some(_) => {}
        }
    }
    let limit = 2 * query.len() as u32;
    (letters.peek().is_none() && query.len() > 1 && gaps <= limit).then_some(gaps)
}

fn fold(text: &str) -> String {
    let alike = |c: char| {
        if c == '_' || c == ' ' {
            '-'
        } else {
            c.to_ascii_lowercase()
        }
    };
    text.chars().map(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 7] = [
        "block-job-cancel",
        "query-block",
        "query-block-jobs",
        "query-blockstats",
        "query-status",
        "stop",
        "x-blockdev-set-iothread",
    ];

    fn search(query: &str) -> Vec<&str> {
        rank(NAMES.into_iter(), query)
            .into_iter()
            .map(|i| NAMES[i])
            .collect()
    }

    #[test]
    fn everything_without_a_query() {
        assert_eq!(search(" "), NAMES);
    }

    #[test]
    fn exact_before_prefix_before_word_before_the_rest() {
        assert_eq!(
            search("query-block"),
            ["query-block", "query-block-jobs", "query-blockstats"]
        );
        assert_eq!(search("stop"), ["stop"]);
        assert_eq!(search("block")[0], "block-job-cancel");
        assert_eq!(search("block").len(), 5);
    }

    #[test]
    fn case_and_separators_are_alike() {
        assert_eq!(search("QUERY_STATUS"), ["query-status"]);
        assert_eq!(search("query status"), ["query-status"]);
    }

    #[test]
    fn words_in_any_order_and_letters_in_order() {
        assert_eq!(search("jobs query"), ["query-block-jobs"]);
        assert_eq!(search("qstat")[0], "query-status");
        assert!(search("zz").is_empty());
        assert!(search("ö").is_empty());
    }

    #[test]
    fn initials_are_enough() {
        let names = [
            "blockdev-add",
            "blockdev-backup",
            "query-command-line-options",
            "query-cpu-model-comparison",
            "query-cpus-fast",
            "device_add",
            "block-dirty-bitmap-add",
            "chardev-add",
        ];
        let found = |query| {
            let found = rank(names.into_iter(), query).into_iter();
            found.map(|index| names[index]).collect::<Vec<_>>()
        };
        assert_eq!(found("bda"), ["block-dirty-bitmap-add", "blockdev-add"]);
        assert_eq!(found("qcc"), ["query-cpu-model-comparison"]);
        assert_eq!(found("qcf"), ["query-cpus-fast"]);
        assert_eq!(found("qcm")[0], "query-cpu-model-comparison");
        assert_eq!(found("da")[0], "device_add");
    }

    fn found(texts: &[&[&str]], query: &str) -> Vec<(usize, String)> {
        let text = |paragraphs: &&[&str]| {
            let mut text = Text::default();
            paragraphs
                .iter()
                .for_each(|paragraph| text.push((*paragraph).to_owned()));
            text
        };
        let texts: Vec<Text> = texts.iter().map(text).collect();
        let found = rank_texts(texts.iter(), query).into_iter();
        let shown = |Snippet { before, hit, after }: Snippet| before + "[" + &hit + "]" + &after;
        found
            .map(|(index, snippet)| (index, shown(snippet)))
            .collect()
    }

    #[test]
    fn words_in_a_row_before_words_in_one_paragraph_before_others() {
        let texts: [&[&str]; 5] = [
            &["A bitmap", "that is dirty"],
            &["Nothing", "Dirty pages of a bitmap"],
            &["Something", "the Dirty-Bitmap"],
            &["The dirty bitmap."],
            &["undirty bitmap"],
        ];
        let expected = [
            (3, "The [dirty bitmap]."),
            (2, "the [Dirty-Bitmap]"),
            (1, "[Dirty] pages of a bitmap"),
            (0, "that is [dirty]"),
        ];
        let found = found(&texts, "dirty bitmap");
        assert_eq!(
            found,
            expected.map(|(index, text)| (index, text.to_owned()))
        );
    }

    #[test]
    fn snippets_are_whole_words_and_hide_nothing() {
        let long = "Grüße ".repeat(20) + "an\nalle\u{202e} " + &"é".repeat(100);
        let found = found(&[&[&long]], "ALLE");
        let text = "…Grüße Grüße Grüße an [alle]\\u202e…".to_owned();
        assert_eq!(found, [(0, text)]);
        assert!(super::rank_texts([Text::default()].iter(), "al").is_empty());
    }
}
