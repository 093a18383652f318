use std::process::ExitCode;

use training::{
    GradientCheck, GradientCheckOptions, GradientCheckPlan, InjectedBugReport, TensorCheck,
};

use super::synthetic_line;
use crate::cli::GradcheckArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::{print, style};

/// Duration in seconds from which it is announced.
const ANNOUNCED: f64 = 5.0;

/// Checks the gradients of an experiment; exits with a failure if they differ.
pub fn gradcheck(args: &GradcheckArgs, context: &Context) -> Result<ExitCode, Failure> {
    let config = context.read_config(args.config.as_path(), &args.set.overrides)?;
    let options = GradientCheckOptions {
        examples: args.examples as usize,
        samples: args.samples as usize,
        threshold: args.threshold,
        injected_bug: args.inject_bug.map(Into::into),
    };
    let check = GradientCheck::run(&config, &options, announce)?;
    print::result(&if args.json {
        format!("{:#}", serde_json::json!(check))
    } else {
        text(&check)
    })?;
    Ok(if check.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
    let verdict =
        if check.passed { style::good("gradients agree") } else { style::bad("gradients differ") };
    format!(
        "{}{}: cost {:.4} on {} training examples, in f64\n{}\n{}\n\n{verdict}: relative difference {}, threshold {:e}",
        synthetic_line(check.synthetic),
        check.name,
        check.cost,
        check.examples,
        check.injected_bug.as_ref().map_or(String::new(), injected_bug),
        table(check),
        number(check.difference),
        check.threshold,
    )
}

fn injected_bug(report: &InjectedBugReport) -> String {
    let tensor = report.tensor.as_ref().map_or(String::new(), |tensor| format!(" in {tensor}"));
    format!("injected bug: {}{tensor}\n", report.bug.as_str())
}

/// One row per tensor.
fn table(check: &GradientCheck) -> String {
    let numbers = ["shape", "checked", "skipped", "difference"].map(|head| (head, Align::Right));
    let mut table = Table::new([("tensor", Align::Left)].into_iter().chain(numbers), 0);
    for tensor in &check.tensors {
        let [checked, skipped] = [tensor.checked, tensor.skipped].map(|count| count.to_string());
        let difference = tensor.difference.map_or("all skipped".to_owned(), number);
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
