//! The training loop inside burn-train: its learner, metrics and renderers.

mod learner;
mod metrics;
mod noop_renderer;
mod observer;

pub use learner::{Display, fit};
pub use noop_renderer::NoopRenderer;
