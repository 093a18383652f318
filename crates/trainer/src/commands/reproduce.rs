//! Runs the experiments that have a `[reference]` over several seeds and compares their scores.

mod experiments;
mod runs;
mod table;

use std::error::Error;
use std::fs;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use training::{RunError, device};

use super::run_group::{GroupProgress, RunGroup, directory};
use crate::cli::assignment;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, signals, style, text};
use runs::Job;
use table::ReferenceTable;

/// Options of a call. Those that are not skipped are saved, so that a later call can continue it.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReproduceArgs {
    /// Experiments by config name, or course1 or course2 [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Directory of the configs; those with a [reference] are run
    #[arg(long, value_name = "DIR", default_value = "configs")]
    configs: PathBuf,
    /// Number of seeds per experiment: its own, then 1, 2, 3, ..
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Number of parallel runs [default: number of CPU cores]
    #[arg(long, value_name = "N")]
    #[serde(skip)]
    jobs: Option<NonZeroU16>,
    /// Override a key of the config, for example training.epochs=10
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    overrides: Vec<String>,
    /// Device, as for train
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Directory of the runs and the table [default: runs/reproduce]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    #[serde(skip)]
    out: Option<PathBuf>,
    /// Continue in DIR with the options saved there; finished runs are not repeated
    #[arg(long, value_name = "DIR", conflicts_with_all = ["names", "configs", "seeds", "overrides", "device"])]
    #[serde(skip)]
    resume: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    #[serde(skip)]
    json: bool,
}

/// File of the saved options.
const FILE: &str = "reproduce.json";

/// Trains every experiment with every seed, then prints and saves the table.
pub fn run(args: &ReproduceArgs, context: &Context) -> Result<(), Failure> {
    let (resume, out) = (args.resume.as_deref(), args.out.as_deref());
    let saved = match resume {
        Some(directory) => saved(directory)?,
        None => {
            let configs = &args.configs;
            let configs = std::path::absolute(configs).unwrap_or_else(|_| configs.clone());
            ReproduceArgs { configs, ..args.clone() }
        }
    };
    let experiments = experiments::find(&saved, context.models)?;
    let device = saved.device.as_deref();
    device::select(device).map_err(RunError::from)?;
    let directory = directory(resume, out, "reproduce", |directory| {
        Ok(artifacts::write_json(&directory.join(FILE), &saved)?)
    })?;
    let jobs = Job::all(&experiments, saved.seeds);
    let signals = signals::listen()?;
    let progress = GroupProgress::new(jobs.len(), args.json);
    let (directory, signals) = (directory.as_path(), &signals);
    let group = RunGroup { context, directory, device, signals, jobs: args.jobs, progress };
    let results = runs::run_all(&group, &jobs);
    if signals.received().is_some() {
        return group.stopped("reproduce");
    }
    drop(group);
    let table = ReferenceTable::new(&experiments, &results);
    table.save(directory)?;
    let saved = style::faint(&format!("saved to {}", text::path(&directory.join("table.md"))));
    print::json_or_text(args.json, &table, || format!("{table}\n{saved}"))?;
    if table.is_reproduced() { Ok(()) } else { Err(Failure::printed()) }
}

/// Reads the options of an earlier call from its `directory`.
fn saved(directory: &Path) -> Result<ReproduceArgs, Failure> {
    let path = directory.join(FILE);
    let unreadable = |error: &dyn Error| {
        Failure::usage(format!(
            "cannot continue in {}: {}: {error}\n  name the directory of an earlier `trainer reproduce`",
            directory.display(),
            path.display()
        ))
    };
    let bytes = fs::read(&path).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))
}
