use std::ops::ControlFlow;

use super::error::ConvertError;

/// Called during a conversion with the current step, the number of items done and their total.
/// `Break` stops the conversion.
pub type ProgressCallback<'a> = dyn FnMut(&'static str, usize, usize) -> ControlFlow<()> + 'a;

/// Calls `progress`. Fails with [`ConvertError::Stopped`] if it breaks.
pub fn report_progress(
    progress: &mut ProgressCallback,
    step: &'static str,
    done: usize,
    total: usize,
) -> Result<(), ConvertError> {
    match progress(step, done, total) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ConvertError::Stopped),
    }
}
