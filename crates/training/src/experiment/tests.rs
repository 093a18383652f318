//! Whole runs of a small experiment.

mod readback;
mod rollback;
