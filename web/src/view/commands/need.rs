//! What the command that is entered needs by the console's policy, said before
//! it is sent.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use qmp_shared::rest::{Requirement, Role};

use crate::state::editor::Editor;
use crate::state::need::{Lack, lack, planned};
use crate::state::text::visible;
use crate::store::{Store, api};

/// How long nothing else may be typed before the console is asked.
const SETTLED: Duration = Duration::from_millis(200);

/// What the console said that a command needs, and of which: its JSON.
#[derive(Clone, Copy)]
pub(super) struct Need {
    store: Store,
    /// The command that is entered now, and whether all is there.
    entered: Memo<(String, bool)>,
    said: RwSignal<Option<(String, Requirement)>>,
}

impl Need {
    /// Asks the console, and again when another command is entered; not for
    /// whoever may do everything.
    pub(super) fn new(
        store: Store,
        editor: StoredValue<Editor>,
        revision: RwSignal<u64>,
        structure: RwSignal<u64>,
    ) -> Self {
        let entered = Memo::new(move |_| {
            revision.track();
            structure.track();
            editor.with_value(planned)
        });
        let need = Self {
            store,
            entered,
            said: RwSignal::new(None),
        };
        Effect::new(move |before: Option<()>| {
            let may_all = store.role().is_none_or(|role| role == Role::Admin);
            if may_all {
                return;
            }
            let wanted = entered.with(|(planned, _)| planned.clone());
            match before {
                None => need.ask(wanted),
                Some(()) => set_timeout(move || need.ask(wanted), SETTLED),
            }
        });
        need
    }

    /// Asks once more, as the policy may be another one by now.
    pub(super) fn ask_again(self) {
        self.ask(self.entered.with_untracked(|(planned, _)| planned.clone()));
    }

    fn ask(self, wanted: String) {
        let is_wanted = move |wanted: &String| {
            let now = self.entered.try_with_untracked(|(now, _)| now == wanted);
            now == Some(true)
        };
        if !is_wanted(&wanted) {
            return;
        }
        spawn_local(async move {
            // Without an answer nothing is said before; the console decides.
            if let Ok(requirement) = api::requirement(&wanted).await
                && is_wanted(&wanted)
            {
                self.said.try_set(Some((wanted, requirement)));
            }
        });
    }

    /// What whoever is signed in lacks for the command as it is entered now;
    /// `None` also as long as that is not known.
    pub(super) fn lack(self) -> Option<Lack> {
        let role = self.store.role()?;
        let (entered, is_whole) = self.entered.get();
        self.said.with(|said| {
            let (_, requirement) = said.as_ref().filter(|(of, _)| *of == entered)?;
            lack(requirement, role, is_whole)
        })
    }
}

/// The role that is missing, beside the command's name.
#[component]
pub(super) fn NeedTag(need: Need) -> impl IntoView {
    let role = Memo::new(move |_| need.lack().map(|lack| lack.needed));
    move || {
        let words = role.get().map(|role| "needs ".to_owned() + role.as_str());
        words.map(|words| view! { <span class="tag warn">{words}</span> })
    }
}

/// Says that it will be refused, and why.
#[component]
pub(super) fn NeedNote(need: Need) -> impl IntoView {
    let lack = Memo::new(move |_| need.lack());
    view! {
        <div class="need" role="status">
            {move || lack.get().map(|lack| {
                view! { <p class="notice">{visible(&lack.words()).into_owned()}</p> }
            })}
        </div>
    }
}
