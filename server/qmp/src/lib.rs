//! A QMP client: QEMU, its guest agent and its storage daemon.
//!
//! ```text
//!            ┌────────────┐  one JSON value  ┌─────────┐ reply ┌─────────┐
//!  socket ──►│  framing   │─────────────────►│ reader  │──────►│ pending │──► caller
//!            └────────────┘    as Message    │  task   │       └─────────┘
//!                                            └────┬────┘ event
//!                                                 └──────► on_event, listeners
//!            ┌────────────┐  one write a message
//!  socket ◄──│ writer task│◄──── Client::execute
//!            └────────────┘
//! ```
//!
//! The parts, in reading order: [`address`] says where an endpoint is,
//! [`stream`] opens a socket to it, [`framing`] cuts values out of bytes,
//! [`pending`] matches replies to callers, [`client`] puts them together,
//! [`events`] lets any number of listeners hear events, [`error`] is what can
//! go wrong. The messages themselves are in `qmp_shared`.
//!
//! The library speaks the protocol and has no vocabulary: which commands there
//! are is the endpoint's to say. It does not reconnect either; whoever holds a
//! [`client::Client`] knows best when that makes sense.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let fake = qmp_fake::Fake::start(qmp_fake::Script::default()).await?;
//! # let address = fake.address();
//! use qmp_client::client::{Client, Options};
//!
//! let client = Client::new(Options::named("my-vm"));
//! client.connect(&address.parse()?).await?;
//! let status = client.execute("query-status").await?;
//! println!("{status}");
//! client.disconnect().await?;
//! # Ok(())
//! # }
//! ```

pub mod address;
pub mod blocking;
pub mod client;
pub mod error;
pub mod events;
pub mod framing;
pub mod listener;
pub mod pending;
pub mod stream;
