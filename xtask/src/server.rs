//! The one binary, with the front end inside.

use crate::process;
use crate::workspace::{Workspace, announce};

/// Builds `target/release/qmp-console`. The front end must have been
/// [built](crate::web::build): the server's build script embeds it.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<()> {
    announce("Building the server");
    let mut cargo = workspace.cargo();
    cargo
        .args(["build", "--release", "--package", "qmp-console"])
        .arg("--target-dir")
        .arg(workspace.target());
    process::run("the server's build", &mut cargo, workspace.cancel())
}
