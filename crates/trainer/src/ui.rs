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

    /// The renderer of a run that goes on after epoch `done`.
    pub fn renderer(
        self,
        interrupter: &Interrupter,
        done: usize,
    ) -> Result<Box<dyn MetricsRenderer>, Failure> {
        if !self.is_dashboard() {
            return Ok(Box::new(Plain::new(self != Self::None)));
        }
        if !stdout().is_terminal() {
            return Err(Failure::usage(
                "the dashboard needs a terminal\n  write --ui plain where there is none",
            ));
        }
        Ok(Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), Some(done))))
    }
}
