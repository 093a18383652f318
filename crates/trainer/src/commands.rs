//! One file a command.

mod batch;
mod completions;
mod config;
mod data;
mod devices;
mod evaluate;
mod gradcheck;
mod inspect;
mod lr_find;
mod man;
mod model;
mod pool;
mod predict;
mod progress;
mod report;
mod reproduce;
mod runs;
mod sweep;
mod train;
mod transfer;

pub use completions::completions;
pub use config::config;
pub use data::synthesize;
pub use devices::devices;
pub use evaluate::evaluate;
pub use gradcheck::gradcheck;
pub use inspect::inspect;
pub use lr_find::lr_find;
pub use man::man;
pub use model::summary;
pub use predict::predict;
pub use report::report;
pub use reproduce::reproduce;
pub use runs::runs;
pub use sweep::sweep;
pub use train::train;
pub use transfer::{export, import, split};

/// What is said of everything that comes from the stand-in.
const STAND_IN: &str = "STAND-IN DATA: drawn by the trainer, not real; see data/README.md";
