//! The arguments of `trainer gradcheck` and `lr-find`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use training::InjectedBug;

use super::{ConfigPath, Overrides};

#[derive(Debug, Args)]
pub struct GradcheckArgs {
    #[command(flatten)]
    pub config: ConfigPath,
    #[command(flatten)]
    pub set: Overrides,
    /// Number of training examples in the batch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub examples: u64,
    /// Number of elements to check per tensor
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub samples: u64,
    /// Maximum relative difference of gradients that agree
    #[arg(long, value_name = "T", default_value = "2e-7", value_parser = positive)]
    pub threshold: f64,
    /// Inject a bug into the backward pass, to verify that the check detects it
    #[arg(long, value_name = "BUG", value_enum)]
    pub inject_bug: Option<InjectedBugChoice>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LrFindArgs {
    #[command(flatten)]
    pub config: ConfigPath,
    #[command(flatten)]
    pub set: Overrides,
    /// Maximum number of steps; the learning rate rises from 1e-7 to 10
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    pub steps: u64,
    /// Device, as for train [default: from the config, else the best one]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Path of the plot without .svg [default: NAME-lr]
    #[arg(long, value_name = "STEM")]
    pub plot: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum InjectedBugChoice {
    /// Double the gradient of the last hidden weights
    DoubleWeight,
    /// Multiply the gradient of the first bias by four
    FourfoldBias,
    /// Omit the gradient of the L1 and L2 penalty
    ForgottenPenalty,
    /// Omit the dropout mask
    ForgottenDropout,
    /// Treat every activation as linear
    LinearActivation,
}

impl From<InjectedBugChoice> for InjectedBug {
    fn from(choice: InjectedBugChoice) -> Self {
        match choice {
            InjectedBugChoice::DoubleWeight => Self::DoubleWeight,
            InjectedBugChoice::FourfoldBias => Self::FourfoldBias,
            InjectedBugChoice::ForgottenPenalty => Self::ForgottenPenalty,
            InjectedBugChoice::ForgottenDropout => Self::ForgottenDropout,
            InjectedBugChoice::LinearActivation => Self::LinearActivation,
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite());
    number.ok_or_else(|| "expected a number greater than 0".to_owned())
}
