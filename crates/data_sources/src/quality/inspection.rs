//! Inspection of a data set before training: contents and problems.

mod duplicate_pairs;
mod findings;
mod histograms;
mod inspect;
mod inspected_split;
mod statistics;
mod suspect_labels;
#[cfg(test)]
mod tests;

pub use duplicate_pairs::DuplicatePair;
pub use findings::{Finding, Problem, write_csv};
pub use histograms::Histogram;
pub use inspect::Inspection;
pub use inspected_split::{ExampleLocation, InspectedSplit};
pub use statistics::{ChannelStatistics, SplitStatistics};
pub use suspect_labels::{SuspectLabel, SuspectLabels};
