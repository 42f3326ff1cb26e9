//! The event that a command's sender waits for too: a subscription of its own
//! that begins before the command is sent, and ends with the first event that
//! it accepts, or for one of the reasons below.
//!
//! The reply does not wait for it, unlike with `expect` in the console's own
//! API: what the command returned is shown at once.

use std::sync::Arc;

use qmp_shared::rest::{DEFAULT_EXECUTE_TIMEOUT, Expect, Problem};

/// An event that is awaited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Awaited {
    /// Which one.
    pub(crate) expect: Expect,
    /// Whether events of the session were lost meanwhile, or its endpoint was.
    pub(crate) has_gap: bool,
    /// What became of it.
    pub(crate) fate: Fate,
}

/// What became of an event that is awaited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is still awaited.
    Waiting,
    /// It came; the event verbatim.
    Came(Arc<str>),
    /// It did not come in time.
    Late,
    /// The user waits no longer.
    GivenUp,
    /// The command did not return.
    Failed,
    /// The connection to the console was lost.
    Disconnected,
    /// The console does not watch for it.
    Refused(Arc<Problem>),
}

impl Awaited {
    /// The event of that description, from now on.
    pub(crate) fn new(expect: Expect) -> Self {
        Self {
            expect,
            has_gap: false,
            fate: Fate::Waiting,
        }
    }

    /// Milliseconds that it may come after the reply.
    pub(crate) fn within(&self) -> f64 {
        self.expect.timeout.unwrap_or(DEFAULT_EXECUTE_TIMEOUT) * 1000.0
    }

    /// Which one, in words.
    pub(crate) fn what(&self) -> String {
        event_words(&self.expect)
    }

    /// Why there is no event, to follow on [`Self::what`]; `None` while it may
    /// come, and when it came.
    pub(crate) fn why_not(&self) -> Option<String> {
        let lost = ": events may have been lost meanwhile, and it among them";
        let words = match &self.fate {
            Fate::Waiting | Fate::Came(_) => return None,
            Fate::Late => {
                let within = (self.within() / 1000.0).to_string();
                let late = "did not come within ".to_owned() + &within + " s of the reply";
                late + if self.has_gap { lost } else { "" }
            }
            Fate::GivenUp => "is not awaited any more".to_owned(),
            Fate::Failed => "is not awaited: the command did not return".to_owned(),
            Fate::Disconnected => "was awaited until the connection to the console was lost: \
                 whether it came, the Events page shows"
                .to_owned(),
            Fate::Refused(problem) => "cannot be awaited: ".to_owned() + &problem.detail,
        };
        Some(words)
    }
}

/// Which event is expected, in words.
pub(crate) fn event_words(expect: &Expect) -> String {
    let mut words = match expect.names.patterns() {
        [] => "any event".to_owned(),
        names => names.join(" or "),
    };
    if let Some(expression) = &expect.expression {
        words.push_str(" where ");
        words.push_str(expression);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmp_shared::rest::ProblemKind;

    fn awaited(names: &str, expression: Option<&str>) -> Awaited {
        Awaited::new(Expect {
            names: names.parse().unwrap(),
            expression: expression.map(str::to_owned),
            timeout: None,
        })
    }

    #[test]
    fn says_which_event() {
        assert_eq!(awaited("", None).what(), "any event");
        let job = awaited("JOB_*,STOP", Some("@.data.id == 'j'"));
        assert_eq!(job.what(), "JOB_* or STOP where @.data.id == 'j'");
    }

    #[test]
    fn says_why_there_is_none() {
        let ended = |fate| {
            let mut awaited = awaited("STOP", None);
            awaited.fate = fate;
            awaited.why_not()
        };
        assert_eq!(ended(Fate::Waiting), None);
        assert_eq!(ended(Fate::Came("{}".into())), None);
        let late = ended(Fate::Late).unwrap();
        assert_eq!(late, "did not come within 30 s of the reply");
        for fate in [Fate::GivenUp, Fate::Failed, Fate::Disconnected] {
            assert!(ended(fate).is_some());
        }
        let problem = Problem::new(ProblemKind::RateLimited, "too many");
        let refused = ended(Fate::Refused(problem.into())).unwrap();
        assert_eq!(refused, "cannot be awaited: too many");
    }

    #[test]
    fn what_was_lost_is_no_proof() {
        let mut awaited = awaited("STOP", None);
        awaited.expect.timeout = Some(0.5);
        awaited.fate = Fate::Late;
        awaited.has_gap = true;
        let words = awaited.why_not().unwrap();
        assert!(
            words.contains("within 0.5 s") && words.contains("lost"),
            "{words}"
        );
    }
}
