//! x
use leptos::prelude::*;
#[component]
pub(super) fn CommandsPage() -> impl IntoView {}
