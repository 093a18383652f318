use std::path::Path;
use std::process::ExitCode;
use std::thread;

use burn::train::Interrupter;
use training::{Outcome, Plan, Run, RunConfig, RunDir, Stop, Summary, Ui};

use super::STAND_IN;
use crate::cli::{TrainArgs, UiChoice};
use crate::error::Failure;
use crate::logging::RunLog;
use crate::signals::Signals;
use crate::{pictures, print, signals, style, ui};

/// Trains, or resumes a run.
pub fn train(args: &TrainArgs, log: &RunLog) -> Result<ExitCode, Failure> {
    // First of all: a signal ends the program with its exit code however early it comes.
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    args.ui.check()?;
    join_threads();
    match (prepare(args), signals.received()) {
        // Ctrl-C also ends the process that reads data, and that is no failure then.
        (_, Some(stop)) => Ok(stopped_early(args, stop)),
        (prepared, None) => {
            let opened = prepared.and_then(|(plan, resumed)| open(args, log, plan, resumed));
            // A run that is refused has not failed, and may well be finished.
            let refused = |failure: &Failure| tracing::debug!("refused: {}", failure.message());
            opened.inspect_err(refused).and_then(|run| go(args, run, &signals))
        }
    }
}

/// Makes this thread one of those that kernels run on. As a stranger to them it would be put to sleep
/// and woken for every piece of a step.
fn join_threads() {
    // If it were the only one, nobody would do what other threads hand over while it waits for them.
    if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        rayon::ThreadPoolBuilder::new().use_current_thread().build_global().ok();
    }
}

/// What is to be run, with its data, and the directory of the run to resume.
fn prepare(args: &TrainArgs) -> Result<(Plan, Option<RunDir>), Failure> {
    let (config, resumed) = config(args)?;
    let plan = Plan::prepare(&config, args.device.as_deref(), option_env!("TRAINER_COMMIT"))?;
    Ok((plan, resumed))
}

fn go(args: &TrainArgs, mut run: Run, signals: &Signals) -> Result<ExitCode, Failure> {
    let (run_directory, name) = (run.directory().clone(), run.name().to_owned());
    let device = run.device().to_owned();
    let directory = run_directory.path().to_owned();
    let interrupter = Interrupter::new();
    let stop = signals.stop_source();
    let ui = Ui {
        renderer: args.ui.renderer(&interrupter, run.done().0),
        interrupter,
        stop: if args.ui.is_dashboard() { ui::with_ctrl_c(stop) } else { stop },
    };
    let (text, code) = match run.fit(ui)? {
        Outcome::Finished(summary) => (finished(&directory, &summary), ExitCode::SUCCESS),
        Outcome::Stopped(stop) => (stopped(&directory), ExitCode::from(signals::exit_code(stop))),
    };
    pictures::draw(&run_directory, &name, Some(&device));
    if code == ExitCode::SUCCESS {
        pictures::draw_report(&run_directory, Some(&device), &run.data());
    }
    tell(args.ui, &text);
    Ok(code)
}

fn open(
    args: &TrainArgs,
    log: &RunLog,
    plan: Plan,
    resumed: Option<RunDir>,
) -> Result<Run, Failure> {
    let headline = headline(&plan);
    let is_resumed = resumed.is_some();
    let run = match resumed {
        Some(directory) => {
            // Before it is resumed: what is passed over then belongs into the log.
            attach(log, &directory)?;
            plan.resume(directory)?
        }
        None => plan.start(args.run_dir.as_deref())?,
    };
    if !is_resumed {
        attach(log, run.directory())?;
    }
    tell(args.ui, &format!("{headline}\n{}", opening(&run, is_resumed)));
    Ok(run)
}

fn attach(log: &RunLog, run: &RunDir) -> Result<(), Failure> {
    Ok(log.attach(&run.log())?)
}

/// Tells the log, and the user who wants to be told.
fn tell(ui: UiChoice, text: &str) {
    tracing::debug!("{}", style::plain(text));
    if ui != UiChoice::None {
        print::event(text);
    }
}

/// The config, and the directory of the run to resume.
fn config(args: &TrainArgs) -> Result<(RunConfig, Option<RunDir>), Failure> {
    let read = |path: &Path| {
        RunConfig::read(path, &args.overrides).map_err(|error| Failure::usage(error.to_string()))
    };
    match (&args.config, &args.resume) {
        (Some(path), None) => Ok((read(path)?, None)),
        (Some(path), Some(None)) => {
            let config = read(path)?;
            let run = RunDir::latest(&config.name)?;
            Ok((config, Some(run)))
        }
        (Some(path), Some(Some(directory))) => Ok((read(path)?, Some(RunDir::open(directory)?))),
        (None, Some(Some(directory))) => {
            let run = RunDir::open(directory)?;
            Ok((read(&run.config())?, Some(run)))
        }
        (None, _) => Err(Failure::usage(
            "which run?\n  name its directory, --resume runs/signs, or its config, --config configs/signs.toml --resume",
        )),
    }
}

fn headline(plan: &Plan) -> String {
    let data = plan.data();
    let [height, width, channels] = data.shape;
    let examples = match data.are_images {
        true => format!("images of {height}x{width}x{channels}"),
        false => format!("points of {channels} features"),
    };
    let counts: Vec<_> = ["train", "validation", "test"]
        .iter()
        .filter_map(|part| Some(format!("{} {part}", data.counts.get(*part)?)))
        .collect();
    let stand_in = if data.stand_in { style::doubtful(STAND_IN) + "\n" } else { String::new() };
    format!(
        "{stand_in}{}: {examples} in {} classes; seed {}, on {}\n{}",
        style::strong(&plan.config().name),
        data.classes.len(),
        plan.config().seed,
        plan.device(),
        counts.join(", "),
    )
}

fn opening(run: &Run, is_resumed: bool) -> String {
    let directory = run.directory().path().display();
    match run.done() {
        (0, 0) if is_resumed => {
            format!("resuming {directory} from its start: it has no checkpoint")
        }
        (0, 0) => format!("{} parameters; everything goes to {directory}", run.parameters()),
        (epochs, steps) => format!("resuming {directory} after epoch {epochs}, step {steps}"),
    }
}

fn finished(directory: &Path, summary: &Summary) -> String {
    let best = summary.best.as_ref();
    let model = best.map_or("last epoch".to_owned(), |best| format!("best epoch {}", best.epoch));
    let stand_in = if summary.stand_in { style::doubtful(STAND_IN) + "\n" } else { String::new() };
    let directory = directory.display();
    let test = style::strong(&format!("test accuracy {:.1} %", 100.0 * summary.test_accuracy));
    let next = format!("next: trainer evaluate {directory}, or look at {directory}/report.html");
    format!(
        "done in {:.1} s: {model}, train accuracy {:.1} %, {test}\n{stand_in}{}",
        summary.seconds,
        100.0 * summary.train_accuracy,
        style::faint(&next),
    )
}

fn stopped(directory: &Path) -> String {
    let resume = format!("resume: trainer --resume {}", directory.display());
    format!("stopped; a checkpoint is committed\n{}", style::faint(&resume))
}

/// Ends a program that was asked to stop while it was still reading its data.
fn stopped_early(args: &TrainArgs, stop: Stop) -> ExitCode {
    let text =
        "stopped before the first step: nothing new was trained\ncontinue: the same command again";
    tell(args.ui, text);
    ExitCode::from(signals::exit_code(stop))
}
