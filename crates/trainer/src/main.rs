//! `trainer`: trains image and point classifiers from TOML files.

#![forbid(unsafe_code)]

use std::process::ExitCode;

// The default allocator returns large temporary tensors to the system, so that every step would
// pay for their page faults again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trainer::run(&trainer::ModelRegistry::new())
}
