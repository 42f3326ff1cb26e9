//! What there is: names and sessions with their counts, and a line of how many
//! came when.

use leptos::html;
use leptos::prelude::*;

use super::Page;
use crate::state::events::{Facets, Feed, FilterText, Rate, Refusal, shown_name};
use crate::state::text::{clip, counted, grouped, visible};
use crate::state::time::Instant;
use crate::store::browser;
use crate::view::parts::focus;

/// How many names are offered at first.
const NAMES: usize = 12;

/// Most names that are offered at all.
const MOST: usize = 1_000;

/// Longest name that is shown whole, in bytes.
const SHOWN: usize = 100;

/// Size of the line, in the units of its picture.
const BAR: usize = 4;
const HEIGHT: u64 = 24;

#[component]
pub(super) fn FacetBar(page: Page) -> impl IntoView {
    // Once a second is enough to read, but the first are there with their rows.
    let has_events = Memo::new(move |_| page.with_feed(Feed::has_events));
    let facets = move |read: fn(&Facets) -> Vec<(String, u64)>| {
        Memo::new(move |_| {
            // A memo that nobody read yet tells of no change.
            has_events.get();
            page.store.clock.track();
            page.text.track();
            page.file.track();
            page.feed.with_value(|feed| read(feed.facets()))
        })
    };
    let (names, sessions) = (facets(Facets::names), facets(Facets::sessions));
    let is_live = Memo::new(move |_| {
        page.file.with(Option::is_none) && page.text.with(|text| text.until.is_empty())
    });
    let rate = Memo::new(move |_| {
        has_events.get();
        page.store.clock.track();
        page.text.track();
        let end = is_live.get().then(browser::wall_clock);
        page.feed.with_value(|feed| feed.facets().rate(end))
    });
    let is_all = RwSignal::new(false);
    let more_place = NodeRef::<html::Span>::new();
    let turn = move |_| {
        is_all.update(|is_all| *is_all = !*is_all);
        // The button is another one then.
        browser::next_frame(move || {
            let place = more_place.get_untracked();
            focus(
                place
                    .and_then(|place| place.query_selector("button").ok().flatten())
                    .as_ref(),
            );
        });
    };
    let most = move || if is_all.get() { MOST } else { NAMES };
    let chips = move || {
        let several = sessions.with(|sessions| sessions.len() > 1);
        let text = page.text.get_untracked();
        let sessions = sessions.get().into_iter().filter(|_| several);
        let sessions = sessions.map(|(name, count)| {
            let only = text.only_session(&name);
            chip("Only session ", &name, count, Ok(&only))
        });
        let names = names.get().into_iter().take(most());
        let names = names.map(|(name, count)| {
            let only = text.only_name(&name);
            chip(
                "Only ",
                &name,
                count,
                only.as_ref().map_err(|refusal| *refusal),
            )
        });
        sessions.chain(names).collect_view()
    };
    let left_out = move || {
        let text = page.text.get();
        let names = text.left_out().map(|name| {
            let shown = visible(name).into_owned();
            let label = "without ".to_owned() + &shown + ": show it again";
            view! {
                <a
                    class="chip left-out"
                    href=browser::at(&text.with_session(name).address())
                    aria-label=label.clone()
                    title=label
                >
                    "without "<span class="mono">{shown}</span>
                    <span aria-hidden="true">"✕"</span>
                </a>
            }
        });
        names.collect_view()
    };
    let count = Memo::new(move |_| names.with(Vec::len));
    let more = move || {
        let (count, is_all) = (count.get(), is_all.get());
        let left = count.saturating_sub(most());
        let words = match is_all {
            true => "Fewer names".to_owned(),
            false => "and ".to_owned() + &counted(left as u64, "other name"),
        };
        let beyond = (is_all && left > 0).then(|| {
            let words = "and ".to_owned() + &counted(left as u64, "other name");
            view! { <span class="muted small-text">{words}</span> }
        });
        (count > NAMES).then(|| {
            view! {
                {beyond}
                <button
                    type="button"
                    class="quiet small"
                    aria-expanded=is_all.to_string()
                    on:click=turn
                >
                    {words}
                </button>
            }
        })
    };
    let is_empty = Memo::new(move |_| {
        names.with(Vec::is_empty) && page.text.with(|text| text.except.is_empty())
    });
    view! {
        <div class="facets" class:all=is_all hidden=move || is_empty.get()>
            <div class="chips" role="group" aria-label="What there is">
                {left_out}
                {chips}
            </div>
            <span node_ref=more_place class="more">{more}</span>
            {move || spark_line(&rate.get(), is_live.get())}
        </div>
    }
}

/// A name or a session with its count, which leads to it alone; or says why it
/// does not.
fn chip(
    what: &str,
    name: &str,
    count: u64,
    only: Result<&FilterText, Refusal>,
) -> impl IntoView + use<> {
    let (start, left_out) = clip(name, SHOWN);
    let mut shown = shown_name(start);
    if left_out > 0 {
        shown.push('…');
    }
    let content = view! {
        <span class="mono">{shown.clone()}</span>
        " "
        <span class="count">{grouped(count)}</span>
    };
    match only {
        Ok(text) => {
            let title = what.to_owned() + &shown;
            // It has what is to be seen in it, as one speaks to it by that.
            let label = title.clone() + " " + &counted(count, "event");
            let address = browser::at(&text.address());
            view! { <a class="chip" href=address aria-label=label title=title>{content}</a> }
                .into_any()
        }
        Err(refusal) => {
            view! { <span class="chip" title=refusal.words()>{content}</span> }.into_any()
        }
    }
}

/// A bar for each step of time.
fn spark_line(rate: &Rate, is_live: bool) -> impl IntoView + use<> {
    let most = rate.most();
    if most == 0 {
        return ().into_any();
    }
    let total = rate.bars.iter().sum();
    let step = step_words(rate.step);
    let span = rate.step * rate.bars.len() as i64;
    let when = match is_live {
        true => " in the last ".to_owned() + &step_words(span),
        false => {
            let end = Instant(rate.from.0 + span * 1_000_000);
            let end = end.local(browser::offset(end));
            " in ".to_owned() + &step_words(span) + " until " + &end
        }
    };
    let words = counted(total, "event") + &when + ", at most " + &grouped(most) + " in " + &step;
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
