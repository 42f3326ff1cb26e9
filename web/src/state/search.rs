//! Ranks command names against what was typed into the search box.

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
    spread(name, query).map(|gaps| 5_000 + gaps.min(900))
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
}
