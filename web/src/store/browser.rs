//! What the browser is asked for: clocks, storage, clipboard, address.

use std::time::Duration;

use leptos::prelude::{document, request_animation_frame, set_timeout, window};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::state::theme::Theme;
use crate::state::time::{Instant, Offset};

const THEME: &str = "qmp-console.theme";

/// Where tables become cards; the style sheet has the same number.
const NARROW: &str = "(max-width: 760px)";

/// The page's monotonic clock, in milliseconds.
pub(crate) fn now() -> f64 {
    window()
        .performance()
        .map_or_else(js_sys::Date::now, |clock| clock.now())
}

/// The wall clock.
pub(crate) fn wall_clock() -> Instant {
    Instant::from_millis(js_sys::Date::now())
}

/// The local offset from UTC at that instant.
pub(crate) fn offset(instant: Instant) -> Offset {
    let date = js_sys::Date::new(&JsValue::from_f64((instant.0 / 1000) as f64));
    Offset(-(date.get_timezone_offset() as i32))
}

/// Runs `task` before the next frame is drawn; soon, when none is drawn
/// because the page is hidden.
pub(crate) fn next_frame(task: impl FnOnce() + 'static) {
    if document().hidden() {
        set_timeout(task, Duration::from_millis(200));
    } else {
        request_animation_frame(task);
    }
}

/// The path before all of the console's own: empty, or with a slash in front.
pub(crate) fn base() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute("data-base"))
        .unwrap_or_default()
}

/// The address of something of the console; `path` begins with a slash.
pub(crate) fn at(path: &str) -> String {
    base() + path
}

/// The console's address without a slash at its end: `http://HOST:PORT`, and
/// the path before all of its own.
pub(crate) fn console_address() -> String {
    window().location().origin().unwrap_or_default() + &base()
}

/// Address of the console's WebSocket.
pub(super) fn socket_address() -> String {
    let location = window().location();
    let is_secure = location
        .protocol()
        .is_ok_and(|protocol| protocol == "https:");
    let scheme = if is_secure { "wss://" } else { "ws://" };
    scheme.to_owned() + &location.host().unwrap_or_default() + &at("/api/v1/ws")
}

/// Takes the token out of the address (`/#token=...`), so that it stays
/// neither on the screen nor in the history.
pub(super) fn take_token() -> Option<String> {
    let location = window().location();
    let hash = location.hash().ok()?;
    let token = hash.strip_prefix("#token=")?;
    let bare = location.pathname().ok()? + &location.search().ok()?;
    if let Ok(history) = window().history()
        && let Err(error) = history.replace_state_with_url(&JsValue::NULL, "", Some(&bare))
    {
        web_sys::console::warn_1(&error);
    }
    js_sys::decode_uri_component(token).ok().map(String::from)
}

/// The theme that was chosen in this browser.
pub(super) fn stored_theme() -> Theme {
    kept(THEME).map_or_else(Theme::default, |word| Theme::parse(&word))
}

/// Shows the theme and keeps the choice.
pub(crate) fn apply_theme(theme: Theme) {
    if let Some(root) = document().document_element() {
        // A browser that refuses either still shows the page.
        let _ = root.set_attribute("data-theme", theme.as_str());
    }
    keep(THEME, theme.as_str());
}

/// What this browser has kept under this key.
pub(super) fn kept(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Keeps text in this browser; one that refuses still shows the page.
pub(super) fn keep(key: &str, text: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(key, text);
    }
}

/// Whether the window is too narrow for tables.
pub(crate) fn is_narrow() -> bool {
    window()
        .match_media(NARROW)
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

/// Copies text; whether the browser allowed it.
pub(crate) async fn copy(text: &str) -> bool {
    // Undefined outside secure contexts, whatever the type says.
    let clipboard = window().navigator().clipboard();
    if JsValue::from(&clipboard).is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// Says something in the browser's own console that no user could act on.
pub(crate) fn warn(text: &str) {
    web_sys::console::warn_1(&JsValue::from_str(text));
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
