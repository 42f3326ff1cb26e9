//! What may stand in place of a part of a text that is being typed.

/// Most suggestions at a time.
pub(crate) const MOST: usize = 50;

/// What may stand in place of a part of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    /// Where the part begins, in bytes.
    pub(crate) from: usize,
    /// Where it ends.
    pub(crate) to: usize,
    /// What may stand there instead.
    pub(crate) suggestions: Vec<Suggestion>,
    /// How many more there are that are not suggested.
    pub(crate) more: usize,
}

/// One of the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggestion {
    /// The text.
    pub(crate) text: String,
    /// What it is, in a word or two.
    pub(crate) detail: String,
}

impl Completion {
    /// Of the part between two bytes, by the first of the suggestions.
    pub(crate) fn new(from: usize, to: usize, mut suggestions: Vec<Suggestion>) -> Self {
        let more = suggestions.len().saturating_sub(MOST);
        suggestions.truncate(MOST);
        Self {
            from,
            to,
            suggestions,
            more,
        }
    }

    /// The text with the suggestion in it, and where the caret is then, in bytes.
    pub(crate) fn apply(&self, text: &str, suggestion: &Suggestion) -> (String, usize) {
        let before = text.get(..self.from).unwrap_or(text);
        let after = text.get(self.to..).unwrap_or_default();
        let caret = before.len() + suggestion.text.len();
        (before.to_owned() + &suggestion.text + after, caret)
    }
}
