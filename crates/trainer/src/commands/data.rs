use std::fs;
use std::process::ExitCode;

use dataset::hdf5::{self, Part};
use dataset::{DatasetConfig, StandInConfig};

use crate::cli::SynthesizeArgs;
use crate::error::Failure;
use crate::print;

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
    let parts = parts.map(|(file, part, images)| (args.out.join(file), part, images));
    if let Some((path, ..)) = parts.iter().find(|(path, ..)| path.exists()) {
        return Err(Failure::usage(format!(
            "{} exists\n  name another directory with --out, or remove it first",
            path.display()
        )));
    }
    for (path, part, images) in parts {
        hdf5::write_stand_in(&path, part, images, &source.classes)
            .map_err(|error| Failure::run(&error))?;
        let line = format!("{}: {} drawn hands, not the real SIGNS", path.display(), images.len());
        print::result(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}
