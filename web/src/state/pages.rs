//! The console's pages: what they are called and where they are.

use super::text::{percent_decoded, visible};

/// A page that the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The endpoints, and how they are.
    Sessions,
    /// The commands of one of them.
    Commands,
    /// The events of all.
    Events,
}

impl Page {
    /// All of them, as the navigation shows them.
    pub(crate) const ALL: [Self; 3] = [Self::Sessions, Self::Commands, Self::Events];

    /// What its link says.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sessions => "Sessions",
            Self::Commands => "Commands",
            Self::Events => "Events",
        }
    }

    /// Where it is, below the console's base.
    pub(crate) fn address(self) -> &'static str {
        match self {
            Self::Sessions => "/",
            Self::Commands => "/commands",
            Self::Events => "/events",
        }
    }

    /// The page at that path below the console's base, if there is one.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let first = path.split('/').nth(1).unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|page| page.address().strip_prefix('/') == Some(first))
    }
}

/// What the page at that path is about, in a few words.
pub(crate) fn title(path: &str) -> String {
    let Some(page) = Page::at(path) else {
        return "No such page".to_owned();
    };
    let mut parts = path.split('/').skip(2);
    let mut part = || parts.next().filter(|part| !part.is_empty());
    match (page, part(), part()) {
        (Page::Commands, Some(session), Some(command)) => {
            let (session, command) = (percent_decoded(session), percent_decoded(command));
            visible(&command).into_owned() + " · " + &visible(&session)
        }
        (Page::Commands, Some(session), None) => {
            "Commands · ".to_owned() + &visible(&percent_decoded(session))
        }
        _ => page.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_page_that_its_first_part_names() {
        assert_eq!(Page::at("/"), Some(Page::Sessions));
        assert_eq!(Page::at(""), Some(Page::Sessions));
        assert_eq!(Page::at("/commands"), Some(Page::Commands));
        assert_eq!(Page::at("/commands/vm/stop"), Some(Page::Commands));
        assert_eq!(Page::at("/events"), Some(Page::Events));
        assert_eq!(Page::at("/eventsx"), None);
    }

    #[test]
    fn a_title_says_what_the_page_is_about() {
        assert_eq!(title("/"), "Sessions");
        assert_eq!(title("/commands/"), "Commands");
        assert_eq!(title("/commands/my%20vm"), "Commands · my vm");
        assert_eq!(title("/commands/vm/query-status"), "query-status · vm");
        assert_eq!(title("/commands/vm/a%E2%80%AEb"), "a\\u202eb · vm");
        assert_eq!(title("/nowhere"), "No such page");
    }
}
