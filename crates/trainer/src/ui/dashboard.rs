//! Collects what the dashboard shows, and draws it in a thread of its own.

use std::fs;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use artifacts::{BestEpoch, EpochMetrics};
use data::Examples;
use support::memory;
use training::{Run, Ui, WorkerCount};

use super::pace::Pace;
use super::renderer::{Display, EpochEvent, Progress, Renderer, Scores};
use super::view::{Activity, History, Span, View};
use crate::signals::Signals;
use crate::{print, style, terminal, text};

/// Interval between two redraws.
const INTERVAL: Duration = Duration::from_millis(200);
/// Time to validate an example, as a part of the time to train on it.
const VALIDATION_COST: f64 = 1.0 / 3.0;

/// Shows `run` on the terminal until the returned user interface is dropped.
pub fn show(run: &Run, signals: &Signals, silent: Ui) -> Ui {
    let news = News { epoch: run.done().0 + 1, ..News::default() };
    let news = Arc::new(Mutex::new(news));
    let mut dashboard = Dashboard::new(run, signals.clone());
    let unread = Arc::downgrade(&news);
    terminal::open();
    let thread = thread::Builder::new().name("dashboard".into());
    thread.spawn(move || while dashboard.draw(&unread) {}).ok();
    let watched = Arc::clone(&news);
    let watch = Box::new(move |state: &training::TrainingState, last_epoch| {
        let mut news = lock(&watched);
        (news.epoch, news.last_epoch) = (state.epoch, last_epoch);
        news.best.clone_from(&state.best);
    });
    Ui { renderer: Box::new(Renderer::new(Reporter(news))), watch, ..silent }
}

/// What has happened since the last redraw.
#[derive(Default)]
struct News {
    progress: Progress,
    epochs: Vec<EpochEvent>,
    /// Number of the current epoch, which may not be reported.
    epoch: usize,
    /// Number of the epoch of the current pass.
    pass_epoch: usize,
    last_epoch: usize,
    best: Option<BestEpoch>,
}

fn lock(news: &Mutex<News>) -> MutexGuard<'_, News> {
    news.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the news to the thread that draws, and never waits for the terminal.
struct Reporter(Arc<Mutex<News>>);

impl Display for Reporter {
    fn progress(&mut self, progress: &Progress) {
        let mut news = lock(&self.0);
        if progress.examples == 0 && !progress.is_validating {
            news.pass_epoch = news.epoch;
        }
        news.progress = *progress;
    }

    fn epoch_done(&mut self, epoch: &EpochEvent) {
        lock(&self.0).epochs.push(epoch.clone());
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        terminal::close();
    }
}

struct Dashboard {
    view: View,
    signals: Signals,
    checkpoints: PathBuf,
    workers: Option<WorkerCount>,
    /// Numbers of training and validation examples.
    examples: [usize; 2],
    pace: Pace,
    started: Instant,
    /// Start of the epoch with this number.
    epoch: (usize, Instant),
}

impl Dashboard {
    fn new(run: &Run, signals: Signals) -> Self {
        let (data, now) = (run.data(), Instant::now());
        let rows = EpochMetrics::read_all(run.directory()).unwrap_or_default();
        let mut history = History::default();
        let done = |row: &&EpochMetrics| row.epoch <= run.done().0;
        rows.iter().take_while(done).for_each(|row| history.push(row.into()));
        Self {
            view: View {
                name: text::escaped(run.name()),
                directory: text::path(run.directory().path()),
                device: run.device().to_owned(),
                history,
                has_colours: AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
                ..View::default()
            },
            signals,
            checkpoints: run.directory().checkpoints(),
            workers: run.worker_count(),
            examples: [data.train.len(), data.validation.as_ref().map_or(0, Examples::len)],
            pace: Pace::default(),
            started: now,
            epoch: (0, now),
        }
    }

    /// Draws the news and waits for a key; returns whether the run goes on.
    fn draw(&mut self, news: &Weak<Mutex<News>>) -> bool {
        let Some(news) = news.upgrade() else { return false };
        self.read(&mut lock(&news));
        drop(news);
        if !terminal::draw(|frame| self.view.draw(frame)).unwrap_or(false) {
            return false;
        }
        if terminal::is_pressed(b'q', INTERVAL) {
            self.signals.interrupt();
        }
        true
    }

    fn read(&mut self, news: &mut News) {
        let (view, now, progress) = (&mut self.view, Instant::now(), news.progress);
        mem::take(&mut news.epochs).into_iter().for_each(|epoch| view.history.push(epoch));
        view.best = news.best.as_ref().map(|best| {
            let accuracy = Some(100.0 * best.accuracy);
            (best.epoch, Scores { loss: Some(best.loss), accuracy })
        });
        view.train = progress.train;
        view.learning_rate = progress.learning_rate;
        view.activity = match () {
            () if self.signals.received().is_some() => Activity::Stopping,
            () if progress.epochs == 0 => Activity::Starting,
            () if progress.is_validating => Activity::Validating,
            () => Activity::Training,
        };
        view.message = print::last_held().map(|note| text::escaped(&style::plain(&note)));
        if let Some(workers) = &self.workers {
            view.device = format!("{} of {} workers", workers.usable(), workers.all);
        }
        view.memory = memory::resident();
        view.checkpoint = newest(&self.checkpoints);
        self.measure(news, now);
    }

    /// Position, speed, and the time that is left.
    fn measure(&mut self, news: &News, now: Instant) {
        let [train, validation] = self.examples.map(|examples| examples as f64);
        let validation = validation * VALIDATION_COST;
        let fraction = news.progress.fraction();
        let work = match news.progress {
            Progress { is_validating: true, .. } => train + fraction * validation,
            _ => fraction * train,
        };
        let fraction = work / (train + validation);
        let epoch = if news.progress.total > 0 { news.pass_epoch } else { news.epoch };
        if self.epoch.0 != epoch {
            self.epoch = (epoch, now);
        }
        let (done, last) = ((epoch - 1) as f64 + fraction, news.last_epoch.max(epoch) as f64);
        // The first step allocates memory.
        if news.progress.examples > 0 || news.progress.total == 0 && news.progress.epochs > 0 {
            self.pace.record(now, done);
        }
        let span = |start, fraction, end| Span {
            fraction,
            elapsed: now - start,
            left: self.pace.until(end, now),
        };
        self.view.epoch = span(self.epoch.1, fraction, epoch as f64);
        self.view.run = span(self.started, done / last, last);
        self.view.epochs = (epoch, news.last_epoch.max(epoch));
        self.view.speed = self.pace.speed().map(|speed| speed * (train + validation));
    }
}

/// Age of the newest checkpoint in a directory.
fn newest(checkpoints: &Path) -> Option<Duration> {
    let entries = fs::read_dir(checkpoints).ok()?.flatten();
    let committed = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let times = committed.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    times.max()?.elapsed().ok()
}
