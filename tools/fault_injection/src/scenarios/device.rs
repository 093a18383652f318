//! Scenario 14: a device that is missing, lost or short of memory. Simulated: in Burn a lost device
//! and exhausted device memory are panics.

use artifacts::RunDir;
use training::{Fault, RunError};

use super::injected::{Undisturbed, require_failure};
use crate::Settings;
use crate::fixture::{Fixture, STEPS_PER_EPOCH, train};
use crate::process::Process;
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
    let epochs = settings.choose(10, 75);
    let steps = epochs * STEPS_PER_EPOCH;
    let overrides = [format!("training.epochs={epochs}")];
    let undisturbed = Undisturbed::new(&fixture, "flex", &overrides)?;
    for step in 1..=steps {
        let result = undisturbed
            .fail_then_resume(step, Fault::Device, names_device)
            .and_then(|()| resume_elsewhere(&fixture, step));
        tally.record(format_args!("lost in step {step}"), result);
    }
    tally.note = format!("7 missing or too small, lost in each of {steps} steps");
    Ok(tally)
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
    let config = fixture.config().display().to_string();
    let args = [&["--config", &config][..], args].concat();
    let exit = Process::start(settings, &fixture.path(""), &args)?.wait()?;
    exit.require_code(2)?;
    let is_explained = words.iter().any(|word| exit.stderr.contains(word));
    require(is_explained && !fixture.path("runs").exists(), || exit.stderr.clone())
}

/// Requires that a run that lost its device finishes on another one.
fn resume_elsewhere(fixture: &Fixture, step: usize) -> CaseResult {
    let Some(other) = training::device::processors().into_iter().nth(1) else { return Ok(()) };
    let directory = fixture.free_path("elsewhere");
    let epochs = [format!("training.epochs={}", step / STEPS_PER_EPOCH + 2)];
    let run = fixture.experiment("flex", &epochs)?.start_at(&directory)?;
    require_failure(run, step, Fault::Device, names_device)?;
    let run = fixture.experiment(&other.name, &epochs)?.resume(RunDir::open(&directory)?)?;
    train(run, None).map(drop)
}
