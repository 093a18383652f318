//! Row 2: the program killed at any moment of its life, resumed, killed again, ends with the bits
//! of a run that nothing happened to; nobody repairs anything, and nothing is left beside it.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::Campaign;
use crate::chain::{Chain, Kind};
use crate::cores;
use crate::experiment::Experiment;
use crate::program::Signal;
use crate::tally::{Outcome, Tally};

/// How often a run is killed at most.
const LONGEST: usize = 10;

/// As many chains as it takes, on every processor backend in turn.
pub fn run(campaign: &Campaign) -> Outcome {
    let experiment = Experiment::new()?;
    let kinds = kinds(campaign, &experiment)?;
    let (kills, chains) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wanted: usize = campaign.either(40, 1000);
    let mut tally = cores::on_all(|number| {
        let left = wanted.saturating_sub(kills.load(Ordering::Relaxed));
        let kind = kinds.get(number % kinds.len()).filter(|_| left > 0)?;
        chains.fetch_add(1, Ordering::Relaxed);
        let place = experiment.path(format!("chain-{number}"));
        let (killed, outcome) = killed(campaign, kind, place, number);
        kills.fetch_add(killed.len(), Ordering::Relaxed);
        Some(counted(number, &killed, outcome))
    });
    let life = kinds.iter().map(|kind| kind.life.as_millis()).max().unwrap_or_default();
    tally.note = format!("{} chains; {life} ms to live", chains.into_inner());
    Ok(tally)
}

/// With a commit after every step: most of the time of a run is one.
fn kinds(campaign: &Campaign, experiment: &Experiment) -> Result<Vec<Kind>, Box<dyn Error>> {
    let every_step = ["--set", "training.checkpoint.every_steps=1"];
    let kind = |device: &str| {
        let args = [&every_step[..], &["--device", device]].concat();
        Kind::new(campaign, experiment, &format!("whole-{device}"), &args)
    };
    training::processors().iter().map(|device| kind(&device.name)).collect()
}

/// The moments of the kills of a chain, and what became of it.
fn killed(
    campaign: &Campaign,
    kind: &Kind,
    place: PathBuf,
    number: usize,
) -> (Vec<Duration>, Result<(), String>) {
    let mut random = ChaCha8Rng::seed_from_u64(campaign.seed);
    random.set_stream(number as u64);
    let mut moments = Vec::new();
    let chain = || {
        let chain = kind.chain(place, number)?;
        for _ in 0..random.random_range(1..=LONGEST) {
            let moment = moment(kind.life, &mut random);
            if !kill(&chain, moment)? {
                break;
            }
            moments.push(moment);
        }
        chain.must_end_as_whole()
    };
    let outcome = chain();
    (moments, outcome)
}

/// A moment of a life: every fifth in its first tenth, every fifth about its end.
fn moment(life: Duration, random: &mut ChaCha8Rng) -> Duration {
    let part = match random.random_range(0..5) {
        0 => random.random_range(0.0..0.1),
        1 => random.random_range(0.8..1.1),
        _ => random.random_range(0.0..1.0),
    };
    life.mul_f64(part)
}

/// Kills the run at `moment`; false if it ended before.
fn kill(chain: &Chain, moment: Duration) -> Result<bool, String> {
    let kill = || {
        let mut running = chain.go_on()?;
        running.wait_until(moment).map_err(|error| error.to_string())?;
        running.send(Signal::Kill).map_err(|error| error.to_string())?;
        running.wait().map_err(|error| error.to_string())
    };
    let ended = kill()?;
    match ended.died_of(Signal::Kill) {
        true => Ok(true),
        false => ended.must_be(0).map(|()| false),
    }
}

fn counted(number: usize, killed: &[Duration], outcome: Result<(), String>) -> Tally {
    let loss =
        outcome.err().map(|reason| format!("chain {number}, killed at {killed:?}: {reason}"));
    Tally { tried: killed.len(), losses: loss.into_iter().collect(), ..Tally::default() }
}
