//! Optimizers, learning rate schedules, gradient clipping, and the moving average of the weights.

mod clipping;
mod ema;
mod fine_tuning;
mod optimizer;
mod schedule;

pub use clipping::GradientClipping;
pub use ema::EmaConfig;
pub use fine_tuning::{FineTuning, FineTuningConfig};
pub use optimizer::{
    AdamConfig, AdamWConfig, GradientNorms, MomentumConfig, OptimizerConfig, RmsPropConfig,
    SgdConfig,
};
pub use schedule::{
    CosineConfig, Decay, ExponentialConfig, InverseTimeConfig, OneCycleConfig, ScheduleConfig,
    StepConfig,
};
