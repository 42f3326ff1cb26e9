//! [`Execute`]: what is to be executed, and how.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use qmp_shared::message::Message;
use serde_json::value::RawValue;

/// A command to execute.
#[derive(Clone, Debug)]
pub struct Execute {
    pub(super) command: String,
    pub(super) arguments: Option<Box<RawValue>>,
    pub(super) oob: bool,
    pub(crate) timeout: Option<Duration>,
    pub(super) descriptor: Option<Arc<OwnedFd>>,
}

impl Execute {
    /// A command without arguments, in band, without a timeout.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            arguments: None,
            oob: false,
            timeout: None,
            descriptor: None,
        }
    }

    /// The command of a message; its `id` does not count, as each command gets
    /// one of its own. `None` for a message that is no command, or whose name or
    /// arguments are of another type.
    pub fn from_message(message: &Message) -> Option<Self> {
        let (name, oob) = match (message.get("execute"), message.get("exec-oob")) {
            (Some(name), None) => (name, false),
            (None, Some(name)) => (name, true),
            _ => return None,
        };
        let name: String = serde_json::from_str(name.get()).ok()?;
        let mut execute = Self::new(name).oob(oob);
        execute.arguments = message.get("arguments").map(ToOwned::to_owned);
        Some(execute)
    }

    /// With this descriptor, for `getfd` and `add-fd`: it is passed right before
    /// the command, and before the reply no other one is, so that each command
    /// takes its own.
    pub fn descriptor(mut self, descriptor: OwnedFd) -> Self {
        self.descriptor = Some(Arc::new(descriptor));
        self
    }

    /// With these arguments, which are sent verbatim.
    pub fn arguments(mut self, arguments: Box<RawValue>) -> Self {
        self.arguments = Some(arguments);
        self
    }

    /// Out of band, or not (QMP specification, "Out-of-band execution").
    pub fn oob(mut self, oob: bool) -> Self {
        self.oob = oob;
        self
    }

    /// Waits for the reply no longer than this.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl From<&str> for Execute {
    fn from(command: &str) -> Self {
        Self::new(command)
    }
}
