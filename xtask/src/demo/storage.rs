//! The storage daemon, with one image.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::part::{Part, Recipe, create_image};

/// A qemu-storage-daemon.
pub(super) fn part(directory: &Path) -> anyhow::Result<Part> {
    let image = directory.join("storage-disk0.qcow2");
    create_image(&image, "256M")?;
    let recipe = Storage { image };
    Ok(Part::new(
        "storage",
        "qemu-storage-daemon",
        directory,
        "",
        recipe,
    ))
}

#[derive(Debug)]
struct Storage {
    image: PathBuf,
}

impl Recipe for Storage {
    fn complete(&self, command: &mut Command, socket: &Path) {
        let monitor = format!(
            "socket,id=monitor,path={},server=on,wait=off",
            socket.display()
        );
        command.args(["--chardev", &monitor, "--monitor", "chardev=monitor"]);
        let image = self.image.display();
        let file = format!("driver=file,node-name=disk0-file,filename={image}");
        let qcow2 = "driver=qcow2,node-name=disk0,file=disk0-file";
        command.args(["--blockdev", &file, "--blockdev", qcow2]);
    }
}
