//! Forms for the arguments of commands, made from the endpoint's schema.
//!
//! [`Form`] is a tree of [`Node`]s that holds what a user has entered, valid
//! or not. The views render it and send [`Edit`]s; [`Form::to_json`] writes
//! the `arguments`, or says all that is missing or wrong, and
//! [`Form::from_json`] reads them back, so that a form and a raw JSON view can
//! be two sides of one thing. [`message_text`] and [`parse_message`] put the
//! command's envelope around them and take it off; [`arguments_from_words`]
//! reads them from a command line, [`words_from_arguments`] writes them for one.
//! [`line_text`] and [`parse_line`] do that for a whole line, and
//! [`qmp_shell_line`] writes one for QEMU's own shell.
//!
//! ```text
//! Schema ──► Form::new ──► Form ◄── apply(Edit) ── view
//!                          │  ▲
//!                  to_json ▼  │ from_json
//!                       arguments ◄──► message_text, parse_message
//! ```
//!
//! Numbers stay text from end to end, so that integers of 64 bits are exact.
//! A form has no more than [`MAX_DEPTH`] levels and is made of no more than
//! [`MAX_PARTS`] parts at a time, whatever the schema says. It knows nothing
//! of views, sessions or transports.

mod build;
mod edit;
mod form;
mod line;
mod line_write;
mod message;
mod number;
mod path;
mod qmp_shell;
mod read;
mod shell;
mod undescribed;
mod write;

pub use edit::{Action, Edit, EditError, EditProblem};
pub use form::{Field, Form, FormError, MAX_DEPTH, MAX_PARTS, Node, NodeKind};
pub use line::arguments_from_words;
pub use line_write::words_from_arguments;
pub use message::{Execute, Layout, message_text, parse_message};
pub use number::understood;
pub use path::{Fault, Path, Step};
pub use qmp_shell::qmp_shell_line;
pub use read::validate;
pub use shell::{line_text, parse_line, shell_word, shell_words};
