//! Numbers of a reply over time, as a curve.

use std::collections::VecDeque;

use qmp_shared::command::Step;

use super::tree::{Kind, Tree};

/// Most points of a series; the oldest go.
const POINTS: usize = 600;

/// Most series at a time.
pub(crate) const MOST: usize = 6;

/// One number of a reply, as it was in each.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    steps: Vec<Step>,
    /// Where the number is, for people.
    pub(crate) path: String,
    points: VecDeque<Point>,
}

#[derive(Clone, Debug)]
struct Point {
    /// In milliseconds of the page's clock.
    at: f64,
    /// The number as written, and about how large it is; `None` where the reply
    /// had no number there.
    value: Option<(String, f64)>,
}

/// What a series comes to; numbers as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The smallest.
    pub(crate) min: String,
    /// The largest.
    pub(crate) max: String,
    /// The newest.
    pub(crate) last: String,
    /// How many there are.
    pub(crate) count: usize,
    /// From the first to the last, in milliseconds.
    pub(crate) milliseconds: u64,
}

impl Series {
    /// Of the number that these steps lead to; empty so far.
    pub(crate) fn new(steps: Vec<Step>, path: String) -> Self {
        Self {
            steps,
            path,
            points: VecDeque::new(),
        }
    }

    /// Takes the number out of a reply that came at that time. A reply older
    /// than the newest is not taken.
    pub(crate) fn push(&mut self, at: f64, reply: &Tree) {
        if self.points.back().is_some_and(|last| last.at >= at) {
            return;
        }
        let found = reply.find(&self.steps);
        let number = found.filter(|&id| reply.kind(id) == Kind::Number);
        let value = number.and_then(|id| {
            let text = reply.value(id);
            let size = text.parse().ok().filter(|size: &f64| size.is_finite())?;
            Some((text.to_owned(), size))
        });
        if self.points.len() >= POINTS {
            self.points.pop_front();
        }
        self.points.push_back(Point { at, value });
    }

    /// What it comes to; `None` without a number.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let values = || self.points.iter().filter_map(|point| point.value.as_ref());
        let smaller = |a: &&(String, f64), b: &&(String, f64)| a.1.total_cmp(&b.1);
        let (first, last) = (self.points.front()?, self.points.back()?);
        Some(Summary {
            min: values().min_by(smaller)?.0.clone(),
            max: values().max_by(smaller)?.0.clone(),
            last: values().next_back()?.0.clone(),
            count: values().count(),
            milliseconds: (last.at - first.at).max(0.0) as u64,
        })
    }

    /// The curve within a frame of that size, in pieces between which there was
    /// no number: each the `points` of an SVG polyline.
    pub(crate) fn curves(&self, width: f64, height: f64) -> Vec<String> {
        let sizes = || {
            self.points
                .iter()
                .filter_map(|point| Some(point.value.as_ref()?.1))
        };
        let min = sizes().fold(f64::INFINITY, f64::min);
        let max = sizes().fold(f64::NEG_INFINITY, f64::max);
        let (Some(first), Some(last)) = (self.points.front(), self.points.back()) else {
            return Vec::new();
        };
        let place = |value: f64, from: f64, to: f64, room: f64| {
            // Halves, since the distance may be too large for a number.
            let part = (value / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0);
            if to > from { part * room } else { room / 2.0 }
        };
        let mut curves = Vec::new();
        let mut curve = String::new();
        for point in &self.points {
            let Some((_, size)) = point.value else {
                curves.push(std::mem::take(&mut curve));
                continue;
            };
            let x = place(point.at, first.at, last.at, width);
            let y = height - place(size, min, max, height);
            if curve.is_empty() {
                // A single point has no length; a stub makes it visible.
                curve.push_str(&(tenths(x - 0.5) + "," + &tenths(y) + " "));
            }
            curve.push_str(&(tenths(x) + "," + &tenths(y) + " "));
        }
        curves.push(curve);
        curves.retain(|curve| !curve.is_empty());
        curves
    }
}

fn tenths(number: f64) -> String {
    ((number * 10.0).round() / 10.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[&str]) -> Series {
        let mut series = Series::new(vec![Step::Member("n".into())], ".n".into());
        for (index, value) in values.iter().enumerate() {
            let text = r#"{"n":"#.to_owned() + value + "}";
            series.push(index as f64 * 1000.0, &Tree::new(text.into()));
        }
        series
    }

    #[test]
    fn numbers_are_told_as_written() {
        let summary = series(&["18446744073709551615", "9007199254740993", "1.50"]).summary();
        assert_eq!(
            summary.unwrap(),
            Summary {
                min: "1.50".into(),
                max: "18446744073709551615".into(),
                last: "1.50".into(),
                count: 3,
                milliseconds: 2000,
            }
        );
        assert_eq!(series(&[]).summary(), None);
        assert_eq!(series(&["\"x\"", "null", "1e999"]).summary(), None);
    }

    #[test]
    fn curves_fill_their_frame() {
        assert_eq!(
            series(&["0", "5", "10"]).curves(100.0, 20.0),
            ["-0.5,20 0,20 50,10 100,0 "]
        );
        assert_eq!(series(&["7"]).curves(100.0, 20.0), ["49.5,10 50,10 "]);
        assert_eq!(
            series(&["7", "7"]).curves(100.0, 20.0),
            ["-0.5,10 0,10 100,10 "]
        );
        assert!(series(&[]).curves(100.0, 20.0).is_empty());
    }

    #[test]
    fn what_was_no_number_is_a_gap() {
        let curves = series(&["1", "null", "2", "3"]).curves(90.0, 10.0);
        assert_eq!(curves, ["-0.5,10 0,10 ", "59.5,5 60,5 90,0 "]);
    }

    #[test]
    fn huge_numbers_have_a_place() {
        let curves = series(&["-1.7e308", "1.7e308"]).curves(10.0, 10.0);
        assert_eq!(curves, ["-0.5,10 0,10 10,0 "]);
    }

    #[test]
    fn bounded_and_in_order() {
        let mut series = series(&["1"; POINTS + 10]);
        assert_eq!(series.summary().unwrap().count, POINTS);
        series.push(5.0, &Tree::new("{}".into()));
        assert_eq!(series.summary().unwrap().count, POINTS);
    }
}
