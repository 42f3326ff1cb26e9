//! One connection of an endpoint: reads commands, and does for each what the
//! script says. One task, so that things happen in the script's order.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use crate::Received;
use crate::script::{Action, Script, version};

/// Most commands that are kept for [`Fake::received`](crate::Fake::received);
/// later ones are not.
const KEPT: usize = 65_536;

/// Most commands that are held at once; one more ends the connection.
const HELD: usize = 65_536;

/// Longest command; a longer one ends the connection.
const LONGEST: usize = 64 << 20;

/// What a connection has in common with its owner.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) received: watch::Sender<Vec<Received>>,
    /// How many commands of a name may go on.
    releases: Mutex<BTreeMap<String, usize>>,
    /// Changes when there is another release.
    released: watch::Sender<()>,
}

impl Desk {
    pub(crate) fn release(&self, name: &str) {
        let mut releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        *releases.entry(name.to_owned()).or_default() += 1;
        drop(releases);
        self.released.send_replace(());
    }

    /// Takes one release of this name, if there is one.
    fn take(&self, name: &str) -> bool {
        let mut releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        match releases.get_mut(name) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    fn record(&self, name: &str, text: &RawValue) {
        self.received.send_if_modified(|received| {
            let room = received.len() < KEPT;
            if room {
                let (name, text) = (name.to_owned(), text.to_owned());
                received.push(Received { name, text });
            }
            room
        });
    }
}

/// Serves a connection until either side closes it.
pub(crate) async fn serve<S>(stream: S, script: Arc<Script>, desk: Arc<Desk>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connection = Connection {
        stream,
        script,
        desk,
        held: Vec::new(),
    };
    // The client has gone, or was told to: an end is an end.
    let (Ok(()) | Err(_)) = connection.run().await;
}

struct Connection<S> {
    stream: S,
    script: Arc<Script>,
    desk: Arc<Desk>,
    /// In the order received.
    held: Vec<Job>,
}

/// What remains to be done for a command.
struct Job {
    name: String,
    /// The command's `id`, verbatim.
    id: Option<Box<RawValue>>,
    arguments: Option<Box<RawValue>>,
    /// In reverse order.
    actions: Vec<Action>,
    /// The command that lets this one go on, while it is held.
    until: Option<String>,
}

/// Whether a job is done, or is held.
#[derive(PartialEq)]
enum Progress {
    Done,
    Held,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(mut self) -> io::Result<()> {
        let greeting = self.script.greeting.clone();
        self.begin(Job::new(String::new(), greeting)).await?;
        let mut released = self.desk.released.subscribe();
        let mut input = Vec::new();
        loop {
            tokio::select! {
                read = self.stream.read_buf(&mut input) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    self.receive(&mut input).await?;
                }
                changed = released.changed() => {
                    changed.map_err(|_| io::ErrorKind::BrokenPipe)?;
                    let desk = Arc::clone(&self.desk);
                    self.resume(|job| desk.take(&job.name)).await?;
                }
            }
        }
    }

    /// Takes all whole values from the input.
    async fn receive(&mut self, input: &mut Vec<u8>) -> io::Result<()> {
        loop {
            // The sentinel that begins a synchronisation with the guest agent.
            let space = |byte: &u8| *byte == 0xFF || byte.is_ascii_whitespace();
            let start = input.iter().take_while(|byte| space(byte)).count();
            input.drain(..start);
            let mut values = serde_json::Deserializer::from_slice(input).into_iter();
            let value: Box<RawValue> = match values.next() {
                Some(Ok(value)) => value,
                Some(Err(error)) if !error.is_eof() => {
                    input.clear();
                    let refused =
                        Action::error("GenericError", format!("JSON parse error, {error}"));
                    return self.begin(Job::new(String::new(), vec![refused])).await;
                }
                _ if input.len() > LONGEST => return Err(io::ErrorKind::InvalidData.into()),
                _ => return Ok(()),
            };
            let end = values.byte_offset();
            input.drain(..end);
            self.command(&value).await?;
        }
    }

    async fn command(&mut self, text: &RawValue) -> io::Result<()> {
        #[derive(Deserialize)]
        struct Command {
            #[serde(alias = "exec-oob")]
            execute: String,
            arguments: Option<Box<RawValue>>,
        }
        /// Apart from the rest, since an `id` of `null` is one.
        #[derive(Default, Deserialize)]
        struct Id {
            #[serde(default, deserialize_with = "present")]
            id: Option<Box<RawValue>>,
        }
        let Id { id } = serde_json::from_str(text.get()).unwrap_or_default();
        let job = match serde_json::from_str(text.get()) {
            Ok(Command { execute, arguments }) => {
                let actions = self.script.rule(&execute);
                let job = Job::new(execute, actions);
                Job { arguments, ..job }
            }
            Err(error) => {
                let refused = Action::error("GenericError", error.to_string());
                Job::new(String::new(), vec![refused])
            }
        };
        self.desk.record(&job.name, text);
        let name = job.name.clone();
        self.begin(Job { id, ..job }).await?;
        self.resume(|job| job.until.as_deref() == Some(&*name))
            .await
    }

    async fn begin(&mut self, mut job: Job) -> io::Result<()> {
        if self.advance(&mut job).await? == Progress::Held {
            if self.held.len() >= HELD {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            self.held.push(job);
        }
        Ok(())
    }

    /// Goes on with those held jobs that may go on.
    async fn resume(&mut self, may: impl Fn(&Job) -> bool) -> io::Result<()> {
        for mut job in std::mem::take(&mut self.held) {
            if !may(&job) || self.advance(&mut job).await? == Progress::Held {
                self.held.push(job);
            }
        }
        Ok(())
    }

    /// Does what remains of a job, up to the next hold.
    async fn advance(&mut self, job: &mut Job) -> io::Result<Progress> {
        while let Some(action) = job.actions.pop() {
            let text = match action {
                Action::Silence => continue,
                Action::Greet => {
                    json!({"QMP": {"version": version(), "capabilities": ["oob"]}}).to_string()
                }
                Action::Return(value) => job.reply("return", &value),
                Action::Error { class, desc } => {
                    // In QEMU's order, which is not the alphabet's.
                    let (class, desc) = (Value::from(class), Value::from(desc));
                    job.reply(
                        "error",
                        format_args!("{{\"class\": {class}, \"desc\": {desc}}}"),
                    )
                }
                Action::Sync => {
                    self.stream.write_all(&[0xFF]).await?;
                    job.reply("return", job.sync_id()?)
                }
                Action::Event { name, data } => event(&name, data.as_ref()),
                Action::Flood { event: name, count } => {
                    for n in 0..count {
                        self.line(&event(&name, Some(&json!({"n": n})))).await?;
                    }
                    continue;
                }
                Action::Send(text) => {
                    let text = text.replace("$id", job.id());
                    self.stream.write_all(text.as_bytes()).await?;
                    continue;
                }
                Action::Bytes(bytes) => {
                    self.stream.write_all(&bytes).await?;
                    continue;
                }
                Action::Hold { until } => {
                    if self.desk.take(&job.name) {
                        continue;
                    }
                    job.until = until;
                    return Ok(Progress::Held);
                }
                Action::Close => {
                    self.stream.shutdown().await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            };
            self.line(&text).await?;
        }
        Ok(Progress::Done)
    }

    async fn line(&mut self, text: &str) -> io::Result<()> {
        let line = format!("{text}\r\n");
        self.stream.write_all(line.as_bytes()).await
    }
}

impl Job {
    fn new(name: String, mut actions: Vec<Action>) -> Self {
        actions.reverse();
        Self {
            name,
            id: None,
            arguments: None,
            actions,
            until: None,
        }
    }

    fn id(&self) -> &str {
        self.id.as_ref().map_or("null", |id| id.get())
    }

    /// What `guest-sync-delimited` is asked to return.
    fn sync_id(&self) -> io::Result<u64> {
        #[derive(Deserialize)]
        struct Arguments {
            id: u64,
        }
        let arguments = self.arguments.as_ref().map_or("{}", |it| it.get());
        Ok(serde_json::from_str::<Arguments>(arguments)?.id)
    }

    /// A reply with the command's `id`, if it has one.
    fn reply(&self, member: &str, payload: impl std::fmt::Display) -> String {
        match &self.id {
            Some(id) => format!("{{\"id\": {}, \"{member}\": {payload}}}", id.get()),
            None => format!("{{\"{member}\": {payload}}}"),
        }
    }
}

fn event(name: &str, data: Option<&Value>) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let timestamp = json!({"seconds": now.as_secs(), "microseconds": now.subsec_micros()});
    let mut event = json!({"event": name, "timestamp": timestamp});
    if let Some(data) = data {
        event["data"] = data.clone();
    }
    event.to_string()
}

fn present<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}
