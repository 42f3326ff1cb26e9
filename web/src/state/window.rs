//! Which rows of a long list are drawn.

use std::collections::HashMap;
use std::hash::Hash;

/// The rows that are in sight of a list whose rows are equally high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Position of the first.
    pub(crate) first: usize,
    /// Position after the last.
    pub(crate) end: usize,
}

impl Window {
    /// The rows to draw for a list scrolled to `top` within a frame of `height`
    /// pixels: those in sight and a few around them.
    pub(crate) fn at(top: f64, height: f64, row: f64, count: usize) -> Self {
        const AROUND: usize = 8;
        let first = ((top / row).max(0.0) as usize)
            .saturating_sub(AROUND)
            .min(count);
        let in_sight = (height / row).max(0.0).ceil() as usize + 2 * AROUND + 1;
        Self {
            first,
            end: (first + in_sight).min(count),
        }
    }
}

/// For each row to draw, where among those that are drawn it stands, when it can
/// stay there; those that stay keep their order. Rows of one list, which never
/// change their order, all stay.
pub(crate) fn staying<'a, K: Eq + Hash + 'a>(
    drawn: impl IntoIterator<Item = &'a K>,
    wanted: impl IntoIterator<Item = &'a K>,
) -> Vec<Option<usize>> {
    let drawn = drawn.into_iter().enumerate();
    let places: HashMap<&K, usize> = drawn.map(|(at, key)| (key, at)).collect();
    let mut next = 0;
    let stays = wanted.into_iter().map(|key| {
        let at = places.get(key).copied().filter(|at| *at >= next)?;
        next = at + 1;
        Some(at)
    });
    stays.collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_of_one_list_stay(
            list in btree_set(any::<u8>(), 0..20),
            from in 0..20_usize,
            to in 0..20_usize,
        ) {
            let list = list.into_iter().collect::<Vec<_>>();
            let (drawn, wanted) = (&list[..to.min(list.len())], &list[from.min(list.len())..]);
            for (key, at) in wanted.iter().zip(staying(drawn, wanted)) {
                prop_assert_eq!(at, drawn.iter().position(|drawn| drawn == key));
            }
        }

        #[test]
        fn what_stays_keeps_its_order(
            drawn in Just((0..10_u8).collect::<Vec<_>>()).prop_shuffle(),
            wanted in Just((5..15_u8).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let stays = staying(&drawn, &wanted);
            prop_assert_eq!(stays.len(), wanted.len());
            let places = stays.iter().flatten().collect::<Vec<_>>();
            prop_assert!(places.is_sorted_by(|one, other| one < other));
            prop_assert!(!places.is_empty());
            for (key, at) in wanted.iter().zip(&stays) {
                prop_assert!(at.is_none_or(|at| drawn[at] == *key));
            }
        }
    }

    #[test]
    fn windows() {
        assert_eq!(Window::at(0.0, 100.0, 20.0, 3), Window { first: 0, end: 3 });
        let window = Window::at(2000.0, 100.0, 20.0, 1000);
        assert!(window.first < 100 && window.end > 105 && window.end < 130);
        assert_eq!(
            Window::at(1e9, 100.0, 20.0, 10),
            Window { first: 10, end: 10 }
        );
        assert_eq!(Window::at(-50.0, 0.0, 20.0, 0), Window { first: 0, end: 0 });
    }
}
