//! A run of the real program in a place of its own, in which something is done to it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Campaign;
use crate::bits::Bits;
use crate::experiment::Experiment;
use crate::faults::{self, Call, Fault, Faults};

/// The program, and the experiment that it runs.
pub struct Bench<'a> {
    pub campaign: &'a Campaign,
    pub experiment: &'a Experiment,
    pub faults: &'a Faults,
}

/// A place with one run in it.
pub struct Trial<'a> {
    bench: &'a Bench<'a>,
    place: PathBuf,
    trace: PathBuf,
}

/// How a program ended, and what it said.
pub struct Ended {
    pub code: Option<i32>,
    out: String,
    pub err: String,
}

/// How many checkpoints are kept beside the best: as few as can be.
pub const KEPT: usize = 1;

/// A short run that commits in mid-epoch too.
const OVERRIDES: [&str; 3] =
    ["training.epochs=3", "training.checkpoint.every_steps=3", "training.checkpoint.keep_last=1"];

/// The run is some directories below its place, so that the program has to make those too.
const RUN: &str = "runs/of/today";

impl<'a> Trial<'a> {
    /// A new place, called `name`.
    pub fn new(bench: &'a Bench<'a>, name: &str) -> io::Result<Self> {
        let place = bench.experiment.path(name);
        std::fs::create_dir(&place)?;
        Ok(Self { bench, trace: place.with_extension("trace"), place })
    }

    pub fn place(&self) -> &Path {
        &self.place
    }

    pub fn run(&self) -> PathBuf {
        self.place.join(RUN)
    }

    /// Goes on with the run if there is one, and else starts it.
    pub fn go(&self, fault: Option<Fault>) -> io::Result<Ended> {
        let Bench { campaign, experiment, faults } = self.bench;
        let mut command = Command::new(&campaign.program);
        command.arg("--config").arg(experiment.config()).args(["--ui", "plain"]);
        command.args(OVERRIDES.iter().flat_map(|set| ["--set", set]));
        let is_begun = self.run().join("config.toml").is_file();
        command.arg(if is_begun { "--resume" } else { "--run-dir" }).arg(self.run());
        faults.meet(&mut command, &self.place, fault, &self.trace);
        let output = command.output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) })
    }

    /// What the program has done here so far.
    pub fn calls(&self) -> io::Result<Vec<Call>> {
        faults::calls(&self.trace, &self.place)
    }

    /// Goes on to the end: from what was acknowledged or later, to the bits of `whole`.
    pub fn must_end_as(&self, whole: &Bits, acknowledged: Option<usize>) -> Result<(), String> {
        if acknowledged.is_some() && !self.run().join("config.toml").is_file() {
            return Err("the run is gone".to_owned());
        }
        let ended = self.go(None).map_err(|error| error.to_string())?;
        ended.must_be_clean()?;
        if ended.resumed_at() < acknowledged {
            return Err(format!("goes on at {:?} after {acknowledged:?}", ended.resumed_at()));
        }
        let bits = Bits::of(&self.run(), KEPT).map_err(|error| error.to_string())?;
        bits.must_equal(whole)
    }

    /// Removes the place.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.trace).ok();
        std::fs::remove_dir_all(&self.place)
    }
}

impl Ended {
    /// Ended well, and had nothing to tell but that it has passed over something damaged.
    fn must_be_clean(&self) -> Result<(), String> {
        let is_expected = |line: &str| line.contains("trying the checkpoint before it");
        match self.code == Some(0) && self.err.lines().all(is_expected) {
            true => Ok(()),
            false => Err(format!("going on ends with {:?}: {:?}", self.code, self.err)),
        }
    }

    /// The step at which it went on, as it says.
    fn resumed_at(&self) -> Option<usize> {
        let line = self.out.lines().find(|line| line.starts_with("resuming "))?;
        match line.rsplit_once(", step ") {
            Some((_, step)) => step.parse().ok(),
            None => Some(0),
        }
    }
}
