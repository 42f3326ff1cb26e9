//! What is said above the list, where it is not what one may take it for.

use leptos::prelude::*;

use super::Page;
use crate::state::events::FilterText;
use crate::state::time::Instant;
use crate::store::browser;

/// Says which parts of the filter do not apply, and that nothing new comes.
#[component]
pub(super) fn Notices(page: Page) -> impl IntoView {
    let is_file = Memo::new(move |_| page.file.with(Option::is_some));
    let not_applied = Memo::new(move |_| {
        let (text, applied) = (page.text, page.applied);
        text.with(|text| applied.with(|applied| text.not_applied(applied)))
    });
    let until = Memo::new(move |_| page.applied.with(|text| Instant::parse(&text.until)));
    let past = move || {
        let at = until.get()?;
        let words = match is_file.get() {
            true => view! { <span>"“Until” does not apply to a file."</span> }.into_any(),
            false => {
                let live = FilterText {
                    until: String::new(),
                    ..page.text.get()
                };
                let at = at.local(browser::offset(at));
                view! {
                    <span>"The log until "<strong>{at}</strong>", not live."</span>
                    <a href=browser::at(&live.address())>"Show what is live"</a>
                }
                .into_any()
            }
        };
        Some(view! { <p class="notice opened">{words}</p> })
    };
    view! {
        <div class="notices" role="status">
            {move || {
                let words = not_applied.get().into_iter();
                words.map(|words| view! { <p class="notice">{words}</p> }).collect_view()
            }}
            {past}
        </div>
    }
}
