//! One file a command.

mod data;
mod devices;
mod evaluate;
mod gradcheck;
mod predict;
mod train;

pub use data::synthesize;
pub use devices::devices;
pub use evaluate::evaluate;
pub use gradcheck::gradcheck;
pub use predict::predict;
pub use train::train;

/// What is said of everything that comes from the stand-in.
const STAND_IN: &str = "STAND-IN DATA: drawn hands, not the real SIGNS; put the files into data/signs/ or set SIGNS_DIR";
