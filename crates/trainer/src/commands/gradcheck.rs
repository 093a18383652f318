use std::process::ExitCode;

use training::{GradientCheck, GradientCheckOptions, Planted, RunConfig, TensorCheck};

use super::STAND_IN;
use crate::cli::GradcheckArgs;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::{print, style};

/// Checks the gradients of an experiment; the program fails if they are not those of its cost.
pub fn gradcheck(args: &GradcheckArgs) -> Result<ExitCode, Failure> {
    let config = RunConfig::read(&args.config, &args.overrides)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let options = GradientCheckOptions {
        examples: args.examples as usize,
        samples: args.samples as usize,
        threshold: args.threshold,
        plant: args.plant.map(Into::into),
    };
    let check = GradientCheck::of(&config, &options)?;
    print::result(&match args.json {
        true => format!("{:#}", serde_json::json!(check)),
        false => text(&check),
    })?;
    Ok(if check.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(check: &GradientCheck) -> String {
    let stand_in = if check.stand_in { style::doubtful(STAND_IN) + "\n" } else { String::new() };
    let (name, cost, examples) = (&check.name, check.cost, check.examples);
    let planted = check.planted.as_ref().map_or(String::new(), planted);
    let verdict = match check.passed {
        true => style::good("gradients agree"),
        false => style::bad("gradients differ"),
    };
    format!(
        "{stand_in}{name}: cost {cost:.4} of {examples} training examples, in f64\n{planted}\n{}\n\n{verdict}: relative difference {}, threshold {:e}",
        table(check),
        number(check.difference),
        check.threshold,
    )
}

fn planted(planted: &Planted) -> String {
    let place = planted.tensor.as_ref().map_or(String::new(), |tensor| format!(" in {tensor}"));
    format!("planted on purpose: {}{place}\n", planted.error.as_str())
}

/// One row a tensor.
fn table(check: &GradientCheck) -> String {
    let numbers = ["shape", "checked", "skipped", "difference"].map(|head| (head, Align::Right));
    let mut table = Table::new([("tensor", Align::Left)].into_iter().chain(numbers), 0);
    for tensor in &check.tensors {
        let [checked, skipped] = [tensor.checked, tensor.skipped].map(|count| count.to_string());
        let difference = tensor.difference.map_or("kinks only".to_owned(), number);
        table.row([tensor.name.clone(), shape(tensor), checked, skipped, difference]);
    }
    table.text()
}

fn shape(tensor: &TensorCheck) -> String {
    let sizes: Vec<_> = tensor.shape.iter().map(usize::to_string).collect();
    sizes.join("x")
}

fn number(value: f64) -> String {
    format!("{value:.1e}")
}
