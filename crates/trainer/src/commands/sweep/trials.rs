use std::path::Path;
use std::sync::Arc;

use burn::train::Interrupter;
use training::{Outcome, Plan, RunConfig, RunDir, Stop, StopSource, Ui, validation_accuracies};

use super::super::batch::{Standing, standing};
use super::super::pool;
use super::super::progress::Progress;
use super::order::{Order, Setting};
use crate::error::Failure;
use crate::signals::Signals;
use crate::style;
use crate::ui::Plain;

/// A setting that was trained.
#[derive(Debug, Clone)]
pub struct Tried {
    pub setting: Setting,
    /// The epochs of each of its runs.
    pub epochs: usize,
    /// The best validation accuracy of each seed.
    pub scores: Vec<f64>,
    /// The test accuracy of each seed, of runs that went to their end.
    pub test: Vec<f64>,
    /// What went wrong, one text a run that failed.
    pub failed: Vec<String>,
}

/// Where and how settings are trained.
pub struct Trials<'a> {
    directory: &'a Path,
    device: Option<&'a str>,
    signals: &'a Signals,
    order: &'a Order,
    is_silent: bool,
}

/// One run: of which setting, by its index, and how far.
struct Job<'a> {
    index: usize,
    config: RunConfig,
    epochs: usize,
    progress: &'a Arc<Progress>,
}

/// What a run reached.
struct Reached {
    index: usize,
    outcome: Result<(f64, Option<f64>), Failure>,
}

impl<'a> Trials<'a> {
    /// Runs in `directory`, and whether to tell nothing of how far they are.
    pub fn new(
        directory: &'a Path,
        device: Option<&'a str>,
        signals: &'a Signals,
        order: &'a Order,
        is_silent: bool,
    ) -> Self {
        Self { directory, device, signals, order, is_silent }
    }

    /// Trains all settings, so many runs at once, each as long as it is worth; `None` if that was
    /// stopped.
    pub fn all(
        &self,
        settings: &[(Setting, RunConfig)],
        at_once: usize,
    ) -> Result<Option<Vec<Tried>>, Failure> {
        let mut tried: Vec<Tried> =
            settings.iter().map(|(setting, _)| Tried::new(setting)).collect();
        let mut alive: Vec<usize> = (0..settings.len()).collect();
        let longest = settings.iter().map(|(_, config)| config.training.epochs).max().unwrap_or(0);
        let mut epochs = self.order.halving.map_or(longest, |halving| halving.epochs.min(longest));
        loop {
            if !self.rung(settings, &alive, epochs, at_once, &mut tried) {
                return Ok(None);
            }
            let Some(halving) = self.order.halving.filter(|_| epochs < longest) else {
                return Ok(Some(tried));
            };
            alive.sort_by(|one, other| mean_of(&tried, *other).total_cmp(&mean_of(&tried, *one)));
            alive.truncate(alive.len().div_ceil(halving.factor));
            epochs =
                if alive.len() == 1 { longest } else { (epochs * halving.factor).min(longest) };
        }
    }

    /// Trains those that are alive for so many epochs; whether nobody stopped it.
    fn rung(
        &self,
        settings: &[(Setting, RunConfig)],
        alive: &[usize],
        epochs: usize,
        at_once: usize,
        tried: &mut [Tried],
    ) -> bool {
        let runs = alive.len() * self.order.seeds as usize;
        let progress = if self.is_silent { Progress::silent(runs) } else { Progress::new(runs) };
        let progress = Arc::new(progress);
        let all = alive.iter().filter_map(|&index| Some((index, &settings.get(index)?.1)));
        let seeds = |(index, config): (usize, &RunConfig)| {
            let config = config.clone();
            let first = config.seed;
            (first..first + self.order.seeds)
                .map(move |seed| (index, RunConfig { seed, ..config.clone() }))
        };
        let jobs: Vec<Job> = all
            .flat_map(seeds)
            .map(|(index, config)| Job {
                index,
                epochs: epochs.min(config.training.epochs),
                config,
                progress: &progress,
            })
            .collect();
        let reached = pool::each(&jobs, at_once, |job| self.one(job));
        drop(jobs);
        drop(progress);
        if self.signals.received().is_some() {
            return false;
        }
        for index in alive {
            if let Some(tried) = tried.get_mut(*index) {
                tried.note(epochs, reached.iter().filter(|reached| reached.index == *index));
            }
        }
        true
    }

    fn one(&self, job: &Job) -> Option<Reached> {
        if self.signals.received().is_some() {
            return None;
        }
        let outcome = self.fit(job).transpose()?;
        let line = match &outcome {
            Ok((score, _)) => format!("validation {:.1} %, {} epochs", 100.0 * score, job.epochs),
            Err(failure) => format!("{} {}", style::bad("failed:"), failure.message()),
        };
        job.progress.done(&job.name(), &line);
        Some(Reached { index: job.index, outcome })
    }

    /// Takes what is there of an earlier call, or goes on; the best validation accuracy so far and,
    /// of a finished run, the test accuracy. `None` if a signal stopped it.
    fn fit(&self, job: &Job) -> Result<Option<(f64, Option<f64>)>, Failure> {
        let plan = Plan::prepare(&job.config, self.device, option_env!("TRAINER_COMMIT"))?;
        let examples = plan.data().counts.get("train").copied().unwrap_or_default();
        let path = self.directory.join(job.name());
        let mut run = match standing(plan, &path)? {
            Standing::Finished(earlier, summary) => {
                return Ok(Some((score(&earlier)?, Some(summary.test_accuracy))));
            }
            Standing::Open(run) => run,
        };
        let (directory, (_, done)) = (run.directory().clone(), run.done());
        // The first step of the epoch after the last one: that is validated then.
        let enough = job.epochs * job.config.training.steps(examples) + 1;
        if done >= enough {
            return Ok(Some((score(&directory)?, None)));
        }
        let outcome = run.fit(self.ui(job, enough - done))?;
        Ok(match outcome {
            Outcome::Finished(summary) => Some((score(&directory)?, Some(summary.test_accuracy))),
            Outcome::Stopped(_) if self.signals.received().is_some() => None,
            Outcome::Stopped(_) => Some((score(&directory)?, None)),
        })
    }

    fn ui(&self, job: &Job, steps: usize) -> Ui {
        let (progress, name) = (Arc::clone(job.progress), job.name());
        let show = move |line: &str| progress.update(&name, line);
        Ui {
            renderer: Box::new(Plain::new(show)),
            interrupter: Interrupter::new(),
            stop: after(steps, self.signals.stop_source()),
        }
    }
}

impl Job<'_> {
    fn name(&self) -> String {
        format!("{:03}-seed-{}", self.index + 1, self.config.seed)
    }
}

impl Tried {
    fn new(setting: &Setting) -> Self {
        Self { setting: setting.clone(), epochs: 0, scores: vec![], test: vec![], failed: vec![] }
    }

    /// Takes the outcomes of a longer training in place of those before.
    fn note<'r>(&mut self, epochs: usize, reached: impl Iterator<Item = &'r Reached>) {
        *self = Self { epochs, ..Self::new(&self.setting) };
        for reached in reached {
            match &reached.outcome {
                Ok((score, test)) => {
                    self.scores.push(*score);
                    self.test.extend(*test);
                }
                Err(failure) => self.failed.push(failure.message().to_owned()),
            }
        }
        self.scores.sort_by(f64::total_cmp);
    }

    /// The mean score; below all others if a run failed.
    pub fn mean(&self) -> f64 {
        match self.failed.is_empty() && !self.scores.is_empty() {
            true => self.scores.iter().sum::<f64>() / self.scores.len() as f64,
            false => -1.0,
        }
    }
}

fn mean_of(tried: &[Tried], index: usize) -> f64 {
    tried.get(index).map_or(-1.0, Tried::mean)
}

/// The best validation accuracy of a run.
fn score(run: &RunDir) -> Result<f64, Failure> {
    let best = validation_accuracies(run)?.into_iter().reduce(f64::max);
    // With `report_every_epochs` there may be none yet.
    Ok(best.unwrap_or(0.0))
}

/// Stops after so many steps, or when `stop` does.
fn after(steps: usize, mut stop: StopSource) -> StopSource {
    let mut taken = 0;
    Box::new(move || {
        taken += 1;
        stop().or((taken >= steps).then_some(Stop::Interrupted))
    })
}
