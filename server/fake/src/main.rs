//! `qmp-fake`: a fake QMP endpoint that does what a script says.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use qmp_fake::{Fake, Listen, Script};
use tokio::signal::unix::{SignalKind, signal};

/// A fake QMP endpoint that does what its script says.
///
/// Prints its address when it listens. Ends on SIGTERM and SIGINT, and removes
/// its socket.
#[derive(Parser)]
struct Arguments {
    /// Where to listen: unix:PATH or tcp:HOST:PORT; port 0 takes a free one.
    #[arg(long)]
    listen: Listen,
    /// The script, in JSON. Without one it greets and knows a few commands.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let script = match arguments.script {
        Some(path) => {
            let path = path.display();
            let text = fs::read_to_string(path.to_string());
            let text = text.with_context(|| format!("cannot read {path}"))?;
            serde_json::from_str(&text).with_context(|| format!("{path} is not a script"))?
        }
        None => Script::default(),
    };
    // Before the address is printed: whoever reads it may end us at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listening = Fake::listen(&arguments.listen, script).await;
    let fake = listening.with_context(|| format!("cannot listen on {}", arguments.listen))?;
    println!("{}", fake.address());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    fake.stop().await;
    Ok(())
}
