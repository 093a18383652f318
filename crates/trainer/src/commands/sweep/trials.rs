use std::path::Path;
use std::sync::Arc;

use artifacts::{EpochMetrics, RunDir};
use burn::train::Interrupter;
use training::{Outcome, RunConfig, Stop, StopSource, Ui};

use super::super::progress::GroupProgress;
use super::super::run_group::{self, GroupRun};
use super::super::worker_pool::run_parallel;
use super::sampling::Setting;
use super::spec::Halving;
use crate::context::Context;
use crate::error::Failure;
use crate::signals::Signals;
use crate::style;
use crate::ui::PlainRenderer;

/// Scores of a setting.
#[derive(Debug, Clone)]
pub struct TrialResult {
    pub setting: Setting,
    /// Epochs of each run.
    pub epochs: usize,
    /// Best validation accuracy of each seed.
    pub scores: Vec<f64>,
    /// Test accuracy of each seed, of runs that trained all epochs.
    pub test_scores: Vec<f64>,
    /// Message of each failed run.
    pub failed: Vec<String>,
}

/// Trains the settings of a sweep.
pub struct TrialRunner<'a> {
    pub context: &'a Context<'a>,
    pub directory: &'a Path,
    pub device: Option<&'a str>,
    pub signals: &'a Signals,
    /// Seeds per setting.
    pub seeds: u64,
    pub halving: Option<Halving>,
    /// Whether to print no line per run.
    pub is_silent: bool,
}

/// A run of a setting with one seed, up to an epoch.
struct Job {
    setting: usize,
    config: RunConfig,
    epochs: usize,
}

/// Scores of a run.
#[derive(Debug, Clone, Copy)]
struct RunScores {
    validation: f64,
    /// Only of a finished run.
    test: Option<f64>,
}

/// Result of a run, with the index of its setting.
struct RunResult {
    setting: usize,
    scores: Result<RunScores, Failure>,
}

impl TrialRunner<'_> {
    /// Trains all settings in up to `workers` threads, for fewer epochs where halving drops a
    /// setting; `None` if a signal stopped it.
    pub fn run_all(
        &self,
        settings: &[(Setting, RunConfig)],
        workers: usize,
    ) -> Option<Vec<TrialResult>> {
        let mut results: Vec<_> =
            settings.iter().map(|(setting, _)| TrialResult::new(setting)).collect();
        let mut kept: Vec<usize> = (0..settings.len()).collect();
        let longest =
            settings.iter().map(|(_, config)| config.training.most_epochs()).max().unwrap_or(0);
        let mut epochs = self.halving.map_or(longest, |halving| halving.epochs.min(longest));
        loop {
            for result in self.run_round(&self.jobs(settings, &kept, epochs), workers)? {
                if let Some(trial) = results.get_mut(result.setting) {
                    trial.add(epochs, result.scores);
                }
            }
            let Some(halving) = self.halving.filter(|_| epochs < longest) else {
                return Some(results);
            };
            kept.sort_by(|one, other| {
                mean_of(&results, *other).total_cmp(&mean_of(&results, *one))
            });
            kept.truncate(kept.len().div_ceil(halving.factor));
            epochs = if kept.len() == 1 { longest } else { (epochs * halving.factor).min(longest) };
        }
    }

    /// Every kept setting with every seed.
    fn jobs(&self, settings: &[(Setting, RunConfig)], kept: &[usize], epochs: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        for &setting in kept {
            let Some((_, config)) = settings.get(setting) else { continue };
            for seed in config.seed..config.seed + self.seeds {
                let config = RunConfig { seed, ..config.clone() };
                jobs.push(Job {
                    setting,
                    epochs: epochs.min(config.training.most_epochs()),
                    config,
                });
            }
        }
        jobs
    }

    /// Runs all jobs of a round; `None` if a signal stopped it.
    fn run_round(&self, jobs: &[Job], workers: usize) -> Option<Vec<RunResult>> {
        let progress = Arc::new(GroupProgress::new(jobs.len(), self.is_silent));
        let results = run_parallel(jobs, workers, |job| self.run(job, &progress));
        self.signals.received().is_none().then_some(results)
    }

    fn run(&self, job: &Job, progress: &Arc<GroupProgress>) -> Option<RunResult> {
        if self.signals.received().is_some() {
            return None;
        }
        let scores = self.train(job, progress).transpose()?;
        let line = match &scores {
            Ok(scores) => {
                format!("validation {:.1} %, {} epochs", 100.0 * scores.validation, job.epochs)
            }
            Err(failure) => format!("{} {}", style::bad("failed:"), failure.message()),
        };
        progress.run_done(&job.name(), &line);
        Some(RunResult { setting: job.setting, scores })
    }

    /// Trains the run up to its epoch, if an earlier call did not; `None` if a signal stopped it.
    fn train(
        &self,
        job: &Job,
        progress: &Arc<GroupProgress>,
    ) -> Result<Option<RunScores>, Failure> {
        let experiment = self.context.prepare(&job.config, self.device)?;
        let examples = experiment.data_identity().counts.get("train").copied().unwrap_or_default();
        let mut run = match run_group::open(experiment, &self.directory.join(job.name()))? {
            GroupRun::Finished(directory, summary) => {
                return Ok(Some(RunScores::read(&directory, summary.test_accuracy)?));
            }
            GroupRun::Open(run) => run,
        };
        let (directory, (_, done)) = (run.directory().clone(), run.done());
        // Up to the first step of the next epoch: the last epoch is validated by then.
        let last = job.epochs * job.config.training.steps(examples) + 1;
        if done >= last {
            return Ok(Some(RunScores::read(&directory, None)?));
        }
        let test = match run.train(self.ui(job, progress, last - done))? {
            Outcome::Finished(summary) => summary.test_accuracy,
            Outcome::Stopped(_) if self.signals.received().is_some() => return Ok(None),
            Outcome::Stopped(_) => None,
        };
        Ok(Some(RunScores::read(&directory, test)?))
    }

    fn ui(&self, job: &Job, progress: &Arc<GroupProgress>, steps: usize) -> Ui {
        let (progress, name) = (Arc::clone(progress), job.name());
        Ui {
            renderer: Box::new(PlainRenderer::new(move |epoch| progress.epoch_done(&name, epoch))),
            interrupter: Interrupter::new(),
            stop: stop_after(steps, self.signals.stop_source()),
        }
    }
}

impl Job {
    fn name(&self) -> String {
        format!("{:03}-seed-{}", self.setting + 1, self.config.seed)
    }
}

impl RunScores {
    /// Reads the best validation accuracy of a run so far.
    fn read(run: &RunDir, test: Option<f64>) -> Result<Self, Failure> {
        let epochs = EpochMetrics::read_all(run)?;
        let best = epochs.iter().filter_map(|epoch| epoch.validation_accuracy).reduce(f64::max);
        // With `report_every_epochs` there may be none yet.
        Ok(Self { validation: best.unwrap_or(0.0), test })
    }
}

impl TrialResult {
    fn new(setting: &Setting) -> Self {
        let setting = setting.clone();
        Self { setting, epochs: 0, scores: vec![], test_scores: vec![], failed: vec![] }
    }

    /// Adds the result of one seed; those of a shorter training are dropped.
    fn add(&mut self, epochs: usize, scores: Result<RunScores, Failure>) {
        if self.epochs != epochs {
            *self = Self { epochs, ..Self::new(&self.setting) };
        }
        match scores {
            Ok(scores) => {
                self.scores.push(scores.validation);
                self.test_scores.extend(scores.test);
            }
            Err(failure) => self.failed.push(failure.message().to_owned()),
        }
        self.scores.sort_by(f64::total_cmp);
    }

    /// Mean score; below all others if a run failed.
    pub fn mean(&self) -> f64 {
        if self.failed.is_empty() && !self.scores.is_empty() {
            self.scores.iter().sum::<f64>() / self.scores.len() as f64
        } else {
            -1.0
        }
    }
}

fn mean_of(results: &[TrialResult], setting: usize) -> f64 {
    results.get(setting).map_or(-1.0, TrialResult::mean)
}

/// Stops after `steps` steps, or when `stop` does.
fn stop_after(steps: usize, mut stop: StopSource) -> StopSource {
    let mut taken = 0;
    Box::new(move || {
        taken += 1;
        stop().or((taken >= steps).then_some(Stop::Interrupted))
    })
}
