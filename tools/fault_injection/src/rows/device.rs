//! Row 14: a device that is missing, lost or short of memory. Simulated: a device that is lost is
//! a panic inside Burn, and so is one that is out of memory.

use std::error::Error;
use std::process::Command;

use training::{Fault, Faults, RunDir, RunError};

use super::planted::{self, fail_then_resume, must_fail};
use crate::Campaign;
use crate::experiment::{Experiment, STEPS_PER_EPOCH, fit};
use crate::tally::{Outcome, Tally};

/// The missing, the lost, and the one that another goes on for.
pub fn run(campaign: &Campaign) -> Outcome {
    let experiment = Experiment::new()?;
    let mut tally = Tally::default();
    for device in ["cuda:0", "wgpu:0", "metal:0", "vulkan:9", "flex:1", "nonsense"] {
        let args = ["--device", device];
        tally.count(
            refused(campaign, &experiment, &args, "`trainer devices`")
                .or_else(|_| refused(campaign, &experiment, &args, "this build has")),
        );
    }
    let vast = ["--set", "model.mlp.hidden=[65536,65536]", "--set", "model.mlp.dropout=[]"];
    tally.count(refused(campaign, &experiment, &vast, "of memory"));
    let steps = campaign.either(10, 75) * STEPS_PER_EPOCH;
    let whole = planted::whole(&experiment, &epochs(steps))?;
    for step in 1..=steps {
        let faults = || Faults::one(step, Fault::Device);
        let lost = fail_then_resume(&experiment, &epochs(steps), &whole, faults(), is_named)
            .and_then(|()| {
                elsewhere(&experiment, step, faults()).map_err(|error| error.to_string())
            });
        tally.count(lost.map_err(|reason| format!("lost in step {step}: {reason}")));
    }
    tally.note = format!("7 missing or too small, lost in each of {steps} steps");
    Ok(tally)
}

fn epochs(steps: usize) -> [String; 1] {
    [format!("training.epochs={}", steps / STEPS_PER_EPOCH)]
}

fn is_named(error: &RunError) -> bool {
    matches!(error, RunError::BrokeOff { device, .. } if device == "flex")
}

/// The program must end with 2, say `word`, and leave nothing.
fn refused(
    campaign: &Campaign,
    experiment: &Experiment,
    args: &[&str],
    word: &str,
) -> Result<(), String> {
    let mut command = Command::new(&campaign.program);
    command.arg("--config").arg(experiment.config()).args(args).current_dir(experiment.path(""));
    let output = command.output().map_err(|error| error.to_string())?;
    let words = String::from_utf8_lossy(&output.stderr);
    match output.status.code() == Some(2)
        && words.contains(word)
        && !experiment.path("runs").exists()
    {
        true => Ok(()),
        false => Err(format!("{args:?}: {:?} {words}", output.status.code())),
    }
}

/// A run that lost its device must go on on another one.
fn elsewhere(experiment: &Experiment, step: usize, faults: Faults) -> Result<(), Box<dyn Error>> {
    let Some(other) = training::processors().into_iter().nth(1) else { return Ok(()) };
    let directory = experiment.path("elsewhere");
    let epochs = epochs((step / STEPS_PER_EPOCH + 2) * STEPS_PER_EPOCH);
    must_fail(experiment, &epochs, &directory, faults, is_named)?;
    let run = experiment.plan(&other.name, &epochs)?.resume(RunDir::open(&directory)?)?;
    fit(run, None)?;
    Ok(std::fs::remove_dir_all(&directory)?)
}
