//! Faults injected into a run, to test that the run survives them.
//!
//! Without the Cargo feature `fault-injection` there is no [`Fault`] and every hook does nothing.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

#[cfg(any(test, feature = "fault-injection"))]
mod enabled;
#[cfg(any(test, feature = "fault-injection"))]
pub use enabled::{Fault, Faults};

#[cfg(not(any(test, feature = "fault-injection")))]
mod disabled;
#[cfg(not(any(test, feature = "fault-injection")))]
pub use disabled::{Fault, Faults};

/// The points of a run at which a fault can be injected.
pub trait FaultHooks {
    /// Fails or panics before a batch is collated.
    fn before_collating(self) -> Result<(), String>;
    /// Panics like a failed device.
    fn before_forward(self);
    /// Replaces the first input.
    fn in_inputs(self, inputs: Tensor<4>) -> Tensor<4>;
    /// Replaces the loss.
    fn in_loss(self, loss_sum: f64) -> f64;
    /// Replaces the first value of the first gradient of `module`.
    fn in_gradients(self, module: &impl Module, gradients: &mut GradientsParams);
}
