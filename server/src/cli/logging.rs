//! What `serve` logs: what it was asked to, and never a secret.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The crates that may say everything: ours, which log how much passes and not
/// what.
const OURS: [&str; 3] = ["qmp_client", "qmp_console", "qmp_shared"];

/// Logs to stderr from now on.
pub(super) fn start(filter: EnvFilter) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // To say on stderr that stderr takes nothing would end whoever logs.
        .log_internal_errors(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(is_discreet))
        .with(lines)
        .init();
}

/// Whether it says nothing of what passes. At the level of traces the crates of
/// others do: tungstenite logs whole messages, and passwords with them.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() < Level::TRACE || OURS.contains(&target)
}
