//! Where something is in a command's arguments, and what is wrong there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most faults that are told one by one.
const MAX_FAULTS: usize = 1000;

/// The way from a command's arguments to a value within them; empty for the
/// arguments themselves. Alternates take no step, as in the JSON.
///
/// Displayed as `backing.file.filename`, `cpus[2].id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(pub Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// To an object's member.
    Member(String),
    /// To an array's item, from 0.
    Index(usize),
}

/// What is wrong with a command's arguments, and where. Its display names the
/// place unless that is the arguments as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where.
    pub path: Path,
    /// What, for people.
    pub message: String,
}

impl Path {
    /// The arguments themselves.
    pub fn root() -> Self {
        Self::default()
    }

    /// The way on to a member of the object here.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.then(Step::Member(name.to_owned()))
    }

    /// The way on to an item of the array here.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// Whether this is the arguments themselves.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if index == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for Fault {}

/// Faults found while walking a tree. What is beyond [`MAX_FAULTS`] is
/// counted, and told as one.
#[derive(Default)]
pub(super) struct Faults {
    /// Where the walk is.
    at: Path,
    found: Vec<Fault>,
    untold: usize,
}

impl Faults {
    /// Goes on to a part for as long as `walk` takes.
    pub(super) fn within<T>(&mut self, step: Step, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.at.0.push(step);
        let walked = walk(self);
        self.at.0.pop();
        walked
    }

    /// Something is wrong where the walk is.
    pub(super) fn add(&mut self, message: impl Into<String>) {
        if self.found.len() == MAX_FAULTS {
            self.untold += 1;
            return;
        }
        self.found.push(Fault {
            path: self.at.clone(),
            message: message.into(),
        });
    }

    /// Something is wrong with a member of the object where the walk is.
    pub(super) fn add_at(&mut self, member: &str, message: impl Into<String>) {
        self.within(Step::Member(member.to_owned()), |faults| {
            faults.add(message);
        });
    }

    /// Whether nothing is wrong, as far as the walk has come.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_vec(mut self) -> Vec<Fault> {
        if self.untold > 0 {
            self.found.push(Fault {
                path: Path::root(),
                message: format!("{} more faults", self.untold),
            });
        }
        self.found
    }
}

/// A text from elsewhere in quotes, shortened, for a message.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
