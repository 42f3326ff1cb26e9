//! A text on lines, however many: only those in sight are drawn. What a string
//! in a reply says, as `info qtree` of the human monitor.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;

use super::find::Finder;
use crate::state::find::{Found, next_match, pieces};
use crate::state::lines::Lines;
use crate::state::text::counted;
use crate::state::window::Window;
use crate::view::parts::CopyButton;
use crate::view::sight::{Sight, pixels};

/// Height of a line in pixels; the style sheet has the same number.
const LINE: f64 = 20.0;

/// The lines, what is searched for in them, and what can be done with them.
#[component]
pub(super) fn TextLines(
    /// The text.
    #[prop(into)]
    lines: Signal<Arc<Lines>>,
    /// The text that it is compared with.
    #[prop(into)]
    before: Signal<Option<Arc<Lines>>>,
    /// What is searched for.
    wanted: RwSignal<String>,
    /// The frame that the lines are scrolled in, to give it the focus.
    root: NodeRef<html::Div>,
) -> impl IntoView {
    let sight = Sight::of(root, 600.0);
    sight.follow_size();
    let at = RwSignal::new(0_u32);
    let matches = Memo::new(move |_| {
        let wanted = wanted.get();
        lines.with(|lines| lines.search(&wanted))
    });
    let found = Signal::derive(move || matches.with(|matches| Found::among(matches, at.get())));
    let step = move |forward: bool, stays: bool| {
        let from = at.get_untracked();
        let to = matches.with_untracked(|matches| next_match(matches, from, forward, stays));
        if let Some(to) = to {
            at.set(to);
            sight.center(f64::from(to) * LINE, LINE);
        }
    };
    let leave = move || {
        if let Some(root) = root.get_untracked() {
            // Nothing depends on whether the browser grants the focus.
            let _ = root.focus();
        }
    };
    let count = Memo::new(move |_| lines.with(|lines| lines.len()));
    let window = Memo::new(move |_| sight.window(LINE, count.get()));
    let current =
        Memo::new(move |_| matches.with(|matches| matches.binary_search(&at.get()).is_ok()));
    // None without anything to compare with.
    let fresh = Memo::new(move |_| {
        let before = before.get()?;
        Some(lines.with(|lines| lines.fresh(&before)))
    });
    let fresh_words = move || {
        let count = fresh.with(|fresh| fresh.as_ref().map(Vec::len))?;
        Some(match count {
            0 => "no new lines".to_owned(),
            count => counted(count as u64, "new line"),
        })
    };
    let drawn = move || {
        let Window { first, end } = window.get();
        let wanted = wanted.get();
        let at = current.get().then(|| at.get() as usize);
        lines.with(|lines| {
            let line = |number: usize| {
                let text = lines.shown(number);
                let pieces = pieces(&text, &wanted).into_iter().map(piece);
                // An empty line is a line, also in the clipboard.
                let end = text.is_empty().then_some("\n");
                let is_fresh = fresh.with(|fresh| {
                    let fresh = fresh.as_ref();
                    fresh.is_some_and(|fresh| fresh.binary_search(&(number as u32)).is_ok())
                });
                view! {
                    <div
                        class="text-line"
                        class:current=at == Some(number)
                        class:fresh=is_fresh
                    >{pieces.collect_view()}{end}</div>
                }
            };
            (first..end).map(line).collect_view()
        })
    };
    let copied = Signal::derive(move || lines.with_untracked(|lines| lines.text().to_string()));
    view! {
        <div class="tree-tools">
            <Finder
                label="Search in the text"
                placeholder="Search in the text"
                wanted
                found
                step
                leave
            />
            <div class="raw-tools">
                <span class="muted small-text">
                    {move || lines.with(|lines| lines.words())}
                    <span class="fresh-words">{fresh_words}</span>
                </span>
                <CopyButton label="Copy text" text=copied/>
            </div>
        </div>
        <div
            class="text-lines mono"
            role="region"
            aria-label="Text"
            tabindex="0"
            node_ref=root
            on:scroll=move |_| {
                sight.measure();
            }
        >
            <div class="text-body" style:height=move || pixels(count.get() as f64 * LINE)>
                <div class="text-drawn" style:top=move || pixels(window.get().first as f64 * LINE)>
                    {drawn}
                </div>
            </div>
        </div>
    }
}

/// A part of a text, marked where it is what is searched for.
pub(super) fn piece((text, is_match): (&str, bool)) -> AnyView {
    match is_match {
        true => view! { <mark>{text.to_owned()}</mark> }.into_any(),
        false => text.to_owned().into_any(),
    }
}
