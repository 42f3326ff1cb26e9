//! `deaf-subscribers`: what those who do not read are to the one who does.

use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::console::Console;
use crate::endpoint::Endpoint;
use crate::receivers::Receivers;
use crate::report::Measured;
use crate::{Arguments, Result};

/// How many do not read.
const DEAF: usize = 100;

/// How many events the other one gets: no more than are kept in memory.
const EVENTS: usize = 30_000;

pub(crate) fn measure(arguments: &Arguments, directory: &Path) -> Result<Vec<Measured>> {
    let mut measured = Measured::new("deaf-subscribers", "ms")
        .beside("nobody is deaf")
        .goal("ratio about 1");
    let endpoint = Endpoint::start(&directory.join("deaf.qmp"))?;
    let console = Console::on(directory, endpoint.path())?;
    let token = console.viewer()?;
    for _ in 0..arguments.rounds(10) {
        let floor = burst(&console, &endpoint, &token)?;
        let deaf = Receivers::of(&console, &token, DEAF)?;
        // What the system takes for them is full after this.
        burst(&console, &endpoint, &token)?;
        let ours = burst(&console, &endpoint, &token)?;
        drop(deaf);
        measured.add(ours, Some(floor));
    }
    Ok(vec![measured])
}

/// How long a burst of events takes to come, in milliseconds.
fn burst(console: &Console, endpoint: &Endpoint, token: &str) -> Result<f64> {
    let mut receiver = Receivers::of(console, token, 1)?;
    let start = Instant::now();
    thread::scope(|scope| {
        let flood = scope.spawn(|| endpoint.flood(EVENTS, None));
        receiver.receive(EVENTS)?;
        flood.join().map_err(|_| "the endpoint has failed")?
    })?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}
