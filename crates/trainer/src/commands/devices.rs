use std::process::ExitCode;

use crate::error::Failure;

/// Lists the devices of this build on this machine.
pub fn devices() -> Result<ExitCode, Failure> {
    for device in training::list() {
        println!("{:<10} {}", device.name, device.description);
    }
    Ok(ExitCode::SUCCESS)
}
