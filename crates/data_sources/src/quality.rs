//! Near-duplicates, splits that keep them together, symmetry, and the inspection of a data set.

mod content;
mod groups;
pub mod inspection;
mod leaks;
mod mirror_symmetry;
pub mod near_duplicates;
mod phantom_classes;
mod splitting;

pub(crate) use content::checksums;
pub use groups::GroupStatistics;
pub use leaks::Leak;
pub use mirror_symmetry::{MirrorSymmetry, MirrorVerdict};
pub use phantom_classes::class_warnings;
pub use splitting::{Division, MissingClass, Splitting};
