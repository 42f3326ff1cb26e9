//! Lists whose items come and go all the time: lines that scroll into sight,
//! events as they happen.
//!
//! Leptos' `<For>` is right for all others. When several items come before one,
//! it takes that out of the document and puts it in again, so it loses the
//! focus and what is selected in it; and it keeps some memory for each item that
//! there ever was, for as long as the list is shown.

use std::hash::Hash;

use leptos::html;
use leptos::prelude::*;
use leptos::tachys::view::{Mountable, Render};

use crate::state::window::staying;

/// Shows in `parent` what `items` answers, and again whenever that changes. An
/// item of the same key is not drawn anew, nor touched while the order is the
/// same. `parent` has no other children. `focus_lost` is called when the item
/// that had the focus is there no more.
pub(super) fn draw_each<T, K>(
    parent: NodeRef<html::Div>,
    items: impl Fn() -> Vec<T> + 'static,
    key: impl Fn(&T) -> K + 'static,
    draw: impl Fn(T) -> AnyView + 'static,
    focus_lost: impl Fn() + 'static,
) where
    T: 'static,
    K: Eq + Hash + 'static,
{
    let drawn = StoredValue::new_local(Drawn::<K>::new());
    Effect::new(move || {
        let items = items().into_iter().map(|item| (key(&item), item));
        let items = items.collect::<Vec<_>>();
        let Some(parent) = parent.get() else { return };
        let is_focus_lost = untrack(|| {
            let redraw = |drawn: &mut Drawn<K>| drawn.redraw(&parent, items, &draw);
            drawn.try_update_value(redraw).unwrap_or_default()
        });
        if is_focus_lost {
            focus_lost();
        }
    });
}

/// What is in the document.
struct Drawn<K> {
    items: Vec<Item<K>>,
    /// Of what is below the items.
    owner: Owner,
    /// Owners that had an item. A new one would leave something with the one above
    /// it until that goes.
    free: Vec<Owner>,
}

struct Item<K> {
    key: K,
    view: <AnyView as Render>::State,
    owner: Owner,
}

impl<K: Eq + Hash> Drawn<K> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            owner: Owner::current().unwrap_or_default(),
            free: Vec::new(),
        }
    }

    /// Shows these instead; answers whether one that is gone had the focus.
    fn redraw<T>(
        &mut self,
        parent: &web_sys::Element,
        wanted: Vec<(K, T)>,
        draw: &impl Fn(T) -> AnyView,
    ) -> bool {
        let keys = wanted.iter().map(|(key, _)| key);
        let stays = staying(self.items.iter().map(|item| &item.key), keys);
        let mut old = self.items.drain(..).map(Some).collect::<Vec<_>>();
        let kept = stays.into_iter().map(|at| old[at?].take());
        let kept = kept.collect::<Vec<_>>();
        let mut focus_lost = false;
        for item in old.into_iter().flatten() {
            focus_lost |= item.has_focus();
            self.free.push(item.remove());
        }
        // The last comes first, since each is put before the one after it.
        for ((key, item), kept) in wanted.into_iter().zip(kept).rev() {
            let item = kept.unwrap_or_else(|| {
                let owner = self.free.pop().unwrap_or_else(|| self.owner.child());
                let mut view = owner.with(|| draw(item).build());
                match self.items.last() {
                    Some(next) => {
                        next.view
                            .insert_before_this_or_marker(parent, &mut view, None);
                    }
                    None => view.mount(parent, None),
                }
                Item { key, view, owner }
            });
            self.items.push(item);
        }
        self.items.reverse();
        focus_lost
    }
}

impl<K> Item<K> {
    fn has_focus(&self) -> bool {
        let focused = document().active_element();
        focused.is_some_and(|focused| {
            let mut elements = self.view.elements().into_iter();
            elements.any(|element| element.contains(Some(&focused)))
        })
    }

    /// Takes it out of the document; answers its owner, which has nothing any
    /// more.
    fn remove(self) -> Owner {
        let Self {
            mut view, owner, ..
        } = self;
        view.unmount();
        drop(view);
        owner.cleanup();
        owner
    }
}
