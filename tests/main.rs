//! Integration tests: every test runs the compiled program.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod arguments;
mod augmenting;
mod backends;
mod broken_checkpoints;
mod broken_configs;
mod broken_data;
mod broken_flags;
mod broken_images;
mod changing;
mod command_line;
mod configuring;
mod course_data;
mod courses;
mod describing;
#[cfg(all(feature = "distributed", target_os = "linux"))]
mod distributed;
mod evaluating;
mod exporting;
mod fine_tuning;
mod fitting;
mod folders;
mod gradcheck;
mod hdf5_layouts;
mod image_shapes;
mod importing;
mod inspecting;

mod predicting;
mod reporting;
mod reproduce;
mod resuming;
mod runs;
mod screen;
mod selecting;
#[cfg(feature = "serve")]
mod serving;
mod shipped_configs;
mod starting_from_weights;
mod streaming;
mod sweeping;
mod synthetic;
#[cfg(target_os = "linux")]
mod terminal;
mod test_dir;
mod timed;
mod training;
mod without_test_set;
