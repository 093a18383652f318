use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::LrCurves;
use training::LrRangeTest;

use super::synthetic_line;
use crate::cli::LrFindArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, style, text};

/// Runs a learning rate range test and plots it.
pub fn lr_find(args: &LrFindArgs, context: &Context) -> Result<ExitCode, Failure> {
    let config = context.read_config(args.config.as_path(), &args.set.overrides)?;
    let mut experiment = context.prepare(&config, args.device.as_deref())?;
    let test = experiment.lr_range_test(args.steps as usize)?;
    let stem = args.plot.clone().unwrap_or_else(|| PathBuf::from(format!("{}-lr", config.name)));
    draw(&test, &stem)?;
    print::result(&if args.json {
        format!("{:#}", serde_json::json!(test))
    } else {
        text(&test, &stem)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn draw(test: &LrRangeTest, stem: &Path) -> Result<(), Failure> {
    let curves = LrCurves {
        rates: &test.rates,
        losses: &test.losses,
        smoothed: &test.smoothed,
        suggestion: test.suggestion,
    };
    let title = format!("{}: learning rate range test", test.name);
    report::draw_lr_range_test(&curves, &title, stem).map_err(|error| Failure::run(&error))
}

fn text(test: &LrRangeTest, stem: &Path) -> String {
    let range = test.rates.first().zip(test.rates.last());
    let range =
        range.map_or(String::new(), |(first, last)| format!(" from {first:.1e} to {last:.1e}"));
    let verdict = match test.suggestion.zip(test.set.as_ref()) {
        Some((rate, set)) => format!(
            "suggested learning rate: {}, in the middle of the longest decrease\nuse it: --set {set}",
            style::strong(&format!("{rate:.1e}"))
        ),
        None => {
            "no suggestion: the loss never decreased\n  check the data and the model".to_owned()
        }
    };
    format!(
        "{}{}: {} steps{range}\n{verdict}\n{}",
        synthetic_line(test.synthetic),
        test.name,
        test.rates.len(),
        style::faint(&format!("plot: {}.svg", text::path(stem)))
    )
}
