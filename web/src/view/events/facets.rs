//! What there is: names and sessions with their counts, and a line of how many
//! came when.

use leptos::prelude::*;

use super::Page;
use crate::state::events::{Facets, Rate};
use crate::state::text::{counted, grouped, visible};
use crate::store::browser;

/// Most names that are offered.
const NAMES: usize = 12;

/// Size of the line, in the units of its picture.
const BAR: usize = 4;
const HEIGHT: u64 = 24;

#[component]
pub(super) fn FacetBar(page: Page) -> impl IntoView {
    // Once a second is enough to read, but the first are there with their rows.
    let has_rows = Memo::new(move |_| page.with_feed(|feed| feed.len() > 0));
    let facets = move |read: fn(&Facets) -> Vec<(String, u64)>| {
        Memo::new(move |_| {
            has_rows.track();
            page.store.clock.track();
            page.text.track();
            page.file.track();
            page.feed.with_value(|feed| read(feed.facets()))
        })
    };
    let (names, sessions) = (facets(Facets::names), facets(Facets::sessions));
    let rate = Memo::new(move |_| {
        has_rows.track();
        page.store.clock.track();
        page.text.track();
        let is_live =
            page.file.with(Option::is_none) && page.text.with(|text| text.until.is_empty());
        let end = is_live.then(browser::wall_clock);
        page.feed.with_value(|feed| feed.facets().rate(end))
    });
    let chips = move || {
        let several = sessions.with(|sessions| sessions.len() > 1);
        let sessions = sessions.get().into_iter().filter(|_| several);
        let sessions = sessions.map(|(name, count)| {
            let mut text = page.text.get_untracked();
            text.session.clone_from(&name);
            chip("Only session ", &name, count, &text.address())
        });
        let names = names.get().into_iter().take(NAMES);
        let names = names.map(|(name, count)| {
            let mut text = page.text.get_untracked();
            text.names.clone_from(&name);
            chip("Only ", &name, count, &text.address())
        });
        sessions.chain(names).collect_view()
    };
    let more =
        move || {
            let count = names.with(Vec::len).saturating_sub(NAMES);
            (count > 0).then(|| view! {
            <span class="muted small-text">"and "{counted(count as u64, "other name")}</span>
        })
        };
    let is_empty = Memo::new(move |_| names.with(Vec::is_empty));
    view! {
        <div class="facets" hidden=move || is_empty.get()>
            <div class="chips" role="group" aria-label="What there is">{chips}{more}</div>
            {move || spark_line(&rate.get())}
        </div>
    }
}

fn chip(what: &str, name: &str, count: u64, address: &str) -> impl IntoView + use<> {
    let shown = visible(name).into_owned();
    let title = what.to_owned() + &shown;
    // It has what is to be seen in it, as one speaks to it by that.
    let label = title.clone() + " " + &counted(count, "event");
    view! {
        <a class="chip" href=browser::at(address) aria-label=label title=title>
            <span class="mono">{shown}</span>
            " "
            <span class="count">{grouped(count)}</span>
        </a>
    }
}

/// A bar for each step of time.
fn spark_line(rate: &Rate) -> impl IntoView + use<> {
    let most = rate.most();
    if most == 0 {
        return ().into_any();
    }
    let total = rate.bars.iter().sum();
    let step = step_words(rate.step);
    let words = counted(total, "event")
        + " in the last "
        + &step_words(rate.step * rate.bars.len() as i64)
        + ", at most "
        + &grouped(most)
        + " in "
        + &step;
    let width = rate.bars.len() * BAR;
    let bars = rate
        .bars
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0);
    let bars = bars.map(|(at, count)| {
        // One event is to be seen beside thousands.
        let height = (count * HEIGHT).div_ceil(most).max(2);
        let path = "M".to_owned()
            + &(at * BAR).to_string()
            + " "
            + &HEIGHT.to_string()
            + "v-"
            + &height.to_string()
            + "h"
            + &(BAR - 1).to_string()
            + "v"
            + &height.to_string()
            + "z";
        view! { <path d=path/> }
    });
    let view_box = "0 0 ".to_owned() + &width.to_string() + " " + &HEIGHT.to_string();
    view! {
        <figure class="spark">
            <svg
                viewBox=view_box
                width=width.to_string()
                height=HEIGHT.to_string()
                role="img"
                aria-label=words.clone()
            >
                <title>{words.clone()}</title>
                {bars.collect_view()}
            </svg>
            <figcaption class="muted">"most "{grouped(most)}" / "{step}</figcaption>
        </figure>
    }
    .into_any()
}

/// Seconds in their largest unit.
fn step_words(seconds: i64) -> String {
    match seconds {
        ..120 => seconds.to_string() + " s",
        120..7_200 => (seconds / 60).to_string() + " min",
        7_200..172_800 => (seconds / 3_600).to_string() + " h",
        _ => (seconds / 86_400).to_string() + " d",
    }
}
