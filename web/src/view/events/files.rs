//! Events as a file: what is shown is written, and what was written is read
//! again, also without a console.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Page;
use crate::state::events::{File, read_ndjson, write_ndjson};
use crate::state::text::{grouped, visible};
use crate::store::browser;
use crate::view::parts::Menu;

#[component]
pub(super) fn FileMenu(page: Page) -> impl IntoView {
    let fault = RwSignal::new(None::<String>);
    let export = move |_| {
        let text = page.feed.with_value(|feed| write_ndjson(feed.rows()));
        let name =
            "events-".to_owned() + &browser::wall_clock().rfc3339().replace(':', "-") + ".ndjson";
        if let Err(error) = browser::download(&name, &text) {
            fault.set(Some(error));
        }
    };
    let import = move |event: leptos::ev::Event| {
        let Some(chosen) = browser::chosen_file(&event) else {
            return;
        };
        spawn_local(async move {
            let read = chosen
                .text()
                .await
                .and_then(|text| read_ndjson(&text).map_err(|error| error.to_string()));
            match read {
                Ok(content) => {
                    fault.set(None);
                    page.selected.set(None);
                    let name = chosen.name();
                    page.file.set(Some(Arc::new(File { name, content })));
                }
                Err(error) => fault.set(Some(chosen.name() + ": " + &error)),
            }
        });
    };
    view! {
        <Menu label="File">
            <button type="button" on:click=export>"Export what is shown (NDJSON)"</button>
            <label class="menu-form" for="events-import">
                "Open a file of events (NDJSON)"
                <input id="events-import" type="file" accept=".ndjson,.jsonl,application/x-ndjson" on:change=import/>
            </label>
            <p class="fault" role="alert">{move || fault.get().map(|fault| visible(&fault).into_owned())}</p>
        </Menu>
    }
}

/// Says that a file is looked at.
#[component]
pub(super) fn FileNotice(page: Page) -> impl IntoView {
    move || {
        page.file.get().map(|file| {
            let name = visible(&file.name).into_owned();
            let skipped = match file.content.skipped {
                0 => String::new(),
                1 => " 1 line is no event, but another message: it was skipped.".to_owned(),
                count => {
                    " ".to_owned()
                        + &grouped(count)
                        + " lines are no events, but other messages: they were skipped."
                }
            };
            let broken = file.content.broken.as_ref().map(|broken| {
                let counted = match broken.count {
                    1 => " 1 line could not be read, and was left out: ".to_owned(),
                    count => " ".to_owned() + &grouped(count) + " lines could not be read, and were left out: ",
                };
                counted + &visible(&broken.first.to_string()) + "."
            });
            view! {
                <p class="notice opened" role="status">
                    <span>"Events of the file "<strong>{name}</strong>", not of the console."{skipped}{broken}</span>
                    <button type="button" class="small" on:click=move |_| {
                        page.selected.set(None);
                        page.file.set(None);
                    }>
                        "Close the file"
                    </button>
                </p>
            }
        })
    }
}
