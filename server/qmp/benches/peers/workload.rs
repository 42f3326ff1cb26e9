//! What is measured.

use crate::EVENTS;

/// Something that every contender does over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// `query-status`, each after the reply to the one before.
    SequentialQemu,
    SequentialInstant,
    /// `query-status` by [`CALLERS`] who call at the same time.
    PipelinedQemu,
    PipelinedInstant,
    /// `query-qmp-schema`, whose reply is the longest there is.
    SchemaQemu,
    /// Events of two names in turn, of which a listener wants
    /// [one](crate::instant::WANTED).
    EventsInstant,
}

/// How many call at the same time.
pub(crate) const CALLERS: usize = 64;

impl Workload {
    pub(crate) const ALL: [Self; 6] = [
        Self::SequentialQemu,
        Self::SequentialInstant,
        Self::PipelinedQemu,
        Self::PipelinedInstant,
        Self::SchemaQemu,
        Self::EventsInstant,
    ];

    /// For the table, and for the peer that is told by name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SequentialQemu => "sequential-qemu",
            Self::SequentialInstant => "sequential-instant",
            Self::PipelinedQemu => "pipelined-qemu",
            Self::PipelinedInstant => "pipelined-instant",
            Self::SchemaQemu => "schema-qemu",
            Self::EventsInstant => "events-instant",
        }
    }

    /// How often it is done in a round: for some tenths of a second.
    pub(crate) fn times(self) -> usize {
        match self {
            Self::SequentialQemu => 2_000,
            Self::SequentialInstant => 20_000,
            Self::PipelinedQemu => 50 * CALLERS,
            Self::PipelinedInstant => 1_000 * CALLERS,
            Self::SchemaQemu => 30,
            Self::EventsInstant => EVENTS,
        }
    }

    /// Whether its endpoint is the instant one.
    pub(crate) fn is_instant(self) -> bool {
        match self {
            Self::SequentialInstant | Self::PipelinedInstant | Self::EventsInstant => true,
            Self::SequentialQemu | Self::PipelinedQemu | Self::SchemaQemu => false,
        }
    }
}
