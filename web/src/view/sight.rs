//! What of an element that scrolls is in sight.

use leptos::html;
use leptos::prelude::*;

use crate::state::window::Window;
use crate::store::browser;

/// How far an element is scrolled and how much of it is seen, kept for what is
/// drawn. A handle: copies are the same.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    scroller: NodeRef<html::Div>,
    /// Where it is scrolled to, and how high its frame is, in pixels.
    seen: RwSignal<(f64, f64)>,
}

impl Sight {
    /// Of this element; until it is there, `height` pixels are taken to be seen.
    pub(super) fn of(scroller: NodeRef<html::Div>, height: f64) -> Self {
        Self {
            scroller,
            seen: RwSignal::new((0.0, height)),
        }
    }

    /// Measures it whenever its size changes. Not when it is scrolled: that is
    /// an event of the element.
    pub(super) fn follow_size(self) {
        Effect::new(move || {
            if let Some(scroller) = self.scroller.get() {
                browser::on_resize([&scroller], move || {
                    self.measure();
                });
            }
        });
    }

    /// Measures it; answers whether it was scrolled, or has another height.
    pub(super) fn measure(self) -> bool {
        let Some(now) = self.now() else { return false };
        let is_other = self.seen.get_untracked() != now;
        if is_other {
            self.seen.set(now);
        }
        is_other
    }

    /// Pixels above what is seen.
    pub(super) fn top(self) -> f64 {
        self.seen.get().0
    }

    /// Pixels that are seen.
    pub(super) fn height(self) -> f64 {
        self.seen.get().1
    }

    /// Which of `count` rows of this height are to be drawn.
    pub(super) fn window(self, row: f64, count: usize) -> Window {
        let (top, height) = self.seen.get();
        Window::at(top, height, row, count)
    }

    /// Scrolls so that the pixels from `top` on are seen: not at all when they
    /// are, else as little as needed.
    pub(super) fn reveal(self, top: f64, height: f64) {
        if let Some((now, frame)) = self.now() {
            if top < now {
                self.scroll_to(top.floor());
            } else if top + height > now + frame {
                self.scroll_to((top + height - frame).ceil());
            }
        }
    }

    /// Scrolls so that the pixels from `top` on are in the middle, unless they
    /// are seen.
    pub(super) fn center(self, top: f64, height: f64) {
        if let Some((now, frame)) = self.now()
            && (top < now || top + height > now + frame)
        {
            self.scroll_to((top - frame / 2.0).max(0.0));
        }
    }

    /// Scrolls this many pixels down.
    pub(super) fn scroll_to(self, top: f64) {
        if let Some(scroller) = self.scroller.try_get_untracked().flatten() {
            scroller.set_scroll_top(top as i32);
        }
    }

    /// As it is in the document.
    fn now(self) -> Option<(f64, f64)> {
        let scroller = self.scroller.try_get_untracked().flatten()?;
        let (top, height) = (scroller.scroll_top(), scroller.client_height());
        Some((top.into(), height.into()))
    }
}

/// A length as a style has it.
pub(super) fn pixels(length: f64) -> String {
    length.to_string() + "px"
}
