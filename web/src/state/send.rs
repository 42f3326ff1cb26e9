//! What a command waits for: how long for its reply, and for which event.

use qmp_shared::filter::{EventFilter, Expression};
use qmp_shared::rest::{Expect, MAX_EXECUTE_TIMEOUT};
use serde::{Deserialize, Serialize};

use super::awaited::event_words;

/// As it is typed beside Send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    /// Seconds to wait for the reply.
    pub(crate) timeout: String,
    /// Whether an event is awaited too.
    pub(crate) expects: bool,
    /// Its names.
    pub(crate) names: String,
    /// The expression that must hold of it.
    pub(crate) expression: String,
    /// Seconds to wait for it after the reply.
    pub(crate) within: String,
}

/// What a command waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Waits {
    /// Seconds to wait for the reply; the console's 30 when absent.
    pub(crate) timeout: Option<f64>,
    /// The event that is awaited too.
    pub(crate) expect: Option<Expect>,
}

/// What is wrong with [`Options`], field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OptionFaults {
    /// With the time for the reply.
    pub(crate) timeout: Option<String>,
    /// With the names.
    pub(crate) names: Option<String>,
    /// With the expression.
    pub(crate) expression: Option<String>,
    /// With the time for the event.
    pub(crate) within: Option<String>,
}

impl OptionFaults {
    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Options {
    /// Whether nothing is asked for.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What they mean.
    ///
    /// # Errors
    ///
    /// What is wrong, where.
    pub(crate) fn read(&self) -> Result<Waits, OptionFaults> {
        let mut faults = OptionFaults::default();
        let timeout = seconds(&self.timeout).unwrap_or_else(|fault| {
            faults.timeout = Some(fault);
            None
        });
        let expect = self.expects.then(|| {
            let names = self.names.trim().trim_end_matches(',');
            let names: EventFilter = names.parse().unwrap_or_else(|fault| {
                faults.names = Some(ToString::to_string(&fault));
                EventFilter::all()
            });
            let trimmed = self.expression.trim();
            let expression = (!trimmed.is_empty()).then(|| trimmed.to_owned());
            // As it is, so that the column is that of the field.
            if expression.is_some()
                && let Err(fault) = self.expression.parse::<Expression>()
            {
                faults.expression = Some(fault.to_string());
            }
            Expect {
                names,
                expression,
                timeout: seconds(&self.within).unwrap_or_else(|fault| {
                    faults.within = Some(fault);
                    None
                }),
            }
        });
        if faults.is_empty() {
            return Ok(Waits { timeout, expect });
        }
        Err(faults)
    }
}

impl Waits {
    /// In words; `None` when it is the console's own choice.
    pub(crate) fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        if let Some(timeout) = self.timeout {
            words.push("waits ".to_owned() + &timeout.to_string() + " s for the reply");
        }
        if let Some(expect) = &self.expect {
            words.push("expects ".to_owned() + &event_words(expect));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

impl From<&Waits> for Options {
    fn from(waits: &Waits) -> Self {
        let seconds = |seconds: f64| seconds.to_string();
        let mut options = Self {
            timeout: waits.timeout.map(seconds).unwrap_or_default(),
            ..Self::default()
        };
        if let Some(expect) = &waits.expect {
            options.expects = true;
            options.names = expect.names.patterns().join(", ");
            options.expression = expect.expression.clone().unwrap_or_default();
            options.within = expect.timeout.map(seconds).unwrap_or_default();
        }
        options
    }
}

/// Seconds as typed; nothing is the console's own choice.
fn seconds(typed: &str) -> Result<Option<f64>, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let seconds = typed.parse::<f64>().ok();
    match seconds.filter(|seconds| (0.0..=MAX_EXECUTE_TIMEOUT).contains(seconds)) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err("seconds from 0 to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            expects: true,
            names: "JOB_*, SHUTDOWN,".into(),
            expression: " @.data.id == 'j' ".into(),
            within: "1.5".into(),
            timeout: " 60 ".into(),
        }
    }

    #[test]
    fn nothing_typed_is_the_consoles_choice() {
        let waits = Options::default().read().unwrap();
        assert!(waits.timeout.is_none() && waits.expect.is_none());
    }

    #[test]
    fn an_event_has_names_and_an_expression() {
        let waits = options().read().unwrap();
        assert_eq!(waits.timeout, Some(60.0));
        let expect = waits.expect.unwrap();
        assert_eq!(expect.names.patterns(), ["JOB_*", "SHUTDOWN"]);
        assert_eq!(expect.expression.as_deref(), Some("@.data.id == 'j'"));
        assert_eq!(expect.timeout, Some(1.5));
        let any = Options {
            expects: true,
            ..Options::default()
        };
        let any = any.read().unwrap().expect.unwrap();
        assert!(any.names.patterns().is_empty() && any.expression.is_none());
    }

    #[test]
    fn what_is_waited_for_can_be_typed_again() {
        for options in [options(), Options::default()] {
            let waits = options.read().unwrap();
            assert_eq!(Options::from(&waits).read().unwrap(), waits);
        }
        assert_eq!(Waits::default().words(), None);
        assert_eq!(
            options().read().unwrap().words().unwrap(),
            "waits 60 s for the reply, expects JOB_* or SHUTDOWN where @.data.id == 'j'"
        );
    }

    #[test]
    fn each_fault_is_at_its_field() {
        for wrong in ["-1", "3601", "soon", "inf", "NaN"] {
            let faults = Options {
                timeout: wrong.into(),
                ..Options::default()
            };
            assert!(faults.read().unwrap_err().timeout.is_some(), "{wrong}");
        }
        let faults = Options {
            names: "A,,B".into(),
            expression: "  @.data.id ==".into(),
            within: "x".into(),
            ..options()
        };
        let faults = faults.read().unwrap_err();
        assert!(faults.names.is_some() && faults.within.is_some() && faults.timeout.is_none());
        let expression = faults.expression.unwrap();
        assert!(expression.contains("column 15"), "{expression}");
        // What is not asked for is not wrong.
        let unasked = Options {
            expects: false,
            within: "x".into(),
            ..options()
        };
        assert!(unasked.read().unwrap().expect.is_none());
    }
}
