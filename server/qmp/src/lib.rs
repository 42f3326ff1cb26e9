//! A QMP client: QEMU, its guest agent and its storage daemon.
//!
//! ```text
//!            ┌────────────┐  one JSON value  ┌─────────┐ reply ┌─────────┐
//!  socket ──►│  framing   │─────────────────►│ reader  │──────►│ pending │──► caller
//!            └────────────┘    as Message    │  task   │       └─────────┘
//!                                            └────┬────┘ event
//!                                                 └──────► on_event, listeners
//!            ┌────────────┐   when more is to be written than the socket takes
//!  socket ◄──│ writer task│◄────┐
//!     ▲      └────────────┘     │
//!     └─────────────────────────┴──── Client::execute
//! ```
//!
//! The parts, in reading order: [`address`] says where an endpoint is,
//! [`stream`] opens a socket to it, or [`listener`] has it connect, [`framing`]
//! cuts values out of bytes, [`pending`] matches replies to callers, [`client`]
//! puts them together, [`events`] lets any number of listeners hear events,
//! [`blocking`] is all that without a runtime of the caller's, [`error`] is what
//! can go wrong. The messages themselves are in `qmp_shared`.
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
//!
//! # Coming from `qemu.qmp`
//!
//! What the Python library has, and its counterpart here. Names of its modules
//! are left out.
//!
//! | `qemu.qmp` | here |
//! |---|---|
//! | `QMPClient(name)` | [`Client::new`](client::Client::new) with [`Options::named`](client::Options::named) |
//! | `name` | [`Options::name`](client::Options::name), in each log line and [error](error::Named) |
//! | `logger` | the `tracing` events of this crate; each message is one at debug level |
//! | `await_greeting`, `negotiate` | [`Options::await_greeting`](client::Options::await_greeting), [`Options::negotiate`](client::Options::negotiate); for an agent, [`Options::kind`](client::Options::kind) |
//! | `greeting` | [`Client::greeting`](client::Client::greeting) |
//! | `connect(address)` | [`Client::connect`](client::Client::connect) with an [`Address`](address::Address) |
//! | `connect(address, ssl)` | an address with `tls=on` |
//! | `connect(socket)` | [`Client::establish`](client::Client::establish) with a [`Stream`](stream::Stream) from a socket or a descriptor |
//! | `start_server`, `accept` | [`Listener::bind`](listener::Listener::bind), [`Client::accept`](client::Client::accept) |
//! | `start_server_and_accept` | [`Client::connect`](client::Client::connect) with an address that says `listen=on` |
//! | `disconnect` | [`Client::disconnect`](client::Client::disconnect) |
//! | `runstate`, `runstate_changed` | [`Client::runstate`](client::Client::runstate), [`Client::watch`](client::Client::watch) |
//! | `Runstate` | [`Runstate`](client::Runstate) |
//! | `execute(cmd, arguments, oob)` | [`Client::execute`](client::Client::execute) with an [`Execute`](client::Execute); [`Client::execute_as`](client::Client::execute_as) for a typed value |
//! | `execute_msg`, `make_execute_msg` | [`Execute::from_message`](client::Execute::from_message), `Message::command` |
//! | `send_fd_scm` | [`Client::send_fd`](client::Client::send_fd); [`Execute::descriptor`](client::Execute::descriptor) ties it to its command |
//! | `_cb_inbound`, `_cb_outbound` | [`Options::on_inbound`](client::Options::on_inbound), [`Options::on_outbound`](client::Options::on_outbound) |
//! | `events` | [`Client::listen`](client::Client::listen) with `EventFilter::all()`, before connecting |
//! | `listener()`, `listen()` | [`Client::listen`](client::Client::listen); the scope is the listener's own |
//! | `register_listener`, `remove_listener` | [`Client::register_listener`](client::Client::register_listener), [`Client::remove_listener`](client::Client::remove_listener) |
//! | `EventListener(names, event_filter)` | [`EventListener::new`](events::EventListener::new) with a [`Filter`](events::Filter) |
//! | `get`, `async for` | [`EventListener::next`](events::EventListener::next); a listener is a stream |
//! | `empty`, `clear`, `history` | [`is_empty`](events::EventListener::is_empty), [`clear`](events::EventListener::clear), [`history`](events::EventListener::history), which is bounded |
//! | `accept`, `put`, subclasses | [`Filter::closure`](events::Filter::closure), [`Options::on_event`](client::Options::on_event) |
//! | `ListenerError` | [`ListenerError`](events::ListenerError) |
//! | `Message` | `Message`, of `qmp_shared::message`: read-only, its payloads verbatim; `with` and `without` make others |
//! | `Greeting`, `QMPGreeting` | `Greeting`, of `qmp_shared::model` |
//! | `ErrorResponse`, `ErrorInfo` | `CommandError`, of `qmp_shared::model` |
//! | `QMPError` | `std::error::Error`; there is no class of them all |
//! | `StateError` | [`StateError`](error::StateError) |
//! | `ConnectError` | [`ConnectError`](error::ConnectError) |
//! | `GreetingError`, `NegotiationError` | [`ConnectError::Greeting`](error::ConnectError::Greeting), [`ConnectError::Negotiation`](error::ConnectError::Negotiation), [`ConnectError::BadNegotiation`](error::ConnectError::BadNegotiation) |
//! | `ExecuteError` | [`ExecuteError::Refused`](error::ExecuteError::Refused), with the error, what was sent and what was received |
//! | `ExecInterruptedError` | [`ExecuteError::Interrupted`](error::ExecuteError::Interrupted), with the cause |
//! | `BadReplyError` | [`ExecuteError::BadReply`](error::ExecuteError::BadReply) |
//! | `ServerParseError` | [`DisconnectCause::ServerParse`](error::DisconnectCause::ServerParse) |
//! | `ProtocolError`, `DeserializationError`, `UnexpectedTypeError` | [`DisconnectCause`](error::DisconnectCause): `Framing`, `Message` with the bytes |
//! | `legacy.QEMUMonitorProtocol` | [`blocking::Qmp`] |
//! | its `connect`, `accept(timeout)`, `close` | [`connect`](blocking::Qmp::connect), [`listen`](blocking::Qmp::listen) and [`accept`](blocking::Qmp::accept), [`close`](blocking::Qmp::close) |
//! | its `cmd`, `cmd_obj`, `command` | [`cmd_raw`](blocking::Qmp::cmd_raw), [`cmd_obj`](blocking::Qmp::cmd_obj), [`cmd`](blocking::Qmp::cmd) |
//! | its `pull_event`, `get_events`, `clear_events` | [`pull_event`](blocking::Qmp::pull_event), [`get_events`](blocking::Qmp::get_events), [`clear_events`](blocking::Qmp::clear_events) |
//! | its `settimeout`, `send_fd_scm` | [`set_timeout`](blocking::Qmp::set_timeout), [`send_fd`](blocking::Qmp::send_fd) |
//! | its `parse_address`, `QMPBadPortError` | [`Address`](address::Address), [`AddressError`](address::AddressError) |

pub mod address;
pub mod blocking;
pub mod client;
pub mod error;
pub mod events;
pub mod framing;
pub mod listener;
pub mod pending;
mod socket;
pub mod stream;
#[cfg(feature = "tls")]
mod tls;
pub mod tutorial;
