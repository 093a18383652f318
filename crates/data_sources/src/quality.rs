//! Near-duplicates, splits that keep them together, and the inspection of a data set.

mod content;
mod groups;
pub mod inspection;
mod leaks;
pub mod near_duplicates;
mod phantom_classes;
mod splitting;

pub(crate) use content::checksums;
pub use groups::GroupStatistics;
pub use leaks::Leak;
pub use phantom_classes::class_warnings;
pub use splitting::{Division, MissingClass, Splitting};
