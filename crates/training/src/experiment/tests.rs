//! Whole runs of a small experiment.

mod planned;
mod readback;
mod rollback;
