//! A run by the real program that is interrupted, again and again, and must end as if it had not
//! been.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Campaign;
use crate::bits::{Bits, names};
use crate::experiment::{Experiment, KEPT};
use crate::program::{Program, Running};

/// What all chains of one kind have in common: the experiment as one device runs it.
#[derive(Debug)]
pub struct Kind {
    program: Program,
    args: Vec<String>,
    /// What must be there in the end.
    whole: Bits,
    /// How long the program lives if nothing happens to it.
    pub life: Duration,
}

/// One run.
#[derive(Debug)]
pub struct Chain<'a> {
    kind: &'a Kind,
    program: Program,
    place: PathBuf,
    /// Whether its directory is chosen by the program.
    is_numbered: bool,
}

impl Kind {
    /// The experiment under `args`, run once without interruption in `place`.
    pub fn new(
        campaign: &Campaign,
        experiment: &Experiment,
        place: &str,
        args: &[&str],
    ) -> Result<Self, Box<dyn Error>> {
        let config = experiment.config().display().to_string();
        let mut all = vec!["--config".to_owned(), config];
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        let place = experiment.path(place);
        fs::create_dir(&place)?;
        let program = Program::within(campaign, place.clone());
        let (mut lives, run) = (Vec::new(), place.join("runs/campaign"));
        for _ in 0..5 {
            fs::remove_dir_all(place.join("runs")).ok();
            let ended = program.run(&all)?;
            ended.must_be(0)?;
            lives.push(ended.lived);
        }
        let whole = Bits::of(&run, KEPT)?;
        lives.sort_unstable();
        let life = lives.swap_remove(lives.len() / 2);
        Ok(Self { program, args: all, whole, life })
    }

    /// A run of its own in `place`, which is made. Every other one chooses its own directory.
    pub fn chain(&self, place: PathBuf, number: usize) -> Result<Chain<'_>, String> {
        fs::create_dir_all(&place).map_err(|error| error.to_string())?;
        let program = self.program.clone().elsewhere(place.clone());
        Ok(Chain { kind: self, program, place, is_numbered: number.is_multiple_of(2) })
    }
}

impl Chain<'_> {
    /// Starts the run, or resumes it if it has begun.
    pub fn go_on(&self) -> Result<Running, String> {
        let mut args = self.kind.args.clone();
        let directory = self.directory().display().to_string();
        match (self.has_begun(), self.is_numbered) {
            (false, true) => {}
            (false, false) => args.extend(["--run-dir".to_owned(), directory]),
            (true, true) => args.push("--resume".to_owned()),
            (true, false) => args = vec!["--resume".to_owned(), directory],
        }
        self.program.start(&args).map_err(|error| error.to_string())
    }

    /// Whether there is a run to resume.
    pub fn has_begun(&self) -> bool {
        self.directory().join("config.toml").exists()
    }

    /// The names of its checkpoints.
    pub fn checkpoints(&self) -> Vec<String> {
        names(&self.directory().join("checkpoints")).unwrap_or_default()
    }

    /// Lets it go on to its end, which must be that of the run that nothing happened to, with
    /// nothing beside it. Its files are removed only then.
    pub fn must_end_as_whole(self) -> Result<(), String> {
        let ended = self.go_on()?.wait().map_err(|error| error.to_string())?;
        ended.must_be(0)?;
        let bits = Bits::of(&self.directory(), KEPT).map_err(|error| error.to_string())?;
        bits.must_equal(&self.kind.whole)?;
        for (place, only) in [(self.place.clone(), "runs"), (self.place.join("runs"), "campaign")] {
            must_hold_only(&place, only)?;
        }
        fs::remove_dir_all(&self.place).map_err(|error| error.to_string())
    }

    fn directory(&self) -> PathBuf {
        self.place.join("runs/campaign")
    }
}

fn must_hold_only(place: &Path, only: &str) -> Result<(), String> {
    let names = names(place).map_err(|error| error.to_string())?;
    match names == [only] {
        true => Ok(()),
        false => Err(format!("{names:?} instead of {only} alone")),
    }
}
