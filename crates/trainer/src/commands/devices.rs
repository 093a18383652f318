use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::DevicesArgs;
use crate::error::Failure;
use crate::print;
use crate::table::{Align, Table};

/// Lists the devices of this build on this machine.
pub fn devices(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let devices = training::list();
    if devices.is_empty() {
        training::choose(None).map_err(|error| Failure::usage(error.to_string()))?;
    }
    let mut table = Table::new([("device", Align::Left), ("what it is", Align::Left)], 1);
    devices.iter().for_each(|device| table.row([device.name.clone(), device.description.clone()]));
    let values = devices.iter();
    let values =
        values.map(|device| json!({ "name": device.name, "description": device.description }));
    print::result(&match args.json {
        true => format!("{:#}", values.collect::<Value>()),
        false => table.text(),
    })?;
    Ok(ExitCode::SUCCESS)
}
