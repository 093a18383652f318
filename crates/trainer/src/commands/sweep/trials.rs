use artifacts::{EpochMetrics, RunDir};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Serialize, Serializer};
use training::{BestMetric, Outcome, RunConfig, Stop, StopSource};

use super::super::run_group::{GroupRun, RunGroup};
use super::sampling::Setting;
use super::spec::SweepSpec;
use crate::error::Failure;
use crate::style;

/// A setting with its scores.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Trial {
    /// Position in the ranking, from 1; settings with equal accuracies after as many rounds share it.
    pub rank: usize,
    /// Mean validation accuracy after each round of the halving that it took part in; -1 if a run
    /// failed. Serialized as their number, 1 without halving.
    #[serde(serialize_with = "as_count")]
    pub rounds: Vec<f64>,
    /// Overrides of the config.
    #[serde(serialize_with = "as_map")]
    pub overrides: Setting,
    /// Names of its runs.
    #[serde(skip)]
    pub runs: Vec<String>,
    /// Trained epochs, of the longest run.
    pub epochs: usize,
    /// Validation accuracy of each seed, ascending.
    pub validation_accuracy: Vec<f64>,
    /// Mean of the validation accuracies; `None` if a run failed.
    pub mean: Option<f64>,
    /// Range of the accuracies, from 5 seeds on the 95 % confidence interval of their mean (Efron
    /// 1979); `None` for one seed.
    pub interval: Option<[f64; 2]>,
    /// Test accuracy of each seed, ascending, of runs that trained all epochs.
    pub test_accuracy: Vec<f64>,
    /// Message of each failed run.
    pub failed: Vec<String>,
}

fn as_count<S: Serializer>(rounds: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    rounds.len().serialize(serializer)
}

pub fn as_map<V: Serialize, S: Serializer>(
    pairs: &[(String, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Trains the settings of a sweep.
pub struct TrialRunner<'a> {
    pub spec: &'a SweepSpec,
    pub group: &'a RunGroup<'a>,
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

impl TrialRunner<'_> {
    /// Trains `first`, the first settings of the sweep, and all that follow from their results; `None`
    /// if a signal stopped it.
    pub fn run_all(&self, first: Vec<(Setting, RunConfig)>) -> Option<Vec<Trial>> {
        let mut trials = Vec::new();
        let mut batch: Vec<_> = first.into_iter().map(|(it, config)| (it, Ok(config))).collect();
        while !batch.is_empty() {
            let mut configs = Vec::new();
            for (overrides, config) in batch {
                let mut trial = Trial { overrides, ..Trial::default() };
                match config {
                    Ok(config) => configs.push((trials.len(), config)),
                    Err(failure) => trial.set_results(vec![Err(failure)]),
                }
                trials.push(trial);
            }
            self.run_batch(&mut trials, configs)?;
            let next = self.spec.tpe.iter().flat_map(|tpe| tpe.suggest(&ranked(&trials)));
            let next = next.map(|setting| {
                let config = self.spec.config(&setting, self.group.context);
                (setting, config)
            });
            batch = next.collect();
        }
        Some(trials)
    }

    /// Trains the trials with these indices, for fewer epochs where halving drops one.
    fn run_batch(&self, trials: &mut [Trial], mut kept: Vec<(usize, RunConfig)>) -> Option<()> {
        for round in 0.. {
            let epochs = self.spec.halving.map_or(usize::MAX, |halving| halving.epochs_of(round));
            let mut jobs = Vec::new();
            for (trial, config) in &kept {
                for seed in config.seed..config.seed + self.spec.seeds {
                    let config = RunConfig { seed, ..config.clone() };
                    let epochs = epochs.min(config.training.most_epochs());
                    jobs.push(Job { trial: *trial, epochs, config });
                }
            }
            if round > 0 {
                self.group.progress.add_runs(jobs.len());
            }
            let mut results = self.group.run_parallel(&jobs, |job| self.run(job));
            if self.group.signals.received().is_some() {
                return None;
            }
            for (index, _) in &kept {
                let own_jobs = jobs.iter().filter(|job| job.trial == *index);
                let runs = own_jobs.map(Job::name).collect();
                let own = results.extract_if(.., |(trial, _)| trial == index);
                let own = own.map(|(_, scores)| scores).collect();
                let Some(trial) = trials.get_mut(*index) else { continue };
                trial.set_results(own);
                trial.runs = runs;
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

    /// The index of the trial and the scores of a run; `None` if a signal stopped it.
    fn run(&self, job: &Job) -> Option<(usize, Result<RunScores, Failure>)> {
        let scores = self.train(job).transpose()?;
        let line = match &scores {
            Ok(scores) => {
                format!("validation {:.1} %, {} epochs", 100.0 * scores.validation, scores.epochs)
            }
            Err(failure) => format!("{} {}", style::bad("failed:"), failure.plain_message()),
        };
        self.group.progress.run_done(&job.name(), &line);
        Some((job.trial, scores))
    }

    /// Trains the run up to its epoch, if an earlier call did not; `None` if a signal stopped it.
    fn train(&self, job: &Job) -> Result<Option<RunScores>, Failure> {
        let group = self.group;
        let experiment = group.context.prepare(&job.config, group.device)?;
        let examples = experiment.data_identity().counts.get("train").copied().unwrap_or_default();
        // With the batch size that `auto` resolves to.
        let steps = experiment.config().training.steps(examples);
        let mut run = match group.open(experiment, &job.name())? {
            GroupRun::Finished(directory, summary) => {
                return Ok(Some(RunScores::read(&directory, job, summary.test_accuracy)?));
            }
            GroupRun::Open(run) => run,
        };
        let (_, done) = run.done();
        // Up to the first step of the next epoch: the last epoch is validated by then.
        let last = job.epochs.saturating_mul(steps).saturating_add(1);
        let mut test = None;
        if done < last {
            let stop = stop_after(last - done, group.signals.stop_source());
            match run.train(group.ui(job.name(), stop))? {
                Outcome::Finished(summary) => test = summary.test_accuracy,
                Outcome::Stopped(_) if group.signals.received().is_some() => return Ok(None),
                Outcome::Stopped(_) => {}
            }
        }
        Ok(Some(RunScores::read(run.directory(), job, test)?))
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
    /// Replaces the results by those of a round.
    fn set_results(&mut self, results: Vec<Result<RunScores, Failure>>) {
        let Self { rounds, overrides, .. } = std::mem::take(self);
        *self = Self { rounds, overrides, ..Self::default() };
        for result in results {
            match result {
                Ok(scores) => {
                    self.epochs = self.epochs.max(scores.epochs);
                    self.validation_accuracy.push(scores.validation);
                    self.test_accuracy.extend(scores.test);
                }
                Err(failure) => self.failed.push(failure.plain_message()),
            }
        }
        self.test_accuracy.sort_by(f64::total_cmp);
        let scores = &mut self.validation_accuracy;
        scores.sort_by(f64::total_cmp);
        if self.failed.is_empty() && !scores.is_empty() {
            self.mean = Some(scores.iter().sum::<f64>() / scores.len() as f64);
            self.interval = interval(scores);
        }
        self.rounds.push(self.score());
    }

    /// Mean validation accuracy; below all others if a run failed.
    pub fn score(&self) -> f64 {
        self.mean.unwrap_or(-1.0)
    }
}

/// Number of scores from which a confidence interval is better than their range.
const FEW: usize = 5;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 2000;

/// The range of a few ascending `scores`, or the 95 % percentile interval of the mean of more, by the
/// bootstrap; both lie within the scores.
fn interval(scores: &[f64]) -> Option<[f64; 2]> {
    if scores.len() < FEW {
        let [first, .., last] = scores else { return None };
        return Some([*first, *last]);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut resample = || {
        let sampled = scores.iter().filter_map(|_| scores.get(rng.random_range(0..scores.len())));
        sampled.sum::<f64>() / scores.len() as f64
    };
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample()).collect();
    means.sort_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    Some([*means.get(tail)?, *means.get(RESAMPLES - 1 - tail)?])
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
        place(other).cmp(&place(one)).then(other.score().total_cmp(&one.score()))
    });
    ranked.into_iter().map(|trial| &trial.overrides).collect()
}

/// Stops after `steps` steps, or when `stop` does.
fn stop_after(steps: usize, mut stop: StopSource) -> StopSource {
    let mut taken = 0;
    Box::new(move || {
        taken += 1;
        stop().or((taken >= steps).then_some(Stop::Interrupted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_lies_within_the_scores() {
        assert_eq!(interval(&[0.9]), None);
        assert_eq!(interval(&[0.90, 0.92, 1.0]), Some([0.90, 1.0]));
        let [low, high] = interval(&[0.7, 0.8, 0.9, 1.0, 1.0, 1.0]).unwrap();
        // Mean 0.9 with a standard error of 0.05.
        assert!((0.78..0.84).contains(&low) && (0.96..=1.0).contains(&high), "{low} {high}");
        assert_eq!(interval(&[1.0; 7]), Some([1.0, 1.0]));
    }
}
