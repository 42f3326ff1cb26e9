//! Roff to a flat sequence of blocks.
//!
//! Only the macros that documentation tools write are known (`man(7)`'s and the
//! two, `INDENT` and `UNINDENT`, that such a page defines for itself); all
//! others count as absent. A block says how deep it stands instead of holding
//! its children, so no depth of nesting costs anything.

use std::collections::VecDeque;
use std::str::Lines;

use super::table;
use super::text::{arguments, plain, unglue};

/// A part of a page, its text plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// How many `INDENT`s it stands in.
    pub(super) depth: usize,
    /// The least depth since the block before it; at most `depth`. What was
    /// open at a depth above it has been left, even if this block is as deep.
    pub(super) floor: usize,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The arguments of `.TH`: name, section, date, version, manual.
    Title(Vec<String>),
    /// `.SH`.
    Chapter(String),
    /// `.SS`.
    Section(String),
    /// The term of a list item, `.TP`.
    Term(String),
    /// The label of a list item, `.IP`: `•`, `1.` or a word.
    Label(String),
    /// Running text, on one line.
    Paragraph(String),
    /// Lines that stay as they are, without a line feed at the end.
    Literal(String),
}

/// The blocks of a page.
pub(super) fn blocks(page: &str) -> Blocks<'_> {
    Blocks {
        lines: page.lines(),
        split: None,
        depth: 0,
        floor: 0,
        paragraph: String::new(),
        expect: Expect::Text,
        ready: VecDeque::new(),
    }
}

/// An iterator over a page's blocks; see [`blocks`].
pub(super) struct Blocks<'a> {
    lines: Lines<'a>,
    /// A macro that stood at the end of a line of text.
    split: Option<&'a str>,
    depth: usize,
    floor: usize,
    paragraph: String,
    expect: Expect,
    ready: VecDeque<Block>,
}

/// What the next line of text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Text,
    Term,
    Chapter,
    Section,
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        while self.ready.is_empty() {
            let Some(line) = self.split.take().or_else(|| self.lines.next()) else {
                self.flush();
                break;
            };
            self.line(line);
        }
        self.ready.pop_front()
    }
}

impl<'a> Blocks<'a> {
    fn line(&mut self, line: &'a str) {
        if let Some(request) = line.strip_prefix(['.', '\'']) {
            self.request(request);
        } else if line.trim().is_empty() {
            self.flush();
        } else {
            let (text, glued) = unglue(line);
            self.split = glued;
            self.text(&plain(text));
        }
    }

    fn request(&mut self, request: &'a str) {
        let request = request.trim_start();
        let (name, rest) = request.split_once([' ', '\t']).unwrap_or((request, ""));
        match name {
            "B" | "I" | "SB" | "SM" => self.text(&arguments(rest).join(" ")),
            "BI" | "BR" | "IB" | "IR" | "RB" | "RI" => self.text(&arguments(rest).concat()),
            "UE" | "ME" => self.punctuation(&arguments(rest).concat()),
            "INDENT" | "RS" => {
                self.flush();
                self.depth += 1;
            }
            "UNINDENT" | "RE" => {
                self.flush();
                self.depth = self.depth.saturating_sub(1);
                self.floor = self.floor.min(self.depth);
            }
            "sp" | "br" | "PP" | "P" | "LP" | "HP" => self.flush(),
            "TP" | "TQ" => {
                self.flush();
                self.expect = Expect::Term;
            }
            "IP" => {
                self.flush();
                if let Some(label) = arguments(rest).into_iter().next() {
                    self.push(Kind::Label(label));
                }
            }
            "SH" => self.heading(rest, Expect::Chapter),
            "SS" => self.heading(rest, Expect::Section),
            "TH" => {
                self.flush();
                self.push(Kind::Title(arguments(rest)));
            }
            "nf" | "EX" => self.literal(),
            "TS" => self.table(),
            "de" | "de1" | "am" | "am1" | "dei" | "ami" | "ig" => {
                self.skip_definition();
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let expected = std::mem::replace(&mut self.expect, Expect::Text);
        if expected != Expect::Text {
            let text = joined(text);
            self.push(match expected {
                Expect::Chapter => Kind::Chapter(text),
                Expect::Section => Kind::Section(text),
                Expect::Term | Expect::Text => Kind::Term(text),
            });
            return;
        }
        for word in text.split_whitespace() {
            if !self.paragraph.is_empty() {
                self.paragraph.push(' ');
            }
            self.paragraph.push_str(word);
        }
    }

    /// What follows a link's text without a space.
    fn punctuation(&mut self, text: &str) {
        if !self.paragraph.is_empty() {
            self.paragraph.push_str(text.trim());
        }
    }

    fn heading(&mut self, rest: &str, expect: Expect) {
        self.flush();
        self.expect = expect;
        let text = arguments(rest).join(" ");
        if !text.is_empty() {
            self.text(&text);
        }
    }

    /// Ends the paragraph, and what was expected of the next line.
    fn flush(&mut self) {
        self.expect = Expect::Text;
        if !self.paragraph.is_empty() {
            let text = std::mem::take(&mut self.paragraph);
            self.push(Kind::Paragraph(text));
        }
    }

    fn push(&mut self, kind: Kind) {
        let floor = self.floor.min(self.depth);
        self.floor = usize::MAX;
        self.ready.push_back(Block {
            depth: self.depth,
            floor,
            kind,
        });
    }

    /// To `.fi` or `.EE`. Requests between are for fonts.
    fn literal(&mut self) {
        self.flush();
        let mut out = String::new();
        for line in self.lines.by_ref() {
            if let Some(request) = line.strip_prefix('.') {
                if matches!(request.trim(), "fi" | "EE") {
                    break;
                }
                continue;
            }
            out.push_str(plain(line).trim_end());
            out.push('\n');
        }
        let out = out.trim_matches('\n');
        if !out.is_empty() {
            self.push(Kind::Literal(out.to_owned()));
        }
    }

    /// To `.TE`.
    fn table(&mut self) {
        self.flush();
        let rows = table::rows(&mut self.lines);
        if !rows.is_empty() {
            self.push(Kind::Literal(rows));
        }
    }

    /// To the line `..`, which ends a macro's definition.
    fn skip_definition(&mut self) {
        self.flush();
        self.lines.by_ref().find(|line| line.trim_end() == "..");
    }
}

/// Text without runs of white space.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Kind, blocks};

    fn kinds(page: &str) -> Vec<Kind> {
        blocks(page).map(|block| block.kind).collect()
    }

    fn paragraph(text: &str) -> Kind {
        Kind::Paragraph(text.to_owned())
    }

    #[test]
    fn lines_join_to_paragraphs() {
        assert_eq!(
            kinds(".\\\" a comment\n.sp\nOne  two\nthree.\n.sp\n\\(aqFour\\(aq\n\nFive\n"),
            [
                paragraph("One two three."),
                paragraph("'Four'"),
                paragraph("Five")
            ]
        );
    }

    #[test]
    fn depth_and_floor_tell_what_was_left() {
        let page = ".INDENT 0.0\n.TP\n.B term\na\n.INDENT 7.0\nb\n.UNINDENT\n.INDENT 7.0\nc\n.UNINDENT\n.UNINDENT\nd\n";
        let depths: Vec<_> = blocks(page)
            .map(|block| (block.depth, block.floor))
            .collect();
        assert_eq!(depths, [(1, 0), (1, 1), (2, 2), (2, 1), (0, 0)]);
    }

    #[test]
    fn a_macro_at_the_end_of_text_counts() {
        let found: Vec<_> = blocks("Availability: X.INDENT 7.0\ny\nno.INDENT here\n").collect();
        assert_eq!(found[0].kind, paragraph("Availability: X"));
        assert_eq!(
            (found[1].depth, &found[1].kind),
            (1, &paragraph("y no.INDENT here"))
        );
        assert_eq!(
            kinds("\\fBdefined(X)\\fP.SS \\fBstop\\fP (Command)\nsee foo.SS bar\n"),
            [
                paragraph("defined(X)"),
                Kind::Section("stop (Command)".into()),
                paragraph("see foo.SS bar")
            ]
        );
    }

    #[test]
    fn literal_text_keeps_its_lines() {
        assert_eq!(
            kinds(".nf\n.ft C\n\\-> {\n\n     \\(dqa\\(dq }\n.ft P\n.fi\nafter"),
            [
                Kind::Literal("-> {\n\n     \"a\" }".to_owned()),
                paragraph("after")
            ]
        );
        assert_eq!(
            kinds(".EX\nnever ended"),
            [Kind::Literal("never ended".to_owned())]
        );
    }

    #[test]
    fn headings_terms_and_labels() {
        assert_eq!(
            kinds(
                ".TH \"A B\" 7 \"May 1\" 7.2.22\n.SH VM RUN STATE\n.SS \\fBstop\\fP (Command)\n.TP\n\\fBa\\fP: b\ntext\n.IP \\(bu 2\nitem\n.IP \"Example: x\"\n.SS\nnext line\n"
            ),
            [
                Kind::Title(vec![
                    "A B".into(),
                    "7".into(),
                    "May 1".into(),
                    "7.2.22".into()
                ]),
                Kind::Chapter("VM RUN STATE".into()),
                Kind::Section("stop (Command)".into()),
                Kind::Term("a: b".into()),
                paragraph("text"),
                Kind::Label("•".into()),
                paragraph("item"),
                Kind::Label("Example: x".into()),
                Kind::Section("next line".into()),
            ]
        );
    }

    #[test]
    fn definitions_are_skipped() {
        assert_eq!(
            kinds(".de INDENT\nnot\n.TP\n..\nshown\n.ig\nunended"),
            [paragraph("shown")]
        );
    }
}
