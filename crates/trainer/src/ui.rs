//! How a run is shown.

mod plain;

use std::fs::File;
use std::io::{self, IsTerminal, stdout};
use std::os::fd::AsFd;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use crossterm::cursor::Show;
use crossterm::event::DisableMouseCapture;
use crossterm::execute;
use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, is_raw_mode_enabled};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::cli::UiChoice;
use crate::error::Failure;
use crate::print;
pub use plain::Plain;

use training::{Silent, StopSource};

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
            false if self == Self::None => Box::new(Silent),
            false => Box::new(Plain::new(print::event)),
        }
    }
}

/// The same `stop`, which also gives Ctrl-C its meaning back: the dashboard takes it as a key
/// like any other.
pub fn with_ctrl_c(mut stop: StopSource) -> StopSource {
    let terminal = std::io::stdin();
    Box::new(move || {
        if let Ok(mut modes) = tcgetattr(&terminal)
            && !modes.local_modes.contains(LocalModes::ISIG)
        {
            modes.local_modes.insert(LocalModes::ISIG);
            tcsetattr(&terminal, OptionalActions::Now, &modes).ok();
        }
        stop()
    })
}

/// Gives the terminal back as it was, if the dashboard holds it.
pub fn give_terminal_back() -> io::Result<()> {
    if !is_raw_mode_enabled()? {
        return Ok(());
    }
    disable_raw_mode()?;
    // Past the lock of `stdout`: who holds it may wait for ever.
    let mut terminal = File::from(stdout().as_fd().try_clone_to_owned()?);
    execute!(terminal, DisableMouseCapture, LeaveAlternateScreen, Show)
}
