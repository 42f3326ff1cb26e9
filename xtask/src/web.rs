//! The front end: from `web/` to `target/web/dist`.
//!
//! cargo makes the wasm32 module, wasm-split takes out of it what one page alone
//! needs, wasm-bindgen makes the JavaScript around it, wasm-opt makes it small;
//! `dist` then holds what a browser loads, with the names that
//! `web/index.html` uses. Files there are only touched when their content
//! changes, so that the server is not built again for nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use wasm_bindgen_cli_support::Bindgen;

use crate::budget;
use crate::fingerprint::{self, Fingerprint};
use crate::npm;
use crate::process;
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::{Workspace, announce};

const SCRIPT: &str = "qmp-web.js";
const MODULE: &str = "qmp-web_bg.wasm";

/// Loads the parts of the module, which is what one page alone needs.
const LOADER: &str = "./qmp-web-parts.js";

/// Starts the module. A file, as the page's policy allows no inline script.
const BOOT: (&str, &str) = (
    "boot.js",
    "import init from './qmp-web.js';\ninit({ module_or_path: new URL('qmp-web_bg.wasm', import.meta.url) });\n",
);

/// Named one by one: with all features on, the output is refused by engines.
const WASM_OPT: &[&str] = &[
    "-Oz",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-reference-types",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
];

/// Builds the front end and checks its size.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<()> {
    let compiled = compile(workspace)?;
    let packed = pack(workspace, &compiled)?;
    workspace.cancel().check()?;
    assemble(workspace, &packed)?;
    budget::check(workspace)
}

/// Compiles the crate; returns the module.
fn compile(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let toolchain = Toolchain::choose(workspace)?;
    announce(&format!(
        "Building the front end ({TARGET}, {})",
        toolchain.name()
    ));
    // A directory of its own: two compilers must not share one.
    let directory = workspace.path("target/web");
    let mut cargo = toolchain.cargo_build(workspace);
    cargo
        .args(["--locked", "--package", "qmp-web", "--profile", "web"])
        .args(["--target", TARGET])
        .arg("--target-dir")
        .arg(&directory);
    process::run("the front end's build", &mut cargo, workspace.cancel())?;
    Ok(directory.join(TARGET).join("web/qmp-web.wasm"))
}

/// Whether a file is loaded with the first page, and not with one of its own.
pub(crate) fn is_of_first_page(name: &str) -> bool {
    name == MODULE || !name.ends_with(".wasm")
}

/// wasm-split, wasm-bindgen and wasm-opt, unless they have seen the same input;
/// returns the directory of what they made.
fn pack(workspace: &Workspace, compiled: &Path) -> anyhow::Result<PathBuf> {
    let directory = workspace.path("target/web/packed");
    let stamp = workspace.path("target/web/packed.stamp");
    let made_from = Fingerprint::default()
        .file(compiled)?
        .file(&workspace.path("web/package-lock.json"))?
        .file(&workspace.path("Cargo.lock"))?
        .bytes(WASM_OPT.join(" ").as_bytes())
        .finish();
    if fingerprint::is_current(&stamp, &made_from) {
        return Ok(directory);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| directory.display().to_string())?;
    }
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    let wasm_opt = npm::install(workspace, "web")?.join(".bin/wasm-opt");

    announce("Packing the front end (wasm-split, wasm-bindgen, wasm-opt)");
    let module = fs::read(compiled).with_context(|| compiled.display().to_string())?;
    let main = directory.join("main.wasm");
    let script = format!("./{SCRIPT}");
    let mut options = wasm_split_cli_support::Options::new(&module);
    options.output_dir = &directory;
    options.main_out_path = &main;
    options.main_module = &script;
    options.link_name = LOADER;
    let split = wasm_split_cli_support::transform(options);
    let split = split.map_err(|error| anyhow!("wasm-split: {error:#}"))?;
    Bindgen::new()
        .input_path(&main)
        // Which the parts import.
        .keep_lld_exports(true)
        .out_name("qmp-web")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_producers_section(true)
        .remove_name_section(true)
        .generate(&directory)
        .context("wasm-bindgen")?;
    fs::remove_file(&main).with_context(|| main.display().to_string())?;
    for module in split.split_modules.iter().chain([&directory.join(MODULE)]) {
        workspace.cancel().check()?;
        let small = directory.join("small.wasm");
        let mut optimize = workspace.command(&wasm_opt);
        optimize.args(WASM_OPT).arg(module).arg("-o").arg(&small);
        process::run("wasm-opt", &mut optimize, workspace.cancel())?;
        fs::rename(&small, module).with_context(|| module.display().to_string())?;
    }
    fingerprint::write(&stamp, &made_from)?;
    Ok(directory)
}

/// Makes `dist` hold exactly what a browser may load.
fn assemble(workspace: &Workspace, packed: &Path) -> anyhow::Result<()> {
    let web = workspace.path("web");
    let mut files = BTreeMap::from([
        (PathBuf::from("index.html"), read(&web.join("index.html"))?),
        (PathBuf::from("style.css"), read(&web.join("style.css"))?),
        (PathBuf::from(BOOT.0), BOOT.1.as_bytes().to_vec()),
    ]);
    for directory in [&web.join("static"), packed] {
        for path in files_below(directory)? {
            let name = path.strip_prefix(directory)?.to_owned();
            files.insert(name, read(&path)?);
        }
    }
    synchronize(&workspace.front_end(), &files)
}

/// Makes a directory hold exactly these files, and touches only what differs.
fn synchronize(directory: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for path in files_below(directory)? {
        if !files.contains_key(path.strip_prefix(directory)?) {
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
    }
    for (name, content) in files {
        let path = directory.join(name);
        if fs::read(&path).is_ok_and(|present| present == *content) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// All files in a directory and its subdirectories, in order of their paths.
pub(crate) fn files_below(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        let entries = fs::read_dir(&directory).with_context(|| directory.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| directory.display().to_string())?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_touched_and_what_is_too_much_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let files = |b: &str| {
            BTreeMap::from([
                (PathBuf::from("a"), b"same".to_vec()),
                (PathBuf::from("deep/b"), b.as_bytes().to_vec()),
            ])
        };
        synchronize(root, &files("one")).unwrap();
        fs::write(root.join("old"), "").unwrap();
        // A file that must not be written again cannot be.
        let mut fixed = fs::metadata(root.join("a")).unwrap().permissions();
        fixed.set_readonly(true);
        fs::set_permissions(root.join("a"), fixed).unwrap();
        let before = fs::metadata(root.join("a")).unwrap().modified().unwrap();
        synchronize(root, &files("two")).unwrap();
        let after = fs::metadata(root.join("a")).unwrap().modified().unwrap();
        assert_eq!(before, after);
        assert_eq!(
            files_below(root).unwrap(),
            [root.join("a"), root.join("deep/b")]
        );
        assert_eq!(fs::read(root.join("deep/b")).unwrap(), b"two");
    }
}
