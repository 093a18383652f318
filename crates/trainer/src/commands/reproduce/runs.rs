use std::path::Path;
use std::sync::Arc;

use burn::train::Interrupter;
use dataset::DatasetConfig;
use training::{GradientCheck, GradientCheckOptions, Outcome, Plan, Plant, RunConfig, Summary, Ui};

use super::super::batch::{Standing, standing};
use super::super::pool;
use super::super::progress::Progress;
use super::experiments::Experiment;
use crate::error::Failure;
use crate::signals::Signals;
use crate::ui::Plain;
use crate::{pictures, style};

/// One run to be done.
#[derive(Debug, Clone)]
pub struct Job {
    /// The index of its experiment.
    pub experiment: usize,
    config: RunConfig,
}

/// What became of a job.
#[derive(Debug)]
pub enum Ended {
    /// It reached this.
    Finished(Box<Summary>),
    /// Its gradients differ by so much from centred differences, relatively.
    Checked {
        /// As they are.
        right: f64,
        /// With an error planted in them.
        planted: f64,
    },
    /// It failed, as the message says.
    Failed(String),
}

/// Where and how runs are done.
pub struct Runs<'a> {
    directory: &'a Path,
    device: Option<&'a str>,
    signals: &'a Signals,
    progress: &'a Arc<Progress>,
}

impl Job {
    /// Every experiment with so many seeds, its own and then 1, 2, 3, .., those on images first:
    /// they take longest.
    pub fn all(experiments: &[Experiment], seeds: u64) -> Vec<Self> {
        let jobs = experiments.iter().enumerate().flat_map(|(experiment, one)| {
            let own = one.config.seed;
            let others = (1..=seeds).filter(move |seed| *seed != own);
            let all = [own].into_iter().chain(others).take(seeds as usize);
            let config = move |seed| RunConfig { seed, ..one.config.clone() };
            all.map(move |seed| Self { experiment, config: config(seed) })
        });
        let mut jobs: Vec<_> = jobs.collect();
        jobs.sort_by_key(|job| matches!(job.config.dataset, DatasetConfig::Points(_)));
        jobs
    }

    /// Whether gradients are all that its reference is about.
    fn checks_gradients(&self) -> bool {
        let reference = self.config.reference.as_ref();
        reference.is_some_and(|reference| reference.gradient_difference.is_some())
    }

    fn name(&self) -> String {
        format!("{}-seed-{}", self.config.name, self.config.seed)
    }
}

impl<'a> Runs<'a> {
    /// Runs in `directory`.
    pub fn new(
        directory: &'a Path,
        device: Option<&'a str>,
        signals: &'a Signals,
        progress: &'a Arc<Progress>,
    ) -> Self {
        Self { directory, device, signals, progress }
    }

    /// Does all `jobs`, so many at once. What was stopped is left out.
    pub fn all(&self, jobs: &[Job], at_once: usize) -> Vec<(usize, Ended)> {
        pool::each(jobs, at_once, |job| Some((job.experiment, self.one(job)?)))
    }

    /// Does one job; `None` if it was stopped.
    fn one(&self, job: &Job) -> Option<Ended> {
        if self.signals.received().is_some() {
            return None;
        }
        let ended = match job.checks_gradients() {
            true => check_gradients(&job.config).map(Some),
            false => self.fit(job).map(|summary| Some(Ended::Finished(Box::new(summary?)))),
        };
        let ended = match ended {
            Ok(ended) => ended?,
            Err(failure) => Ended::Failed(failure.message().to_owned()),
        };
        self.progress.done(&job.name(), &ended.line());
        Some(ended)
    }

    /// Does what is left of the run; `None` if it was stopped.
    fn fit(&self, job: &Job) -> Result<Option<Summary>, Failure> {
        let plan = Plan::prepare(&job.config, self.device, option_env!("TRAINER_COMMIT"))?;
        let path = self.directory.join(job.name());
        let mut run = match standing(plan, &path)? {
            Standing::Finished(_, summary) => return Ok(Some(*summary)),
            Standing::Open(run) => run,
        };
        let directory = run.directory().clone();
        let outcome = run.fit(self.ui(job))?;
        pictures::draw(&directory, &job.name(), self.device);
        Ok(match outcome {
            Outcome::Finished(summary) => Some(*summary),
            Outcome::Stopped(_) => None,
        })
    }

    fn ui(&self, job: &Job) -> Ui {
        let (progress, name, signals) = (Arc::clone(self.progress), job.name(), self.signals);
        let show = move |line: &str| progress.update(&name, line);
        Ui {
            renderer: Box::new(Plain::new(show)),
            interrupter: Interrupter::new(),
            stop: signals.stop_source(),
        }
    }
}

/// The relative differences of the gradients, without and with the error of the exercise.
fn check_gradients(config: &RunConfig) -> Result<Ended, Failure> {
    let difference = |plant| {
        let options = GradientCheckOptions { plant, ..GradientCheckOptions::default() };
        GradientCheck::of(config, &options).map(|check| check.difference)
    };
    Ok(Ended::Checked { right: difference(None)?, planted: difference(Some(Plant::DoubleWeight))? })
}

impl Ended {
    fn line(&self) -> String {
        match self {
            Self::Finished(summary) => format!(
                "train {:.1} %, test {:.1} %, {:.1} s",
                100.0 * summary.train_accuracy,
                100.0 * summary.test_accuracy,
                summary.seconds
            ),
            Self::Checked { right, planted } => {
                format!("gradients differ by {right:.1e}, with a planted error by {planted:.1e}")
            }
            Self::Failed(message) => format!("{} {message}", style::bad("failed:")),
        }
    }
}
