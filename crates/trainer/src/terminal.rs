//! Terminal modes that Burn's dashboard changes.

use std::fs::File;
use std::io::{self, IsTerminal, stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    is_raw_mode_enabled,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::termios::{
    LocalModes, OptionalActions, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};

/// Time in which the dashboard is drawn at least once.
const REFRESH: Duration = Duration::from_millis(300);

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

/// Whether stdin, stdout and stderr are a terminal.
pub fn streams() -> [bool; 3] {
    [stdin().is_terminal(), stdout().is_terminal(), stderr().is_terminal()]
}

/// Replaces those of stdin, stdout and stderr that were `terminals` by a device that discards all.
pub fn detach([input, output, errors]: [bool; 3]) -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    if input {
        dup2_stdin(&null)?;
    }
    if output {
        dup2_stdout(&null)?;
    }
    if errors {
        dup2_stderr(&null)?;
    }
    Ok(())
}

/// Leaves raw mode and the alternate screen, if the dashboard is shown; returns whether it is.
pub fn restore() -> io::Result<bool> {
    if !is_raw_mode_enabled()? {
        return Ok(false);
    }
    disable_raw_mode()?;
    execute!(unlocked()?, DisableMouseCapture, LeaveAlternateScreen, Show)?;
    Ok(true)
}

/// Undoes [`restore`], and has the dashboard drawn again.
pub fn take_again() -> io::Result<()> {
    enable_raw_mode()?;
    let mut terminal = unlocked()?;
    execute!(terminal, EnterAlternateScreen, EnableMouseCapture, Hide)?;
    // The dashboard draws what has changed, and everything if the size has.
    let size = tcgetwinsize(&terminal)?;
    tcsetwinsize(&terminal, Winsize { ws_row: size.ws_row.saturating_sub(1), ..size })?;
    thread::sleep(REFRESH);
    Ok(tcsetwinsize(&terminal, size)?)
}

/// The terminal without the lock of `stdout`, whose holder may be blocked.
fn unlocked() -> io::Result<File> {
    Ok(File::from(stdout().as_fd().try_clone_to_owned()?))
}
