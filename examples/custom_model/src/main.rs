//! The whole command line of the trainer, with `[model.vit]` beside the built-in models:
//!
//!     cargo run --release -p custom-model -- --config examples/custom_model/vit.toml

mod vit;

use std::process::ExitCode;

fn main() -> ExitCode {
    trainer::run(&trainer::ModelRegistry::new().with::<vit::Vit>())
}
