use std::fs;
use std::process::ExitCode;

use data::SplitKind;
use data_sources::{Subject, SyntheticConfig};

use crate::cli::{SubjectChoice, SynthesizeArgs};
use crate::error::Failure;
use crate::{print, text};

/// Generates synthetic images and writes them in the file layout of the courses.
pub fn synthesize(args: &SynthesizeArgs) -> Result<ExitCode, Failure> {
    fs::create_dir_all(&args.out).map_err(|error| {
        Failure::usage(format!(
            "cannot create the directory {}: {error}\n  choose another one with --out",
            args.out.display()
        ))
    })?;
    let files = files(args.subject).map(|(file, split)| (args.out.join(file), split));
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(Failure::usage(format!(
            "{} already exists\n  choose another directory with --out, or remove it first",
            path.display()
        )));
    }
    let config = config(args);
    for (path, split) in &files {
        config.write(*split, path).map_err(|error| Failure::run(&error))?;
        let count = if *split == SplitKind::Train { config.train } else { config.test };
        print::result(&format!("{}: {count} synthetic images, not real data", text::path(path)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn config(args: &SynthesizeArgs) -> SyntheticConfig {
    let subject = match args.subject {
        SubjectChoice::Hands => Subject::Hands,
        SubjectChoice::Cats => Subject::Cats,
    };
    SyntheticConfig {
        subject,
        train: args.train as usize,
        test: args.test as usize,
        seed: args.seed,
    }
}

/// File names of the courses.
fn files(subject: SubjectChoice) -> [(&'static str, SplitKind); 2] {
    match subject {
        SubjectChoice::Hands => {
            [("train_signs.h5", SplitKind::Train), ("test_signs.h5", SplitKind::Test)]
        }
        SubjectChoice::Cats => {
            [("train_catvnoncat.h5", SplitKind::Train), ("test_catvnoncat.h5", SplitKind::Test)]
        }
    }
}
