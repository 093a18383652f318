//! Scenario 14: a device that is missing, lost or short of memory. Simulated: in Burn a lost device
//! and exhausted device memory are panics.

use std::process::Command;

use artifacts::RunDir;
use training::{Fault, Faults, RunError};

use super::injected::{self, fail_then_resume, require_failure};
use crate::Settings;
use crate::fixture::{Fixture, STEPS_PER_EPOCH, train};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};

const MISSING: [&str; 6] = ["cuda:0", "wgpu:0", "metal:0", "vulkan:9", "flex:1", "nonsense"];

/// Selects missing devices, trains a model that is too large, and loses the device in each step.
pub fn run(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let mut tally = Tally::default();
    let processor = training::device::processors().pop().ok_or("no processor backend")?.name;
    for device in MISSING {
        // The remedy is the command that lists the devices, or a device of this build.
        let remedies = ["`trainer devices`", &processor];
        let args = ["--device", device];
        tally.record(device, require_refused(settings, &fixture, &args, &remedies));
    }
    let too_large = ["--set", "model.mlp.hidden=[65536,65536]", "--set", "model.mlp.dropout=[]"];
    tally.record("too large", require_refused(settings, &fixture, &too_large, &["memory"]));
    let steps = settings.choose(10, 75) * STEPS_PER_EPOCH;
    let reference = injected::reference(&fixture, "flex", &epochs(steps))?;
    for step in 1..=steps {
        let faults = || Faults::one(step, Fault::Device);
        let result = fail_then_resume(&fixture, &epochs(steps), &reference, faults(), names_device)
            .and_then(|()| resume_elsewhere(&fixture, step, faults()));
        tally.record(format_args!("lost in step {step}"), result);
    }
    tally.note = format!("7 missing or too small, lost in each of {steps} steps");
    Ok(tally)
}

fn epochs(steps: usize) -> [String; 1] {
    [format!("training.epochs={}", steps / STEPS_PER_EPOCH)]
}

fn names_device(error: &RunError) -> bool {
    matches!(error, RunError::Panicked { device, .. } if device == "flex")
}

/// Requires exit code 2, a message that contains one of `words`, and no run directory.
fn require_refused(
    settings: &Settings,
    fixture: &Fixture,
    args: &[&str],
    words: &[&str],
) -> CaseResult {
    let mut command = Command::new(&settings.program);
    command.arg("--config").arg(fixture.config()).args(args).current_dir(fixture.path(""));
    let output = command.output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let is_explained = words.iter().any(|word| stderr.contains(word));
    let code = output.status.code();
    let is_refused = code == Some(2) && is_explained && !fixture.path("runs").exists();
    require(is_refused, || format!("{code:?} {stderr}"))
}

/// Requires that a run that lost its device finishes on another one.
fn resume_elsewhere(fixture: &Fixture, step: usize, faults: Faults) -> CaseResult {
    let Some(other) = training::device::processors().into_iter().nth(1) else { return Ok(()) };
    let directory = fixture.path("elsewhere");
    let epochs = epochs((step / STEPS_PER_EPOCH + 2) * STEPS_PER_EPOCH);
    require_failure(fixture, &epochs, &directory, faults, names_device)?;
    let run = fixture.experiment(&other.name, &epochs)?.resume(RunDir::open(&directory)?)?;
    train(run, None)?;
    Ok(std::fs::remove_dir_all(&directory)?)
}
