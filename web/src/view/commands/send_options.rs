//! What is typed beside Send: how long it waits, and for which event.

use leptos::prelude::*;

use super::send::Sender;
use crate::state::send::{OptionFaults, Options};

/// How long it waits, and for what.
#[component]
pub(super) fn SendOptions(sender: Sender) -> impl IntoView {
    let options = sender.options;
    let faults = Memo::new(move |_| options.with(Options::read).err().unwrap_or_default());
    let expects = Memo::new(move |_| options.with(|options| options.expects));
    view! {
        <fieldset class="send-options">
            <legend class="visually-hidden">"Waiting"</legend>
            {option_field(
                "option-timeout", "Timeout in seconds", "30",
                move || options.with(|options| options.timeout.clone()),
                move |text| options.update(|options| options.timeout = text),
                move || faults.with(|faults| faults.timeout.clone()),
            )}
            <label class="expect">
                <input
                    type="checkbox"
                    prop:checked=move || expects.get()
                    on:change=move |event| {
                        let expects = event_target_checked(&event);
                        options.update(|options| options.expects = expects);
                    }
                />
                "Expect an event"
            </label>
            <Show when=move || expects.get()>
                <div class="expect-fields">
                    {option_field(
                        "option-names", "Event names", "JOB_*, SHUTDOWN",
                        move || options.with(|options| options.names.clone()),
                        move |text| options.update(|options| options.names = text),
                        move || faults.with(|faults| faults.names.clone()),
                    )}
                    {option_field(
                        "option-where", "Where", "@.data.id == 'job0'",
                        move || options.with(|options| options.expression.clone()),
                        move |text| options.update(|options| options.expression = text),
                        move || faults.with(|faults| faults.expression.clone()),
                    )}
                    {option_field(
                        "option-within", "Seconds after the reply", "30",
                        move || options.with(|options| options.within.clone()),
                        move |text| options.update(|options| options.within = text),
                        move || faults.with(|faults| faults.within.clone()),
                    )}
                </div>
            </Show>
        </fieldset>
    }
}

fn option_field(
    id: &'static str,
    label: &'static str,
    placeholder: &'static str,
    text: impl Fn() -> String + Send + Sync + 'static,
    set: impl Fn(String) + 'static,
    fault: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let fault_id = id.to_owned() + "-fault";
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                type="text"
                class="mono"
                placeholder=placeholder
                autocomplete="off"
                spellcheck="false"
                aria-describedby=fault_id.clone()
                aria-invalid=move || fault().is_some().to_string()
                prop:value=text
                on:input=move |event| set(event_target_value(&event))
            />
            <p class="fault" id=fault_id>{fault}</p>
        </div>
    }
}

/// The id of the field that is wrong.
pub(super) fn option_at_fault(faults: &OptionFaults) -> &'static str {
    match faults {
        OptionFaults {
            timeout: Some(_), ..
        } => "option-timeout",
        OptionFaults { names: Some(_), .. } => "option-names",
        OptionFaults {
            expression: Some(_),
            ..
        } => "option-where",
        _ => "option-within",
    }
}
