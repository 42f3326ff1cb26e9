//! The console's front end: sessions, commands by form, live events.
//!
//! Three layers, each of which uses only those before it:
//!
//! - [`state`]: plain types that decide everything, tested natively,
//! - [`store`]: signals around them, the WebSocket and the REST calls,
//! - [`view`]: components that show the one and call the other.
//!
//! What the first page does not need is loaded with the page that does
//! (`view/pages.rs`).
//!
//! It knows the console's own API and learns commands, events and types from
//! each endpoint's schema. All text from endpoints is hostile: it only ever
//! becomes text nodes and attributes that are not addresses.

mod state;
mod store;
mod view;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(view::Root);
}
