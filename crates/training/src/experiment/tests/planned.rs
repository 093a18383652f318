//! Runs whose number of steps is planned: to repeat another run, or to fill a time budget.

use std::env;
use std::path::Path;

use tempfile::TempDir;

use artifacts::{RunDir, Summary};

use super::{prepare, results, train};
use crate::config::PlannedSteps;
use crate::{Outcome, RunConfig};

/// A config of 5 steps per epoch, whose learning rate depends on the number of steps.
fn config(plan: &[(usize, usize)]) -> RunConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let overrides =
        ["optimizer={adam={}}", "schedule.decay={cosine={}}", "schedule.warmup_epochs=1"];
    let mut config = RunConfig::read(&path, &overrides.map(String::from)).unwrap();
    let planned = |&(from_step, total_steps)| PlannedSteps { from_step, total_steps };
    config.training.plan = plan.iter().map(planned).collect();
    config.training.epochs = None;
    config
}

/// Trains a run to its end; its results.
fn results_of(config: &RunConfig) -> [Vec<u8>; 2] {
    let temp = TempDir::new().unwrap();
    let directory = temp.path().join("run");
    train(&directory, config, usize::MAX);
    results(&directory)
}

fn recorded(directory: &Path) -> RunConfig {
    RunConfig::read(&directory.join("config.toml"), &[]).unwrap()
}

#[test]
fn a_plan_of_whole_epochs_gives_the_bits_of_a_run_with_that_number_of_epochs() {
    let mut epochs = config(&[]);
    epochs.training.epochs = Some(3);
    let of_epochs = results_of(&epochs);
    assert_eq!(results_of(&config(&[(0, 15)])), of_epochs);
    assert_ne!(results_of(&config(&[(0, 20)])), of_epochs);
}

#[test]
fn a_plan_may_end_within_an_epoch_and_change_and_a_resume_follows_it() {
    for (plan, steps, epochs) in
        [(&[(0, 3)][..], 3, 1), (&[(0, 12)], 12, 3), (&[(0, 40), (4, 22), (9, 13)], 13, 3)]
    {
        let config = config(plan);
        let whole = results_of(&config);
        for stop_after in 1..steps {
            let temp = TempDir::new().unwrap();
            let directory = temp.path().join("run");
            assert!(matches!(train(&directory, &config, stop_after), Outcome::Stopped(_)));
            train(&directory, &config, usize::MAX);
            assert!(results(&directory) == whole, "{plan:?} after {stop_after}");
            let summary = Summary::read(&RunDir::open(&directory).unwrap()).unwrap().unwrap();
            assert_eq!((summary.steps, summary.epochs), (steps, epochs));
        }
    }
}

#[test]
fn a_run_with_a_time_budget_is_repeated_by_its_config_also_after_a_resume() {
    let timed = RunConfig {
        training: crate::TrainingConfig { max_minutes: Some(0.01), ..config(&[]).training },
        ..config(&[])
    };
    for stop_after in [usize::MAX, 7] {
        let temp = TempDir::new().unwrap();
        let directory = temp.path().join("run");
        if let Outcome::Stopped(_) = train(&directory, &timed, stop_after) {
            assert_eq!(recorded(&directory).training.plan, [], "it is not known yet");
            train(&directory, &recorded(&directory), usize::MAX);
        }
        let config = recorded(&directory);
        let [first, ..] = config.training.plan[..] else { panic!("no plan: {config:?}") };
        assert_eq!((first.from_step, config.training.epochs), (0, None));
        assert_eq!(results_of(&config), results(&directory), "{:?}", config.training.plan);
        // There is nothing left to do.
        let run = prepare(&config).resume(RunDir::open(&directory).unwrap()).unwrap();
        assert!(run.finished().unwrap().is_some());
    }
}

#[test]
fn the_epochs_of_a_config_limit_a_time_budget_and_another_budget_continues_the_run() {
    let temp = TempDir::new().unwrap();
    let directory = temp.path().join("run");
    let mut config = config(&[]);
    (config.training.epochs, config.training.max_minutes) = (Some(2), Some(60.0));
    train(&directory, &config, usize::MAX);
    assert_eq!(
        recorded(&directory).training.plan,
        [PlannedSteps { from_step: 0, total_steps: 10 }]
    );
    (config.training.epochs, config.training.max_minutes) = (Some(3), Some(61.0));
    train(&directory, &config, usize::MAX);
    let more = PlannedSteps { from_step: 10, total_steps: 15 };
    assert_eq!(recorded(&directory).training.plan[1..], [more]);
}
