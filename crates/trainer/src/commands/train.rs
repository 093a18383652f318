use std::path::Path;
use std::process::ExitCode;
use std::thread;

use artifacts::{RunDir, Summary};
use data::SplitKind;
use training::{Experiment, Outcome, Run, RunConfig, Stop};

use super::{RUNS_DIR, synthetic_line};
use crate::cli::TrainArgs;
use crate::context::Context;
use crate::error::{Failure, signal_exit_code};
use crate::ui::UiChoice;
use crate::{pictures, print, signals, style, text};

/// Trains a model, or resumes a run.
pub fn train(args: &TrainArgs, context: &Context) -> Result<ExitCode, Failure> {
    // First, so that a signal during preparation already ends with its exit code.
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    args.ui.check()?;
    join_worker_threads();
    let prepared = prepare(args, context);
    // Ctrl-C also ends the HDF5 reader process, which is not a failure then.
    if let Some(stop) = signals.received() {
        return Ok(stopped_early(args.ui, stop));
    }
    let opened =
        prepared.and_then(|(experiment, resumed)| open(args, context, experiment, resumed));
    let refused = |failure: &Failure| tracing::debug!("refused: {}", failure.message());
    let mut run = opened.inspect_err(refused)?;
    let ui = args.ui.of_run(run.done().0, signals.stop_source());
    let outcome = run.train(ui)?;
    Ok(report(args.ui, context, &run, &outcome))
}

/// Makes this thread one of those that run kernels. Otherwise it would be put to sleep and woken
/// for every piece of a step.
fn join_worker_threads() {
    // A pool of this thread alone would deadlock other threads that wait for their tasks.
    if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        rayon::ThreadPoolBuilder::new().use_current_thread().build_global().ok();
    }
}

/// Reads the config, loads the data and finds the directory of the run to resume.
fn prepare(args: &TrainArgs, context: &Context) -> Result<(Experiment, Option<RunDir>), Failure> {
    let (config, resumed) = config(args, context)?;
    Ok((context.prepare(&config, args.device.as_deref())?, resumed))
}

/// The config, and the directory of the run to resume.
fn config(args: &TrainArgs, context: &Context) -> Result<(RunConfig, Option<RunDir>), Failure> {
    match (&args.config, &args.resume) {
        (Some(path), resume) => {
            let config = context.read_config(path, &args.overrides)?;
            let run = match resume {
                None => None,
                Some(None) => Some(RunDir::latest(Path::new(RUNS_DIR), &config.name)?),
                Some(Some(directory)) => Some(RunDir::open(directory)?),
            };
            Ok((config, run))
        }
        (None, Some(Some(directory))) => {
            let run = RunDir::open(directory)?;
            Ok((context.read_config(&run.config(), &args.overrides)?, Some(run)))
        }
        (None, _) => Err(Failure::usage(
            "which run?\n  name its directory, --resume runs/signs, or its config, --config configs/signs.toml --resume",
        )),
    }
}

/// Creates or resumes the run, attaches its log and prints the header.
fn open(
    args: &TrainArgs,
    context: &Context,
    experiment: Experiment,
    resumed: Option<RunDir>,
) -> Result<Run, Failure> {
    let header = header(&experiment);
    let is_resumed = resumed.is_some();
    let run = if let Some(directory) = resumed {
        // Attached first, so that the log records which checkpoints are skipped.
        context.log.attach(&directory.log())?;
        experiment.resume(directory)?
    } else {
        let run = match &args.run_dir {
            Some(path) => experiment.start_at(path)?,
            None => experiment.start_in(Path::new(RUNS_DIR))?,
        };
        context.log.attach(&run.directory().log())?;
        run
    };
    announce(args.ui, &format!("{header}\n{}", start_line(&run, is_resumed)));
    Ok(run)
}

/// Logs a message, and prints it unless `--ui none` is given.
fn announce(ui: UiChoice, text: &str) {
    tracing::debug!("{}", style::plain(text));
    if ui != UiChoice::None {
        print::event(text);
    }
}

fn header(experiment: &Experiment) -> String {
    let data = experiment.data_identity();
    let [height, width, channels] = data.shape;
    let examples = if data.are_images {
        format!("images of {height}x{width}x{channels}")
    } else {
        format!("points of {channels} features")
    };
    let counts: Vec<_> = ["train", "validation", "test"]
        .iter()
        .filter_map(|split| Some(format!("{} {split}", data.counts.get(*split)?)))
        .collect();
    format!(
        "{}{}: {examples} in {} classes; seed {}, on {}\n{}",
        synthetic_line(data.synthetic),
        style::strong(&experiment.config().name),
        data.classes.len(),
        experiment.config().seed,
        experiment.device(),
        counts.join(", "),
    )
}

fn start_line(run: &Run, is_resumed: bool) -> String {
    let directory = text::path(run.directory().path());
    match run.done() {
        (0, 0) if is_resumed => {
            format!("resuming {directory} from the start: it has no checkpoint")
        }
        (0, 0) => format!("{}{} parameters; output: {directory}", weights(run), run.parameters()),
        (epochs, steps) => format!("resuming {directory} after epoch {epochs}, step {steps}"),
    }
}

/// The line about the weights that the run starts from; empty if they are random.
fn weights(run: &Run) -> String {
    run.initial_weights().map_or(String::new(), |from| {
        format!("starts from {}: {}\n", text::path(&from.path), from.tensors())
    })
}

/// Draws the pictures of the run, prints how it ended and returns the exit code.
fn report(ui: UiChoice, context: &Context, run: &Run, outcome: &Outcome) -> ExitCode {
    let (directory, device) = (run.directory(), Some(run.device()));
    pictures::draw(context, directory, run.name(), device);
    match outcome {
        Outcome::Finished(summary) => {
            pictures::draw_report(context, directory, device, &run.data());
            announce(ui, &finished(directory.path(), summary));
            ExitCode::SUCCESS
        }
        Outcome::Stopped(stop) => {
            announce(ui, &stopped(directory.path()));
            ExitCode::from(signal_exit_code(*stop))
        }
    }
}

fn finished(directory: &Path, summary: &Summary) -> String {
    let best = summary.best.as_ref();
    let model = best.map_or("last epoch".to_owned(), |best| format!("best epoch {}", best.epoch));
    let directory = text::path(directory);
    let (reported, accuracy) = summary.reported();
    let score = style::strong(&format!("{reported} accuracy {:.1} %", 100.0 * accuracy));
    let train = match reported {
        SplitKind::Train => String::new(),
        _ => format!("train accuracy {:.1} %, ", 100.0 * summary.train_accuracy),
    };
    let note = match reported {
        SplitKind::Test => "",
        SplitKind::Validation => " (no test set)",
        SplitKind::Train => {
            ", which says nothing about new data: no test set and no validation set"
        }
    };
    let next = format!("next: trainer evaluate {directory}, or open {directory}/report.html");
    format!(
        "done in {:.1} s: {model}, {train}{score}{note}\n{}{}",
        summary.seconds,
        synthetic_line(summary.synthetic),
        style::faint(&next),
    )
}

fn stopped(directory: &Path) -> String {
    let resume = format!("resume: trainer --resume {}", text::path(directory));
    format!("stopped; a checkpoint is committed\n{}", style::faint(&resume))
}

/// Ends a program that was stopped while it read its data.
fn stopped_early(ui: UiChoice, stop: Stop) -> ExitCode {
    announce(
        ui,
        "stopped before the first step: nothing new was trained\ncontinue: the same command again",
    );
    ExitCode::from(signal_exit_code(stop))
}
