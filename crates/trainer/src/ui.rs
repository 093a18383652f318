//! Display of a training run: a live view of the terminal, one line per epoch, or nothing.

mod dashboard;
mod pace;
mod plain;
mod renderer;
mod view;

use std::env;
use std::io::{IsTerminal, stdout};

use clap::ValueEnum;
use training::{Run, Ui};

use crate::error::Failure;
use crate::print;
use crate::signals::Signals;
pub use plain::plain;
pub use renderer::EpochEvent;

/// The value of `--ui`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum UiChoice {
    /// Dashboard on a terminal, plain otherwise and if TERM is dumb
    #[default]
    Auto,
    /// Progress, curves and scores, redrawn while the run goes on
    Dashboard,
    /// One line per epoch
    Plain,
    /// Errors only
    None,
}

impl UiChoice {
    /// Whether the dashboard will be shown.
    fn is_dashboard(self) -> bool {
        match self {
            // A dumb terminal cannot move its cursor.
            Self::Auto => {
                stdout().is_terminal() && env::var_os("TERM").is_some_and(|name| name != "dumb")
            }
            Self::Dashboard => true,
            Self::Plain | Self::None => false,
        }
    }

    /// Fails if the dashboard is requested without a terminal.
    pub fn check(self) -> Result<(), Failure> {
        if self == Self::Dashboard && !stdout().is_terminal() {
            return Err(Failure::usage("--ui dashboard needs a terminal\n  use --ui plain"));
        }
        Ok(())
    }

    /// User interface of `run`, which `signals` stop.
    pub fn of_run(self, run: &Run, signals: &Signals) -> Ui {
        let ui = Ui::silent(signals.stop_source());
        if self.is_dashboard() {
            dashboard::show(run, signals, ui)
        } else if self == Self::None {
            ui
        } else {
            Ui { renderer: plain(|epoch| print::event(&epoch.to_string())), ..ui }
        }
    }
}
