//! The guest: memtest86+, which is small, needs no disk, and has something to
//! show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::part::{Part, Recipe, create_image};
use crate::process::{self, Process};
use crate::setup;
use crate::workspace::{Workspace, announce};

const PACKAGE: &str = "memtest86+";

/// Where the package has it: since version 6, and before.
const IN_PACKAGE: &[&str] = &["boot/memtest86+x64.bin", "boot/memtest86+.bin"];

/// The guest's program, fetched unless it was before.
///
/// The package is unpacked and not installed, which would put it into the boot
/// menu of this machine.
pub(super) fn fetch(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let kept = workspace.target().join("demo-guest");
    if let Some(program) = find(&kept) {
        return Ok(program);
    }
    announce(&format!("Fetching the demo guest: package {PACKAGE}"));
    // Complete or not there at all, as we may be stopped at any time.
    let partial = tempfile::Builder::new()
        .prefix("demo-guest-")
        .tempdir_in(workspace.target())
        .context("a directory for the demo guest")?;
    if !download(workspace, partial.path())? {
        // A fresh machine has no list of packages, an old one has old ones.
        setup::apt_get(workspace, &["update"])?;
        if !download(workspace, partial.path())? {
            bail!("apt-get download {PACKAGE} failed");
        }
    }
    let packages = fs::read_dir(partial.path()).context("the downloaded package")?;
    let package = packages
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|name| name == "deb"))
        .with_context(|| format!("apt-get download {PACKAGE} made no package"))?;
    let root = partial.path().join("root");
    let mut unpack = workspace.command("dpkg");
    unpack.arg("-x").arg(package).arg(&root);
    process::run("dpkg", &mut unpack, workspace.cancel())?;
    if find(&root).is_none() {
        bail!(
            "the package {PACKAGE} has none of {}",
            IN_PACKAGE.join(", ")
        );
    }
    if kept.exists() {
        fs::remove_dir_all(&kept).with_context(|| kept.display().to_string())?;
    }
    fs::rename(&root, &kept).with_context(|| kept.display().to_string())?;
    find(&kept).with_context(|| kept.display().to_string())
}

fn find(root: &Path) -> Option<PathBuf> {
    let candidates = IN_PACKAGE.iter().map(|path| root.join(path));
    candidates.into_iter().find(|path| path.is_file())
}

/// Whether it could be downloaded.
fn download(workspace: &Workspace, directory: &Path) -> anyhow::Result<bool> {
    let mut command = workspace.command("apt-get");
    command.args(["--quiet", "download", PACKAGE]);
    // Root's apt would download as another user, who cannot write here.
    command.args(["-o", "APT::Sandbox::User=root"]);
    command.current_dir(directory);
    let status = Process::start("apt-get", &mut command)?.wait(workspace.cancel())?;
    Ok(status.success())
}

/// The guest, with two disks.
pub(super) fn part(directory: &Path, memtest: &Path) -> anyhow::Result<Part> {
    let disks = ["disk0", "disk1"].map(|node| Disk {
        node,
        image: directory.join(format!("demo-{node}.qcow2")),
    });
    for disk in &disks {
        create_image(&disk.image, "256M")?;
    }
    let recipe = Guest {
        memtest: memtest.to_owned(),
        disks,
    };
    Ok(Part::new(
        "demo",
        "qemu-system-x86_64",
        directory,
        "",
        recipe,
    ))
}

#[derive(Debug)]
struct Guest {
    memtest: PathBuf,
    disks: [Disk; 2],
}

#[derive(Debug)]
struct Disk {
    node: &'static str,
    image: PathBuf,
}

impl Recipe for Guest {
    fn complete(&self, command: &mut Command, socket: &Path) {
        command.args(["-no-user-config", "-nodefaults", "-display", "none"]);
        command.args(["-name", "demo", "-machine", "q35", "-m", "128"]);
        // Where KVM itself runs in a virtual machine, memtest86+ may stop it with an
        // internal error.
        command.args(["-accel", "tcg"]);
        command.args(["-device", "VGA", "-device", "virtio-balloon"]);
        for Disk { node, image } in &self.disks {
            let image = image.display();
            let file = format!("driver=file,node-name={node}-file,filename={image}");
            let qcow2 = format!("driver=qcow2,node-name={node},file={node}-file");
            let device = format!("virtio-blk,drive={node},id=virtio-{node}");
            command.args(["-blockdev", &file, "-blockdev", &qcow2, "-device", &device]);
        }
        command.arg("-kernel").arg(&self.memtest);
        let monitor = format!("unix:{},server=on,wait=off", socket.display());
        command.args(["-qmp", &monitor]);
    }
}
