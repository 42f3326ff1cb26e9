//! Numbers of the replies, drawn over time.

use leptos::prelude::*;

use crate::state::plot::Series;
use crate::state::text::{counted, visible};
use crate::state::time::elapsed;

/// The frame of a curve, in units of its own.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 64.0;

/// One curve for each number that was chosen.
#[component]
pub(super) fn Plots(series: RwSignal<Vec<Series>>) -> impl IntoView {
    let paths = move || {
        let path = |series: &Series| series.path.clone();
        series.with(|series| series.iter().map(path).collect::<Vec<_>>())
    };
    view! {
        <div class="plots">
            <For each=paths key=String::clone children=move |path| plot(series, path)/>
        </div>
    }
}

fn plot(series: RwSignal<Vec<Series>>, path: String) -> impl IntoView {
    let name = visible(&path).into_owned();
    let label = "Plot of ".to_owned() + &name;
    let remove = "Remove the plot of ".to_owned() + &name;
    let path = StoredValue::new(path);
    let find = move |all: &[Series]| {
        path.with_value(|path| all.iter().position(|series| series.path == *path))
    };
    let summary = Memo::new(move |_| series.with(|all| find(all).and_then(|at| all[at].summary())));
    let numbers = move || {
        summary.with(|summary| {
            summary.as_ref().map_or_else(
                || ["none"; 3].map(str::to_owned),
                |it| [it.last.clone(), it.min.clone(), it.max.clone()],
            )
        })
    };
    let extent = move || {
        summary.with(|summary| {
            let summary = summary.as_ref();
            let words = |count, time: f64| counted(count, "value") + " in " + &elapsed(time);
            summary.map_or_else(String::new, |it| {
                words(it.count as u64, it.milliseconds as f64)
            })
        })
    };
    let curve = move || {
        series.with(|all| {
            let curves = find(all).map(|at| all[at].curves(WIDTH, HEIGHT));
            let pieces = curves.unwrap_or_default().into_iter();
            pieces
                .map(|piece| "M".to_owned() + &piece)
                .collect::<String>()
        })
    };
    let spoken = {
        let label = label.clone();
        move || {
            let [last, min, max] = numbers();
            label.clone()
                + ": "
                + &extent()
                + ", last "
                + &last
                + ", smallest "
                + &min
                + ", largest "
                + &max
        }
    };
    view! {
        <figure class="plot" aria-label=label>
            <figcaption>
                <span class="mono plot-path">{name}</span>
                <span class="muted small-text">{extent}</span>
                <button
                    type="button"
                    class="quiet small icon"
                    aria-label=remove.clone()
                    title=remove
                    on:click=move |_| {
                        series.update(|all| {
                            if let Some(at) = find(all) {
                                all.remove(at);
                            }
                        });
                    }
                >
                    "✕"
                </button>
            </figcaption>
            <div class="plot-frame">
                <svg
                    role="img"
                    aria-label=spoken
                    viewBox="-2 -2 604 68"
                    preserveAspectRatio="none"
                >
                    <path d=curve fill="none" vector-effect="non-scaling-stroke"></path>
                </svg>
                <dl class="plot-numbers mono">
                    <div><dt>"max"</dt><dd>{move || numbers()[2].clone()}</dd></div>
                    <div><dt>"last"</dt><dd class="plot-last">{move || numbers()[0].clone()}</dd></div>
                    <div><dt>"min"</dt><dd>{move || numbers()[1].clone()}</dd></div>
                </dl>
            </div>
        </figure>
    }
}
