//! One file a command.

mod data;
mod devices;
mod evaluate;
mod gradcheck;
mod inspect;
mod predict;
mod reproduce;
mod train;

pub use data::synthesize;
pub use devices::devices;
pub use evaluate::evaluate;
pub use gradcheck::gradcheck;
pub use inspect::inspect;
pub use predict::predict;
pub use reproduce::reproduce;
pub use train::train;

/// What is said of everything that comes from the stand-in.
const STAND_IN: &str = "STAND-IN DATA: drawn by the trainer, not real; data/README.md says where the real files belong";
