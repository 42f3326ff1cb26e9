//! Medians and their table.

use std::fmt;
use std::fs;

use serde_json::{Value, json};

/// All that was measured.
pub(crate) struct Report {
    /// The load of the last minute, before the first round.
    load: String,
    measured: Vec<Measured>,
}

/// One figure of a workload, in each round.
pub(crate) struct Measured {
    workload: &'static str,
    unit: &'static str,
    /// What the floor is; empty without one.
    floor: &'static str,
    /// What the figure, or its ratio to the floor, should be; empty where the
    /// figure explains another one.
    goal: &'static str,
    rounds: Vec<Round>,
}

/// Ours, and that of the floor.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    pub(crate) ours: f64,
    pub(crate) floor: Option<f64>,
}

impl Measured {
    pub(crate) fn new(workload: &'static str, unit: &'static str) -> Self {
        Self {
            workload,
            unit,
            floor: "",
            goal: "",
            rounds: Vec::new(),
        }
    }

    pub(crate) fn beside(self, floor: &'static str) -> Self {
        Self { floor, ..self }
    }

    pub(crate) fn goal(self, goal: &'static str) -> Self {
        Self { goal, ..self }
    }

    pub(crate) fn add(&mut self, ours: f64, floor: Option<f64>) {
        self.rounds.push(Round { ours, floor });
    }

    fn ours(&self) -> Option<f64> {
        median(self.rounds.iter().map(|round| Some(round.ours)))
    }

    fn floor(&self) -> Option<f64> {
        median(self.rounds.iter().map(|round| round.floor))
    }

    /// Ours in that of the floor, in the same round.
    fn ratio(&self) -> Option<f64> {
        let ratio = |round: &Round| Some(round.ours / round.floor?);
        median(self.rounds.iter().map(ratio))
    }

    fn to_json(&self) -> Value {
        let rounds: Vec<_> = self.rounds.iter().map(|it| (it.ours, it.floor)).collect();
        json!({
            "workload": self.workload,
            "unit": self.unit,
            "beside": self.floor,
            "goal": self.goal,
            "ours": self.ours(),
            "floor": self.floor(),
            "ours_over_floor": self.ratio(),
            "ours_and_floor_in_each_round": rounds,
        })
    }
}

impl Report {
    pub(crate) fn new() -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            measured: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, measured: impl IntoIterator<Item = Measured>) {
        self.measured.extend(measured);
    }

    pub(crate) fn to_json(&self) -> String {
        let measured: Vec<_> = self.measured.iter().map(Measured::to_json).collect();
        let report = json!({"load_before": self.load, "measured": measured});
        format!("{report:#}\n")
    }
}

/// `None` unless there is a value in each round.
pub(crate) fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values = values.collect::<Option<Vec<f64>>>()?;
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = ["workload", "unit", "ours", "floor", "ratio", "rounds"];
        row(f, titles.map(str::to_owned), "floor is", "goal")?;
        for measured in &self.measured {
            let number = |number: Option<f64>| number.map_or("-".to_owned(), grouped);
            let ratio = measured.ratio().map(|ratio| format!("{ratio:.2}"));
            let cells = [
                measured.workload.to_owned(),
                measured.unit.to_owned(),
                number(measured.ours()),
                number(measured.floor()),
                ratio.unwrap_or_else(|| "-".to_owned()),
                measured.rounds.len().to_string(),
            ];
            row(f, cells, measured.floor, measured.goal)?;
        }
        let load = &self.load;
        writeln!(
            f,
            "Medians of interleaved rounds; the load before was {load}."
        )
    }
}

fn row(f: &mut fmt::Formatter<'_>, cells: [String; 6], floor: &str, goal: &str) -> fmt::Result {
    let [workload, unit, ours, under, ratio, rounds] = cells;
    let line = format!(
        "{workload:17} {unit:18} {ours:>10} {under:>10} {ratio:>6} {rounds:>6}  {floor:18} {goal}"
    );
    writeln!(f, "{}", line.trim_end())
}

/// Three digits at least, and commas.
fn grouped(number: f64) -> String {
    if number.abs() < 100.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
