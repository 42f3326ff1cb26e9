//! One command: how it is entered, Send, and the reply.

use std::sync::Arc;

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use qmp_shared::schema::Schema;

use super::documentation::{Documentation, lead};
use super::entry::{FaultList, LeftOutNote, ModeSwitch, TextPane, Troubles};
use super::form::{ArgumentsForm, Desk, feature_tags};
use super::history::{KeptCommands, Lists, go_to};
use super::need::{Need, NeedNote, NeedTag};
use super::reply::ReplyPane;
use super::send::{Actions, AwaitedEvent, Question, Sender};
use super::tag;
use super::transaction::{TransactionTray, page_is_left};
use crate::state::address::{Link, command_path};
use crate::state::editor::{Editor, Mode};
use crate::state::exchanges::{Key, Purpose};
use crate::state::history::KeptCommand;
use crate::state::send::Options;
use crate::state::sessions::Down;
use crate::state::text::visible;
use crate::store::{browser, use_store};
use crate::view::parts::{ProblemBox, all_sessions};

/// A command of a session. Without a schema it is entered as JSON or a line.
#[component]
pub(super) fn CommandDesk(
    session: String,
    command: String,
    schema: Option<Arc<Schema>>,
    /// Why no command can be sent now.
    is_down: Memo<Option<Down>>,
    /// Whether the agent says that it will not execute it.
    is_disabled: Memo<bool>,
) -> impl IntoView {
    let store = use_store();
    let draft = store
        .drafts
        .try_update_value(|drafts| drafts.take(&session, &command, schema.as_ref()));
    let (editor, options) = draft
        .flatten()
        .unwrap_or_else(|| (Editor::new(schema.clone(), &command), Options::default()));
    let (revision, structure) = (RwSignal::new(0_u64), RwSignal::new(0_u64));
    let editor = StoredValue::new(editor);
    let place = StoredValue::new(session.clone());
    let desk = Desk {
        store,
        session: place,
        editor,
        structure,
        revision,
        faults: Memo::new(move |_| {
            revision.track();
            editor.with_value(Editor::faults)
        }),
        attempted: RwSignal::new(false),
        manual: {
            let session = session.clone();
            Memo::new(move |_| store.manual(&session))
        },
        blamed: RwSignal::new(None),
        need: Need::new(store, editor, revision, structure),
    };
    let sent = RwSignal::new(Some(Key {
        session: session.clone(),
        command: command.clone(),
        purpose: Purpose::User,
    }));
    let lists = Lists::new(store);
    let sender = Sender::new(desk, place, sent, is_down, lists);
    sender.options.set(options);
    let put_away = move || {
        let session = place.try_get_value();
        let entered = editor
            .try_get_value()
            .zip(sender.options.try_get_untracked());
        // Who signs in next may be somebody else.
        let is_signed_in = store.identity.with_untracked(Option::is_some);
        let entered = entered.filter(|_| is_signed_in);
        if let Some((session, (editor, options))) = session.zip(entered) {
            page_is_left(store, &session, &editor);
            store
                .drafts
                .update_value(|drafts| drafts.put(session, editor, options));
        }
    };
    on_cleanup(put_away);
    let on_hide = window_event_listener(leptos::ev::pagehide, move |_| {
        put_away();
        store.write_unsent();
    });
    on_cleanup(move || on_hide.remove());
    let troubles = Troubles::new(desk);
    follow_links(sender, troubles);
    desk.editor
        .with_value(|editor| sender.transaction.opens(editor));
    // As if nothing had been entered before.
    let replace = move |link: &Link| {
        desk.editor.update_value(Editor::forget_link);
        fill_in(sender, troubles, link);
    };
    let navigate = use_navigate();
    let edit = move |kept: KeptCommand| go_to(store, &navigate, kept.filled_in());
    let here = (session.clone(), command.clone());
    Effect::new(move |is_shown: Option<()>| {
        let wanted = store.filled_in.get();
        // What was wanted before this page was shown, its address says.
        let wanted = wanted.filter(|_| is_shown.is_some());
        if let Some(wanted) = wanted
            && (&wanted.session, &wanted.command) == (&here.0, &here.1)
        {
            replace(&wanted.link);
        }
    });
    // Drawn anew with another view only, so that the focus stays.
    let mode = Memo::new(move |_| desk.drawn(Editor::mode));
    // Wherever the focus is: also in the list, right after a command was chosen.
    let on_key = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
        let is_asking = sender.question.with_untracked(Option::is_some);
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && !is_asking {
            event.prevent_default();
            // One that is held down sends once.
            if !event.repeat() {
                sender.send();
            }
        }
    });
    on_cleanup(move || on_key.remove());
    view! {
        <div class="desk">
            <div class="desk-side">
                <form
                    class="desk-form"
                    novalidate
                    aria-label="Command"
                    // Enter in a field must never send.
                    on:submit=move |event: SubmitEvent| event.prevent_default()
                >
                    <a class="back" href=browser::at(&command_path(&session, ""))>"‹ All commands"</a>
                    {head(desk, &command, schema.as_deref(), is_disabled)}
                    {lead(desk)}
                    <ModeSwitch desk troubles/>
                    {move || match mode.get() {
                        Mode::Form => view! { <ArgumentsForm desk/> }.into_any(),
                        mode => view! { <TextPane desk mode/> }.into_any(),
                    }}
                    <LeftOutNote desk/>
                    <FaultList desk/>
                    {move || is_down.get().map(|down| view! {
                        <div class="notice" role="status">
                            <p class="verbatim">{down.words().to_owned()}</p>
                            {matches!(down, Down::Gone(_)).then(|| view! {
                                {all_sessions()}
                            })}
                        </div>
                    })}
                    {move || sender.refused.get().map(|problem| view! { <ProblemBox problem/> })}
                    <NeedNote need=desk.need/>
                    <Actions sender/>
                </form>
                <TransactionTray
                    transaction=sender.transaction
                    schema=schema.clone()
                    command=command.clone()
                    fill_in=replace
                />
                <KeptCommands lists edit desk=Some(sender)/>
            </div>
            <Documentation desk session=session.clone()/>
            <ReplyPane key=sent blamed=desk.blamed>
                <AwaitedEvent sender/>
            </ReplyPane>
            <Question sender/>
        </div>
    }
}

/// Fills in what the address says, now and whenever it says something else.
fn follow_links(sender: Sender, troubles: Troubles) {
    let desk = sender.desk;
    let query = use_query_map();
    let link = Memo::new(move |_| query.with(|query| Link::read(|name| query.get(name))));
    // At once, so that nothing else is shown first.
    match link.get_untracked() {
        Some(link) => fill_in(sender, troubles, &link),
        None => desk.editor.update_value(Editor::forget_link),
    }
    Effect::new(move || {
        if let Some(link) = link.get() {
            fill_in(sender, troubles, &link);
        }
    });
}

fn fill_in(sender: Sender, troubles: Troubles, link: &Link) {
    let editor = sender.desk.editor;
    let filled = editor.try_update_value(|editor| editor.prefill(link));
    if !matches!(filled, Some(Ok(false)) | None) {
        sender.options.set(link.options.clone());
    }
    match filled {
        Some(Ok(true)) => troubles.after(Mode::Form, Ok(())),
        Some(Err(faults)) => troubles.after(Mode::Form, Err(faults)),
        Some(Ok(false)) | None => (),
    }
}

fn head(
    desk: Desk,
    command: &str,
    schema: Option<&Schema>,
    is_disabled: Memo<bool>,
) -> impl IntoView + use<> {
    let known = schema.and_then(|schema| Some((schema, schema.command(command)?)));
    let facts = known.map(|(schema, known)| {
        let returns = "returns ".to_owned() + &visible(&schema.describe(known.returns));
        view! {
            {feature_tags(&known.features)}
            {known.allow_oob.then(|| tag("oob"))}
            <span class="type">{returns}</span>
        }
    });
    view! {
        <div class="desk-head">
            <h1 class="mono">{visible(command).into_owned()}</h1>
            <NeedTag need=desk.need/>
            {move || is_disabled.get().then(|| tag("disabled"))}
            {facts}
        </div>
    }
}
