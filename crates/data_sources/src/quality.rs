//! Near-duplicates and the inspection of a data set.

pub mod inspection;
pub mod near_duplicates;
