//! One file a command.

mod data;
mod devices;
mod evaluate;
mod gradcheck;
mod lr_find;
mod pool;
mod predict;
mod progress;
mod report;
mod reproduce;
mod sweep;
mod train;

pub use data::synthesize;
pub use devices::devices;
pub use evaluate::evaluate;
pub use gradcheck::gradcheck;
pub use lr_find::lr_find;
pub use predict::predict;
pub use report::report;
pub use reproduce::reproduce;
pub use sweep::sweep;
pub use train::train;

/// What is said of everything that comes from the stand-in.
const STAND_IN: &str = "STAND-IN DATA: drawn by the trainer, not real; data/README.md says where the real files belong";
