//! Lists whose items come and go all the time: lines that scroll into sight,
//! events as they happen.
//!
//! Leptos' `<For>` is right for all others. When several items come before one,
//! it takes that out of the document and puts it in again, so it loses the
//! focus and what is selected in it; and it keeps some memory for each item that
//! there ever was, for as long as the list is shown. So does every signal and
//! memo that an item reads, as nothing tells them that the item is gone: an item
//! here reads none but its own.

use std::hash::Hash;

use leptos::html;
use leptos::prelude::*;
use leptos::tachys::view::{Mountable, Render};

use crate::state::window::staying;

/// Shows in `parent` what `items` answers, and again whenever that changes. An
/// item of the same key is not drawn anew, nor touched while the order is the
/// same. With each comes its state: what may change while it is shown. `draw` is
/// given a signal of that, and what it draws reads no other. `parent` has no
/// other children. `focus_lost` is called when the item that had the focus is
/// there no more.
pub(super) fn draw_each<T, K, S>(
    parent: NodeRef<html::Div>,
    items: impl Fn() -> Vec<(T, S)> + 'static,
    key: impl Fn(&T) -> K + 'static,
    draw: impl Fn(T, ReadSignal<S>) -> AnyView + 'static,
    focus_lost: impl Fn() + 'static,
) where
    T: 'static,
    K: Eq + Hash + 'static,
    S: PartialEq + Send + Sync + 'static,
{
    let drawn = StoredValue::new_local(Drawn::<K, S>::new());
    // `parent` may become that of another list, when what is around it is drawn
    // anew.
    on_cleanup(move || {
        drawn.try_update_value(Drawn::clear);
    });
    Effect::new(move || {
        let items = items();
        let items = items.into_iter().map(|(item, state)| Wanted {
            key: key(&item),
            item,
            state,
        });
        let items = items.collect::<Vec<_>>();
        let Some(parent) = parent.get() else { return };
        let is_focus_lost = untrack(|| {
            let redraw = |drawn: &mut Drawn<K, S>| drawn.redraw(&parent, items, &draw);
            drawn.try_update_value(redraw).unwrap_or_default()
        });
        if is_focus_lost {
            focus_lost();
        }
    });
}

/// What is to be in the document.
struct Wanted<T, K, S> {
    key: K,
    item: T,
    state: S,
}

/// What is in the document.
struct Drawn<K, S> {
    items: Vec<Item<K, S>>,
    /// Of what is below the items.
    owner: Owner,
    /// Owners that had an item. A new one would leave something with the one above
    /// it until that goes.
    free: Vec<Owner>,
}

struct Item<K, S> {
    key: K,
    state: WriteSignal<S>,
    view: <AnyView as Render>::State,
    owner: Owner,
}

impl<K: Eq + Hash, S: PartialEq + Send + Sync + 'static> Drawn<K, S> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            owner: Owner::current().unwrap_or_default(),
            free: Vec::new(),
        }
    }

    /// Shows nothing.
    fn clear(&mut self) {
        for item in self.items.drain(..) {
            drop(item.remove());
        }
    }

    /// Shows these instead; answers whether one that is gone had the focus.
    fn redraw<T>(
        &mut self,
        parent: &web_sys::Element,
        wanted: Vec<Wanted<T, K, S>>,
        draw: &impl Fn(T, ReadSignal<S>) -> AnyView,
    ) -> bool {
        let keys = wanted.iter().map(|wanted| &wanted.key);
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
        for (wanted, kept) in wanted.into_iter().zip(kept).rev() {
            let item = match kept {
                Some(item) => {
                    item.state.maybe_update(|state| {
                        let is_other = *state != wanted.state;
                        *state = wanted.state;
                        is_other
                    });
                    item
                }
                None => {
                    let owner = self.free.pop().unwrap_or_else(|| self.owner.child());
                    let mut item = Item::new(wanted, owner, draw);
                    match self.items.last() {
                        Some(next) => {
                            next.view
                                .insert_before_this_or_marker(parent, &mut item.view, None);
                        }
                        None => item.view.mount(parent, None),
                    }
                    item
                }
            };
            self.items.push(item);
        }
        self.items.reverse();
        focus_lost
    }
}

impl<K, S: Send + Sync + 'static> Item<K, S> {
    fn new<T>(
        wanted: Wanted<T, K, S>,
        owner: Owner,
        draw: &impl Fn(T, ReadSignal<S>) -> AnyView,
    ) -> Self {
        let Wanted { key, item, state } = wanted;
        let (state, view) = owner.with(|| {
            let (read, write) = signal(state);
            (write, draw(item, read).build())
        });
        Self {
            key,
            state,
            view,
            owner,
        }
    }

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
