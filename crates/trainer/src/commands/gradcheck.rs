//! `trainer gradcheck`: gradients against centred finite differences.

use clap::Args;
use training::{GradientCheck, GradientCheckOptions, GradientCheckPlan, InjectedBug};

use super::synthetic_line;
use crate::cli::{ConfigPath, Overrides, one_of};
use crate::context::Context;
use crate::error::Failure;
use crate::table::Table;
use crate::{print, style, text};

#[derive(Debug, Args)]
pub struct GradcheckArgs {
    #[command(flatten)]
    config: ConfigPath,
    #[command(flatten)]
    set: Overrides,
    /// Number of training examples in the batch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    examples: u64,
    /// Number of elements to check per tensor
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    samples: u64,
    /// Maximum relative difference of gradients that agree
    #[arg(long, value_name = "T", default_value = "2e-7", value_parser = positive)]
    threshold: f64,
    /// Inject a bug into the backward pass, to verify that the check detects it
    #[arg(long, value_name = "BUG", value_parser = one_of(BUGS))]
    inject_bug: Option<InjectedBug>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const BUGS: &[(&str, &str, InjectedBug)] = &[
    ("double-weight", "Double the gradient of the last hidden weights", InjectedBug::DoubleWeight),
    ("fourfold-bias", "Multiply the gradient of the first bias by four", InjectedBug::FourfoldBias),
    (
        "forgotten-penalty",
        "Omit the gradient of the L1 and L2 penalty",
        InjectedBug::ForgottenPenalty,
    ),
    ("forgotten-dropout", "Omit the dropout mask", InjectedBug::ForgottenDropout),
    ("linear-activation", "Treat every activation as linear", InjectedBug::LinearActivation),
];

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite());
    number.ok_or_else(|| "expected a number greater than 0".to_owned())
}

/// Duration in seconds from which it is announced.
const ANNOUNCED: f64 = 5.0;

/// Checks the gradients of an experiment; exits with a failure if they differ.
pub fn run(args: &GradcheckArgs, context: &Context) -> Result<(), Failure> {
    let config = context.read_config(args.config.as_path(), &args.set.overrides)?;
    let options = GradientCheckOptions {
        examples: args.examples as usize,
        samples: args.samples as usize,
        threshold: args.threshold,
        injected_bug: args.inject_bug,
    };
    let check = GradientCheck::run(&config, &options, announce)?;
    print::json_or_text(args.json, &check, || text(&check))?;
    if check.passed { Ok(()) } else { Err(Failure::printed()) }
}

/// Prints the extent of a check that takes long.
fn announce(plan: &GradientCheckPlan) {
    if plan.seconds < ANNOUNCED {
        return;
    }
    let duration = match plan.seconds {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds => format!("{:.0} min", seconds / 60.0),
    };
    print::note(&format!(
        "checking {} elements of {} parameters: about {duration}; --samples and --examples reduce it",
        plan.elements, plan.parameters
    ));
}

fn text(check: &GradientCheck) -> String {
    let number = |value: f64| format!("{value:.1e}");
    let verdict =
        if check.passed { style::good("gradients agree") } else { style::bad("gradients differ") };
    let bug = check.injected_bug.as_ref().map_or(String::new(), |report| {
        let tensor = report.tensor.as_ref().map_or(String::new(), |tensor| format!(" in {tensor}"));
        format!("injected bug: {}{tensor}\n", report.bug.as_str())
    });
    let mut table = Table::new(["tensor", "shape", "checked", "skipped", "difference"], &[0]);
    for tensor in &check.tensors {
        let [checked, skipped] = [tensor.checked, tensor.skipped].map(|count| count.to_string());
        let difference = tensor.difference.map_or("all skipped".to_owned(), number);
        let shape = text::shape(&tensor.shape);
        table.row([tensor.name.clone(), shape, checked, skipped, difference]);
    }
    format!(
        "{}{}: cost {:.4} on {} training examples, in f64\n{bug}\n{}\n\n{verdict}: relative difference {}, threshold {:e}",
        synthetic_line(check.synthetic),
        check.name,
        check.cost,
        check.examples,
        table.text(),
        number(check.difference),
        check.threshold,
    )
}
