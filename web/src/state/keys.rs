//! The keys: one table, which the global ones are handled by and which the
//! list of all keys shows.

use super::pages::Page;

/// What a global key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Opens the palette.
    Palette,
    /// Shows all keys.
    Keys,
    /// Puts the cursor into the page's search or filter box.
    Find,
    /// Goes to a page.
    Go(Page),
}

/// A key, or several that do the same or belong together.
#[derive(Debug)]
pub(crate) struct Binding {
    /// In the order to press them, apart by blanks.
    pub(crate) keys: &'static str,
    /// What they do.
    pub(crate) does: &'static str,
    /// For those that work everywhere; the others belong to a part of a page,
    /// which handles them itself.
    action: Option<Action>,
}

/// Keys of one place.
#[derive(Debug)]
pub(crate) struct Group {
    /// Where they work.
    pub(crate) place: &'static str,
    /// The keys.
    pub(crate) bindings: &'static [Binding],
}

const fn global(keys: &'static str, does: &'static str, action: Action) -> Binding {
    Binding {
        keys,
        does,
        action: Some(action),
    }
}

const fn local(keys: &'static str, does: &'static str) -> Binding {
    Binding {
        keys,
        does,
        action: None,
    }
}

/// All keys, by place.
pub(crate) const GROUPS: &[Group] = &[
    Group {
        place: "Everywhere",
        bindings: &[
            global("Ctrl+K", "Search everything", Action::Palette),
            global("/", "Search or filter this page", Action::Find),
            global("g s", "Go to Sessions", Action::Go(Page::Sessions)),
            global("g c", "Go to Commands", Action::Go(Page::Commands)),
            global("g e", "Go to Events", Action::Go(Page::Events)),
            global("?", "Show the keys", Action::Keys),
        ],
    },
    Group {
        place: "Search everything",
        bindings: &[
            local("↑ ↓", "Choose"),
            local("Home End", "First, last"),
            local("PgUp PgDn", "Eight up, eight down"),
            local("Enter", "Go there"),
            local("Esc", "Close"),
        ],
    },
    Group {
        place: "Commands",
        bindings: &[
            local("Enter", "In the search box: open the best match"),
            local("↑ ↓", "Walk the list"),
            local("Ctrl+Enter", "Send the command"),
        ],
    },
    Group {
        place: "Events",
        bindings: &[
            local("↑ ↓", "Walk the rows"),
            local("Home End", "First, last row"),
            local("PgUp PgDn", "Twenty up, twenty down"),
            local("Enter", "Open the event"),
            local("Esc", "Close the event"),
            local("f x", "In its JSON: filter by the value, exclude it"),
        ],
    },
    Group {
        place: "JSON",
        bindings: &[
            local("↑ ↓", "Walk the lines"),
            local("→ ←", "Open, close"),
            local("Home End", "First, last line"),
            local("PgUp PgDn", "A screen up, a screen down"),
            local("Enter", "Open or close"),
            local("c p s", "Copy the value, its path, its subtree"),
            local("t", "In a reply: show a string on its lines"),
        ],
    },
];

/// A key that was pressed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Press<'a> {
    /// As the browser names it.
    pub(crate) key: &'a str,
    /// Whether Ctrl or Cmd is held.
    pub(crate) is_command: bool,
    /// Whether Alt is held.
    pub(crate) is_alt: bool,
    /// Whether Shift is held.
    pub(crate) is_shift: bool,
    /// Whether it goes into something that takes text.
    pub(crate) is_typing: bool,
    /// Whether a dialog is open.
    pub(crate) in_dialog: bool,
}

/// How long the second key of two may take, in milliseconds.
const PATIENCE: f64 = 1_500.0;

/// The global keys, and the first of two that waits for its second.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    begun: Option<(String, f64)>,
}

impl Keys {
    /// What to do about a key; `now` in milliseconds of the page's clock.
    /// Nothing while a dialog is open. What is typed into a field stays there,
    /// except for Ctrl+K, which is no text.
    pub(crate) fn press(&mut self, press: Press<'_>, now: f64) -> Option<Action> {
        if matches!(press.key, "Shift" | "Control" | "Alt" | "Meta") {
            return None;
        }
        let begun = self.begun.take();
        if press.in_dialog || press.is_alt {
            return None;
        }
        if press.is_command {
            let name = "Ctrl+".to_owned() + &press.key.to_uppercase();
            return find(&name).filter(|_| !press.is_shift);
        }
        if press.is_typing {
            return None;
        }
        let first = begun.filter(|(_, at)| now - at <= PATIENCE);
        let second = first.and_then(|(first, _)| find(&(first + " " + press.key)));
        if second.is_some() {
            return second;
        }
        if everywhere().any(|binding| begins(binding.keys, press.key)) {
            self.begun = Some((press.key.to_owned(), now));
        }
        find(press.key)
    }
}

fn everywhere() -> impl Iterator<Item = &'static Binding> {
    GROUPS.iter().flat_map(|group| group.bindings)
}

fn find(keys: &str) -> Option<Action> {
    everywhere()
        .find(|binding| binding.keys == keys && binding.action.is_some())?
        .action
}

/// Whether `key` is the first of these two.
fn begins(keys: &str, key: &str) -> bool {
    keys.split_once(' ').is_some_and(|(first, _)| first == key)
}

/// Whether an element takes text, so that keys belong to it. `tag` in capitals
/// as the document has it; `kind` is an input's type.
pub(crate) fn takes_text(tag: &str, kind: &str, is_editable: bool) -> bool {
    const PRESSED: [&str; 6] = ["checkbox", "radio", "button", "submit", "reset", "range"];
    match tag {
        "INPUT" => !PRESSED.contains(&kind),
        "TEXTAREA" | "SELECT" => true,
        _ => is_editable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(key: &str) -> Press<'_> {
        Press {
            key,
            ..Press::default()
        }
    }

    fn with_command(key: &str) -> Press<'_> {
        Press {
            is_command: true,
            ..plain(key)
        }
    }

    #[test]
    fn one_key_or_two_in_time() {
        let mut keys = Keys::default();
        assert_eq!(keys.press(plain("?"), 0.0), Some(Action::Keys));
        assert_eq!(keys.press(plain("/"), 0.0), Some(Action::Find));
        assert_eq!(keys.press(plain("g"), 0.0), None);
        let go = Some(Action::Go(Page::Commands));
        assert_eq!(keys.press(plain("c"), 900.0), go);
        assert_eq!(keys.press(plain("c"), 950.0), None);
        keys.press(plain("g"), 1_000.0);
        assert_eq!(keys.press(plain("s"), 9_000.0), None);
        // Another key between them ends it; `g` begins it again.
        keys.press(plain("g"), 0.0);
        keys.press(plain("x"), 1.0);
        assert_eq!(keys.press(plain("s"), 2.0), None);
        keys.press(plain("g"), 0.0);
        keys.press(plain("g"), 1.0);
        let go = Some(Action::Go(Page::Sessions));
        assert_eq!(keys.press(plain("s"), 2.0), go);
    }

    #[test]
    fn the_palette_opens_from_a_field_too_and_nothing_else_does() {
        let mut keys = Keys::default();
        let typing = |press: Press<'static>| Press {
            is_typing: true,
            ..press
        };
        assert_eq!(keys.press(with_command("k"), 0.0), Some(Action::Palette));
        let palette = keys.press(typing(with_command("k")), 0.0);
        assert_eq!(palette, Some(Action::Palette));
        for key in ["?", "/", "g", "s"] {
            assert_eq!(keys.press(typing(plain(key)), 0.0), None, "{key}");
        }
    }

    #[test]
    fn not_in_a_dialog_and_not_with_other_modifiers() {
        let mut keys = Keys::default();
        let in_dialog = Press {
            in_dialog: true,
            ..with_command("k")
        };
        let with_shift = Press {
            is_shift: true,
            ..with_command("K")
        };
        let with_alt = Press {
            is_alt: true,
            ..plain("/")
        };
        for press in [in_dialog, with_shift, with_alt, with_command("s")] {
            assert_eq!(keys.press(press, 0.0), None, "{press:?}");
        }
        // Shift alone is how `?` is reached.
        keys.press(plain("g"), 0.0);
        keys.press(plain("Shift"), 1.0);
        let go = Some(Action::Go(Page::Events));
        assert_eq!(keys.press(plain("e"), 2.0), go);
    }

    #[test]
    fn what_takes_text() {
        assert!(takes_text("INPUT", "search", false));
        assert!(takes_text("SELECT", "", false));
        assert!(takes_text("DIV", "", true));
        assert!(!takes_text("INPUT", "checkbox", false));
        assert!(!takes_text("BUTTON", "", false));
    }
}
