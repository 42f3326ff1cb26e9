//! Medians and their table.

use std::fmt;
use std::fs;

use serde_json::{Value, json};

use crate::Result;
use crate::workload::Workload;

/// The contenders, in the order of their rates.
pub(crate) const NAMES: [&str; 5] = ["floor", "tokio", "ours", "qemu.qmp", "qapi"];
const OURS: usize = 2;

/// Rates of one round, by contender.
type Rates = [Option<f64>; NAMES.len()];

/// All that was measured.
pub(crate) struct Report {
    rounds: usize,
    /// The load of the last minute, before the first round.
    load: String,
    pub(crate) workloads: Vec<Measured>,
    pub(crate) memory: Option<Memory>,
}

/// The rounds of a workload.
pub(crate) struct Measured {
    workload: Workload,
    rounds: Vec<Rates>,
}

/// Resident memory of this process, which has all contenders but Python in it.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    before: u64,
    /// After the first round, and after the last.
    after: [Option<u64>; 2],
    times: usize,
}

impl Report {
    pub(crate) fn new(rounds: usize) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            rounds,
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            workloads: Vec::new(),
            memory: None,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let workloads: Vec<Value> = self.workloads.iter().map(Measured::to_json).collect();
        let memory = self.memory.map(|memory| {
            json!({
                "before_kib": memory.before,
                "after_first_round_kib": memory.after[0],
                "after_last_round_kib": memory.after[1],
                "events": memory.times,
            })
        });
        let report = json!({
            "rounds": self.rounds,
            "load_before": self.load,
            "workloads": workloads,
            "resident_memory": memory,
        });
        format!("{report:#}\n")
    }
}

impl Measured {
    pub(crate) fn new(workload: Workload) -> Self {
        let rounds = Vec::new();
        Self { workload, rounds }
    }

    pub(crate) fn add(&mut self, rates: Rates) {
        self.rounds.push(rates);
    }

    /// How often a second.
    fn rate(&self, contender: usize) -> Option<f64> {
        median(self.rounds.iter().map(|rates| rates[contender]))
    }

    /// Our rate in that of somebody else, in the same round.
    fn ratio(&self, contender: usize) -> Option<f64> {
        let ratio = |rates: &Rates| Some(rates[OURS]? / rates[contender]?);
        median(self.rounds.iter().map(ratio))
    }

    fn to_json(&self) -> Value {
        let of = |value: &dyn Fn(usize) -> Option<f64>| -> Value {
            let members = NAMES.iter().enumerate();
            members
                .map(|(index, name)| ((*name).to_owned(), value(index).into()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        json!({
            "workload": self.workload.name(),
            "per_second": of(&|contender| self.rate(contender)),
            "per_second_in_each_round": self.rounds,
            "ours_over": of(&|contender| self.ratio(contender).filter(|_| contender != OURS)),
        })
    }
}

impl Memory {
    pub(crate) fn now() -> Result<Self> {
        Ok(Self {
            before: resident()?,
            after: [None; 2],
            times: 0,
        })
    }

    /// A round with so many events is over.
    pub(crate) fn look(&mut self, times: usize) -> Result<()> {
        let now = resident()?;
        self.after = [self.after[0].or(Some(now)), Some(now)];
        self.times += times;
        Ok(())
    }
}

/// Resident memory of this process in KiB (proc(5), `VmRSS`).
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.ok_or("no VmRSS")?.parse()?)
}

/// `None` unless there is a value in each round.
fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values = values.collect::<Option<Vec<f64>>>()?;
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = [
            "workload",
            "floor",
            "tokio",
            "ours",
            "ours/floor",
            "qemu.qmp",
            "qapi",
        ];
        row(f, cells.map(str::to_owned))?;
        for measured in &self.workloads {
            let rate = |contender| measured.rate(contender).map_or("-".to_owned(), grouped);
            let ratio = measured.ratio(0).map(|ratio| format!("{ratio:.2}"));
            row(
                f,
                [
                    measured.workload.name().to_owned(),
                    rate(0),
                    rate(1),
                    rate(OURS),
                    ratio.unwrap_or_default(),
                    rate(3),
                    rate(4),
                ],
            )?;
        }
        let Self { rounds, load, .. } = self;
        writeln!(
            f,
            "Per second, medians of {rounds} interleaved rounds; the load before was {load}."
        )?;
        if let Some(memory) = &self.memory {
            let [first, last] = memory.after.map(|kib| kib.unwrap_or(memory.before));
            writeln!(
                f,
                "Resident memory: {} KiB before the events, {first} KiB after the first round, \
                 {last} KiB after {} events.",
                memory.before,
                grouped(memory.times as f64)
            )?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, cells: [String; 7]) -> fmt::Result {
    let [workload, rest @ ..] = cells;
    write!(f, "{workload:18}")?;
    for cell in rest {
        write!(f, " {cell:>12}")?;
    }
    writeln!(f)
}

/// A whole number, with commas.
fn grouped(number: f64) -> String {
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
