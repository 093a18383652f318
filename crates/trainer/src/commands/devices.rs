use std::process::ExitCode;

use serde_json::{Value, json};
use training::device;

use crate::cli::DevicesArgs;
use crate::error::Failure;
use crate::print;
use crate::table::{Align, Table};

/// Lists the devices that this build supports and this machine has.
pub fn devices(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let devices = device::list();
    if devices.is_empty() {
        device::select(None).map_err(|error| Failure::usage(error.to_string()))?;
    }
    let mut table = Table::new([("device", Align::Left), ("description", Align::Left)], 1);
    let mut values = Vec::new();
    for device in &devices {
        table.row([device.name.clone(), device.description.clone()]);
        values.push(json!({ "name": device.name, "description": device.description }));
    }
    print::result(&if args.json { format!("{:#}", Value::from(values)) } else { table.text() })?;
    Ok(ExitCode::SUCCESS)
}
