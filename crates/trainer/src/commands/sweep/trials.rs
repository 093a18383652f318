use std::path::Path;
use std::sync::Arc;

use artifacts::{EpochMetrics, RunDir};
use burn::train::Interrupter;
use training::{BestMetric, Outcome, RunConfig, Stop, StopSource, Ui};

use super::super::progress::GroupProgress;
use super::super::run_group::{self, GroupRun};
use super::super::worker_pool::run_parallel;
use super::sampling::Setting;
use super::spec::SweepSpec;
use crate::context::Context;
use crate::error::Failure;
use crate::signals::Signals;
use crate::style;
use crate::ui::PlainRenderer;

/// A setting with its scores.
#[derive(Debug, Clone)]
pub struct Trial {
    pub setting: Setting,
    /// Trained epochs, of the longest run.
    pub epochs: usize,
    /// Mean validation accuracy after each round of the halving that it took part in; -1 if a run
    /// failed.
    pub rounds: Vec<f64>,
    /// Validation accuracy of each seed, ascending.
    pub scores: Vec<f64>,
    /// Test accuracy of each seed, ascending, of runs that trained all epochs.
    pub test_scores: Vec<f64>,
    /// Message of each failed run.
    pub failed: Vec<String>,
}

/// Trains the settings of a sweep.
pub struct TrialRunner<'a> {
    pub spec: &'a SweepSpec,
    pub context: &'a Context<'a>,
    pub directory: &'a Path,
    pub device: Option<&'a str>,
    pub signals: &'a Signals,
    /// Maximum number of parallel runs.
    pub workers: usize,
    /// Whether to print no line per run.
    pub is_silent: bool,
}

/// A run of a trial with one seed, up to an epoch.
struct Job {
    trial: usize,
    config: RunConfig,
    epochs: usize,
}

/// Scores of a run.
#[derive(Debug, Clone, Copy)]
struct RunScores {
    /// Trained epochs.
    epochs: usize,
    validation: f64,
    /// Only of a finished run.
    test: Option<f64>,
}

/// Result of a run, with the index of its trial.
struct RunResult {
    trial: usize,
    scores: Result<RunScores, Failure>,
}

impl TrialRunner<'_> {
    /// Trains `first`, the first settings of the sweep, and all that follow from their results; `None`
    /// if a signal stopped it.
    pub fn run_all(&self, first: Vec<(Setting, RunConfig)>) -> Option<Vec<Trial>> {
        let seeds = self.spec.seeds as usize;
        let runs = self.spec.count(first.len()) * seeds;
        let progress = Arc::new(GroupProgress::new(runs, self.is_silent));
        let mut trials = Vec::new();
        let mut batch: Vec<_> = first.into_iter().map(|(it, config)| (it, Ok(config))).collect();
        while !batch.is_empty() {
            let mut configs = Vec::new();
            for (setting, config) in batch {
                let mut trial = Trial::new(setting);
                match config {
                    Ok(config) => configs.push((trials.len(), config)),
                    Err(failure) => trial.set_results(vec![Err(failure)]),
                }
                trials.push(trial);
            }
            self.run_batch(&mut trials, configs, &progress)?;
            batch = self.spec.suggest(&ranked(&trials), self.context);
        }
        Some(trials)
    }

    /// Trains the trials with these indices, for fewer epochs where halving drops one.
    fn run_batch(
        &self,
        trials: &mut [Trial],
        mut kept: Vec<(usize, RunConfig)>,
        progress: &Arc<GroupProgress>,
    ) -> Option<()> {
        for round in 0.. {
            let epochs = self.spec.halving.map_or(usize::MAX, |halving| halving.epochs_of(round));
            let jobs = self.jobs(&kept, epochs);
            if round > 0 {
                progress.add_runs(jobs.len());
            }
            let mut results = run_parallel(&jobs, self.workers, |job| self.run(job, progress));
            if self.signals.received().is_some() {
                return None;
            }
            for (index, _) in &kept {
                let own = results.extract_if(.., |result| result.trial == *index);
                let own = own.map(|result| result.scores).collect();
                let Some(trial) = trials.get_mut(*index) else { continue };
                trial.set_results(own);
            }
            let Some(halving) = self.spec.halving else { break };
            if kept.iter().all(|(_, config)| config.training.most_epochs() <= epochs) {
                break;
            }
            let best = best_of_round(trials, round as usize, halving.factor);
            kept.retain(|(index, _)| best.contains(index));
        }
        Some(())
    }

    /// Every trial with every seed.
    fn jobs(&self, trials: &[(usize, RunConfig)], epochs: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (trial, config) in trials {
            for seed in config.seed..config.seed + self.spec.seeds {
                let config = RunConfig { seed, ..config.clone() };
                let epochs = epochs.min(config.training.most_epochs());
                jobs.push(Job { trial: *trial, epochs, config });
            }
        }
        jobs
    }

    fn run(&self, job: &Job, progress: &Arc<GroupProgress>) -> Option<RunResult> {
        if self.signals.received().is_some() {
            return None;
        }
        let scores = self.train(job, progress).transpose()?;
        let line = match &scores {
            Ok(scores) => {
                format!("validation {:.1} %, {} epochs", 100.0 * scores.validation, scores.epochs)
            }
            Err(failure) => format!("{} {}", style::bad("failed:"), failure.message()),
        };
        progress.run_done(&job.name(), &line);
        Some(RunResult { trial: job.trial, scores })
    }

    /// Trains the run up to its epoch, if an earlier call did not; `None` if a signal stopped it.
    fn train(
        &self,
        job: &Job,
        progress: &Arc<GroupProgress>,
    ) -> Result<Option<RunScores>, Failure> {
        let experiment = self.context.prepare(&job.config, self.device)?;
        let examples = experiment.data_identity().counts.get("train").copied().unwrap_or_default();
        // With the batch size that `auto` resolves to.
        let steps = experiment.config().training.steps(examples);
        let mut run = match run_group::open(experiment, &self.directory.join(job.name()))? {
            GroupRun::Finished(directory, summary) => {
                return Ok(Some(RunScores::read(&directory, job, summary.test_accuracy)?));
            }
            GroupRun::Open(run) => run,
        };
        let (directory, (_, done)) = (run.directory().clone(), run.done());
        // Up to the first step of the next epoch: the last epoch is validated by then.
        let last = job.epochs.saturating_mul(steps).saturating_add(1);
        if done >= last {
            return Ok(Some(RunScores::read(&directory, job, None)?));
        }
        let test = match run.train(self.ui(job, progress, last - done))? {
            Outcome::Finished(summary) => summary.test_accuracy,
            Outcome::Stopped(_) if self.signals.received().is_some() => return Ok(None),
            Outcome::Stopped(_) => None,
        };
        Ok(Some(RunScores::read(&directory, job, test)?))
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
        format!("{:03}-seed-{}", self.trial + 1, self.config.seed)
    }
}

impl RunScores {
    /// Reads the validation accuracy of a run up to the epoch of `job`: that of the epoch which
    /// `training.best_metric` chooses. A run that is not new may have trained more.
    fn read(run: &RunDir, job: &Job, test: Option<f64>) -> Result<Self, Failure> {
        let mut metrics = EpochMetrics::read_all(run)?;
        metrics.retain(|metrics| metrics.epoch <= job.epochs);
        let loss = |it: &EpochMetrics| it.validation_loss.unwrap_or(f64::INFINITY);
        let accuracy = |it: &EpochMetrics| it.validation_accuracy.unwrap_or_default();
        let chosen = match job.config.training.best_metric() {
            BestMetric::Last => metrics.last(),
            BestMetric::Loss => metrics.iter().min_by(|a, b| loss(a).total_cmp(&loss(b))),
            _ => metrics.iter().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b))),
        };
        let epochs = metrics.last().map_or(0, |metrics| metrics.epoch);
        Ok(Self { epochs, validation: chosen.map_or(0.0, accuracy), test })
    }
}

impl Trial {
    fn new(setting: Setting) -> Self {
        Self {
            setting,
            epochs: 0,
            rounds: vec![],
            scores: vec![],
            test_scores: vec![],
            failed: vec![],
        }
    }

    /// Replaces the results by those of a round.
    fn set_results(&mut self, results: Vec<Result<RunScores, Failure>>) {
        let rounds = std::mem::take(&mut self.rounds);
        *self = Self { rounds, ..Self::new(std::mem::take(&mut self.setting)) };
        for result in results {
            match result {
                Ok(scores) => {
                    self.epochs = self.epochs.max(scores.epochs);
                    self.scores.push(scores.validation);
                    self.test_scores.extend(scores.test);
                }
                Err(failure) => self.failed.push(failure.message().to_owned()),
            }
        }
        self.scores.sort_by(f64::total_cmp);
        self.test_scores.sort_by(f64::total_cmp);
        self.rounds.push(self.mean());
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

/// Indices of the best trials of a round, one in `factor` of those that took part in it.
fn best_of_round(trials: &[Trial], round: usize, factor: usize) -> Vec<usize> {
    let scores = trials.iter().map(|trial| trial.rounds.get(round)).enumerate();
    let mut scores: Vec<_> = scores.filter_map(|(index, score)| Some((index, *score?))).collect();
    scores.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    scores.truncate(scores.len().div_ceil(factor));
    scores.into_iter().filter(|(_, score)| *score >= 0.0).map(|(index, _)| index).collect()
}

/// The settings of all trials, best first: those of more rounds before those of fewer, failed ones
/// last.
fn ranked(trials: &[Trial]) -> Vec<&Setting> {
    let mut ranked: Vec<_> = trials.iter().collect();
    ranked.sort_by(|one, other| {
        let place = |trial: &Trial| (trial.failed.is_empty(), trial.rounds.len());
        place(other).cmp(&place(one)).then(other.mean().total_cmp(&one.mean()))
    });
    ranked.into_iter().map(|trial| &trial.setting).collect()
}

/// Stops after `steps` steps, or when `stop` does.
fn stop_after(steps: usize, mut stop: StopSource) -> StopSource {
    let mut taken = 0;
    Box::new(move || {
        taken += 1;
        stop().or((taken >= steps).then_some(Stop::Interrupted))
    })
}
