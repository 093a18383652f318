//! Trains one config with many settings and compares them by their validation accuracy.

mod order;
mod ranking;
mod trials;

use std::path::Path;
use std::process::ExitCode;

use report::SweepTrial;

use super::batch::directory;
use super::pool::cores;
use crate::cli::SweepArgs;
use crate::error::Failure;
use crate::{print, signals, style};
use order::Order;
use ranking::Ranking;
use trials::Trials;

/// Trains every setting of a sweep, prints how they rank and saves that with the best config.
pub fn sweep(args: &SweepArgs) -> Result<ExitCode, Failure> {
    let order = match (&args.resume, &args.sweep) {
        (Some(directory), _) => Order::resumed(directory)?,
        (None, Some(path)) => Order::read(path)?,
        (None, None) => {
            return Err(Failure::usage(
                "which sweep?\n  name its TOML file, or --resume its directory",
            ));
        }
    };
    let settings = order.settings()?;
    training::choose(args.device.as_deref()).map_err(|error| Failure::usage(error.to_string()))?;
    let (resume, out) = (args.resume.as_deref(), args.out.as_deref());
    let name = format!("sweep-{}", order.name());
    let directory = directory(resume, out, &name, |directory| order.save(directory))?;
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let trials = Trials::new(&directory, args.device.as_deref(), &signals, &order, args.json);
    let jobs = args.jobs.map_or_else(cores, |jobs| usize::from(jobs.get()));
    let Some(tried) = trials.all(&settings, jobs)? else {
        let next = format!("continue: trainer sweep --resume {}", directory.display());
        print::result(&format!("stopped; what is done is kept\n{}", style::faint(&next)))?;
        let code = signals.received().map_or(1, signals::exit_code);
        return Ok(ExitCode::from(code));
    };
    let ranking = Ranking::new(tried);
    save(&ranking, &order, &directory)?;
    print::result(&match args.json {
        true => format!("{:#}", serde_json::json!(ranking)),
        false => {
            let saved =
                format!("saved in {}: report.html, table.md, best.toml", directory.display());
            format!("{ranking}\n{}", style::faint(&saved))
        }
    })?;
    Ok(if ranking.has_failures() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What the file of a sweep may say, as JSON Schema.
pub fn schema() -> serde_json::Value {
    Order::schema()
}

fn save(ranking: &Ranking, order: &Order, directory: &Path) -> Result<(), Failure> {
    training::write_file(&directory.join("table.md"), ranking.markdown().as_bytes())?;
    training::write_json(&directory.join("table.json"), ranking)?;
    if let Some(best) = ranking.best() {
        let config = order.config(&best.overrides)?;
        let text = toml::to_string(&config).map_err(|error| Failure::run(&error))?;
        training::write_file(&directory.join("best.toml"), text.as_bytes())?;
    }
    let trials: Vec<SweepTrial> = ranking.trials();
    report::draw_sweep(&order.name(), &trials, &directory.join("report.html"))
        .map_err(|error| Failure::run(&error))
}
