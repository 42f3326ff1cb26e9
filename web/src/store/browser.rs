//! What the browser is asked for: clocks, storage, clipboard, address.

use std::time::Duration;

use leptos::prelude::{
    StoredValue, WithValue, document, on_cleanup, request_animation_frame, set_timeout, window,
};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use crate::state::theme::Theme;
use crate::state::time::{Instant, Offset};

const THEME: &str = "qmp-console.theme";

/// Where tables become cards; the style sheet has the same number.
const NARROW: &str = "(max-width: 760px)";

/// Where a command, its documentation and its reply are side by side; as in the
/// style sheet.
const WIDE: &str = "(min-width: 1200px)";

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

/// Runs `task` when one of these elements has got its first or another size,
/// before that is drawn, for as long as its owner lives.
pub(crate) fn on_resize<const N: usize>(elements: [&Element; N], task: impl Fn() + 'static) {
    let task = Closure::<dyn Fn()>::new(task);
    let Ok(observer) = web_sys::ResizeObserver::new(task.as_ref().unchecked_ref()) else {
        return;
    };
    for element in elements {
        observer.observe(element);
    }
    let kept = StoredValue::new_local((observer, task));
    on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
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

/// The whole address of a page of the console, as for a link elsewhere.
pub(crate) fn whole(path: &str) -> String {
    console_address() + path
}

/// Local time as a field for times has it (`2026-01-31T14:03:59`); `None` for
/// anything else.
pub(crate) fn parse_local(text: &str) -> Option<Instant> {
    let millis = js_sys::Date::parse(text);
    millis.is_finite().then(|| Instant::from_millis(millis))
}

/// A file that the user has chosen.
pub(crate) struct ChosenFile(web_sys::File);

/// The file that was chosen in the field that this event is about. The field is
/// empty then, so that the same file can be chosen again.
pub(crate) fn chosen_file(event: &web_sys::Event) -> Option<ChosenFile> {
    let field = event
        .target()?
        .dyn_into::<web_sys::HtmlInputElement>()
        .ok()?;
    let file = field.files()?.get(0)?;
    field.set_value("");
    Some(ChosenFile(file))
}

impl ChosenFile {
    /// Its name, without where it is.
    pub(crate) fn name(&self) -> String {
        self.0.name()
    }

    /// Its text.
    ///
    /// # Errors
    ///
    /// What the browser says against it.
    pub(crate) async fn text(&self) -> Result<String, String> {
        let text = JsFuture::from(self.0.text()).await;
        let text = text.map_err(|error| words(&error))?;
        text.as_string()
            .ok_or_else(|| "the file has no text".to_owned())
    }
}

fn words(error: &JsValue) -> String {
    String::from(js_sys::Object::from(error.clone()).to_string())
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

/// What this tab has kept under this key.
pub(super) fn kept_in_tab(key: &str) -> Option<String> {
    tab_storage()?.get_item(key).ok().flatten()
}

/// Keeps text in this tab, or nothing any more; one that refuses still shows
/// the page.
pub(super) fn keep_in_tab(key: &str, text: Option<&str>) {
    if let Some(storage) = tab_storage() {
        let _ = match text {
            Some(text) => storage.set_item(key, text),
            None => storage.remove_item(key),
        };
    }
}

/// Moves the focus to the page itself, as when another one is shown; what is in
/// sight stays in sight.
pub(crate) fn focus_main() {
    let main = document().get_element_by_id("main");
    if let Some(main) = main.and_then(|main| main.dyn_into::<web_sys::HtmlElement>().ok()) {
        focus_in_place(&main);
    }
}

/// Moves the focus there, and scrolls nothing.
pub(crate) fn focus_in_place(element: &web_sys::HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    // Nothing depends on whether the browser grants the focus.
    let _ = element.focus_with_options(&options);
}

/// Moves the focus into the page's first search box that is in sight; whether
/// there is one.
pub(crate) fn focus_search() -> bool {
    let Ok(boxes) = document().query_selector_all("main [data-find], main input[type=search]")
    else {
        return false;
    };
    let boxes = (0..boxes.length()).filter_map(|index| boxes.get(index));
    let boxes = boxes.filter_map(|node| node.dyn_into::<web_sys::HtmlElement>().ok());
    let found = boxes
        .into_iter()
        .find(|found| found.offset_parent().is_some());
    if let Some(found) = &found {
        let _ = found.focus();
        if let Some(input) = found.dyn_ref::<web_sys::HtmlInputElement>() {
            input.select();
        }
    }
    found.is_some()
}

/// Whether a dialog is open.
pub(crate) fn has_dialog() -> bool {
    let dialog = document().query_selector("dialog[open]");
    dialog.is_ok_and(|dialog| dialog.is_some())
}

/// Whether the window is too narrow for tables.
pub(crate) fn is_narrow() -> bool {
    is_matched(NARROW)
}

/// Whether the window is wide enough for documentation beside a form.
pub(crate) fn is_wide() -> bool {
    is_matched(WIDE)
}

fn is_matched(query: &str) -> bool {
    window()
        .match_media(query)
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

/// Gives the user text as a file.
///
/// # Errors
///
/// What the browser says against it.
pub(crate) fn download(name: &str, text: &str) -> Result<(), String> {
    offer(name, text).map_err(|error| words(&error))
}

fn offer(name: &str, text: &str) -> Result<(), JsValue> {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let blob = web_sys::Blob::new_with_str_sequence(&parts)?;
    let address = web_sys::Url::create_object_url_with_blob(&blob)?;
    let link: web_sys::HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&address);
    link.set_download(name);
    link.click();
    // The browser has begun to read it by then.
    set_timeout(
        move || {
            let _ = web_sys::Url::revoke_object_url(&address);
        },
        Duration::from_secs(60),
    );
    Ok(())
}

/// Says something in the browser's own console that no user could act on.
pub(crate) fn warn(text: &str) {
    web_sys::console::warn_1(&JsValue::from_str(text));
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn tab_storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}
