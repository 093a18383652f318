//! Display of a training run: Burn's dashboard, one line per epoch, or nothing.

mod plain;

use std::env;
use std::io::{IsTerminal, stdout};

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use clap::ValueEnum;
use training::{NoopRenderer, StopSource, Ui};

use crate::error::Failure;
use crate::{print, terminal};
pub use plain::{EpochEvent, PlainRenderer};

/// The value of `--ui`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum UiChoice {
    /// Dashboard on a terminal, plain otherwise and if TERM is dumb
    #[default]
    Auto,
    /// Burn's dashboard
    Dashboard,
    /// One line per epoch
    Plain,
    /// Errors only
    None,
}

impl UiChoice {
    /// Whether the dashboard will be shown.
    pub fn is_dashboard(self) -> bool {
        match self {
            // A dumb terminal cannot move its cursor.
            Self::Auto => {
                stdout().is_terminal() && env::var_os("TERM").is_none_or(|name| name != "dumb")
            }
            Self::Dashboard => true,
            Self::Plain | Self::None => false,
        }
    }

    /// Fails if the dashboard is requested without a terminal.
    pub fn check(self) -> Result<(), Failure> {
        if self.is_dashboard() && !stdout().is_terminal() {
            return Err(Failure::usage("--ui dashboard needs a terminal\n  use --ui plain"));
        }
        Ok(())
    }

    /// User interface of a run that has trained `epochs_done` epochs and ends at `stop`.
    pub fn of_run(self, epochs_done: usize, mut stop: StopSource) -> Ui {
        let interrupter = Interrupter::new();
        let renderer: Box<dyn MetricsRenderer> = if self.is_dashboard() {
            // Keeps Ctrl-C working beside the dashboard.
            stop = Box::new(move || {
                terminal::enable_interrupts();
                stop()
            });
            Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), Some(epochs_done)))
        } else if self == Self::None {
            Box::new(NoopRenderer)
        } else {
            Box::new(PlainRenderer::new(|epoch| print::event(&epoch.to_string())))
        };
        Ui { renderer, interrupter, stop }
    }
}

/// Messages of the panics by which Burn ends a run at once when a user of the dashboard asks for it:
/// in the thread of the run, or in the one that processes its events.
const KILLS: [&str; 2] = [
    "Killing training from user input.",
    "the event processor worker stopped without reporting an error",
];

/// Whether a panic with this message ended a run at the request of a user of the dashboard.
pub fn is_kill(panic: &str) -> bool {
    KILLS.contains(&panic)
}
