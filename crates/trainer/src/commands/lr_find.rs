//! `trainer lr-find`: a learning rate range test.

use std::path::{Path, PathBuf};

use clap::Args;
use report::LrCurves;
use training::LrRangeTest;

use super::synthetic_line;
use crate::cli::{ConfigPath, Overrides};
use crate::context::Context;
use crate::error::Failure;
use crate::{print, style, text};

#[derive(Debug, Args)]
pub struct LrFindArgs {
    #[command(flatten)]
    config: ConfigPath,
    #[command(flatten)]
    set: Overrides,
    /// Maximum number of steps; the learning rate rises from 1e-7 to 10
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    steps: u64,
    /// Device, as for train [default: from the config, else the best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Path of the plot without .svg [default: NAME-lr]
    #[arg(long, value_name = "STEM")]
    plot: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &LrFindArgs, context: &Context) -> Result<(), Failure> {
    let config = context.read_config(args.config.as_path(), &args.set.overrides)?;
    let mut experiment = context.prepare(&config, args.device.as_deref())?;
    let test = experiment.lr_range_test(args.steps as usize)?;
    let stem = args.plot.clone().unwrap_or_else(|| PathBuf::from(format!("{}-lr", config.name)));
    let curves = LrCurves {
        rates: &test.rates,
        losses: &test.losses,
        smoothed: &test.smoothed,
        suggestion: test.suggestion,
    };
    let title = format!("{}: learning rate range test", test.name);
    report::draw_lr_range_test(&curves, &title, &stem)?;
    print::json_or_text(args.json, &test, || text(&test, &stem))
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
