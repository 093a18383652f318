//! Trains a config with many settings and ranks them by validation accuracy.

mod density;
mod importance;
mod ranking;
mod sampling;
mod spec;
mod tpe_search;
mod trials;

use std::path::Path;
use std::process::ExitCode;

use training::{RunError, device};

use super::RUNS_DIR;
use super::run_group::directory;
use super::runs::config_or_run;
use super::worker_pool::workers;
use crate::cli::SweepArgs;
use crate::context::Context;
use crate::error::{Failure, signal_exit_code};
use crate::{print, signals, style, text};
use ranking::Ranking;
use spec::SweepSpec;
use trials::TrialRunner;

/// Trains every setting of a sweep, prints the ranking and saves it with the best config.
pub fn sweep(args: &SweepArgs, context: &Context) -> Result<ExitCode, Failure> {
    let resume = args.resume.as_deref().map(|path| config_or_run(path, Path::new(RUNS_DIR)));
    let resume = resume.as_deref();
    let spec = read_spec(resume, args.sweep.as_deref())?;
    let settings = spec.settings(context)?;
    let device = args.device.as_deref();
    device::select(device).map_err(RunError::from)?;
    let name = format!("sweep-{}", spec.name());
    let directory =
        directory(resume, args.out.as_deref(), &name, |directory| spec.save(directory))?;
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let runner = TrialRunner {
        spec: &spec,
        context,
        directory: &directory,
        device,
        signals: &signals,
        workers: workers(args.jobs),
        is_silent: args.json,
    };
    let Some(trials) = runner.run_all(settings) else {
        let next = format!("continue: trainer sweep --resume {}", text::path(&directory));
        print::result(&format!("stopped; finished runs are kept\n{}", style::faint(&next)))?;
        return Ok(ExitCode::from(signals.received().map_or(1, signal_exit_code)));
    };
    let ranking = Ranking::new(trials);
    save(&ranking, &spec, &directory, context)?;
    let files = format!("saved to {}: report.html, table.md, best.toml", text::path(&directory));
    print::result(&if args.json {
        format!("{:#}", serde_json::json!(ranking))
    } else {
        format!("{ranking}\n{}", style::faint(&files))
    })?;
    Ok(if ranking.has_failures() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read_spec(resume: Option<&Path>, sweep: Option<&Path>) -> Result<SweepSpec, Failure> {
    match (resume, sweep) {
        (Some(directory), _) => SweepSpec::saved(directory),
        (None, Some(path)) => SweepSpec::read(path),
        (None, None) => {
            Err(Failure::usage("which sweep?\n  name its TOML file, or --resume its directory"))
        }
    }
}

/// JSON Schema of the file of a sweep.
pub fn schema() -> serde_json::Value {
    SweepSpec::schema()
}

fn save(
    ranking: &Ranking,
    spec: &SweepSpec,
    directory: &Path,
    context: &Context,
) -> Result<(), Failure> {
    artifacts::write_file(&directory.join("table.md"), ranking.markdown().as_bytes())?;
    artifacts::write_json(&directory.join("table.json"), ranking)?;
    if let Some(best) = ranking.best() {
        let config = spec.config(&best.overrides, context)?;
        let text = toml::to_string(&config).map_err(|error| Failure::run(&error))?;
        artifacts::write_file(&directory.join("best.toml"), text.as_bytes())?;
    }
    let page = directory.join("report.html");
    report::draw_sweep(&spec.name(), &ranking.trials(), &ranking.importance, &page)
        .map_err(|error| Failure::run(&error))
}
