//! The terminal while the dashboard owns it: on the alternate screen, without echo. Keys that send
//! signals, such as Ctrl-C, keep their meaning.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, stdin, stdout};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use crate::print;

/// Whether the dashboard wants the terminal, and what it has of it.
static OWNER: Mutex<Owner> = Mutex::new(Owner { is_open: false, screen: None });

struct Owner {
    is_open: bool,
    screen: Option<Screen>,
}

/// The terminal as the dashboard has it; dropped, it is as before.
struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<File>>>,
    modes: Termios,
}

impl Screen {
    fn take() -> io::Result<Self> {
        let output = BufWriter::with_capacity(1 << 16, unlocked()?);
        let terminal = Terminal::new(CrosstermBackend::new(output))?;
        let modes = tcgetattr(stdout())?;
        let mut quiet = modes.clone();
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        let screen = Self { terminal, modes };
        tcsetattr(stdout(), OptionalActions::Now, &quiet)?;
        execute!(unlocked()?, EnterAlternateScreen, Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        tcsetattr(stdout(), OptionalActions::Now, &self.modes).ok();
        unlocked().and_then(|mut output| execute!(output, LeaveAlternateScreen, Show)).ok();
    }
}

/// Lets the dashboard draw, and keeps messages until [`close`].
pub fn open() {
    owner().is_open = true;
    print::hold();
}

/// Leaves the alternate screen, if the dashboard is shown, and prints the messages.
pub fn close() {
    let mut owner = owner();
    owner.screen = None;
    if owner.is_open {
        owner.is_open = false;
        print::release();
    }
}

/// Draws the dashboard, unless the program runs in the background; returns whether it may go on.
pub fn draw(view: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
    let mut owner = owner();
    if owner.is_open && is_in_foreground() {
        if owner.screen.is_none() {
            owner.screen = Some(Screen::take()?);
        }
        if let Some(screen) = &mut owner.screen {
            screen.terminal.draw(view)?;
        }
    }
    Ok(owner.is_open)
}

/// Gives the terminal back, and does not draw while `pause` runs.
pub fn pause(pause: impl FnOnce()) {
    let mut owner = owner();
    owner.screen = None;
    pause();
}

/// Waits for a key for `time`.
pub fn key(time: Duration) -> Option<u8> {
    let input = stdin();
    if !input.is_terminal() || !is_in_foreground() {
        thread::sleep(time);
        return None;
    }
    let timeout = Timespec::try_from(time).ok();
    let is_ready = poll(&mut [PollFd::new(&input, PollFlags::IN)], timeout.as_ref());
    let mut key = [0];
    // A program that reads in the background is stopped.
    if is_ready.is_ok_and(|count| count > 0) && is_in_foreground() {
        rustix::io::read(&input, &mut key).ok().filter(|&count| count == 1)?;
        return Some(key[0]);
    }
    None
}

/// A program that changes the modes of its terminal in the background is stopped. True for a terminal
/// that does not control this process.
fn is_in_foreground() -> bool {
    tcgetpgrp(stdout()).map_or(true, |group| group == getpgrp())
}

fn owner() -> MutexGuard<'static, Owner> {
    OWNER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal without the lock of `stdout`, whose holder may be blocked.
fn unlocked() -> io::Result<File> {
    Ok(File::from(stdout().as_fd().try_clone_to_owned()?))
}
