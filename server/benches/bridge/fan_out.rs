//! `fan-out`: the events of one session, to a thousand browsers.

use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::broadcast::Broadcast;
use crate::console::Console;
use crate::endpoint::Endpoint;
use crate::process::Guard;
use crate::receivers::Receivers;
use crate::report::Measured;
use crate::{Arguments, Result};

const FLOOR: &str = "tokio-tungstenite";

/// Events as they come, at a steady rate.
pub(crate) fn paced(arguments: &Arguments, directory: &Path) -> Result<Vec<Measured>> {
    let rate = Some(arguments.rate);
    measure(
        "fan-out-paced",
        rate,
        arguments.rounds(3),
        arguments,
        directory,
    )
}

/// All at once: how fast they can be sent on.
pub(crate) fn flood(arguments: &Arguments, directory: &Path) -> Result<Vec<Measured>> {
    measure(
        "fan-out-flood",
        None,
        arguments.rounds(10),
        arguments,
        directory,
    )
}

fn measure(
    name: &'static str,
    rate: Option<usize>,
    rounds: usize,
    arguments: &Arguments,
    directory: &Path,
) -> Result<Vec<Measured>> {
    let count = arguments.subscribers;
    let mut frames = Measured::new(name, "frames/s")
        .beside(FLOOR)
        .goal("ratio >= 0.8");
    let mut busy = Measured::new(name, "CPU ns/frame").beside(FLOOR);
    let endpoint = Endpoint::start(&directory.join(format!("{name}.qmp")))?;
    let console = Console::on(directory, endpoint.path())?;
    let token = console.viewer()?;
    let other = Endpoint::start(&directory.join(format!("{name}-floor.qmp")))?;
    let broadcast = Broadcast::start(other.path())?;
    let events = arguments.rate * arguments.seconds;
    let run = |endpoint: &Endpoint, process: &Guard, mut receivers: Receivers| {
        let before = process.busy()?;
        let start = Instant::now();
        thread::scope(|scope| {
            let flood = scope.spawn(|| endpoint.flood(events, rate));
            receivers.receive(events)?;
            flood.join().map_err(|_| "the endpoint has failed")?
        })?;
        let took = start.elapsed().as_secs_f64();
        let frames = (events * count) as f64;
        Result::Ok((frames / took, (process.busy()? - before) / frames))
    };
    for _ in 0..rounds {
        let receivers = Receivers::of(&console, &token, count)?;
        let ours = run(&endpoint, &console.process, receivers)?;
        let receivers = Receivers::of_broadcast(&broadcast.host, count)?;
        let floor = run(&other, &broadcast.process, receivers)?;
        frames.add(ours.0, Some(floor.0));
        busy.add(ours.1, Some(floor.1));
    }
    Ok(vec![frames, busy])
}
