use std::fs;
use std::process::ExitCode;

use dataset::hdf5::Part;
use dataset::{StandInConfig, Subject};

use crate::cli::{SubjectChoice, SynthesizeArgs};
use crate::error::Failure;
use crate::print;

/// Draws a stand-in and writes it in the layout of the course.
pub fn synthesize(args: &SynthesizeArgs) -> Result<ExitCode, Failure> {
    fs::create_dir_all(&args.out).map_err(|error| {
        Failure::usage(format!(
            "cannot make the directory {}: {error}\n  name another one with --out",
            args.out.display()
        ))
    })?;
    let files = files(args.subject).map(|(file, part)| (args.out.join(file), part));
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(Failure::usage(format!(
            "{} exists\n  name another directory with --out, or remove it first",
            path.display()
        )));
    }
    let config = config(args);
    for (path, part) in &files {
        config.write(*part, path).map_err(|error| Failure::run(&error))?;
        let count = if *part == Part::Train { config.train } else { config.test };
        print::result(&format!("{}: {count} drawn images, not real data", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn config(args: &SynthesizeArgs) -> StandInConfig {
    let subject = match args.subject {
        SubjectChoice::Hands => Subject::Hands,
        SubjectChoice::Cats => Subject::Cats,
    };
    StandInConfig { subject, train: args.train as usize, test: args.test as usize, seed: args.seed }
}

/// The names that the courses give their files.
fn files(subject: SubjectChoice) -> [(&'static str, Part); 2] {
    match subject {
        SubjectChoice::Hands => [("train_signs.h5", Part::Train), ("test_signs.h5", Part::Test)],
        SubjectChoice::Cats => {
            [("train_catvnoncat.h5", Part::Train), ("test_catvnoncat.h5", Part::Test)]
        }
    }
}
