use std::ops::ControlFlow;

use super::error::ConvertError;

/// Told what is done, and how much of how much of it; it says whether to go on.
pub type ProgressCallback<'a> = dyn FnMut(&'static str, usize, usize) -> ControlFlow<()> + 'a;

/// Asks whether to go on.
pub fn report_progress(
    progress: &mut ProgressCallback,
    doing: &'static str,
    done: usize,
    total: usize,
) -> Result<(), ConvertError> {
    match progress(doing, done, total) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ConvertError::Stopped),
    }
}
