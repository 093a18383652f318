use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use artifacts::{RunDir, Summary};
use data::SplitKind;
use training::{Experiment, Outcome, Run, RunConfig, RunError, Stop, Ui};

use super::config::{file_name, propose};
use super::runs::find_run;
use super::synthetic_line;
use crate::cli::TrainOptions;
use crate::context::Context;
use crate::error::{Failure, signal_exit_code};
use crate::signals::Signals;
use crate::ui::{UiChoice, is_kill};
use crate::{pictures, print, signals, style, terminal, text};

/// Trains the experiment at `input`, a config, or resumes a run.
pub fn train(
    input: Option<&Path>,
    options: &TrainOptions,
    context: &Context,
) -> Result<ExitCode, Failure> {
    // First, so that a signal during preparation already ends with its exit code.
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let started = Instant::now();
    options.ui.check()?;
    join_worker_threads();
    let prepared = prepare(input, options, context, started);
    // Ctrl-C also ends the HDF5 reader process, which is not a failure then.
    if let Some(stop) = signals.received() {
        return Ok(stopped_early(options.ui, stop));
    }
    let (experiment, resumed) =
        prepared.inspect_err(|failure| tracing::debug!("refused: {}", failure.message()))?;
    if options.fast_dev_run {
        return fast_dev_run(experiment, context, &signals);
    }
    let opened = open(options, context, experiment, resumed);
    let refused = |failure: &Failure| tracing::debug!("refused: {}", failure.message());
    let (mut run, header) = opened.inspect_err(refused)?;
    let summary = match fit(&mut run, &header, options.ui, context, &signals)? {
        ControlFlow::Continue(summary) => summary,
        ControlFlow::Break(code) => return Ok(code),
    };
    let Some(mut last) = run.final_fit(&summary)? else { return Ok(ExitCode::SUCCESS) };
    context.log.attach(&last.directory().log())?;
    let header = final_fit_line(&last);
    match fit(&mut last, &header, options.ui, context, &signals)? {
        ControlFlow::Continue(_) => Ok(ExitCode::SUCCESS),
        ControlFlow::Break(code) => Ok(code),
    }
}

/// Trains `run` to its end unless it is finished, draws its pictures and prints how it ended. Returns
/// its result, or the exit code if it was stopped.
fn fit(
    run: &mut Run,
    header: &str,
    ui: UiChoice,
    context: &Context,
    signals: &Signals,
) -> Result<ControlFlow<ExitCode, Summary>, Failure> {
    if let Some(summary) = run.finished()? {
        let curves = run.directory().picture("curves").with_extension("svg");
        if !run.directory().report().is_file() || !curves.is_file() {
            // The process was killed, or the disk was full, after it had recorded the result.
            draw_all(context, run);
        }
        if !run.config().training.final_fit {
            announce(ui, &nothing_to_do(run, &summary));
        }
        return Ok(ControlFlow::Continue(summary));
    }
    announce(ui, header);
    let shown = ui.of_run(run.done().0, signals.stop_source());
    let outcome = match support::panics::catch(|| run.train(shown)) {
        Err(panic) if is_kill(&panic) => return Ok(ControlFlow::Break(killed(ui, run))),
        Ok(Err(RunError::Panicked { reason, .. })) if is_kill(&reason) => {
            return Ok(ControlFlow::Break(killed(ui, run)));
        }
        Err(panic) => return Err(Failure::panic(&panic)),
        Ok(outcome) => outcome?,
    };
    Ok(report(ui, context, run, outcome))
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
fn prepare(
    input: Option<&Path>,
    options: &TrainOptions,
    context: &Context,
    started: Instant,
) -> Result<(Experiment, Option<RunDir>), Failure> {
    let (mut config, resumed) = config(input, options, context)?;
    if options.time.is_some() {
        // As many epochs as fit.
        config.training.epochs = None;
        config.training.plan.clear();
    }
    let experiment = context.prepare(&config, options.device.as_deref())?;
    Ok((experiment.started_at(started), resumed))
}

/// The config, and the directory of the run to resume.
fn config(
    input: Option<&Path>,
    options: &TrainOptions,
    context: &Context,
) -> Result<(RunConfig, Option<RunDir>), Failure> {
    let (runs, overrides) = (options.runs.path(), options.overrides());
    let resume = options.resume.as_ref().map(Option::as_deref);
    // `--resume signs.toml` names the config: it is the latest run of this config.
    let (input, resume) = match (input.or(options.config.as_deref()), resume) {
        (None, Some(Some(path))) if path.is_file() => (Some(path), Some(None)),
        given => given,
    };
    match (input, resume) {
        (Some(path), None) if options.config.is_none() && is_data(path) => {
            Ok((of_data(path, &overrides, context)?, None))
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
fn of_data(path: &Path, overrides: &[String], context: &Context) -> Result<RunConfig, Failure> {
    let directory = text::path(path);
    if RunDir::open(path).is_ok() {
        return Err(Failure::usage(format!(
            "{directory} is a run\n  resume it: trainer --resume {directory}; or train its config again: trainer train {directory}/config.toml"
        )));
    }
    let name = file_name(path);
    let text = propose(path, &name)?;
    print::event(&style::faint(text.trim_end()));
    RunConfig::parse(&name, &text, overrides, context.models)
        .map_err(|error| Failure::usage(format!("{error:#}")))
}

/// Returns true for a folder or an HDF5 file, false for the path of a config.
fn is_data(path: &Path) -> bool {
    let ending = path.extension().map(OsStr::to_ascii_lowercase);
    path.is_dir() || ending.is_some_and(|ending| ending == "h5" || ending == "hdf5")
}

/// Creates or resumes the run and attaches its log; returns the header to print.
fn open(
    options: &TrainOptions,
    context: &Context,
    experiment: Experiment,
    resumed: Option<RunDir>,
) -> Result<(Run, String), Failure> {
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
        // The log is silent on a terminal that the dashboard owns.
        if options.ui.is_dashboard() {
            print::event(&format!("{} {}", style::warning(), text::escaped(&warning)));
        }
        tracing::warn!("{warning}");
    }
    let start = start_line(&run, is_resumed);
    Ok((run, format!("{header}\n{start}")))
}

/// Trains two steps of `experiment`, evaluates the model and writes its report, in a temporary
/// directory that is removed.
fn fast_dev_run(
    experiment: Experiment,
    context: &Context,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    for warning in experiment.warnings() {
        tracing::warn!("{warning}");
    }
    let directory = tempfile::tempdir().map_err(|error| Failure::run(&error))?;
    let mut run = experiment.fast_dev_run().start_at(&directory.path().join("run"))?;
    if let Outcome::Stopped(stop) = run.train(Ui::silent(signals.stop_source()))? {
        return Ok(ExitCode::from(signal_exit_code(stop)));
    }
    pictures::write_report(context, run.directory(), Some(run.device()), &run.data())?;
    print::result(&format!(
        "{}: {} trained, evaluated and reported on two batches of each part; nothing is kept",
        style::good("everything works"),
        run.name()
    ))?;
    Ok(ExitCode::SUCCESS)
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
    ) + &experiment.notes().iter().map(|note| note_line(note)).collect::<String>()
}

fn note_line(note: &str) -> String {
    format!("\n{}", style::faint(&text::escaped(note)))
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

/// Draws the pictures and the report of a finished run.
fn draw_all(context: &Context, run: &Run) {
    let (directory, device) = (run.directory(), Some(run.device()));
    pictures::draw(context, directory, run.name(), device);
    pictures::draw_report(context, directory, device, &run.data());
}

/// Draws the pictures of the run and prints how it ended. Returns its result or the exit code.
fn report(
    ui: UiChoice,
    context: &Context,
    run: &Run,
    outcome: Outcome,
) -> ControlFlow<ExitCode, Summary> {
    let (directory, device) = (run.directory(), Some(run.device()));
    match outcome {
        Outcome::Finished(summary) => {
            draw_all(context, run);
            announce(ui, &finished(directory.path(), &summary, run.config().training.max_minutes));
            ControlFlow::Continue(*summary)
        }
        Outcome::Stopped(stop) => {
            pictures::draw(context, directory, run.name(), device);
            announce(ui, &stopped(directory.path()));
            ControlFlow::Break(ExitCode::from(signal_exit_code(stop)))
        }
    }
}

/// The line before the final fit.
fn final_fit_line(run: &Run) -> String {
    let data = run.data();
    let epochs = run.config().training.planned_epochs(data.train.len()).unwrap_or_default();
    let directory = text::path(run.directory().path());
    let examples = data.train.len();
    format!("final fit on all {examples} examples, {epochs} epochs; output: {directory}")
}

fn finished(directory: &Path, summary: &Summary, minutes: Option<f64>) -> String {
    let best = summary.best.as_ref();
    let earlier = best.filter(|best| best.epoch < summary.epochs);
    let model =
        earlier.map_or("last epoch".to_owned(), |best| format!("best epoch {}", best.epoch));
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
    let budget = match minutes {
        Some(minutes) => {
            format!("\n{} epochs in the time budget of {}", summary.epochs, budget(minutes))
        }
        None => String::new(),
    };
    let next = format!("next: trainer evaluate {directory}, or open {directory}/report.html");
    format!(
        "done in {:.1} s: {model}, {train}{score}{note}{budget}\n{}{}",
        summary.seconds,
        synthetic_line(summary.synthetic),
        style::faint(&next),
    )
}

/// A time budget in seconds or minutes.
fn budget(minutes: f64) -> String {
    if minutes < 2.0 { format!("{:.1} s", 60.0 * minutes) } else { format!("{minutes:.1} min") }
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

/// Ends a program that the user of the dashboard has killed.
fn killed(ui: UiChoice, run: &Run) -> ExitCode {
    terminal::restore().ok();
    let resume = format!("resume: trainer --resume {}", text::path(run.directory().path()));
    announce(
        ui,
        &format!("killed: what follows the last checkpoint is lost\n{}", style::faint(&resume)),
    );
    ExitCode::from(signal_exit_code(Stop::Interrupted))
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
