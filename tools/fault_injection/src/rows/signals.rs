//! Row 8: SIGINT or SIGTERM at any moment is answered with a checkpoint and the documented exit
//! code, and a resume ends with the bits of a run that nothing happened to. A second signal ends the
//! program at once.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::Campaign;
use crate::chain::{Chain, Kind};
use crate::cores;
use crate::experiment::Experiment;
use crate::program::{Ended, Signal};
use crate::tally::{Outcome, Tally};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Once(Signal),
    Twice(Signal, Signal),
}

/// A step takes a moment only.
const ANSWER: Duration = Duration::from_secs(5);

/// How long the second signal may take.
const SECOND: Duration = Duration::from_secs(1);

/// Each signal alone, and pairs of them, on every processor backend in turn.
pub fn run(campaign: &Campaign) -> Outcome {
    let experiment = Experiment::new()?;
    let kinds = kinds(campaign, &experiment)?;
    let each = campaign.either(20, 200);
    let deaf = AtomicUsize::new(0);
    let mut tally = cores::on_all(|number| {
        let sent = sent(number / each)?;
        let kind = kinds.get(number % kinds.len())?;
        let place = experiment.path(format!("signalled-{number}"));
        let mut tally = Tally::default();
        let outcome = signalled(campaign, kind, place, number, sent, &deaf);
        tally.count(outcome.map_err(|reason| format!("try {number}, {sent:?}: {reason}")));
        Some(tally)
    });
    let deaf = deaf.into_inner();
    tally.note = format!("{each} of each signal, and {each} pairs; {deaf} came before `main`");
    Ok(tally)
}

fn sent(group: usize) -> Option<Sent> {
    use Signal::{Interrupt, Terminate};
    match group {
        0 => Some(Sent::Once(Interrupt)),
        1 => Some(Sent::Once(Terminate)),
        2 => Some(Sent::Twice(Interrupt, Terminate)),
        _ => None,
    }
}

/// With weights that take a while to step along and to save: a second signal has its moment, too.
fn kinds(campaign: &Campaign, experiment: &Experiment) -> Result<Vec<Kind>, Box<dyn Error>> {
    let large = ["--set", "model.mlp.hidden=[256,256]", "--set", "model.mlp.dropout=[0.2,0.2]"];
    let kind = |device: &str| {
        let args = [&large[..], &["--device", device]].concat();
        Kind::new(campaign, experiment, &format!("whole-{device}"), &args)
    };
    training::processors().iter().map(|device| kind(&device.name)).collect()
}

/// Signals a new run, and its resume, and lets it end.
fn signalled(
    campaign: &Campaign,
    kind: &Kind,
    place: PathBuf,
    number: usize,
    sent: Sent,
    deaf: &AtomicUsize,
) -> Result<(), String> {
    let mut random = ChaCha8Rng::seed_from_u64(campaign.seed);
    random.set_stream(number as u64);
    let chain = kind.chain(place, number)?;
    for _ in 0..2 {
        let moment = kind.life.mul_f64(random.random_range(0.0..1.0));
        let pause = Duration::from_micros(random.random_range(0..20_000));
        let answer = answered(&chain, moment, pause, sent);
        let heard = answer.map_err(|reason| format!("at {moment:?}, then {pause:?}: {reason}"))?;
        deaf.fetch_add(usize::from(!heard), Ordering::Relaxed);
    }
    chain.must_end_as_whole()
}

/// Whether it was heard.
fn answered(chain: &Chain, moment: Duration, pause: Duration, sent: Sent) -> Result<bool, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut running = chain.go_on()?;
    running.wait_until(moment).map_err(told)?;
    let first = match sent {
        Sent::Once(signal) | Sent::Twice(signal, _) => signal,
    };
    running.send(first).map_err(told)?;
    let mut last = Instant::now();
    if let Sent::Twice(_, second) = sent {
        thread::sleep(pause);
        running.send(second).map_err(told)?;
        last = Instant::now();
    }
    let ended = running.wait().map_err(told)?;
    let most = if matches!(sent, Sent::Once(_)) { ANSWER } else { SECOND };
    if last.elapsed() > most {
        return Err(format!("an answer after {:?}", last.elapsed()));
    }
    is_answer(chain, &ended, sent)
}

/// Whether it has heard the signal; it must have finished then, or have stopped as documented.
fn is_answer(chain: &Chain, ended: &Ended, sent: Sent) -> Result<bool, String> {
    let signals = match sent {
        Sent::Once(signal) => vec![signal],
        Sent::Twice(first, second) => vec![first, second],
    };
    if signals.iter().any(|signal| ended.died_of(*signal)) {
        return Ok(false);
    }
    if !signals.iter().any(|signal| ended.code() == Some(signal.code())) {
        return ended.must_be(0).map(|()| true);
    }
    let is_saved = !chain.has_begun() || !chain.checkpoints().is_empty();
    match is_saved || matches!(sent, Sent::Twice(..)) {
        true => Ok(true),
        false => Err("stopped without a checkpoint".to_owned()),
    }
}
