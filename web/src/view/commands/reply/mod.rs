//! What became of the command that was sent last.

mod find;
mod plot;
mod raw;
mod repeat;
mod shapes;
mod text_lines;
mod tree_tools;

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use leptos_router::params::ParamsMap;
use qmp_shared::command::Path;
use wasm_bindgen::JsCast;
use web_sys::HtmlTextAreaElement;

use super::form::{INCLUDE, control_id};
use crate::state::blame::{argument_of, is_argument, place_in_text};
use crate::state::diff::{Diff, other_arguments};
use crate::state::exchanges::{Exchange, Key, Progress, was_refused};
use crate::state::plot::{MOST, Series};
use crate::state::sessions::Tone;
use crate::state::text::visible;
use crate::state::time::elapsed;
use crate::state::tree::{Kind, Tree};
use crate::store::{Store, browser, use_store};
use crate::view::json_tree::TreeView;
use crate::view::parts::{CopyButton, ProblemBox, badge, focus, waited};
use plot::Plots;
use repeat::{Repeat, RepeatTools, ended};
use shapes::{ShapeSwitch, Shaped, Shapes};

/// From how many bytes on a reply is taken apart and drawn one step at a time,
/// so that the page goes on meanwhile.
const LARGE: usize = 256 << 10;

/// What the parts of the pane share.
#[derive(Clone, Copy)]
struct Pane {
    store: Store,
    /// How far it is.
    stage: RwSignal<Stage>,
    /// The newest one.
    exchange: Memo<Option<Exchange>>,
    /// What it returned.
    tree: TreeView,
    /// The exchange that `tree` shows.
    loaded: RwSignal<Option<(Key, u64)>>,
    repeat: Repeat,
    /// What the address says.
    page: Memo<ParamsMap>,
    shapes: Shapes,
    shows_changes: RwSignal<bool>,
    plots: RwSignal<Vec<Series>>,
    /// The argument that an error speaks of, for the form.
    blamed: RwSignal<Option<(Path, String)>>,
}

/// How far it is, as far as that decides what is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Pending(u64),
    Returned,
    Failed(u64),
}

/// The newest exchange of that key: on its way, returned, or failed.
#[component]
pub(super) fn ReplyPane(
    #[prop(into)] key: Signal<Option<Key>>,
    /// Where the argument is told that an error speaks of.
    blamed: RwSignal<Option<(Path, String)>>,
    /// What stands above it.
    children: Children,
) -> impl IntoView {
    let store = use_store();
    let exchange = Memo::new(move |_| {
        let key = key.get()?;
        store.with_exchanges(|app| app.exchanges.latest(&key).cloned())
    });
    let shapes = Shapes::new();
    let pane = Pane {
        store,
        stage: RwSignal::new(Stage::Nothing),
        exchange,
        tree: TreeView::with(vec![shapes.action()]),
        loaded: RwSignal::new(None),
        repeat: Repeat::new(),
        page: use_params_map(),
        shapes,
        shows_changes: RwSignal::new(false),
        plots: RwSignal::new(Vec::new()),
        blamed,
    };
    Effect::new(move |seen: Option<Option<u64>>| {
        let Some(exchange) = exchange.get() else {
            pane.stage.set(Stage::Nothing);
            return None;
        };
        let is_new = seen.flatten() == Some(exchange.id);
        let id = exchange.id;
        pane.take(exchange, is_new);
        Some(id)
    });
    let stage = Memo::new(move |_| pane.stage.get());
    let is_pending = move || {
        exchange.with(|exchange| {
            let exchange = exchange.as_ref();
            exchange.is_some_and(|exchange| exchange.progress == Progress::Pending)
        })
    };
    view! {
        <section class="reply" aria-label="Reply" aria-busy=move || is_pending().to_string()>
            {children()}
            {ended(pane.repeat)}
            {move || match stage.get() {
                Stage::Nothing => view! {
                    <p class="muted reply-hint">"The reply appears here. Ctrl+Enter sends."</p>
                }
                .into_any(),
                Stage::Pending(_) => pending(pane),
                Stage::Returned => returned(pane),
                Stage::Failed(_) => failed(pane),
            }}
        </section>
    }
}

impl Pane {
    /// Takes in what became of the newest exchange; `is_new` when it was seen
    /// on its way.
    fn take(self, exchange: Exchange, is_new: bool) {
        let is_repeated = self.repeat.has_sent(&exchange);
        if !is_repeated {
            if exchange.progress == Progress::Pending {
                self.repeat.forget();
            }
            self.repeat.stop("another command was sent");
        }
        match &exchange.progress {
            // The reply before stays while a repeated command is on its way.
            Progress::Pending if is_repeated => self.stage.set(Stage::Returned),
            Progress::Pending => {
                self.blamed.set(None);
                self.stage.set(Stage::Pending(exchange.id));
            }
            Progress::Finished {
                result: Ok(text),
                elapsed,
            } => {
                let (text, at) = (Arc::clone(text), exchange.sent + elapsed);
                if text.len() < LARGE {
                    self.load(&exchange, &text, at);
                    self.stage.set(Stage::Returned);
                } else {
                    self.load_in_steps(exchange, text, at);
                }
            }
            Progress::Finished {
                result: Err(problem),
                ..
            } => {
                self.repeat.stop("it was answered by an error");
                let argument = problem
                    .desc
                    .as_ref()
                    .filter(|_| is_new)
                    .and_then(|desc| Some((self.blame(&exchange, desc)?, desc.clone())));
                self.blamed.set(argument);
                self.stage.set(Stage::Failed(exchange.id));
            }
        }
    }

    /// The argument that an error's text speaks of.
    fn blame(self, exchange: &Exchange, desc: &str) -> Option<Path> {
        let Key {
            session, command, ..
        } = &exchange.key;
        let arguments = exchange.request.arguments.as_deref();
        argument_of(desc, arguments.unwrap_or("{}"), |path| {
            let mut known = self.store.loaded_schemas().into_iter();
            let schema = known.find(|(of, _)| of == session);
            schema.is_some_and(|(_, schema)| is_argument(&schema, command, path))
        })
    }

    /// Whether that is the command which is entered beside the pane.
    fn is_here(self, key: &Key) -> bool {
        self.page.with_untracked(|page| {
            let is_of = |name, value: &str| page.get_str(name).unwrap_or_default() == value;
            is_of("session", &key.session) && is_of("command", &key.command)
        })
    }

    /// Takes the reply apart in the next task, and draws it in the one after.
    fn load_in_steps(self, exchange: Exchange, text: Arc<str>, at: f64) {
        let id = exchange.id;
        let is_latest = move || {
            let latest = self.exchange.try_get_untracked().flatten();
            latest.is_some_and(|latest| latest.id == id)
        };
        next_task(move || {
            if !is_latest() {
                return;
            }
            self.load(&exchange, &text, at);
            next_task(move || {
                if is_latest() {
                    self.stage.set(Stage::Returned);
                }
            });
        });
    }

    fn load(self, exchange: &Exchange, text: &Arc<str>, at: f64) {
        let loaded = self.loaded.get_untracked();
        let follows = loaded.as_ref().is_some_and(|(key, _)| *key == exchange.key);
        if loaded.is_some_and(|(_, id)| id == exchange.id) {
            return;
        }
        let before = self.tree.seen_once(|outline| Arc::clone(outline.tree()));
        self.tree.load(Arc::clone(text), follows);
        self.loaded.set(Some((exchange.key.clone(), exchange.id)));
        if !follows {
            self.plots.set(Vec::new());
            self.shapes.begin();
        }
        if self.plots.with_untracked(|plots| !plots.is_empty()) {
            self.tree.seen_once(|outline| {
                self.plots.update(|plots| {
                    let all = plots.iter_mut();
                    all.for_each(|series| series.push(at, outline.tree()));
                });
            });
        }
        if self.shows_changes.get_untracked() {
            self.compare(Some(before), false);
        }
    }

    /// Shows what is different from the reply before; `known` may be that.
    fn compare(self, known: Option<Arc<Tree>>, opens: bool) {
        let before = self.loaded.get_untracked().and_then(|(key, id)| {
            self.store
                .peek(|app| app.exchanges.returned_before(&key, id).cloned())
        });
        let diff = before.map(|before| {
            let known = known.filter(|tree| Arc::ptr_eq(tree.text(), &before));
            let old = known.unwrap_or_else(|| Arc::new(Tree::new(before)));
            self.tree
                .seen_once(|outline| Diff::new(old, outline.tree()))
        });
        self.tree.set_diff(diff, opens);
    }

    fn show_changes(self, shows: bool) {
        self.shows_changes.set(shows);
        match shows {
            true => self.compare(None, true),
            false => self.tree.set_diff(None, false),
        }
    }

    /// Draws the number in the current line from now on.
    fn plot(self) {
        let series = self.tree.seen_once(|outline| {
            let (tree, id) = (outline.tree(), outline.node());
            if tree.kind(id) != Kind::Number {
                return None;
            }
            let mut series = Series::new(tree.steps(id), tree.path(id));
            let newest = self.exchange.with_untracked(|exchange| match exchange {
                Some(Exchange {
                    sent,
                    progress: Progress::Finished { elapsed, .. },
                    ..
                }) => sent + elapsed,
                // That of the reply which is shown is near.
                _ => browser::now(),
            });
            series.push(newest, tree);
            Some(series)
        });
        let Some(series) = series else { return };
        self.plots.update(|plots| {
            if plots.len() < MOST && plots.iter().all(|other| other.path != series.path) {
                plots.push(series);
            }
        });
    }
}

fn next_task(task: impl FnOnce() + 'static) {
    request_animation_frame(move || set_timeout(task, Duration::ZERO));
}

/// The head of the pane.
fn head(pane: Pane, state: AnyView, tools: AnyView) -> impl IntoView {
    let shown = move |read: fn(&Key) -> &str| {
        pane.exchange.with(|exchange| {
            let key = exchange.as_ref().map(|exchange| &exchange.key);
            key.map_or_else(String::new, |key| visible(read(key)).into_owned())
        })
    };
    view! {
        <div class="reply-head">
            <h2>"Reply"</h2>
            {state}
            <span class="mono reply-command">{move || shown(|key| &key.command)}</span>
            <span class="muted small-text">"on " {move || shown(|key| &key.session)}</span>
            {tools}
        </div>
    }
}

fn pending(pane: Pane) -> AnyView {
    let state = badge(Tone::Busy, "pending".to_owned()).into_any();
    let sent = pane
        .exchange
        .with_untracked(|exchange| exchange.as_ref().map_or(0.0, |exchange| exchange.sent));
    view! {
        {head(pane, state, ().into_any())}
        <p class="muted">
            <span role="status">"Waiting for the reply"</span> " for " {waited(pane.store, sent)} "."
        </p>
    }
    .into_any()
}

fn returned(pane: Pane) -> AnyView {
    let words = Memo::new(move |before: Option<&String>| {
        pane.exchange.with(|exchange| match exchange {
            Some(Exchange {
                progress: Progress::Finished { elapsed: time, .. },
                ..
            }) => "return in ".to_owned() + &elapsed(*time),
            _ => before.cloned().unwrap_or_default(),
        })
    });
    // Repeated replies are not read out each.
    let live = move || if pane.repeat.is_on() { "off" } else { "polite" };
    let state = view! {
        <span role="status" aria-live=live>{move || badge(Tone::Good, words.get())}</span>
    };
    let copied = Signal::derive(move || {
        pane.tree
            .seen_once(|outline| outline.tree().text().to_string())
    });
    let copy = view! { <CopyButton label="Copy reply" text=copied/> };
    let file = Signal::derive(move || {
        let loaded = pane.loaded.get();
        loaded.map_or_else(String::new, |(key, _)| key.command + ".json")
    });
    let plot = move || pane.plot();
    view! {
        {head(pane, state.into_any(), copy.into_any())}
        <div class="reply-tools">
            <ShapeSwitch shapes=pane.shapes tree=pane.tree/>
            <Changes pane/>
            <RepeatTools
                repeat=pane.repeat
                exchange=pane.exchange
                started=move || pane.show_changes(true)
            />
        </div>
        <Plots series=pane.plots/>
        <Shaped shapes=pane.shapes tree=pane.tree file plot/>
    }
    .into_any()
}

/// Shows or hides what is different from the reply before, and how much it is.
#[component]
fn Changes(pane: Pane) -> impl IntoView {
    let has_before = Memo::new(move |_| {
        let Some((key, id)) = pane.loaded.get() else {
            return false;
        };
        pane.store
            .with_exchanges(|app| app.exchanges.returned_before(&key, id).is_some())
    });
    let words = move || {
        pane.shows_changes.get().then(|| {
            let words = pane.tree.value(|outline| outline.diff().map(Diff::words));
            words.unwrap_or_else(|| "nothing to compare with yet".to_owned())
        })
    };
    let others = move || {
        pane.shows_changes.get().then_some(())?;
        let (key, id) = pane.loaded.get()?;
        pane.store.with_exchanges(|app| {
            let now = app.exchanges.sent(id)?;
            let before = app.exchanges.sent_before(&key, id)?;
            other_arguments(before.arguments.as_deref(), now.arguments.as_deref())
        })
    };
    let title = move || match has_before.get() {
        true => "What is different from the reply before",
        false => "There is no earlier reply of this command to compare with",
    };
    view! {
        <div class="changes">
            <button
                type="button"
                class="small"
                aria-pressed=move || pane.shows_changes.get().to_string()
                disabled=move || !has_before.get() && !pane.shows_changes.get()
                title=title
                on:click=move |_| pane.show_changes(!pane.shows_changes.get_untracked())
            >
                "Changes"
            </button>
            <span class="small-text changes-count">{words}</span>
            {move || others().map(|arguments| view! {
                <p class="small-text other-arguments">
                    "The reply before was to other arguments: "
                    <code class="mono">{arguments}</code>
                </p>
            })}
        </div>
    }
}

fn failed(pane: Pane) -> AnyView {
    let Some(exchange) = pane.exchange.get_untracked() else {
        return ().into_any();
    };
    let Progress::Finished {
        elapsed: time,
        result: Err(problem),
    } = &exchange.progress
    else {
        return ().into_any();
    };
    let is_refused = was_refused(problem);
    let words = match is_refused {
        true => "not allowed".to_owned(),
        false => "error in ".to_owned() + &elapsed(*time),
    };
    let state = badge(Tone::Bad, words).into_any();
    let session = visible(&exchange.key.session).into_owned();
    let unsent = "Nothing was sent to ".to_owned() + &session + ".";
    let argument = problem
        .desc
        .as_ref()
        .and_then(|desc| pane.blame(&exchange, desc))
        .map(|path| {
            let words = visible(&path.to_string()).into_owned();
            let argument = match pane.is_here(&exchange.key) {
                true => view! {
                    <button type="button" class="crumb mono" on:click=move |_| focus_argument(&path)>
                        {words}
                    </button>
                }
                .into_any(),
                false => view! { <code class="mono">{words}</code> }.into_any(),
            };
            view! { <p class="small-text">"It speaks of the argument " {argument}</p> }
        });
    let problem = (**problem).clone();
    view! {
        {head(pane, state, ().into_any())}
        <ProblemBox problem/>
        {argument}
        {is_refused.then(|| view! { <p class="loud">{unsent}</p> })}
    }
    .into_any()
}

/// Brings the user to the argument, or to the nearest that it is in; in a text
/// to where it is named.
fn focus_argument(path: &Path) {
    let text = document().get_element_by_id("entered-text");
    if text.is_some() {
        focus(text.as_ref());
        let text = text.and_then(|text| text.dyn_into::<HtmlTextAreaElement>().ok());
        if let Some((text, place)) = text.and_then(|text| {
            let place = place_in_text(&text.value(), path)?;
            Some((text, place))
        }) {
            let _ = text.set_selection_range(place.start, place.end);
        }
        return;
    }
    let mut steps = path.0.clone();
    while !steps.is_empty() {
        let id = control_id(&Path(steps.clone()));
        let found = document().get_element_by_id(&id);
        let found = found.or_else(|| document().get_element_by_id(&(id + INCLUDE)));
        if found.is_some() {
            return focus(found.as_ref());
        }
        steps.pop();
    }
}
