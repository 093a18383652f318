//! Terminal modes that Burn's dashboard changes.

use std::fs::File;
use std::io::{self, stdin, stdout};
use std::os::fd::AsFd;

use crossterm::cursor::Show;
use crossterm::event::DisableMouseCapture;
use crossterm::execute;
use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, is_raw_mode_enabled};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Makes Ctrl-C send SIGINT again: the dashboard reads it as an ordinary key.
pub fn enable_interrupts() {
    let terminal = stdin();
    if let Ok(mut modes) = tcgetattr(&terminal)
        && !modes.local_modes.contains(LocalModes::ISIG)
    {
        modes.local_modes.insert(LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Now, &modes).ok();
    }
}

/// Leaves raw mode and the alternate screen, if the dashboard is shown.
pub fn restore() -> io::Result<()> {
    if !is_raw_mode_enabled()? {
        return Ok(());
    }
    disable_raw_mode()?;
    // Bypasses the lock of `stdout`, whose holder may be blocked.
    let mut terminal = File::from(stdout().as_fd().try_clone_to_owned()?);
    execute!(terminal, DisableMouseCapture, LeaveAlternateScreen, Show)
}
