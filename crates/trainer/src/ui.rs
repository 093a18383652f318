//! How a run is shown.

mod plain;

use std::io::{IsTerminal, stdout};

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;

use crate::cli::UiChoice;
use crate::error::Failure;
use plain::Plain;

impl UiChoice {
    /// Whether the dashboard will be shown.
    pub fn is_dashboard(self) -> bool {
        match self {
            Self::Auto => stdout().is_terminal(),
            Self::Dashboard => true,
            Self::Plain | Self::None => false,
        }
    }

    /// Fails if it cannot be shown here.
    pub fn check(self) -> Result<(), Failure> {
        match self.is_dashboard() && !stdout().is_terminal() {
            true => Err(Failure::usage(
                "--ui dashboard needs a terminal\n  write --ui plain where there is none",
            )),
            false => Ok(()),
        }
    }

    /// The renderer of a run that goes on after epoch `done`.
    pub fn renderer(self, interrupter: &Interrupter, done: usize) -> Box<dyn MetricsRenderer> {
        match self.is_dashboard() {
            true => Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), Some(done))),
            false => Box::new(Plain::new(self != Self::None)),
        }
    }
}
