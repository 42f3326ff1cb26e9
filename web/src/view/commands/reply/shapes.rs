//! As what a return value is shown: a tree, the lines of a text, or as it came.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use qmp_shared::command::Step;

use super::raw::RawReply;
use super::text_lines::TextLines;
use super::tree_tools::TreeTools;
use crate::state::lines::Lines;
use crate::state::outline::Outline;
use crate::state::text::visible;
use crate::state::tree::{NodeId, Tree};
use crate::view::json_tree::{TreeLines, TreeView};
use crate::view::parts::focus;
use crate::view::row_actions::{Offer, RowAction};

/// As what it is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Tree,
    Text,
    Raw,
}

/// How the return values of a pane are shown. A handle: copies are the same.
#[derive(Clone, Copy)]
pub(super) struct Shapes {
    /// What the user chose.
    chosen: RwSignal<Option<Shape>>,
    /// The string in the tree that is shown as text.
    opened: RwSignal<Option<Vec<Step>>>,
    /// What is searched for in a text.
    wanted: RwSignal<String>,
    /// The frame of a text.
    frame: NodeRef<html::Div>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        Self {
            chosen: RwSignal::new(None),
            opened: RwSignal::new(None),
            wanted: RwSignal::new(String::new()),
            frame: NodeRef::new(),
        }
    }

    /// What the tree's lines offer.
    pub(super) fn action(self) -> RowAction {
        RowAction {
            label: "Show as text",
            glyph: "¶",
            key: "t",
            offered: Arc::new(|tree, id| match tree.is_text(id) {
                true => Offer::Button,
                false => Offer::Nothing,
            }),
            run: Arc::new(move |tree, id| self.open(tree, id)),
        }
    }

    /// The next replies are of another command.
    pub(super) fn begin(self) {
        self.opened.set(None);
    }

    /// Shows a string as text, if it is one of several lines.
    fn open(self, tree: &Tree, id: NodeId) {
        if tree.is_text(id) {
            self.opened.set(Some(tree.steps(id)));
            request_animation_frame(move || {
                let frame = self.frame.get_untracked();
                focus(frame.as_ref().map(AsRef::as_ref));
            });
        }
    }
}

/// Chooses the shape.
#[component]
pub(super) fn ShapeSwitch(shapes: Shapes, tree: TreeView) -> impl IntoView {
    let (shape, is_text) = shape_of(shapes, tree);
    let button = move |wanted: Shape, label: &'static str| {
        let choose = move |_| {
            shapes.chosen.set(Some(wanted));
            shapes.opened.set(None);
        };
        view! {
            <button
                type="button"
                aria-pressed=move || (shape.get() == wanted).to_string()
                on:click=choose
            >
                {label}
            </button>
        }
    };
    view! {
        <div class="segments" role="group" aria-label="Reply as">
            {move || is_text.get().then(|| button(Shape::Text, "Text"))}
            {button(Shape::Tree, "Tree")}
            {button(Shape::Raw, "Raw")}
        </div>
    }
}

/// The shape that is shown, and whether the whole value is a text of lines: then
/// it is shown as that unless somebody chose otherwise.
fn shape_of(shapes: Shapes, tree: TreeView) -> (Memo<Shape>, Memo<bool>) {
    let is_text = Memo::new(move |_| tree.value(|outline| outline.tree().is_text(0)));
    let shape = Memo::new(move |_| match (shapes.chosen.get(), is_text.get()) {
        (None | Some(Shape::Text), true) => Shape::Text,
        (None | Some(Shape::Text), false) => Shape::Tree,
        (Some(shape), _) => shape,
    });
    (shape, is_text)
}

/// The value in its shape.
#[component]
pub(super) fn Shaped(
    shapes: Shapes,
    tree: TreeView,
    /// The name of the file that the value is downloaded as.
    file: Signal<String>,
    /// Called when the number in the current line shall be plotted.
    plot: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let (shape, _) = shape_of(shapes, tree);
    let text = Signal::derive(move || tree.value(|outline| Arc::clone(outline.tree().text())));
    let whole = Memo::new(move |_| lines_of(tree, Some(&[])));
    let whole_before = Memo::new(move |_| lines_before(tree, Some(&[])));
    // A newer reply may have it elsewhere, or not any more.
    let opened = Memo::new(move |_| shapes.opened.with(|steps| lines_of(tree, steps.as_deref())));
    let opened_before = Memo::new(move |_| {
        shapes
            .opened
            .with(|steps| lines_before(tree, steps.as_deref()))
    });
    let is_opened = Memo::new(move |_| opened.with(Option::is_some));
    let as_text = move || {
        let (value, id) = (tree.tree(), tree.seen_once(Outline::node));
        shapes.open(&value, id);
    };
    let back = move |_| {
        shapes.opened.set(None);
        request_animation_frame(move || tree.focus());
    };
    let path = move || {
        let steps = shapes.opened.get().unwrap_or_default();
        if steps.is_empty() {
            return "the whole reply".to_owned();
        }
        let found = tree.value(|outline| {
            let tree = outline.tree();
            tree.find(&steps).map(|id| tree.path(id))
        });
        visible(&found.unwrap_or_default()).into_owned()
    };
    let of_lines = move |lines: Memo<Option<Arc<Lines>>>, before: Memo<Option<Arc<Lines>>>| {
        let lines = Signal::derive(move || {
            let lines = lines.get();
            lines.unwrap_or_else(|| Arc::new(Lines::new("".into())))
        });
        view! { <TextLines lines before wanted=shapes.wanted root=shapes.frame/> }
    };
    move || match (shape.get(), is_opened.get()) {
        (Shape::Raw, _) => view! { <RawReply text name=file/> }.into_any(),
        (Shape::Text, _) => of_lines(whole, whole_before).into_any(),
        (Shape::Tree, true) => view! {
            <div class="text-head">
                <button type="button" class="small" on:click=back>"‹ Back to the tree"</button>
                <span class="mono">{path}</span>
            </div>
            {of_lines(opened, opened_before)}
        }
        .into_any(),
        (Shape::Tree, false) => view! {
            <TreeTools tree=tree plot as_text/>
            <TreeLines tree=tree label="Return value"/>
        }
        .into_any(),
    }
}

/// The lines of the string that these steps lead to.
fn lines_of(tree: TreeView, steps: Option<&[Step]>) -> Option<Arc<Lines>> {
    tree.value(|outline| {
        let tree = outline.tree();
        tree.lines(tree.find(steps?)?).map(Arc::new)
    })
}

/// Those of the same string in the reply before, when that is compared with.
fn lines_before(tree: TreeView, steps: Option<&[Step]>) -> Option<Arc<Lines>> {
    tree.value(|outline| {
        let tree = outline.diff()?.old();
        tree.lines(tree.find(steps?)?).map(Arc::new)
    })
}
