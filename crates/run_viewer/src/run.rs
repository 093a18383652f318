use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use artifacts::{Environment, RunDir, RunStatus, StatusFile, Summary};
use report::RunRow;
use serde::Deserialize;

use crate::points::{Point, Points, of_metrics, of_timings};

/// The files whose change changes what is shown of a run.
const FILES: [&str; 8] = [
    "config.toml",
    "environment.json",
    "lock",
    METRICS,
    "report.html",
    "status.json",
    "summary.json",
    TIMINGS,
];
const METRICS: &str = "metrics.jsonl";
const TIMINGS: &str = "timings.jsonl";

/// Number of epochs whose mean time predicts that of others.
const RECENT: usize = 10;

/// Size and time of a file, and whether it is one.
type Stamp = Option<(u64, SystemTime, bool)>;

/// A run.
#[derive(Debug)]
pub struct Run {
    pub row: RunRow,
    /// The row as HTML.
    pub html: String,
    /// The version of all runs in which it changed last.
    pub version: u64,
    pub metrics: Points,
    pub timings: Points,
    path: PathBuf,
    stamps: [Stamp; FILES.len()],
    /// Whether a client shows its curves.
    is_followed: bool,
}

/// The part of a config that plans the time of a run.
#[derive(Deserialize)]
struct Plan {
    training: Training,
}

#[derive(Deserialize)]
struct Training {
    epochs: Option<usize>,
    max_minutes: Option<f64>,
}

impl Run {
    pub fn new(path: PathBuf) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self {
            row: RunRow { name, ..RunRow::default() },
            html: String::new(),
            version: 0,
            metrics: Points::new(of_metrics),
            timings: Points::new(of_timings),
            path,
            stamps: [None; FILES.len()],
            is_followed: false,
        }
    }

    /// Reads the run if its files have changed or it is running. It is of this `version` if it is then
    /// shown otherwise than before.
    pub fn refresh(&mut self, version: u64) {
        let stamps = FILES.map(|name| stamp(&self.path.join(name)));
        // The lock of a process that is killed becomes free without a change of a file.
        if stamps == self.stamps && self.row.status != Some(RunStatus::Running) {
            return;
        }
        self.stamps = stamps;
        let name = self.row.name.clone();
        self.row = self
            .read()
            .unwrap_or_else(|reason| RunRow { reason: Some(reason), ..RunRow::default() });
        self.row.name = name;
        let html = self.row.html();
        if html != self.html {
            (self.html, self.version) = (html, version);
        }
    }

    /// Keeps the curves, until `unfollow`.
    pub fn follow(&mut self) {
        self.is_followed = true;
        self.read_points();
    }

    /// Frees the curves that no client shows.
    pub fn unfollow(&mut self) {
        self.is_followed = false;
        if self.row.status == Some(RunStatus::Finished) {
            self.metrics = Points::new(of_metrics);
            self.timings = Points::new(of_timings);
        }
    }

    fn read_points(&mut self) {
        if self.check().is_ok() {
            self.metrics.read(&self.path.join(METRICS));
            self.timings.read(&self.path.join(TIMINGS));
        }
    }

    /// Fails if a file is something else: a link may lead out of the folder of runs.
    fn check(&self) -> Result<(), String> {
        let other =
            FILES.iter().zip(&self.stamps).find(|(_, stamp)| matches!(stamp, Some((_, _, false))));
        other.map_or(Ok(()), |(name, _)| Err(format!("{name} is not a file")))
    }

    fn read(&mut self) -> Result<RunRow, String> {
        self.check()?;
        let error = |error: artifacts::ArtifactError| error.to_string();
        let run = RunDir::open(&self.path).map_err(error)?;
        let environment = Environment::read(&run).map_err(error)?;
        let owner = run.owner().map_err(error)?;
        let summary = Summary::read(&run).map_err(error)?;
        let (status, reason) = RunStatus::of(&run, owner, summary.as_ref()).map_err(error)?;
        let is_finished = status == RunStatus::Finished;
        let file = if is_finished { None } else { StatusFile::read(&run).map_err(error)? };
        let mut row = RunRow {
            status: Some(status),
            reason,
            started: environment.started,
            device: environment.device,
            seconds: file.map(|file| file.seconds),
            has_report: run.report().is_file(),
            ..RunRow::default()
        };
        if self.is_followed || !is_finished {
            self.read_points();
        }
        let last = if is_finished {
            Points::last_of(&run.metrics_jsonl(), of_metrics)
        } else {
            self.metrics.all.last().cloned()
        };
        if let Some(last) = last {
            row.epochs_done = value(&last, 0).unwrap_or_default() as usize;
            row.validation_loss = value(&last, 2);
            row.validation_accuracy = value(&last, 3).map(|percent| percent / 100.0);
        }
        match summary.filter(|_| is_finished) {
            Some(summary) => {
                row.epochs_done = summary.epochs;
                row.test_accuracy = summary.test_accuracy;
                row.best = summary.best.map(|best| (best.accuracy, best.epoch));
                row.seconds = Some(summary.seconds);
            }
            None => self.progress(&run, &mut row),
        }
        Ok(row)
    }

    /// How far a run without a result is.
    fn progress(&self, run: &RunDir, row: &mut RunRow) {
        let plan: Option<Plan> =
            fs::read_to_string(run.config()).ok().and_then(|text| toml::from_str(&text).ok());
        row.epochs = plan.as_ref().and_then(|plan| plan.training.epochs);
        row.best = best(&self.metrics.all);
        if row.status != Some(RunStatus::Running) {
            return;
        }
        let timed =
            self.timings.all.last().and_then(|last| value(last, 0)).unwrap_or_default() as usize;
        row.epochs_done = row.epochs_done.max(timed);
        row.seconds = row.seconds.map(|before| before + age(&run.status()));
        let planned = row.epochs.and_then(|epochs| {
            let epochs = epochs.checked_sub(row.epochs_done).filter(|epochs| *epochs > 0)?;
            Some(epochs as f64 * self.epoch_seconds()? - age(&run.path().join(TIMINGS)))
        });
        let budget = plan.and_then(|plan| Some(60.0 * plan.training.max_minutes? - row.seconds?));
        row.seconds_left = planned.or(budget.filter(|_| row.epochs.is_none()));
    }

    /// Mean seconds of the last epochs.
    fn epoch_seconds(&self) -> Option<f64> {
        let recent: Vec<f64> = self
            .timings
            .all
            .iter()
            .rev()
            .take(RECENT)
            .filter_map(|point| value(point, 2))
            .collect();
        (!recent.is_empty()).then(|| recent.iter().sum::<f64>() / recent.len() as f64)
    }
}

fn value(point: &Point, column: usize) -> Option<f64> {
    point.get(column).copied().flatten()
}

/// The best validation accuracy, 0 to 1, on ties the one with the lower loss, and its epoch.
fn best(points: &[Point]) -> Option<(f64, usize)> {
    let scored = points
        .iter()
        .filter_map(|point| Some((value(point, 3)?, -value(point, 2)?, value(point, 0)?)));
    let best =
        scored.reduce(|best, next| if (next.0, next.1) > (best.0, best.1) { next } else { best });
    best.map(|(percent, _, epoch)| (percent / 100.0, epoch as usize))
}

fn stamp(path: &Path) -> Stamp {
    let found = path.symlink_metadata().ok()?;
    Some((found.len(), found.modified().ok()?, found.is_file()))
}

/// Seconds since a file was written.
fn age(path: &Path) -> f64 {
    let written = path.metadata().and_then(|found| found.modified());
    written.map_or(Duration::ZERO, |time| time.elapsed().unwrap_or_default()).as_secs_f64()
}
