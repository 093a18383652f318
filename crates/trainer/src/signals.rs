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
    let received = Arc::new(AtomicUsize::new(0));
    let (reader, writer) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        // The flag first: the thread that the pipe wakes reads it.
        flag::register_usize(signal, Arc::clone(&received), signal as usize)?;
        low_level::pipe::register(signal, writer.try_clone()?)?;
    }
    // A terminal that closes sends it more than once.
    if !is_ignored(SIGHUP) {
        flag::register_usize(SIGHUP, Arc::clone(&received), SIGHUP as usize)?;
        detach_at_hangup()?;
    }
    let signals = Signals(received);
    let seen = signals.clone();
    let exit = move || exit_at_second(reader, &seen);
    thread::Builder::new().name("signals".into()).spawn(exit)?;
    suspend_on_request()?;
    Ok(signals)
}

/// Whether the parent process, such as `nohup`, made this one ignore `signal`.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Exits after the second signal. A signal handler could not restore the terminal. The exit
/// handlers of libraries are skipped: they may wait for the work that is interrupted.
fn exit_at_second(mut reader: UnixStream, signals: &Signals) {
    let both = reader.read_exact(&mut [0; 2]);
    if let (Ok(()), Some(stop)) = (both, signals.received()) {
        terminal::restore().ok();
        low_level::exit(error::signal_exit_code(stop).into());
    }
}

/// Detaches the standard streams from a terminal that closes: the dashboard aborts the process if it
/// cannot write to them.
fn detach_at_hangup() -> io::Result<()> {
    let terminals = terminal::streams();
    let (mut reader, writer) = UnixStream::pair()?;
    low_level::pipe::register(SIGHUP, writer)?;
    let detach = move || {
        if reader.read_exact(&mut [0]).is_ok() {
            terminal::detach(terminals).ok();
        }
    };
    thread::Builder::new().name("hangup".into()).spawn(detach)?;
    Ok(())
}

/// Gives the terminal back at SIGTSTP, stops this process, and takes the terminal again when it is
/// continued.
fn suspend_on_request() -> io::Result<()> {
    let (mut reader, writer) = UnixStream::pair()?;
    low_level::pipe::register(SIGTSTP, writer)?;
    let suspend = move || {
        while reader.read_exact(&mut [0]).is_ok() {
            let has_dashboard = terminal::restore().unwrap_or(false);
            low_level::emulate_default_handler(SIGTSTP).ok();
            if has_dashboard {
                terminal::take_again().ok();
            }
        }
    };
    thread::Builder::new().name("suspend".into()).spawn(suspend)?;
    Ok(())
}

impl Signals {
    /// The requested stop, if any.
    pub fn received(&self) -> Option<Stop> {
        match self.0.load(Ordering::Relaxed) as i32 {
            SIGINT => Some(Stop::Interrupted),
            SIGTERM | SIGHUP => Some(Stop::Terminated),
            _ => None,
        }
    }

    /// Stop request that a run polls after every step.
    pub fn stop_source(&self) -> StopSource {
        let signals = self.clone();
        Box::new(move || signals.received())
    }
}
