use std::path::Path;
use std::sync::Arc;

use artifacts::Summary;
use burn::train::Interrupter;
use data_sources::DatasetConfig;
use training::{GradientCheck, GradientCheckOptions, InjectedBug, Outcome, RunConfig, Ui};

use super::super::progress::GroupProgress;
use super::super::run_group::{self, GroupRun};
use super::super::worker_pool::run_parallel;
use super::experiments::ReferenceExperiment;
use crate::context::Context;
use crate::error::Failure;
use crate::signals::Signals;
use crate::ui::PlainRenderer;
use crate::{pictures, style};

/// An experiment with one seed.
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

/// Runs jobs in one directory.
pub struct JobRunner<'a> {
    pub context: &'a Context<'a>,
    pub directory: &'a Path,
    pub device: Option<&'a str>,
    pub signals: &'a Signals,
    pub progress: Arc<GroupProgress>,
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

impl JobRunner<'_> {
    /// Runs all `jobs` in up to `workers` threads and returns the results with the index of their
    /// experiment. Stopped jobs are omitted.
    pub fn run_all(&self, jobs: &[Job], workers: usize) -> Vec<(usize, JobResult)> {
        run_parallel(jobs, workers, |job| Some((job.experiment, self.run(job)?)))
    }

    /// Runs one job; `None` if it was stopped.
    fn run(&self, job: &Job) -> Option<JobResult> {
        if self.signals.received().is_some() {
            return None;
        }
        let result = if job.checks_gradients() {
            check_gradients(&job.config).map(Some)
        } else {
            self.train(job).map(|summary| Some(JobResult::Finished(Box::new(summary?))))
        };
        let result = match result {
            Ok(result) => result?,
            Err(failure) => JobResult::Failed(failure.message().to_owned()),
        };
        self.progress.run_done(&job.name(), &result.line());
        Some(result)
    }

    /// Trains the rest of a run; `None` if it was stopped.
    fn train(&self, job: &Job) -> Result<Option<Summary>, Failure> {
        let experiment = self.context.prepare(&job.config, self.device)?;
        let mut run = match run_group::open(experiment, &self.directory.join(job.name()))? {
            GroupRun::Finished(_, summary) => return Ok(Some(*summary)),
            GroupRun::Open(run) => run,
        };
        let directory = run.directory().clone();
        let outcome = run.train(self.ui(job))?;
        pictures::draw(self.context, &directory, &job.name(), self.device);
        Ok(match outcome {
            Outcome::Finished(summary) => Some(*summary),
            Outcome::Stopped(_) => None,
        })
    }

    fn ui(&self, job: &Job) -> Ui {
        let (progress, name) = (Arc::clone(&self.progress), job.name());
        Ui {
            renderer: Box::new(PlainRenderer::new(move |epoch| progress.epoch_done(&name, epoch))),
            interrupter: Interrupter::new(),
            stop: self.signals.stop_source(),
        }
    }
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
