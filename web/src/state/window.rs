//! Which rows of a long list are drawn.

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

#[cfg(test)]
mod tests {
    use super::*;

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
