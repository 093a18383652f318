//! Inspection of a data set before training: contents and problems.

mod facts;
mod histograms;
mod inspect;
mod pairs;
mod part;
mod suspect_labels;
#[cfg(test)]
mod tests;

pub use facts::{ChannelFacts, PartFacts};
pub use histograms::Histogram;
pub use inspect::Inspection;
pub use pairs::Pair;
pub(crate) use pairs::sums;
pub use part::{ExampleLocation, InspectedPart};
pub use suspect_labels::{SuspectLabel, SuspectLabels};
