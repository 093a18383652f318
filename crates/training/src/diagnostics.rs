//! Checks of an experiment before it is trained.

mod gradient_check;
mod lr_range_test;

pub use gradient_check::{
    GradientCheck, GradientCheckOptions, GradientCheckPlan, InjectedBug, InjectedBugReport,
    TensorCheck,
};
pub use lr_range_test::LrRangeTest;
