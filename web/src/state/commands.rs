//! The commands of an endpoint, as their list shows them.

use std::collections::HashMap;

use qmp_shared::manual::{Entry as Said, Manual, Member};
use qmp_shared::rest::{Problem, ProblemKind};
use qmp_shared::schema::Schema;
use serde::Deserialize;

use super::exchanges::{Exchanges, Key, Progress, Purpose};
use super::search::{Snippet, Text, rank, rank_texts};

/// Most recent commands at the top of the list.
const RECENT: usize = 5;

/// Most recent commands that are kept.
pub(crate) const MAX_RECENT: usize = 20;

/// Most favourites that are kept.
pub(crate) const MAX_FAVOURITES: usize = 100;

/// Most types whose members are searched with a command's own.
const MAX_TYPES: usize = 200;

/// One command in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    /// Its name, as in `execute`.
    pub(crate) name: String,
    /// Words about it: `deprecated`, `unstable`, `oob`, `disabled`.
    pub(crate) tags: Vec<&'static str>,
}

/// The exchange by which an agent lists its commands.
pub(crate) fn guest_info(session: &str) -> Key {
    Key {
        session: session.to_owned(),
        command: "guest-info".to_owned(),
        purpose: Purpose::Page,
    }
}

/// The commands of an agent by its latest [`guest_info`]; `None` while it did
/// not answer.
pub(crate) fn of_agent(
    exchanges: &Exchanges,
    session: &str,
) -> Option<Result<Vec<Entry>, Problem>> {
    match &exchanges.latest(&guest_info(session))?.progress {
        Progress::Pending => None,
        Progress::Finished { result, .. } => Some(match result {
            Ok(text) => of_guest_info(text)
                .map_err(|error| Problem::new(ProblemKind::ProtocolError, error.to_string())),
            Err(problem) => Err((**problem).clone()),
        }),
    }
}

/// All commands of a schema, sorted by name.
pub(crate) fn of_schema(schema: &Schema) -> Vec<Entry> {
    let entry = |command: &qmp_shared::schema::Command| {
        let tags = [
            (command.features.deprecated, "deprecated"),
            (command.features.unstable, "unstable"),
            (command.allow_oob, "oob"),
        ];
        let tags = tags.into_iter().filter_map(|(has, tag)| has.then_some(tag));
        Entry {
            name: command.name.clone(),
            tags: tags.collect(),
        }
    };
    schema.commands().iter().map(entry).collect()
}

/// All commands that an agent's `guest-info` lists, sorted by name.
///
/// # Errors
///
/// When that is not what `guest-info` returns.
pub(crate) fn of_guest_info(json: &str) -> Result<Vec<Entry>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Info {
        supported_commands: Vec<Command>,
    }
    #[derive(Deserialize)]
    struct Command {
        name: String,
        enabled: bool,
    }
    let info: Info = serde_json::from_str(json)?;
    let entry = |command: Command| {
        let tags = if command.enabled {
            Vec::new()
        } else {
            vec!["disabled"]
        };
        Entry {
            name: command.name,
            tags,
        }
    };
    let mut entries: Vec<Entry> = info.supported_commands.into_iter().map(entry).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// All commands of an endpoint, in the manual's order, with what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    entries: Vec<Entry>,
    /// The manual's chapters, and which of the entries are in each.
    groups: Vec<(String, Vec<usize>)>,
    /// Entries that the manual does not have.
    others: Vec<usize>,
    /// What is said of each entry.
    texts: Vec<Text>,
}

/// A part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Which one it is.
    pub(crate) kind: SectionKind,
    /// Its commands; at least one.
    pub(crate) rows: Vec<Row>,
}

/// The parts that the list may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SectionKind {
    /// Commands that the user marked.
    Favourites,
    /// Commands that the user sent.
    Recent,
    /// A chapter of the manual.
    Group(String),
    /// What the manual does not have.
    Others,
    /// Everything, where there is no manual.
    All,
    /// Names that match what is looked for.
    Names,
    /// Documentation that does.
    Documentation,
}

impl SectionKind {
    /// What stands above it, if anything.
    pub(crate) fn title(&self) -> Option<&str> {
        match self {
            Self::Favourites => Some("Favourites"),
            Self::Recent => Some("Recent"),
            Self::Group(title) => Some(title),
            Self::Others => Some("Not in the manual"),
            Self::All => Some("All commands"),
            Self::Names => None,
            Self::Documentation => Some("In the documentation"),
        }
    }

    /// Whether its commands are in another part, too.
    pub(crate) fn repeats(&self) -> bool {
        matches!(self, Self::Favourites | Self::Recent)
    }
}

/// A command in a part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The command.
    pub(crate) entry: Entry,
    /// Where its documentation has what is looked for.
    pub(crate) snippet: Option<Snippet>,
}

impl Listing {
    /// The entries, sorted by name, as the manual groups them.
    pub(crate) fn new(entries: Vec<Entry>, manual: Option<&Manual>) -> Self {
        let Some(manual) = manual else {
            return Self {
                others: (0..entries.len()).collect(),
                entries,
                ..Self::default()
            };
        };
        let mut left: HashMap<&str, usize> = HashMap::new();
        left.extend(entries.iter().map(|entry| entry.name.as_str()).zip(0..));
        let mut groups = Vec::new();
        for group in &manual.groups {
            let names = group.commands.iter();
            let indices: Vec<usize> = names
                .filter_map(|name| left.remove(name.as_str()))
                .collect();
            if !indices.is_empty() {
                groups.push((group.title.clone(), indices));
            }
        }
        let mut others: Vec<usize> = left.into_values().collect();
        others.sort_unstable();
        let text = |entry: &Entry| {
            let said = manual.commands.get(&entry.name);
            said.map(|said| text_of(manual, said)).unwrap_or_default()
        };
        let texts = entries.iter().map(text).collect();
        Self {
            entries,
            groups,
            others,
            texts,
        }
    }

    /// How many commands there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What the list shows. Without a query that is everything, what is used
    /// most first; with one, what matches, best first.
    pub(crate) fn sections(
        &self,
        query: &str,
        favourites: &[String],
        recent: &[String],
    ) -> Vec<Section> {
        let section = |kind, indices: Vec<usize>| Section {
            kind,
            rows: indices
                .into_iter()
                .map(|index| self.row(index, None))
                .collect(),
        };
        let mut sections = Vec::new();
        if query.trim().is_empty() {
            let known = |names: &[String], most: usize| {
                let indices = names.iter().filter_map(|name| self.position(name));
                indices.take(most).collect::<Vec<_>>()
            };
            let marked = known(favourites, usize::MAX);
            sections.push(section(SectionKind::Favourites, marked));
            sections.push(section(SectionKind::Recent, known(recent, RECENT)));
            for (title, indices) in &self.groups {
                sections.push(section(SectionKind::Group(title.clone()), indices.clone()));
            }
            let kind = match self.groups.is_empty() {
                true => SectionKind::All,
                false => SectionKind::Others,
            };
            sections.push(section(kind, self.others.clone()));
        } else {
            let tagged = self.tagged(query);
            let mut names = rank(self.entries.iter().map(|entry| entry.name.as_str()), query);
            // What is looked for by its tag is not spelt in scattered letters.
            if !tagged.is_empty() {
                let word = query.trim().to_lowercase();
                names.retain(|index| {
                    !tagged.contains(index) && self.entries[*index].name.contains(&word)
                });
                names.splice(0..0, tagged);
            }
            let told = rank_texts(self.texts.iter(), query);
            let told = told.into_iter().filter(|(index, _)| !names.contains(index));
            let rows = told
                .map(|(index, snippet)| self.row(index, Some(snippet)))
                .collect();
            sections.push(section(SectionKind::Names, names));
            sections.push(Section {
                kind: SectionKind::Documentation,
                rows,
            });
        }
        sections.retain(|section| !section.rows.is_empty());
        sections
    }

    /// The commands with the tag that is written.
    fn tagged(&self, query: &str) -> Vec<usize> {
        let is_it = |tag: &&str| tag.eq_ignore_ascii_case(query.trim());
        let entries = self.entries.iter().enumerate();
        let tagged = entries.filter(|(_, entry)| entry.tags.iter().any(is_it));
        tagged.map(|(index, _)| index).collect()
    }

    fn row(&self, index: usize, snippet: Option<Snippet>) -> Row {
        Row {
            entry: self.entries[index].clone(),
            snippet,
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        let found = self
            .entries
            .binary_search_by(|entry| entry.name.as_str().cmp(name));
        found.ok()
    }
}

/// What the manual says of a command, of its arguments, and of theirs where the
/// command takes the members of other types.
fn text_of(manual: &Manual, said: &Said) -> Text {
    let mut text = Text::default();
    for paragraph in &said.text {
        text.push(paragraph.clone());
    }
    push_members(&mut text, said);
    for paragraph in said.features.values().flatten() {
        text.push(paragraph.clone());
    }
    for paragraph in said.returns.iter().chain(&said.errors).chain(&said.notes) {
        text.push(paragraph.clone());
    }
    let mut types: Vec<&str> = Vec::new();
    let mut open = vec![said];
    while let Some(entry) = open.pop() {
        for of in &entry.also {
            let name = of.type_name.as_str();
            let Some(of) = manual.types.get(name) else {
                continue;
            };
            if types.len() < MAX_TYPES && !types.contains(&name) {
                types.push(name);
                push_members(&mut text, of);
                open.push(of);
            }
        }
    }
    text
}

fn push_members(text: &mut Text, said: &Said) {
    let line = |(name, member): (&String, &Member)| name.to_owned() + ": " + &member.text.join(" ");
    said.members
        .iter()
        .map(line)
        .for_each(|line| text.push(line));
}

/// A name that was used is the first of the list, which has it once.
pub(crate) fn put_first(names: &mut Vec<String>, name: &str) {
    names.retain(|known| known != name);
    names.insert(0, name.to_owned());
}

/// Marks a name at the end of the list, or takes its mark away.
pub(crate) fn toggle(names: &mut Vec<String>, name: &str) {
    let before = names.len();
    names.retain(|known| known != name);
    if names.len() == before {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_lists_commands_and_what_is_said_of_them() {
        let schema = Schema::parse(
            r#"[{"name": "yank", "meta-type": "command", "arg-type": "0", "ret-type": "0",
                 "allow-oob": true},
                {"name": "old", "meta-type": "command", "arg-type": "0", "ret-type": "0",
                 "features": ["deprecated", "unstable"]},
                {"name": "E", "meta-type": "event", "arg-type": "0"},
                {"name": "0", "meta-type": "object", "members": []}]"#,
        );
        let entries = of_schema(&schema.unwrap());
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].name, "old");
        assert_eq!(entries[0].tags, ["deprecated", "unstable"]);
        assert_eq!(entries[1].tags, ["oob"]);
    }

    #[test]
    fn an_agent_lists_its_own() {
        let entries = of_guest_info(
            r#"{"version": "7.2.22", "supported_commands": [
                {"enabled": true, "name": "guest-ping", "success-response": true},
                {"enabled": false, "name": "guest-exec", "success-response": true}]}"#,
        );
        let entries = entries.unwrap();
        assert_eq!(entries[0].name, "guest-exec");
        assert_eq!(entries[0].tags, ["disabled"]);
        assert!(entries[1].tags.is_empty());
        assert!(of_guest_info("{}").is_err());
    }

    #[test]
    fn a_tag_is_found_by_its_word() {
        let entry = |name: &str, tags: &[&'static str]| Entry {
            name: name.to_owned(),
            tags: tags.to_vec(),
        };
        let entries = vec![
            entry("block-job-cancel", &[]),
            entry("oob-test", &[]),
            entry("x-query", &["unstable"]),
            entry("yank", &["oob"]),
        ];
        let listing = Listing::new(entries, None);
        let found = |query: &str| {
            let sections = listing.sections(query, &[], &[]);
            let rows = sections.iter().flat_map(|section| &section.rows);
            rows.map(|row| row.entry.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(found("OOB "), ["yank", "oob-test"]);
        assert_eq!(found("unstable"), ["x-query"]);
        assert!(found("bjc").contains(&"block-job-cancel".to_owned()));
    }

    fn listing() -> Listing {
        let entry = |name: &&str| Entry {
            name: (*name).to_owned(),
            tags: Vec::new(),
        };
        let names = ["add", "eject", "own", "query-block", "stop"];
        let manual = r#"{
            "groups": [
                {"title": "Machine", "commands": ["stop", "reset"]},
                {"title": "RDMA"},
                {"title": "Blocks", "commands": ["query-block", "eject", "add"]}],
            "commands": {
                "stop": {"text": ["Stop the guest"]},
                "eject": {"text": ["Ejects a block device"], "members": {"force": {"text": ["no questions"]}}},
                "add": {"also": [{"type_name": "Options"}]}},
            "types": {"Options": {
                "members": {"discard": {"text": ["what to unmap"]}},
                "also": [{"type_name": "Options"}, {"type_name": "Nothing"}]}}}"#;
        let manual = serde_json::from_str(manual).unwrap();
        Listing::new(names.iter().map(entry).collect(), Some(&manual))
    }

    fn shown(sections: &[Section]) -> Vec<(&str, Vec<&str>)> {
        sections
            .iter()
            .map(|section| {
                let rows = section.rows.iter().map(|row| row.entry.name.as_str());
                (section.kind.title().unwrap_or_default(), rows.collect())
            })
            .collect()
    }

    #[test]
    fn the_list_is_grouped_as_the_manual_is() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown(&listing().sections(" ", &names(&["stop", "gone"]), &names(&["own", "eject"]))),
            [
                ("Favourites", vec!["stop"]),
                ("Recent", vec!["own", "eject"]),
                ("Machine", vec!["stop"]),
                ("Blocks", vec!["query-block", "eject", "add"]),
                ("Not in the manual", vec!["own"]),
            ]
        );
        let without = Listing::new(listing().entries, None);
        let sections = without.sections("", &[], &[]);
        assert_eq!((sections.len(), &sections[0].kind), (1, &SectionKind::All));
        assert_eq!(without.len(), 5);
    }

    #[test]
    fn names_before_documentation() {
        let listing = listing();
        let found = listing.sections("block", &[], &[]);
        assert_eq!(
            shown(&found),
            [
                ("", vec!["query-block"]),
                ("In the documentation", vec!["eject"])
            ]
        );
        assert_eq!(found[0].rows[0].snippet, None);
        assert_eq!(
            found[1].rows[0].snippet.as_ref().unwrap().before,
            "Ejects a "
        );
        for (query, name) in [
            ("questions", "eject"),
            ("force", "eject"),
            ("discard", "add"),
        ] {
            let found = listing.sections(query, &[], &[]);
            assert_eq!(shown(&found), [("In the documentation", vec![name])]);
        }
        assert!(listing.sections("nothing", &[], &[]).is_empty());
    }

    #[test]
    fn names_that_are_kept() {
        let mut names = vec!["a".to_owned(), "b".to_owned()];
        put_first(&mut names, "b");
        put_first(&mut names, "c");
        assert_eq!(names, ["c", "b", "a"]);
        toggle(&mut names, "b");
        toggle(&mut names, "d");
        assert_eq!(names, ["c", "a", "d"]);
    }
}
