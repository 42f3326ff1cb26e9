//! Blocks to entries: a reader that knows where in a page it is.

use std::collections::BTreeMap;

use super::item::{self, EntryKind};
use super::open::{Open, OpenItem, Section, Shape, section};
use super::roff::{self, Block, Kind};
use super::{Group, Manual};

/// Reads a page.
pub(super) fn read(page: &str) -> Manual {
    let mut reader = Reader::default();
    let mut blocks = roff::blocks(page).peekable();
    while let Some(block) = blocks.next() {
        reader.block(block, blocks.peek());
    }
    reader.finish()
}

/// Where the reader is: before the chapters, in a chapter, in one of its
/// entries.
#[derive(Default)]
struct Reader {
    manual: Manual,
    /// What the page is, from its NAME chapter.
    title: Option<String>,
    /// Titles as the page's contents write them, by the same in lower case:
    /// headings of chapters are in upper case.
    contents: BTreeMap<String, String>,
    group: Option<Group>,
    /// Whether the chapter has had an entry.
    begun: bool,
    open: Option<Open>,
    prefix: Option<Prefix>,
}

/// A label or term that waits for its paragraph.
struct Prefix {
    text: String,
    depth: usize,
    /// Whether it says something if there is no paragraph.
    is_term: bool,
}

impl Prefix {
    fn label(text: String, depth: usize) -> Self {
        Self {
            text,
            depth,
            is_term: false,
        }
    }
}

impl Reader {
    fn block(&mut self, block: Block, next: Option<&Block>) {
        self.leave(&block);
        match block.kind {
            Kind::Title(arguments) => {
                let version = arguments
                    .into_iter()
                    .nth(3)
                    .filter(|version| !version.is_empty());
                self.manual.version = self.manual.version.take().or(version);
            }
            Kind::Chapter(title) => self.chapter(title, block.depth, next),
            Kind::Section(title) => self.section(title, next),
            Kind::Term(text) => self.term(text, block.depth),
            Kind::Label(text) => self.label(text, block.depth),
            Kind::Paragraph(text) => self.paragraph(text, block.depth),
            Kind::Literal(text) => self.literal(text),
        }
    }

    /// Closes what the block is not part of.
    fn leave(&mut self, block: &Block) {
        let lone = self.prefix.take_if(|prefix| {
            !matches!(block.kind, Kind::Paragraph(_)) || block.floor < prefix.depth
        });
        self.emit_term(lone);
        let Some(open) = &mut self.open else {
            return;
        };
        if let Shape::Nested(depth) = open.shape
            && block.floor < depth
        {
            self.close();
            return;
        }
        let begins_item = matches!(block.kind, Kind::Term(_) | Kind::Label(_));
        open.item
            .take_if(|item| block.floor < item.depth || (begins_item && block.depth == item.depth));
        if block.floor < open.floor {
            open.enter(Section::Text, 0);
        }
    }

    fn chapter(&mut self, title: String, depth: usize, next: Option<&Block>) {
        if self.group.is_none() && self.open.is_none() && title.eq_ignore_ascii_case("NAME") {
            return;
        }
        let known = self.contents.get(&title.to_lowercase());
        // The writer makes chapters of headings within text, too.
        if let Some(open) = &mut self.open
            && depth > 0
            && known.is_none()
            && !next.is_some_and(starts_entry)
        {
            open.enter(Section::Text, 0);
            self.emit(title);
            return;
        }
        let title = known.cloned().unwrap_or(title);
        self.close();
        self.end_group();
        self.begun = false;
        self.group = Some(Group {
            title,
            ..Group::default()
        });
    }

    fn section(&mut self, title: String, next: Option<&Block>) {
        if let Some((kind, name)) = item::heading(&title) {
            let open = Open::new(kind, name, Shape::Headings);
            self.begin(open);
            return;
        }
        let Some(open) = &mut self.open else {
            return;
        };
        if let Some((section, label)) = section(&title) {
            open.enter(section, 0);
            self.prefix = label.map(|label| Prefix::label(label, 0));
        } else if self.contents.contains_key(&title.to_lowercase())
            || next.is_some_and(|next| starts_entry(next) || matches!(next.kind, Kind::Section(_)))
        {
            self.close();
        } else {
            open.enter(Section::Text, 0);
            self.emit(title);
        }
    }

    fn term(&mut self, text: String, depth: usize) {
        let free = match &self.open {
            None => true,
            Some(open) => matches!(open.shape, Shape::Nested(own) if depth <= own),
        };
        if free && let Some((kind, name, since)) = item::entry_term(&text) {
            let mut open = Open::new(kind, name, Shape::Nested(depth));
            open.entry.since = since.map(str::to_owned);
            self.begin(open);
            return;
        }
        if let Some(open) = self.open.as_mut().filter(|open| open.item.is_none()) {
            match open.shape {
                Shape::Nested(own) if depth > own => {
                    if let Some((section, None)) = section(&text) {
                        open.enter(section, depth);
                        return;
                    }
                }
                Shape::Headings if open.has_items() => {
                    if let Some(item) = item::term(&text) {
                        open.declare(item, depth);
                        return;
                    }
                }
                _ => {}
            }
        }
        self.prefix = Some(Prefix {
            text,
            depth,
            is_term: true,
        });
    }

    fn label(&mut self, text: String, depth: usize) {
        if let Some(open) = self.open.as_mut().filter(|open| open.item.is_none()) {
            if let Some(title) = text.strip_prefix("Example") {
                open.enter(Section::Examples, depth);
                let title = title.trim_start_matches(['s', ':']).trim();
                if !title.is_empty() {
                    open.example(title.to_owned());
                }
                return;
            }
            if let Some((section, label)) = section(&text) {
                open.enter(section, depth);
                self.prefix = label.map(|label| Prefix::label(label, depth));
                return;
            }
            if matches!(open.shape, Shape::Nested(_)) && open.has_items() {
                open.item = Some(OpenItem {
                    depth,
                    name: None,
                    pending: true,
                });
            }
        }
        self.prefix = Some(Prefix::label(text, depth));
    }

    fn paragraph(&mut self, text: String, depth: usize) {
        let Some(open) = &mut self.open else {
            self.outside(text);
            return;
        };
        if open.takes_declaration()
            && let Some(item) = item::line(&text)
        {
            self.prefix = None;
            open.declare(item, depth);
            return;
        }
        open.item.take_if(|item| item.pending);
        let mut text = text;
        if open.item.is_none() {
            if let Some((Section::Notes, label)) = text.strip_suffix(':').and_then(section) {
                open.enter(Section::Notes, depth + 1);
                self.prefix = label.map(|label| Prefix::label(label, depth));
                return;
            }
            if open.section == Section::Text
                && open.entry.condition.is_none()
                && let Some((head, condition)) = text.split_once("Availability: ")
                && (head.is_empty() || head.ends_with('.'))
            {
                open.entry.condition = Some(condition.to_owned());
                text.truncate(head.len());
            }
        }
        // An error each is what the list is for.
        let bare = open.section == Section::Errors && open.item.is_none();
        if let Some(prefix) = self.prefix.take().filter(|_| !bare) {
            text = format!("{} {text}", prefix.text);
        }
        if !text.is_empty() {
            self.emit(text);
        }
    }

    /// A paragraph that is not in an entry.
    fn outside(&mut self, text: String) {
        let label = self.prefix.take();
        match &mut self.group {
            Some(_) if self.begun => {}
            Some(group) => group.text.push(match label {
                Some(label) => format!("{} {text}", label.text),
                None => text,
            }),
            None if label.is_some() => {
                self.contents.insert(text.to_lowercase(), text);
            }
            None if self.title.is_none() => {
                let title = text
                    .split_once(" - ")
                    .map_or(text.as_str(), |(_, title)| title);
                self.title = Some(title.to_owned());
            }
            None => {}
        }
    }

    fn literal(&mut self, text: String) {
        match &mut self.open {
            Some(open) if open.item.is_none() && open.section == Section::Examples => {
                open.example_text(text);
            }
            Some(_) => self.emit(text),
            None => {}
        }
    }

    /// Puts a paragraph where the reader is.
    fn emit(&mut self, text: String) {
        if let Some(open) = &mut self.open {
            open.paragraph(text);
        }
    }

    /// What waited for a paragraph that did not come.
    fn emit_term(&mut self, prefix: Option<Prefix>) {
        if let Some(prefix) = prefix.filter(|prefix| prefix.is_term) {
            self.emit(prefix.text);
        }
    }

    fn begin(&mut self, open: Open) {
        self.close();
        if self.group.is_none() {
            let title = self.title.clone().unwrap_or_default();
            self.group = Some(Group {
                title,
                ..Group::default()
            });
        }
        self.begun = true;
        self.open = Some(open);
    }

    /// Ends the entry. Of two of the same name the first is kept.
    fn close(&mut self) {
        let Some(Open {
            kind, name, entry, ..
        }) = self.open.take()
        else {
            return;
        };
        let group = self.group.get_or_insert_default();
        let (entries, names) = match kind {
            EntryKind::Command => (&mut self.manual.commands, Some(&mut group.commands)),
            EntryKind::Event => (&mut self.manual.events, Some(&mut group.events)),
            EntryKind::Type => (&mut self.manual.types, None),
        };
        if entries.contains_key(&name) {
            return;
        }
        if let Some(names) = names {
            names.push(name.clone());
        }
        entries.insert(name, entry);
    }

    fn end_group(&mut self) {
        let group = self.group.take();
        self.manual
            .groups
            .extend(group.filter(|group| !(group.commands.is_empty() && group.events.is_empty())));
    }

    fn finish(mut self) -> Manual {
        let lone = self.prefix.take();
        self.emit_term(lone);
        self.close();
        self.end_group();
        self.manual
    }
}

/// Whether an entry begins here.
fn starts_entry(block: &Block) -> bool {
    match &block.kind {
        Kind::Term(text) => item::entry_term(text).is_some(),
        Kind::Section(text) => item::heading(text).is_some(),
        _ => false,
    }
}
