//! `trainer train`: trains a config or data, or resumes a run.

#[cfg_attr(not(feature = "distributed"), path = "train/no_workers.rs")]
mod workers;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use artifacts::{RunDir, Summary};
use clap::Args;
use data::SplitKind;
use training::{Experiment, Outcome, Run, RunConfig, Stop, Ui};

use super::config::{file_name, propose};
use super::runs::find_run;
use super::synthetic_line;
use crate::cli::{Overrides, RunsOption};
use crate::context::Context;
use crate::error::Failure;
use crate::signals::Signals;
use crate::ui::UiChoice;
use crate::{pictures, print, signals, style, terminal, text};
use workers::{Connected, WorkerOptions};

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// TOML file of the experiment
    #[arg(value_name = "CONFIG", conflicts_with = "config")]
    pub input: Option<PathBuf>,
    #[command(flatten)]
    pub options: TrainOptions,
}

#[derive(Debug, Default, PartialEq, Args)]
pub struct TrainOptions {
    /// TOML file of the experiment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    set: Overrides,
    /// Number of epochs, short for --set training.epochs=N
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// Time for the whole command, as 90s, 10m or 1.5h: trains as many epochs as fit
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "epochs")]
    time: Option<Duration>,
    /// Device: cpu, gpu, or one that `trainer devices` lists [default: from the config, else the
    /// best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    #[command(flatten)]
    workers: WorkerOptions,
    /// Directory of the new run [default: runs/NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    run_dir: Option<PathBuf>,
    #[command(flatten)]
    runs: RunsOption,
    /// Resume the latest run of the config, or this run, by name or directory
    #[arg(long, value_name = "RUN", num_args = 0..=1)]
    resume: Option<Option<PathBuf>>,
    /// Train and evaluate on two batches of each part, to test config and data; keeps nothing
    #[arg(long, conflicts_with_all = ["resume", "run_dir"])]
    pub fast_dev_run: bool,
    /// Display of the training progress
    #[arg(long, value_enum, default_value_t)]
    pub ui: UiChoice,
}

impl TrainOptions {
    /// All overrides of the config; `--epochs` and `--time` have precedence.
    fn overrides(&self) -> Vec<String> {
        let epochs = self.epochs.map(|epochs| format!("training.epochs={epochs}"));
        let minutes = self.time.map(|time| time.as_secs_f64() / 60.0);
        let minutes = minutes.map(|minutes| format!("training.max_minutes={minutes:?}"));
        self.set.overrides.iter().cloned().chain(epochs).chain(minutes).collect()
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0)];
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = units.iter().find(|(name, _)| text.strip_prefix(number) == Some(name));
    let seconds = unit.and_then(|(_, unit)| Some(unit * number.trim().parse::<f64>().ok()?));
    let seconds = seconds.filter(|seconds| (0.1..=6e7).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected a time with its unit, for example 90s, 10m or 1.5h".to_owned())
}

/// Trains the experiment at `input`, a config, or resumes a run.
pub fn run(input: Option<&Path>, options: &TrainOptions, context: &Context) -> Result<(), Failure> {
    // First, so that a signal during preparation already ends with its exit code.
    let signals = signals::listen()?;
    let started = Instant::now();
    options.ui.check()?;
    join_worker_threads();
    let training = Training { options, context, signals };
    let prepared = training.prepare(input);
    // Ctrl-C also ends the HDF5 reader process, which is not a failure then.
    if let Some(stop) = training.signals.received() {
        let text = "stopped before the first step: nothing new was trained\ncontinue: the same command again";
        return Err(training.stopped(text, stop));
    }
    let refused = |failure: &Failure| tracing::debug!("refused: {}", failure.plain_message());
    let (experiment, resumed) = prepared.inspect_err(refused)?;
    let experiment = experiment.started_at(started);
    if options.fast_dev_run {
        return training.fast_dev_run(experiment);
    }
    let workers = Connected::connect(&experiment).inspect_err(refused)?;
    let (mut run, header) = training.open(experiment, resumed).inspect_err(refused)?;
    let header = workers.train(&mut run, header);
    let summary = training.fit(&mut run, &header)?;
    let Some(mut last) = run.final_fit(&summary)? else { return Ok(()) };
    let workers = Connected::connect(last.experiment())?;
    context.log.attach(&last.directory().log())?;
    let examples = last.data().train.len();
    let epochs = last.config().training.planned_epochs(examples).unwrap_or_default();
    let directory = text::path(last.directory().path());
    let header =
        format!("final fit on all {examples} examples, {epochs} epochs; output: {directory}");
    let header = workers.train(&mut last, header);
    training.fit(&mut last, &header).map(drop)
}

/// A call of the command.
struct Training<'a> {
    options: &'a TrainOptions,
    context: &'a Context<'a>,
    signals: Signals,
}

impl Training<'_> {
    /// Reads the config, loads the data and finds the directory of the run to resume.
    fn prepare(&self, input: Option<&Path>) -> Result<(Experiment, Option<RunDir>), Failure> {
        let (mut config, resumed) = self.config(input)?;
        if self.options.time.is_some() {
            // As many epochs as fit.
            config.training.epochs = None;
            config.training.plan.clear();
        }
        self.options.workers.set_in(&mut config);
        Ok((self.context.prepare(&config, self.options.device.as_deref())?, resumed))
    }

    /// The config, and the directory of the run to resume.
    fn config(&self, input: Option<&Path>) -> Result<(RunConfig, Option<RunDir>), Failure> {
        let Self { options, context, .. } = self;
        let (runs, overrides) = (options.runs.path(), options.overrides());
        let resume = options.resume.as_ref().map(Option::as_deref);
        // `--resume signs.toml` names the config: it is the latest run of this config.
        let (input, resume) = match (input.or(options.config.as_deref()), resume) {
            (None, Some(Some(path))) if path.is_file() => (Some(path), Some(None)),
            given => given,
        };
        match (input, resume) {
            (Some(path), None) if options.config.is_none() && is_data(path) => {
                Ok((self.of_data(path, &overrides)?, None))
            }
            (Some(path), resume) => {
                let config = context.read_config(path, &overrides)?;
                let run = match resume {
                    None => None,
                    Some(None) => Some(RunDir::latest(runs, &config.name)?),
                    Some(Some(run)) => Some(RunDir::open(&find_run(runs, run)?)?),
                };
                Ok((config, run))
            }
            (None, Some(Some(run))) => {
                let run = RunDir::open(&find_run(runs, run)?)?;
                Ok((context.read_config(&run.config(), &overrides)?, Some(run)))
            }
            (None, Some(None)) => Err(Failure::usage(
                "which run?\n  name it, --resume runs/signs, or its config, --config configs/signs.toml --resume",
            )),
            (None, None) => Err(Failure::usage(
                "which experiment?\n  name its config: trainer train configs/signs.toml",
            )),
        }
    }

    /// The config that `config init` proposes for data, with overrides. It is printed.
    fn of_data(&self, path: &Path, overrides: &[String]) -> Result<RunConfig, Failure> {
        let directory = text::path(path);
        if RunDir::open(path).is_ok() {
            return Err(Failure::usage(format!(
                "{directory} is a run\n  resume it: trainer --resume {directory}; or train its config again: trainer train {directory}/config.toml"
            )));
        }
        let name = file_name(path);
        let text = propose(path, &name)?;
        print::event(&style::faint(text.trim_end()));
        Ok(RunConfig::parse(&name, &text, overrides, self.context.models)?)
    }

    /// Creates or resumes the run and attaches its log; returns the header to print.
    fn open(
        &self,
        experiment: Experiment,
        resumed: Option<RunDir>,
    ) -> Result<(Run, String), Failure> {
        let Self { options, context, .. } = self;
        let header = header(&experiment);
        let warnings = experiment.warnings().to_vec();
        let is_resumed = resumed.is_some();
        let run = if let Some(directory) = resumed {
            // Attached first, so that the log records which checkpoints are skipped.
            context.log.attach(&directory.log())?;
            experiment.resume(directory)?
        } else {
            let run = match &options.run_dir {
                Some(path) => experiment.start_at(path)?,
                None => experiment.start_in(options.runs.path())?,
            };
            context.log.attach(&run.directory().log())?;
            run
        };
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        let start = start_line(&run, is_resumed);
        Ok((run, format!("{header}\n{start}")))
    }

    /// Trains two steps of `experiment`, evaluates the model and writes its report, in a temporary
    /// directory that is removed.
    fn fast_dev_run(&self, experiment: Experiment) -> Result<(), Failure> {
        for warning in experiment.warnings() {
            tracing::warn!("{warning}");
        }
        let directory = tempfile::tempdir()?;
        let mut run = experiment.fast_dev_run().start_at(&directory.path().join("run"))?;
        if let Outcome::Stopped(stop) = run.train(Ui::silent(self.signals.stop_source()))? {
            return Err(Failure::stopped("", stop));
        }
        pictures::write_report(
            self.context,
            run.directory(),
            Some(run.device()),
            Some(&run.data()),
        )?;
        print::result(&format!(
            "{}: {} trained, evaluated and reported on two batches of each part; nothing is kept",
            style::good("everything works"),
            run.name()
        ))
    }

    /// Trains `run` to its end unless it is finished, draws its pictures, prints how it ended and returns its
    /// result.
    fn fit(&self, run: &mut Run, header: &str) -> Result<Summary, Failure> {
        if let Some(summary) = run.finished()? {
            let curves = run.directory().picture("curves").with_extension("svg");
            if !run.directory().report().is_file() || !curves.is_file() {
                // The process was killed, or the disk was full, after it had recorded the result.
                self.draw_all(run);
            }
            if !run.config().training.final_fit {
                self.announce(&nothing_to_do(run, &summary));
            }
            return Ok(summary);
        }
        self.announce(header);
        let ui = self.options.ui.of_run(run, &self.signals);
        let outcome = support::panics::catch(|| run.train(ui));
        // After a panic another thread may not have left it yet.
        terminal::close();
        match outcome.map_err(|panic| Failure::panic(&panic))?? {
            Outcome::Finished(summary) => {
                self.draw_all(run);
                self.announce(&finished(run, &summary));
                Ok(*summary)
            }
            Outcome::Stopped(stop) => {
                pictures::draw(self.context, run.directory(), run.name(), Some(run.device()));
                let directory = text::path(run.directory().path());
                let resume = style::faint(&format!("resume: trainer --resume {directory}"));
                Err(self.stopped(&format!("stopped; a checkpoint is committed\n{resume}"), stop))
            }
        }
    }

    /// Draws the pictures and the report of a finished run.
    fn draw_all(&self, run: &Run) {
        let (directory, device) = (run.directory(), Some(run.device()));
        pictures::draw(self.context, directory, run.name(), device);
        if let Err(failure) =
            pictures::write_report(self.context, directory, device, Some(&run.data()))
        {
            tracing::warn!("cannot write the report of the run: {}", failure.plain_message());
        }
    }

    /// Logs a message, and prints it unless `--ui none` is given.
    fn announce(&self, text: &str) {
        tracing::debug!("{}", style::plain(text));
        if self.options.ui != UiChoice::None {
            print::event(text);
        }
    }

    /// Announces that the program was stopped, and returns its end.
    fn stopped(&self, text: &str, stop: Stop) -> Failure {
        self.announce(text);
        Failure::stopped("", stop)
    }
}

/// Makes this thread one of those that run kernels. Otherwise it would be put to sleep and woken
/// for every piece of a step.
pub fn join_worker_threads() {
    // A pool of this thread alone would deadlock other threads that wait for their tasks.
    if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        rayon::ThreadPoolBuilder::new().use_current_thread().build_global().ok();
    }
}

/// Returns true for a folder or an HDF5 file, false for the path of a config.
fn is_data(path: &Path) -> bool {
    let ending = path.extension().map(OsStr::to_ascii_lowercase);
    path.is_dir() || ending.is_some_and(|ending| ending == "h5" || ending == "hdf5")
}

fn header(experiment: &Experiment) -> String {
    let data = experiment.data_identity();
    let head = format!(
        "{}{}: {} in {} classes; seed {}, on {}\n{}",
        synthetic_line(data.synthetic),
        style::strong(&experiment.config().name),
        text::examples(data.are_images, data.shape),
        data.classes.len(),
        experiment.config().seed,
        experiment.device(),
        text::counts(&data.counts),
    );
    let notes = experiment.notes().iter();
    let notes = notes.map(|note| format!("\n{}", style::faint(&text::escaped(note))));
    head + &notes.collect::<String>()
}

fn start_line(run: &Run, is_resumed: bool) -> String {
    let directory = text::path(run.directory().path());
    match run.done() {
        (0, 0) if is_resumed => {
            format!("resuming {directory} from the start: it has no checkpoint")
        }
        (0, 0) => {
            let weights = run.initial_weights().map_or(String::new(), |from| {
                format!("starts from {}: {}\n", text::path(&from.path), from.tensors())
            });
            format!("{weights}{} parameters; output: {directory}", run.parameters())
        }
        (epochs, steps) => format!("resuming {directory} after epoch {epochs}, step {steps}"),
    }
}

fn finished(run: &Run, summary: &Summary) -> String {
    let model = match &summary.best {
        Some(best) if best.epoch < summary.epochs => format!("best epoch {}", best.epoch),
        _ => "last epoch".to_owned(),
    };
    let (reported, accuracy) = summary.reported();
    let score = style::strong(&format!("{reported} accuracy {:.1} %", 100.0 * accuracy));
    let train = format!("train accuracy {:.1} %, ", 100.0 * summary.train_accuracy);
    let (train, note) = match reported {
        SplitKind::Test => (train.as_str(), ""),
        SplitKind::Validation => (train.as_str(), " (no test set)"),
        SplitKind::Train => {
            ("", ", which says nothing about new data: no test set and no validation set")
        }
    };
    let budget = match run.config().training.max_minutes {
        None => String::new(),
        Some(minutes) => {
            let time = match minutes {
                minutes if minutes < 2.0 => format!("{:.1} s", 60.0 * minutes),
                minutes => format!("{minutes:.1} min"),
            };
            format!("\n{} epochs in the time budget of {time}", summary.epochs)
        }
    };
    let directory = text::path(run.directory().path());
    let next = format!("next: trainer evaluate {directory}, or open {directory}/report.html");
    format!(
        "done in {:.1} s: {model}, {train}{score}{note}{budget}\n{}{}",
        summary.seconds,
        synthetic_line(summary.synthetic),
        style::faint(&next),
    )
}

fn nothing_to_do(run: &Run, summary: &Summary) -> String {
    let training = &run.config().training;
    let planned = training.planned_epochs(run.data().train.len()).unwrap_or(summary.epochs);
    let done = summary.epochs;
    let directory = text::path(run.directory().path());
    let early = if done < planned { " by early stopping" } else { "" };
    let more = match training.max_minutes {
        Some(minutes) => format!("--time {}m", 2.0 * minutes),
        None => format!("--epochs {}", 2 * planned),
    };
    format!(
        "{directory} is finished{early}, after {done} of {planned} epochs: there is nothing to do\n{}",
        style::faint(&format!("for more epochs: trainer --resume {directory} {more}"))
    )
}
