use std::path::PathBuf;
use std::process::ExitCode;

use report::RateCurves;
use training::{Plan, RateSearch, RunConfig};

use super::STAND_IN;
use crate::cli::LrFindArgs;
use crate::error::Failure;
use crate::{print, style};

/// Searches a learning rate for an experiment.
pub fn lr_find(args: &LrFindArgs) -> Result<ExitCode, Failure> {
    let config = RunConfig::read(&args.config, &args.overrides)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let plan = Plan::prepare(&config, args.device.as_deref(), option_env!("TRAINER_COMMIT"))?;
    let search = plan.search_rate(args.steps as usize)?;
    let stem = args.plot.clone().unwrap_or_else(|| PathBuf::from(format!("{}-lr", config.name)));
    draw(&search, &stem)?;
    print::result(&match args.json {
        true => format!("{:#}", serde_json::json!(search)),
        false => text(&search, &stem.display().to_string()),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn draw(search: &RateSearch, stem: &std::path::Path) -> Result<(), Failure> {
    let curves = RateCurves {
        rates: &search.rates,
        losses: &search.losses,
        smoothed: &search.smoothed,
        suggestion: search.suggestion,
    };
    let title = format!("{}: learning rate range test", search.name);
    report::draw_rate_search(&curves, &title, stem).map_err(|error| Failure::run(&error))
}

fn text(search: &RateSearch, stem: &str) -> String {
    let stand_in = if search.stand_in { style::doubtful(STAND_IN) + "\n" } else { String::new() };
    let range = search.rates.first().zip(search.rates.last());
    let tried =
        range.map_or(String::new(), |(first, last)| format!(" from {first:.1e} to {last:.1e}"));
    let verdict = match search.suggestion {
        Some(rate) => {
            format!("suggestion: {}", style::strong(&format!("a learning rate of {rate:.1e}")))
        }
        None => "no suggestion: the loss never fell\n  look at the data and at the model first"
            .to_owned(),
    };
    format!(
        "{stand_in}{}: {} steps{tried}\n{verdict}\n{}",
        search.name,
        search.rates.len(),
        style::faint(&format!("plot: {stem}.png"))
    )
}
