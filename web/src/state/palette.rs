//! What the palette finds: everything that has an address, and a few things
//! that are done at once and harm nothing.
//!
//! Plain inputs, so that what is kept elsewhere comes in as a list.

use super::address::command_path;
use super::events::{FilterText, SavedFilter};
use super::history::{FilledIn, KeptCommand};
use super::pages::Page;
use super::search::rank;
use super::sessions::Sessions;
use super::text::visible;
use super::theme::Theme;

/// Most results that are shown.
pub(crate) const SHOWN: usize = 100;

/// How far PageUp and PageDown go.
const LEAP: usize = 8;

/// What an item is; also in which order they come when all match alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page of the console.
    Page,
    /// A command that was marked as a favourite.
    Favourite,
    /// A command that was saved, with its arguments.
    Saved,
    /// A filter that was saved.
    Filter,
    /// An endpoint.
    Session,
    /// A command of an endpoint.
    Command,
    /// An event that an endpoint may send.
    Event,
    /// Something that is done at once.
    Action,
}

impl Kind {
    /// The word beside the item.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Favourite => "favourite",
            Self::Saved => "saved command",
            Self::Filter => "saved filter",
            Self::Session => "session",
            Self::Command => "command",
            Self::Event => "event",
            Self::Action => "action",
        }
    }
}

/// What choosing an item does. Nothing here is ever sent to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Goes there; below the console's base.
    Address(String),
    /// Opens a command on its own page, filled in.
    FilledIn(FilledIn),
    /// Shows all keys.
    Keys,
    /// Changes the colours.
    Theme(Theme),
    /// Ends the login.
    SignOut,
}

/// Something to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its name, with nothing hidden in it.
    pub(crate) label: String,
    /// What tells it from others of its name; may be empty.
    pub(crate) detail: String,
    /// What choosing it does.
    pub(crate) goal: Goal,
}

/// What is known of an endpoint without asking it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The session.
    pub(crate) session: String,
    /// The names of its commands.
    pub(crate) commands: Vec<String>,
    /// The names of its events.
    pub(crate) events: Vec<String>,
}

/// What the items are made from.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    /// All sessions.
    pub(crate) sessions: &'a Sessions,
    /// The session that the page is about.
    pub(crate) current: &'a str,
    /// The endpoints that are known, that of the current session first.
    pub(crate) known: &'a [Known],
    /// The colours now.
    pub(crate) theme: Theme,
    /// Names of commands.
    pub(crate) favourites: &'a [String],
    /// Commands with their arguments.
    pub(crate) saved: &'a [KeptCommand],
    /// Filters of events.
    pub(crate) filters: &'a [SavedFilter],
}

/// Everything that can be found, in the order in which it is shown before
/// anything is typed.
pub(crate) fn items(sources: &Sources<'_>) -> Vec<Item> {
    let mut items = Vec::new();
    let mut add = |kind, label: &str, detail: &str, goal| {
        items.push(Item {
            kind,
            label: visible(label).into_owned(),
            detail: visible(detail).into_owned(),
            goal,
        });
    };
    for page in Page::ALL {
        let goal = Goal::Address(page.address().to_owned());
        add(Kind::Page, page.name(), "", goal);
    }
    if !sources.current.is_empty() {
        for name in sources.favourites {
            let goal = Goal::Address(command_path(sources.current, name));
            add(Kind::Favourite, name, sources.current, goal);
        }
    }
    for kept in sources.saved {
        // Nothing can be opened of a session that is not there.
        if sources.sessions.contains_key(&kept.session) {
            let detail = [kept.command.as_str(), " on ", &kept.session].concat();
            let goal = Goal::FilledIn(kept.filled_in());
            add(Kind::Saved, &kept.name, &detail, goal);
        }
    }
    for filter in sources.filters {
        if filter.text.is_empty() {
            continue;
        }
        let text = filter.text.words();
        let goal = Goal::Address(filter.text.address());
        match filter.name.as_str() {
            "" => add(Kind::Filter, &text, "", goal),
            name => add(Kind::Filter, name, &text, goal),
        }
    }
    for name in sources.sessions.keys() {
        let goal = Goal::Address(command_path(name, ""));
        add(Kind::Session, name, "its commands", goal);
        let goal = events_page(|text| text.session.clone_from(name));
        add(Kind::Session, name, "its events", goal);
    }
    for word in [Theme::System, Theme::Light, Theme::Dark] {
        if word != sources.theme {
            let label = "Theme: ".to_owned() + word.as_str();
            add(Kind::Action, &label, "", Goal::Theme(word));
        }
    }
    add(Kind::Action, "Keyboard shortcuts", "", Goal::Keys);
    add(Kind::Action, "Sign out", "", Goal::SignOut);
    for known in sources.known {
        for name in &known.commands {
            let goal = Goal::Address(command_path(&known.session, name));
            add(Kind::Command, name, &known.session, goal);
        }
    }
    let mut events: Vec<&String> = sources.known.iter().flat_map(|of| &of.events).collect();
    events.sort_unstable();
    events.dedup();
    for name in events {
        let goal = events_page(|text| name.clone_into(&mut text.names));
        add(Kind::Event, name, "", goal);
    }
    items
}

/// The items that match, by their index, best first: those whose name has what
/// was typed before those that are only told by the rest.
pub(crate) fn find(items: &[Item], query: &str) -> Vec<usize> {
    let mut hits = rank(items.iter().map(|item| item.label.as_str()), query);
    let mut is_hit = vec![false; items.len()];
    for &hit in &hits {
        is_hit[hit] = true;
    }
    let whole: Vec<String> = items
        .iter()
        .map(|item| item.label.clone() + " " + &item.detail + " " + item.kind.word())
        .collect();
    let more = rank(whole.iter().map(String::as_str), query);
    hits.extend(more.into_iter().filter(|&hit| !is_hit[hit]));
    hits
}

/// How many were found, in words.
pub(crate) fn count_words(found: usize) -> String {
    match found {
        0 => "Nothing found".to_owned(),
        1 => "1 result".to_owned(),
        2..=SHOWN => found.to_string() + " results",
        _ => {
            let words = "The best ".to_owned() + &SHOWN.to_string();
            words + " of " + &found.to_string() + " results"
        }
    }
}

/// Where a key leads from `at` among `count` results; `None` for other keys.
pub(crate) fn step(key: &str, at: usize, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(match key {
        "ArrowDown" if at >= last => 0,
        "ArrowDown" => at + 1,
        "ArrowUp" if at == 0 => last,
        "ArrowUp" => at - 1,
        "PageDown" => (at + LEAP).min(last),
        "PageUp" => at.saturating_sub(LEAP),
        "Home" => 0,
        "End" => last,
        _ => return None,
    })
}

/// The session that the address is about, if it names one; `path` is below the
/// console's base.
pub(crate) fn session_of(path: &str, session_of_query: Option<String>) -> String {
    let part = match Page::at(path) {
        Some(Page::Commands) => path.split('/').nth(2).map(super::text::percent_decoded),
        Some(Page::Events) => session_of_query,
        Some(Page::Sessions) | None => None,
    };
    part.unwrap_or_default()
}

/// The events page with a filter.
fn events_page(fill: impl FnOnce(&mut FilterText)) -> Goal {
    let mut text = FilterText::default();
    fill(&mut text);
    Goal::Address(text.address())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(session: &str, commands: &[&str], events: &[&str]) -> Known {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Known {
            session: session.to_owned(),
            commands: owned(commands),
            events: owned(events),
        }
    }

    fn sessions(names: &[&str]) -> Sessions {
        let session = |&name: &&str| {
            let info = serde_json::from_value(serde_json::json!({
                "name": name, "kind": "qmp", "address": "unix:/x", "state": "running",
                "since": "2026-01-01T00:00:00Z",
                "counters": {"connections": 1, "commands": 0, "events": 0, "dropped": 0},
            }));
            (name.to_owned(), info.unwrap())
        };
        names.iter().map(session).collect()
    }

    fn saved(name: &str, session: &str) -> KeptCommand {
        KeptCommand {
            name: name.to_owned(),
            ..KeptCommand::new(session, "stop", false, Some("{\"a\": 1}"), 0.0)
        }
    }

    fn example() -> Vec<Item> {
        let known = [
            known("vm", &["query-status", "stop"], &["RESUME", "STOP"]),
            known("b/2", &["query-status"], &["RESUME"]),
        ];
        items(&Sources {
            sessions: &sessions(&["b/2", "vm"]),
            current: "vm",
            known: &known,
            theme: Theme::Dark,
            favourites: &["cont".to_owned()],
            saved: &[saved("wake", "b/2"), saved("gone", "elsewhere")],
            filters: &[
                SavedFilter {
                    name: "jobs".to_owned(),
                    text: FilterText {
                        names: "JOB_*".to_owned(),
                        expression: "@.data.id == 'a'".to_owned(),
                        ..FilterText::default()
                    },
                },
                SavedFilter::default(),
            ],
        })
    }

    fn found(query: &str) -> Vec<String> {
        let items = example();
        let hits = find(&items, query).into_iter();
        hits.map(|hit| items[hit].label.clone() + "|" + &items[hit].detail)
            .collect()
    }

    fn address(query: &str) -> String {
        let items = example();
        match &items[find(&items, query)[0]].goal {
            Goal::Address(address) => address.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_is_there_before_anything_is_typed() {
        let all = found("");
        assert_eq!(all[..3], ["Sessions|", "Commands|", "Events|"]);
        assert_eq!(all[3], "cont|vm");
        assert_eq!(all[4], "wake|stop on b/2");
        assert_eq!(all[5], "jobs|JOB_* · @.data.id == 'a'");
        assert_eq!(all[6], "b/2|its commands");
        assert!(all.contains(&"Theme: light|".to_owned()));
        assert!(!all.contains(&"Theme: dark|".to_owned()));
        // Each event once, whoever may send it.
        assert_eq!(all.iter().filter(|&label| label == "RESUME|").count(), 1);
        assert_eq!(all.len(), 19);
    }

    #[test]
    fn the_current_session_comes_first_and_others_by_their_name() {
        assert_eq!(
            found("query-status"),
            ["query-status|vm", "query-status|b/2"]
        );
        assert_eq!(found("status b/2"), ["query-status|b/2"]);
        assert_eq!(found("stop")[..2], ["stop|vm", "STOP|"]);
        assert_eq!(found("saved filter"), ["jobs|JOB_* · @.data.id == 'a'"]);
        assert!(found("nothing like it").is_empty());
    }

    #[test]
    fn addresses_are_encoded_and_never_execute() {
        assert_eq!(address("cont"), "/commands/vm/cont");
        assert_eq!(address("status b/2"), "/commands/b%2F2/query-status");
        assert_eq!(address("resume"), "/events?names=RESUME");
        assert_eq!(
            address("jobs"),
            "/events?names=JOB_%2A&where=%40.data.id%20%3D%3D%20%27a%27"
        );
        assert_eq!(address("vm its events"), "/events?session=vm");
    }

    #[test]
    fn a_saved_command_is_filled_in() {
        let items = example();
        let item = &items[find(&items, "saved command")[0]];
        assert_eq!(item.label, "wake");
        let Goal::FilledIn(to) = &item.goal else {
            panic!("{:?}", item.goal);
        };
        assert_eq!((&*to.session, &*to.command), ("b/2", "stop"));
        assert_eq!(to.link.arguments.as_deref(), Some("{\"a\":1}"));
    }

    #[test]
    fn text_of_endpoints_is_made_visible() {
        let items = items(&Sources {
            sessions: &sessions(&[]),
            current: "vm",
            known: &[known("vm", &["a\u{202e}b"], &[])],
            theme: Theme::System,
            favourites: &[],
            saved: &[],
            filters: &[],
        });
        let item = items.last().unwrap();
        assert_eq!(item.label, "a\\u202eb");
        let goal = Goal::Address("/commands/vm/a%E2%80%AEb".to_owned());
        assert_eq!(item.goal, goal);
    }

    #[test]
    fn a_filter_of_another_version_is_read_as_far_as_it_goes() {
        let text = r#"[{"name":"n","names":"STOP","session":null,"colour":1}]"#;
        let filters: Vec<SavedFilter> = serde_json::from_str(text).unwrap();
        assert_eq!(filters[0].text.names, "STOP");
    }

    #[test]
    fn keys_walk_around_and_leap() {
        assert_eq!(step("ArrowDown", 0, 3), Some(1));
        assert_eq!(step("ArrowDown", 2, 3), Some(0));
        assert_eq!(step("ArrowUp", 0, 3), Some(2));
        assert_eq!(step("PageDown", 1, 20), Some(9));
        assert_eq!(step("PageDown", 18, 20), Some(19));
        assert_eq!(step("PageUp", 3, 20), Some(0));
        assert_eq!(step("End", 3, 20), Some(19));
        assert_eq!(step("Home", 3, 20), Some(0));
        assert_eq!(step("a", 3, 20), None);
        assert_eq!(step("End", 0, 0), None);
    }

    #[test]
    fn the_address_says_which_session() {
        assert_eq!(session_of("/commands/my%20vm/stop", None), "my vm");
        assert_eq!(session_of("/events", Some("b".to_owned())), "b");
        assert_eq!(session_of("/", Some("b".to_owned())), "");
    }

    #[test]
    fn says_how_many() {
        assert_eq!(count_words(0), "Nothing found");
        assert_eq!(count_words(1), "1 result");
        assert_eq!(count_words(412), "The best 100 of 412 results");
    }
}
