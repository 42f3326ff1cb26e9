//! A transaction that is composed of several commands.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use qmp_shared::schema::Schema;

use super::send::Sender;
use crate::state::address::{Link, command_path};
use crate::state::editor::{Editor, Mode};
use crate::state::send::Options;
use crate::state::text::{clip, counted, visible};
use crate::state::transaction::{Composed, Part, TRANSACTION, is_action};
use crate::store::{Store, use_store};

/// Longest data of an action that is shown, in bytes.
const SHOWN: usize = 240;

/// The transaction of one session. A handle: copies are the same.
#[derive(Clone, Copy)]
pub(super) struct Transaction {
    store: Store,
    session: StoredValue<String>,
}

impl Transaction {
    pub(super) fn new(store: Store, session: &str) -> Self {
        let session = StoredValue::new(session.to_owned());
        Self { store, session }
    }

    /// Reads it, and again when it changes.
    fn with<T>(self, read: impl FnOnce(&Composed) -> T) -> T {
        self.session.with_value(|session| {
            let all = self.store.transactions;
            all.with(|all| match all.get(session) {
                Some(composed) => read(composed),
                None => read(&Composed::default()),
            })
        })
    }

    fn change<T>(self, change: impl FnOnce(&mut Composed) -> T) -> Option<T> {
        let session = self.session.try_get_value()?;
        change_in(self.store, &session, change)
    }

    /// The page of a command is made. Only that of the transaction matters.
    pub(super) fn opens(self, editor: &Editor) {
        if editor.command() == TRANSACTION {
            let arguments = arguments(editor);
            self.change(|composed| composed.opens(arguments.as_deref()));
        }
    }
}

/// The page of a command of the session is left. Only that of the transaction
/// matters.
pub(super) fn page_is_left(store: Store, session: &str, editor: &Editor) {
    if editor.command() == TRANSACTION {
        let arguments = arguments(editor);
        change_in(store, session, |composed| {
            composed.closes(arguments.as_deref());
        });
    }
}

fn change_in<T>(store: Store, session: &str, change: impl FnOnce(&mut Composed) -> T) -> Option<T> {
    let all = store.transactions;
    all.try_update(|all| change(all.entry(session.to_owned()).or_default()))
}

/// What is entered, where that is the transaction.
fn arguments(editor: &Editor) -> Option<String> {
    let entered = editor.entered().ok()?;
    entered.arguments.filter(|_| entered.command == TRANSACTION)
}

/// Adds what is entered, where that can be an action.
#[component]
pub(super) fn AddToTransaction(sender: Sender) -> impl IntoView {
    let desk = sender.desk;
    let transaction = sender.transaction;
    let is_possible = Memo::new(move |_| {
        desk.typed(|editor| {
            let schema = editor.schema();
            let is_action = |command: &str| schema.is_some_and(|schema| is_action(schema, command));
            match editor.mode() {
                Mode::Form => is_action(editor.command()),
                Mode::Json | Mode::Line => editor.entered().is_ok_and(|it| is_action(&it.command)),
            }
        })
    });
    let add = move |_| {
        desk.attempted.set(true);
        let request = match desk.editor.with_value(Editor::request) {
            Ok(request) => request,
            Err(faults) => return sender.show_faults("Nothing was added: ", &faults),
        };
        let arguments = request.arguments.as_ref().map(|it| it.get());
        let added = transaction.change(|composed| {
            let is_added = composed.add(&request.command, arguments);
            (is_added, composed.parts().len())
        });
        let (is_added, count) = added.unwrap_or_default();
        let count = counted(count as u64, "action");
        let words = match is_added {
            true => "Added: the transaction has ",
            false => "Nothing was added: the transaction has ",
        };
        desk.store.announcement.set(words.to_owned() + &count);
        desk.attempted.set(false);
    };
    move || {
        is_possible.get().then(|| {
            view! {
                <button type="button" title="Collects several commands into one" on:click=add>
                    "Add to transaction"
                </button>
            }
        })
    }
}

/// What has been collected, while there is something.
#[component]
pub(super) fn TransactionTray<F>(
    transaction: Transaction,
    schema: Option<Arc<Schema>>,
    /// The command whose page this is on; empty on none.
    command: String,
    /// Fills the command in where its page is this one.
    fill_in: F,
) -> impl IntoView
where
    F: Fn(&Link) + Clone + Send + Sync + 'static,
{
    let parts = Memo::new(move |_| transaction.with(|composed| composed.parts().to_vec()));
    let is_here = command == TRANSACTION;
    // Where the form shows just this, there is no need to.
    let is_hidden = Memo::new(move |_| {
        let is_open = transaction.with(Composed::is_open);
        parts.with(Vec::is_empty) || (is_here && is_open)
    });
    let is_other = !command.is_empty()
        && !is_here
        && !schema
            .as_ref()
            .is_some_and(|schema| is_action(schema, &command));
    let command = visible(&command).into_owned();
    let navigate = use_navigate();
    let open = move |_| {
        let link = transaction.with(Composed::link);
        if is_here {
            fill_in(&link);
            return transaction
                .change(|composed| composed.opens(link.arguments.as_deref()))
                .unwrap_or_default();
        }
        let session = transaction.session.get_value();
        let mut editor = Editor::new(schema.clone(), TRANSACTION);
        // What a form cannot show is there as JSON.
        let _ = editor.prefill(&link);
        let path = command_path(&session, TRANSACTION);
        transaction.store.drafts.update_value(|drafts| {
            drafts.forget(&session, TRANSACTION);
            drafts.put(session, editor, Options::default());
        });
        navigate(&path, NavigateOptions::default());
    };
    let open = StoredValue::new(open);
    let clear = move |_| {
        transaction.change(|composed| *composed = Composed::default());
    };
    view! {
        <Show when=move || !is_hidden.get()>
            <section class="transaction" aria-label="Transaction">
                <h2>"Transaction (" {move || parts.with(Vec::len)} ")"</h2>
                <ol>
                    <For
                        each=move || parts.get()
                        key=|part| part.id
                        children=move |part| action(transaction, parts, &part)
                    />
                </ol>
                {is_other.then(|| view! {
                    <p class="hint">
                        <span class="mono">{command.clone()}</span>
                        " cannot be part of a transaction: the endpoint has no such action."
                    </p>
                })}
                <div class="actions">
                    <button type="button" on:click=move |event| open.with_value(|open| open(event))>
                        {if is_here { "Fill in" } else { "Open as command" }}
                    </button>
                    <button type="button" class="quiet" on:click=clear>"Clear"</button>
                    <span class="hint">"Kept in this tab alone. Nothing is sent yet."</span>
                </div>
            </section>
        </Show>
    }
}

fn action(transaction: Transaction, parts: Memo<Vec<Part>>, part: &Part) -> impl IntoView + use<> {
    let id = part.id;
    let at = Memo::new(move |_| {
        let at = parts.with(|parts| parts.iter().position(|part| part.id == id));
        at.unwrap_or_default()
    });
    let is_last = move || parts.with(|parts| at.get() + 1 >= parts.len());
    let ty = visible(&part.ty).into_owned();
    let (shown, more) = clip(&part.data, SHOWN);
    let mut data = visible(shown).into_owned();
    if more > 0 {
        data.push('…');
    }
    let name = ty.clone();
    let label = move |word: &str| {
        let number = (at.get() + 1).to_string();
        [word, " action ", &number, ", ", &name].concat()
    };
    let (up, down, remove) = (label.clone(), label.clone(), label);
    view! {
        <li>
            <div class="transaction-action">
                <span class="mono">{ty}</span>
                <button
                    type="button" class="quiet small icon" aria-label=move || up("Move up")
                    disabled=move || at.get() == 0
                    on:click=move |_| { transaction.change(|composed| composed.shift(id, true)); }
                >"↑"</button>
                <button
                    type="button" class="quiet small icon" aria-label=move || down("Move down")
                    disabled=is_last
                    on:click=move |_| { transaction.change(|composed| composed.shift(id, false)); }
                >"↓"</button>
                <button
                    type="button" class="quiet small icon" aria-label=move || remove("Remove")
                    on:click=move |_| { transaction.change(|composed| composed.remove(id)); }
                >"✕"</button>
            </div>
            <code class="mono">{data}</code>
        </li>
    }
}

/// The same where no command is chosen.
pub(super) fn tray_alone(session: &str, schema: Option<Arc<Schema>>) -> impl IntoView + use<> {
    let transaction = Transaction::new(use_store(), session);
    view! { <TransactionTray transaction schema command=String::new() fill_in=|_: &Link| ()/> }
}
