use std::process::ExitCode;

use crate::error::Failure;
use crate::print;

/// Lists the devices of this build on this machine.
pub fn devices() -> Result<ExitCode, Failure> {
    let devices = training::list();
    if devices.is_empty() {
        training::choose(None).map_err(|error| Failure::usage(error.to_string()))?;
    }
    for device in devices {
        print::result(&format!("{:<10} {}", device.name, device.description))?;
    }
    Ok(ExitCode::SUCCESS)
}
