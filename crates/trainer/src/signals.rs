//! SIGINT (Ctrl-C), SIGTERM and SIGHUP: the first stops the run after its step, the second exits at
//! once. SIGTSTP (Ctrl-Z) suspends the program and gives the terminal back.

use std::fs;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::{flag, low_level};
use training::{Stop, StopSource};

use crate::{error, terminal};

/// The last signal received, if any.
#[derive(Debug, Clone)]
pub struct Signals(Arc<AtomicUsize>);

/// Installs the handlers of all signals.
pub fn listen() -> io::Result<Signals> {
    let signals = Signals(Arc::new(AtomicUsize::new(0)));
    // The flags first: the thread reads them.
    for signal in [SIGINT, SIGTERM] {
        flag::register_usize(signal, Arc::clone(&signals.0), signal as usize)?;
    }
    let (seen, mut count) = (signals.clone(), 0);
    at_each(&[SIGINT, SIGTERM], "signals", move || {
        count += 1;
        exit_at_second(count, &seen);
    })?;
    // A terminal that closes sends it more than once.
    if !is_ignored(SIGHUP) {
        flag::register_usize(SIGHUP, Arc::clone(&signals.0), SIGHUP as usize)?;
    }
    at_each(&[SIGTSTP], "suspend", suspend)?;
    Ok(signals)
}

/// Calls `handle` at each of `signals`, in a thread of this name.
fn at_each(
    signals: &[i32],
    name: &str,
    mut handle: impl FnMut() + Send + 'static,
) -> io::Result<()> {
    let (mut reader, writer) = UnixStream::pair()?;
    for signal in signals {
        low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    let handle_all = move || {
        while reader.read_exact(&mut [0]).is_ok() {
            handle();
        }
    };
    thread::Builder::new().name(name.into()).spawn(handle_all)?;
    Ok(())
}

/// Whether the parent process, such as `nohup`, made this one ignore `signal`.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// A signal handler could not restore the terminal. The exit handlers of libraries are skipped: they may
/// wait for the work that is interrupted.
fn exit_at_second(count: usize, signals: &Signals) {
    if let Some(stop) = signals.received().filter(|_| count > 1) {
        terminal::close();
        low_level::exit(error::signal_exit_code(stop).into());
    }
}

/// Gives the terminal back and stops this process. The dashboard takes the terminal again.
fn suspend() {
    terminal::pause(|| drop(low_level::emulate_default_handler(SIGTSTP)));
}

impl Signals {
    pub fn received(&self) -> Option<Stop> {
        match self.0.load(Ordering::Relaxed) as i32 {
            SIGINT => Some(Stop::Interrupted),
            SIGTERM | SIGHUP => Some(Stop::Terminated),
            _ => None,
        }
    }

    /// Stops the run as Ctrl-C does, unless it is stopping already.
    pub fn interrupt(&self) {
        if self.received().is_none() {
            low_level::raise(SIGINT).ok();
        }
    }

    /// Stop request that a run polls after every step.
    pub fn stop_source(&self) -> StopSource {
        let signals = self.clone();
        Box::new(move || signals.received())
    }
}
