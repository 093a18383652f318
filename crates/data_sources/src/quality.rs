//! Near-duplicates, splits that keep them together, symmetry, and the inspection of a data set.

mod content;
mod groups;
pub mod inspection;
mod leaks;
mod mirror_symmetry;
pub mod near_duplicates;
mod phantom_classes;
mod splitting;

pub(crate) use content::{checksums, map_images};
pub use groups::GroupStatistics;
pub(crate) use leaks::leak_warnings;
pub use mirror_symmetry::{MirrorSymmetry, MirrorVerdict};
pub(crate) use phantom_classes::class_counts;
pub use splitting::{Division, MissingClass, Splitting};
