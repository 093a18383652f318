//! Trains a config with many settings and ranks them by validation accuracy.

mod density;
mod importance;
mod ranking;
mod sampling;
mod spec;
mod tpe_search;
mod trials;

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use clap::Args;
use training::{RunError, device};

use super::RUNS_DIR;
use super::run_group::{GroupProgress, RunGroup, directory};
use super::runs::config_or_run;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, signals, style, text};
use ranking::Ranking;
pub use spec::SweepSpec;
use trials::TrialRunner;

#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The TOML file of the sweep: a config, and a grid or ranges of its keys
    #[arg(value_name = "SWEEP", required_unless_present = "resume")]
    sweep: Option<PathBuf>,
    /// Number of parallel runs [default: number of CPU cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroU16>,
    /// Device, as for train
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Directory of the runs and the report [default: runs/sweep-NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Continue the sweep saved in DIR; finished runs are not repeated
    #[arg(long, value_name = "DIR", conflicts_with = "sweep")]
    resume: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Trains every setting of a sweep, prints the ranking and saves it with the best config.
pub fn run(args: &SweepArgs, context: &Context) -> Result<(), Failure> {
    let resume = args.resume.as_deref().map(|path| config_or_run(path, Path::new(RUNS_DIR)));
    let spec = match (&resume, &args.sweep) {
        (Some(directory), _) => SweepSpec::saved(directory)?,
        (None, Some(path)) => SweepSpec::read(path)?,
        (None, None) => {
            let message = "which sweep?\n  name its TOML file, or --resume its directory";
            return Err(Failure::usage(message));
        }
    };
    let settings = spec.settings(context)?;
    let device = args.device.as_deref();
    device::select(device).map_err(RunError::from)?;
    let name = format!("sweep-{}", spec.name());
    let directory =
        directory(resume.as_deref(), args.out.as_deref(), &name, |directory| spec.save(directory))?;
    let (directory, signals) = (directory.as_path(), &signals::listen()?);
    let progress = GroupProgress::new(spec.count_runs(settings.len()), args.json);
    let group = RunGroup { context, directory, device, signals, jobs: args.jobs, progress };
    let Some(trials) = (TrialRunner { spec: &spec, group: &group }).run_all(settings) else {
        return group.stopped("sweep");
    };
    drop(group);
    let ranking = Ranking::new(trials);
    artifacts::write_file(&directory.join("table.md"), ranking.markdown().as_bytes())?;
    artifacts::write_json(&directory.join("table.json"), &ranking)?;
    if let Some(best) = ranking.best() {
        let config = toml::to_string(&spec.config(&best.overrides, context)?)?;
        artifacts::write_file(&directory.join("best.toml"), config.as_bytes())?;
    }
    let page = directory.join("report.html");
    report::draw_sweep(&spec.name(), &ranking.trials(), &ranking.importance, &page)?;
    let files = format!("saved to {}: report.html, table.md, best.toml", text::path(directory));
    print::json_or_text(args.json, &ranking, || format!("{ranking}\n{}", style::faint(&files)))?;
    if ranking.has_failures() { Err(Failure::printed()) } else { Ok(()) }
}
