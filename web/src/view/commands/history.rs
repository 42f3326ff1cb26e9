//! Commands that this browser keeps: sent and saved ones.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;

use super::send::Sender;
use crate::state::App;
use crate::state::address::command_path;
use crate::state::editor::Editor;
use crate::state::history::{Ended, FilledIn, KeptCommand, MOST, remember, save, take_ended};
use crate::state::sessions::Tone;
use crate::state::text::{clip, counted, visible};
use crate::state::time::Instant;
use crate::store::keep::Kept;
use crate::store::{Store, browser};
use crate::view::parts::badge;

/// Longest arguments that an entry shows, in bytes.
const SHOWN: usize = 240;

/// What is kept. A handle: copies are the same.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    store: Store,
    sent: Kept<KeptCommand>,
    saved: Kept<KeptCommand>,
}

impl Lists {
    pub(super) fn new(store: Store) -> Self {
        let lists = Self {
            store,
            sent: store.kept("sent-commands"),
            saved: store.kept("saved-commands"),
        };
        // Also of what was sent from the page of another command.
        Effect::new(move || {
            store.with_exchanges(|_| ());
            lists.note_ends();
        });
        lists
    }

    /// Keeps a command that was sent.
    pub(super) fn remember(self, kept: KeptCommand) {
        self.sent.change(MOST, |list| remember(list, kept));
    }

    /// Keeps what became of those that ended since.
    pub(super) fn note_ends(self) {
        let take = |app: &App| {
            let unnoted = self.store.unnoted;
            unnoted.try_update_value(|unnoted| take_ended(unnoted, &app.exchanges))
        };
        let ended = self.store.peek(take).unwrap_or_default();
        if !ended.is_empty() {
            self.sent.change(MOST, |list| {
                ended
                    .iter()
                    .for_each(|(sent, ended)| sent.note(list, *ended));
            });
        }
    }
}

/// Opens a command on its own page, filled in. Where that page is shown
/// already, it replaces what is entered.
pub(in crate::view) fn go_to(
    store: Store,
    navigate: &impl Fn(&str, NavigateOptions),
    to: FilledIn,
) {
    store
        .drafts
        .update_value(|drafts| drafts.forget_link(&to.session, &to.command));
    let path = command_path(&to.session, &to.command) + &to.link.query();
    store.filled_in.set(Some(to));
    navigate(&path, NavigateOptions::default());
}

/// Both lists, folded away, with a search in them.
#[component]
pub(super) fn KeptCommands<E>(
    lists: Lists,
    /// What to do to edit one of them.
    edit: E,
    /// The command that can be saved.
    desk: Option<Sender>,
) -> impl IntoView
where
    E: Fn(KeptCommand) + Clone + Send + Sync + 'static,
{
    let query = RwSignal::new(String::new());
    let edit = StoredValue::new(edit);
    let found = move |list: Kept<KeptCommand>| {
        let query = query.get();
        let matching = |list: &[KeptCommand]| {
            let found = list.iter().filter(|kept| kept.matches(&query));
            found.cloned().collect::<Vec<_>>()
        };
        list.with(matching)
    };
    let sent = Memo::new(move |_| found(lists.sent));
    let saved = Memo::new(move |_| found(lists.saved));
    let entries = move |entries: Memo<Vec<KeptCommand>>, list: Kept<KeptCommand>| {
        view! {
            <ul class="kept-list">
                <For
                    each=move || entries.get()
                    key=|kept| (kept.name.clone(), kept.at.to_bits(), kept.command.clone(), kept.ended)
                    children=move |kept| entry(kept, list, edit, desk)
                />
            </ul>
        }
    };
    let no_entry = move || match query.with(|query| query.trim().is_empty()) {
        true => "What you send is kept here, in this browser alone, without secrets.",
        false => "No sent command has this in it.",
    };
    let count = move || counted(sent.with(Vec::len) as u64, "command");
    let is_open = RwSignal::new(false);
    view! {
        <section class="kept" aria-label="History">
            <button
                type="button"
                class="quiet kept-toggle"
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
            >
                "History"
            </button>
            <Show when=move || is_open.get()>
                <div class="kept-body">
                    {desk.map(|sender| view! { <SaveCommand sender lists/> })}
                    <div class="field">
                        <label for="kept-search">"Search history"</label>
                        <input
                            id="kept-search"
                            type="search"
                            autocomplete="off"
                            spellcheck="false"
                            prop:value=query
                            on:input=move |event| query.set(event_target_value(&event))
                        />
                    </div>
                    <Show when=move || !saved.with(Vec::is_empty)>
                        <section aria-label="Saved commands">
                            <h2>"Saved"</h2>
                            {entries(saved, lists.saved)}
                        </section>
                    </Show>
                    <section aria-label="Sent commands">
                        <div class="kept-head">
                            <h2>"Sent"</h2>
                            <span class="muted small-text" role="status">{count}</span>
                            <button
                                type="button"
                                class="quiet small"
                                disabled=move || lists.sent.with(<[_]>::is_empty)
                                on:click=move |_| lists.sent.change(0, Vec::clear)
                            >
                                "Clear history"
                            </button>
                        </div>
                        {entries(sent, lists.sent)}
                        <Show when=move || sent.with(Vec::is_empty)>
                            <p class="muted">{no_entry}</p>
                        </Show>
                    </section>
                </div>
            </Show>
        </section>
    }
}

fn entry<E>(
    kept: KeptCommand,
    list: Kept<KeptCommand>,
    edit: StoredValue<E>,
    desk: Option<Sender>,
) -> impl IntoView + use<E>
where
    E: Fn(KeptCommand) + Send + Sync + 'static,
{
    let at = Instant::from_millis(kept.at);
    let time = at.local(browser::offset(at));
    let arguments = kept.arguments.as_deref().unwrap_or_default();
    let (shown, more) = clip(arguments, SHOWN);
    let mut shown = visible(shown).into_owned();
    if more > 0 {
        shown.push('…');
    }
    let command = visible(&kept.command).into_owned();
    let name = visible(&kept.name).into_owned();
    let title = if kept.name.is_empty() {
        &command
    } else {
        &name
    };
    let edit_label = "Edit ".to_owned() + title;
    let forget_label = "Forget ".to_owned() + title;
    let resend_label = "Resend ".to_owned() + title;
    let waits = kept.options.read().ok().and_then(|waits| waits.words());
    let is_sent = kept.name.is_empty();
    let ended = match kept.ended {
        Some(ended) => {
            let tone = match ended {
                Ended::Returned => Tone::Good,
                Ended::Failed => Tone::Bad,
                Ended::Unknown => Tone::Warn,
            };
            Some(badge(tone, ended.word().to_owned()))
        }
        None => is_sent.then(|| badge(Tone::Idle, "no reply seen".to_owned())),
    };
    let left_out = kept
        .left_out
        .map(|why| view! { <p class="hint">{why.words()}</p> });
    let on = visible(&kept.session).into_owned();
    let forgotten = kept.clone();
    let resend = desk.filter(|_| kept.request().is_some()).map(|sender| {
        let kept = kept.clone();
        view! {
            <button
                type="button"
                class="small"
                title="Sends it as it is"
                aria-label=resend_label
                on:click=move |_| sender.resend(&kept)
            >
                "Resend"
            </button>
        }
    });
    view! {
        <li class="kept-entry">
            <div class="kept-line">
                {(!name.is_empty()).then(|| view! { <strong>{name.clone()}</strong> })}
                <span class="mono">{command}</span>
                {kept.oob.then(|| view! { <span class="tag accent">"oob"</span> })}
                <span class="muted small-text">"on " {on}</span>
                {ended}
                <span class="muted small-text kept-time">{time}</span>
            </div>
            {(!shown.is_empty()).then(|| view! { <code class="mono kept-arguments">{shown}</code> })}
            {waits.map(|waits| view! { <p class="hint">{visible(&waits).into_owned()}</p> })}
            {left_out}
            <div class="kept-buttons">
                <button
                    type="button"
                    class="small"
                    aria-label=edit_label
                    on:click=move |_| edit.with_value(|edit| edit(kept.clone()))
                >
                    "Edit"
                </button>
                {resend}
                <button
                    type="button"
                    class="quiet small"
                    aria-label=forget_label
                    on:click=move |_| list.change(MOST, |list| list.retain(|known| *known != forgotten))
                >
                    "Forget"
                </button>
            </div>
        </li>
    }
}

/// Saves what is entered by a name.
#[component]
fn SaveCommand(sender: Sender, lists: Lists) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<&'static str>);
    // The name that is taken, and may be given to this one all the same.
    let taken = RwSignal::new(None::<String>);
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked();
        if wanted.trim().is_empty() {
            fault.set(Some("a name is needed"));
            return;
        }
        let Ok(entered) = sender.desk.editor.with_value(Editor::entered) else {
            fault.set(Some("what is entered is no command"));
            return;
        };
        if !sender.desk.editor.with_value(Editor::left_out).is_empty() {
            fault.set(Some("not everything that is entered is valid"));
            return;
        }
        let is_taken = lists
            .saved
            .with(|list| list.iter().any(|it| it.name == wanted.trim()));
        if is_taken && taken.with_untracked(|taken| taken.as_ref() != Some(&wanted)) {
            fault.set(Some(
                "there is one of this name: Save once more replaces it",
            ));
            taken.set(Some(wanted));
            return;
        }
        taken.set(None);
        let options = sender.options.get_untracked();
        if options.read().is_err() {
            fault.set(Some("what it waits for is not clear"));
            return;
        }
        let kept = KeptCommand::new(
            &sender.session.get_value(),
            &entered.command,
            entered.oob,
            entered.arguments.as_deref(),
            browser::wall_clock().millis(),
        );
        let kept = KeptCommand { options, ..kept };
        fault.set(None);
        name.set(String::new());
        lists.saved.change(MOST, |list| save(list, &wanted, kept));
    };
    view! {
        <form class="save-command" novalidate on:submit=save>
            <div class="field">
                <label for="save-name">"Save this command as"</label>
                <input
                    id="save-name"
                    type="text"
                    autocomplete="off"
                    aria-describedby="save-fault"
                    prop:value=name
                    on:input=move |event| name.set(event_target_value(&event))
                />
                <p class="fault" id="save-fault">{move || fault.get()}</p>
            </div>
            <button type="submit">"Save"</button>
        </form>
    }
}
