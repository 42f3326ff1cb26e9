//! Embeds the front end that `cargo xtask build` made. Without one, which is
//! enough to check and to test the server alone, a page that says so.

use std::path::Path;

const FRONT_END: &str = "../target/web/dist";

fn main() {
    println!("cargo::rerun-if-changed={FRONT_END}");
    if Path::new(FRONT_END).join("index.html").exists() {
        memory_serve::load_directory(FRONT_END);
    } else {
        memory_serve::load_directory("no-front-end");
    }
}
