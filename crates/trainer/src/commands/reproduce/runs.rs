use artifacts::Summary;
use data_sources::DatasetConfig;
use training::{GradientCheck, GradientCheckOptions, InjectedBug, Outcome, RunConfig};

use super::super::run_group::{GroupRun, RunGroup};
use super::experiments::ReferenceExperiment;
use crate::error::Failure;
use crate::{pictures, style};

#[derive(Debug, Clone)]
pub struct Job {
    /// Index of the experiment.
    pub experiment: usize,
    config: RunConfig,
}

/// Result of a job.
#[derive(Debug)]
pub enum JobResult {
    /// The run finished.
    Finished(Box<Summary>),
    /// The relative differences of the gradients from centred finite differences.
    GradientsChecked {
        /// Of the gradients themselves.
        difference: f64,
        /// Of the gradients with an injected bug.
        with_bug: f64,
    },
    /// The job failed with this message.
    Failed(String),
}

impl Job {
    /// Every experiment with `seeds` seeds: its own, then 1, 2, 3, .. Images come first, because
    /// they take longest.
    pub fn all(experiments: &[ReferenceExperiment], seeds: u64) -> Vec<Self> {
        let mut jobs = Vec::new();
        for (experiment, one) in experiments.iter().enumerate() {
            let own = one.config.seed;
            let others = (1..=seeds).filter(|seed| *seed != own);
            for seed in [own].into_iter().chain(others).take(seeds as usize) {
                jobs.push(Self { experiment, config: RunConfig { seed, ..one.config.clone() } });
            }
        }
        jobs.sort_by_key(|job| matches!(job.config.dataset, DatasetConfig::Points(_)));
        jobs
    }

    /// Whether the reference is a gradient difference instead of scores.
    fn checks_gradients(&self) -> bool {
        let reference = self.config.reference.as_ref();
        reference.is_some_and(|reference| reference.gradient_difference.is_some())
    }

    fn name(&self) -> String {
        format!("{}-seed-{}", self.config.name, self.config.seed)
    }
}

/// Runs all `jobs` and returns the results with the index of their experiment. Stopped jobs are omitted.
pub fn run_all(group: &RunGroup, jobs: &[Job]) -> Vec<(usize, JobResult)> {
    group.run_parallel(jobs, |job| {
        let result = if job.checks_gradients() {
            check_gradients(&job.config).map(Some)
        } else {
            train(group, job)
        };
        let result = match result {
            Ok(result) => result?,
            Err(failure) => JobResult::Failed(failure.plain_message()),
        };
        group.progress.run_done(&job.name(), &result.line());
        Some((job.experiment, result))
    })
}

/// Trains the rest of a run; `None` if it was stopped.
fn train(group: &RunGroup, job: &Job) -> Result<Option<JobResult>, Failure> {
    let experiment = group.context.prepare(&job.config, group.device)?;
    let mut run = match group.open(experiment, &job.name())? {
        GroupRun::Finished(_, summary) => return Ok(Some(JobResult::Finished(summary))),
        GroupRun::Open(run) => run,
    };
    let outcome = run.train(group.ui(job.name(), group.signals.stop_source()))?;
    pictures::draw(group.context, run.directory(), &job.name(), group.device);
    Ok(match outcome {
        Outcome::Finished(summary) => Some(JobResult::Finished(summary)),
        Outcome::Stopped(_) => None,
    })
}

/// Checks the gradients, without and with the bug of the exercise.
fn check_gradients(config: &RunConfig) -> Result<JobResult, Failure> {
    let options = GradientCheckOptions::default();
    let difference = GradientCheck::run(config, &options, |_| {})?.difference;
    let options = GradientCheckOptions { injected_bug: Some(InjectedBug::DoubleWeight), ..options };
    let with_bug = GradientCheck::run(config, &options, |_| {})?.difference;
    Ok(JobResult::GradientsChecked { difference, with_bug })
}

impl JobResult {
    fn line(&self) -> String {
        match self {
            Self::Finished(summary) => {
                let (reported, accuracy) = summary.reported();
                format!(
                    "train {:.1} %, {reported} {:.1} %, {:.1} s",
                    100.0 * summary.train_accuracy,
                    100.0 * accuracy,
                    summary.seconds
                )
            }
            Self::GradientsChecked { difference, with_bug } => {
                format!("gradient difference {difference:.1e}, {with_bug:.1e} with an injected bug")
            }
            Self::Failed(message) => format!("{} {message}", style::bad("failed:")),
        }
    }
}
