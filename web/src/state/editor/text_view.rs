//! A view that is text, and what it stands for.

/// A text, the number of the entry that it shows, and as what it was made.
#[derive(Clone, Debug, Default)]
pub(super) struct TextView {
    text: String,
    /// `None` before anything was shown.
    entry: Option<u64>,
    /// The text as it was made of another view, and that one's entry.
    made: (Option<u64>, String),
}

impl TextView {
    /// The text of this entry.
    pub(super) fn made(entry: u64, text: String) -> Self {
        let mut view = Self::default();
        view.make(text);
        view.stands_for(Some(entry));
        view
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Which entry it shows.
    pub(super) fn entry(&self) -> Option<u64> {
        self.entry
    }

    /// Was typed into. What is typed back to what was made stands for the same
    /// as before.
    pub(super) fn set(&mut self, text: String, newest: u64) {
        let (entry, made) = &self.made;
        self.entry = if entry.is_some() && *made == text {
            *entry
        } else if self.entry.is_some() && self.text == text {
            return;
        } else {
            Some(newest)
        };
        self.text = text;
    }

    /// Takes a text that was made of another view.
    pub(super) fn make(&mut self, text: String) {
        self.made = (None, text.clone());
        self.text = text;
    }

    /// The text that was made shows this entry.
    pub(super) fn stands_for(&mut self, entry: Option<u64>) {
        self.entry = entry;
        self.made.0 = entry;
    }
}
