//! `idle-sessions`: what a session takes of memory that is connected, and on
//! which nothing goes on.

use std::fmt::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::console::Console;
use crate::endpoint::Endpoint;
use crate::report::Measured;
use crate::{Arguments, Result};

/// How long a console has to come to rest.
const REST: Duration = Duration::from_millis(1500);

/// How long all sessions may take to run.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) fn measure(arguments: &Arguments, directory: &Path) -> Result<Vec<Measured>> {
    let count = arguments.sessions;
    let mut measured = Measured::new("idle-sessions", "KiB/session").goal("<= 40");
    for round in 0..arguments.rounds(10) {
        let endpoint = Endpoint::start(&directory.join(format!("idle-{round}.qmp")))?;
        let mut config = String::new();
        for number in 0..count {
            let address = endpoint.path().display();
            write!(
                config,
                "[[session]]\nname = \"vm{number}\"\naddress = \"unix:{address}\"\n"
            )?;
        }
        let path = directory.join("idle.toml");
        std::fs::write(&path, config)?;
        let empty = Console::start(directory, [""; 0])?;
        sleep(REST);
        let before = empty.process.resident()?;
        drop(empty);
        let full = Console::start(directory, ["--config".as_ref(), path.as_os_str()])?;
        let deadline = Instant::now() + DEADLINE;
        // Each has asked for its run state once.
        while endpoint.answered() < count {
            if Instant::now() > deadline {
                return Err("not all sessions run".into());
            }
            sleep(Duration::from_millis(20));
        }
        sleep(REST);
        let resident = full.process.resident()? - before;
        measured.add(resident / count as f64, None);
    }
    Ok(vec![measured])
}
