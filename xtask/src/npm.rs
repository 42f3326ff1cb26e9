//! `npm ci`, when the lock file says otherwise than what is installed.

use std::path::PathBuf;

use crate::fingerprint::{self, Fingerprint};
use crate::process;
use crate::workspace::{Workspace, announce};

/// Makes `DIRECTORY/node_modules` what `DIRECTORY/package-lock.json` says, and
/// returns its path.
pub(crate) fn install(workspace: &Workspace, directory: &str) -> anyhow::Result<PathBuf> {
    let directory_path = workspace.path(directory);
    let modules = directory_path.join("node_modules");
    // In the directory that it is about: whoever removes the one, removes both.
    let stamp = modules.join(".xtask-lock");
    let lock = directory_path.join("package-lock.json");
    let wanted = Fingerprint::default().file(&lock)?.finish();
    if !fingerprint::is_current(&stamp, &wanted) {
        announce(&format!(
            "Installing {directory}/package-lock.json by npm ci"
        ));
        let mut npm = workspace.command("npm");
        npm.args(["ci", "--no-audit", "--no-fund"]);
        npm.current_dir(&directory_path);
        process::run("npm ci", &mut npm, workspace.cancel())?;
        fingerprint::write(&stamp, &wanted)?;
    }
    Ok(modules)
}
