//! A text that is completed while it is typed (the ARIA combobox pattern with a
//! list), and a field of the filter, which also says whether it is right.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::parts::into_sight;
use crate::state::completion::{Completion, Suggestion};
use crate::state::text::{clip, grouped, visible};

/// Longest part of a suggestion that is shown, in bytes.
const SHOWN: usize = 200;

/// One text of the filter.
#[component]
pub(super) fn FilterField(
    /// The id of its control, unique on the page.
    id: &'static str,
    label: &'static str,
    placeholder: &'static str,
    value: Memo<String>,
    /// What is wrong with the value.
    fault: Memo<Option<String>>,
    /// What to do with another value.
    set: impl Fn(String) + Copy + Send + Sync + 'static,
    /// What may come next, by the text and where the caret is in it, in bytes.
    complete: impl Fn(&str, usize) -> Completion + Copy + Send + Sync + 'static,
    /// The field is going to be typed into.
    ask: impl Fn() + Copy + Send + Sync + 'static,
    /// Changes when what may come next does.
    news: Signal<()>,
    /// What else is said of the value.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let fault_id = id.to_owned() + "-fault";
    let is_wrong = Memo::new(move |_| fault.with(Option::is_some));
    let is_right = Memo::new(move |_| !is_wrong.get() && !value.with(String::is_empty));
    view! {
        <div class="field grow filter-field" class:right=is_right>
            <label for=id>{label}</label>
            <CompletedInput
                id=id.to_owned()
                label=label.to_owned()
                kind="search"
                placeholder=placeholder
                described_by=fault_id.clone()
                value=value.into()
                is_wrong=is_wrong.into()
                set=set
                complete=complete
                ask=move |_: &str, _: usize| ask()
                news=news
            />
            <p id=fault_id class="fault" role="status">{fault}</p>
            {children.map(|children| view! { <div role="status">{children()}</div> })}
        </div>
    }
}

/// A line of text with suggestions below it.
#[component]
pub(super) fn CompletedInput(
    /// The id of the control, unique on the page.
    id: String,
    /// What it is called; there may be a `label` for it, too.
    label: String,
    /// The type of the input.
    #[prop(default = "text")]
    kind: &'static str,
    placeholder: &'static str,
    /// The ids of what describes it.
    described_by: String,
    value: Signal<String>,
    is_wrong: Signal<bool>,
    /// What to do with another value.
    set: impl Fn(String) + Copy + Send + Sync + 'static,
    /// What may come next, by the text and where the caret is in it, in bytes.
    complete: impl Fn(&str, usize) -> Completion + Copy + Send + Sync + 'static,
    /// It is going to be completed, with the same.
    ask: impl Fn(&str, usize) + Copy + Send + Sync + 'static,
    /// Changes when what may come next does.
    #[prop(optional)]
    news: Option<Signal<()>>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let completion = RwSignal::new(Completion::default());
    let active = RwSignal::new(None::<usize>);
    // Whether the user waits for suggestions, or has them.
    let is_wanted = StoredValue::new(false);
    let close = move || {
        is_wanted.set_value(false);
        completion.set(Completion::default());
        active.set(None);
    };
    let place = move || {
        let input = input.get_untracked()?;
        let text = input.value();
        let caret = input.selection_start().ok().flatten();
        let caret = caret.map_or(text.len(), |caret| byte_of(&text, caret as usize));
        Some((text, caret))
    };
    let refresh = move || {
        if let Some((text, caret)) = place() {
            let found = complete(&text, caret);
            if completion.with_untracked(|shown| *shown != found) {
                completion.set(found);
                active.set(None);
            }
        }
    };
    let ask_here = move || {
        if let Some((text, caret)) = place() {
            ask(&text, caret);
        }
    };
    let open = move || {
        is_wanted.set_value(true);
        ask_here();
        refresh();
    };
    if let Some(news) = news {
        Effect::new(move || {
            news.get();
            if is_wanted.get_value() {
                refresh();
            }
        });
    }
    let accept = move |at: usize| {
        let Some(input) = input.get_untracked() else {
            return;
        };
        let text = input.value();
        let applied = completion.with_untracked(|completion| {
            let suggestion = completion.suggestions.get(at)?;
            Some(completion.apply(&text, suggestion))
        });
        if let Some((text, caret)) = applied {
            let caret = text[..caret].encode_utf16().count() as u32;
            input.set_value(&text);
            // Nothing depends on where the caret is.
            let _ = input.set_selection_range(caret, caret);
            set(text);
            close();
        }
    };
    let count = move || completion.with_untracked(|completion| completion.suggestions.len());
    let on_key = move |event: KeyboardEvent| {
        let count = count();
        match (event.key().as_str(), active.get_untracked()) {
            ("ArrowDown", _) if count == 0 => open(),
            ("ArrowDown", at) => active.set(Some(at.map_or(0, |at| (at + 1) % count))),
            ("ArrowUp", at) if count > 0 => {
                active.set(Some(at.map_or(count - 1, |at| (at + count - 1) % count)));
            }
            ("Enter", Some(at)) => accept(at),
            // A search field would be emptied.
            ("Escape", _) if count > 0 || kind == "search" => close(),
            _ => return,
        }
        event.prevent_default();
    };
    let list_id = id.clone() + "-list";
    let id = StoredValue::new(id);
    let option_id = move |at: usize| id.get_value() + "-option-" + &at.to_string();
    let is_open =
        Memo::new(move |_| completion.with(|completion| !completion.suggestions.is_empty()));
    let suggestions = move || {
        let suggestions = completion.with(|completion| completion.suggestions.clone());
        let option = |(at, Suggestion { text, detail }): (usize, Suggestion)| {
            let is_active = Memo::new(move |_| active.get() == Some(at));
            let option = NodeRef::<html::Li>::new();
            Effect::new(move || {
                if let (true, Some(option)) = (is_active.get(), option.get()) {
                    into_sight(&option);
                }
            });
            view! {
                <li
                    id=option_id(at)
                    node_ref=option
                    role="option"
                    aria-selected=move || is_active.get().to_string()
                    // Before the field loses the focus.
                    on:mousedown=move |event| {
                        event.prevent_default();
                        accept(at);
                    }
                >
                    <span class="mono">{shown(&text)}</span>
                    <span class="muted">{shown(&detail)}</span>
                </li>
            }
        };
        let more = completion.with(|completion| completion.more);
        // No option, though a list has no other items.
        let more = (more > 0).then(|| {
            let words = "and ".to_owned() + &grouped(more as u64) + " more: type more of it";
            view! { <li class="more" role="option" aria-disabled="true" aria-selected="false">{words}</li> }
        });
        let shown = suggestions.into_iter().enumerate().map(option);
        view! { {shown.collect_view()} {more} }
    };
    let list_label = label.clone() + ": suggestions";
    view! {
        <div class="completing">
            <input
                id=id.get_value()
                node_ref=input
                type=kind
                class="mono"
                placeholder=placeholder
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                role="combobox"
                aria-label=label
                aria-autocomplete="list"
                aria-expanded=move || is_open.get().to_string()
                aria-controls=list_id.clone()
                aria-activedescendant=move || active.get().map(option_id)
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby=described_by
                prop:value=value
                on:focus=move |_| ask_here()
                on:blur=move |_| close()
                on:input=move |event| {
                    set(event_target_value(&event));
                    open();
                }
                on:keydown=on_key
            />
            <ul
                id=list_id
                class="suggestions"
                role="listbox"
                aria-label=list_label
                hidden=move || !is_open.get()
            >
                {suggestions}
            </ul>
        </div>
    }
}

fn shown(text: &str) -> String {
    let (start, more) = clip(text, SHOWN);
    let mut shown = visible(start).into_owned();
    if more > 0 {
        shown.push('…');
    }
    shown
}

/// The byte of a place that the browser counts in UTF-16.
fn byte_of(text: &str, units: usize) -> usize {
    let mut left = units;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(c.len_utf16());
    }
    text.len()
}
