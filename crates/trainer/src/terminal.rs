//! The terminal while the dashboard owns it: on the alternate screen, without echo. Keys that send
//! signals, such as Ctrl-C, keep their meaning.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, stdin, stdout};
use std::mem;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use rustix::io::{ioctl_fionread, read};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::print;

static OWNER: Mutex<Owner> = Mutex::new(Owner { is_open: false, modes: None, screen: None });

/// What the dashboard has of the terminal.
struct Owner {
    /// Whether the dashboard may draw.
    is_open: bool,
    /// Modes of the terminal before it was taken.
    modes: Option<Termios>,
    /// Never dropped: it would panic if the terminal has closed.
    screen: Option<Terminal<CrosstermBackend<BufWriter<File>>>>,
}

impl Owner {
    fn take(&mut self) -> io::Result<()> {
        let modes = tcgetattr(stdout())?;
        let mut quiet = modes.clone();
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        self.modes = Some(modes);
        tcsetattr(stdout(), OptionalActions::Now, &quiet)?;
        execute!(unlocked()?, EnterAlternateScreen, Hide)?;
        let output = BufWriter::with_capacity(1 << 16, unlocked()?);
        // A new one draws everything. To clear the old one would ask the terminal for its cursor.
        mem::forget(self.screen.replace(Terminal::new(CrosstermBackend::new(output))?));
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(modes) = self.modes.take() {
            tcsetattr(stdout(), OptionalActions::Now, &modes).ok();
            unlocked().and_then(|mut output| execute!(output, LeaveAlternateScreen, Show)).ok();
        }
    }
}

/// Lets the dashboard draw, and keeps messages until [`close`].
pub fn open() {
    owner().is_open = true;
    print::hold();
}

/// Leaves the dashboard, if there is one, and prints the messages.
pub fn close() {
    let mut owner = owner();
    owner.leave();
    if owner.is_open {
        owner.is_open = false;
        print::release();
    }
}

/// Draws the dashboard, unless the program runs in the background; returns whether it may go on.
pub fn draw(view: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
    let mut owner = owner();
    if owner.is_open && is_in_foreground() {
        if owner.modes.is_none() {
            owner.take()?;
        }
        if let Some(screen) = &mut owner.screen {
            screen.draw(view)?;
        }
    }
    Ok(owner.is_open)
}

/// Gives the terminal back, and does not draw while `pause` runs.
pub fn pause(pause: impl FnOnce()) {
    let mut owner = owner();
    owner.leave();
    pause();
}

/// Waits for `time`; returns whether `key` was pressed.
pub fn is_pressed(key: u8, time: Duration) -> bool {
    thread::sleep(time);
    let input = stdin();
    // A program that reads in the background is stopped.
    if !input.is_terminal() || !is_in_foreground() || ioctl_fionread(&input).unwrap_or(0) == 0 {
        return false;
    }
    let mut keys = [0; 64];
    read(&input, &mut keys).is_ok() && keys.contains(&key)
}

/// Whether the shell runs the program in the foreground. In the background, a program that changes the
/// modes of its terminal is stopped.
fn is_in_foreground() -> bool {
    let status = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name: state, parent, group, session, terminal, group in the foreground.
    let mut fields = status.rsplit(')').next().unwrap_or_default().split_whitespace().skip(2);
    let (group, foreground) = (fields.next(), fields.nth(2));
    group == foreground || foreground == Some("-1")
}

fn owner() -> MutexGuard<'static, Owner> {
    OWNER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal without the lock of `stdout`, whose holder may be blocked.
fn unlocked() -> io::Result<File> {
    Ok(File::from(stdout().as_fd().try_clone_to_owned()?))
}
