//! Events, from the simplest use to the more special ones. Each example begins
//! with a `client` that is [connected](crate::client::Client::connect).
//!
//! A listener is a bounded queue of events; each has its own copy of those that
//! it hears.
//!
//! # One name
//!
//! A listener hears events until it is dropped, so a block is its scope.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! {
//!     let mut listener = client.listen(EventFilter::names(["STOP"])?);
//!     client.execute("stop").await?;
//!     assert_eq!(listener.next().await.unwrap().name(), "STOP");
//! }
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Several names
//!
//! A `*` in a name stands for any text.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut listener = client.listen(EventFilter::names(["STOP", "RES*"])?);
//! client.execute("stop").await?;
//! assert_eq!(listener.next().await.unwrap().name(), "STOP");
//! client.execute("cont").await?;
//! assert_eq!(listener.next().await.unwrap().name(), "RESUME");
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # All events
//!
//! Nobody knows which event a running system has next; so this is for watching
//! rather than for waiting.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut listener = client.listen(EventFilter::all());
//! client.execute("stop").await?;
//! assert_eq!(listener.next().await.unwrap().name(), "STOP");
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # As a stream
//!
//! A listener is a `futures` stream. It ends when the connection is over.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! use futures_util::StreamExt;
//!
//! let mut listener = client.listen(EventFilter::all());
//! client.execute("stop").await?;
//! client.execute("cont").await?;
//! client.disconnect().await?;
//! while let Some(event) = StreamExt::next(&mut listener).await {
//!     println!("event arrived: {}", event.name());
//! }
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # In a task of its own
//!
//! A task that watches ends by itself, with the connection.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut listener = client.listen(EventFilter::all());
//! let watch = tokio::spawn(async move {
//!     let mut names = Vec::new();
//!     while let Some(event) = listener.next().await {
//!         names.push(event.name().to_owned());
//!     }
//!     names
//! });
//! client.execute("stop").await?;
//! client.execute("cont").await?;
//! client.disconnect().await?;
//! assert_eq!(watch.await?, ["STOP", "RESUME"]);
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Longer than a block
//!
//! A listener may be made before there is a connection, and registered and
//! removed at will. Registering it twice is an error, and so is removing one that
//! is not registered.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut listener = EventListener::new(EventFilter::all());
//! client.register_listener(&listener)?;
//! assert!(client.register_listener(&listener).is_err());
//! client.execute("stop").await?;
//! client.remove_listener(&listener)?;
//! client.execute("cont").await?;
//! assert_eq!(listener.clear().len(), 1);
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The events of a whole session
//!
//! A listener that is there before the connection misses nothing of it, and goes
//! on with the next connection.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let client = Client::new(Options::named("another"));
//! let mut events = client.listen(EventFilter::all());
//! # let fake = Fake::start(Script::default().on("stop", [Action::event("STOP"), Action::Return(1.into())])).await?;
//! client.connect(&fake.address().parse()?).await?;
//! client.execute("stop").await?;
//! assert_eq!(events.next().await.unwrap().name(), "STOP");
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Waiting, or not
//!
//! Each event is taken once, by whichever call.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut listener = client.listen(EventFilter::all());
//! assert!(listener.is_empty() && listener.try_next().is_none());
//! client.execute("stop").await?;
//! client.execute("cont").await?;
//! // An event that a command causes is there before the reply.
//! assert_eq!(listener.try_next().unwrap().name(), "STOP");
//! assert_eq!(listener.next().await.unwrap().name(), "RESUME");
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Several listeners
//!
//! Each hears its own copy.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut mine = client.listen(EventFilter::all());
//! let mut yours = client.listen(EventFilter::all());
//! client.execute("stop").await?;
//! assert_eq!(mine.try_next().unwrap().as_str(), yours.try_next().unwrap().as_str());
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Clearing
//!
//! What is cleared is returned.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut listener = client.listen(EventFilter::all());
//! client.execute("stop").await?;
//! let discarded = listener.clear();
//! client.execute("cont").await?;
//! assert_eq!(listener.next().await.unwrap().name(), "RESUME");
//! assert_eq!(discarded[0].name(), "STOP");
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # History
//!
//! The newest events are kept, whether they have been taken or not.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let mut listener = client.listen(EventFilter::all());
//! client.execute("stop").await?;
//! client.execute("cont").await?;
//! listener.clear();
//! let history = listener.history();
//! assert_eq!((history[0].name(), history[1].name()), ("STOP", "RESUME"));
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # By what an event says
//!
//! An expression looks into the event (RFC 9535, section 2.3.5); `@` is the event.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let filter = EventFilter::names(["JOB_STATUS_CHANGE"])?
//!     .with_expression("@.data.id == 'job1' && @.data.status == 'concluded'".parse()?);
//! let mut listener = client.listen(filter);
//! client.execute("blockdev-backup").await?;
//! let event = listener.next().await.unwrap();
//! assert!(event.data().unwrap().get().contains("concluded"));
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # By a closure
//!
//! A closure is called after the names were looked at, and may be made for what is
//! wanted at the moment.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let job = |id: &str| {
//!     let quoted = format!("{id:?}");
//!     let names = EventFilter::names(["JOB_STATUS_CHANGE"])?;
//!     Ok::<_, qmp_client::events::FilterError>(
//!         Filter::from(names).and(move |event| event.as_str().contains(&quoted)),
//!     )
//! };
//! let (mut first, mut second) = (client.listen(job("job1")?), client.listen(job("job2")?));
//! client.execute("blockdev-backup").await?;
//! assert!(second.next().await.unwrap().as_str().contains("concluded"));
//! // Waiting for one takes nothing from who waits for the other.
//! assert!(first.next().await.unwrap().as_str().contains("running"));
//! assert!(first.next().await.unwrap().as_str().contains("concluded"));
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is too slow, and what cannot be looked into
//!
//! A listener holds a bounded number of events. What was dropped is counted, and
//! so is what an expression could not look into.
//!
//! ```
//! # use qmp_client::client::{Client, Options};
//! # use qmp_client::events::{EventFilter, EventListener, Filter};
//! # use qmp_fake::{Action, Fake, Script};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let job = |id: &str, status: &str| Action::Event {
//! #     name: "JOB_STATUS_CHANGE".into(),
//! #     data: Some(serde_json::json!({"id": id, "status": status})),
//! # };
//! # let done = || Action::Return(serde_json::json!({}));
//! # let script = Script::default()
//! #     .on("stop", [Action::event("STOP"), done()])
//! #     .on("cont", [Action::event("RESUME"), done()])
//! #     .on("blockdev-backup", [done(), job("job1", "running"), job("job2", "concluded"), job("job1", "concluded")]);
//! # let fake = Fake::start(script).await?;
//! # let client = Client::new(Options::named("example-vm"));
//! # client.connect(&fake.address().parse()?).await?;
//! let listener = client.listen(EventFilter::all());
//! client.execute("stop").await?;
//! assert_eq!((listener.dropped(), listener.unevaluable()), (0, 0));
//! # client.disconnect().await?;
//! # Ok(())
//! # }
//! ```
