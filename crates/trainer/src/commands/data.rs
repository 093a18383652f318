use std::fs;
use std::process::ExitCode;

use dataset::hdf5::{self, Part};
use dataset::{DatasetConfig, StandInConfig};

use crate::cli::SynthesizeArgs;
use crate::error::Failure;

/// Draws a stand-in for SIGNS and writes it in the layout of the course.
pub fn synthesize(args: &SynthesizeArgs) -> Result<ExitCode, Failure> {
    let config =
        StandInConfig { train: args.train as usize, test: args.test as usize, seed: args.seed };
    let source = DatasetConfig::StandIn(config).load().map_err(|error| Failure::run(&error))?;
    fs::create_dir_all(&args.out).map_err(|error| {
        Failure::usage(format!(
            "cannot make the directory {}: {error}\n  name another one with --out",
            args.out.display()
        ))
    })?;
    let parts = [
        ("train_signs.h5", Part::Train, &source.train),
        ("test_signs.h5", Part::Test, &source.test),
    ];
    for (file, part, images) in parts {
        let path = args.out.join(file);
        hdf5::write(&path, part, images, &source.classes).map_err(|error| Failure::run(&error))?;
        println!("{}: {} drawn hands, not the real SIGNS", path.display(), images.len());
    }
    Ok(ExitCode::SUCCESS)
}
